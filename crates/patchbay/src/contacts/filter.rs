//! Which contacts a list shows: what stands in the address bar, and what it means for this tenant.

use std::collections::BTreeMap;

use patchbay_rules::message::Channel;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    contact::{ConsentState, Status},
    custom_fields::{self, CustomField},
    labels::{self, Label},
    stages::{self, Stage},
};
use crate::{
    db::TenantTx,
    error::{Error, Result},
};

/// The query of a list of contacts. Values of one parameter widen what it lets through, parameters together
/// narrow it.
#[derive(Debug, Default, Clone, PartialEq, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FilterQuery {
    /// Words of names, e-mail addresses and custom fields, or parts of a phone number. All must match.
    pub q: Option<String>,
    /// `lead`, `active` or `inactive`; may be repeated.
    #[serde(default)]
    pub status: Vec<String>,
    /// Name or id of a label; may be repeated.
    #[serde(default)]
    pub label: Vec<String>,
    /// Name or id of a stage; may be repeated.
    #[serde(default)]
    pub stage: Vec<String>,
    /// May be repeated.
    #[serde(default)]
    pub source: Vec<String>,
    /// User id of a member, `me` (in the browser), or `none`; may be repeated.
    #[serde(default)]
    pub owner: Vec<String>,
    /// `subscribed`, `unsubscribed` or `unknown` for text messages, or with the channel, as `email:subscribed`; may
    /// be repeated.
    #[serde(default)]
    pub consent: Vec<String>,
    /// Id of the import that added them; may be repeated.
    #[serde(default)]
    pub import: Vec<String>,
    /// Key and value of a custom field, as `boiler:Rheem`; may be repeated.
    #[serde(default)]
    pub properties: Vec<String>,
    /// `true` shows archived contacts instead.
    pub archived: Option<bool>,
    /// 1 to 200, 50 unless told.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// The page before this place instead of the one after; for the browser.
    #[serde(default)]
    #[param(ignore)]
    pub before: Option<String>,
}

/// A filter, resolved against the tenant.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Filter {
    /// As typed.
    pub text: String,
    pub status: Vec<Status>,
    pub labels: Vec<Uuid>,
    pub stages: Vec<Uuid>,
    /// All stages of the tenant, for the search to enumerate.
    pub all_stages: Vec<Uuid>,
    pub sources: Vec<String>,
    /// `None` stands for nobody.
    pub owners: Vec<Option<Uuid>>,
    pub consents: Vec<(Channel, ConsentState)>,
    /// The imports that added them.
    pub imports: Vec<Uuid>,
    /// Per custom field the values that pass, as they are stored.
    pub properties: BTreeMap<String, Vec<Value>>,
    pub archived: bool,
    /// A name was given that nothing has: nothing matches.
    pub nothing: bool,
}

impl Filter {
    /// Whether everything that is not archived passes.
    pub fn is_empty(&self) -> bool {
        *self == Self { all_stages: self.all_stages.clone(), ..Self::default() }
    }
}

/// What filters and their chips are named after.
pub struct Vocabulary {
    pub stages: Vec<Stage>,
    pub labels: Vec<Label>,
    pub fields: Vec<CustomField>,
}

/// Loads the names that filters use.
pub async fn vocabulary(tx: &mut TenantTx) -> Result<Vocabulary> {
    Ok(Vocabulary {
        stages: stages::list(tx).await?,
        labels: labels::list(tx).await?,
        fields: custom_fields::list(tx).await?,
    })
}

impl FilterQuery {
    /// What the query means. `me` is the signed-in member, if there is one.
    ///
    /// # Errors
    /// A word that is none of a closed list is an invalid field. A name that nothing has finds nothing.
    pub fn resolve(&self, words: &Vocabulary, me: Option<Uuid>) -> Result<Filter> {
        let mut filter = Filter {
            text: self.q.as_deref().unwrap_or_default().trim().to_owned(),
            archived: self.archived.unwrap_or(false),
            all_stages: words.stages.iter().map(|stage| stage.id).collect(),
            ..Filter::default()
        };
        for word in given(&self.status) {
            let status = Status::from_word(word)
                .ok_or_else(|| Error::field("status", "Choose lead, active or inactive."))?;
            filter.status.push(status);
        }
        for wanted in given(&self.stage) {
            match words.stages.iter().find(|stage| is_named(wanted, stage.id, &stage.name)) {
                Some(stage) => filter.stages.push(stage.id),
                None => filter.nothing = true,
            }
        }
        for wanted in given(&self.label) {
            match words.labels.iter().find(|label| is_named(wanted, label.id, &label.name)) {
                Some(label) => filter.labels.push(label.id),
                None => filter.nothing = true,
            }
        }
        filter.sources = given(&self.source).map(str::to_owned).collect();
        for wanted in given(&self.owner) {
            match (wanted, me, Uuid::parse_str(wanted)) {
                ("none", _, _) => filter.owners.push(None),
                ("me", Some(me), _) => filter.owners.push(Some(me)),
                (_, _, Ok(id)) => filter.owners.push(Some(id)),
                _ => return Err(Error::field("owner", "Give the id of a member, or none.")),
            }
        }
        for word in given(&self.consent) {
            filter.consents.push(consent(word)?);
        }
        for id in given(&self.import) {
            let id = Uuid::parse_str(id).map_err(|_| Error::field("import", "Give the id of an import."))?;
            filter.imports.push(id);
        }
        for pair in given(&self.properties) {
            let (key, value) = pair
                .split_once(':')
                .ok_or_else(|| Error::field("properties", "Give key and value, such as boiler:Rheem."))?;
            filter.properties.entry(key.to_owned()).or_default().extend(stored(words, key, value));
        }
        filter.forgive_misses(self);
        Ok(filter)
    }

