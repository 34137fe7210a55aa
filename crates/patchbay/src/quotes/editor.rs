//! The editor's form: what was typed, kept as typed, and what it means.

use chrono::NaiveDate;
use patchbay_rules::money;
use serde_json::Value;
use uuid::Uuid;

use super::{Item, NewQuote, Quantity, Quote, QuoteChange, Sum, add_up, typed};
use crate::{
    error::{Error, FieldErrors, Result},
    web::patch::Patch,
};

/// Where a quote keeps the percentage that its discount was typed as, in basis points.
const DISCOUNT_RATE: &str = "discount_basis_points";

/// The percentage that the discount was typed as, while it still is that of the lines.
fn percentage(quote: &Quote) -> Option<u32> {
    let rate = u32::try_from(quote.data.get(DISCOUNT_RATE)?.as_u64()?).ok()?;
    let subtotal = quote.items.iter().map(Item::total_cents).fold(0, i64::saturating_add);
    (money::tax(subtotal, rate) == Some(quote.discount_cents)).then_some(rate)
}

/// One line as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub name: String,
    pub description: String,
    pub quantity: String,
    pub price: String,
}

impl Line {
    /// A line that nobody has touched: it is left out rather than complained about.
    pub fn is_blank(&self) -> bool {
        self.name.trim().is_empty() && self.description.trim().is_empty() && self.price.trim().is_empty()
    }
}

/// The whole form as typed.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub contact_id: Option<Uuid>,
    pub title: String,
    pub currency: String,
    pub lines: Vec<Line>,
    pub discount: String,
    pub tax: String,
    pub terms: String,
    pub expires_on: String,
    /// The button: `send`, `draft`, `save`, or a change of lines.
    pub act: String,
}

impl Typed {
    /// An empty form.
    pub fn blank(contact_id: Option<Uuid>, currency: &str) -> Self {
        Self { contact_id, currency: currency.to_owned(), lines: vec![Line::default()], ..Self::default() }
    }

