//! The identity layer, which only the system role may touch.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;

/// What identity is decided by.
pub(in crate::contacts) struct Addresses {
    pub(in crate::contacts) first_name: Option<String>,
    pub(in crate::contacts) last_name: Option<String>,
    pub(in crate::contacts) phone_e164: Option<String>,
    pub(in crate::contacts) email: Option<String>,
}

pub(in crate::contacts) async fn find_addresses(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Uuid,
) -> Result<Option<Addresses>> {
    Ok(sqlx::query_as!(
        Addresses,
        "select first_name, last_name, phone_e164, email from patchbay.contacts where tenant_id = $1 and id = $2",
        tenant,
        id,
    )
    .fetch_optional(conn)
    .await?)
}

pub(in crate::contacts) async fn resolve_person(
    conn: &mut PgConnection,
    known: &Addresses,
) -> Result<Option<Uuid>> {
    Ok(sqlx::query_scalar!(
        "select patchbay.resolve_person($1, $2, $3, $4)",
        known.phone_e164,
        known.email,
        known.first_name,
        known.last_name,
    )
    .fetch_one(conn)
    .await?)
}

pub(in crate::contacts) async fn set_person(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Uuid,
    person: Uuid,
) -> Result<()> {
    sqlx::query!(
        "update patchbay.contacts set person_id = $3 where tenant_id = $1 and id = $2 and person_id is distinct from $3",
        tenant,
        id,
        person,
    )
    .execute(conn)
    .await?;
    Ok(())
}
