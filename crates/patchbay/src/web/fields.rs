//! Form fields as data: label, what was typed, hint, error, and the control that takes it.
//!
//! A handler builds the fields once, from stored values or from what was just posted, and puts
//! errors where they belong; `macros.html` draws them with their accessible names and
//! descriptions. Names are those of the API.

/// One field of a form.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) label: String,
    pub(crate) value: String,
    pub(crate) hint: String,
    /// Empty when the value is fine.
    pub(crate) error: String,
    pub(crate) control: Control,
    pub(crate) required: bool,
    pub(crate) disabled: bool,
    pub(crate) autofocus: bool,
    /// The `autocomplete` token; empty turns completion off.
    pub(crate) autocomplete: &'static str,
    pub(crate) placeholder: String,
    /// A unit or currency after the control.
    pub(crate) suffix: String,
}

/// What takes the value.
#[derive(Debug, Clone)]
pub(crate) enum Control {
    /// An `<input>` of this type: `text`, `email`, `tel`, `number`, `date`, `datetime-local`, …
    Input(&'static str),
    /// As many lines as it needs, at least three.
    Text,
    /// Monospaced, many lines: templates, JSON.
    Code,
    Select(Vec<Choice>),
    /// One of a few, all visible.
    Radios(Vec<Choice>),
    /// A single yes or no with its label beside it; `value` is `true` or empty.
    Tick,
    /// As `Tick`, drawn as a switch: it acts at once.
    Switch,
}

#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) hint: String,
    pub(crate) chosen: bool,
}

impl Choice {
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>, chosen: bool) -> Self {
        Self { value: value.into(), label: label.into(), hint: String::new(), chosen }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl Field {
    /// A one-line text field; the other constructors start from it.
    pub(crate) fn text(name: &'static str, label: impl Into<String>) -> Self {
        Self {
            name,
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

    pub(crate) fn input(name: &'static str, kind: &'static str, label: impl Into<String>) -> Self {
        Self::text(name, label).control(Control::Input(kind))
    }

    pub(crate) fn email(name: &'static str, label: impl Into<String>) -> Self {
        Self::input(name, "email", label).autocomplete("email")
    }

    pub(crate) fn tel(name: &'static str, label: impl Into<String>) -> Self {
        Self::input(name, "tel", label).autocomplete("tel")
    }

    pub(crate) fn area(name: &'static str, label: impl Into<String>) -> Self {
        Self::text(name, label).control(Control::Text)
    }

    pub(crate) fn select(name: &'static str, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self::text(name, label).control(Control::Select(choices))
    }

    pub(crate) fn radios(name: &'static str, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self::text(name, label).control(Control::Radios(choices))
    }

    pub(crate) fn tick(name: &'static str, label: impl Into<String>, on: bool) -> Self {
        Self::text(name, label).control(Control::Tick).value(if on { "true" } else { "" })
    }

    pub(crate) fn switch(name: &'static str, label: impl Into<String>, on: bool) -> Self {
        Self::text(name, label).control(Control::Switch).value(if on { "true" } else { "" })
    }

    pub(crate) fn control(mut self, control: Control) -> Self {
        self.control = control;
        self
    }

    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(crate) fn error(mut self, error: impl Into<String>) -> Self {
        self.error = error.into();
        self
    }

    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) fn disabled(mut self, disabled: bool) -> Self {
        self.disabled = disabled;
        self
    }

    pub(crate) fn autofocus(mut self) -> Self {
        self.autofocus = true;
        self
    }

    pub(crate) fn autocomplete(mut self, token: &'static str) -> Self {
        self.autocomplete = token;
        self
    }

    pub(crate) fn placeholder(mut self, placeholder: impl Into<String>) -> Self {
        self.placeholder = placeholder.into();
        self
    }

    pub(crate) fn suffix(mut self, suffix: impl Into<String>) -> Self {
        self.suffix = suffix.into();
        self
    }

    /// The ids of what describes the control, for `aria-describedby`; empty when nothing does.
    pub(crate) fn described_by(&self) -> String {
        let mut ids = Vec::new();
        if !self.error.is_empty() {
            ids.push(format!("{}-error", self.name));
        }
        if !self.hint.is_empty() {
            ids.push(format!("{}-hint", self.name));
        }
        ids.join(" ")
    }

    pub(crate) fn on(&self) -> bool {
        self.value == "true"
    }
}
