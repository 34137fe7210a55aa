//! The lines of a quote and what they add up to. Integers only; the tax is on what remains after the discount.

use patchbay_rules::money;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::{
    contacts::clean,
    error::{Error, FieldErrors, Result},
};

/// More than a government pays, less than an overflow: ten billion of the main unit.
pub const LARGEST_CENTS: i64 = 1_000_000_000_000;
const MOST_LINES: usize = 200;

/// A quantity in thousandths: two and a half hours are 2,500.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity(pub i64);

impl Quantity {
    /// One of it.
    pub const ONE: Self = Self(1_000);

    /// As people write it: `1`, `2.5`, `0.125`.
    pub fn text(self) -> String {
        let (whole, part) = (self.0 / 1_000, self.0 % 1_000);
        if part == 0 {
            whole.to_string()
        } else {
            format!("{whole}.{part:03}").trim_end_matches('0').to_owned()
        }
    }

    /// Reads what people type; at most three decimals, more than nothing, at most a million.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = parts(text)?;
        if part.len() > 3 { None } else { Self::rounded(whole, part) }
    }

    /// Reads what programs send, which may have reckoned: rounded to three decimals, half up.
    fn read(text: &str) -> Option<Self> {
        let (whole, part) = parts(text)?;
        Self::rounded(whole, part)
    }

    fn rounded(whole: &str, part: &str) -> Option<Self> {
        let (kept, rest) = part.split_at(part.len().min(3));
        let thousandths = format!("{whole:0>1}{kept:0<3}").parse::<i64>().ok()?;
        let thousandths = thousandths + i64::from(rest.bytes().next().is_some_and(|digit| digit >= b'5'));
        (1..=1_000_000_000).contains(&thousandths).then_some(Self(thousandths))
    }
}

/// The digits before and after the point of a number that is not negative.
fn parts(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = !(whole.is_empty() && part.is_empty()) && whole.len() <= 7 && digits(whole) && digits(part);
    fits.then_some((whole, part))
}

/// What a quantity must be.
const QUANTITY: &str = "A quantity is a number above 0 and up to a million.";

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1_000 == 0 {
            serializer.serialize_i64(self.0 / 1_000)
        } else {
            serializer.serialize_f64(self.0 as f64 / 1_000.0)
        }
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        quantity_of(&value).ok_or_else(|| de::Error::custom(QUANTITY))
    }
}

fn quantity_of(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::read(text),
        Value::Number(number) => Quantity::read(&number.to_string()),
        _ => None,
    }
}

/// Cents, also as text, and as a number with nothing behind its point.
fn cents_of(value: &Value) -> Option<i64> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    text.strip_suffix(".0").unwrap_or(&text).parse().ok()
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = QuoteItem)]
pub struct Item {
    #[serde(alias = "title")]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Rounded to three decimals; 1 when absent.
    #[serde(default = "one", alias = "qty")]
    #[schema(value_type = f64, example = 1)]
    pub quantity: Quantity,
    /// Net price of one, in cents; negative for what is taken off.
    #[serde(alias = "price_cents", alias = "amount_cents")]
    pub unit_cents: i64,
}

fn one() -> Quantity {
    Quantity::ONE
}

impl Item {
    /// What the line comes to; a line that overflows is refused before it is saved.
    pub fn total_cents(&self) -> i64 {
        money::line_total(self.unit_cents, self.quantity.0).unwrap_or(0)
    }
}

/// What a quote adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    pub subtotal_cents: i64,
    pub discount_cents: i64,
    pub tax_cents: i64,
    pub total_cents: i64,
}

