//! What the base knows about a batch of rows. A few queries whatever the size of the batch; every one names its tenant,
//! because the worker reads as the owner of the tables, whom row-level security does not bind.

use std::collections::HashMap;

use patchbay_rules::message::Channel;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    consent::{self, State},
    error::Result,
    imports::{
        decide::{Existing, Known},
        row::Row,
    },
};

/// Finds the contacts that the rows mean, their consent, and the numbers that must not be contacted.
pub(in crate::imports) async fn lookup(
    conn: &mut PgConnection,
    tenant: Uuid,
    rows: &[(usize, &Row)],
    is_list: bool,
) -> Result<Known> {
    let mut known = Known::default();
    let phones: Vec<String> = rows.iter().filter_map(|(_, row)| row.phone.clone()).collect();
    if !phones.is_empty() {
        known.listed.extend(
            sqlx::query_scalar!(
                "select phone_e164 from patchbay.do_not_contact where tenant_id = $1 and phone_e164 = any($2)",
                tenant,
                &phones,
            )
            .fetch_all(&mut *conn)
            .await?,
        );
    }
    if is_list {
        return Ok(known);
    }
    let emails: Vec<String> = rows.iter().filter_map(|(_, row)| row.email.clone()).collect();
    matches(conn, tenant, rows, &phones, &emails, &mut known).await?;
    consents(conn, tenant, &phones, &emails, &mut known).await?;
    let mut ids: Vec<Uuid> = known.matches.values().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    if !ids.is_empty() {
        contacts(conn, tenant, &ids, &mut known).await?;
    }
    Ok(known)
}

/// A number is found at once; an e-mail, or the number of a merged contact, asks the function that knows who wins.
async fn matches(
    conn: &mut PgConnection,
    tenant: Uuid,
    rows: &[(usize, &Row)],
    phones: &[String],
    emails: &[String],
    known: &mut Known,
) -> Result<()> {
    let direct: HashMap<String, Uuid> = sqlx::query!(
        r#"select phone_e164 as "phone!", id from patchbay.contacts where tenant_id = $1 and phone_e164 = any($2) and merged_into is null"#,
        tenant,
        phones,
    )
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .map(|row| (row.phone, row.id))
    .collect();
    let hinted: std::collections::HashSet<String> = sqlx::query_scalar!(
        r#"select email as "address!" from patchbay.contacts where tenant_id = $1 and email = any($3) and merged_into is null
           union select email from patchbay.contacts where tenant_id = $1 and email = any($3) and merged_into is not null
           union select phone_e164 from patchbay.contacts where tenant_id = $1 and phone_e164 = any($2) and merged_into is not null"#,
        tenant,
        phones,
        emails,
    )
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .collect();
    let mut unclear: Vec<&(usize, &Row)> = Vec::new();
    for entry in rows {
        let (place, row) = entry;
        match row.phone.as_ref().and_then(|phone| direct.get(phone)) {
            Some(id) => {
                known.matches.insert(*place, *id);
            }
            None if [&row.phone, &row.email]
                .into_iter()
                .flatten()
                .any(|address| hinted.contains(address)) =>
            {
                unclear.push(entry);
            }
            None => {}
        }
    }
    if unclear.is_empty() {
        return Ok(());
    }
    let phones: Vec<Option<String>> = unclear.iter().map(|(_, row)| row.phone.clone()).collect();
    let emails: Vec<Option<String>> = unclear.iter().map(|(_, row)| row.email.clone()).collect();
    let found = sqlx::query_scalar!(
        "select patchbay.match_contact($1, g.phone, g.mail) from unnest($2::text[], $3::text[]) with ordinality g(phone, mail, n) order by g.n",
        tenant,
        &phones as &[Option<String>],
        &emails as &[Option<String>],
    )
    .fetch_all(conn)
    .await?;
    known.matches.extend(unclear.iter().zip(found).filter_map(|((place, _), id)| Some((*place, id?))));
    Ok(())
}

async fn consents(
    conn: &mut PgConnection,
    tenant: Uuid,
    phones: &[String],
    emails: &[String],
    known: &mut Known,
) -> Result<()> {
    let rows = sqlx::query!(
        "select channel, address, state, basis, expires_at from patchbay.consents where tenant_id = $1 and channel in ('sms', 'whatsapp') and address = any($2)
         union all select channel, address, state, basis, expires_at from patchbay.consents where tenant_id = $1 and channel = 'email' and address = any($3)",
        tenant,
        phones,
        emails,
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let (Some(channel), Some(address), Some(state)) = (row.channel, row.address, row.state) else {
            continue;
        };
        let Ok(channel) = channel.parse::<Channel>() else { continue };
        let state = match state.as_str() {
            "subscribed" => State::Subscribed,
            "unsubscribed" => State::Unsubscribed,
            _ => State::Unknown,
        };
        let term = consent::read_term(row.basis.as_deref(), row.expires_at);
        known.consents.insert((channel, address), (state, term));
    }
    Ok(())
}

async fn contacts(conn: &mut PgConnection, tenant: Uuid, ids: &[Uuid], known: &mut Known) -> Result<()> {
    let rows = sqlx::query_as!(
        Existing,
        r#"select c.id, c.phone_e164 as phone, c.phone_ext, c.email, c.first_name, c.last_name, c.status, c.stage_id, c.source, c.timezone,
             c.state, c.postal, c.country, c.properties, c.archived_at is not null as "archived!",
             array(select lower(l.name) from patchbay.contact_labels cl join patchbay.labels l on l.tenant_id = cl.tenant_id and l.id = cl.label_id
               where cl.tenant_id = c.tenant_id and cl.contact_id = c.id) as "labels!"
           from patchbay.contacts c where c.tenant_id = $1 and c.id = any($2)"#,
        tenant,
        ids,
    )
    .fetch_all(conn)
    .await?;
    known.contacts.extend(rows.into_iter().map(|row| (row.id, row)));
    Ok(())
}
