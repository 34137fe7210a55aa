//! The editor's form: what was typed, and what it means.

use patchbay_rules::message::Channel;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::templates::{NewTemplate, Template, TemplateChange, placeholders};

/// The form; also what the preview is made of.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(in crate::templates) struct EditForm {
    pub name: String,
    pub key: String,
    channel: String,
    pub subject: String,
    pub content: String,
    pub content_sid: String,
    /// The placeholders of the approved template, and in the same order what they stand for.
    placeholder: Vec<String>,
    variable: Vec<String>,
    /// For whom it is looked at.
    contact_id: String,
}

impl EditForm {
    pub fn empty() -> Self {
        Self { channel: Channel::Sms.as_str().to_owned(), ..Self::default() }
    }

    pub fn of(template: &Template) -> Self {
        let variables = template.content_variables.as_ref().and_then(Value::as_object);
        let (placeholder, variable) = variables
            .into_iter()
            .flatten()
            .map(|(name, text)| (name.clone(), text.as_str().unwrap_or_default().to_owned()))
            .unzip();
        Self {
            name: template.name.clone(),
            key: template.key.clone(),
            channel: template.channel.as_str().to_owned(),
            subject: template.subject.clone().unwrap_or_default(),
            content: template.content.clone(),
            content_sid: template.content_sid.clone().unwrap_or_default(),
            placeholder,
            variable,
            contact_id: String::new(),
        }
    }

    pub fn channel(&self) -> Channel {
        self.channel.parse().unwrap_or(Channel::Sms)
    }

    pub fn contact(&self) -> Option<Uuid> {
        Uuid::parse_str(&self.contact_id).ok()
    }

    /// Every placeholder of the text, and every other that stands for something: with what it stands for.
    pub fn rows(&self) -> Vec<(String, String)> {
        let typed = || self.placeholder.iter().zip(&self.variable);
        let mut names = placeholders::numbered(&self.content);
        for (name, _) in typed().filter(|(_, text)| !text.trim().is_empty()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        placeholders::sort(&mut names);
        let row = |name: String| {
            let text = typed().find(|(typed, _)| **typed == name).map(|(_, text)| text.clone());
            (name, text.unwrap_or_default())
        };
        names.into_iter().map(row).collect()
    }

    /// What the placeholders stand for, as it is kept.
    pub fn variables(&self) -> Option<Value> {
        let filled = self.rows().into_iter().filter(|(_, text)| !text.trim().is_empty());
        let map: Map<String, Value> = filled.map(|(name, text)| (name, text.trim().into())).collect();
        (!map.is_empty()).then_some(Value::Object(map))
    }

    /// The text as it would be rendered; `[1]` stands where nobody has said yet what does.
    pub fn text(&self) -> String {
        if self.channel() != Channel::Whatsapp {
            return self.content.clone();
        }
        let filled = self.rows().into_iter().map(|(name, text)| {
            let text = if text.trim().is_empty() { format!("[{name}]") } else { text };
            (name, Value::from(text))
        });
        placeholders::fill(&self.content, Some(&Value::Object(filled.collect())))
    }

    pub fn into_new(self) -> NewTemplate {
        NewTemplate {
            channel: self.channel(),
            content_variables: self.variables(),
            key: self.key,
            name: self.name,
            subject: Some(self.subject),
            content: self.content,
            content_sid: Some(self.content_sid),
        }
    }

    pub fn into_change(self) -> TemplateChange {
        TemplateChange {
            channel: Some(self.channel()),
            content_variables: Some(self.variables()),
            key: Some(self.key.trim().to_owned()).filter(|key| !key.is_empty()),
            name: Some(self.name),
            subject: Some(Some(self.subject)),
            content: Some(self.content),
            content_sid: Some(Some(self.content_sid)),
        }
    }
}
