//! What a form or a program says about a contact, checked against the tenant: its country for phones, its stages,
//! members and custom fields. All that is wrong is told at once, at its field.

use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    clean,
    contact::{Contact, NewContact, Status},
    custom_fields::{self, CustomField},
    sql,
    stages::Stage,
};
use crate::{
    db::TenantTx,
    error::{Error, FieldErrors, Result},
    web::patch::Patch,
};

/// Fields of a contact. When one is created everything may be left out but some name or address; in a change an
/// absent field stays as it is and `null` clears it.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct ContactInput {
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 120)]
    pub first_name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 120)]
    pub last_name: Patch<String>,
    /// Both names in one, for writers who know no better; split at the last blank.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
    /// As people write it; local to the business's country unless it names another.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "+61491570006")]
    pub phone: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 254)]
    pub email: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Status>)]
    pub status: Patch<String>,
    /// Id or name of a stage.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub stage: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub stage_id: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub source: Patch<String>,
    /// User id of a member.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub owner_id: Patch<String>,
    /// IANA name, such as Australia/Perth.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub timezone: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 60)]
    pub state: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 20)]
    pub postal: Patch<String>,
    /// ISO 3166 alpha-2.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub country: Patch<String>,
    /// Names. In a change they replace all labels; missing ones are made.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub labels: Patch<Vec<String>>,
    /// Custom fields by key. In a change the named keys are set, `null` removes one.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub properties: Patch<Map<String, Value>>,
    /// `true` archives, `false` restores.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub archived: Patch<bool>,
}

/// What a tenant's contacts may refer to.
pub(super) struct Surroundings {
    pub(super) country: String,
    pub(super) stages: Vec<Stage>,
    pub(super) members: Vec<Member>,
    pub(super) fields: Vec<CustomField>,
}

/// Somebody who may own a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub id: Uuid,
    /// The name, or else the e-mail.
    pub name: String,
}

/// The member with this id.
pub(super) fn member(members: &[Member], id: Uuid) -> Option<&Member> {
    members.iter().find(|member| member.id == id)
}

/// Loads what inputs are checked against.
pub(super) async fn surroundings(tx: &mut TenantTx, country: &str) -> Result<Surroundings> {
    Ok(Surroundings {
        country: country.to_owned(),
        stages: sql::list_stages(tx).await?,
        members: sql::list_members(tx).await?,
        fields: sql::list_fields(tx).await?,
    })
}

/// The contact as it shall be, over what it is.
pub(super) fn apply(input: &ContactInput, around: &Surroundings, current: NewContact) -> Result<NewContact> {
    let mut errors = FieldErrors::new();
    let mut new = current;
    names(input, &mut new, &mut errors);
    addresses(input, around, &mut new, &mut errors);
    places(input, &mut new, &mut errors);
    relations(input, around, &mut new, &mut errors);
    match &input.properties {
        Patch::Keep => {}
        Patch::Clear => new.properties.clear(),
        Patch::Set(given) => {
            custom_fields::apply(&around.fields, &mut new.properties, given.clone(), &mut errors)
        }
    }
    if errors.is_empty()
        && [&new.first_name, &new.last_name, &new.phone, &new.email].iter().all(|known| known.is_none())
    {
        errors.insert(
            "first_name".into(),
            "A contact needs a name, a phone number or an e-mail address.".to_owned(),
        );
    }
    if errors.is_empty() { Ok(new) } else { Err(Error::Invalid(errors)) }
}

/// Sets `target` from `input`, if the input says anything and reads well.
fn set<T>(
    target: &mut Option<T>,
    name: &'static str,
    input: &Patch<String>,
    errors: &mut FieldErrors,
    read: impl FnOnce(&str) -> Result<Option<T>, String>,
) {
    match input {
        Patch::Keep => {}
        Patch::Clear => *target = None,
        Patch::Set(text) => match read(text) {
            Ok(value) => *target = value,
            Err(words) => {
                errors.insert(name.into(), words);
            }
        },
    }
}

