//! The form for a new contact and for one that is there: all fields, the tenant's own by their definitions.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{view::EditPage, words};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::{
        self, Contact, ContactInput, Status,
        custom_fields::{CustomField, FieldType},
        input::Surroundings,
        properties, surroundings,
    },
    error::{Error, FieldErrors, Result},
    tenants::places,
    web::{
        extract::{Path, RawForm},
        fields::{Choice, Field, NOT_SAVED},
        layout::Place,
        notice,
        pages::html_form,
        patch::Patch,
        shell::shell,
    },
};

/// The form as it was typed.
#[derive(Debug, Default, Clone)]
struct Typed(BTreeMap<String, String>);

/// Text fields of the form, which the API knows by the same names.
const FIELDS: [&str; 12] = [
    "first_name",
    "last_name",
    "phone",
    "email",
    "status",
    "stage_id",
    "owner_id",
    "source",
    "timezone",
    "state",
    "postal",
    "country",
];

impl Typed {
    fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    fn of(contact: &Contact) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        let phone = match (&contact.phone_e164, &contact.phone_ext) {
            (Some(e164), Some(ext)) => format!("{e164} ext. {ext}"),
            (Some(e164), None) => e164.clone(),
            (None, _) => text(&contact.phone_raw),
        };
        let mut typed: BTreeMap<String, String> = [
            ("first_name", text(&contact.first_name)),
            ("last_name", text(&contact.last_name)),
            ("phone", phone),
            ("email", text(&contact.email)),
            ("status", contact.status.as_str().to_owned()),
            ("stage_id", id(contact.stage_id)),
            ("owner_id", id(contact.owner_id)),
            ("source", text(&contact.source)),
            ("timezone", text(&contact.timezone)),
            ("state", text(&contact.state)),
            ("postal", text(&contact.postal)),
            ("country", text(&contact.country)),
            ("labels", contact.labels.join(", ")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for (key, value) in contact.properties.as_object().into_iter().flatten() {
            let value = match value {
                Value::Bool(yes) => yes.to_string(),
                other => properties::shown(other).unwrap_or_default(),
            };
            typed.insert(format!("properties.{key}"), value);
        }
        Self(typed)
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// What it asks for. A field that the form did not hold stays as it is.
    fn input(&self, fields: &[CustomField]) -> ContactInput {
        let text = |name: &str| self.0.get(name).map_or(Patch::Keep, |value| Patch::Set(value.clone()));
        let [
            first_name,
            last_name,
            phone,
            email,
            status,
            stage_id,
            owner_id,
            source,
            timezone,
            state,
            postal,
            country,
        ] = FIELDS.map(text);
        let properties: Map<String, Value> = fields
            .iter()
            .filter_map(|field| {
                let value = self.0.get(&format!("properties.{}", field.key))?;
                Some((field.key.clone(), value.as_str().into()))
            })
            .collect();
        let labels = self.0.get("labels").map_or(Patch::Keep, |labels| {
            Patch::Set(labels.split(',').map(|label| label.trim().to_owned()).collect())
        });
        ContactInput {
            first_name,
            last_name,
            phone,
            email,
            status,
            stage_id,
            owner_id,
            source,
            timezone,
            state,
            postal,
            country,
            labels,
            properties: Patch::Set(properties),
            ..ContactInput::default()
        }
    }

    /// Fields that this business asks for when a contact is made by hand.
    fn missing(&self, fields: &[CustomField]) -> FieldErrors {
        let names =
            fields.iter().filter(|field| field.required).map(|field| format!("properties.{}", field.key));
        names
            .filter(|name| self.get(name).trim().is_empty())
            .map(|name| (name.into(), "This is needed.".to_owned()))
            .collect()
    }
}

/// `GET /contacts/new`.
pub(super) async fn new(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    let around = around(&app, &caller).await?;
    let mut typed = Typed::default();
    typed.0.insert("status".to_owned(), Status::Lead.as_str().to_owned());
    if let Some(me) = caller.actor.user_id() {
        typed.0.insert("owner_id".to_owned(), me.to_string());
    }
    form(&app, &session, &around, None, &typed, Complaint::default()).await
}

/// `POST /contacts`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    RawForm(body): RawForm,
) -> Result<Response> {
    let around = around(&app, &caller).await?;
    let typed = Typed::read(&body);
    let mut missing = typed.missing(&around.fields);
    let made = if missing.is_empty() {
        contacts::create(&app, &caller, &typed.input(&around.fields)).await
    } else {
        Err(Error::Invalid(std::mem::take(&mut missing)))
    };
    match made {
        Ok(contact) => {
            let said = format!("Added {}", words::name(&caller, &contact));
            Ok(notice::redirect(&app, &format!("/contacts/{}", contact.id), &said))
        }
        Err(error) => {
            let complaint = Complaint::of(&app, &caller, error).await?;
            form(&app, &session, &around, None, &typed, complaint).await
        }
    }
}

/// `GET /contacts/{id}/edit`.
pub(super) async fn edit(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let contact = contact(&app, &caller, id).await?;
    let around = around(&app, &caller).await?;
    let typed = Typed::of(&contact);
    form(&app, &session, &around, Some((&caller, &contact)), &typed, Complaint::default()).await
}

/// `POST /contacts/{id}`.
pub(super) async fn save(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    RawForm(body): RawForm,
) -> Result<Response> {
    let contact = contact(&app, &caller, id).await?;
    let around = around(&app, &caller).await?;
    let typed = Typed::read(&body);
    match contacts::update(&app, &caller, id, &typed.input(&around.fields)).await {
        Ok(_) => Ok(notice::redirect(&app, &format!("/contacts/{id}"), "Contact saved")),
        Err(error) => {
            let complaint = Complaint::of(&app, &caller, error).await?;
            form(&app, &session, &around, Some((&caller, &contact)), &typed, complaint).await
        }
    }
}

async fn contact(app: &App, caller: &Caller, id: Uuid) -> Result<Contact> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    contacts::get(&mut tx, id).await
}

