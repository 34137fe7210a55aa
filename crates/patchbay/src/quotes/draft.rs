//! What may be saved as a quote, and what a change makes of one.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use patchbay_rules::money;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Item, NewQuote, Quote, QuoteChange, add_up, lines};
use crate::{
    auth::TenantInfo,
    contacts::clean,
    error::{Error, FieldErrors, Result},
    tenants::places,
};

/// A quote that adds up, ready to be saved.
pub(super) struct Checked {
    pub contact_id: Uuid,
    pub title: Option<String>,
    pub items: Vec<Item>,
    pub data: Map<String, Value>,
    pub discount_cents: i64,
    pub tax_basis_points: u32,
    pub tax_cents: i64,
    pub total_cents: i64,
    pub currency: String,
    pub terms: Option<String>,
    pub owner_id: Option<Uuid>,
    pub expires_on: Option<NaiveDate>,
}

/// Whether a change says anything about the quote itself rather than its status.
pub(super) fn touches(change: &QuoteChange) -> bool {
    change.contact_id.is_some()
        || !change.title.is_keep()
        || change.items.is_some()
        || change.data.is_some()
        || change.total_cents.is_some()
        || change.currency.is_some()
        || change.tax_basis_points.is_some()
        || change.discount_cents.is_some()
        || !change.terms.is_keep()
        || !change.expires_on.is_keep()
        || !change.owner_id.is_keep()
}

/// `input` as it is saved, or all that is wrong with it, by field.
pub(super) fn checked(mut input: NewQuote, tenant: &TenantInfo, now: DateTime<Utc>) -> Result<Checked> {
    let mut errors = FieldErrors::new();
    // Programs that know only `data` may put lines and terms there. Lines that do not say what they cost cannot
    // contradict a total.
    let mut explained = true;
    if input.items.is_empty()
        && let Some(items) = input.data.get("items")
    {
        match lines::foreign(items) {
            Ok(Some(foreign)) => {
                (input.items, explained) = (foreign.items, foreign.priced);
                input.data.remove("items");
            }
            Ok(None) => {}
            Err(Error::Invalid(more)) => errors.extend(more),
            Err(other) => return Err(other),
        }
    }
    if input.terms.is_none()
        && let Some(Value::String(terms)) = input.data.get("terms")
    {
        input.terms = Some(terms.clone());
    }
    check_last_day(input.expires_on, tenant, now, &mut errors);
    finish(input, !explained, errors, tenant)
}

/// What `change` makes of `before`.
pub(super) fn changed(
    before: &Quote,
    change: QuoteChange,
    tenant: &TenantInfo,
    now: DateTime<Utc>,
) -> Result<Checked> {
    let sums_anew =
        change.items.is_some() || change.tax_basis_points.is_some() || change.discount_cents.is_some();
    let items = change.items.unwrap_or_else(|| before.items.clone());
    let total_cents = match change.total_cents {
        Some(total) => Some(total),
        None if items.is_empty() || !sums_anew => Some(before.total_cents),
        None => None,
    };
    let mut errors = FieldErrors::new();
    let expires_on = change.expires_on.over(before.expires_on);
    if expires_on != before.expires_on {
        check_last_day(expires_on, tenant, now, &mut errors);
    }
    let input = NewQuote {
        contact_id: change.contact_id.unwrap_or(before.contact_id),
        title: change.title.over(before.title.clone()),
        items,
        data: change.data.unwrap_or_else(|| before.data.as_object().cloned().unwrap_or_default()),
        total_cents,
        currency: Some(change.currency.unwrap_or_else(|| before.currency.clone())),
        tax_basis_points: change.tax_basis_points.unwrap_or(before.tax_basis_points),
        discount_cents: change.discount_cents.unwrap_or(before.discount_cents),
        terms: change.terms.over(before.terms.clone()),
        expires_on,
        owner_id: change.owner_id.over(before.owner_id),
        draft: before.held,
    };
    // A total said by a foreign writer beside its lines stands until somebody works on the sums.
    finish(input, !sums_anew && change.total_cents.is_none(), errors, tenant)
}

/// A quote that nobody alive could accept is a slip of the hand.
const LAST_YEAR: i32 = 2199;

fn check_last_day(day: Option<NaiveDate>, tenant: &TenantInfo, now: DateTime<Utc>, errors: &mut FieldErrors) {
    let words = match day {
        Some(day) if day < now.with_timezone(&tenant.timezone).date_naive() => {
            "This day is over. Choose today or later.".to_owned()
        }
        Some(day) if day.year() > LAST_YEAR => format!("Choose a day before the year {}.", LAST_YEAR + 1),
        _ => return,
    };
    errors.insert("expires_on".into(), words);
}

