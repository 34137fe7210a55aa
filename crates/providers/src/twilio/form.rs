//! A message as the form that creates it (Twilio Docs: Message resource, create).

use std::borrow::Cow;

use form_urlencoded::Serializer;
use serde_json::Value;

use crate::message::{Channel, Outgoing};

/// Encodes a message.
///
/// # Errors
/// When the template's values are no JSON object.
pub(super) fn encode(message: &Outgoing) -> Result<String, NotAnObject> {
    let callback = message.status_callback.as_deref();
    // Percent signs triple some bytes; the guess saves growing the text for common messages.
    let capacity = 160 + message.body.len() * 3 / 2 + callback.map_or(0, |url| url.len() * 3 / 2);
    let mut form = Serializer::new(String::with_capacity(capacity));
    form.append_pair("To", &address(message.channel, &message.to));
    if let Some(from) = &message.from {
        form.append_pair("From", &address(message.channel, from));
    }
    if let Some(service) = &message.messaging_service_sid {
        form.append_pair("MessagingServiceSid", service);
    }
    match &message.content_sid {
        Some(template) => {
            form.append_pair("ContentSid", template);
            if let Some(values) = &message.content_variables {
                form.append_pair("ContentVariables", &variables(values)?);
            }
        }
        None => {
            if !message.body.is_empty() || message.media.is_empty() {
                form.append_pair("Body", &message.body);
            }
            for url in &message.media {
                form.append_pair("MediaUrl", url);
            }
        }
    }
    if let Some(url) = callback {
        form.append_pair("StatusCallback", url);
    }
    if let Some(seconds) = message.validity_seconds {
        form.append_pair("ValidityPeriod", seconds.to_string().as_str());
    }
    Ok(form.finish())
}

/// Template values that are not a JSON object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAnObject;

/// An address as Twilio spells it; one that is spelled so already stays as it is.
pub(super) fn address(channel: Channel, plain: &str) -> Cow<'_, str> {
    let prefix = channel.prefix();
    if prefix.is_empty() || plain.starts_with(prefix) {
        Cow::Borrowed(plain)
    } else {
        Cow::Owned([prefix, plain].concat())
    }
}

/// The values as the JSON text Twilio wants: every value a string.
fn variables(values: &Value) -> Result<String, NotAnObject> {
    let Value::Object(values) = values else { return Err(NotAnObject) };
    let texts = values.iter().map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        (name.clone(), Value::String(text))
    });
    Ok(Value::Object(texts.collect()).to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn message(channel: Channel) -> Outgoing {
        Outgoing::text(Uuid::nil(), channel, "+15005550006", "+61412345678", "a b&c=é")
    }

    fn pairs(message: &Outgoing) -> Vec<(String, String)> {
        let form = encode(message).expect("encodable");
        form_urlencoded::parse(form.as_bytes()).into_owned().collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_text_with_everything() {
        let message = Outgoing {
            media: vec!["https://a/1".into(), "https://a/2".into()],
            status_callback: Some("https://b/s?mid=1".into()),
            validity_seconds: Some(600),
            messaging_service_sid: Some("MG1".into()),
            ..message(Channel::Sms)
        };
        let expected = [
            pair("To", "+61412345678"),
            pair("From", "+15005550006"),
            pair("MessagingServiceSid", "MG1"),
            pair("Body", "a b&c=é"),
            pair("MediaUrl", "https://a/1"),
            pair("MediaUrl", "https://a/2"),
            pair("StatusCallback", "https://b/s?mid=1"),
            pair("ValidityPeriod", "600"),
        ];
        assert_eq!(pairs(&message), expected);
    }

    #[test]
    fn a_template_replaces_body_and_media_and_its_values_are_text() {
        let message = Outgoing {
            content_sid: Some("HX1".into()),
            content_variables: Some(json!({"1": "Sam", "2": 3})),
            media: vec!["https://a/1".into()],
            ..message(Channel::Whatsapp)
        };
        let expected = [
            pair("To", "whatsapp:+61412345678"),
            pair("From", "whatsapp:+15005550006"),
            pair("ContentSid", "HX1"),
            pair("ContentVariables", r#"{"1":"Sam","2":"3"}"#),
        ];
        assert_eq!(pairs(&message), expected);
        let broken = Outgoing { content_variables: Some(json!(["Sam"])), ..message };
        assert_eq!(encode(&broken), Err(NotAnObject));
    }
}
