//! How a scene is written down, and how it becomes rows.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_rules::{message::Channel, segments};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    cast::{Person, Who},
    hours, id_at,
};
use crate::messaging;

/// One thing that happens, that many minutes ago.
#[derive(Debug, Clone, Copy)]
pub(super) enum Beat {
    /// The contact writes.
    In(&'static str),
    /// A member writes; how far it came.
    Out(Who, &'static str, &'static str),
    /// A member's message that a carrier could not deliver: status, code, words.
    Lost(Who, &'static str, &'static str, i32, &'static str),
    /// A note.
    Note(Who, &'static str),
    /// Quote number so-and-so goes out.
    Quote(i32),
    /// Something in the timeline.
    Happened(&'static str, &'static str),
    /// The contact writes STOP and is confirmed.
    Stop,
    /// The contact asks in other words to be left alone.
    SoftStop(&'static str, &'static str),
}

/// A conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene {
    pub with: usize,
    pub channel: Channel,
    pub status: &'static str,
    pub assignee: Option<Who>,
    pub unread: i32,
    pub beats: &'static [(i64, Beat)],
}

/// Rows on their way into the database, table by table, as JSON objects.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub contacts: Vec<Value>,
    pub contact_labels: Vec<Value>,
    pub consents: Vec<Value>,
    pub listed: Vec<Value>,
    pub conversations: Vec<Value>,
    pub messages: Vec<Value>,
    pub notes: Vec<Value>,
    pub activities: Vec<Value>,
    pub quotes: Vec<Value>,
}

/// What rows are made with.
pub(super) struct Studio {
    /// What happens lately is told from here: the last moment of work.
    pub now: DateTime<Utc>,
    /// When what is put off comes back.
    pub wakes: DateTime<Utc>,
    pub people: Vec<Uuid>,
    pub members: [(Who, Uuid); 3],
    pub sms_from: &'static str,
    pub email_from: &'static str,
    pub rows: Rows,
    counter: u64,
}

/// The state of one conversation while its beats pass.
struct Course {
    channel: Channel,
    last: Option<(DateTime<Utc>, &'static str, String)>,
    last_inbound: Option<DateTime<Utc>>,
    waiting: Option<DateTime<Utc>>,
    review: Option<String>,
}

impl Studio {
    pub fn new(
        now: DateTime<Utc>,
        zone: Tz,
        members: [(Who, Uuid); 3],
        sms_from: &'static str,
        email_from: &'static str,
    ) -> Self {
        Self {
            now: hours::working(now, zone),
            wakes: now + TimeDelta::hours(18),
            people: Vec::new(),
            members,
            sms_from,
            email_from,
            rows: Rows::default(),
            counter: 0,
        }
    }

    fn member(&self, who: Who) -> Uuid {
        self.members.iter().find(|(one, _)| *one == who).map(|(_, id)| *id).unwrap_or_default()
    }

    /// Brings a contact in; the place in the list is its name in scenes.
    pub fn cast(&mut self, person: &Person, stage: Uuid, labels: &[(&str, Uuid)], place: usize) {
        // The first of a day first, so that the board has an order.
        let born = self.now
            - TimeDelta::days(person.days_ago)
            - TimeDelta::minutes(47 + i64::try_from(place % 7).unwrap_or_default() * 13);
        let id = id_at(born);
        let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        let status = match person.stage {
            "Won" => "active",
            "Lost" => "inactive",
            _ => "lead",
        };
        let owner = if place % 3 == 1 { Who::Sam } else { Who::Rosa };
        let fields: serde_json::Map<String, Value> =
            person.fields.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        self.rows.contacts.push(json!({
            "id": id, "status": status, "first_name": text(person.first), "last_name": text(person.last), "phone_e164": text(person.phone),
            "email": text(person.email), "stage_id": stage, "source": person.source, "timezone": text(person.zone), "properties": fields,
            "owner_id": (place % 5 != 4).then(|| self.member(owner)), "created_at": born,
        }));
        for label in person.labels {
            if let Some((_, label)) = labels.iter().find(|(name, _)| name == label) {
                self.rows
                    .contact_labels
                    .push(json!({ "contact_id": id, "label_id": label, "created_at": born }));
            }
        }
        if person.agreed && !person.phone.is_empty() {
            self.consent(person.phone, "sms", "subscribed", "form", None, born);
        }
        self.people.push(id);
    }

    fn consent(
        &mut self,
        address: &str,
        channel: &str,
        state: &str,
        how: &str,
        detail: Option<&str>,
        at: DateTime<Utc>,
    ) {
        let wording = (how == "form").then_some("Yes, text me about my request. Reply STOP to end.");
        let source = if how == "form" { "brightside.example/contact" } else { self.sms_from };
        self.rows.consents.push(json!({
            "id": id_at(at), "channel": channel, "address": address, "state": state, "how": how, "detail": detail,
            "source": source, "wording": wording, "changed_at": at,
        }));
    }