async fn around(app: &App, caller: &Caller) -> Result<Surroundings> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    surroundings(&mut tx, &caller.tenant.country).await
}

/// What is wrong with what was typed.
#[derive(Default)]
struct Complaint {
    errors: FieldErrors,
    /// Whose number it is: name and page.
    existing: Option<(String, String)>,
}

impl Complaint {
    /// What can be mended in the form; anything else stays an error.
    async fn of(app: &App, caller: &Caller, error: Error) -> Result<Self> {
        match error {
            Error::Invalid(errors) => Ok(Self { errors, existing: None }),
            Error::Conflict { detail, existing_id: Some(other) } => {
                let other = contact(app, caller, other).await?;
                let archived = if other.archived_at.is_some() { " (archived)" } else { "" };
                let name = format!("{}{archived}", words::name(caller, &other));
                let errors = FieldErrors::from([("phone".into(), detail.into_owned())]);
                Ok(Self { errors, existing: Some((name, format!("/contacts/{}", other.id))) })
            }
            other => Err(other),
        }
    }
}

async fn form(
    app: &App,
    session: &Session,
    around: &Surroundings,
    existing: Option<(&Caller, &Contact)>,
    typed: &Typed,
    complaint: Complaint,
) -> Result<Response> {
    let Complaint { errors, existing: holder } = complaint;
    let heading =
        existing.map_or_else(|| "New contact".to_owned(), |(caller, contact)| words::name(caller, contact));
    let dress = |field: Field| {
        let error = errors.get(field.name.as_ref()).cloned().unwrap_or_default();
        let value = typed.get(&field.name).to_owned();
        field.value(value).error(error)
    };
    let path =
        existing.map_or_else(|| "/contacts".to_owned(), |(_, contact)| format!("/contacts/{}", contact.id));
    let page = EditPage {
        error: if errors.is_empty() { String::new() } else { NOT_SAVED.to_owned() },
        existing: holder,
        who: vec![
            dress(Field::text("first_name", "First name").autofocus()),
            dress(Field::text("last_name", "Last name")),
            dress(
                Field::tel("phone", "Phone")
                    .autocomplete("off")
                    .hint("As it is written where you are, or with + and the country."),
            ),
            dress(Field::email("email", "E-mail").autocomplete("off")),
        ],
        work: work(around, typed, existing.is_none()).into_iter().map(dress).collect(),
        labels: dress(Field::text("labels", "Labels").hint("With commas between. New ones are made.")),
        place: where_(typed).into_iter().map(dress).collect(),
        custom: around.fields.iter().map(|field| dress(custom(field, typed))).collect(),
        is_new: existing.is_none(),
        action: path.clone(),
        back: path,
        shell: shell(app, session, Place::Contacts, &heading).await?,
        heading,
    };
    html_form(&errors, &page)
}