fn names(input: &ContactInput, new: &mut NewContact, errors: &mut FieldErrors) {
    set(&mut new.first_name, "first_name", &input.first_name, errors, |text| clean::line_within(text, 120));
    set(&mut new.last_name, "last_name", &input.last_name, errors, |text| clean::line_within(text, 120));
    if let (Patch::Set(name), true, true) =
        (&input.name, input.first_name.is_keep(), input.last_name.is_keep())
    {
        let (first, last) = clean::split_name(name);
        if [&first, &last].into_iter().flatten().any(|part| part.chars().count() > 120) {
            errors.insert("name".into(), "Use at most 120 characters.".to_owned());
        } else {
            (new.first_name, new.last_name) = (first, last);
        }
    }
}

fn addresses(input: &ContactInput, around: &Surroundings, new: &mut NewContact, errors: &mut FieldErrors) {
    set(&mut new.email, "email", &input.email, errors, clean::email);
    let country = match &input.country {
        Patch::Set(country) if is_country(country.trim()) => country.trim().to_uppercase(),
        _ => new.country.clone().unwrap_or_else(|| around.country.clone()),
    };
    let mut phone = new.phone.take().map(|number| (number, new.phone_ext.take()));
    set(&mut phone, "phone", &input.phone, errors, |text| clean::phone(text, &country));
    (new.phone, new.phone_ext) = phone.map_or((None, None), |(number, ext)| (Some(number), ext));
}

fn places(input: &ContactInput, new: &mut NewContact, errors: &mut FieldErrors) {
    set(&mut new.source, "source", &input.source, errors, |text| clean::line_within(text, 200));
    set(&mut new.state, "state", &input.state, errors, |text| clean::line_within(text, 60));
    set(&mut new.postal, "postal", &input.postal, errors, |text| clean::line_within(text, 20));
    set(&mut new.country, "country", &input.country, errors, |text| match clean::line(text) {
        None => Ok(None),
        Some(code) if is_country(&code) => Ok(Some(code.to_uppercase())),
        Some(_) => Err("Write the two letters of the country, such as AU.".to_owned()),
    });
    set(&mut new.timezone, "timezone", &input.timezone, errors, |text| match clean::line(text) {
        None => Ok(None),
        Some(zone) => zone
            .parse::<Tz>()
            .map(|zone| Some(zone.name().to_owned()))
            .map_err(|_| "Choose a time zone such as Australia/Perth.".to_owned()),
    });
}

fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|letter| letter.is_ascii_alphabetic())
}

fn relations(input: &ContactInput, around: &Surroundings, new: &mut NewContact, errors: &mut FieldErrors) {
    let mut status = Some(new.status);
    set(&mut status, "status", &input.status, errors, |word| match clean::line(word) {
        None => Ok(None),
        Some(word) => Status::from_word(&word.to_lowercase())
            .map(Some)
            .ok_or_else(|| "Choose lead, active or inactive.".to_owned()),
    });
    new.status = status.unwrap_or_default();
    let stage = |text: &str| match clean::line(text) {
        None => Ok(None),
        Some(wanted) => around
            .stages
            .iter()
            .find(|stage| {
                stage.id.to_string() == wanted || stage.name.to_lowercase() == wanted.to_lowercase()
            })
            .map(|stage| Some(stage.id))
            .ok_or_else(|| "There is no such stage.".to_owned()),
    };
    set(&mut new.stage_id, "stage", &input.stage, errors, stage);
    set(&mut new.stage_id, "stage_id", &input.stage_id, errors, stage);
    set(&mut new.owner_id, "owner_id", &input.owner_id, errors, |text| match clean::line(text) {
        None => Ok(None),
        Some(wanted) => around
            .members
            .iter()
            .find(|member| member.id.to_string() == wanted)
            .map(|member| Some(member.id))
            .ok_or_else(|| "Choose a member of this business.".to_owned()),
    });
}

impl From<&Contact> for NewContact {
    fn from(contact: &Contact) -> Self {
        Self {
            status: contact.status,
            first_name: contact.first_name.clone(),
            last_name: contact.last_name.clone(),
            phone: contact.phone_e164.clone(),
            phone_ext: contact.phone_ext.clone(),
            email: contact.email.clone(),
            source: contact.source.clone(),
            stage_id: contact.stage_id,
            owner_id: contact.owner_id,
            timezone: contact.timezone.clone(),
            state: contact.state.clone(),
            postal: contact.postal.clone(),
            country: contact.country.clone(),
            properties: contact.properties.as_object().cloned().unwrap_or_default(),
        }
    }
}
