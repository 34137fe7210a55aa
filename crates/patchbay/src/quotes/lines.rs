//! The lines of a quote and what they add up to. Integers only; the tax is on what remains after the discount.

use patchbay_rules::money;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::error::{Error, FieldErrors, Result};

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
        let text = text.trim();
        let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && part.is_empty())
            || whole.len() > 7
            || part.len() > 3
            || !digits(whole)
            || !digits(part)
        {
            return None;
        }
        let thousandths = format!("{:0>1}{part:0<3}", whole).parse::<i64>().ok()?;
        (1..=1_000_000_000).contains(&thousandths).then_some(Self(thousandths))
    }
}

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
        quantity_of(&value)
            .ok_or_else(|| de::Error::custom("a quantity is a number above 0 with at most three decimals"))
    }
}

fn quantity_of(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = QuoteItem)]
pub struct Item {
    #[serde(alias = "title")]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Up to three decimals; 1 when absent.
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
        errors.insert("items".into(), format!("A quote has {MOST_LINES} lines at most."));
    }
    let mut clean = Vec::with_capacity(items.len());
    for (row, mut item) in items.into_iter().take(MOST_LINES).enumerate() {
        item.name = item.name.trim().to_owned();
        item.description =
            item.description.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if item.name.is_empty() {
            errors.insert(format!("items[{row}].name").into(), "Say what this line is for.".into());
        } else if item.name.chars().count() > 200 || item.name.contains('\0') {
            errors.insert(format!("items[{row}].name").into(), "A name has 200 characters at most.".into());
        }
        if item.description.as_ref().is_some_and(|text| text.chars().count() > 1_000 || text.contains('\0')) {
            errors.insert(
                format!("items[{row}].description").into(),
                "A description has 1,000 characters at most.".into(),
            );
        }
        if item.unit_cents.abs() > LARGEST_CENTS {
            errors.insert(format!("items[{row}].unit_cents").into(), "This price is too large.".into());
        }
        clean.push(item);
    }
    if errors.is_empty() { Ok(clean) } else { Err(Error::Invalid(errors)) }
}

/// Reads stored or foreign lines; what does not have the shape of one is left out rather than refused, because any
/// program may write quotes.
pub fn read(value: &Value) -> Vec<Item> {
    let Some(list) = value.as_array() else { return Vec::new() };
    list.iter().take(MOST_LINES).filter_map(line).collect()
}

fn line(value: &Value) -> Option<Item> {
    if let Some(name) = value.as_str() {
        return Some(Item {
            name: name.to_owned(),
            description: None,
            quantity: Quantity::ONE,
            unit_cents: 0,
        });
    }
    let map = value.as_object()?;
    let text = |keys: &[&str]| keys.iter().find_map(|key| map.get(*key)?.as_str()).map(str::to_owned);
    let cents = |keys: &[&str]| keys.iter().find_map(|key| map.get(*key)?.as_i64());
    let name = text(&["name", "title"]);
    let description = text(&["description"]);
    let (name, description) = match name {
        Some(name) => (name, description),
        None => (description.unwrap_or_else(|| "Item".to_owned()), None),
    };
    Some(Item {
        name,
        description,
        quantity: ["quantity", "qty"]
            .iter()
            .find_map(|key| quantity_of(map.get(*key)?))
            .unwrap_or(Quantity::ONE),
        unit_cents: cents(&["unit_cents", "price_cents", "amount_cents"]).unwrap_or(0),
    })
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
            {"title": "T", "unit_cents": 1.5}
        ]));
        let told: Vec<_> =
            lines.iter().map(|line| (line.name.as_str(), line.quantity.0, line.unit_cents)).collect();
        assert_eq!(
            told,
            [("Heater", 2_000, 500), ("Vent kit", 1_000, 0), ("Haul away", 1_000, 0), ("T", 1_000, 0)]
        );
        assert!(read(&json!({"a": 1})).is_empty());
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
