-- People (global identity), contacts (a tenant's own copy), consent and its proof.

-- Ids are random, not time-ordered: a tenant that saw one must not learn when the person first appeared.
create table patchbay.people (
  id uuid primary key default gen_random_uuid(),
  first_name text, last_name text,
  created_at timestamptz not null default now()
);
create table patchbay.person_phones (
  phone_e164 text primary key,
  person_id uuid not null references patchbay.people on delete cascade,
  is_primary boolean not null default false,
  created_at timestamptz not null default now()
);
create index on patchbay.person_phones (person_id);
create table patchbay.person_emails (
  email text primary key check (email = lower(email)),
  person_id uuid not null references patchbay.people on delete cascade,
  is_primary boolean not null default false,
  created_at timestamptz not null default now()
);
create index on patchbay.person_emails (person_id);
create table patchbay.addresses (
  id uuid primary key default gen_random_uuid(),
  person_id uuid not null references patchbay.people on delete cascade,
  label text, address1 text, address2 text, city text, state text, postal text, country text,
  lat numeric, lng numeric,
  created_at timestamptz not null default now()
);
create index on patchbay.addresses (person_id);

create table patchbay.stages (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  name text not null check (length(name) between 1 and 60),
  position integer not null,
  kind text not null default 'open' check (kind in ('open', 'won', 'lost')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, name)
);

create table patchbay.contacts (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  person_id uuid references patchbay.people on delete set null,
  status text not null default 'lead' check (status in ('lead', 'active', 'inactive')),
  first_name text check (length(first_name) <= 120),
  last_name text check (length(last_name) <= 120),
  phone_e164 text check (phone_e164 ~ '^\+[1-9][0-9]{6,14}$'),
  phone_ext text,
  -- what was written where the number could not be understood
  phone_raw text,
  email text check (email = lower(email) and length(email) <= 254),
  stage_id uuid,
  -- place among the cards of its stage, smallest on top; by default the newest is
  stage_position double precision not null default -extract(epoch from clock_timestamp()),
  source text check (length(source) <= 200),
  owner_id uuid, -- a member's user id
  timezone text,
  state text, postal text, country text,
  properties jsonb not null default '{}' check (jsonb_typeof(properties) = 'object'),
  -- copies of consents.state, kept by triggers, so that lists filter by index
  consent_sms text not null default 'unknown' check (consent_sms in ('subscribed', 'unsubscribed', 'unknown')),
  consent_whatsapp text not null default 'unknown' check (consent_whatsapp in ('subscribed', 'unsubscribed', 'unknown')),
  consent_email text not null default 'unknown' check (consent_email in ('subscribed', 'unsubscribed', 'unknown')),
  last_contacted_at timestamptz,
  last_replied_at timestamptz,
  last_marketed_at timestamptz, -- the suppression window counts from here
  import_id uuid,               -- imported rows announce nothing
  merged_into uuid,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- Everything a search looks at, folded. A blank stands before each word of a name, so that the beginnings of
  -- words can be told from their middles. Of custom fields the values count, not the keys.
  search_text text generated always as (patchbay.fold(' ' ||
    coalesce(first_name, '') || ' ' || coalesce(last_name, '') || ' ' || coalesce(email, '') || ' ' ||
    coalesce(phone_e164, '') || ' ' || coalesce(phone_raw, '') || ' ' ||
    case when properties = '{}'::jsonb then '' else translate(jsonb_path_query_array(properties, '$.*')::text, '[]",', '    ') end)) stored,
  primary key (tenant_id, id),
  foreign key (tenant_id, stage_id) references patchbay.stages (tenant_id, id)
);
-- An archived duplicate does not hold on to its number.
create unique index contacts_phone on patchbay.contacts (tenant_id, phone_e164) where merged_into is null;
create index contacts_email on patchbay.contacts (tenant_id, email) where merged_into is null;
-- the addresses of a merged contact still lead to the one that was kept
create index contacts_merged on patchbay.contacts (tenant_id, merged_into) where merged_into is not null;
create index contacts_merged_phone on patchbay.contacts (tenant_id, phone_e164) where merged_into is not null;
create index contacts_merged_email on patchbay.contacts (tenant_id, email) where merged_into is not null;
create index contacts_recent on patchbay.contacts (tenant_id, id desc) where archived_at is null;
create index contacts_board on patchbay.contacts (tenant_id, stage_id, stage_position, id desc) where archived_at is null;
-- Three columns of few values in one index: a list that filters by any of them visits every combination that
-- passes, a few dozen places, and finds each in order.
create index contacts_lanes on patchbay.contacts (tenant_id, status, stage_id, consent_sms, id desc) where archived_at is null;
create index contacts_source on patchbay.contacts (tenant_id, source, id desc) where archived_at is null;
create index contacts_owner on patchbay.contacts (tenant_id, owner_id, id desc) where archived_at is null;
create index contacts_consent_whatsapp on patchbay.contacts (tenant_id, consent_whatsapp, id desc) where archived_at is null and consent_whatsapp <> 'unknown';
create index contacts_consent_email on patchbay.contacts (tenant_id, consent_email, id desc) where archived_at is null and consent_email <> 'unknown';
create index contacts_archived on patchbay.contacts (tenant_id, id desc) where archived_at is not null and merged_into is null;
create index contacts_person on patchbay.contacts (person_id) where person_id is not null;
create index contacts_search on patchbay.contacts using gin (tenant_id, search_text gin_trgm_ops);
create index contacts_properties on patchbay.contacts using gin (tenant_id, properties jsonb_path_ops);

create table patchbay.custom_fields (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  key text not null check (key ~ '^[a-z][a-z0-9_]{0,39}$'),
  label text not null check (length(label) between 1 and 60),
  type text not null check (type in ('text', 'number', 'date', 'boolean', 'select', 'url')),
  options jsonb not null default '[]',
  required boolean not null default false,
  position integer not null default 0,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, key)
);

