//! Form fields as data: label, what was typed, hint, error, and the control that takes it.
//!
//! A handler builds the fields once, from stored values or from what was just posted, and puts
//! errors where they belong; `macros.html` draws them with their accessible names and
//! descriptions. Names are those of the API.

use std::borrow::Cow;

/// What a form says above its fields when some of them cannot be saved.
pub const NOT_SAVED: &str = "Not saved yet: look at the marked fields.";

/// One field of a form.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: Cow<'static, str>,
    pub label: String,
    pub value: String,
    pub hint: String,
    /// Empty when the value is fine.
    pub error: String,
    pub control: Control,
    pub required: bool,
    pub disabled: bool,
    pub autofocus: bool,
    /// The `autocomplete` token; empty turns completion off.
    pub autocomplete: &'static str,
    pub placeholder: String,
    /// A unit or currency after the control.
    pub suffix: String,
}

/// What takes the value.
#[derive(Debug, Clone)]
pub enum Control {
    /// An `<input>` of this type: `text`, `email`, `tel`, `number`, `date`, `datetime-local`, …
    Input(&'static str),
    /// As many lines as it needs, at least three.
    Text,
    Select(Vec<Choice>),
    /// One of a few, all visible.
    Radios(Vec<Choice>),
    /// A single yes or no with its label beside it; `value` is `true` or empty.
    Tick,
}

#[derive(Debug, Clone)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub hint: String,
    pub chosen: bool,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>, chosen: bool) -> Self {
        Self { value: value.into(), label: label.into(), hint: String::new(), chosen }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl Field {
    /// A one-line text field; the other constructors start from it.
    pub fn text(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            value: String::new(),
            hint: String::new(),
            error: String::new(),
            control: Control::Input("text"),
            required: false,
            disabled: false,
            autofocus: false,
            autocomplete: "off",
            placeholder: String::new(),
            suffix: String::new(),
        }
    }

    pub fn input(name: impl Into<Cow<'static, str>>, kind: &'static str, label: impl Into<String>) -> Self {
        Self::text(name, label).control(Control::Input(kind))
    }

    pub fn email(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self::input(name, "email", label).autocomplete("email")
    }

    pub fn tel(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self::input(name, "tel", label).autocomplete("tel")
    }

    pub fn area(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self::text(name, label).control(Control::Text)
    }

    pub fn select(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<String>,
        choices: Vec<Choice>,
    ) -> Self {
        Self::text(name, label).control(Control::Select(choices))
    }

    pub fn radios(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<String>,
        choices: Vec<Choice>,
    ) -> Self {
        Self::text(name, label).control(Control::Radios(choices))
    }

    pub fn tick(name: impl Into<Cow<'static, str>>, label: impl Into<String>, on: bool) -> Self {
        Self::text(name, label).control(Control::Tick).value(if on { "true" } else { "" })
    }

    pub fn control(mut self, control: Control) -> Self {
        self.control = control;
        self
    }

    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub fn error(mut self, error: impl Into<String>) -> Self {
        self.error = error.into();
        self
    }

    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub fn disabled(mut self, disabled: bool) -> Self {
        self.disabled = disabled;
        self
    }

    pub fn autofocus(mut self) -> Self {
        self.autofocus = true;
        self
    }

    pub fn autocomplete(mut self, token: &'static str) -> Self {
        self.autocomplete = token;
        self
    }

    pub fn placeholder(mut self, placeholder: impl Into<String>) -> Self {
        self.placeholder = placeholder.into();
        self
    }

    pub fn suffix(mut self, suffix: impl Into<String>) -> Self {
        self.suffix = suffix.into();
        self
    }

    /// The ids of what describes the control, for `aria-describedby`; empty when nothing does.
    pub fn described_by(&self) -> String {
        let mut ids = Vec::new();
        if !self.error.is_empty() {
            ids.push(format!("{}-error", self.name));
        }
        if !self.hint.is_empty() {
            ids.push(format!("{}-hint", self.name));
        }
        ids.join(" ")
    }

    pub fn on(&self) -> bool {
        self.value == "true"
    }
}
