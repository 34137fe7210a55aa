//! A quote as its lead sees it: the paper, without the buttons. The same on the public page and beside the business's
//! own view of it.

use chrono::{DateTime, Utc};
use patchbay_rules::phone;

use super::{Quote, Status, answer, locale, sql::Business};
use crate::web::parts::Face;

/// The paper.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    pub(crate) business: String,
    pub(crate) face: Face,
    /// Who to talk to: "Rosa Marín · (08) 9430 0000"; empty when nobody is named.
    pub(crate) person: String,
    pub(crate) number: String,
    pub(crate) contact: String,
    pub(crate) title: String,
    pub(crate) total: String,
    /// "Good until Friday 5 December"; empty without a last day.
    pub(crate) good_until: String,
    pub(crate) rows: Vec<Row>,
    /// Paragraphs.
    pub(crate) terms: Vec<String>,
    pub(crate) question: Question,
    /// When it was made.
    pub(crate) date: String,
    /// Level of its heading: 1 where it is the page, 2 where it is a part of one.
    pub(crate) level: u8,
}

/// One line of the paper.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) detail: String,
    /// "2.5 × $80.00"; empty for one.
    pub(crate) quantity: String,
    /// Empty where the writer gave no prices.
    pub(crate) amount: String,
    pub(crate) kind: RowKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKind {
    Line,
    /// Discount, tax: between the lines and the total.
    Side,
    Total,
}

impl RowKind {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Line => "",
            Self::Side => "side",
            Self::Total => "total",
        }
    }
}

/// How to ask back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question {
    /// Whether the quote came by text message.
    pub(crate) by_text: bool,
    /// Whom to call or write to: a first name, or "us".
    pub(crate) whom: String,
    /// `tel:` or `mailto:`; empty for none.
    pub(crate) href: String,
    /// What is behind the link, for paper.
    pub(crate) address: String,
}

/// Draws a quote for its lead.
pub(super) fn sheet(quote: &Quote, business: &Business, now: DateTime<Utc>) -> Sheet {
    let country = business.country.as_str();
    let today = now.with_timezone(&answer::zone(business)).date_naive();
    let amount = |cents: i64| locale::money(cents, &quote.currency, country);
    let reach = question(business);
    let support = if reach.address.is_empty() {
        business.support_contact.clone().unwrap_or_default()
    } else {
        reach.address.clone()
    };
    let person: Vec<String> = [business.owner_name.clone().unwrap_or_default(), support]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    Sheet {
        face: Face::of(business.id, &business.name),
        business: business.name.clone(),
        person: person.join(" · "),
        number: quote.number.to_string(),
        contact: quote.contact_name.clone(),
        title: quote.title.clone().unwrap_or_default(),
        total: amount(quote.total_cents),
        good_until: quote
            .expires_on
            .filter(|_| quote.status.is_open())
            .map(|day| format!("Good until {}", locale::day(day, today, country)))
            .unwrap_or_default(),
        level: 1,
        rows: rows(quote, &amount),
        // A foreign writer's terms may have stayed in its data.
        terms: quote
            .terms
            .as_deref()
            .or(quote.data["terms"].as_str())
            .unwrap_or_default()
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
        question: reach,
        date: locale::day(
            quote.created_at.with_timezone(&answer::zone(business)).date_naive(),
            today,
            country,
        ),
    }
}

/// Lines, then what is between them and the total: the paper always adds up.
fn rows(quote: &Quote, amount: &impl Fn(i64) -> String) -> Vec<Row> {
    let priced = quote.items.iter().any(|item| item.unit_cents != 0);
    let mut rows: Vec<Row> = quote
        .items
        .iter()
        .map(|item| Row {
            name: item.name.clone(),
            detail: item.description.clone().unwrap_or_default(),
            quantity: match (item.quantity == super::Quantity::ONE, priced) {
                (true, _) => String::new(),
                (false, true) => format!("{} × {}", item.quantity.text(), amount(item.unit_cents)),
                (false, false) => format!("{} ×", item.quantity.text()),
            },
            amount: if priced { amount(item.total_cents()) } else { String::new() },
            kind: RowKind::Line,
        })
        .collect();
    let side = |name: &str, cents: i64| Row {
        name: name.to_owned(),
        detail: String::new(),
        quantity: String::new(),
        amount: amount(cents),
        kind: RowKind::Side,
    };
    let lines: i64 = quote.items.iter().map(super::Item::total_cents).fold(0, i64::saturating_add);
    let tax_label = format!("Tax, {}", locale::percent(quote.tax_basis_points));
    if priced {
        if quote.discount_cents > 0 {
            rows.push(side("Discount", -quote.discount_cents));
        }
        if quote.tax_basis_points > 0 && quote.tax_cents > 0 {
            rows.push(side(&tax_label, quote.tax_cents));
        }
        let rest = quote.total_cents - (lines - quote.discount_cents + quote.tax_cents);
        if rest != 0 {
            rows.push(side(if rest > 0 { "Other charges" } else { "Reduction" }, rest));
        }
    } else if quote.tax_cents > 0 {
        rows.push(side(
            &format!("Includes tax, {}", locale::percent(quote.tax_basis_points)),
            quote.tax_cents,
        ));
    }
    rows.push(Row {
        name: "Total".to_owned(),
        detail: String::new(),
        quantity: String::new(),
        amount: amount(quote.total_cents),
        kind: RowKind::Total,
    });
    rows
}

fn question(business: &Business) -> Question {
    let whom = business
        .owner_name
        .as_deref()
        .and_then(|name| name.split_whitespace().next())
        .unwrap_or("us")
        .to_owned();
    let by_text = business.texted_from.is_some();
    let support = business.support_contact.as_deref().map(str::trim).unwrap_or_default();
    if support.contains('@') && !support.contains(char::is_whitespace) {
        return Question { by_text, whom, href: format!("mailto:{support}"), address: support.to_owned() };
    }
    match phone::parse(support, Some(&business.country)) {
        Ok(found) => Question {
            by_text,
            whom,
            href: format!("tel:{}", found.e164),
            address: phone::format_national_or_international(&found.e164, &business.country),
        },
        Err(_) => Question { by_text, whom, ..Question::default() },
    }
}

/// Where a quote stands for its lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    /// Who answered, and when; with the note that was left.
    Accepted {
        by: String,
        on: String,
        note: String,
    },
    Rejected {
        by: String,
        on: String,
        note: String,
    },
    Expired {
        on: String,
    },
}

impl Standing {
    pub(super) fn of(quote: &Quote, business: &Business, now: DateTime<Utc>) -> Self {
        let zone = answer::zone(business);
        let today = now.with_timezone(&zone).date_naive();
        let on = quote
            .answered_at
            .map(|at| locale::day(at.with_timezone(&zone).date_naive(), today, &business.country))
            .unwrap_or_default();
        let (by, note) =
            (quote.answered_by.clone().unwrap_or_default(), quote.answer_note.clone().unwrap_or_default());
        match quote.status {
            Status::Accepted => Self::Accepted { by, on, note },
            Status::Rejected => Self::Rejected { by, on, note },
            _ if quote.status == Status::Expired || quote.is_past(now, zone) => Self::Expired {
                on: quote
                    .expires_on
                    .map(|day| locale::day(day, today, &business.country))
                    .unwrap_or_default(),
            },
            _ => Self::Open,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        *self == Self::Open
    }
}