create table patchbay.labels (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  name text not null check (length(name) between 1 and 60),
  type text not null default 'manual' check (type in ('manual', 'auto')),
  active boolean not null default true,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create unique index on patchbay.labels (tenant_id, lower(name));

create table patchbay.contact_labels (
  tenant_id uuid not null,
  contact_id uuid not null,
  label_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, contact_id, label_id),
  foreign key (tenant_id, contact_id) references patchbay.contacts (tenant_id, id) on delete cascade,
  foreign key (tenant_id, label_id) references patchbay.labels (tenant_id, id) on delete cascade
);
create index on patchbay.contact_labels (tenant_id, label_id, contact_id desc);

create table patchbay.notes (
  tenant_id uuid not null,
  id uuid not null default patchbay.uuid_v7(),
  contact_id uuid not null,
  author_id uuid,
  author_label text not null,
  body text not null check (length(body) between 1 and 10000),
  created_at timestamptz not null default now(),
  edited_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, contact_id) references patchbay.contacts (tenant_id, id) on delete cascade
);
create index on patchbay.notes (tenant_id, contact_id, id desc);

-- What happened to a contact besides messages and notes: stage moved, quote viewed, consent changed, …
create table patchbay.activities (
  tenant_id uuid not null,
  id uuid not null default patchbay.uuid_v7(),
  contact_id uuid not null,
  kind text not null,
  data jsonb not null default '{}',
  actor_label text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, contact_id) references patchbay.contacts (tenant_id, id) on delete cascade
);
create index on patchbay.activities (tenant_id, contact_id, id desc);

-- A merge keeps what it needs to be taken back.
create table patchbay.contact_merges (
  tenant_id uuid not null,
  id uuid not null default patchbay.uuid_v7(),
  kept_id uuid not null,
  merged_id uuid not null,
  before jsonb not null, -- both rows as they were
  moved jsonb not null,  -- ids per table that went from merged to kept
  merged_by text not null,
  created_at timestamptz not null default now(),
  undone_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, kept_id) references patchbay.contacts (tenant_id, id) on delete cascade,
  foreign key (tenant_id, merged_id) references patchbay.contacts (tenant_id, id) on delete cascade
);
create index on patchbay.contact_merges (tenant_id, kept_id);

-- The present state per address: a STOP outlives the contact it came from.
create table patchbay.consents (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  channel text not null check (channel in ('sms', 'whatsapp', 'email')),
  address text not null, -- E.164 or e-mail
  state text not null check (state in ('subscribed', 'unsubscribed', 'unknown')),
  how text not null,     -- keyword, phrase, link, admin, api, import, carrier, complaint, form
  detail text,           -- the keyword, the wording agreed to
  actor_label text,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, channel, address)
);

-- Append-only proof: who agreed or refused, when, how, to which words.
create table patchbay.consent_events (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  channel text not null,
  address text not null,
  state text not null,
  how text not null,
  source text,   -- the form, the file, the number it was sent to
  wording text,  -- what the person saw
  evidence jsonb not null default '{}', -- raw text, message id, IP, page
  actor_label text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create index on patchbay.consent_events (tenant_id, address, id desc);

create table patchbay.do_not_contact (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  phone_e164 text not null check (phone_e164 ~ '^\+[1-9][0-9]{6,14}$'),
  reason text not null,
  source text not null default 'person' check (source in ('keyword', 'phrase', 'link', 'carrier', 'complaint', 'person', 'api', 'import')),
  actor_label text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, phone_e164)
);

do $$ declare name text; begin
  foreach name in array array['stages','custom_fields','labels','contact_labels','notes','activities','contact_merges','consents','do_not_contact'] loop
    call patchbay.isolate(name);
  end loop;
  call patchbay.isolate('consent_events', 'select, insert');
  -- person_id is beyond a tenant: equal ids would tell which contacts of two businesses are one person
  call patchbay.isolate('contacts', 'delete');
  execute (select format('grant select (%1$s), insert (%2$s), update (%2$s) on patchbay.contacts to patchbay_tenant',
      string_agg(attname, ', '), string_agg(attname, ', ') filter (where attgenerated = ''))
    from pg_attribute where attrelid = 'patchbay.contacts'::regclass and attnum > 0 and attname <> 'person_id');