/// Where the business has come with the contact.
fn work(around: &Surroundings, typed: &Typed, is_new: bool) -> Vec<Field> {
    let choice = |name: &str, value: String, label: &str| {
        let chosen = typed.get(name) == value;
        Choice::new(value, label, chosen)
    };
    let statuses =
        Status::ALL.map(|status| choice("status", status.as_str().to_owned(), words::status(status)));
    // A new contact stands in the first stage unless told otherwise.
    let nowhere = (!is_new).then(|| choice("stage_id", String::new(), "None"));
    let stages = around.stages.iter().map(|stage| choice("stage_id", stage.id.to_string(), &stage.name));
    let members = around.members.iter().map(|member| choice("owner_id", member.id.to_string(), &member.name));
    let nobody = choice("owner_id", String::new(), "Nobody");
    vec![
        Field::select("status", "Status", statuses.into()).required(),
        Field::select("stage_id", "Stage", nowhere.into_iter().chain(stages).collect()).required(),
        Field::select("owner_id", "Owner", std::iter::once(nobody).chain(members).collect()).required(),
        Field::text("source", "Source").placeholder("Web form, referral, phone"),
    ]
}

fn where_(typed: &Typed) -> Vec<Field> {
    let unknown = |name: &str| Choice::new("", "Unknown", typed.get(name).is_empty());
    let country = typed.get("country");
    let countries =
        places::PLACES.iter().map(|place| Choice::new(place.code, place.name, place.code == country)).chain(
            (!country.is_empty() && places::PLACES.iter().all(|place| place.code != country))
                .then(|| Choice::new(country, country, true)),
        );
    vec![
        Field::text("state", "State or region"),
        Field::text("postal", "Postal code"),
        Field::select("country", "Country", std::iter::once(unknown("country")).chain(countries).collect()),
        Field::select(
            "timezone",
            "Time zone",
            std::iter::once(unknown("timezone")).chain(places::zones(typed.get("timezone"))).collect(),
        )
        .hint("Quiet hours follow it. Unknown: it is worked out from the number."),
    ]
}

fn custom(field: &CustomField, typed: &Typed) -> Field {
    let name = format!("properties.{}", field.key);
    let value = typed.get(&name).to_owned();
    let choices = |all: Vec<(String, String)>| {
        let nothing = Choice::new("", "", value.is_empty());
        let unlisted = (!value.is_empty() && all.iter().all(|(other, _)| *other != value))
            .then(|| Choice::new(value.clone(), value.clone(), true));
        std::iter::once(nothing)
            .chain(all.into_iter().map(|(other, word)| Choice::new(other.clone(), word, other == value)))
            .chain(unlisted)
            .collect()
    };
    let label = field.label.clone();
    let made = match field.field_type {
        FieldType::Text => Field::text(name, label),
        FieldType::Number => Field::text(name, label),
        FieldType::Date => Field::input(name, "date", label),
        FieldType::Url => Field::input(name, "url", label).placeholder("https://"),
        FieldType::Boolean => {
            let yes_no = [("true", "Yes"), ("false", "No")];
            Field::select(
                name,
                label,
                choices(yes_no.map(|(value, word)| (value.to_owned(), word.to_owned())).into()),
            )
        }
        FieldType::Select => Field::select(
            name,
            label,
            choices(field.options.iter().map(|word| (word.clone(), word.clone())).collect()),
        ),
    };
    if field.required { made.required() } else { made }
}
