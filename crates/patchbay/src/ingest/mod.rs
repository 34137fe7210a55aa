//! Intake: leads and quotes from websites and programs that hold a key of scope `ingest`.
//!
//! Promises: the same lead twice is one contact, concurrently too; what the program does not know goes to the contact's
//! `properties`, so that no form loses a field; a phone or an e-mail that cannot be understood is told, not swallowed;
//! a refusal that somebody gave is never lifted by a ticked box. Does not: read anything back.

mod api;
mod body;
#[cfg(test)]
mod tests;

use patchbay_rules::{consent::Basis, message::Channel};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub use api::Doc;

use crate::{
    app::App,
    auth::Caller,
    consent,
    contacts::{self, Contact, NewContact, clean, custom_fields},
    db::TenantTx,
    error::{Error, FieldErrors, Result},
    quotes::{self, NewQuote, Quote},
    web::routes::{Access, Routes},
};
use body::Fields;

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes.post("/functions/v1/ingest-lead", Access::Ingest, api::lead).post(
        "/functions/v1/ingest-quote",
        Access::Ingest,
        api::quote,
    )
}

/// Takes a lead in: a new contact, or what was missing of a known one. The flag says whether it is new.
pub async fn take_lead(app: &App, caller: &Caller, mut fields: Fields) -> Result<(Contact, bool)> {
    let lead = Lead::read(&mut fields, &caller.tenant.country, true)?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let outcome = lead.store(&mut tx, app, caller, fields.rest()).await?;
    tx.commit().await?;
    Ok(outcome)
}

/// Takes a quote in, for a lead named by `lead_id` or by its addresses, who is made when unknown.
pub async fn take_quote(app: &App, caller: &Caller, mut fields: Fields) -> Result<Quote> {
    let named = fields.text("lead_id").or_else(|| fields.text("contact_id"));
    let mut errors = FieldErrors::new();
    let mut new = NewQuote {
        title: fields.text("title"),
        data: fields.object("data").unwrap_or_default(),
        total_cents: fields.cents(&mut errors),
        currency: fields.text("currency"),
        terms: fields.text("terms"),
        draft: fields.flag("draft").unwrap_or(false),
        ..NewQuote::default()
    };
    new.tax_basis_points = fields.whole("tax_basis_points", &mut errors).unwrap_or(0);
    new.discount_cents = fields.whole("discount_cents", &mut errors).unwrap_or(0);
    if let Some(day) = fields.text("expires_on") {
        match day.parse() {
            Ok(day) => new.expires_on = Some(day),
            Err(_) => {
                errors.insert(
                    "expires_on".into(),
                    "Write a date as year-month-day, such as 2026-03-14.".to_owned(),
                );
            }
        }
    }
    if let Some(items) = fields.take("items") {
        new.data.insert("items".to_owned(), items);
    }
    let named = named.map(|id| Uuid::parse_str(&id).map_err(|_| no_lead())).transpose()?;
    let lead = match named {
        Some(_) => None,
        None => Some(Lead::read(&mut fields, &caller.tenant.country, false)?),
    };
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    new.contact_id = match (named, lead) {
        (Some(id), _) => contacts::find_kept(&mut tx, id).await?.ok_or_else(no_lead)?.id,
        (None, Some(lead)) => lead.store(&mut tx, app, caller, Map::new()).await?.0.id,
        (None, None) => return Err(no_lead()),
    };
    tx.commit().await?;
    // What nobody asked for serves the templates.
    for (key, value) in fields.rest() {
        new.data.entry(key).or_insert(value);
    }
    quotes::create(app, caller, new).await
}

fn no_lead() -> Error {
    Error::field("lead_id", "There is no such lead.")
}

/// Who a lead is, and what they agreed to.
struct Lead {
    new: NewContact,
    consents: Vec<(Channel, bool)>,
    basis: Basis,
    /// What the person saw when agreeing.
    wording: Option<String>,
    page: Option<String>,
}

