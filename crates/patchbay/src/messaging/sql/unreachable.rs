//! Addresses out of reach.

use chrono::{DateTime, Utc};

use crate::{db::TenantTx, error::Result};

/// Messages that were given up, column by column; `most` failures make an address count as out of reach.
#[derive(Default)]
pub struct Strikes {
    pub channels: Vec<String>,
    pub addresses: Vec<String>,
    pub codes: Vec<i32>,
    pub most: Vec<i16>,
}

/// Counts; another code, or the same one long after the last, begins anew, but what is out of reach stays so.
pub async fn strike(
    tx: &mut TenantTx,
    strikes: &Strikes,
    within: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.unreachable as u (tenant_id, channel, address, code, failures, failed_at, since)
         select $1, s.channel, s.address, max(s.code), count(*), $7::timestamptz, case when count(*) >= min(s.most) then $7::timestamptz end
         from unnest($2::text[], $3::text[], $4::int[], $5::smallint[]) s (channel, address, code, most)
         group by s.channel, s.address order by s.channel, s.address
         on conflict (tenant_id, channel, address) do update set
           code = excluded.code, failed_at = excluded.failed_at,
           failures = case when u.code = excluded.code and u.failed_at > $6::timestamptz then u.failures else 0 end + excluded.failures,
           since = coalesce(u.since, excluded.since,
             case when u.code = excluded.code and u.failed_at > $6::timestamptz and u.failures + excluded.failures >= (
               select min(s.most) from unnest($4::int[], $5::smallint[]) s (code, most) where s.code = excluded.code) then $7::timestamptz end)",
        tenant,
        &strikes.channels,
        &strikes.addresses,
        &strikes.codes,
        &strikes.most,
        within,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets what was counted about these addresses.
pub async fn clear(tx: &mut TenantTx, channels: &[String], addresses: &[String]) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "delete from patchbay.unreachable u using unnest($2::text[], $3::text[]) r (channel, address)
         where u.tenant_id = $1 and u.channel = r.channel and u.address = r.address",
        tenant,
        channels,
        addresses,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub struct UnreachableRow {
    pub channel: String,
    pub code: i32,
    pub since: DateTime<Utc>,
}

pub async fn find(
    tx: &mut TenantTx,
    phone: Option<&str>,
    email: Option<&str>,
) -> Result<Vec<UnreachableRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        UnreachableRow,
        r#"select channel, code, since as "since!" from patchbay.unreachable
           where tenant_id = $1 and since is not null
             and ((channel in ('sms', 'whatsapp') and address = $2) or (channel = 'email' and address = $3))"#,
        tenant,
        phone,
        email,
    )
    .fetch_all(tx.conn())
    .await?)
}