    /// Reads the fields of the form in the order they were sent; unknown ones are ignored.
    pub fn read(pairs: Vec<(String, String)>) -> Self {
        let mut typed = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "contact_id" => typed.contact_id = Uuid::parse_str(&value).ok(),
                "title" => typed.title = value,
                "currency" => typed.currency = value.trim().to_uppercase(),
                "discount" => typed.discount = value,
                "tax" => typed.tax = value,
                "terms" => typed.terms = value,
                "expires_on" => typed.expires_on = value,
                "act" => typed.act = value,
                // Each line begins with its name.
                "item_name" if typed.lines.len() < 200 => {
                    typed.lines.push(Line { name: value, ..Line::default() })
                }
                "item_description" => typed.last_line().description = value,
                "item_quantity" => typed.last_line().quantity = value,
                "item_price" => typed.last_line().price = value,
                _ => {}
            }
        }
        typed
    }

    fn last_line(&mut self) -> &mut Line {
        if self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.last_mut().expect("there is one now")
    }

    /// The form of a stored quote.
    pub fn of(quote: &Quote) -> Self {
        let amount = |cents: i64| typed::write_amount(cents, &quote.currency);
        let mut lines: Vec<Line> = quote
            .items
            .iter()
            .map(|item| Line {
                name: item.name.clone(),
                description: item.description.clone().unwrap_or_default(),
                quantity: item.quantity.text(),
                price: amount(item.unit_cents),
            })
            .collect();
        if lines.is_empty() {
            // A quote that came with a total only is one line to work on.
            let name = quote.title.clone().unwrap_or_default();
            let net = quote.total_cents - quote.tax_cents;
            lines.push(Line { name, quantity: "1".to_owned(), price: amount(net), ..Line::default() });
        }
        Self {
            contact_id: Some(quote.contact_id),
            title: quote.title.clone().unwrap_or_default(),
            currency: quote.currency.clone(),
            lines,
            discount: match percentage(quote) {
                Some(rate) => super::locale::percent(rate),
                None if quote.discount_cents > 0 => amount(quote.discount_cents),
                None => String::new(),
            },
            tax: typed::write_rate(quote.tax_basis_points),
            terms: quote.terms.clone().unwrap_or_default(),
            expires_on: quote.expires_on.map(|day| day.to_string()).unwrap_or_default(),
            act: String::new(),
        }
    }

    /// Does what a button of the lines says: `add`, `remove:2`, `up:2`, `down:2`. The answer is the line to go on with.
    pub fn rearrange(&mut self) -> Option<usize> {
        let (verb, row) = self.act.split_once(':').unwrap_or((self.act.as_str(), ""));
        let row = row.parse::<usize>().ok().filter(|row| *row < self.lines.len());
        match (verb, row) {
            ("add", _) => self.lines.push(Line::default()),
            ("remove", Some(row)) => {
                self.lines.remove(row);
                if self.lines.is_empty() {
                    self.lines.push(Line::default());
                }
                return Some(row.min(self.lines.len() - 1));
            }
            ("up", Some(row)) if row > 0 => {
                self.lines.swap(row, row - 1);
                return Some(row - 1);
            }
            ("down", Some(row)) if row + 1 < self.lines.len() => {
                self.lines.swap(row, row + 1);
                return Some(row + 1);
            }
            _ => return row,
        }
        Some(self.lines.len() - 1)
    }

    /// What it adds up to so far; a line that cannot be read yet counts nothing.
    pub fn sum(&self) -> (Vec<Option<i64>>, Option<Sum>) {
        let items: Vec<Option<Item>> =
            self.lines.iter().map(|line| self.item(line, &mut |_, _| ())).collect();
        let each = items.iter().map(|item| item.as_ref().map(Item::total_cents)).collect();
        let items: Vec<Item> = items.into_iter().flatten().collect();
        let subtotal = items.iter().map(Item::total_cents).fold(0, i64::saturating_add);
        let discount = typed::read_discount(&self.discount, &self.currency, subtotal).unwrap_or(0);
        (each, add_up(&items, discount, typed::read_rate(&self.tax).unwrap_or(0)).ok())
    }

    /// A line as it will be saved; everything that is wrong with it goes to `wrong`, by field.
    fn item(&self, line: &Line, wrong: &mut impl FnMut(&'static str, String)) -> Option<Item> {
        let quantity = match line.quantity.trim() {
            "" => Some(Quantity::ONE),
            text => Quantity::parse(text),
        };
        if quantity.is_none() {
            wrong("quantity", "Write a number such as 1 or 2.5.".to_owned());
        }
        let unit_cents = typed::read_amount(&line.price, &self.currency);
        if unit_cents.is_none() {
            let example = typed::write_amount(128_400, &self.currency);
            let empty = line.price.trim().is_empty();
            wrong(
                "unit_cents",
                if empty {
                    "Write a price; 0 is fine.".to_owned()
                } else {
                    format!("Write an amount such as {example}.")
                },
            );
        }
        let description = Some(line.description.trim().to_owned()).filter(|text| !text.is_empty());
        let name = line.name.trim().to_owned();
        Some(Item { name, description, quantity: quantity?, unit_cents: unit_cents? })
    }

    /// The meaning of the form, or what is wrong with it, by field. Blank lines are left out; errors name the rows as
    /// they stand on the screen.
    pub fn meaning(&self) -> Result<NewQuote> {
        match self.read_all() {
            (input, errors) if errors.is_empty() => Ok(input),
            (_, errors) => Err(Error::Invalid(errors)),
        }
    }

    /// What can be read, and what is wrong with the rest.
    pub fn read_all(&self) -> (NewQuote, FieldErrors) {
        let mut errors = FieldErrors::new();
        let mut items = Vec::new();
        for (row, line) in self.lines.iter().enumerate().filter(|(_, line)| !line.is_blank()) {
            if line.name.trim().is_empty() {
                errors.insert(format!("items[{row}].name").into(), "Say what this line is for.".into());
            }
            let mut wrong = |field: &'static str, message| {
                errors.insert(format!("items[{row}].{field}").into(), message);
            };
            items.extend(self.item(line, &mut wrong));
        }
        if items.is_empty() && errors.is_empty() {
            errors.insert("items[0].name".into(), "Give the quote a line.".into());
        }
        let subtotal = items.iter().map(Item::total_cents).fold(0, i64::saturating_add);
        let discount_cents =
            typed::read_discount(&self.discount, &self.currency, subtotal).unwrap_or_else(|| {
                errors.insert("discount".into(), "Write an amount, or a percentage such as 10%.".into());
                0
            });
        let tax_basis_points = typed::read_rate(&self.tax).unwrap_or_else(|| {
            errors.insert("tax".into(), "Write a percentage between 0 and 100, such as 10.".into());
            0
        });
        let expires_on = match self.expires_on.trim() {
            "" => None,
            day => day
                .parse::<NaiveDate>()
                .map_err(|_| {
                    drop(errors.insert("expires_on".into(), "Write a date such as 2026-12-05.".into()))
                })
                .ok(),
        };
        let contact_id = self.contact_id.unwrap_or_else(|| {
            errors.insert("contact_id".into(), "Choose whom the quote is for.".into());
            Uuid::nil()
        });
        let rate = self.discount.trim().strip_suffix('%').and_then(typed::read_rate).filter(|rate| *rate > 0);
        let input = NewQuote {
            contact_id,
            title: Some(self.title.clone()),
            items,
            total_cents: None,
            currency: Some(self.currency.clone()),
            tax_basis_points,
            discount_cents,
            terms: Some(self.terms.clone()),
            expires_on,
            draft: self.act != "send",
            data: rate.map(|rate| (DISCOUNT_RATE.to_owned(), Value::from(rate))).into_iter().collect(),
            ..NewQuote::default()
        };
        (input, errors)
    }

    /// The same as a change of `quote`.
    pub fn change(&self, quote: &Quote) -> Result<QuoteChange> {
        let meant = self.meaning()?;
        let text = |value: Option<String>| match value.filter(|text| !text.trim().is_empty()) {
            Some(text) => Patch::Set(text),
            None => Patch::Clear,
        };
        let mut data = quote.data.as_object().cloned().unwrap_or_default();
        data.remove(DISCOUNT_RATE);
        data.extend(meant.data);
        Ok(QuoteChange {
            data: (quote.data.as_object() != Some(&data)).then_some(data),
            title: text(meant.title),
            items: Some(meant.items),
            currency: meant.currency,
            tax_basis_points: Some(meant.tax_basis_points),
            discount_cents: Some(meant.discount_cents),
            terms: text(meant.terms),
            expires_on: meant.expires_on.map_or(Patch::Clear, Patch::Set),
            draft: (quote.held && self.act == "send").then_some(false),
            ..QuoteChange::default()
        })
    }

    /// An amount of this form, for the screen.
    pub fn money(&self, cents: i64) -> String {
        money::format(cents, &self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Typed {
        Typed::read(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn lines_are_read_in_order_and_rearranged() {
        let mut typed = form(&[
            ("currency", "aud"),
            ("item_name", "A"),
            ("item_quantity", "2"),
            ("item_price", "1.50"),
            ("item_name", "B"),
            ("item_description", "b"),
            ("item_quantity", ""),
            ("item_price", "10"),
            ("item_name", ""),
            ("item_price", ""),
            ("tax", "10"),
            ("discount", "10%"),
            ("act", "up:1"),
        ]);
        let (each, sum) = typed.sum();
        assert_eq!(each, [Some(300), Some(1_000), None]);
        assert_eq!(sum.unwrap().total_cents, 1_287);
        assert_eq!(typed.rearrange(), Some(0));
        assert_eq!(typed.lines[0].name, "B");
        typed.act = "remove:2".into();
        assert_eq!(typed.rearrange(), Some(1));
        for odd in ["remove:9", "up:0", "down:1", "up:x", "nonsense", ""] {
            let before = typed.lines.clone();
            typed.act = odd.into();
            typed.rearrange();
            assert_eq!(typed.lines, before, "{odd}");
        }
        typed.act = "add".into();
        assert_eq!((typed.rearrange(), typed.lines.len()), (Some(2), 3));
    }

    #[test]
    fn errors_name_the_rows_on_the_screen() {
        let typed = form(&[
            ("currency", "AUD"),
            ("item_name", ""),
            ("item_name", "A"),
            ("item_quantity", "many"),
            ("item_price", "ten"),
            ("item_name", "B"),
            ("item_quantity", "0"),
            ("item_price", "1"),
            ("expires_on", "soon"),
            ("tax", "many"),
            ("discount", "some"),
        ]);
        let Err(Error::Invalid(errors)) = typed.meaning() else { panic!("valid") };
        let fields: Vec<&str> = errors.keys().map(|field| &**field).collect();
        assert_eq!(
            fields,
            [
                "contact_id",
                "discount",
                "expires_on",
                "items[1].quantity",
                "items[1].unit_cents",
                "items[2].quantity",
                "tax"
            ]
        );
    }
}