impl Lead {
    /// Reads the known fields. With `named`, a name alone makes a lead; a quote needs an address to go to.
    fn read(fields: &mut Fields, country: &str, named: bool) -> Result<Self> {
        let mut errors = FieldErrors::new();
        let mut check = |name: &'static str, read: Result<Option<String>, String>| {
            read.unwrap_or_else(|words| {
                errors.insert(name.into(), words);
                None
            })
        };
        let line = |text: Option<String>, most| text.map_or(Ok(None), |text| clean::line_within(&text, most));
        let (first, last) = (fields.text("first_name"), fields.text("last_name"));
        let name = fields.text("name").or_else(|| fields.text("full_name"));
        let (mut first_name, mut last_name) =
            (check("first_name", line(first, 120)), check("last_name", line(last, 120)));
        if let (None, None, Some(name)) = (&first_name, &last_name, name) {
            (first_name, last_name) = match clean::split_name(&name) {
                (Some(first), last)
                    if first.chars().count() <= 120
                        && last.as_ref().is_none_or(|last| last.chars().count() <= 120) =>
                {
                    (Some(first), last)
                }
                (None, _) => (None, None),
                _ => (check("name", Err("Use at most 120 characters.".to_owned())), None),
            };
        }
        let email = check("email", fields.text("email").map_or(Ok(None), |text| clean::email(&text)));
        let source = check("source", line(fields.text("source"), 200));
        let phone = fields.text("phone").map_or(Ok(None), |text| clean::phone(&text, country));
        let phone = phone.unwrap_or_else(|words| {
            errors.insert("phone".into(), words);
            None
        });
        let given = fields.text("consent_basis");
        let basis = check_basis(given.as_deref(), &mut errors);
        let known = if named { first_name.is_some() || last_name.is_some() } else { false };
        if errors.is_empty() && phone.is_none() && email.is_none() && !known {
            errors.insert("phone".into(), "A phone number or an e-mail address is needed.".to_owned());
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        let (phone, phone_ext) = phone.map_or((None, None), |(number, ext)| (Some(number), ext));
        let consents = [
            (Channel::Sms, "consent_sms"),
            (Channel::Whatsapp, "consent_whatsapp"),
            (Channel::Email, "consent_email"),
        ]
        .into_iter()
        .filter_map(|(channel, field)| fields.flag(field).map(|agreed| (channel, agreed)))
        .collect();
        let new =
            NewContact { first_name, last_name, phone, phone_ext, email, source, ..NewContact::default() };
        let wording = fields.text("consent_wording");
        // Express is what can be shown to have been agreed to; without the words there is an enquiry to show.
        let basis = basis.unwrap_or(if wording.is_some() { Basis::Express } else { Basis::Enquiry });
        Ok(Self { new, consents, basis, wording, page: fields.text("page_url") })
    }

    /// Writes the lead, with everything else that came along as properties.
    async fn store(
        mut self,
        tx: &mut TenantTx,
        app: &App,
        caller: &Caller,
        rest: Map<String, Value>,
    ) -> Result<(Contact, bool)> {
        let fields = custom_fields::list(tx).await?;
        self.new.properties = properties(&fields, rest)?;
        let (contact, created) = contacts::upsert(tx, app, self.new.clone()).await?;
        for (channel, agreed) in &self.consents {
            self.note_consent(tx, app, caller, *channel, *agreed).await?;
        }
        Ok(if self.consents.is_empty() {
            (contact, created)
        } else {
            (contacts::get(tx, contact.id).await?, created)
        })
    }

    async fn note_consent(
        &self,
        tx: &mut TenantTx,
        app: &App,
        caller: &Caller,
        channel: Channel,
        agreed: bool,
    ) -> Result<()> {
        let address = if channel == Channel::Email { &self.new.email } else { &self.new.phone };
        let Some(address) = address else { return Ok(()) };
        let current = consent::state(tx, channel, address).await?;
        if agreed && current == consent::State::Unsubscribed {
            return Ok(()); // only the person lifts it, by START, or a member by hand
        }
        let state = if agreed { consent::State::Subscribed } else { consent::State::Unsubscribed };
        let mut change = consent::Change::new(channel, address, state, "form", app.now());
        change.basis = self.basis;
        change.source = self.new.source.as_deref();
        change.wording = self.wording.as_deref();
        change.evidence = json!({"page": self.page});
        change.actor_label = Some(&caller.actor.label);
        consent::set(tx, &change).await?;
        Ok(())
    }
}

fn check_basis(given: Option<&str>, errors: &mut FieldErrors) -> Option<Basis> {
    let read = consent::read_basis("consent_basis", given);
    read.unwrap_or_else(|error| {
        if let Error::Invalid(wrong) = error {
            errors.extend(wrong);
        }
        None
    })
}

/// Everything else that came along. Values that fit a defined field are stored in its form, others as they came: a
/// lead is not turned away because of a shoe size.
fn properties(fields: &[custom_fields::CustomField], rest: Map<String, Value>) -> Result<Map<String, Value>> {
    let mut properties = Map::new();
    for (key, value) in rest {
        let fitted = fields
            .iter()
            .find(|field| field.key == key)
            .and_then(|field| custom_fields::fit(field, &value).ok())
            .flatten();
        properties.insert(key, fitted.unwrap_or(value));
    }
    let mut errors = FieldErrors::new();
    let mut kept = Map::new();
    custom_fields::apply(&[], &mut kept, properties, &mut errors);
    if errors.is_empty() { Ok(kept) } else { Err(Error::Invalid(errors)) }
}
