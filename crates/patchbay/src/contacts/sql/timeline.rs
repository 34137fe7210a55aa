use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{contacts::timeline::Place, db::TenantTx, error::Result};

/// One row of any of the tables that tell what happened.
pub(in crate::contacts) struct Happened {
    pub(in crate::contacts) id: Uuid,
    pub(in crate::contacts) entry_type: String,
    pub(in crate::contacts) kind: String,
    pub(in crate::contacts) at: DateTime<Utc>,
    pub(in crate::contacts) actor: Option<String>,
    pub(in crate::contacts) data: Value,
}

pub(in crate::contacts) async fn list_timeline(
    tx: &mut TenantTx,
    contact_id: Uuid,
    addresses: &[String],
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Happened>> {
    let tenant = tx.tenant();
    let (at, id) = after.map_or((None, None), |Place(at, id)| (Some(at), Some(id)));
    Ok(sqlx::query_as!(
        Happened,
        r#"select id as "id!", entry_type as "entry_type!", kind as "kind!", at as "at!", actor, data as "data!" from (
             (select id, 'message' as entry_type, kind, created_at as at, sent_by_label as actor,
                jsonb_build_object('direction', direction, 'channel', channel, 'status', status, 'body', body) as data
              from patchbay.messages where tenant_id = $1 and contact_id = $2 and ($4::timestamptz is null or (created_at, id) < ($4, $5))
              order by created_at desc, id desc limit $6)
             union all
             (select id, 'note', 'note', created_at, author_label, jsonb_build_object('body', body, 'edited_at', edited_at, 'author_id', author_id)
              from patchbay.notes where tenant_id = $1 and contact_id = $2 and ($4::timestamptz is null or (created_at, id) < ($4, $5))
              order by created_at desc, id desc limit $6)
             union all
             (select id, 'quote', 'created', created_at, created_by_label,
                jsonb_build_object('number', number, 'status', status, 'total_cents', total_cents, 'currency', currency)
              from patchbay.quotes where tenant_id = $1 and contact_id = $2 and ($4::timestamptz is null or (created_at, id) < ($4, $5))
              order by created_at desc, id desc limit $6)
             union all
             (select id, 'activity', kind, created_at, actor_label, data
              from patchbay.activities where tenant_id = $1 and contact_id = $2 and kind <> 'quote.created' and ($4::timestamptz is null or (created_at, id) < ($4, $5))
              order by created_at desc, id desc limit $6)
             union all
             (select id, 'consent', state, created_at, actor_label,
                jsonb_build_object('channel', channel, 'how', how, 'basis', basis, 'source', source, 'wording', wording)
              from patchbay.consent_events where tenant_id = $1 and address = any($3) and ($4::timestamptz is null or (created_at, id) < ($4, $5))
              order by created_at desc, id desc limit $6)
             union all
             (select k.id, 'click', 'clicked', k.at, null, jsonb_build_object('url', t.url, 'message_id', k.message_id)
              from patchbay.link_clicks k
              join patchbay.short_links l on l.tenant_id = $1 and l.id = k.short_link_id
              join patchbay.link_targets t on t.tenant_id = $1 and t.id = l.target_id
              where k.tenant_id = $1 and k.contact_id = $2 and not k.is_bot and ($4::timestamptz is null or (k.at, k.id) < ($4, $5))
              order by k.at desc, k.id desc limit $6)
             union all
             (select id, 'activity', 'created', created_at, null, jsonb_build_object('source', source)
              from patchbay.contacts where tenant_id = $1 and id = $2 and ($4::timestamptz is null or (created_at, id) < ($4, $5)))
           ) happened order by at desc, id desc limit $6"#,
        tenant,
        contact_id,
        addresses,
        at,
        id,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}