/// Adds `items` up, or says which field stands in the way.
pub fn add_up(items: &[Item], discount_cents: i64, tax_basis_points: u32) -> Result<Sum> {
    let too_much = || Error::field("items", "These lines add up to more than can be quoted.");
    let mut subtotal_cents: i64 = 0;
    for item in items {
        let line = money::line_total(item.unit_cents, item.quantity.0).ok_or_else(too_much)?;
        subtotal_cents = subtotal_cents.checked_add(line).ok_or_else(too_much)?;
    }
    if subtotal_cents > LARGEST_CENTS {
        return Err(too_much());
    }
    if subtotal_cents < 0 {
        return Err(Error::field("items", "The lines take off more than they add up to."));
    }
    if discount_cents > subtotal_cents {
        return Err(Error::field("discount_cents", "The discount is more than the lines add up to."));
    }
    let net = subtotal_cents - discount_cents;
    let tax_cents = money::tax(net, tax_basis_points).ok_or_else(too_much)?;
    Ok(Sum { subtotal_cents, discount_cents, tax_cents, total_cents: net + tax_cents })
}

/// Trims the lines and refuses what cannot be shown.
pub fn checked(items: Vec<Item>) -> Result<Vec<Item>> {
    let mut errors = FieldErrors::new();
    if items.len() > MOST_LINES {
        errors.insert("items".into(), most_lines(items.len()));
    }
    let mut kept = Vec::with_capacity(items.len());
    for (row, mut item) in items.into_iter().take(MOST_LINES).enumerate() {
        item.name = clean::line(&item.name).unwrap_or_default();
        item.description =
            item.description.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if item.name.is_empty() {
            errors.insert(format!("items[{row}].name").into(), "Say what this line is for.".into());
        } else if item.name.chars().count() > 200 {
            errors.insert(format!("items[{row}].name").into(), "A name has 200 characters at most.".into());
        }
        if item.description.as_ref().is_some_and(|text| text.chars().count() > 1_000) {
            errors.insert(
                format!("items[{row}].description").into(),
                "A description has 1,000 characters at most.".into(),
            );
        }
        if item.unit_cents.abs() > LARGEST_CENTS {
            errors.insert(format!("items[{row}].unit_cents").into(), "This price is too large.".into());
        }
        kept.push(item);
    }
    if errors.is_empty() { Ok(kept) } else { Err(Error::Invalid(errors)) }
}

/// Reads stored lines. What does not have the shape of one is left out rather than refused, because any program may
/// write quotes with plain SQL, and the page of a quote must stand.
pub fn read(value: &Value) -> Vec<Item> {
    value.as_array().into_iter().flatten().filter_map(line).map(|line| line.item).collect()
}

/// Lines that a program handed in with the rest of what it knows.
pub struct Foreign {
    pub items: Vec<Item>,
    /// Whether every line says what it costs, so that they can be held against the total.
    pub priced: bool,
}

/// Reads the lines in a quote's `data`; `None` when nothing there has the shape of one. Otherwise a line that cannot be
/// read is refused: left out, the quote would come to something else.
pub fn foreign(value: &Value) -> Result<Option<Foreign>> {
    let Some(list) = value.as_array() else { return Ok(None) };
    let lines: Vec<Option<Line>> = list.iter().map(line).collect();
    if lines.iter().all(Option::is_none) {
        return Ok(None);
    }
    let mut errors = FieldErrors::new();
    if list.len() > MOST_LINES {
        errors.insert("items".into(), most_lines(list.len()));
    }
    let mut foreign = Foreign { items: Vec::with_capacity(lines.len()), priced: true };
    for (row, line) in lines.into_iter().enumerate().take(MOST_LINES) {
        let Some(line) = line else {
            errors.insert(format!("items[{row}]").into(), "A line is an object or a text.".into());
            continue;
        };
        for (field, words) in line.faults {
            errors.insert(format!("items[{row}].{field}").into(), words.into());
        }
        foreign.priced &= line.priced;
        foreign.items.push(line.item);
    }
    if errors.is_empty() { Ok(Some(foreign)) } else { Err(Error::Invalid(errors)) }
}

fn most_lines(given: usize) -> String {
    format!("A quote has {MOST_LINES} lines at most; these are {given}.")
}