fn finish(input: NewQuote, lenient: bool, mut errors: FieldErrors, tenant: &TenantInfo) -> Result<Checked> {
    let currency =
        input.currency.map_or_else(|| tenant.currency.clone(), |currency| currency.trim().to_uppercase());
    if !places::currencies().contains(&currency.as_str()) {
        errors.insert("currency".into(), "Write the currency as its three letters, such as USD.".into());
    }
    if input.tax_basis_points > 10_000 {
        errors
            .insert("tax_basis_points".into(), "A tax is between 0 and 10,000 basis points (100 %).".into());
    }
    if input.discount_cents < 0 {
        errors.insert("discount_cents".into(), "A discount is not negative.".into());
    }
    let title = input.title.as_deref().and_then(clean::line);
    let title = text(title, "title", 200, &mut errors);
    let terms = text(input.terms, "terms", 5_000, &mut errors);
    if serde_json::to_string(&input.data).map_or(true, |json| json.len() > 64 << 10) {
        errors.insert("data".into(), "The data may take 64 KB at most.".into());
    }
    let items = match lines::checked(input.items) {
        Ok(items) => items,
        Err(Error::Invalid(more)) => {
            errors.extend(more);
            Vec::new()
        }
        Err(other) => return Err(other),
    };
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let (discount, tax) = (input.discount_cents, input.tax_basis_points);
    let (tax_cents, total_cents) = total(&items, discount, tax, input.total_cents, lenient, &currency)?;
    Ok(Checked {
        contact_id: input.contact_id,
        title,
        items,
        data: input.data,
        discount_cents: discount,
        tax_basis_points: tax,
        tax_cents,
        total_cents,
        currency,
        terms,
        owner_id: input.owner_id,
        expires_on: input.expires_on,
    })
}

/// Tax and total: of the lines, or as the writer says where there are none.
fn total(
    items: &[Item],
    discount: i64,
    tax: u32,
    said: Option<i64>,
    lenient: bool,
    currency: &str,
) -> Result<(i64, i64)> {
    if said.is_some_and(|total| !(0..=lines::LARGEST_CENTS).contains(&total)) {
        return Err(Error::field("total_cents", "A total is between 0 and ten billion."));
    }
    if items.is_empty() {
        let total = said
            .ok_or_else(|| Error::field("total_cents", "Say what the quote comes to, or give it lines."))?;
        if discount > 0 {
            return Err(Error::field("discount_cents", "A discount needs lines that it is taken off."));
        }
        return Ok((money::tax_included(total, tax).unwrap_or(0), total));
    }
    let sum = add_up(items, discount, tax);
    match (sum, said) {
        (Ok(sum), Some(total)) if sum.total_cents == total => Ok((sum.tax_cents, total)),
        // The total of a foreign writer counts; what its lines do not explain is a line of its own on the page.
        (_, Some(total)) if lenient => Ok((0, total)),
        (Ok(sum), Some(total)) => {
            let (sum, total) = (money::format(sum.total_cents, currency), money::format(total, currency));
            Err(Error::field("total_cents", format!("The lines come to {sum}, not {total}.")))
        }
        (Ok(sum), None) => Ok((sum.tax_cents, sum.total_cents)),
        (Err(error), _) => Err(error),
    }
}

fn text(
    value: Option<String>,
    field: &'static str,
    longest: usize,
    errors: &mut FieldErrors,
) -> Option<String> {
    let value = value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())?;
    if value.chars().count() > longest {
        errors.insert(field.into(), format!("At most {longest} characters fit here."));
    }
    Some(value)
}

/// What the audit log is told.
pub(super) fn difference(before: &Quote, after: &Checked) -> Map<String, Value> {
    let pairs = [
        ("contact_id", json!([before.contact_id, after.contact_id])),
        ("title", json!([before.title, after.title])),
        ("items", json!([before.items, after.items])),
        ("total_cents", json!([before.total_cents, after.total_cents])),
        ("currency", json!([before.currency, after.currency])),
        ("tax_basis_points", json!([before.tax_basis_points, after.tax_basis_points])),
        ("discount_cents", json!([before.discount_cents, after.discount_cents])),
        ("terms", json!([before.terms, after.terms])),
        ("expires_on", json!([before.expires_on, after.expires_on])),
        ("owner_id", json!([before.owner_id, after.owner_id])),
    ];
    pairs
        .into_iter()
        .filter(|(_, pair)| pair[0] != pair[1])
        .map(|(field, pair)| (field.to_owned(), pair))
        .collect()
}
