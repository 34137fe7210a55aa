//! The wizard's forms: a mapping and a format, as people choose them.

use std::collections::BTreeMap;

use super::{
    file::{Encoding, Format},
    mapping::{ConsentClaim, Mapping, OnMatch},
};
use crate::error::FieldErrors;

type Typed = BTreeMap<String, String>;

fn said<'a>(typed: &'a Typed, name: &str) -> &'a str {
    typed.get(name).map(|text| text.trim()).unwrap_or_default()
}

/// The mapping that was chosen; with what is wrong, if something is.
pub(super) fn mapping(typed: &Typed, headings: &[String]) -> Result<Mapping, Box<(FieldErrors, Mapping)>> {
    let column = |place: usize| Some(said(typed, &format!("column.{place}"))).filter(|word| !word.is_empty());
    let columns = headings
        .iter()
        .enumerate()
        .map(|(place, heading)| (heading.clone(), column(place).map(str::to_owned)))
        .collect::<BTreeMap<_, _>>();
    let claims_by_column = columns.values().flatten().any(|word| word.starts_with("consent."));
    let channel = said(typed, "consent.channel");
    let text = |name: &str| Some(said(typed, name).to_owned()).filter(|text| !text.is_empty());
    let consent = (!channel.is_empty()).then(|| ConsentClaim {
        channel: channel.to_owned(),
        basis: text("consent.basis"),
        source: text("consent.source"),
        wording: text("consent.wording"),
        at: None,
    });
    let mapping = Mapping {
        columns,
        labels: said(typed, "labels")
            .split(',')
            .map(str::trim)
            .filter(|label| !label.is_empty())
            .map(str::to_owned)
            .collect(),
        on_match: if said(typed, "on_match") == "skip" { OnMatch::Skip } else { OnMatch::Update },
        consent,
    };
    let mut errors = FieldErrors::new();
    let claims = claims_by_column || mapping.consent.is_some();
    if claims && said(typed, "consent.agreed").is_empty() {
        errors.insert(
            "consent.agreed".into(),
            "Confirm that these people agreed, or leave agreement out.".to_owned(),
        );
    }
    if mapping.consent.as_ref().is_some_and(|claim| claim.source.is_none()) {
        errors.insert(
            "consent.source".into(),
            "Say where they agreed: you may have to show it one day.".to_owned(),
        );
    }
    if errors.is_empty() { Ok(mapping) } else { Err(Box::new((errors, mapping))) }
}

/// The format that was chosen over the one that was guessed.
pub(super) fn format(typed: &Typed, guessed: Format) -> Format {
    Format {
        encoding: Encoding::from_word(said(typed, "encoding")).unwrap_or(guessed.encoding),
        delimiter: match said(typed, "delimiter") {
            "tab" => '\t',
            word => word.chars().next().filter(char::is_ascii).unwrap_or(guessed.delimiter),
        },
        header: !said(typed, "header").is_empty(),
        sheet: said(typed, "sheet").parse().unwrap_or(guessed.sheet),
        kind: guessed.kind,
    }
}
