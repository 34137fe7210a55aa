//! Labels, stages, custom fields and notes.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    contacts::{
        custom_fields::{CustomField, FieldType},
        labels::Label,
        notes::Note,
        stages::{Stage, StageKind},
    },
    db::TenantTx,
    error::Result,
};

pub(in crate::contacts) async fn list_labels(tx: &mut TenantTx) -> Result<Vec<Label>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Label,
        "select id, name, type as label_type, active from patchbay.labels where tenant_id = $1 order by lower(name)",
        tenant
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::contacts) async fn list_labels_named(
    tx: &mut TenantTx,
    names: &[String],
) -> Result<Vec<Label>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Label,
        "select id, name, type as label_type, active from patchbay.labels
         where tenant_id = $1 and lower(name) = any(select lower(n) from unnest($2::text[]) n) order by lower(name)",
        tenant,
        names,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::contacts) async fn find_label(tx: &mut TenantTx, id: Uuid) -> Result<Option<Label>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Label,
        "select id, name, type as label_type, active from patchbay.labels where tenant_id = $1 and id = $2",
        tenant,
        id
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(in crate::contacts) async fn insert_label(tx: &mut TenantTx, label: &Label) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "insert into patchbay.labels (tenant_id, id, name, type, active) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, lower(name)) do nothing",
        tenant,
        label.id,
        label.name,
        label.label_type,
        label.active,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::contacts) async fn insert_labels(
    tx: &mut TenantTx,
    ids: &[Uuid],
    names: &[String],
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.labels (tenant_id, id, name) select $1, n.id, n.name from unnest($2::uuid[], $3::text[]) n (id, name)
         on conflict (tenant_id, lower(name)) do nothing",
        tenant,
        ids,
        names,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn update_label(tx: &mut TenantTx, label: &Label) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.labels set name = $3, active = $4 where tenant_id = $1 and id = $2",
        tenant,
        label.id,
        label.name,
        label.active,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn delete_label(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("delete from patchbay.labels where tenant_id = $1 and id = $2", tenant, id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Gives the labels to the contacts; answers the pairs that are new.
pub(in crate::contacts) async fn attach_labels(
    tx: &mut TenantTx,
    contacts: &[Uuid],
    labels: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        "insert into patchbay.contact_labels (tenant_id, contact_id, label_id)
         select $1, c.id, l.id from unnest($2::uuid[]) c (id) cross join unnest($3::uuid[]) l (id) order by 2, 3
         on conflict do nothing returning contact_id, label_id",
        tenant,
        contacts,
        labels,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.contact_id, row.label_id)).collect())
}

/// Takes the labels from the contacts; answers the pairs that were.
pub(in crate::contacts) async fn detach_labels(
    tx: &mut TenantTx,
    contacts: &[Uuid],
    labels: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        "delete from patchbay.contact_labels where tenant_id = $1 and contact_id = any($2) and label_id = any($3)
         returning contact_id, label_id",
        tenant,
        contacts,
        labels,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.contact_id, row.label_id)).collect())
}

pub(in crate::contacts) async fn list_contact_labels(
    tx: &mut TenantTx,
    contact_id: Uuid,
) -> Result<Vec<Label>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Label,
        "select l.id, l.name, l.type as label_type, l.active from patchbay.contact_labels cl
         join patchbay.labels l on l.tenant_id = cl.tenant_id and l.id = cl.label_id
         where cl.tenant_id = $1 and cl.contact_id = $2 order by lower(l.name)",
        tenant,
        contact_id,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::contacts) async fn list_stages(tx: &mut TenantTx) -> Result<Vec<Stage>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Stage,
        r#"select id, name, position, kind as "kind: StageKind" from patchbay.stages where tenant_id = $1 order by position, id"#,
        tenant
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The same, while nobody else changes them.
pub(in crate::contacts) async fn lock_stages(tx: &mut TenantTx) -> Result<Vec<Stage>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Stage,
        r#"select id, name, position, kind as "kind: StageKind" from patchbay.stages where tenant_id = $1
           order by position, id for no key update"#,
        tenant
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::contacts) async fn insert_stage(tx: &mut TenantTx, stage: &Stage) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.stages (tenant_id, id, name, position, kind) values ($1, $2, $3, $4, $5)",
        tenant,
        stage.id,
        stage.name,
        stage.position,
        stage.kind.as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn update_stage(tx: &mut TenantTx, stage: &Stage) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.stages set name = $3, kind = $4 where tenant_id = $1 and id = $2",
        tenant,
        stage.id,
        stage.name,
        stage.kind.as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn reorder_stages(tx: &mut TenantTx, ids: &[Uuid]) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.stages s set position = o.place::int - 1 from unnest($2::uuid[]) with ordinality o (id, place)
         where s.tenant_id = $1 and s.id = o.id",
        tenant,
        ids,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn is_stage_used(tx: &mut TenantTx, id: Uuid) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from patchbay.contacts where tenant_id = $1 and stage_id = $2) as "used!""#,
        tenant,
        id
    )
    .fetch_one(tx.conn())
    .await?)
}

