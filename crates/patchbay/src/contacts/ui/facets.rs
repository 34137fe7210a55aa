//! The filters of the list: which there are, and which are on.

use uuid::Uuid;

use super::view::{Chip, Facet};
use crate::{
    contacts::{
        ConsentState, Status,
        custom_fields::{CustomField, FieldType},
        filter::{FilterQuery, Vocabulary, href},
        input::Member,
        properties,
    },
    web::fields::Choice,
};

/// What filters can choose from.
pub(super) struct Around {
    pub(super) words: Vocabulary,
    pub(super) members: Vec<Member>,
    pub(super) sources: Vec<String>,
    /// Those that are asked about, with the names of their files.
    pub(super) imports: Vec<(Uuid, String)>,
    pub(super) me: Option<Uuid>,
}

/// Every value that can be asked for, by parameter: what it is called there, and on the screen.
type Offer = (&'static str, String, Vec<(String, String)>);

fn offers(around: &Around) -> Vec<Offer> {
    let same = |words: Vec<String>| words.into_iter().map(|word| (word.clone(), word)).collect();
    let mut offers: Vec<Offer> = vec![
        (
            "stage",
            "Stage".to_owned(),
            same(around.words.stages.iter().map(|stage| stage.name.clone()).collect()),
        ),
        (
            "label",
            "Label".to_owned(),
            same(around.words.labels.iter().map(|label| label.name.clone()).collect()),
        ),
        (
            "status",
            "Status".to_owned(),
            Status::ALL
                .map(|status| (status.as_str().to_owned(), super::words::status(status).to_owned()))
                .into(),
        ),
        ("owner", "Owner".to_owned(), owners(around)),
        ("source", "Source".to_owned(), same(around.sources.clone())),
        ("consent", "Consent".to_owned(), consents()),
        (
            "import",
            "Import".to_owned(),
            around.imports.iter().map(|(id, file)| (id.to_string(), file.clone())).collect(),
        ),
    ];
    offers.extend(around.words.fields.iter().filter_map(field));
    offers
}

fn owners(around: &Around) -> Vec<(String, String)> {
    let me = around.me.map(|_| ("me".to_owned(), "Me".to_owned()));
    let others = around.members.iter().filter(|member| Some(member.id) != around.me);
    me.into_iter()
        .chain(others.map(|member| (member.id.to_string(), member.name.clone())))
        .chain([("none".to_owned(), "Nobody".to_owned())])
        .collect()
}

fn consents() -> Vec<(String, String)> {
    let channels = [("sms", "Text messages"), ("email", "E-mail"), ("whatsapp", "WhatsApp")];
    channels
        .into_iter()
        .flat_map(|(channel, word)| {
            ConsentState::ALL
                .map(|state| (format!("{channel}:{}", state.as_str()), format!("{word}: {}", state.as_str())))
        })
        .collect()
}

/// A custom field whose values are few.
fn field(field: &CustomField) -> Option<Offer> {
    let values: Vec<(String, String)> = match field.field_type {
        FieldType::Select => field.options.iter().map(|option| (option.clone(), option.clone())).collect(),
        FieldType::Boolean => {
            vec![("true".to_owned(), "Yes".to_owned()), ("false".to_owned(), "No".to_owned())]
        }
        _ => return None,
    };
    let values = values.into_iter().map(|(value, word)| (format!("{}:{value}", field.key), word)).collect();
    Some(("properties", field.label.clone(), values))
}

fn given<'a>(query: &'a FilterQuery, name: &str) -> &'a [String] {
    match name {
        "stage" => &query.stage,
        "label" => &query.label,
        "status" => &query.status,
        "owner" => &query.owner,
        "source" => &query.source,
        "consent" => &query.consent,
        "import" => &query.import,
        "properties" => &query.properties,
        _ => &[],
    }
}

/// The filters as ticks.
pub(super) fn facets(query: &FilterQuery, around: &Around) -> Vec<Facet> {
    let facet = |(name, label, values): Offer| {
        let given = given(query, name);
        let choices: Vec<Choice> = values
            .into_iter()
            .map(|(value, word)| {
                let chosen = given.iter().any(|given| is_same(name, given, &value, around));
                Choice::new(value, word, chosen)
            })
            .collect();
        Facet { name, label, open: choices.iter().any(|choice| choice.chosen), choices }
    };
    offers(around).into_iter().map(facet).filter(|facet| !facet.choices.is_empty()).collect()
}

/// Addresses may name a thing by its id, in any case, or a channel of consent not at all.
fn is_same(name: &str, given: &str, value: &str, around: &Around) -> bool {
    let named = |id: Uuid| given == id.to_string();
    given.to_lowercase() == value.to_lowercase()
        || match name {
            "stage" => around.words.stages.iter().any(|stage| stage.name == value && named(stage.id)),
            "label" => around.words.labels.iter().any(|label| label.name == value && named(label.id)),
            "owner" => value == "me" && around.me.is_some_and(named),
            "consent" => value == format!("sms:{given}"),
            _ => false,
        }
}

/// The filters that are on, one chip for each, with the address of the list without it.
pub(super) fn chips(query: &FilterQuery, around: &Around) -> Vec<Chip> {
    let offers = offers(around);
    let mut chips: Vec<Chip> = Vec::new();
    for name in ["stage", "label", "status", "owner", "source", "consent", "import"] {
        let given = given(query, name);
        let (Some(label), false) =
            (offers.iter().find(|offer| offer.0 == name).map(|offer| &offer.1), given.is_empty())
        else {
            continue;
        };
        let values: Vec<String> = given
            .iter()
            .filter(|value| !value.trim().is_empty())
            .map(|value| word(&offers, name, value, around))
            .collect();
        chips.push(Chip { label: label.clone(), value: values.join(", "), href: without(query, name, None) });
    }
    for pair in query.properties.iter().filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(':').unwrap_or((pair, ""));
        let field = around.words.fields.iter().find(|field| field.key == key);
        chips.push(Chip {
            label: field.map_or_else(|| properties::spoken(key), |field| field.label.clone()),
            value: match (field.map(|field| field.field_type), value) {
                (Some(FieldType::Boolean), "true") => "yes".to_owned(),
                (Some(FieldType::Boolean), "false") => "no".to_owned(),
                _ => value.to_owned(),
            },
            href: without(query, "properties", Some(pair)),
        });
    }
    if query.archived == Some(true) {
        chips.push(Chip {
            label: "Shelf".to_owned(),
            value: "archived".to_owned(),
            href: without(query, "archived", None),
        });
    }
    chips
}

fn word(offers: &[Offer], name: &str, given: &str, around: &Around) -> String {
    let offer = offers.iter().filter(|offer| offer.0 == name).flat_map(|offer| &offer.2);
    let word = offer.clone().find(|(value, _)| is_same(name, given, value, around));
    word.map_or_else(|| given.to_owned(), |(_, word)| word.clone())
}

fn without(query: &FilterQuery, name: &str, value: Option<&str>) -> String {
    let mut pairs = query.pairs();
    pairs.retain(|(other, given)| *other != name || value.is_some_and(|value| value != given));
    href("/contacts", &pairs)
}