/// A line as somebody else wrote it.
struct Line {
    /// With what could not be read as if it had not been said.
    item: Item,
    priced: bool,
    /// Fields that could not be read, and what belongs there.
    faults: Vec<(&'static str, &'static str)>,
}

fn line(value: &Value) -> Option<Line> {
    let item = |name: String| Item { name, description: None, quantity: Quantity::ONE, unit_cents: 0 };
    if let Some(name) = value.as_str() {
        return Some(Line { item: item(name.to_owned()), priced: false, faults: Vec::new() });
    }
    let map = value.as_object()?;
    let mut faults = Vec::new();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let name = field(map, &["name", "title"], "Send a text.", text, &mut faults);
    let description = field(map, &["description"], "Send a text.", text, &mut faults);
    let quantity = field(map, &["quantity", "qty"], QUANTITY, quantity_of, &mut faults);
    let prices = &["unit_cents", "price_cents", "amount_cents"];
    let cents =
        field(map, prices, "A price is a whole number of cents, such as 1050.", cents_of, &mut faults);
    let (name, description) = match name {
        Some(name) => (name, description),
        None => (description.unwrap_or_else(|| "Item".to_owned()), None),
    };
    let item = Item {
        description,
        quantity: quantity.unwrap_or(Quantity::ONE),
        unit_cents: cents.unwrap_or(0),
        ..item(name)
    };
    Some(Line { item, priced: cents.is_some(), faults })
}

