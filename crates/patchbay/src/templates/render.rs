//! From a template to the words of one message.
//!
//! [`render`] is for sending: strict, and what is missing becomes the message's `problem`. [`preview`] is for looking:
//! it names everything that is missing and shows the rest.

use patchbay_rules::{
    message::Channel,
    segments::{self, Encoding},
    template::{self, RenderError},
};
use serde_json::Value;
use uuid::Uuid;

use super::{Template, check, context, defaults, sql};
use crate::{
    app::App,
    db::TenantTx,
    error::{Error, Result},
    links,
};

/// Where the words come from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// The tenant's template of this key, else the one tenants are born with.
    Key(&'a str),
    Id(Uuid),
}

/// The words of one message, ready for the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedMessage {
    pub template_id: Option<Uuid>,
    pub channel: Channel,
    /// With a `problem`, the template as it is written: nothing that could pass for a message.
    pub body: String,
    pub subject: Option<String>,
    /// Of a text message; 1 on other channels.
    pub segments: u32,
    pub encoding: Encoding,
    /// Why this must not be sent, in a sentence.
    pub problem: Option<String>,
}

/// The words for `contact_id` and, where tokens speak of one, `quote_id`.
///
/// # Errors
/// Not found: the contact, or the template of [`Source::Id`]. A text that cannot be rendered is no error.
pub async fn render(
    tx: &mut TenantTx,
    app: &App,
    source: Source<'_>,
    contact_id: Uuid,
    quote_id: Option<Uuid>,
) -> Result<RenderedMessage> {
    let Some(words) = load(tx, source).await? else {
        return match source {
            Source::Key(key) => Ok(missing_template(key)),
            _ => Err(Error::NotFound("template")),
        };
    };
    let facts = sql::find_facts(tx, contact_id, quote_id, false).await?.ok_or(Error::NotFound("contact"))?;
    let context = context::build(&facts, links::short_base(app));
    let body = text_of(&words.content, &context, words.channel);
    let subject = words.subject.as_deref().map(|subject| template::render(subject, &context)).transpose();
    Ok(match (body, subject) {
        (Ok(body), Ok(subject)) => {
            let subject =
                subject.map(|subject| subject.text.split_whitespace().collect::<Vec<_>>().join(" "));
            assembled(words.template_id, words.channel, body, subject, None)
        }
        (Err(error), _) | (_, Err(error)) => {
            let problem = problem_of(&error, facts.quote_id.is_some());
            assembled(words.template_id, words.channel, words.content, words.subject, Some(problem))
        }
    })
}

struct Words {
    template_id: Option<Uuid>,
    channel: Channel,
    subject: Option<String>,
    content: String,
}

impl From<Template> for Words {
    fn from(template: Template) -> Self {
        Self {
            template_id: Some(template.id),
            channel: template.channel,
            content: template.text(),
            subject: template.subject,
        }
    }
}

async fn load(tx: &mut TenantTx, source: Source<'_>) -> Result<Option<Words>> {
    Ok(match source {
        Source::Id(id) => sql::find(tx, id).await?.map(Words::from),
        Source::Key(key) => match sql::find_by_key(tx, key).await? {
            Some(template) => Some(template.into()),
            None => defaults().iter().find(|default| default.key == key).map(|default| Words {
                template_id: None,
                channel: default.channel,
                subject: default.subject.map(str::to_owned),
                content: default.content.to_owned(),
            }),
        },
    })
}

pub(super) fn text_of(content: &str, context: &Value, channel: Channel) -> Result<String, RenderError> {
    let text = template::render(content, context)?.text;
    Ok(if channel == Channel::Sms { segments::smart_replace(&text).into_owned() } else { text })
}

fn assembled(
    template_id: Option<Uuid>,
    channel: Channel,
    body: String,
    subject: Option<String>,
    problem: Option<String>,
) -> RenderedMessage {
    let counted = segments::count(&body);
    let segments = if channel == Channel::Sms { counted.segments } else { 1 };
    RenderedMessage { template_id, channel, body, subject, segments, encoding: counted.encoding, problem }
}

fn missing_template(key: &str) -> RenderedMessage {
    assembled(
        None,
        Channel::Sms,
        String::new(),
        None,
        Some(format!("There is no template with the key {key}.")),
    )
}

/// The sentence stored with a blocked message.
pub(super) fn problem_of(error: &RenderError, has_quote: bool) -> String {
    match error {
        RenderError::Missing { token } if !has_quote && is_about_quote(token) => {
            format!("The template needs {{{{{token}}}}}, but there is no quote.")
        }
        RenderError::Missing { token } => format!("The template needs {{{{{token}}}}}, which is missing."),
        other => format!("The template cannot be filled in: {other}."),
    }
}

fn is_about_quote(token: &str) -> bool {
    matches!(token.split('.').next(), Some("total" | "total_formatted" | "short_url" | "quote" | "data"))
}

