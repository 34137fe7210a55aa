//! Custom fields: what a tenant wants to know about its contacts, and which values fit.
//!
//! Values live in `contacts.properties` under the field's key. Keys without a definition are kept as they come:
//! forms and programs may know more than the tenant has named.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{clean, sql};
use crate::{
    app::App,
    audit,
    auth::Caller,
    db::TenantTx,
    error::{Error, FieldErrors, Result},
    web::patch::Patch,
};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum FieldType {
    Text,
    Number,
    /// `YYYY-MM-DD`.
    Date,
    Boolean,
    /// One of `options`.
    Select,
    /// A web address.
    Url,
}

impl FieldType {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 6] = [Self::Text, Self::Number, Self::Date, Self::Boolean, Self::Select, Self::Url];

    /// The word stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Date => "date",
            Self::Boolean => "boolean",
            Self::Select => "select",
            Self::Url => "url",
        }
    }

    /// The word shown.
    pub fn label(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Number => "Number",
            Self::Date => "Date",
            Self::Boolean => "Yes or no",
            Self::Select => "One of a list",
            Self::Url => "Web address",
        }
    }
}

/// A tenant's own field.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CustomField {
    pub id: Uuid,
    /// The key in `properties`; never changes.
    pub key: String,
    pub label: String,
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// What can be chosen; empty unless `type` is `select`.
    pub options: Vec<String>,
    /// Asked for by the form for new contacts. Programs may leave it out.
    pub required: bool,
    pub position: i32,
}

/// What is wanted of a field.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct CustomFieldInput {
    /// Lower-case letters, digits and `_`; made from the label when left out. Only when created.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub key: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub label: Patch<String>,
    /// Only when created.
    #[serde(default, rename = "type")]
    #[schema(value_type = Option<FieldType>)]
    pub field_type: Patch<FieldType>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub options: Patch<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub required: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<i32>)]
    pub position: Patch<i32>,
}

/// Names that templates and the API give to a contact's own columns.
const RESERVED: &[&str] = &[
    "id",
    "name",
    "first_name",
    "last_name",
    "full_name",
    "phone",
    "email",
    "status",
    "stage",
    "source",
    "owner",
    "labels",
    "consent",
    "total",
    "short_url",
    "business_name",
    "owner_name",
    "lead",
    "quote",
    "data",
    "properties",
];
/// More fields than that are a form nobody fills in.
const MOST_FIELDS: usize = 100;
const MOST_OPTIONS: usize = 200;

/// The tenant's fields in their order.
pub async fn list(tx: &mut TenantTx) -> Result<Vec<CustomField>> {
    sql::list_fields(tx).await
}

/// Defines a field.
pub async fn create(app: &App, caller: &Caller, input: CustomFieldInput) -> Result<CustomField> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let existing = list(&mut tx).await?;
    let mut errors = FieldErrors::new();
    let label = checked_label(input.label.as_set(), &mut errors);
    let field_type = match input.field_type {
        Patch::Set(field_type) => field_type,
        Patch::Keep | Patch::Clear => FieldType::Text,
    };
    let key = match input.key.as_set().and_then(|key| clean::line(key)) {
        Some(key) => checked_key(&key, &mut errors),
        None => free_key(&label, &existing),
    };
    let options = checked_options(field_type, input.options.as_set(), &mut errors);
    if existing.iter().any(|field| field.key == key) {
        errors.insert("key".into(), "Another field has this key.".to_owned());
    }
    if existing.len() >= MOST_FIELDS {
        errors.insert("label".into(), format!("There can be at most {MOST_FIELDS} fields."));
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let next = existing.iter().map(|field| field.position).max().map_or(0, |last| last.saturating_add(1));
    let field = CustomField {
        id: app.new_id(),
        key,
        label,
        field_type,
        options,
        required: input.required.or(false, false),
        position: input.position.or(next, next),
    };
    sql::insert_field(&mut tx, &field).await?;
    audit::changed(
        &mut tx,
        caller,
        "custom_field.created",
        field.id,
        &json!({"label": [null, field.label], "type": [null, field.field_type]}),
    )
    .await?;
    tx.commit().await?;
    Ok(field)
}

