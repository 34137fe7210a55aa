//! Which column of a file goes where.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use patchbay_rules::{consent::Basis, message::Channel};
use serde::{Deserialize, Serialize};

use crate::{
    consent,
    error::{Error, Result},
};

/// What is wanted of a file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Mapping {
    /// Heading of a column → field: `phone`, `email`, `first_name`, `last_name`, `name`, `status`, `stage`, `source`,
    /// `timezone`, `state`, `postal`, `country`, `labels`, `properties.<key>`, `consent.sms`, `consent.whatsapp`,
    /// `consent.email`, `consent.basis`, `consent.source`, `consent.wording`, `consent.at`; or, for a list of numbers that must not be
    /// contacted, `do_not_contact` and `reason`. Columns that are not named are left out.
    pub columns: BTreeMap<String, Option<String>>,
    /// Given to every contact of the file.
    pub labels: Vec<String>,
    /// What everybody in the file agreed to, or where the column `consent.<channel>` comes from.
    pub consent: Option<ConsentClaim>,
    /// What becomes of contacts that are there already.
    pub on_match: OnMatch,
}

/// Agreement, with its proof.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ConsentClaim {
    /// `sms`, `whatsapp` or `email`.
    pub channel: String,
    /// What it rests on, if the file does not say: `express` (the default: they said so), `enquiry` or `purchase`.
    pub basis: Option<String>,
    /// Where it was given: a form, a fair, a paper.
    pub source: Option<String>,
    /// What people saw when they agreed.
    pub wording: Option<String>,
    /// When, if the file does not say.
    pub at: Option<DateTime<Utc>>,
}

/// What becomes of contacts that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnMatch {
    /// What the file says replaces what is there; empty cells change nothing.
    #[default]
    Update,
    /// They stay as they are.
    Skip,
}

/// Where a cell goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field {
    Phone,
    Email,
    FirstName,
    LastName,
    Name,
    Status,
    Stage,
    Source,
    Timezone,
    State,
    Postal,
    Country,
    Labels,
    Property(String),
    Consent(Channel),
    ConsentBasis,
    ConsentSource,
    ConsentWording,
    ConsentAt,
    DoNotContact,
    Reason,
}

impl Field {
    /// Every field but the custom ones, with the words it is offered by.
    pub const OFFERED: [(&'static str, &'static str); 22] = [
        ("phone", "Phone"),
        ("email", "E-mail"),
        ("first_name", "First name"),
        ("last_name", "Last name"),
        ("name", "Full name"),
        ("status", "Status"),
        ("stage", "Stage"),
        ("source", "Source"),
        ("state", "State"),
        ("postal", "Postal code"),
        ("country", "Country"),
        ("timezone", "Time zone"),
        ("labels", "Labels"),
        ("consent.sms", "Agreed to texts"),
        ("consent.whatsapp", "Agreed to WhatsApp"),
        ("consent.email", "Agreed to e-mail"),
        ("consent.basis", "What the agreement rests on"),
        ("consent.source", "Where they agreed"),
        ("consent.wording", "What they agreed to"),
        ("consent.at", "When they agreed"),
        ("do_not_contact", "Number not to be contacted"),
        ("reason", "Reason not to be contacted"),
    ];

    /// The field of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "phone" => Self::Phone,
            "email" => Self::Email,
            "first_name" => Self::FirstName,
            "last_name" => Self::LastName,
            "name" | "full_name" => Self::Name,
            "status" => Self::Status,
            "stage" => Self::Stage,
            "source" => Self::Source,
            "timezone" => Self::Timezone,
            "state" => Self::State,
            "postal" => Self::Postal,
            "country" => Self::Country,
            "labels" | "label" => Self::Labels,
            "consent.sms" => Self::Consent(Channel::Sms),
            "consent.whatsapp" => Self::Consent(Channel::Whatsapp),
            "consent.email" => Self::Consent(Channel::Email),
            "consent.basis" => Self::ConsentBasis,
            "consent.source" => Self::ConsentSource,
            "consent.wording" => Self::ConsentWording,
            "consent.at" => Self::ConsentAt,
            "do_not_contact" => Self::DoNotContact,
            "reason" => Self::Reason,
            _ => {
                let key = word.strip_prefix("properties.")?.trim();
                if key.is_empty() || key.chars().count() > 100 {
                    return None;
                }
                Self::Property(key.to_owned())
            }
        })
    }
}

/// A mapping that fits a file: for each column in order, where it goes.
#[derive(Debug, Clone)]
pub struct Plan {
    pub fields: Vec<Option<Field>>,
    pub labels: Vec<String>,
    pub consent: Option<Claim>,
    pub on_match: OnMatch,
    /// A list of numbers not to be contacted instead of contacts.
    pub is_list: bool,
}

/// A [`ConsentClaim`] whose channel is one.
#[derive(Debug, Clone)]
pub struct Claim {
    pub channel: Channel,
    pub basis: Basis,
    pub source: Option<String>,
    pub wording: Option<String>,
    pub at: Option<DateTime<Utc>>,
}

