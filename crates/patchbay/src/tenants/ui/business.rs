//! Settings → Business.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::Deserialize;

use crate::{
    app::App,
    auth::{Caller, Session},
    error::{Error, FieldErrors, Result},
    tenants::{
        Settings, SettingsPatch, places,
        settings::{settings, update},
        view::BusinessPage,
    },
    web::{
        extract::Form,
        fields::{Choice, Field, NOT_SAVED},
        layout::Place,
        notice,
        pages::html_form,
        patch::Patch,
        settings::{Section, tabs},
        shell::shell,
    },
};

/// What the form holds, as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::tenants) struct BusinessForm {
    name: String,
    business_name: String,
    support_contact: String,
    timezone: String,
    country: String,
    currency: String,
    stop_text: String,
    start_text: String,
    help_text: String,
    keep_message_months: String,
}

impl BusinessForm {
    fn of(settings: &Settings) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            name: settings.name.clone(),
            business_name: text(&settings.business_name),
            support_contact: text(&settings.support_contact),
            timezone: settings.timezone.name().to_owned(),
            country: settings.country.clone(),
            currency: settings.currency.clone(),
            stop_text: text(&settings.stop_text),
            start_text: text(&settings.start_text),
            help_text: text(&settings.help_text),
            keep_message_months: settings.keep_message_months.map(|n| n.to_string()).unwrap_or_default(),
        }
    }

    fn patch(&self) -> SettingsPatch {
        let set = |text: &str| Patch::Set(text.to_owned());
        SettingsPatch {
            name: set(&self.name),
            business_name: set(&self.business_name),
            support_contact: set(&self.support_contact),
            timezone: set(&self.timezone),
            country: set(&self.country),
            currency: set(&self.currency),
            // Browsers send line ends as CR LF.
            stop_text: set(&self.stop_text.replace('\r', "")),
            start_text: set(&self.start_text.replace('\r', "")),
            help_text: set(&self.help_text.replace('\r', "")),
            // The browser offers numbers only; anything else is refused as one that is out of range.
            keep_message_months: match self.keep_message_months.trim() {
                "" => Patch::Clear,
                months => Patch::Set(months.parse().unwrap_or(0)),
            },
            ..SettingsPatch::default()
        }
    }
}

pub(in crate::tenants) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let form = BusinessForm::of(&settings(&mut tx).await?);
    drop(tx);
    show(&app, &session, &caller, &form, &FieldErrors::new()).await
}

pub(in crate::tenants) async fn save(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<BusinessForm>,
) -> Result<Response> {
    match update(&app, &caller, form.patch()).await {
        Ok(_) => Ok(notice::redirect(&app, Section::Business.href(), "Settings saved")),
        Err(Error::Invalid(errors)) => show(&app, &session, &caller, &form, &errors).await,
        Err(error) => Err(error),
    }
}

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    form: &BusinessForm,
    errors: &FieldErrors,
) -> Result<Response> {
    let may_change = caller.role.can_manage();
    let dress = |field: Field, value: &str| {
        let error = errors.get(&field.name).cloned().unwrap_or_default();
        field.value(value).error(error).disabled(!may_change)
    };
    let identity = vec![
        dress(Field::text("name", "Name").required().hint("What your team sees."), &form.name),
        dress(
            Field::text("business_name", "Business name")
                .hint("In messages and on quotes, if it differs from the name."),
            &form.business_name,
        ),
        dress(
            Field::text("support_contact", "Contact for help")
                .placeholder("help@example.com or +61 8 5550 1234")
                .hint("Given to whoever writes HELP."),
            &form.support_contact,
        ),
    ];
    let place = vec![
        dress(Field::select("country", "Country", countries(&form.country)).required(), &form.country),
        dress(Field::select("currency", "Currency", currencies(&form.currency)).required(), &form.currency),
        dress(
            Field::select("timezone", "Time zone", places::zones(&form.timezone))
                .required()
                .hint("Times are shown in it, and days begin by it."),
            &form.timezone,
        ),
    ];
    let built_in = "Leave empty for the built-in text.";
    let texts = vec![
        dress(Field::area("stop_text", "After STOP").hint(built_in), &form.stop_text),
        dress(Field::area("start_text", "After START").hint(built_in), &form.start_text),
        dress(Field::area("help_text", "After HELP").hint(built_in), &form.help_text),
    ];
    let retention = vec![dress(
        Field::select("keep_message_months", "Keep what messages say", periods(&form.keep_message_months))
            .hint("Afterwards the texts are erased. That they were sent, to whom and when, stays."),
        &form.keep_message_months,
    )];
    let page = BusinessPage {
        tabs: tabs(Section::Business, caller.role),
        identity,
        place,
        texts,
        retention,
        slug: caller.tenant.slug.clone(),
        error: if errors.is_empty() { String::new() } else { NOT_SAVED.to_owned() },
        shell: shell(app, session, Place::Settings, "Business").await?,
    };
    html_form(errors, &page)
}

/// Usual periods, and the one in use.
fn periods(chosen: &str) -> Vec<Choice> {
    let usual = [
        ("", "For good"),
        ("12", "1 year"),
        ("24", "2 years"),
        ("36", "3 years"),
        ("60", "5 years"),
        ("84", "7 years"),
    ];
    let mut periods: Vec<Choice> =
        usual.iter().map(|(months, name)| Choice::new(*months, *name, *months == chosen)).collect();
    if usual.iter().all(|(months, _)| *months != chosen) {
        periods.push(Choice::new(chosen, format!("{chosen} months"), true));
    }
    periods
}

fn countries(chosen: &str) -> Vec<Choice> {
    places::PLACES.iter().map(|place| Choice::new(place.code, place.name, place.code == chosen)).collect()
}

fn currencies(chosen: &str) -> Vec<Choice> {
    places::currencies().into_iter().map(|code| Choice::new(code, code, code == chosen)).collect()
}