    /// Plays a scene.
    pub fn play(&mut self, scene: &Scene, person: &Person) {
        let contact = self.people[scene.with];
        let mut course =
            Course { channel: scene.channel, last: None, last_inbound: None, waiting: None, review: None };
        for (minutes, beat) in scene.beats {
            let at = self.now - TimeDelta::minutes(*minutes);
            self.beat(&mut course, contact, person, at, *beat);
        }
        let snoozed = (scene.status == "snoozed").then_some(self.wakes);
        self.close(scene, contact, course, snoozed);
    }

    fn beat(&mut self, course: &mut Course, contact: Uuid, person: &Person, at: DateTime<Utc>, beat: Beat) {
        match beat {
            Beat::In(text) => self.hear(course, contact, person, text, at),
            Beat::Out(who, text, status) => {
                self.say(course, contact, person, Some(who), "manual", text, status, at)
            }
            Beat::Lost(who, text, status, code, words) => {
                self.say(course, contact, person, Some(who), "manual", text, status, at);
                if let Some(message) = self.rows.messages.last_mut() {
                    (message["error_code"], message["error_detail"]) = (json!(code), json!(words));
                }
            }
            Beat::Note(who, text) => {
                let note = json!({ "id": id_at(at), "contact_id": contact, "author_id": self.member(who), "author_label": who.name(), "body": text, "created_at": at });
                self.rows.notes.push(note);
            }
            Beat::Quote(number) => {
                let quote = self
                    .rows
                    .quotes
                    .iter()
                    .find(|quote| quote["number"] == number)
                    .cloned()
                    .unwrap_or_default();
                let total =
                    patchbay_rules::money::format(quote["total_cents"].as_i64().unwrap_or_default(), "USD");
                let token = quote["token"].as_str().unwrap_or_default();
                let text = format!(
                    "Hi {}, your quote from Brightside Plumbing is {total}: https://brightside.example/q/{token}",
                    person.first
                );
                self.say(course, contact, person, None, "quote", &text, "delivered", at);
                if let Some(message) = self.rows.messages.last_mut() {
                    message["quote_id"] = quote["id"].clone();
                }
            }
            Beat::Happened(kind, data) => {
                let data: Value = serde_json::from_str(data).unwrap_or_default();
                let actor = data["actor"].as_str().map(str::to_owned);
                self.rows.activities.push(json!({ "id": id_at(at), "contact_id": contact, "kind": kind, "data": data, "actor_label": actor, "created_at": at }));
            }
            Beat::Stop => {
                self.hear(course, contact, person, "STOP", at);
                course.waiting = None;
                self.refuse(person, "keyword", "STOP", at);
                let text = "You have been unsubscribed from Brightside Plumbing and will receive no more messages. Reply START to resubscribe.";
                let last = course.last.clone();
                self.say(
                    course,
                    contact,
                    person,
                    None,
                    "consent_confirmation",
                    text,
                    "delivered",
                    at + TimeDelta::seconds(2),
                );
                // The list shows what the person said, not our receipt for it.
                course.last = last;
            }
            Beat::SoftStop(text, phrase) => {
                self.hear(course, contact, person, text, at);
                self.refuse(person, "phrase", phrase, at);
                course.review = Some(format!(
                    "Sounds like an opt-out: \u{201c}{phrase}\u{201d}. Nothing automatic is sent until you decide."
                ));
            }
        }
    }

    fn refuse(&mut self, person: &Person, how: &str, detail: &str, at: DateTime<Utc>) {
        let at = at + TimeDelta::seconds(1);
        self.consent(person.phone, "sms", "unsubscribed", how, Some(detail), at);
        self.rows.listed.push(json!({ "id": id_at(at), "phone_e164": person.phone, "reason": format!("Replied {detail}"), "source": how, "created_at": at }));
    }

    fn hear(&mut self, course: &mut Course, contact: Uuid, person: &Person, text: &str, at: DateTime<Utc>) {
        let (ours, theirs) = self.ends(course.channel, person);
        let key = self.key("in");
        self.rows.messages.push(json!({
            "id": id_at(at), "contact_id": contact, "direction": "inbound", "channel": course.channel.as_str(), "kind": "inbound", "status": "received",
            "priority": 0, "dedupe_key": key, "from_address": theirs, "to_address": ours, "body": text, "provider": "fake", "segments": 1,
            "encoding": if course.channel == Channel::Sms { "gsm7" } else { "none" }, "cost_micros": 0, "attempt": 0, "send_after": at, "created_at": at,
        }));
        course.last = Some((at, "inbound", text.to_owned()));
        course.last_inbound = Some(at);
        course.waiting = course.waiting.or(Some(at));
    }

