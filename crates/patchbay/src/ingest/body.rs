//! The body of an intake request: JSON or a form, read into fields that are taken out one by one. What nobody takes is
//! the rest.

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use patchbay_rules::money;
use serde_json::{Map, Value};

use crate::{
    error::{Error, FieldErrors, Result},
    web::{extract, nul},
};

/// A lead with everything a form may ask fits many times over.
const MOST_BYTES: usize = 256 << 10;

/// The fields of a request.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, MOST_BYTES).await.map_err(|_| Error::TooLarge)?;
        Self::read(&parts.headers, &bytes)
    }
}

impl Fields {
    /// A form when it says so, JSON otherwise: many a website forgets to say.
    fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Self> {
        let media =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if media.starts_with("application/x-www-form-urlencoded") {
            return Ok(Self(from_form(bytes)));
        }
        if !media.is_empty() && !extract::is_json(headers) && !media.starts_with("text/plain") {
            return Err(Error::MediaType("application/json"));
        }
        match extract::from_json(bytes)? {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(Error::BadRequest("Send one JSON object.".into())),
        }
    }

    /// Takes a field that is not null.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a field as text; numbers are written out.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text).filter(|text| !text.trim().is_empty()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(yes) => Some(yes.to_string()),
            Value::Array(_) | Value::Object(_) | Value::Null => None,
        }
    }

    /// Takes a ticked or unticked box, in the words that forms use.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        match self.text(name)?.trim().to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "checked" | "subscribed" => Some(true),
            "false" | "no" | "off" | "0" | "unsubscribed" => Some(false),
            _ => None,
        }
    }

    /// Takes an object, also one that a form carries as text.
    pub fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        match self.take(name)? {
            Value::Object(object) => Some(object),
            Value::String(text) => serde_json::from_slice(&nul::json(text.as_bytes())).ok(),
            _ => None,
        }
    }

    /// Takes a whole number.
    pub fn whole<T: std::str::FromStr>(&mut self, name: &'static str, errors: &mut FieldErrors) -> Option<T> {
        let text = self.text(name)?;
        match text.trim().parse() {
            Ok(number) => Some(number),
            Err(_) => {
                errors.insert(name.into(), "Write a whole number.".to_owned());
                None
            }
        }
    }

    /// Takes `total_cents`, or else `total` in units of the currency.
    pub fn cents(&mut self, errors: &mut FieldErrors) -> Option<i64> {
        if let Some(cents) = self.whole("total_cents", errors) {
            return Some(cents);
        }
        let text = self.text("total")?;
        let cents = money::parse_cents(&text);
        if cents.is_none() {
            errors.insert("total".into(), "Write an amount such as 1,284.00.".to_owned());
        }
        cents
    }

    /// What nobody took, with a nested `properties` laid open and without what names the tenant, which the key does.
    pub fn rest(mut self) -> Map<String, Value> {
        let inner = self.object("properties").unwrap_or_default();
        self.0.remove("tenant_id");
        for (key, value) in inner {
            self.0.insert(key, value);
        }
        self.0.retain(|_, value| !value.is_null() && value.as_str() != Some(""));
        self.0
    }
}

/// Repeated names make a list, as boxes of one group do.
fn from_form(bytes: &[u8]) -> Map<String, Value> {
    let mut fields: Map<String, Value> = Map::new();
    for (name, value) in form_urlencoded::parse(&nul::form(bytes)) {
        let value = Value::String(value.into_owned());
        match fields.get_mut(name.as_ref()) {
            None => {
                fields.insert(name.into_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(media: &'static str, body: &str) -> Result<Fields> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, media.parse().unwrap())]);
        Fields::read(&headers, body.as_bytes())
    }

    #[test]
    fn forms_and_json_read_alike() {
        let mut form = read(
            "application/x-www-form-urlencoded; charset=utf-8",
            "first_name=Dana+W&ok=on&box=a&box=b&none=",
        )
        .unwrap();
        assert_eq!(form.text("first_name").as_deref(), Some("Dana W"));
        let mut odd = read("application/x-www-form-urlencoded", "a%00=b%00c").unwrap();
        assert_eq!(odd.text("a").as_deref(), Some("bc"));
        assert_eq!(form.flag("ok"), Some(true));
        assert_eq!(Value::Object(form.rest()), serde_json::json!({"box": ["a", "b"]}));
        let mut json = read(
            "application/json",
            r#"{"phone": 61491570006, "x": null, "properties": {"y": 1}, "tenant_id": "t"}"#,
        )
        .unwrap();
        assert_eq!(json.text("phone").as_deref(), Some("61491570006"));
        assert_eq!(Value::Object(json.rest()), serde_json::json!({"y": 1}));
        assert!(matches!(read("application/json", "[1]"), Err(Error::BadRequest(_))));
        assert!(matches!(read("text/xml", "<a/>"), Err(Error::MediaType(_))));
    }

    proptest! {
        #[test]
        fn no_form_is_too_odd(body in any::<Vec<u8>>()) {
            let _ = from_form(&body);
        }
    }
}
