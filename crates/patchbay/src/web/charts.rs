//! Geometry for the small charts: totals that split, lines, columns.
//!
//! Coordinates are computed here and written as SVG attributes, because the content security
//! policy admits no inline style. Every chart is accompanied by its numbers as text; the drawing
//! is decoration to a screen reader.

/// One part of a total.
#[derive(Debug, Clone)]
pub struct Part {
    pub label: String,
    /// A line of smaller text: "quiet hours 17,310 · warm-up 4,567".
    pub detail: String,
    pub mark: Mark,
    pub count: u64,
    /// `count`, formatted.
    pub amount: String,
    pub href: Option<String>,
}

/// The colour of a part; always beside its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Good,
    Calm,
    Wait,
    Stop,
    Fail,
    Rest,
    Cord,
}

impl Mark {
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "mark-good",
            Self::Calm => "mark-calm",
            Self::Wait => "mark-wait",
            Self::Stop => "mark-stop",
            Self::Fail => "mark-fail",
            Self::Rest => "mark-rest",
            Self::Cord => "mark-cord",
        }
    }
}

/// A total that splits: a bar, a table under it, and a last row that says whether it balances.
#[derive(Debug, Clone)]
pub struct Breakdown {
    pub parts: Vec<Part>,
    /// What the parts must add up to, counted on its own.
    pub total: u64,
    /// `total`, formatted.
    pub amount: String,
}

/// A rectangle of a bar: positions in percent of its width.
#[derive(Debug, Clone)]
pub struct Stretch {
    pub x: String,
    pub width: String,
    pub mark: Mark,
}

impl Breakdown {
    pub fn balances(&self) -> bool {
        self.parts.iter().map(|part| part.count).sum::<u64>() == self.total
    }

    /// The stretches of the bar, empty parts left out.
    pub fn stretches(&self) -> Vec<Stretch> {
        let sum: u64 = self.parts.iter().map(|part| part.count).sum();
        let mut x = 0.0;
        self.parts
            .iter()
            .filter(|part| part.count > 0)
            .map(|part| {
                let width = 100.0 * ratio(part.count, sum);
                let stretch = Stretch { x: percent(x), width: percent(width), mark: part.mark };
                x += width;
                stretch
            })
            .collect()
    }

    /// A part's share of the whole, as text: "61.2%".
    pub fn share(&self, part: &Part) -> String {
        format!("{:.1}%", 100.0 * ratio(part.count, self.total))
    }
}

/// A line without axes, beside a number.
#[derive(Debug, Clone)]
pub struct Spark {
    pub line: String,
    pub area: String,
    pub mark: Mark,
    /// What a screen reader says: "Rising from 12 to 40 in seven days".
    pub label: String,
}

impl Spark {
    /// Points from left to right, scaled into a box of 100 by 30 with nought at the foot.
    pub fn new(points: &[f64], mark: Mark, label: impl Into<String>) -> Self {
        let top = points.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let step = 100.0 / (points.len().max(2) - 1) as f64;
        let at =
            |(i, value): (usize, &f64)| format!("{:.1} {:.1}", i as f64 * step, 29.0 - 27.0 * value / top);
        let path = points.iter().enumerate().map(at).collect::<Vec<_>>().join("L");
        let (line, area) = if path.is_empty() {
            (String::new(), String::new())
        } else {
            (format!("M{path}"), format!("M0 30L{path}L100 30Z"))
        };
        Self { line, area, mark, label: label.into() }
    }
}

/// Columns over time or by kind: each a label, a value and the value as text.
#[derive(Debug, Clone)]
pub struct Columns {
    pub bars: Vec<Bar>,
    /// The largest value, as text, for the upper grid line.
    pub top: String,
    pub label: String,
}

#[derive(Debug, Clone)]
pub struct Bar {
    pub label: String,
    pub amount: String,
    pub x: String,
    /// Where the middle of the column is, for its label.
    pub middle: String,
    pub width: String,
    pub y: String,
    pub height: String,
    pub mark: Mark,
}

impl Columns {
    /// `(label, value, text)` from left to right; heights in percent of the largest value.
    pub fn new(values: &[(String, f64, String)], mark: Mark, label: impl Into<String>) -> Self {
        let top = values.iter().map(|(_, value, _)| *value).fold(f64::MIN_POSITIVE, f64::max);
        let slot = 100.0 / values.len().max(1) as f64;
        let bars = values
            .iter()
            .enumerate()
            .map(|(i, (name, value, amount))| {
                let height = 100.0 * value / top;
                let left = i as f64 * slot;
                Bar {
                    label: name.clone(),
                    amount: amount.clone(),
                    x: percent(left + slot * 0.14),
                    middle: percent(left + slot / 2.0),
                    width: percent(slot * 0.72),
                    y: percent(100.0 - height),
                    height: percent(height),
                    mark,
                }
            })
            .collect();
        let largest =
            values.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|v| v.2.clone()).unwrap_or_default();
        Self { bars, top: largest, label: label.into() }
    }
}

