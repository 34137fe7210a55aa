use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    contacts::{
        contact::Status,
        merge::{Moved, Snapshot},
    },
    db::TenantTx,
    error::Result,
};

/// A merge as it was recorded.
pub(in crate::contacts) struct Merge {
    pub(in crate::contacts) kept_id: Uuid,
    pub(in crate::contacts) merged_id: Uuid,
    pub(in crate::contacts) before: Value,
    pub(in crate::contacts) moved: Value,
    pub(in crate::contacts) undone_at: Option<DateTime<Utc>>,
}

pub(in crate::contacts) async fn snapshot(tx: &mut TenantTx, id: Uuid) -> Result<Snapshot> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Snapshot,
        r#"select status as "status: Status", first_name, last_name, phone_e164, phone_ext, phone_raw, email, stage_id, stage_position, source,
             owner_id, timezone, state, postal, country, properties, last_contacted_at, last_replied_at, last_marketed_at, archived_at
           from patchbay.contacts where tenant_id = $1 and id = $2"#,
        tenant,
        id,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Writes a row back. A stage that is gone meanwhile gives way to the present one.
pub(in crate::contacts) async fn restore(
    tx: &mut TenantTx,
    id: Uuid,
    row: &Snapshot,
    merged_into: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.contacts c set status = $3, first_name = $4, last_name = $5, phone_e164 = $6, phone_ext = $7, phone_raw = $8, email = $9,
           stage_id = case when $10::uuid is null or exists (select from patchbay.stages s where s.tenant_id = $1 and s.id = $10) then $10 else c.stage_id end,
           stage_position = $11, source = $12, owner_id = $13, timezone = $14, state = $15, postal = $16, country = $17, properties = $18,
           last_contacted_at = $19, last_replied_at = $20, last_marketed_at = $21,
           archived_at = case when $23::uuid is null then $22::timestamptz else coalesce($22::timestamptz, $24::timestamptz) end, merged_into = $23, updated_at = $24
         where c.tenant_id = $1 and c.id = $2",
        tenant,
        id,
        row.status.as_str(),
        row.first_name,
        row.last_name,
        row.phone_e164,
        row.phone_ext,
        row.phone_raw,
        row.email,
        row.stage_id,
        row.stage_position,
        row.source,
        row.owner_id,
        row.timezone,
        row.state,
        row.postal,
        row.country,
        row.properties,
        row.last_contacted_at,
        row.last_replied_at,
        row.last_marketed_at,
        row.archived_at,
        merged_into,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Gives everything of one contact to another; answers what that was.
pub(in crate::contacts) async fn move_children(tx: &mut TenantTx, from: Uuid, to: Uuid) -> Result<Moved> {
    let tenant = tx.tenant();
    let messages = sqlx::query_scalar!(
        "update patchbay.messages set contact_id = $3 where tenant_id = $1 and contact_id = $2 returning id",
        tenant,
        from,
        to
    )
    .fetch_all(tx.conn())
    .await?;
    sqlx::query!(
        "update patchbay.message_texts set contact_id = $3 where tenant_id = $1 and message_id = any($2)",
        tenant,
        &messages,
        to
    )
    .execute(tx.conn())
    .await?;
    // Links and the clicks on them belong to their messages.
    sqlx::query!(
        "with links as (update patchbay.short_links set contact_id = $3 where tenant_id = $1 and contact_id = $2 and message_id = any($4))
         update patchbay.link_clicks set contact_id = $3 where tenant_id = $1 and contact_id = $2 and message_id = any($4)",
        tenant,
        from,
        to,
        &messages,
    )
    .execute(tx.conn())
    .await?;
    let notes = sqlx::query_scalar!(
        "update patchbay.notes set contact_id = $3 where tenant_id = $1 and contact_id = $2 returning id",
        tenant,
        from,
        to
    )
    .fetch_all(tx.conn())
    .await?;
    let activities =
        sqlx::query_scalar!("update patchbay.activities set contact_id = $3 where tenant_id = $1 and contact_id = $2 returning id", tenant, from, to)
            .fetch_all(tx.conn())
            .await?;
    let quotes = sqlx::query_scalar!(
        "update patchbay.quotes set contact_id = $3 where tenant_id = $1 and contact_id = $2 returning id",
        tenant,
        from,
        to
    )
    .fetch_all(tx.conn())
    .await?;
    let labels = sqlx::query_scalar!(
        "insert into patchbay.contact_labels (tenant_id, contact_id, label_id)
         select $1, $3, label_id from patchbay.contact_labels where tenant_id = $1 and contact_id = $2
         on conflict do nothing returning label_id",
        tenant,
        from,
        to
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(Moved { messages, notes, activities, quotes, labels })
}

/// Gives back what is still where it was moved to.
pub(in crate::contacts) async fn move_back(
    tx: &mut TenantTx,
    moved: &Moved,
    from: Uuid,
    to: Uuid,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("update patchbay.messages set contact_id = $4 where tenant_id = $1 and id = any($2) and contact_id = $3", tenant, &moved.messages, from, to)
        .execute(tx.conn())
        .await?;
    sqlx::query!(
        "update patchbay.message_texts set contact_id = $4 where tenant_id = $1 and message_id = any($2) and contact_id = $3",
        tenant,
        &moved.messages,
        from,
        to
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "with links as (update patchbay.short_links set contact_id = $4 where tenant_id = $1 and contact_id = $3 and message_id = any($2))
         update patchbay.link_clicks set contact_id = $4 where tenant_id = $1 and contact_id = $3 and message_id = any($2)",
        tenant,
        &moved.messages,
        from,
        to
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update patchbay.notes set contact_id = $4 where tenant_id = $1 and id = any($2) and contact_id = $3",
        tenant,
        &moved.notes,
        from,
        to
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("update patchbay.activities set contact_id = $4 where tenant_id = $1 and id = any($2) and contact_id = $3", tenant, &moved.activities, from, to)
        .execute(tx.conn())
        .await?;
    sqlx::query!("update patchbay.quotes set contact_id = $4 where tenant_id = $1 and id = any($2) and contact_id = $3", tenant, &moved.quotes, from, to)
        .execute(tx.conn())
        .await?;
    sqlx::query!(
        "delete from patchbay.contact_labels where tenant_id = $1 and contact_id = $3 and label_id = any($2)",
        tenant,
        &moved.labels,
        from
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Both conversations as they are.
pub(in crate::contacts) async fn conversations(
    tx: &mut TenantTx,
    kept: Uuid,
    merged: Uuid,
) -> Result<(Option<Value>, Option<Value>)> {
    Ok((conversation(tx, kept).await?, conversation(tx, merged).await?))
}

async fn conversation(tx: &mut TenantTx, contact: Uuid) -> Result<Option<Value>> {
    let tenant = tx.tenant();
    let row = sqlx::query_scalar!(
        "select to_jsonb(v) - 'updated_at' from patchbay.conversations v where v.tenant_id = $1 and v.contact_id = $2 for update",
        tenant,
        contact
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.flatten())
}

/// Makes two conversations one, that of `kept`; answers how it is then. What is newer decides how to reply.
pub(in crate::contacts) async fn merge_conversations(
    tx: &mut TenantTx,
    kept: Uuid,
    merged: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Value>> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.conversations as k (tenant_id, contact_id, status, assignee_id, unread, snoozed_until, last_message_at, last_direction, last_channel,
           last_preview, last_inbound_at, whatsapp_inbound_at, reply_channel, reply_from, waiting_since, needs_review, created_at, updated_at)
         select tenant_id, $3, status, assignee_id, unread, snoozed_until, last_message_at, last_direction, last_channel,
           last_preview, last_inbound_at, whatsapp_inbound_at, reply_channel, reply_from, waiting_since, needs_review, created_at, $4
         from patchbay.conversations where tenant_id = $1 and contact_id = $2
         on conflict (tenant_id, contact_id) do update set
           status = case when excluded.status = 'open' or k.status = 'open' then 'open' else k.status end,
           snoozed_until = case when excluded.status = 'open' or k.status = 'open' then null else k.snoozed_until end,
           assignee_id = coalesce(k.assignee_id, excluded.assignee_id),
           unread = k.unread + excluded.unread,
           last_direction = case when excluded.last_message_at > k.last_message_at then excluded.last_direction else k.last_direction end,
           last_channel = case when excluded.last_message_at > k.last_message_at then excluded.last_channel else k.last_channel end,
           last_preview = case when excluded.last_message_at > k.last_message_at then excluded.last_preview else k.last_preview end,
           reply_channel = case when excluded.last_message_at > k.last_message_at then excluded.reply_channel else k.reply_channel end,
           reply_from = case when excluded.last_message_at > k.last_message_at then excluded.reply_from else k.reply_from end,
           last_message_at = greatest(k.last_message_at, excluded.last_message_at),
           last_inbound_at = greatest(k.last_inbound_at, excluded.last_inbound_at),
           whatsapp_inbound_at = greatest(k.whatsapp_inbound_at, excluded.whatsapp_inbound_at),
           waiting_since = least(k.waiting_since, excluded.waiting_since),
           needs_review = coalesce(k.needs_review, excluded.needs_review),
           created_at = least(k.created_at, excluded.created_at), updated_at = $4",
        tenant,
        merged,
        kept,
        now,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from patchbay.conversations where tenant_id = $1 and contact_id = $2",
        tenant,
        merged
    )
    .execute(tx.conn())
    .await?;
    conversation(tx, kept).await
}

/// Makes two of one again. The kept one is put back only if nothing has happened in it since.
pub(in crate::contacts) async fn split_conversations(
    tx: &mut TenantTx,
    (kept, merged): (Uuid, Uuid),
    (before_kept, before_merged): (Option<&Value>, Option<&Value>),
    after: Option<&Value>,
) -> Result<()> {
    let tenant = tx.tenant();
    if conversation(tx, kept).await?.as_ref() == after {
        sqlx::query!(
            "delete from patchbay.conversations where tenant_id = $1 and contact_id = $2",
            tenant,
            kept
        )
        .execute(tx.conn())
        .await?;
        if let Some(before) = before_kept {
            put_conversation(tx, before).await?;
        }
    }
    if let Some(before) = before_merged {
        sqlx::query!(
            "delete from patchbay.conversations where tenant_id = $1 and contact_id = $2",
            tenant,
            merged
        )
        .execute(tx.conn())
        .await?;
        put_conversation(tx, before).await?;
    }
    Ok(())
}

async fn put_conversation(tx: &mut TenantTx, row: &Value) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.conversations
         select (jsonb_populate_record(null::patchbay.conversations, $2::jsonb || jsonb_build_object('tenant_id', $1::uuid, 'updated_at', now()))).*",
        tenant,
        row
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "one per column")]
pub(in crate::contacts) async fn insert_merge(
    tx: &mut TenantTx,
    id: Uuid,
    kept: Uuid,
    merged: Uuid,
    before: &Value,
    moved: &Value,
    merged_by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.contact_merges (tenant_id, id, kept_id, merged_id, before, moved, merged_by, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        tenant,
        id,
        kept,
        merged,
        before,
        moved,
        merged_by,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn lock_merge(tx: &mut TenantTx, id: Uuid) -> Result<Option<Merge>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Merge,
        "select kept_id, merged_id, before, moved, undone_at from patchbay.contact_merges where tenant_id = $1 and id = $2 for update",
        tenant,
        id
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The merges of a contact that can still be undone.
pub(in crate::contacts) async fn list_open_merges(tx: &mut TenantTx, kept: Uuid) -> Result<Vec<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select id from patchbay.contact_merges where tenant_id = $1 and kept_id = $2 and undone_at is null",
        tenant,
        kept
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::contacts) async fn mark_undone(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.contact_merges set undone_at = $3 where tenant_id = $1 and id = $2",
        tenant,
        id,
        now
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
