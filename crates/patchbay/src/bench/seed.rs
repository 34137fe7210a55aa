//! Data to measure with. Made by SQL, the same every time, in the shapes that real data has.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Options, Result, Stage, failed};
use crate::{
    ids,
    time::{Clock, SystemClock},
};

/// Tenants that share the work.
const TENANTS: u32 = 4;

const NAMES: [&str; 40] = [
    "Ava", "Ben", "Chloe", "Dan", "Ella", "Finn", "Grace", "Hugo", "Isla", "Jack", "Kate", "Liam", "Mia",
    "Noah", "Olive", "Paul", "Quinn", "Ruby", "Sam", "Tess", "Uma", "Vera", "Will", "Xena", "Yara", "Zoe",
    "Arlo", "Beth", "Cody", "Dora", "Eli", "Faye", "Gus", "Hana", "Ivan", "Jade", "Kurt", "Lola", "Max",
    "Nina",
];
const FIRST: [&str; 20] = [
    "bar", "cal", "dun", "ever", "fen", "gar", "hol", "ing", "jar", "kel", "lam", "mar", "nor", "oak", "pem",
    "quar", "ros", "stan", "thorn", "wal",
];
const SECOND: [&str; 20] = [
    "der", "ber", "ley", "min", "nel", "per", "rin", "sel", "ten", "vel", "wen", "yor", "zan", "bur", "cor",
    "den", "fer", "gan", "hur", "kin",
];
const THIRD: [&str; 10] = ["ford", "ton", "wood", "field", "by", "worth", "stone", "well", "ham", "son"];

fn array(words: &[&str]) -> String {
    format!("(array['{}'])", words.join("','"))
}

fn surname_sql() -> String {
    format!(
        "initcap({}[1 + (n / 40) % 20] || {}[1 + (n / 800) % 20] || {}[1 + (n / 16000) % 10])",
        array(&FIRST),
        array(&SECOND),
        array(&THIRD)
    )
}

/// Businesses whose limits are all set and none of them reached: every gate has something to weigh.
pub async fn tenants(stage: &mut Stage) -> Result<()> {
    if stage.number("select count(*) from patchbay.tenants").await? > 0.0 {
        return Ok(());
    }
    stage
        .execute(&format!(
            "insert into patchbay.tenants (name, slug, timezone, country, quiet_start, quiet_end, country_rules, budget_daily_cents,
               budget_monthly_cents, rate_per_second, suppression_days)
             select 'Bench ' || n, 'bench-' || n, 'America/Los_Angeles', 'US',
               ((now() at time zone 'America/Los_Angeles') + interval '8 hours')::time(0),
               ((now() at time zone 'America/Los_Angeles') + interval '9 hours')::time(0), false, 1000000000, 1000000000, 10000, 90
             from generate_series(1, {TENANTS}) n;
             insert into patchbay.senders (tenant_id, channel, address, provider, is_default, rate_per_second, warmup_started_on)
             select id, 'sms', '+1500555' || lpad((6 + row_number() over (order by id) - 1)::text, 4, '0'), 'twilio', true, 10000, current_date - 30 from patchbay.tenants;
             update patchbay.senders set address = '+15005550006' where true;
             insert into patchbay.send_counters (tenant_id, sender_id, day, messages)
             select tenant_id, id, current_date - n, 300 from patchbay.senders, generate_series(2, 12) n"
        ))
        .await
}

/// `count` messages of a campaign, waiting to be sent to people who agreed to it.
pub async fn campaign(stage: &mut Stage, count: u32) -> Result<()> {
    tenants(stage).await?;
    let rows = count / TENANTS;
    if stage.number("select count(*) from patchbay.contacts").await? == 0.0 {
        let surname = surname_sql();
        let names = array(&NAMES);
        stage
            .execute(&format!(
                "insert into patchbay.contacts (tenant_id, first_name, last_name, phone_e164, import_id, consent_sms)
                 select t.id, {names}[1 + n % 40], {surname}, '+1415' || 2000000 + n, gen_random_uuid(), 'subscribed'
                 from patchbay.tenants t, generate_series(1, {rows}) n;
                 insert into patchbay.consents (tenant_id, channel, address, state, how)
                 select tenant_id, 'sms', phone_e164, 'subscribed', 'form' from patchbay.contacts"
            ))
            .await?;
    }
    stage
        .execute(
            "truncate patchbay.messages, patchbay.message_texts, patchbay.message_events, patchbay.webhook_events, patchbay.outbox, patchbay.spend_counters;
             delete from patchbay.send_counters where day >= current_date - 1;
             update patchbay.contacts set last_marketed_at = null, last_contacted_at = null where last_contacted_at is not null;
             insert into patchbay.messages (tenant_id, contact_id, direction, channel, kind, status, priority, dedupe_key, campaign_id, to_address, body, segments, cost_micros)
             select tenant_id, id, 'outbound', 'sms', 'campaign', 'queued', 2, 'campaign:bench:' || id, '00000000-0000-7000-8000-000000000001', phone_e164,
               'Hi ' || first_name || ', our autumn check-up days are here. Book yours this week and save 10%. Reply STOP to opt out.', 1, 8000
             from patchbay.contacts",
        )
        .await?;
    stage.vacuum().await
}