/// All contacts of a stage, archived ones too, keep their order in the next.
pub(in crate::contacts) async fn move_stage(
    tx: &mut TenantTx,
    from: Uuid,
    to: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.contacts set stage_id = $3, updated_at = $4 where tenant_id = $1 and stage_id = $2",
        tenant,
        from,
        to,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn delete_stage(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("delete from patchbay.stages where tenant_id = $1 and id = $2", tenant, id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(in crate::contacts) async fn list_fields(tx: &mut TenantTx) -> Result<Vec<CustomField>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        CustomField,
        r#"select id, key, label, type as "field_type: FieldType", array(select jsonb_array_elements_text(options)) as "options!",
             required, position
           from patchbay.custom_fields where tenant_id = $1 order by position, id"#,
        tenant
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::contacts) async fn insert_field(tx: &mut TenantTx, field: &CustomField) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.custom_fields (tenant_id, id, key, label, type, options, required, position)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        tenant,
        field.id,
        field.key,
        field.label,
        field.field_type.as_str(),
        Value::from(field.options.clone()),
        field.required,
        field.position,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn update_field(tx: &mut TenantTx, field: &CustomField) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.custom_fields set label = $3, options = $4, required = $5, position = $6 where tenant_id = $1 and id = $2",
        tenant,
        field.id,
        field.label,
        Value::from(field.options.clone()),
        field.required,
        field.position,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn reorder_fields(tx: &mut TenantTx, ids: &[Uuid]) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.custom_fields f set position = p.place
         from (select f.id, (row_number() over (order by o.place nulls last, f.position, f.id))::int - 1 as place
               from patchbay.custom_fields f left join unnest($2::uuid[]) with ordinality o (id, place) on o.id = f.id
               where f.tenant_id = $1) p
         where f.tenant_id = $1 and f.id = p.id",
        tenant,
        ids,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn delete_field(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("delete from patchbay.custom_fields where tenant_id = $1 and id = $2", tenant, id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(in crate::contacts) async fn list_notes(
    tx: &mut TenantTx,
    contact_id: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Note>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Note,
        "select id, contact_id, author_id, author_label as author, body, created_at, edited_at from patchbay.notes
         where tenant_id = $1 and contact_id = $2 and ($3::uuid is null or id < $3) order by id desc limit $4",
        tenant,
        contact_id,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::contacts) async fn find_note(tx: &mut TenantTx, id: Uuid) -> Result<Option<Note>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Note,
        "select id, contact_id, author_id, author_label as author, body, created_at, edited_at from patchbay.notes
         where tenant_id = $1 and id = $2",
        tenant,
        id,
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(in crate::contacts) async fn insert_note(tx: &mut TenantTx, note: &Note) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.notes (tenant_id, id, contact_id, author_id, author_label, body, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
        tenant,
        note.id,
        note.contact_id,
        note.author_id,
        note.author,
        note.body,
        note.created_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn update_note(tx: &mut TenantTx, note: &Note) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.notes set body = $3, edited_at = $4 where tenant_id = $1 and id = $2",
        tenant,
        note.id,
        note.body,
        note.edited_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn delete_note(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("delete from patchbay.notes where tenant_id = $1 and id = $2", tenant, id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// How many contacts carry each label, up to `most`.
pub(in crate::contacts) async fn count_labelled(tx: &mut TenantTx, most: i64) -> Result<Vec<(Uuid, i64)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        r#"select l.id, (select count(*) from (select from patchbay.contact_labels cl
             where cl.tenant_id = $1 and cl.label_id = l.id limit $2) carried) as "count!"
           from patchbay.labels l where l.tenant_id = $1"#,
        tenant,
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.count)).collect())
}
