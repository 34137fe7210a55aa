//! From the cells of a row to what it says about a contact, or the reason why it cannot be taken.

mod labels;
#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_rules::{
    consent::{Basis, Term},
    message::Channel,
    phone, zones,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use self::labels::Labels;
use super::{
    file::Cells,
    mapping::{Field, Plan},
};
use crate::{
    consent::State,
    contacts::{
        Status, clean,
        custom_fields::{self, CustomField},
    },
};

/// What a row says. Empty cells say nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    pub phone: Option<String>,
    pub phone_ext: Option<String>,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub status: Option<Status>,
    pub stage_id: Option<Uuid>,
    pub source: Option<String>,
    pub timezone: Option<String>,
    pub state: Option<String>,
    pub postal: Option<String>,
    pub country: Option<String>,
    pub properties: Map<String, Value>,
    /// Places in [`Reader::labels`].
    pub labels: Vec<usize>,
    pub consents: Vec<(Channel, State)>,
    pub consent_basis: Option<Basis>,
    /// What the agreements rest on, and when they end by themselves.
    pub consent_term: Option<Term>,
    pub consent_source: Option<String>,
    pub consent_wording: Option<String>,
    pub consent_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}
/// Reads the rows of one file.
pub struct Reader {
    plan: Arc<Plan>,
    country: String,
    stages: Vec<(Uuid, String)>,
    fields: Vec<CustomField>,
    now: DateTime<Utc>,
    /// The plan's come first.
    labels: Labels,
    everywhere: usize,
}

impl Reader {
    /// A reader for a file with this plan, in the surroundings of one tenant.
    pub fn new(
        plan: Arc<Plan>,
        country: &str,
        stages: Vec<(Uuid, String)>,
        fields: Vec<CustomField>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut labels = Labels::default();
        for label in plan.labels.iter().filter_map(|label| clean::line(label)) {
            labels.place(label);
        }
        let everywhere = labels.names().len();
        Self { plan, country: country.to_owned(), stages, fields, now, labels, everywhere }
    }

    /// The labels known so far.
    pub fn labels(&self) -> &[String] {
        self.labels.names()
    }

    /// What the row says, or in one sentence why it cannot be taken.
    pub fn read(&mut self, cells: &Cells) -> Result<Row, String> {
        let mut row = Row { labels: (0..self.everywhere).collect(), ..Row::default() };
        let plan = self.plan.clone();
        let country = self.country_of(cells, &plan)?;
        for (cell, field) in cells.iter().zip(&plan.fields) {
            let Some(field) = field else { continue };
            if cell.contains('\u{FFFD}') {
                return Err(format!(
                    "{}: holds characters that cannot be read; choose another encoding.",
                    name(field)
                ));
            }
            if cell.trim().is_empty() {
                continue;
            }
            self.cell(field, cell, &country, &mut row)
                .map_err(|words| format!("{}: {words}", name(field)))?;
        }
        if cells.len() > plan.fields.len()
            && cells.iter().skip(plan.fields.len()).any(|cell| !cell.trim().is_empty())
        {
            return Err(format!("The row has {} cells, the header {}.", cells.len(), plan.fields.len()));
        }
        if row.phone.is_none() && row.email.is_none() {
            return Err("The row has neither a phone number nor an e-mail address.".to_owned());
        }
        self.claim(&plan, &mut row);
        row.consent_term = (!row.consents.is_empty()).then(|| self.term(&row));
        Ok(row)
    }

    /// Whoever the row means is where it or the number says, or else where the business is.
    fn term(&self, row: &Row) -> Term {
        let mut countries: Vec<&str> = row.country.as_deref().into_iter().collect();
        countries.extend(row.phone.as_deref().map(zones::countries_of).unwrap_or_default());
        if countries.is_empty() {
            countries.push(&self.country);
        }
        Term::new(row.consent_basis.unwrap_or(Basis::Express), row.consent_at.unwrap_or(self.now), &countries)
    }

    /// The country to which a number in this row is local.
    fn country_of(&self, cells: &Cells, plan: &Plan) -> Result<String, String> {
        let place = plan.fields.iter().position(|field| *field == Some(Field::Country));
        match place.and_then(|place| cells.get(place)).and_then(clean::line) {
            Some(word) => {
                words::country(&word).ok_or_else(|| "Country: write its two letters, such as AU.".to_owned())
            }
            None => Ok(self.country.clone()),
        }
    }