/// The first of these fields that says anything; a fault when it cannot be read.
fn field<T>(
    map: &Map<String, Value>,
    names: &[&'static str],
    expected: &'static str,
    read: impl Fn(&Value) -> Option<T>,
    faults: &mut Vec<(&'static str, &'static str)>,
) -> Option<T> {
    let (name, value) =
        names.iter().find_map(|name| Some((*name, map.get(*name).filter(|value| !value.is_null())?)))?;
    let read = read(value);
    if read.is_none() {
        faults.push((name, expected));
    }
    read
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn item(quantity: &str, unit_cents: i64) -> Item {
        Item {
            name: "Work".into(),
            description: None,
            quantity: Quantity::parse(quantity).unwrap(),
            unit_cents,
        }
    }

    #[test]
    fn quantities_are_exact_or_refused() {
        for (text, thousandths) in [
            ("1", 1_000),
            ("2.5", 2_500),
            (".125", 125),
            ("1,5", 1_500),
            ("0.001", 1),
            ("1000000", 1_000_000_000),
        ] {
            assert_eq!(Quantity::parse(text), Some(Quantity(thousandths)), "{text}");
        }
        for text in ["", ".", "0", "0.000", "-1", "1.2345", "1e3", "1000001", "one", "١"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
        assert_eq!(serde_json::to_value(Quantity(2_500)).unwrap(), json!(2.5));
        assert_eq!(serde_json::to_value(Quantity(3_000)).unwrap(), json!(3));
        assert_eq!(serde_json::from_value::<Quantity>(json!(0.1)).unwrap(), Quantity(100));
        assert!(serde_json::from_value::<Quantity>(json!(0.0001)).is_err());
        assert!(serde_json::from_value::<Quantity>(json!(null)).is_err());
    }

    #[test]
    fn sums_are_those_of_the_paper() {
        let lines = [item("1", 109_000), item("1", 12_000)];
        let sum = add_up(&lines, 0, 612).unwrap();
        assert_eq!((sum.subtotal_cents, sum.tax_cents, sum.total_cents), (121_000, 7_405, 128_405));
        let sum = add_up(&[item("2.5", 3_333)], 333, 1_000).unwrap();
        assert_eq!((sum.subtotal_cents, sum.tax_cents, sum.total_cents), (8_333, 800, 8_800));
        assert!(add_up(&lines, 121_001, 0).is_err());
        assert!(add_up(&[item("1", -5)], 0, 0).is_err());
        assert!(add_up(&[item("1000000", LARGEST_CENTS), item("1", i64::MAX)], 0, 0).is_err());
        assert_eq!(add_up(&[], 0, 1_000).unwrap(), Sum::default());
    }

    #[test]
    fn foreign_lines_are_read_kindly() {
        let lines = read(&json!([
            {"name": "Heater", "qty": "2", "price_cents": 500},
            {"description": "Vent kit", "quantity": {"a": 1}},
            "Haul away",
            7,
            {"title": "T", "unit_cents": 1.5},
            {"name": "Pipe", "quantity": 10.12345, "unit_cents": "1050"}
        ]));
        let told: Vec<_> =
            lines.iter().map(|line| (line.name.as_str(), line.quantity.0, line.unit_cents)).collect();
        assert_eq!(
            told,
            [
                ("Heater", 2_000, 500),
                ("Vent kit", 1_000, 0),
                ("Haul away", 1_000, 0),
                ("T", 1_000, 0),
                ("Pipe", 10_123, 1_050)
            ]
        );
        assert!(read(&json!({"a": 1})).is_empty());
    }

    #[test]
    fn lines_that_are_handed_in_are_read_whole_or_refused() {
        let good = foreign(&json!([
            {"name": "Heater", "quantity": "10.50", "unit_cents": "1050"},
            {"name": "Vent", "qty": 0.30000000000000004, "price_cents": 1050.0},
        ]));
        let good = good.unwrap().unwrap();
        let told: Vec<_> = good.items.iter().map(|line| (line.quantity.0, line.unit_cents)).collect();
        assert_eq!((told, good.priced), (vec![(10_500, 1_050), (300, 1_050)], true));
        assert!(!foreign(&json!([{"name": "Heater", "price": 3}])).unwrap().unwrap().priced);
        for nothing in [json!([]), json!([1, null]), json!("no list"), json!({"a": 1})] {
            assert!(foreign(&nothing).unwrap().is_none(), "{nothing}");
        }
        for (bad, field) in [
            (json!({"name": "A", "quantity": "2 pcs"}), "items[0].quantity"),
            (json!({"name": "A", "quantity": 0}), "items[0].quantity"),
            (json!({"name": "A", "unit_cents": "10.50"}), "items[0].unit_cents"),
            (json!({"name": 5}), "items[0].name"),
        ] {
            let Err(Error::Invalid(errors)) = foreign(&json!([bad])) else { panic!("{bad} was taken") };
            assert!(errors.contains_key(field), "{errors:?}");
        }
        let Err(Error::Invalid(errors)) = foreign(&json!(["A", 7])) else { panic!("not refused") };
        assert!(errors.contains_key("items[1]"), "{errors:?}");
        let Err(Error::Invalid(errors)) = foreign(&json!(vec!["A"; 250])) else { panic!("not refused") };
        assert_eq!(errors["items"], "A quote has 200 lines at most; these are 250.");
    }

    proptest! {
        #[test]
        fn a_quantity_survives_its_text(thousandths in 1..=1_000_000_000_i64) {
            prop_assert_eq!(Quantity::parse(&Quantity(thousandths).text()), Some(Quantity(thousandths)));
        }

        #[test]
        fn totals_are_the_sum_of_their_parts(
            lines in prop::collection::vec((1..100_000_i64, 0..10_000_000_i64), 0..20), discount in 0..1_000_i64, rate in 0..10_000_u32,
        ) {
            let items: Vec<Item> = lines.into_iter().map(|(quantity, unit_cents)| Item {
                name: "x".into(), description: None, quantity: Quantity(quantity), unit_cents,
            }).collect();
            if let Ok(sum) = add_up(&items, discount, rate) {
                prop_assert_eq!(sum.total_cents, sum.subtotal_cents - sum.discount_cents + sum.tax_cents);
                prop_assert!(sum.total_cents >= 0);
            }
        }
    }
}