/// Lines over time, with axes: what one would draw to show how something came about.
#[derive(Debug, Clone)]
pub struct Lines {
    pub series: Vec<Line>,
    /// Horizontal rules from the top down: place in percent, and the number there.
    pub rules: Vec<(String, String)>,
    /// Labels below: place in percent, how they are anchored, the words.
    pub ticks: Vec<(String, &'static str, String)>,
    /// One per moment, as wide as it reaches, telling its numbers.
    pub slots: Vec<Slot>,
    pub label: String,
    /// Instead of lines where there are too few moments for one: bars side by side.
    pub bars: Vec<Bar>,
}

#[derive(Debug, Clone)]
pub struct Line {
    pub label: String,
    pub mark: Mark,
    /// The sum over all moments, formatted.
    pub total: String,
    pub path: String,
    pub area: String,
}

#[derive(Debug, Clone)]
pub struct Slot {
    pub x: String,
    pub width: String,
    pub title: String,
}

impl Lines {
    /// `labels` name the moments from left to right; every series has a value for each.
    pub fn new(labels: &[String], series: &[(&str, Mark, Vec<f64>)], label: impl Into<String>) -> Self {
        let most = series.iter().flat_map(|(_, _, values)| values).copied().fold(0.0, f64::max);
        let top = round_up(most);
        let step = 100.0 / labels.len().saturating_sub(1).max(1) as f64;
        let line = |(name, mark, values): &(&str, Mark, Vec<f64>)| {
            let points: Vec<String> = values
                .iter()
                .enumerate()
                .map(|(i, value)| format!("{:.2} {:.2}", i as f64 * step, 100.0 - 100.0 * value / top))
                .collect();
            let path = points.join("L");
            let total = whole(values.iter().sum());
            let (path, area) = if path.is_empty() {
                (String::new(), String::new())
            } else {
                (format!("M{path}"), format!("M0 100L{path}L100 100Z"))
            };
            Line { label: (*name).to_owned(), mark: *mark, total, path, area }
        };
        let slots = labels.iter().enumerate().map(|(i, moment)| {
            let numbers: Vec<String> = series
                .iter()
                .map(|(name, _, values)| {
                    format!("{name}: {}", whole(values.get(i).copied().unwrap_or_default()))
                })
                .collect();
            let (left, right) = ((i as f64 - 0.5) * step, (i as f64 + 0.5) * step);
            let (left, right) = (left.max(0.0), right.clamp(0.0, 100.0));
            Slot {
                x: percent(left),
                width: percent(if labels.len() == 1 { 100.0 } else { right - left }),
                title: format!("{moment}\n{}", numbers.join("\n")),
            }
        });
        Self {
            series: series.iter().map(line).collect(),
            rules: [1.0, 0.5, 0.0].map(|part| (percent(100.0 - 100.0 * part), whole(top * part))).into(),
            ticks: ticks(labels, step),
            slots: slots.collect(),
            label: label.into(),
            bars: if labels.len() < FEW { bars(labels, series, top) } else { Vec::new() },
        }
    }

    /// Whether there is nothing to draw.
    pub fn is_flat(&self) -> bool {
        self.series.iter().all(|line| line.total == "0")
    }
}

/// So few moments are bars: a line through two points would claim what was between them.
const FEW: usize = 3;

/// The bars of all series, side by side at each moment.
fn bars(labels: &[String], series: &[(&str, Mark, Vec<f64>)], top: f64) -> Vec<Bar> {
    const WIDTH: f64 = 6.0;
    let slot = 100.0 / labels.len().max(1) as f64;
    let mut bars = Vec::new();
    for (place, moment) in labels.iter().enumerate() {
        let left = (place as f64 + 0.5) * slot - WIDTH * series.len() as f64 / 2.0;
        for (nth, (name, mark, values)) in series.iter().enumerate() {
            let value = values.get(place).copied().unwrap_or_default();
            let (x, height) = (left + nth as f64 * WIDTH, 100.0 * value / top);
            bars.push(Bar {
                label: format!("{moment}, {name}"),
                amount: whole(value),
                x: percent(x + WIDTH * 0.08),
                middle: percent(x + WIDTH / 2.0),
                width: percent(WIDTH * 0.84),
                y: percent(100.0 - height),
                height: percent(height),
                mark: *mark,
            });
        }
    }
    bars
}

/// The first, the last and what fits between.
fn ticks(labels: &[String], step: f64) -> Vec<(String, &'static str, String)> {
    if labels.len() < FEW {
        let slot = 100.0 / labels.len().max(1) as f64;
        let under =
            |(place, label): (usize, &String)| (percent((place as f64 + 0.5) * slot), "few", label.clone());
        return labels.iter().enumerate().map(under).collect();
    }
    let Some(last) = labels.len().checked_sub(1) else { return Vec::new() };
    let mut places: Vec<usize> = (0..=3).map(|part| last * part / 3).collect();
    places.dedup();
    let anchor = |place| match place {
        0 => "start",
        place if place == last => "end",
        _ => "middle",
    };
    places
        .into_iter()
        .map(|place| (percent(place as f64 * step), anchor(place), labels[place].clone()))
        .collect()
}

/// A round number at least as large, and even, so that the middle rule is a whole number too.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.max(2.0).log10().floor());
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|part| part * power)
        .find(|top| *top >= value && top % 2.0 == 0.0)
        .unwrap_or(10.0 * power)
}

/// "12,400".
fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::with_capacity(digits.len() + 4);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn ratio(count: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { count as f64 / of as f64 }
}

fn percent(value: f64) -> String {
    format!("{value:.3}%")
}
