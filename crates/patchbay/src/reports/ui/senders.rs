//! How each sender fares, and what to worry about.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use patchbay_rules::phone;

use super::{percent, tabs};
use crate::{
    app::App,
    auth::{Caller, Session},
    dashboard::grouped,
    error::Result,
    reports::{
        self, SenderHealth, share,
        view::{SenderLine, SendersPage},
    },
    web::{
        layout::Place,
        pages::html,
        parts::{Empty, Tag, Tone},
        shell::shell,
    },
};

pub(super) async fn page(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    let senders = reports::senders(&app, &caller).await?;
    let page = SendersPage {
        tabs: tabs(1),
        empty: senders.is_empty().then(|| Empty {
            icon: "phone",
            heading: "No senders yet".to_owned(),
            text: "Add a number or an address to send from; how it fares is told here.".to_owned(),
            actions: vec![("Go to the settings".to_owned(), "/settings".to_owned())],
        }),
        rows: senders.iter().map(|sender| sender_line(sender, &caller.tenant.country)).collect(),
        shell: shell(&app, &session, Place::Reports, "Senders").await?,
    };
    html(&page)
}

fn sender_line(sender: &SenderHealth, country: &str) -> SenderLine {
    let of_sent =
        |hits: i64| if sender.sent > 0 { percent(share(hits, sender.sent)) } else { "–".to_owned() };
    let today = match (sender.warm_up_day, sender.cap_today) {
        (Some(day), Some(cap)) => {
            format!("Warm-up day {day}: {} of {}", grouped(sender.sent_today), grouped(i64::from(cap)))
        }
        _ => format!("{} sent, no cap", grouped(sender.sent_today)),
    };
    let above = |hits: i64, rate: f64| sender.sent >= 100 && share(hits, sender.sent).rate() > rate;
    let worry = [
        (above(sender.filtered, 0.01), "Filtered by carriers"),
        (above(sender.opted_out, 0.02), "Many opt out"),
        (above(sender.failed, 0.1), "Many fail"),
    ]
    .into_iter()
    .find(|(holds, _)| *holds)
    .map(|(_, word)| Tag::new(Tone::Stop, "triangle-alert", word.to_owned()));
    SenderLine {
        address: phone::format_national_or_international(&sender.address, country),
        label: sender.label.clone().unwrap_or_default(),
        channel: match sender.channel.as_str() {
            "sms" => "SMS".to_owned(),
            "whatsapp" => "WhatsApp".to_owned(),
            _ => "E-mail".to_owned(),
        },
        sent: grouped(sender.sent),
        delivered: of_sent(sender.delivered),
        failed: of_sent(sender.failed),
        filtered: of_sent(sender.filtered),
        opted_out: of_sent(sender.opted_out),
        today,
        worry,
    }
}
