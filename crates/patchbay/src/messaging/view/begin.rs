//! Starting a conversation: people to pick from, and a form for somebody new.

use askama::Template;

use crate::web::fields::Field;
use crate::web::layout::Shell;
use crate::web::parts::Face;

/// `GET /conversations/new`.
#[derive(Debug, Template)]
#[template(path = "messaging/begin.html")]
pub struct BeginPage {
    pub shell: Shell,
    /// What is looked for; empty shows those who talked last.
    pub q: String,
    pub people: Vec<Person>,
    pub to: Field,
    pub first_name: Field,
    pub last_name: Field,
}

#[derive(Debug, Clone)]
pub struct Person {
    pub href: String,
    pub name: String,
    /// Number or e-mail.
    pub address: String,
    pub face: Face,
}