    fn cell(&mut self, field: &Field, cell: &str, home: &str, row: &mut Row) -> Result<(), String> {
        match field {
            Field::Phone | Field::DoNotContact => {
                let read = phone::parse(cell, Some(home)).map_err(|error| format!("{error}."))?;
                (row.phone, row.phone_ext) = (Some(read.e164), read.ext);
            }
            Field::Email => row.email = clean::email(cell)?,
            Field::FirstName => row.first_name = clean::line_within(cell, 120)?,
            Field::LastName => row.last_name = clean::line_within(cell, 120)?,
            Field::Name => {
                let (first, last) = clean::split_name(cell);
                if [&first, &last].into_iter().flatten().any(|part| part.chars().count() > 120) {
                    return Err("Use at most 120 characters.".to_owned());
                }
                row.first_name = row.first_name.take().or(first);
                row.last_name = row.last_name.take().or(last);
            }
            Field::Status => {
                let word = clean::line(cell).unwrap_or_default().to_lowercase();
                row.status = Some(Status::from_word(&word).ok_or("Write lead, active or inactive.")?);
            }
            Field::Stage => {
                let word = clean::line(cell).unwrap_or_default().to_lowercase();
                let found = self.stages.iter().find(|(_, name)| name.to_lowercase() == word);
                row.stage_id = Some(found.ok_or("There is no such stage.")?.0);
            }
            Field::Source => row.source = clean::line_within(cell, 200)?,
            Field::Timezone => {
                let zone =
                    cell.trim().parse::<Tz>().map_err(|_| "Write a time zone such as Australia/Perth.")?;
                row.timezone = Some(zone.name().to_owned());
            }
            Field::State => row.state = clean::line_within(cell, 60)?,
            Field::Postal => row.postal = clean::line_within(cell, 20)?,
            Field::Country => row.country = Some(home.to_owned()),
            Field::Labels => self.labels.read(cell, &mut row.labels)?,
            Field::Property(key) => self.property(key, cell, row)?,
            Field::Consent(channel) => row.consents.push((*channel, words::agreement(cell)?)),
            Field::ConsentBasis => row.consent_basis = Some(words::basis(cell)?),
            Field::ConsentSource => row.consent_source = clean::line_within(cell, 2000)?,
            Field::ConsentWording => row.consent_wording = clean::line_within(cell, 2000)?,
            Field::ConsentAt => {
                let at = words::instant(cell).ok_or("Write a date as year-month-day, such as 2026-03-14.")?;
                if at > self.now {
                    return Err("Consent cannot have been given in the future.".to_owned());
                }
                row.consent_at = Some(at);
            }
            Field::Reason => row.reason = clean::line_within(cell, 500)?,
        }
        Ok(())
    }

    fn property(&self, key: &str, cell: &str, row: &mut Row) -> Result<(), String> {
        let value = match self.fields.iter().find(|field| field.key == key) {
            Some(field) => custom_fields::fit(field, &Value::String(cell.to_owned()))?,
            None => {
                let text = clean::text(cell);
                if text.as_ref().is_some_and(|text| text.chars().count() > 2000) {
                    return Err("Use at most 2000 characters.".to_owned());
                }
                text.map(Value::String)
            }
        };
        if let Some(value) = value {
            row.properties.insert(key.to_owned(), value);
        }
        Ok(())
    }

    /// What the whole file claims, where the row does not speak for itself.
    fn claim(&self, plan: &Plan, row: &mut Row) {
        let Some(claim) = &plan.consent else { return };
        row.consent_basis = row.consent_basis.or(Some(claim.basis));
        row.consent_source = row.consent_source.take().or_else(|| claim.source.clone());
        row.consent_wording = row.consent_wording.take().or_else(|| claim.wording.clone());
        row.consent_at = row.consent_at.or(claim.at);
        if !plan.fields.contains(&Some(Field::Consent(claim.channel))) {
            row.consents.push((claim.channel, State::Subscribed));
        }
    }
}

fn name(field: &Field) -> &str {
    let word = match field {
        Field::Phone => "phone",
        Field::Email => "email",
        Field::FirstName => "first_name",
        Field::LastName => "last_name",
        Field::Name => "name",
        Field::Status => "status",
        Field::Stage => "stage",
        Field::Source => "source",
        Field::Timezone => "timezone",
        Field::State => "state",
        Field::Postal => "postal",
        Field::Country => "country",
        Field::Labels => "labels",
        Field::Property(key) => return key,
        Field::Consent(Channel::Sms) => "consent.sms",
        Field::Consent(Channel::Whatsapp) => "consent.whatsapp",
        Field::Consent(Channel::Email) => "consent.email",
        Field::ConsentBasis => "consent.basis",
        Field::ConsentSource => "consent.source",
        Field::ConsentWording => "consent.wording",
        Field::ConsentAt => "consent.at",
        Field::DoNotContact => "phone",
        Field::Reason => "reason",
    };
    Field::OFFERED.iter().find(|(other, _)| *other == word).map_or(word, |(_, label)| label)
}