/// Changes label, options, whether it is required, or its place.
pub async fn update(app: &App, caller: &Caller, id: Uuid, input: CustomFieldInput) -> Result<CustomField> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let mut field = list(&mut tx)
        .await?
        .into_iter()
        .find(|field| field.id == id)
        .ok_or(Error::NotFound("custom field"))?;
    let before = field.clone();
    let mut errors = FieldErrors::new();
    if input.key.as_set().is_some_and(|key| *key != field.key) {
        errors.insert("key".into(), "A field keeps its key, because templates and forms use it.".to_owned());
    }
    if input.field_type.as_set().is_some_and(|kind| *kind != field.field_type) {
        errors.insert("type".into(), "A field keeps its type. Make a new field instead.".to_owned());
    }
    if !input.label.is_keep() {
        field.label = checked_label(input.label.as_set(), &mut errors);
    }
    if !input.options.is_keep() {
        field.options = checked_options(field.field_type, input.options.as_set(), &mut errors);
    }
    field.required = input.required.or(field.required, false);
    field.position = input.position.or(field.position, 0);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    sql::update_field(&mut tx, &field).await?;
    if field != before {
        let changes = json!({"label": [before.label, field.label], "options": [before.options, field.options], "required": [before.required, field.required]});
        audit::changed(&mut tx, caller, "custom_field.updated", field.id, &changes).await?;
    }
    tx.commit().await?;
    Ok(field)
}

/// Puts the fields in the order of `ids`; those not named follow in their former order.
pub async fn reorder(app: &App, caller: &Caller, ids: &[Uuid]) -> Result<Vec<CustomField>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    sql::reorder_fields(&mut tx, ids).await?;
    let fields = list(&mut tx).await?;
    tx.commit().await?;
    Ok(fields)
}

/// Forgets the definition. The values stay in `properties`, shown under their key.
pub async fn delete(app: &App, caller: &Caller, id: Uuid) -> Result<()> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let field = list(&mut tx)
        .await?
        .into_iter()
        .find(|field| field.id == id)
        .ok_or(Error::NotFound("custom field"))?;
    sql::delete_field(&mut tx, id).await?;
    audit::changed(&mut tx, caller, "custom_field.deleted", field.id, &json!({"label": [field.label, null]}))
        .await?;
    tx.commit().await
}

fn checked_label(label: Option<&String>, errors: &mut FieldErrors) -> String {
    match clean::line_within(label.map_or("", String::as_str), 60) {
        Ok(Some(label)) => return label,
        Ok(None) => errors.insert("label".into(), "Give the field a name.".to_owned()),
        Err(words) => errors.insert("label".into(), words),
    };
    String::new()
}

fn checked_key(key: &str, errors: &mut FieldErrors) -> String {
    let mut letters = key.chars();
    let shaped = letters.next().is_some_and(|c| c.is_ascii_lowercase())
        && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && key.len() <= 40;
    if !shaped {
        errors.insert(
            "key".into(),
            "Use up to 40 lower-case letters, digits and _, starting with a letter.".to_owned(),
        );
    } else if RESERVED.contains(&key) {
        errors.insert("key".into(), "Templates use this word for something else.".to_owned());
    }
    key.to_owned()
}

/// A key made of the label that nothing else uses: "Roof area (m²)" is `roof_area_m`.
fn free_key(label: &str, existing: &[CustomField]) -> String {
    let mut base = String::new();
    for c in label.to_lowercase().chars() {
        if c.is_ascii_lowercase() || (c.is_ascii_digit() && !base.is_empty()) {
            base.push(c);
        } else if !base.is_empty() && !base.ends_with('_') {
            base.push('_');
        }
        if base.len() >= 32 {
            break;
        }
    }
    let base = base.trim_end_matches('_');
    let base = if base.is_empty() { "field" } else { base };
    let taken = |key: &str| RESERVED.contains(&key) || existing.iter().any(|field| field.key == key);
    if !taken(base) {
        return base.to_owned();
    }
    (2..).map(|n| format!("{base}_{n}")).find(|key| !taken(key)).expect("numbers do not run out")
}

fn checked_options(
    field_type: FieldType,
    options: Option<&Vec<String>>,
    errors: &mut FieldErrors,
) -> Vec<String> {
    if field_type != FieldType::Select {
        return Vec::new();
    }
    let mut clean: Vec<String> = Vec::new();
    for option in options.into_iter().flatten() {
        match clean::line_within(option, 120) {
            Ok(Some(option)) if !clean.contains(&option) => clean.push(option),
            Ok(_) => {}
            Err(words) => {
                errors.insert("options".into(), words);
            }
        }
    }
    if clean.is_empty() {
        errors.entry("options".into()).or_insert_with(|| "Give at least one choice.".to_owned());
    } else if clean.len() > MOST_OPTIONS {
        errors.insert("options".into(), format!("There can be at most {MOST_OPTIONS} choices."));
    }
    clean
}

