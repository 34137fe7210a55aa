//! What was measured, as a table for people and as JSON for the next run.

use std::{fmt::Write as _, fs, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Result, failed};

/// One number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measure {
    pub name: String,
    pub value: f64,
    pub unit: String,
    /// What it should reach (or stay below).
    pub bar: Option<f64>,
    /// Whether more is better.
    pub more_is_better: bool,
}

impl Measure {
    /// A number to know.
    pub fn new(name: impl Into<String>, value: f64, unit: &str) -> Self {
        Self { name: name.into(), value, unit: unit.to_owned(), bar: None, more_is_better: false }
    }

    /// A number that should be at least `bar`.
    pub fn at_least(self, bar: f64) -> Self {
        Self { bar: Some(bar), more_is_better: true, ..self }
    }

    /// A number that should be below `bar`.
    pub fn below(self, bar: f64) -> Self {
        Self { bar: Some(bar), more_is_better: false, ..self }
    }

    fn is_met(&self) -> Option<bool> {
        self.bar.map(|bar| if self.more_is_better { self.value >= bar } else { self.value < bar })
    }
}

/// A run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// Cores and memory.
    pub machine: String,
    pub version: String,
    /// Numbers of a build without optimisation say nothing about speed.
    pub optimised: bool,
    pub measures: Vec<Measure>,
    #[serde(skip)]
    former: Option<Box<Self>>,
}

impl Report {
    pub(super) fn new(former: Option<Self>) -> Self {
        Self {
            machine: machine(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            optimised: !cfg!(debug_assertions),
            measures: Vec::new(),
            former: former.map(Box::new),
        }
    }

    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).map_err(failed("The former result cannot be read"))?;
        serde_json::from_str(&text).map_err(failed("The former result is not one"))
    }

    pub(super) fn add(&mut self, measures: Vec<Measure>) {
        self.measures.extend(measures);
    }

    /// For machines, and for `--compare`.
    pub fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// A table in Markdown.
    pub fn table(&self) -> String {
        let mut text = format!("{}, version {}", self.machine, self.version);
        if !self.optimised {
            text.push_str(" (not optimised: the numbers say nothing about speed)");
        }
        text.push_str("\n\n| what | measured | bar | |");
        text.push_str(if self.former.is_some() {
            " before |\n|---|---:|---:|---|---:|\n"
        } else {
            "\n|---|---:|---:|---|\n"
        });
        for measure in &self.measures {
            let bar = measure.bar.map_or_else(String::new, |bar| {
                format!("{} {} {}", if measure.more_is_better { "≥" } else { "<" }, digits(bar), measure.unit)
            });
            let verdict = match measure.is_met() {
                Some(true) => "met",
                Some(false) => "**missed**",
                None => "",
            };
            let _ = write!(
                text,
                "| {} | {} {} | {bar} | {verdict} |",
                measure.name,
                digits(measure.value),
                measure.unit
            );
            if let Some(former) = &self.former {
                let before = former.measures.iter().find(|one| one.name == measure.name);
                let told = before.map_or_else(String::new, |one| {
                    let change = (measure.value / one.value - 1.0) * 100.0;
                    format!("{} ({change:+.0} %)", digits(one.value))
                });
                let _ = write!(text, " {told} |");
            }
            text.push('\n');
        }
        text
    }
}

/// Three significant digits, thousands set apart.
fn digits(value: f64) -> String {
    if value.abs() < 10.0 {
        return format!("{value:.2}");
    }
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let whole = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && digit.is_ascii_digit() {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| text.lines().next()?.split_whitespace().nth(1)?.parse::<f64>().ok())
        .map_or_else(String::new, |kilobytes| format!(", {:.0} GB memory", kilobytes / 1024.0 / 1024.0));
    format!("{cores} cores{memory}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_people_write_them() {
        for (value, told) in [
            (0.1234, "0.12"),
            (12.34, "12.3"),
            (123.4, "123"),
            (12_345.0, "12,345"),
            (1_234_567.0, "1,234,567"),
        ] {
            assert_eq!(digits(value), told);
        }
    }

    #[test]
    fn a_table_tells_what_is_met_and_what_changed() {
        let mut former = Report::new(None);
        former.add(vec![Measure::new("speed", 50.0, "/s").at_least(80.0)]);
        let former: Report = serde_json::from_value(former.json()).unwrap();
        let mut report = Report::new(Some(former));
        report.add(vec![
            Measure::new("speed", 100.0, "/s").at_least(80.0),
            Measure::new("size", 90.0, "kB").below(80.0),
        ]);
        let table = report.table();
        assert!(table.contains("| speed | 100 /s | ≥ 80.0 /s | met | 50.0 (+100 %) |"), "{table}");
        assert!(table.contains("| size | 90.0 kB | < 80.0 kB | **missed** |  |"), "{table}");
    }
}