end $$;

-- Which contact stands behind an address. The phone decides. An e-mail decides when no phone says otherwise:
-- households share e-mail addresses, and a number must not be lost in somebody else's contact. The addresses
-- of merged contacts lead to the one that was kept.
create function patchbay.match_contact(tenant uuid, phone text, mail text) returns uuid language plpgsql stable as $$
declare
  match uuid;
  onward uuid;
begin
  select id into match from patchbay.contacts where tenant_id = tenant and phone_e164 = phone and merged_into is null;
  if match is null then
    select id into match from patchbay.contacts where tenant_id = tenant and phone_e164 = phone and merged_into is not null
      order by id desc limit 1;
  end if;
  if match is null then
    select id into match from patchbay.contacts
      where tenant_id = tenant and email = lower(mail) and merged_into is null and (phone is null or phone_e164 is null)
      order by archived_at is not null, id limit 1;
  end if;
  if match is null and phone is null then
    select id into match from patchbay.contacts where tenant_id = tenant and email = lower(mail) and merged_into is not null
      order by id desc limit 1;
  end if;
  loop
    select merged_into into onward from patchbay.contacts where tenant_id = tenant and id = match;
    exit when onward is null;
    match := onward;
  end loop;
  return match;
end $$;

-- Two writers with the same new e-mail take turns; a phone has its unique index for that.
create function patchbay.lock_email(tenant uuid, mail text) returns void language sql volatile as $$
  select pg_advisory_xact_lock(hashtextextended(tenant::text || ' ' || lower(mail), 7))
$$;

-- Consent follows the address: a new contact with a known number starts where that number stands.
create function patchbay.contacts_load_consent() returns trigger language plpgsql as $$
begin
  new.consent_sms := coalesce((select state from patchbay.consents where tenant_id = new.tenant_id and channel = 'sms' and address = new.phone_e164), 'unknown');
  new.consent_whatsapp := coalesce((select state from patchbay.consents where tenant_id = new.tenant_id and channel = 'whatsapp' and address = new.phone_e164), 'unknown');
  new.consent_email := coalesce((select state from patchbay.consents where tenant_id = new.tenant_id and channel = 'email' and address = new.email), 'unknown');
  return new;
end $$;
-- Imports bring the states along, joined for the whole batch.
create trigger contacts_load_consent before insert on patchbay.contacts
  for each row when (new.import_id is null) execute function patchbay.contacts_load_consent();
create trigger contacts_reload_consent before update of phone_e164, email on patchbay.contacts
  for each row when (old.phone_e164 is distinct from new.phone_e164 or old.email is distinct from new.email)
  execute function patchbay.contacts_load_consent();

create function patchbay.consents_reach_contacts() returns trigger language plpgsql as $$
begin
  update patchbay.contacts c set consent_sms = n.state from changed n
    where n.channel = 'sms' and c.tenant_id = n.tenant_id and c.phone_e164 = n.address and c.consent_sms <> n.state;
  update patchbay.contacts c set consent_whatsapp = n.state from changed n
    where n.channel = 'whatsapp' and c.tenant_id = n.tenant_id and c.phone_e164 = n.address and c.consent_whatsapp <> n.state;
  update patchbay.contacts c set consent_email = n.state from changed n
    where n.channel = 'email' and c.tenant_id = n.tenant_id and c.email = n.address and c.consent_email <> n.state;
  return null;
end $$;
create trigger consents_inserted after insert on patchbay.consents
  referencing new table as changed for each statement execute function patchbay.consents_reach_contacts();
create trigger consents_updated after update on patchbay.consents
  referencing new table as changed for each statement execute function patchbay.consents_reach_contacts();

-- Identity. Called before a transaction writes, by the system role: finds the person behind a phone or an
-- e-mail, or makes one. It answers an id either way, so it tells nobody whether the person was known.
create function patchbay.resolve_person(phone text, mail text, first text, last text) returns uuid
language plpgsql volatile security definer set search_path = patchbay, pg_temp as $$
declare
  found_id uuid;
begin
  -- callers with the same address take turns, in one order whatever the mix of addresses
  perform pg_advisory_xact_lock(key) from (
    select hashtextextended(address, 11) as key from unnest(array[phone, lower(mail)]) address where address is not null order by 1) locks;
  select person_id into found_id from patchbay.person_phones where phone_e164 = phone;
  if found_id is null then
    select person_id into found_id from patchbay.person_emails where email = lower(mail);
  end if;
  if found_id is null then
    insert into patchbay.people (first_name, last_name) values (first, last) returning id into found_id;
  end if;
  if phone is not null then
    insert into patchbay.person_phones (phone_e164, person_id, is_primary) values (phone, found_id, true) on conflict do nothing;
  end if;
  if mail is not null then
    insert into patchbay.person_emails (email, person_id, is_primary) values (lower(mail), found_id, true) on conflict do nothing;
  end if;
  return found_id;
end $$;
revoke all on function patchbay.resolve_person(text, text, text, text) from public;