/// Brings `value` into the form that a field of this type stores, or says what is wrong. `Ok(None)`: nothing
/// was given.
pub fn fit(field: &CustomField, value: &Value) -> Result<Option<Value>, String> {
    let typed: Cow<'_, str> = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.as_str().into(),
        Value::Number(number) => number.to_string().into(),
        Value::Bool(yes) => if *yes { "true" } else { "false" }.into(),
        Value::Array(_) | Value::Object(_) => return Err("A single value is expected.".to_owned()),
    };
    let typed = match field.field_type {
        FieldType::Text => clean::text(&typed),
        _ => clean::line(&typed),
    };
    let Some(typed) = typed else { return Ok(None) };
    if typed.chars().count() > 2000 {
        return Err("Use at most 2000 characters.".to_owned());
    }
    Ok(Some(match field.field_type {
        FieldType::Text => typed.into(),
        FieldType::Number => number(&typed).ok_or("Write a number such as 12 or 3.5.")?,
        FieldType::Date => typed
            .parse::<chrono::NaiveDate>()
            .map(|date| date.format("%Y-%m-%d").to_string().into())
            .map_err(|_| "Write a date as year-month-day, such as 2026-03-14.")?,
        FieldType::Boolean => match typed.to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => true.into(),
            "false" | "no" | "off" | "0" => false.into(),
            _ => return Err("Write yes or no.".to_owned()),
        },
        FieldType::Select => field
            .options
            .iter()
            .find(|option| option.to_lowercase() == typed.to_lowercase())
            .map(|option| option.as_str().into())
            .ok_or_else(|| format!("Choose one of: {}.", field.options.join(", ")))?,
        FieldType::Url => {
            web_address(&typed).ok_or("Write a web address such as https://example.com.")?.into()
        }
    }))
}

fn number(typed: &str) -> Option<Value> {
    if let Ok(whole) = typed.parse::<i64>() {
        return Some(whole.into());
    }
    let plain = typed.replace([',', ' ', '_'], "");
    plain.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Value::Number)
}

fn web_address(typed: &str) -> Option<String> {
    let lower = typed.to_lowercase();
    let full = if lower.starts_with("http://") || lower.starts_with("https://") {
        typed.to_owned()
    } else if lower.contains("://") || lower.starts_with("javascript:") || lower.starts_with("data:") {
        return None;
    } else {
        format!("https://{typed}")
    };
    let parsed: axum::http::Uri = full.parse().ok()?;
    parsed.host().is_some_and(|host| host.contains('.') && !host.starts_with('.')).then_some(full)
}

/// How large all properties of a contact may be together, as JSON.
const MOST_BYTES: usize = 64 << 10;

/// Applies `given` over `current`: `null` takes a key away, defined fields must fit, unknown keys are kept as they
/// come. Errors are named `properties.<key>`.
pub fn apply(
    fields: &[CustomField],
    current: &mut Map<String, Value>,
    given: Map<String, Value>,
    errors: &mut FieldErrors,
) {
    for (key, value) in given {
        let Some(key) = clean::line(&key).filter(|key| key.chars().count() <= 100) else {
            errors.insert("properties".into(), "A key is empty or longer than 100 characters.".to_owned());
            continue;
        };
        let stored = match fields.iter().find(|field| field.key == key) {
            Some(field) => match fit(field, &value) {
                Ok(stored) => stored,
                Err(words) => {
                    errors.insert(format!("properties.{key}").into(), words);
                    continue;
                }
            },
            None => storable(value, 0),
        };
        match stored {
            Some(value) => current.insert(key, value),
            None => current.remove(&key),
        };
    }
    let size = serde_json::to_string(&*current).map_or(usize::MAX, |text| text.len());
    if size > MOST_BYTES {
        errors.insert("properties".into(), "The custom fields are too large; 64 KB fit.".to_owned());
    }
}

/// Any value without the one character that the database cannot hold; too deep a nesting becomes text.
fn storable(value: Value, depth: usize) -> Option<Value> {
    Some(match value {
        Value::Null => return None,
        Value::String(text) => text.replace('\0', "").into(),
        Value::Array(_) | Value::Object(_) if depth >= 16 => value.to_string().replace("\\u0000", "").into(),
        Value::Array(items) => {
            items.into_iter().map(|item| storable(item, depth + 1).unwrap_or(Value::Null)).collect()
        }
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| {
                    (key.replace('\0', ""), storable(value, depth + 1).unwrap_or(Value::Null))
                })
                .collect(),
        ),
        other => other,
    })
}
