-- Tenancy: who owns a row, who may see it, who may sign in.
--
-- The login role owns everything and is the system role. Requests run as patchbay_tenant, which owns nothing,
-- so that row-level security always binds it. An unset tenant sees nothing.

create schema if not exists patchbay;
create extension if not exists pg_trgm with schema public;
create extension if not exists unaccent with schema public;
create extension if not exists btree_gin with schema public;

-- Roles belong to the whole server; several databases on one server share this one.
do $$
begin
  if not exists (select from pg_roles where rolname = 'patchbay_tenant') then
    begin
      create role patchbay_tenant nologin;
    exception when duplicate_object or unique_violation then null; -- another node was first
    end;
  end if;
  if not pg_has_role(current_user, 'patchbay_tenant', 'member') then
    execute format('grant patchbay_tenant to %I', current_user);
  end if;
end $$;
grant usage on schema patchbay to patchbay_tenant;

-- Plain SQL, stable, no subquery: the planner folds it into a one-time filter.
create function patchbay.current_tenant() returns uuid language sql stable parallel safe
  return nullif(current_setting('patchbay.tenant_id', true), '')::uuid;

-- Time-ordered ids for foreign writers; the program makes its own.
create function patchbay.uuid_v7() returns uuid language plpgsql volatile parallel safe as $$
declare
  ms bytea := substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3);
  raw bytea := uuid_send(gen_random_uuid());
begin
  raw := overlay(raw placing ms from 1 for 6);
  raw := set_byte(raw, 6, (get_byte(raw, 6) & 15) | 112);
  return encode(raw, 'hex')::uuid;
end $$;

-- 12 base-62 characters, about 71 bits: unguessable, short enough for a text message.
create function patchbay.new_token() returns text language plpgsql volatile parallel safe as $$
declare
  alphabet constant text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  raw bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  token text := '';
  position int := 0;
begin
  while length(token) < 12 and position < 32 loop
    -- rejection sampling keeps the characters equally likely; bytes 6 and 8 of a UUID are not random
    if get_byte(raw, position) < 248 and position % 16 not in (6, 8) then
      token := token || substr(alphabet, get_byte(raw, position) % 62 + 1, 1);
    end if;
    position := position + 1;
  end loop;
  return token;
end $$;

-- Letter case and accents do not matter in a search.
create function patchbay.fold(value text) returns text language sql immutable parallel safe strict
  return lower(public.unaccent('public.unaccent'::regdictionary, value));

create table patchbay.tenants (
  id uuid primary key default patchbay.uuid_v7(),
  name text not null check (length(name) between 1 and 120),
  slug text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?$'),
  timezone text not null default 'UTC',
  country text not null default 'US' check (country ~ '^[A-Z]{2}$'),
  currency text not null default 'USD' check (currency ~ '^[A-Z]{3}$'),
  -- named in the answer to HELP, in confirmations and on quotes
  business_name text,
  support_contact text,
  kill_switch boolean not null default false,
  quiet_start time default '21:00',
  quiet_end time default '09:00',
  -- the stricter marketing hours of the recipient's country and state
  country_rules boolean not null default true,
  -- whether a message that a person types waits for morning too
  quiet_binds_people boolean not null default false,
  budget_daily_cents bigint check (budget_daily_cents >= 0),
  budget_monthly_cents bigint check (budget_monthly_cents >= 0),
  -- null: no limit of our own
  rate_per_second integer check (rate_per_second between 1 and 10000),
  -- requests to POST /api/messages/send
  api_rate_per_second integer not null default 50 check (api_rate_per_second between 1 and 10000),
  suppression_days integer not null default 90 check (suppression_days between 0 and 3650),
  opt_out_line text,
  -- the tenant's own words; null means the built-in text
  stop_text text, start_text text, help_text text,
  -- price per segment in millionths of the currency, by channel and country: {"sms": {"AU": 51500}}
  prices jsonb not null default '{}',
  next_quote_number integer not null default 1001,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check ((quiet_start is null) = (quiet_end is null))
);

create table patchbay.users (
  id uuid primary key default patchbay.uuid_v7(),
  email text not null check (email = lower(email)),
  name text,
  theme text not null default 'system' check (theme in ('system', 'light', 'dark')),
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  unique (email)
);

create table patchbay.memberships (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  user_id uuid not null references patchbay.users on delete cascade,
  role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
  -- what was answered since then is counted beside "Quotes"
  quotes_seen_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  primary key (tenant_id, user_id)
);
create index on patchbay.memberships (user_id);

create table patchbay.invitations (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  email text not null check (email = lower(email)),
  role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
  invited_by uuid references patchbay.users on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  revoked_at timestamptz,
  primary key (tenant_id, id)
);
create unique index on patchbay.invitations (tenant_id, email) where accepted_at is null and revoked_at is null;
create index on patchbay.invitations (email) where accepted_at is null and revoked_at is null;

