//! Templates to choose from while writing to somebody: each as it reads for that person.

use patchbay_rules::{message::Channel, template};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Filter, context, placeholders, render::text_of, sql};
use crate::{
    app::App,
    db::TenantTx,
    error::{Error, Result},
    links,
};

/// A template, filled in for one contact.
#[derive(Debug, Clone)]
pub struct Choice {
    pub id: Uuid,
    pub name: String,
    pub channel: Channel,
    pub subject: Option<String>,
    pub body: String,
    /// The provider has approved it: it may open a WhatsApp conversation, unchanged.
    pub approved: bool,
}

/// A template that travels by the name its provider knows.
#[derive(Debug, Clone)]
pub struct Approved {
    pub content_sid: String,
    /// Placeholder -> text.
    pub content_variables: Option<Value>,
}

/// The tenant's newest templates, at most 50, that can be filled in for `contact` without a hole.
pub async fn choices(tx: &mut TenantTx, app: &App, contact: Uuid) -> Result<Vec<Choice>> {
    let templates = sql::list(tx, &Filter::default(), None, 50).await?;
    let facts = sql::find_facts(tx, contact, None, true).await?.ok_or(Error::NotFound("contact"))?;
    let context = context::build(&facts, links::short_base(app));
    let mut choices: Vec<Choice> = templates
        .into_iter()
        .filter_map(|template| {
            let body = text_of(&template.text(), &context, template.channel).ok()?;
            let subject = template
                .subject
                .as_deref()
                .and_then(|subject| template::render(subject, &context).ok())
                .map(|subject| subject.text);
            let approved = template.content_sid.is_some();
            Some(Choice {
                id: template.id,
                name: template.name,
                channel: template.channel,
                subject,
                body,
                approved,
            })
        })
        .collect();
    choices.sort_by_cached_key(|choice| choice.name.to_lowercase());
    Ok(choices)
}

/// What the provider is told instead of a text, if the template `id` is one that it has approved.
pub async fn approved(tx: &mut TenantTx, app: &App, id: Uuid, contact: Uuid) -> Result<Option<Approved>> {
    let Some(template) = sql::find(tx, id).await?.filter(|template| template.archived_at.is_none()) else {
        return Err(Error::NotFound("template"));
    };
    let Some(content_sid) = template.content_sid else { return Ok(None) };
    let facts = sql::find_facts(tx, contact, None, true).await?.ok_or(Error::NotFound("contact"))?;
    let context = context::build(&facts, links::short_base(app));
    let mut filled = Map::new();
    for (placeholder, source) in
        template.content_variables.as_ref().and_then(Value::as_object).into_iter().flatten()
    {
        let text = template::render(source.as_str().unwrap_or_default(), &context);
        let text = text.map_err(|error| {
            Error::field("template_id", format!("This template cannot be filled in: {error}."))
        })?;
        filled.insert(placeholder.clone(), Value::String(placeholders::one_line(&text.text)));
    }
    let content_variables = (!filled.is_empty()).then_some(Value::Object(filled));
    Ok(Some(Approved { content_sid, content_variables }))
}