    #[expect(clippy::too_many_arguments, reason = "one message, unpacked")]
    fn say(
        &mut self,
        course: &mut Course,
        contact: Uuid,
        person: &Person,
        who: Option<Who>,
        kind: &str,
        text: &str,
        status: &str,
        at: DateTime<Utc>,
    ) {
        let (ours, theirs) = self.ends(course.channel, person);
        let key = self.key(kind);
        let counted = segments::count(text);
        let sms = course.channel == Channel::Sms;
        let weight = messaging::weigh(course.channel, theirs, text, &Value::Null);
        let left = !matches!(status, "queued" | "canceled" | "blocked" | "failed");
        let sent_at = left.then(|| at + TimeDelta::seconds(1));
        let arrived = matches!(status, "delivered" | "read").then(|| at + TimeDelta::seconds(4));
        self.rows.messages.push(json!({
            "id": id_at(at), "contact_id": contact, "direction": "outbound", "channel": course.channel.as_str(), "kind": kind, "status": status,
            "priority": i32::from(kind != "manual"), "dedupe_key": key, "from_address": ours, "to_address": theirs, "body": text,
            "sent_by": who.map(|who| self.member(who)), "sent_by_label": who.map(Who::name), "provider": "fake",
            "provider_message_id": left.then(|| format!("SM{}", Uuid::new_v4().simple())),
            "segments": if sms { counted.segments } else { 1 },
            "encoding": match (sms, counted.encoding == segments::Encoding::Gsm7) { (true, true) => "gsm7", (true, false) => "ucs2", _ => "none" },
            "cost_micros": weight.cost_micros, "attempt": 1, "send_after": at, "created_at": at, "sent_at": sent_at, "delivered_at": arrived,
            "read_at": (status == "read").then(|| at + TimeDelta::minutes(1)),
            "failed_at": matches!(status, "failed" | "undelivered").then(|| at + TimeDelta::seconds(4)),
        }));
        course.last = Some((at, "outbound", text.to_owned()));
        if kind == "manual" {
            course.waiting = None;
        }
    }

    /// Ours and theirs.
    fn ends<'a>(&self, channel: Channel, person: &'a Person) -> (&'static str, &'a str) {
        if channel == Channel::Email {
            (self.email_from, person.email)
        } else {
            (self.sms_from, person.phone)
        }
    }

    fn key(&mut self, kind: &str) -> String {
        self.counter += 1;
        format!("demo:{kind}:{}", self.counter)
    }

    fn close(&mut self, scene: &Scene, contact: Uuid, course: Course, snoozed: Option<DateTime<Utc>>) {
        let Some((at, direction, text)) = course.last else { return };
        let whatsapp = (course.channel == Channel::Whatsapp).then_some(course.last_inbound).flatten();
        let from = if course.channel == Channel::Email { self.email_from } else { self.sms_from };
        self.rows.conversations.push(json!({
            "contact_id": contact, "status": scene.status, "assignee_id": scene.assignee.map(|who| self.member(who)), "unread": scene.unread,
            "snoozed_until": snoozed, "last_message_at": at, "last_direction": direction, "last_channel": course.channel.as_str(),
            "last_preview": messaging::preview(&text), "last_inbound_at": course.last_inbound, "whatsapp_inbound_at": whatsapp,
            "reply_channel": course.last_inbound.map(|_| course.channel.as_str()), "reply_from": course.last_inbound.map(|_| from),
            "waiting_since": course.waiting.filter(|_| scene.status == "open"), "needs_review": course.review, "created_at": at, "updated_at": at,
        }));
    }

    /// A message of a contact that has not left: held by a gate, or meant for later.
    pub fn hold(
        &mut self,
        with: usize,
        person: &Person,
        text: &str,
        until: DateTime<Utc>,
        gate: Option<Value>,
    ) {
        let contact = self.people[with];
        let at = self.now - TimeDelta::minutes(6);
        let scheduled = gate.is_none().then_some(until);
        let kind = if gate.is_some() { "reminder" } else { "manual" };
        let mut course =
            Course { channel: Channel::Sms, last: None, last_inbound: None, waiting: None, review: None };
        self.say(&mut course, contact, person, scheduled.map(|_| Who::Rosa), kind, text, "queued", at);
        if let Some(message) = self.rows.messages.last_mut() {
            message["attempt"] = json!(0);
            message["provider"] = Value::Null;
            message["send_after"] = json!(until);
            message["scheduled_at"] = json!(scheduled);
            message["gate"] = if gate.is_some() { json!("quiet_hours") } else { Value::Null };
            message["gate_until"] = if gate.is_some() { json!(until) } else { Value::Null };
            message["gate_reason"] = gate.unwrap_or_default();
        }
    }
}