-- Secrets are stored as SHA-256 of 256 random bits.
create table patchbay.sessions (
  id uuid primary key,
  token_hash bytea not null unique,
  user_id uuid not null references patchbay.users on delete cascade,
  tenant_id uuid references patchbay.tenants on delete set null, -- the tenant on screen
  user_agent text,
  ip text,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  expires_at timestamptz not null
);
create index on patchbay.sessions (user_id);
create index on patchbay.sessions (expires_at);

create table patchbay.login_tokens (
  id uuid primary key,
  token_hash bytea not null unique,
  email text not null,
  ip text,
  -- binds the link to the browser that asked for it; null for links made on the command line
  browser_hash bytea,
  -- typed into the asking browser when the link was opened in another; null until the link was opened there
  code_hash bytea,
  code_attempts integer not null default 0,
  next_path text, -- the page that was asked for before signing in
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index on patchbay.login_tokens (email, created_at);
create index on patchbay.login_tokens (ip, created_at);
create index on patchbay.login_tokens (browser_hash) where browser_hash is not null;
create index on patchbay.login_tokens (created_at);

-- Not distributed, because a key arrives before its tenant is known; managed under row-level security like the rest.
create table patchbay.api_keys (
  id uuid primary key,
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  name text not null check (length(name) between 1 and 120),
  scope text not null check (scope in ('full', 'read', 'ingest')),
  prefix text not null, -- what the list shows: pb_ and four characters
  key_hash bytea not null unique,
  created_by uuid references patchbay.users on delete set null,
  created_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz
);
create index on patchbay.api_keys (tenant_id, created_at);

create table patchbay.audit_log (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  at timestamptz not null default now(),
  actor_kind text not null check (actor_kind in ('user', 'api_key', 'system', 'contact')),
  actor_id uuid,
  actor_label text not null,
  action text not null,       -- contact.updated, settings.updated, …
  entity_type text not null,
  entity_id text,
  changes jsonb not null default '{}',
  primary key (tenant_id, id)
);
create index on patchbay.audit_log (tenant_id, entity_type, entity_id, id desc);

-- What a POST with an Idempotency-Key was answered, for 24 hours.
create table patchbay.idempotency_keys (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  key text not null check (length(key) between 1 and 255),
  route text not null,
  request_hash bytea not null,
  status smallint, -- null while the first request is under way
  content_type text,
  response bytea,
  created_at timestamptz not null,
  primary key (tenant_id, key)
);
create index on patchbay.idempotency_keys (created_at);

-- A tenant's tables all look alike to row-level security; later migrations call this for theirs.
create procedure patchbay.isolate(name text, privileges text default 'select, insert, update, delete')
language plpgsql as $$
begin
  execute format('alter table patchbay.%I enable row level security', name);
  execute format('create policy tenant on patchbay.%I to patchbay_tenant using (tenant_id = patchbay.current_tenant()) with check (tenant_id = patchbay.current_tenant())', name);
  execute format('grant %s on patchbay.%I to patchbay_tenant', privileges, name);
end $$;

alter table patchbay.tenants enable row level security;
create policy tenant on patchbay.tenants to patchbay_tenant
  using (id = patchbay.current_tenant()) with check (id = patchbay.current_tenant());
grant select, update on patchbay.tenants to patchbay_tenant;
call patchbay.isolate('memberships');
call patchbay.isolate('invitations');
call patchbay.isolate('idempotency_keys');
-- A tenant never reads the hash of a key, not even its own, and can only revoke.
call patchbay.isolate('api_keys', 'insert');
grant select (id, tenant_id, name, scope, prefix, created_by, created_at, last_used_at, revoked_at), update (revoked_at)
  on patchbay.api_keys to patchbay_tenant;
call patchbay.isolate('audit_log', 'select, insert');

-- Names and addresses of the people one works with, without opening the users table.
create function patchbay.members() returns table (user_id uuid, email text, name text, role text, created_at timestamptz)
language sql stable security definer set search_path = patchbay, pg_temp as $$
  select u.id, u.email, u.name, m.role, m.created_at
  from patchbay.memberships m join patchbay.users u on u.id = m.user_id
  where m.tenant_id = patchbay.current_tenant()
$$;
revoke all on function patchbay.members() from public;
grant execute on function patchbay.members() to patchbay_tenant;

-- One notification per statement; a hint, polling is the truth.
create function patchbay.tell(tenant uuid, events text[]) returns void language sql volatile as $$
  select pg_notify('patchbay', json_build_object('tenant', tenant, 'events', events)::text)
$$;
grant execute on function patchbay.tell(uuid, text[]) to patchbay_tenant;