/// How a template looks for one contact.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Preview {
    /// What is missing stands in brackets.
    pub text: String,
    pub subject: Option<String>,
    /// Of a text message.
    pub segments: u32,
    /// `gsm7` or `ucs2`.
    pub encoding: String,
    /// Septets or UTF-16 code units, by encoding.
    pub units: u32,
    /// Empty when a message could be sent like this.
    pub problems: Vec<PreviewProblem>,
    /// Whether amounts and links are made up, because the contact has no quote.
    pub example_quote: bool,
}

/// What stands in the way of sending it.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct PreviewProblem {
    pub message: String,
    /// What is missing or unknown, without braces.
    pub token: Option<String>,
    /// 1-based; of mistakes in the text itself.
    pub line: Option<u32>,
    pub column: Option<u32>,
}

/// What is looked at: words, channel, and for whom. Without a contact, one of whom only the name is known is made up.
pub struct Look<'a> {
    pub channel: Channel,
    pub content: &'a str,
    pub subject: Option<&'a str>,
    pub contact_id: Option<Uuid>,
    pub quote_id: Option<Uuid>,
}

/// A preview; changes nothing.
///
/// # Errors
/// Not found: the contact or the quote. Invalid: what is too long to be saved either.
pub async fn preview(tx: &mut TenantTx, app: &App, look: &Look<'_>, currency: &str) -> Result<Preview> {
    check::lengths(look.content, look.subject)?;
    let known = sql::known_keys(tx).await?;
    let known = check::names(&known);
    let mut facts = match look.contact_id {
        Some(contact) => {
            sql::find_facts(tx, contact, look.quote_id, true).await?.ok_or(Error::NotFound("contact"))?
        }
        None => sql::business_facts(tx).await?,
    };
    if look.quote_id.is_some() && facts.quote_id.is_none() {
        return Err(Error::NotFound("quote"));
    }
    let has_quote = facts.quote_id.is_some();
    let speaks_of_quote = |text: &str| template::tokens(text).iter().any(|token| is_about_quote(token));
    let example_quote =
        !has_quote && (speaks_of_quote(look.content) || look.subject.is_some_and(speaks_of_quote));
    if example_quote {
        context::with_example_quote(&mut facts, currency);
    }
    let context = context::build(&facts, links::short_base(app));
    let mut problems = Vec::new();
    let mut text = shown(look.content, &context, &known, &mut problems);
    if look.channel == Channel::Sms {
        text = segments::smart_replace(&text).into_owned();
    }
    let subject = look.subject.map(|subject| shown(subject, &context, &known, &mut problems));
    let counted = segments::count(&text);
    Ok(Preview {
        segments: if look.channel == Channel::Sms { counted.segments } else { 1 },
        encoding: counted.encoding.as_str().to_owned(),
        units: counted.units,
        text,
        subject,
        problems,
        example_quote,
    })
}

/// Renders with what is missing put in as `[token]`, and notes it.
fn shown(content: &str, context: &Value, known: &[&str], problems: &mut Vec<PreviewProblem>) -> String {
    let mistakes = template::check(content, known);
    if !mistakes.is_empty() {
        problems.extend(mistakes.into_iter().map(|mistake| PreviewProblem {
            message: check::sentence(&mistake.message),
            token: mistake.token,
            line: u32::try_from(mistake.line).ok(),
            column: u32::try_from(mistake.column).ok(),
        }));
    }
    // What does not compile is among the mistakes.
    let Ok(template) = template::compile(content) else { return content.to_owned() };
    let mut filled = context.clone();
    // Each turn fills one hole; a text has fewer.
    for _ in 0..50 {
        match template.render(&filled) {
            Ok(rendered) => return rendered.text,
            Err(RenderError::Missing { token }) if fill(&mut filled, &token) => {
                if !problems.iter().any(|problem| problem.token.as_deref() == Some(&token)) {
                    let message = format!(
                        "{{{{{token}}}}} is missing for this contact. Give it a default, or fill it in."
                    );
                    problems.push(PreviewProblem { message, token: Some(token), line: None, column: None });
                }
            }
            Err(error) => {
                if problems.is_empty() {
                    problems.push(PreviewProblem {
                        message: format!("{error}."),
                        token: None,
                        line: None,
                        column: None,
                    });
                }
                break;
            }
        }
    }
    content.to_owned()
}

/// Puts `[token]` where `token` leads to; `false` where something else stands in the way.
fn fill(context: &mut Value, token: &str) -> bool {
    let mut place = context;
    for part in token.split('.') {
        if place.is_null() {
            *place = Value::Object(serde_json::Map::new());
        }
        let Some(map) = place.as_object_mut() else { return false };
        place = map.entry(part.to_owned()).or_insert(Value::Null);
    }
    let empty = place.is_null() || place.as_str().is_some_and(|text| text.trim().is_empty());
    if empty {
        *place = Value::String(format!("[{token}]"));
    }
    empty
}
