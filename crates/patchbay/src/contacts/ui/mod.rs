//! Contacts on the screen. Handlers read the request, call one operation, and show what is there afterwards; every
//! action works as a plain form and, through htmx, without leaving the page.

mod actions;
mod board;
mod duplicates;
mod edit;
mod facets;
mod fields;
mod labels;
mod list;
mod merge;
mod several;
mod show;
mod stages;
mod trail;
mod view;
mod words;

pub(crate) use list::rows;
pub(crate) use view::Row;

use crate::{
    auth::Role,
    web::routes::{Access, Routes},
};

pub(super) fn routes(routes: Routes) -> Routes {
    let (viewer, member) = (Access::Page(Role::Viewer), Access::Page(Role::Member));
    routes
        .get("/contacts", viewer, list::page)
        .post("/contacts", member, edit::create)
        .get("/contacts/new", member, edit::new)
        .post("/contacts/bulk", member, several::apply)
        .post("/contacts/bulk/{id}/undo", member, several::undo)
        .get("/contacts/export", member, super::api::export)
        .get("/contacts/duplicates", member, duplicates::page)
        .post("/contacts/merges/{id}/undo", member, merge::undo)
        .get("/contacts/{id}", viewer, show::page)
        .post("/contacts/{id}", member, edit::save)
        .get("/contacts/{id}/edit", member, edit::edit)
        .get("/contacts/{id}/trail", viewer, trail::page)
        .get("/contacts/{id}/alike", viewer, show::alike)
        .post("/contacts/{id}/set", member, actions::set)
        .post("/contacts/{id}/archive", member, actions::archive)
        .post("/contacts/{id}/restore", member, actions::restore)
        .post("/contacts/{id}/labels", member, actions::add_label)
        .post("/contacts/{id}/labels/remove", member, actions::remove_label)
        .post("/contacts/{id}/notes", member, actions::add_note)
        .post("/contacts/{id}/consent", member, actions::note_consent)
        .post("/contacts/{id}/distinct/{other_id}", member, duplicates::tell_apart)
        .post("/contacts/{id}/distinct/{other_id}/undo", member, duplicates::undo)
        .get("/contacts/{id}/merge", member, merge::page)
        .post("/contacts/{id}/merge", member, merge::merge)
        .post("/notes/{id}", member, actions::edit_note)
        .post("/notes/{id}/delete", member, actions::delete_note)
        .get("/board", viewer, board::page)
        .get("/board/lanes/{id}", viewer, board::lane)
        .post("/board/move", member, board::put)
        .with(settings)
}

/// Settings → Stages, Labels, Custom fields.
fn settings(routes: Routes) -> Routes {
    let admin = Access::Page(Role::Admin);
    routes
        .get("/settings/stages", admin, stages::page)
        .post("/settings/stages", admin, stages::create)
        .post("/settings/stages/{id}", admin, stages::save)
        .post("/settings/stages/{id}/move", admin, stages::put)
        .post("/settings/stages/{id}/delete", admin, stages::delete)
        .get("/settings/labels", admin, labels::page)
        .post("/settings/labels", admin, labels::create)
        .post("/settings/labels/{id}", admin, labels::save)
        .post("/settings/labels/{id}/delete", admin, labels::delete)
        .get("/settings/custom-fields", admin, fields::page)
        .post("/settings/custom-fields", admin, fields::create)
        .post("/settings/custom-fields/{id}", admin, fields::save)
        .post("/settings/custom-fields/{id}/move", admin, fields::put)
        .post("/settings/custom-fields/{id}/delete", admin, fields::delete)
}
