//! What the audit log would hold, had people done all this: who made what, who launched, who answered.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{cast::Who, id_at};
use crate::audit::Kind;

/// Entries on their way into the log. What nobody else did, the owner did.
pub(super) struct Log {
    owner: (Who, Uuid),
    pub entries: Vec<Value>,
}

impl Log {
    pub fn new(owner: (Who, Uuid)) -> Self {
        Self { owner, entries: Vec::new() }
    }

    fn note(
        &mut self,
        actor: (&str, Option<Uuid>, &str),
        kind: Kind,
        done: &str,
        id: &Value,
        at: DateTime<Utc>,
        changes: &Value,
    ) {
        let (actor_kind, actor_id, actor_label) = actor;
        self.entries.push(json!({
            "id": id_at(at), "at": at, "actor_kind": actor_kind, "actor_id": actor_id, "actor_label": actor_label,
            "action": format!("{}.{done}", kind.as_str()), "entity_type": kind.as_str(), "entity_id": id, "changes": changes,
        }));
    }

    fn by_owner(&mut self, kind: Kind, done: &str, id: &Value, at: DateTime<Utc>, changes: &Value) {
        let (who, id_of) = self.owner;
        self.note(("user", Some(id_of), who.name()), kind, done, id, at, changes);
    }

    /// The business, and whoever works there.
    pub fn opened(&mut self, tenant: Uuid, name: &str, team: &[(Who, Uuid, &str)], at: DateTime<Utc>) {
        let changes = json!({ "name": [null, name] });
        let created = json!({ "id": id_at(at), "at": at, "actor_kind": "system", "actor_id": null, "actor_label": "Patchbay",
            "action": "tenant.created", "entity_type": Kind::Settings.as_str(), "entity_id": tenant, "changes": changes });
        self.entries.push(created);
        for (minutes, (who, id, role)) in (1..).zip(team) {
            let changes = json!({ "email": [null, who.email()], "role": [null, role] });
            self.by_owner(Kind::Member, "added", &json!(id), at + TimeDelta::minutes(minutes), &changes);
        }
    }

    /// These rows were made, one after the other.
    pub fn all_made(&mut self, kind: Kind, rows: &[Value], at: DateTime<Utc>) {
        for (minutes, row) in (0..).zip(rows) {
            let changes = json!({ "name": [null, row["name"]] });
            self.by_owner(kind, "created", &row["id"], at + TimeDelta::minutes(minutes), &changes);
        }
    }

    pub fn changed(&mut self, kind: Kind, id: Uuid, at: DateTime<Utc>, changes: &Value) {
        self.by_owner(kind, "updated", &json!(id), at, changes);
    }

    /// Campaigns were written, launched, and stopped by the brake.
    pub fn campaigns(&mut self, rows: &[Value], now: DateTime<Utc>) {
        for row in rows {
            let launched = instant(&row["launched_at"]);
            let written = launched.unwrap_or(now) - TimeDelta::minutes(20);
            let changes = json!({ "name": [null, row["name"]] });
            self.by_owner(Kind::Campaign, "created", &row["id"], written, &changes);
            if let Some(at) = launched {
                let changes = json!({ "status": ["draft", "running"] });
                self.by_owner(Kind::Campaign, "launched", &row["id"], at, &changes);
            }
            if let Some(at) = instant(&row["paused_at"]) {
                let reason = "Carriers filtered more of it than they should";
                let changes = json!({ "status": ["running", "paused"], "reason": [null, reason] });
                self.note(("system", None, "Patchbay"), Kind::Campaign, "paused", &row["id"], at, &changes);
            }
        }
    }

    /// Quotes were written, and answered by whom they are for.
    pub fn quotes(&mut self, rows: &[Value], contacts: &[Value]) {
        for row in rows {
            let Some(made) = instant(&row["created_at"]) else { continue };
            let changes = json!({ "number": [null, row["number"]], "total_cents": [null, row["total_cents"]], "currency": [null, "USD"] });
            self.by_owner(Kind::Quote, "created", &row["id"], made, &changes);
            let Some(answered) = instant(&row["answered_at"]) else { continue };
            let contact = contacts.iter().find(|contact| contact["id"] == row["contact_id"]);
            let name = |part: &str| contact.and_then(|contact| contact[part].as_str()).unwrap_or_default();
            let label = format!("{} {}", name("first_name"), name("last_name"));
            let id = row["contact_id"].as_str().and_then(|id| Uuid::parse_str(id).ok());
            let changes = json!({ "status": ["viewed", row["status"]] });
            self.note(("contact", id, label.trim()), Kind::Quote, "answered", &row["id"], answered, &changes);
        }
    }
}

fn instant(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str().and_then(|text| text.parse().ok())
}