impl Mapping {
    /// Checks the mapping against the headings of a file.
    pub fn plan(&self, headings: &[String], now: DateTime<Utc>) -> Result<Plan> {
        let mut fields = vec![None; headings.len()];
        let places = Places::new(headings);
        for (heading, word) in &self.columns {
            let place = places.find(heading).ok_or_else(|| {
                let there = headings.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ");
                Error::field(
                    "mapping",
                    format!("The file has no column “{heading}”. Its columns are: {there}."),
                )
            })?;
            fields[place] = match word.as_deref().map(str::trim) {
                None | Some("" | "skip" | "ignore") => None,
                Some(word) => Some(Field::parse(word).ok_or_else(|| {
                    Error::field(
                        "mapping",
                        format!("The column “{heading}” goes to “{word}”, which is no field."),
                    )
                })?),
            };
        }
        check(&fields)?;
        let is_list = fields.contains(&Some(Field::DoNotContact));
        Ok(Plan {
            consent: self.claim(now)?,
            labels: self.labels.clone(),
            on_match: self.on_match,
            fields,
            is_list,
        })
    }

    fn claim(&self, now: DateTime<Utc>) -> Result<Option<Claim>> {
        let Some(claim) = &self.consent else { return Ok(None) };
        let channel = claim
            .channel
            .parse()
            .map_err(|_| Error::field("consent.channel", "Choose sms, whatsapp or email."))?;
        if claim.at.is_some_and(|at| at > now) {
            return Err(Error::field("consent.at", "Consent cannot have been given in the future."));
        }
        let text = |text: &Option<String>| {
            text.as_deref()
                .and_then(crate::contacts::clean::text)
                .map(|text| text.chars().take(2000).collect())
        };
        let basis = consent::read_basis("consent.basis", claim.basis.as_deref())?.unwrap_or(Basis::Express);
        Ok(Some(Claim {
            channel,
            basis,
            source: text(&claim.source),
            wording: text(&claim.wording),
            at: claim.at,
        }))
    }
}

/// Where the headings of a file stand; of several that are the same the first.
struct Places<'a> {
    exact: HashMap<&'a str, usize>,
    folded: HashMap<String, usize>,
}

impl<'a> Places<'a> {
    fn new(headings: &'a [String]) -> Self {
        // Backwards, so that the first is the last to be written.
        let numbered = || headings.iter().enumerate().rev();
        Self {
            exact: numbered().map(|(place, heading)| (heading.as_str(), place)).collect(),
            folded: numbered().map(|(place, heading)| (fold(heading), place)).collect(),
        }
    }

    /// The same heading, or else one that differs in case and blanks only.
    fn find(&self, wanted: &str) -> Option<usize> {
        self.exact.get(wanted).or_else(|| self.folded.get(&fold(wanted))).copied()
    }
}

fn fold(heading: &str) -> String {
    heading.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn check(fields: &[Option<Field>]) -> Result<()> {
    let mut seen = HashSet::new();
    for field in fields.iter().flatten() {
        // Several columns may hold labels.
        if !seen.insert(field) && *field != Field::Labels {
            return Err(Error::field("mapping", "Two columns go to the same field. Leave one of them out."));
        }
    }
    let has = |field: &Field| seen.contains(field);
    if has(&Field::DoNotContact) {
        if seen.iter().any(|field| !matches!(field, Field::DoNotContact | Field::Reason)) {
            return Err(Error::field(
                "mapping",
                "A list of numbers not to be contacted takes only the number and the reason.",
            ));
        }
    } else if !has(&Field::Phone) && !has(&Field::Email) {
        return Err(Error::field(
            "mapping",
            "Say which column holds the phone number or the e-mail address: without one, people cannot be recognised.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(pairs: &[(&str, &str)]) -> Mapping {
        let columns =
            pairs.iter().map(|(name, field)| ((*name).to_owned(), Some((*field).to_owned()))).collect();
        Mapping { columns, ..Mapping::default() }
    }

    #[test]
    fn a_mapping_names_what_does_not_fit() {
        let headings = ["Mobile".to_owned(), "First  Name".to_owned(), "Mobile (2)".to_owned()];
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let plan = |pairs: &[(&str, &str)]| mapping(pairs).plan(&headings, now);
        let good = plan(&[("mobile", "phone"), ("first name", "first_name"), ("Mobile (2)", "")]).unwrap();
        assert_eq!(good.fields, [Some(Field::Phone), Some(Field::FirstName), None]);
        for (pairs, part) in [
            (&[("Phone", "phone")][..], "no column"),
            (&[("Mobile", "telephone")], "no field"),
            (&[("Mobile", "phone"), ("Mobile (2)", "phone")], "same field"),
            (&[("First name", "first_name")], "which column holds the phone"),
            (&[("Mobile", "do_not_contact"), ("First name", "first_name")], "only the number"),
            (&[("Mobile", "properties.")], "no field"),
        ] {
            let words = plan(pairs).unwrap_err().to_string();
            assert!(words.contains(part), "{words}");
        }
    }

    #[test]
    fn every_offered_field_is_one() {
        for (word, _) in Field::OFFERED {
            assert!(Field::parse(word).is_some(), "{word}");
        }
    }
}
