//! One template for many contacts: compiled once, its facts read set by set.

use std::collections::HashMap;

use patchbay_rules::{
    message::Channel,
    segments,
    template::{self, RenderError},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Template, context, placeholders, render::problem_of, sql};
use crate::{
    app::App,
    db::TenantTx,
    error::{Error, Result},
};

/// The words of a template, apart from the row: what was approved stays as it was, whatever the row says later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    pub template_id: Uuid,
    pub name: String,
    pub content: String,
    pub subject: Option<String>,
    /// A template that the provider has approved, and what its placeholders stand for.
    pub content_sid: Option<String>,
    pub content_variables: Option<Value>,
}

impl From<Template> for Words {
    fn from(template: Template) -> Self {
        Self {
            template_id: template.id,
            content: template.text(),
            name: template.name,
            subject: template.subject,
            content_sid: template.content_sid,
            content_variables: template.content_variables,
        }
    }
}

/// What a template can say of one contact.
pub struct Reader(Value);

/// What can be said of these contacts, by id; whoever is not there is left out.
pub async fn readers(tx: &mut TenantTx, app: &App, contacts: &[Uuid]) -> Result<HashMap<Uuid, Reader>> {
    let facts = sql::list_facts(tx, contacts).await?;
    let public_url = &app.config.public_url;
    Ok(facts.into_iter().map(|(id, facts)| (id, Reader(context::build(&facts, public_url)))).collect())
}

impl Reader {
    /// Somebody of whom only the name is known, to look at a text with.
    pub async fn made_up(tx: &mut TenantTx, app: &App) -> Result<Self> {
        Ok(Self(context::build(&sql::business_facts(tx).await?, &app.config.public_url)))
    }
}

/// A compiled template.
pub struct Press {
    pub words: Words,
    channel: Channel,
    body: template::Template,
    subject: Option<template::Template>,
    variables: Vec<(String, template::Template)>,
}

/// The words for one contact.
pub struct Printed {
    pub body: String,
    pub subject: Option<String>,
    pub content_variables: Option<Value>,
}

impl Press {
    /// # Errors
    /// Invalid: a text that is no template.
    pub fn new(words: Words, channel: Channel) -> Result<Self> {
        let compile = |source: &str| {
            template::compile(source)
                .map_err(|error| Error::field("template_ids", format!("{}: {error}", words.name)))
        };
        let body = compile(&words.content)?;
        let subject = words.subject.as_deref().map(compile).transpose()?;
        let variables = words.content_variables.as_ref().and_then(Value::as_object).into_iter().flatten();
        let variables = variables
            .map(|(placeholder, source)| {
                Ok((placeholder.clone(), compile(source.as_str().unwrap_or_default())?))
            })
            .collect::<Result<_>>()?;
        Ok(Self { body, subject, variables, channel, words })
    }

    /// The words for `reader`, or in a sentence why there are none.
    pub fn print(&self, reader: &Reader) -> Result<Printed, String> {
        self.fill(&reader.0).map_err(|error| problem_of(&error, false))
    }

    fn fill(&self, context: &Value) -> Result<Printed, RenderError> {
        let text = self.body.render(context)?.text;
        let body =
            if self.channel == Channel::Sms { segments::smart_replace(&text).into_owned() } else { text };
        let subject = self.subject.as_ref().map(|subject| subject.render(context)).transpose()?;
        let mut filled = Map::new();
        for (placeholder, variable) in &self.variables {
            filled
                .insert(placeholder.clone(), placeholders::one_line(&variable.render(context)?.text).into());
        }
        Ok(Printed {
            body,
            subject: subject.map(|subject| subject.text.split_whitespace().collect::<Vec<_>>().join(" ")),
            content_variables: (!filled.is_empty()).then_some(Value::Object(filled)),
        })
    }
}