    /// The imports that are asked about, as far as they are ids.
    pub fn imports(&self) -> Vec<Uuid> {
        given(&self.import).filter_map(|id| Uuid::parse_str(id).ok()).collect()
    }

    /// The filters as pairs for a URL, without the place in the list.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if let Some(q) = self.q.as_deref().filter(|q| !q.trim().is_empty()) {
            pairs.push(("q", q.to_owned()));
        }
        let lists = [
            ("status", &self.status),
            ("stage", &self.stage),
            ("label", &self.label),
            ("source", &self.source),
            ("owner", &self.owner),
            ("consent", &self.consent),
            ("import", &self.import),
            ("properties", &self.properties),
        ];
        for (name, values) in lists {
            pairs.extend(given(values).map(|value| (name, value.to_owned())));
        }
        if self.archived == Some(true) {
            pairs.push(("archived", "true".to_owned()));
        }
        pairs
    }
}

impl Filter {
    /// One unknown name among several known ones only widens nothing: the known ones still count.
    fn forgive_misses(&mut self, query: &FilterQuery) {
        let stages_missed = given(&query.stage).next().is_some() && self.stages.is_empty();
        let labels_missed = given(&query.label).next().is_some() && self.labels.is_empty();
        let values_missed = self.properties.values().any(Vec::is_empty);
        self.nothing = stages_missed || labels_missed || values_missed;
    }
}

fn given(values: &[String]) -> impl Iterator<Item = &str> {
    values.iter().map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// The value as the field stores it; nothing where it is none that the field could hold.
fn stored(words: &Vocabulary, key: &str, value: &str) -> Option<Value> {
    match words.fields.iter().find(|field| field.key == key) {
        Some(field) => custom_fields::fit(field, &value.into()).ok().flatten(),
        None => Some(value.into()),
    }
}

fn is_named(wanted: &str, id: Uuid, name: &str) -> bool {
    name.to_lowercase() == wanted.to_lowercase() || Uuid::parse_str(wanted).is_ok_and(|wanted| wanted == id)
}

fn consent(word: &str) -> Result<(Channel, ConsentState)> {
    let (channel, state) = word.split_once(':').unwrap_or(("sms", word));
    let channel: Option<Channel> = channel.parse().ok();
    channel.zip(ConsentState::from_word(state)).ok_or_else(|| {
        Error::field(
            "consent",
            "Give subscribed, unsubscribed or unknown, or with a channel: email:subscribed.",
        )
    })
}

/// `path` with these pairs as its query.
pub fn href(path: &str, pairs: &[(&'static str, String)]) -> String {
    if pairs.is_empty() {
        return path.to_owned();
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        query.append_pair(name, value);
    }
    format!("{path}?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Vocabulary {
        let stage = |name: &str, n: u128| Stage {
            id: Uuid::from_u128(n),
            name: name.to_owned(),
            position: 0,
            kind: stages::StageKind::Open,
        };
        let label =
            Label { id: Uuid::from_u128(9), name: "VIP".into(), label_type: "manual".into(), active: true };
        Vocabulary {
            stages: vec![stage("New", 1), stage("Quoted", 2)],
            labels: vec![label],
            fields: Vec::new(),
        }
    }

    #[test]
    fn names_and_ids_mean_the_same() {
        let query = FilterQuery {
            stage: vec!["quoted".into(), Uuid::from_u128(1).to_string(), "gone".into()],
            label: vec!["vip".into()],
            status: vec!["lead".into(), String::new()],
            owner: vec!["none".into(), "me".into()],
            consent: vec!["subscribed".into(), "email:unknown".into()],
            ..FilterQuery::default()
        };
        let filter = query.resolve(&words(), Some(Uuid::from_u128(7))).unwrap();
        assert_eq!(filter.stages, [Uuid::from_u128(2), Uuid::from_u128(1)]);
        assert_eq!(filter.labels, [Uuid::from_u128(9)]);
        assert_eq!(filter.owners, [None, Some(Uuid::from_u128(7))]);
        assert_eq!(
            filter.consents,
            [(Channel::Sms, ConsentState::Subscribed), (Channel::Email, ConsentState::Unknown)]
        );
        assert!(!filter.nothing);
        assert_eq!(href("/contacts", &query.pairs()[..2]), "/contacts?status=lead&stage=quoted");
    }

    #[test]
    fn what_is_unknown_finds_nothing_and_what_is_wrong_is_told() {
        let missed = FilterQuery { label: vec!["nobody has this".into()], ..FilterQuery::default() };
        assert!(missed.resolve(&words(), None).unwrap().nothing);
        for wrong in [
            FilterQuery { status: vec!["led".into()], ..FilterQuery::default() },
            FilterQuery { owner: vec!["me".into()], ..FilterQuery::default() },
            FilterQuery { consent: vec!["pigeon:subscribed".into()], ..FilterQuery::default() },
        ] {
            assert!(matches!(wrong.resolve(&words(), None), Err(Error::Invalid(_))), "{wrong:?}");
        }
        assert!(FilterQuery::default().resolve(&words(), None).unwrap().is_empty());
    }
}
