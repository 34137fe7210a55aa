//! From the cells of a row to what it says about a contact, or the reason why it cannot be taken.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use patchbay_rules::{
    consent::{Basis, Term},
    message::Channel,
    phone, zones,
};
use serde_json::{Map, Value};
use uuid::Uuid;

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

/// Rows of one file may carry so many different labels; more are a column that holds something else.
const MOST_LABELS: usize = 200;

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
    /// All labels that rows carry, in the order they turned up; the plan's come first.
    labels: Vec<String>,
    label_places: HashMap<String, usize>,
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
        let mut reader = Self {
            country: country.to_owned(),
            stages,
            fields,
            now,
            labels: Vec::new(),
            label_places: HashMap::new(),
            everywhere: 0,
            plan: plan.clone(),
        };
        for label in plan.labels.iter().filter_map(|label| clean::line(label)) {
            reader.label(label);
        }
        reader.everywhere = reader.labels.len();
        reader
    }

    /// The labels known so far.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    fn label(&mut self, name: String) -> usize {
        let next = self.labels.len();
        let place = *self.label_places.entry(name.to_lowercase()).or_insert(next);
        if place == next {
            self.labels.push(name);
        }
        place
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
                country(&word).ok_or_else(|| "Country: write its two letters, such as AU.".to_owned())
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
            Field::Labels => self.labels_of(cell, row)?,
            Field::Property(key) => self.property(key, cell, row)?,
            Field::Consent(channel) => row.consents.push((*channel, agreement(cell)?)),
            Field::ConsentBasis => row.consent_basis = Some(basis(cell)?),
            Field::ConsentSource => row.consent_source = clean::line_within(cell, 2000)?,
            Field::ConsentWording => row.consent_wording = clean::line_within(cell, 2000)?,
            Field::ConsentAt => {
                let at = instant(cell).ok_or("Write a date as year-month-day, such as 2026-03-14.")?;
                if at > self.now {
                    return Err("Consent cannot have been given in the future.".to_owned());
                }
                row.consent_at = Some(at);
            }
            Field::Reason => row.reason = clean::line_within(cell, 500)?,
        }
        Ok(())
    }

    fn labels_of(&mut self, cell: &str, row: &mut Row) -> Result<(), String> {
        for part in cell.split([',', ';', '|']) {
            let Some(name) = clean::line_within(part, 60)? else { continue };
            if self.labels.len() >= MOST_LABELS && !self.label_places.contains_key(&name.to_lowercase()) {
                return Err(format!("The file holds more than {MOST_LABELS} different labels."));
            }
            let place = self.label(name);
            if !row.labels.contains(&place) {
                row.labels.push(place);
            }
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

/// Two letters, or the name of a country that many lists hold.
fn country(word: &str) -> Option<String> {
    if word.len() == 2 && word.bytes().all(|letter| letter.is_ascii_alphabetic()) {
        return Some(word.to_uppercase());
    }
    const NAMES: [(&str, &str); 12] = [
        ("australia", "AU"),
        ("new zealand", "NZ"),
        ("united states", "US"),
        ("united states of america", "US"),
        ("usa", "US"),
        ("canada", "CA"),
        ("united kingdom", "GB"),
        ("great britain", "GB"),
        ("ireland", "IE"),
        ("germany", "DE"),
        ("el salvador", "SV"),
        ("aus", "AU"),
    ];
    let word = word.to_lowercase();
    NAMES.iter().find(|(name, _)| *name == word).map(|(_, code)| (*code).to_owned())
}

/// Yes or no, as lists write it.
fn agreement(cell: &str) -> Result<State, String> {
    let word = clean::line(cell).unwrap_or_default().to_lowercase();
    match word.as_str() {
        "yes" | "y" | "true" | "t" | "1" | "x" | "on" | "✓" | "✔" | "subscribed" | "opted in"
        | "opted-in" | "opt-in" | "opt in" | "optin" | "agreed" | "granted" | "ja" | "si" | "sí" | "oui" => {
            Ok(State::Subscribed)
        }
        "no" | "n" | "false" | "f" | "0" | "off" | "unsubscribed" | "opted out" | "opted-out" | "opt-out"
        | "opt out" | "optout" | "stop" | "declined" | "refused" | "revoked" | "nein" | "non" => {
            Ok(State::Unsubscribed)
        }
        "unknown" | "-" | "?" => Ok(State::Unknown),
        _ => Err("Write yes or no.".to_owned()),
    }
}

/// What an agreement rests on, as lists write it.
fn basis(cell: &str) -> Result<Basis, String> {
    let word = clean::line(cell).unwrap_or_default().to_lowercase();
    match word.as_str() {
        "express" | "explicit" | "opt-in" | "optin" => Ok(Basis::Express),
        "enquiry" | "inquiry" | "enquired" | "lead" | "quote request" => Ok(Basis::Enquiry),
        "purchase" | "customer" | "bought" | "sale" | "order" => Ok(Basis::Purchase),
        _ => Err("Write express, enquiry or purchase.".to_owned()),
    }
}

/// A day or an instant; without a zone it is in UTC. Days as 14/03/2026 could be read in two ways and are not.
fn instant(cell: &str) -> Option<DateTime<Utc>> {
    let text = cell.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    for shape in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, shape) {
            return Some(at.and_utc());
        }
    }
    ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %b %Y", "%d %B %Y"]
        .iter()
        .find_map(|shape| NaiveDate::parse_from_str(text, shape).ok())
        .and_then(|day| Some(day.and_hms_opt(0, 0, 0)?.and_utc()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::imports::mapping::Mapping;

    fn reader(pairs: &[(&str, &str)]) -> Reader {
        let headings: Vec<String> = pairs.iter().map(|(heading, _)| (*heading).to_owned()).collect();
        let columns =
            pairs.iter().map(|(name, field)| ((*name).to_owned(), Some((*field).to_owned()))).collect();
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        let mapping = Mapping { columns, labels: vec!["Fair".to_owned()], ..Mapping::default() };
        Reader::new(Arc::new(mapping.plan(&headings, now).unwrap()), "AU", Vec::new(), Vec::new(), now)
    }

    fn cells(cells: &[&str]) -> Cells {
        cells.iter().collect()
    }

    #[test]
    fn what_spreadsheets_do_to_numbers_is_undone_or_told() {
        let mut reader = reader(&[("Mobile", "phone")]);
        for written in
            ["412345678", "412345678.0", "'0412345678", "=\"0412345678\"", "61412345678", "6.1412345678E+10"]
        {
            let row = reader.read(&cells(&[written])).unwrap_or_else(|words| panic!("{written}: {words}"));
            assert_eq!(row.phone.as_deref(), Some("+61412345678"), "{written}");
        }
        let words = reader.read(&cells(&["6.1412E+10"])).unwrap_err();
        assert!(words.contains("rounded") && words.contains("format the column as text"), "{words}");
    }

    #[test]
    fn rows_are_read_or_refused_with_a_reason() {
        let mut reader = reader(&[
            ("Name", "name"),
            ("Mobile", "phone"),
            ("Mail", "email"),
            ("Tags", "labels"),
            ("OK", "consent.sms"),
            ("When", "consent.at"),
        ]);
        let row = reader
            .read(&cells(&["Dana Whitfield", "0412 345 678", "", "Roof; gutter", "Yes", "2026-03-14"]))
            .unwrap();
        assert_eq!((row.first_name.as_deref(), row.last_name.as_deref()), (Some("Dana"), Some("Whitfield")));
        assert_eq!(row.consents, [(Channel::Sms, State::Subscribed)]);
        assert_eq!(row.consent_term, Some(Term::EXPRESS));
        assert_eq!(row.labels, [0, 1, 2]);
        assert_eq!(reader.labels(), ["Fair", "Roof", "gutter"]);
        for (given, part) in [
            (["Dana", "", "", "", "", ""], "neither a phone number nor"),
            (["Dana", "12", "", "", "", ""], "Phone:"),
            (["Dana", "", "dana@", "", "", ""], "E-mail:"),
            (["Dana", "0412345678", "", "", "maybe", ""], "yes or no"),
            (["Dana", "0412345678", "", "", "yes", "2030-01-01"], "future"),
            (["D\u{FFFD}na", "0412345678", "", "", "", ""], "encoding"),
        ] {
            let words = reader.read(&cells(&given)).unwrap_err();
            assert!(words.contains(part), "{words}");
        }
        assert!(
            reader
                .read(&cells(&["", "0412345678", "", "", "", "", "extra"]))
                .unwrap_err()
                .contains("7 cells")
        );
        assert!(reader.read(&cells(&["", "0412345678"])).is_ok());
    }

    #[test]
    fn what_rests_on_an_enquiry_ends_in_canada() {
        let fields =
            [("Mobile", "phone"), ("OK", "consent.sms"), ("Why", "consent.basis"), ("When", "consent.at")];
        let mut reader = reader(&fields);
        let mut term = |row: [&str; 4]| reader.read(&cells(&row)).unwrap().consent_term.unwrap();
        let ends_at = "2026-09-14T00:00:00Z".parse().ok();
        assert_eq!(
            term(["+14165550123", "yes", "Inquiry", "2026-03-14"]),
            Term { basis: Basis::Enquiry, ends_at }
        );
        assert_eq!(
            term(["+12125550123", "yes", "customer", ""]),
            Term { basis: Basis::Purchase, ends_at: None }
        );
        assert_eq!(term(["+14165550123", "yes", "", ""]), Term::EXPRESS);
        let words = reader.read(&cells(&["+14165550123", "yes", "maybe", ""])).unwrap_err();
        assert!(words.contains("express, enquiry or purchase"), "{words}");
    }

    proptest! {
        #[test]
        fn any_cells_are_read_or_refused(row in prop::collection::vec(any::<String>(), 0..8)) {
            let mut reader = reader(&[
                ("a", "phone"), ("b", "email"), ("c", "name"), ("d", "labels"), ("e", "consent.sms"), ("f", "consent.at"), ("g", "properties.x"),
            ]);
            let _ = reader.read(&row.iter().collect());
        }
    }
}
