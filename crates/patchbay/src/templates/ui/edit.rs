//! Writing a template, and what buttons do to one.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use patchbay_rules::message::Channel;
use uuid::Uuid;

use super::{
    channel_word,
    form::EditForm,
    look::{people_for, preview_of, variables_part},
    used_for,
};
use crate::{
    app::App,
    auth::{Caller, Session},
    error::{Error, FieldErrors, Result},
    templates::{
        self, Template, context, sql,
        view::{EditPage, TokenRow},
        words,
    },
    web::{
        extract::{Form, Path},
        fields::{Choice, Field, NOT_SAVED},
        layout::Place,
        notice,
        pages::html_form,
        shell::shell,
    },
};

pub(in crate::templates) async fn new(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
) -> Result<Response> {
    show(&app, &session, &caller, None, EditForm::empty(), FieldErrors::new()).await
}

pub(in crate::templates) async fn edit(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let template = templates::get(&app, &caller, id).await?;
    show(&app, &session, &caller, Some(&template), EditForm::of(&template), FieldErrors::new()).await
}

pub(in crate::templates) async fn create(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<EditForm>,
) -> Result<Response> {
    match templates::create(&app, &caller, form.clone().into_new()).await {
        Ok(template) => Ok(notice::redirect(&app, &format!("/templates/{}", template.id), "Template saved")),
        Err(Error::Invalid(errors)) => show(&app, &session, &caller, None, form, errors).await,
        Err(error) => Err(error),
    }
}

pub(in crate::templates) async fn save(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<EditForm>,
) -> Result<Response> {
    let template = templates::get(&app, &caller, id).await?;
    match templates::update(&app, &caller, id, form.clone().into_change()).await {
        Ok(_) => Ok(notice::redirect(&app, &format!("/templates/{id}"), "Template saved")),
        Err(Error::Invalid(errors)) => show(&app, &session, &caller, Some(&template), form, errors).await,
        Err(error) => Err(error),
    }
}

pub(in crate::templates) async fn archive(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let template = templates::archive(&app, &caller, id).await?;
    let undo = format!("/templates/{id}/restore");
    Ok(notice::redirect_undoable(&app, "/templates", &format!("Archived “{}”", template.name), Some(&undo)))
}

pub(in crate::templates) async fn restore(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let template = templates::restore(&app, &caller, id).await?;
    Ok(notice::redirect(&app, &format!("/templates/{id}"), &format!("“{}” is in use again", template.name)))
}

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    template: Option<&Template>,
    form: EditForm,
    errors: FieldErrors,
) -> Result<Response> {
    let error = |field: &str| errors.get(field).cloned().unwrap_or_default();
    let title = template.map_or_else(|| "New template".to_owned(), |template| template.name.clone());
    let shell = shell(app, session, Place::Templates, &title).await?;
    let frozen = !shell.can_manage || template.is_some_and(|template| template.archived_at.is_some());
    let channel = form.channel();
    let channels = [Channel::Sms, Channel::Whatsapp, Channel::Email];
    let choices = channels.map(|each| Choice::new(each.as_str(), channel_word(each), each == channel)).into();
    let used = template.map_or("", |template| used_for(&template.key));
    let people = people_for(app, caller, "", form.contact()).await?;
    let page = EditPage {
        error: if errors.is_empty() { String::new() } else { NOT_SAVED.to_owned() },
        action: template
            .map_or_else(|| "/templates".to_owned(), |template| format!("/templates/{}", template.id)),
        id: template.map(|template| template.id.to_string()).unwrap_or_default(),
        is_new: template.is_none(),
        archived: template.is_some_and(|template| template.archived_at.is_some()),
        used,
        name: Field::text("name", "Name").value(&form.name).error(error("name")).required().disabled(frozen),
        key: Field::text("key", "Key")
            .value(&form.key)
            .error(error("key"))
            .hint("What programs call it by. Made from the name when empty.")
            .disabled(frozen || !used.is_empty()),
        channel: Field::select("channel", "Sent as", choices)
            .error(error("channel"))
            .required()
            .disabled(frozen),
        channel_value: channel.as_str(),
        subject: Field::text("subject", "Subject")
            .value(&form.subject)
            .error(error("subject"))
            .hint("Of an e-mail.")
            .disabled(frozen),
        content: Field::area("content", "Text")
            .value(&form.content)
            .error(error("content"))
            .required()
            .disabled(frozen),
        content_sid: Field::text("content_sid", "Id of the approved template")
            .value(&form.content_sid)
            .error(error("content_sid"))
            .placeholder("HX0123456789abcdef0123456789abcdef")
            .hint("In Twilio: Messaging, Content Template Builder. Without it, this text can only answer somebody who wrote to you within the last 24 hours.")
            .disabled(frozen),
        variables: variables_part(&form, &errors, frozen),
        tokens: tokens(app, caller).await?,
        nobody: !people.iter().any(|person| person.chosen),
        people,
        preview: preview_of(app, caller, &form).await?,
        heading: title,
        shell,
    };
    html_form(&errors, &page)
}

/// The usual tokens, then the tenant's own fields.
async fn tokens(app: &App, caller: &Caller) -> Result<Vec<TokenRow>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let own = sql::known_keys(&mut tx).await?;
    let usual = context::TOKENS.iter().map(|(name, about)| ((*name).to_owned(), (*about).to_owned()));
    let own = own.into_iter().filter(|key| !context::TOKENS.iter().any(|(name, _)| name == key)).take(24);
    let own = own.map(|key| (key, "Your own field".to_owned()));
    Ok(usual
        .chain(own)
        .map(|(name, about)| TokenRow { insert: words::insert(&name), name: words::label(&name), about })
        .collect())
}
