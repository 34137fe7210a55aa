//! Rows as spreadsheets and people write them.

use std::sync::Arc;

use patchbay_rules::{
    consent::{Basis, Term},
    message::Channel,
};
use proptest::prelude::*;

use super::Reader;
use crate::{
    consent::State,
    imports::{file::Cells, mapping::Mapping},
};

fn reader(pairs: &[(&str, &str)]) -> Reader {
    let headings: Vec<String> = pairs.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    let columns = pairs.iter().map(|(name, field)| ((*name).to_owned(), Some((*field).to_owned()))).collect();
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
        reader.read(&cells(&["", "0412345678", "", "", "", "", "extra"])).unwrap_err().contains("7 cells")
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
    assert_eq!(term(["+12125550123", "yes", "customer", ""]), Term { basis: Basis::Purchase, ends_at: None });
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