/// The `n`-th person's first and last name.
pub fn name(n: u32) -> (&'static str, String) {
    let at = |words: &[&'static str], n: u32| words[n as usize % words.len()];
    (at(&NAMES, n), format!("{}{}{}", at(&FIRST, n / 40), at(&SECOND, n / 800), at(&THIRD, n / 16_000)))
}

/// Lets the office write to everybody who agreed, through the carrier's simulator, at any hour.
pub async fn ready_for_campaigns(stage: &mut Stage) -> Result<()> {
    stage
        .execute(&format!(
            "update patchbay.tenants set quiet_start = null, quiet_end = null, country_rules = false, suppression_days = 0 where id = '{OFFICE}';
             update patchbay.senders set provider = 'twilio' where tenant_id = '{OFFICE}'"
        ))
        .await
}

/// A business with a large past, and somebody who looks at it.
pub struct Office {
    pub key: String,
    pub session: String,
    rows: u32,
    contacts: Vec<Uuid>,
}

impl Office {
    /// A pattern with the words of the `nth` question.
    pub fn fill(&self, pattern: &str, nth: u32) -> String {
        let n = (u64::from(nth) * 104_729 + 7) % u64::from(self.rows.max(1)) + 1;
        let (first, surname) = name(u32::try_from(n).unwrap_or_default());
        let digits = format!("{:06}", n % 1_000_000);
        let contact =
            self.contacts.get(nth as usize % self.contacts.len().max(1)).copied().unwrap_or_default();
        pattern
            .replace("SURNAME", &surname)
            .replace("NAME", first)
            .replace("NUMBER", &n.to_string())
            .replace("DIGITS", &digits)
            .replace("CONTACT", &contact.to_string())
    }
}

const OFFICE: &str = "00000000-0000-7000-8000-00000000000a";
const USER: &str = "00000000-0000-7000-8000-00000000000b";
const LABEL: &str = "00000000-0000-7000-8000-00000000000c";

/// The office, made if it is not there, with a new key and a new session.
pub async fn office(stage: &mut Stage, options: &Options) -> Result<Office> {
    let rows = options.rows;
    if stage.number(&format!("select count(*) from patchbay.tenants where id = '{OFFICE}'")).await? == 0.0 {
        without_indexes(stage, rows).await?;
    }
    let (key, session) = (ids::new_secret("pb_"), ids::new_secret(""));
    let now: DateTime<Utc> = SystemClock.now();
    let doing = failed::<sqlx::Error>("Letting somebody in");
    let insert = async {
        sqlx::query("insert into patchbay.api_keys (id, tenant_id, name, scope, prefix, key_hash, created_at) values ($1, $2::uuid, 'bench', 'full', 'pb_bench', $3, $4)")
            .bind(ids::new_id(now))
            .bind(OFFICE)
            .bind(ids::hash_secret(&key))
            .bind(now)
            .execute(&mut stage.sql)
            .await?;
        sqlx::query("insert into patchbay.sessions (id, token_hash, user_id, tenant_id, created_at, seen_at, expires_at) values ($1, $2, $3::uuid, $4::uuid, $5, $5, $5 + interval '1 day')")
            .bind(ids::new_id(now))
            .bind(ids::hash_secret(&session))
            .bind(USER)
            .bind(OFFICE)
            .bind(now)
            .execute(&mut stage.sql)
            .await?;
        sqlx::query_scalar("select contact_id from patchbay.conversations where tenant_id = $1::uuid order by md5(contact_id::text) limit 500")
            .bind(OFFICE)
            .fetch_all(&mut stage.sql)
            .await
    };
    let contacts = insert.await.map_err(doing)?;
    Ok(Office { key, session, rows, contacts })
}

/// Loads the tables bare and indexes them afterwards, which takes a fifth of the time.
async fn without_indexes(stage: &mut Stage, rows: u32) -> Result<()> {
    stage
        .execute(
            "create table if not exists public.bench_indexes as
               select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
               where indrelid in ('patchbay.contacts'::regclass, 'patchbay.messages'::regclass, 'patchbay.message_texts'::regclass, 'patchbay.conversations'::regclass)
                 and not indisunique;
             do $$ declare name text; begin
               for name in select i.name from public.bench_indexes i loop execute 'drop index if exists ' || name; end loop;
             end $$",
        )
        .await?;
    people(stage, rows).await?;
    talk(stage, rows).await?;
    stage
        .execute(
            "set maintenance_work_mem = '512MB';
             do $$ declare definition text; begin
               for definition in select i.definition from public.bench_indexes i loop execute definition; end loop;
             end $$;
             drop table public.bench_indexes;
             reset maintenance_work_mem",
        )
        .await?;
    stage.vacuum().await
}

async fn people(stage: &mut Stage, rows: u32) -> Result<()> {
    let (names, surname) = (array(&NAMES), surname_sql());
    stage
        .execute(&format!(
            "insert into patchbay.tenants (id, name, slug, timezone, country) values ('{OFFICE}', 'Bench office', 'bench-office', 'America/Los_Angeles', 'US');
             insert into patchbay.users (id, email) values ('{USER}', 'bench@example.com') on conflict do nothing;
             insert into patchbay.memberships (tenant_id, user_id, role) values ('{OFFICE}', '{USER}', 'owner');
             insert into patchbay.senders (tenant_id, channel, address, provider, is_default) values ('{OFFICE}', 'sms', '+15005550006', 'fake', true);
             insert into patchbay.labels (tenant_id, id, name) values ('{OFFICE}', '{LABEL}', 'VIP');
             insert into patchbay.stages (tenant_id, name, position)
               select '{OFFICE}', w, p from unnest(array['New', 'Contacted', 'Quoted', 'Won', 'Lost']) with ordinality s (w, p);
             insert into patchbay.consents (tenant_id, channel, address, state, how)
             select '{OFFICE}', 'sms', '+1415' || 2000000 + n, 'subscribed', 'form' from generate_series(1, {rows}) n where (n / 3) % 4 < 2;
             insert into patchbay.contacts (tenant_id, status, first_name, last_name, phone_e164, email, stage_id, source, properties, consent_sms, import_id, created_at)
             select '{OFFICE}', (array['lead', 'lead', 'lead', 'active', 'active', 'inactive'])[1 + n % 6], {names}[1 + n % 40], {surname},
               '+1415' || 2000000 + n, 'person-' || n || '@example.com', (select id from patchbay.stages s where s.tenant_id = '{OFFICE}' and s.position = 1 + n % 5),
               (array['Website', 'Referral', 'Facebook', 'Walk-in', 'Phone'])[1 + (n / 7) % 5],
               jsonb_build_object('policy', 'policy-' || n, 'suburb', (array['Fremont', 'Hayward', 'Oakland', 'Alameda'])[1 + n % 4]),
               (array['subscribed', 'subscribed', 'unknown', 'unsubscribed'])[1 + (n / 3) % 4], gen_random_uuid(), now() - n * interval '30 seconds'
             from generate_series(1, {rows}) n;
             insert into patchbay.contact_labels (tenant_id, contact_id, label_id)
               select tenant_id, id, '{LABEL}' from patchbay.contacts where tenant_id = '{OFFICE}' and right(phone_e164, 1) = '4' and substr(phone_e164, 10, 1) < '5'"
        ))
        .await
}

/// Five messages in each of so many conversations that there are `rows` messages.
async fn talk(stage: &mut Stage, rows: u32) -> Result<()> {
    stage
        .execute(&format!(
            "create temp table talk as
               select id, phone_e164, first_name, row_number() over (order by phone_e164) as n from patchbay.contacts
               where tenant_id = '{OFFICE}' order by phone_e164 limit {rows} / 5;
             insert into patchbay.conversations (tenant_id, contact_id, status, unread, snoozed_until, last_message_at, last_direction, last_channel, last_preview,
                 last_inbound_at, reply_channel, reply_from, waiting_since)
             select '{OFFICE}', id, status, case when status = 'open' and n % 4 = 0 then 1 else 0 end, case when status = 'snoozed' then now() + interval '1 day' end,
               now() - n * interval '40 seconds', 'inbound', 'sms', 'Thanks ' || first_name || ', see you then', now() - n * interval '40 seconds', 'sms', '+15005550006',
               case when status = 'open' then now() - n * interval '40 seconds' end
             from (select *, (array['open', 'open', 'open', 'done', 'done', 'done', 'done', 'done', 'done', 'snoozed'])[1 + n % 10] as status from talk) t;
             insert into patchbay.messages (tenant_id, contact_id, direction, channel, kind, status, priority, dedupe_key, from_address, to_address, body, created_at, sent_at, delivered_at)
             select '{OFFICE}', t.id, case when k % 2 = 0 then 'outbound' else 'inbound' end, 'sms', case when k % 2 = 0 then 'manual' else 'inbound' end,
               case when k % 2 = 0 then 'delivered' else 'received' end, 0, 'bench:' || t.n || ':' || k,
               case when k % 2 = 0 then '+15005550006' else t.phone_e164 end, case when k % 2 = 0 then t.phone_e164 else '+15005550006' end,
               (array['Hi, could you send me a quote for the bathroom?', 'Sure ' || t.first_name || ', your quote is ready, reference ' || t.n,
                 'Looks good. When could you start?', 'Would Thursday at nine suit you?', 'Thanks, see you then'])[k],
               now() - t.n * interval '40 seconds' - (5 - k) * interval '7 minutes', now(), now()
             from generate_series(1, 5) k, talk t;
             insert into patchbay.message_texts (tenant_id, message_id, contact_id, folded)
               select tenant_id, id, contact_id, patchbay.fold(body) from patchbay.messages where tenant_id = '{OFFICE}'"
        ))
        .await
}
