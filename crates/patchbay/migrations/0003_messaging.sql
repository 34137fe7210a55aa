-- The ledger: every intended, sent and received message of every channel, and what decides over it.

create table patchbay.provider_accounts (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  provider text not null check (provider in ('fake', 'twilio', 'smtp', 'resend')),
  account_sid text,               -- names the account in webhooks
  messaging_service_sid text,
  credentials_sealed bytea,       -- XChaCha20-Poly1305, the key is not in the database
  last_error text, last_error_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  disabled_at timestamptz,
  primary key (tenant_id, id)
);
create unique index on patchbay.provider_accounts (tenant_id, provider, account_sid) where disabled_at is null;
create index on patchbay.provider_accounts (account_sid) where disabled_at is null;

create table patchbay.senders (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  channel text not null check (channel in ('sms', 'whatsapp', 'email')),
  address text not null,          -- E.164, a short code, a name, an e-mail
  label text,
  provider text not null check (provider in ('fake', 'twilio', 'smtp', 'resend')),
  account_id uuid,                -- null: the shared account of the environment, or the fake
  rate_per_second numeric check (rate_per_second > 0 and rate_per_second <= 10000),
  warmup_started_on date,
  is_default boolean not null default false,
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, account_id) references patchbay.provider_accounts (tenant_id, id)
);
create unique index on patchbay.senders (tenant_id, channel, address) where disabled_at is null;
create index on patchbay.senders (address) where disabled_at is null;

-- What the rate, warm-up and budget gates count. Days are the tenant's own.
create table patchbay.send_counters (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  sender_id uuid not null,
  day date not null,
  messages bigint not null default 0,
  primary key (tenant_id, sender_id, day)
);
create table patchbay.spend_counters (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  day date not null,
  messages bigint not null default 0,
  cost_micros bigint not null default 0,
  primary key (tenant_id, day)
);
-- Token buckets shared by all nodes; the key is 'tenant', 'api' or a sender's id.
create table patchbay.rate_buckets (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  key text not null,
  tokens double precision not null,
  refilled_at timestamptz not null,
  primary key (tenant_id, key)
);

create table patchbay.templates (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  key text not null check (key ~ '^[a-z][a-z0-9_]{0,59}$'),
  name text not null check (length(name) between 1 and 120),
  channel text not null default 'sms' check (channel in ('sms', 'whatsapp', 'email')),
  subject text,
  content text not null check (length(content) between 1 and 5000),
  content_sid text,               -- an approved WhatsApp template
  content_variables jsonb,        -- placeholder -> template text
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
-- A template that was put away does not hold on to its key.
create unique index templates_key on patchbay.templates (tenant_id, key) where archived_at is null;

-- One per contact, so the contact's id is its id.
create table patchbay.conversations (
  tenant_id uuid not null,
  contact_id uuid not null,
  status text not null default 'open' check (status in ('open', 'snoozed', 'done')),
  assignee_id uuid,
  unread integer not null default 0,
  snoozed_until timestamptz,
  last_message_at timestamptz not null default now(),
  last_direction text, last_channel text, last_preview text,
  last_inbound_at timestamptz,
  whatsapp_inbound_at timestamptz, -- opens 24 hours of free-form answers
  -- answers leave from the number that was written to
  reply_channel text, reply_from text,
  waiting_since timestamptz,       -- the first unanswered message
  needs_review text,               -- why a person should look: "Maybe an opt-out: …"
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, contact_id),
  foreign key (tenant_id, contact_id) references patchbay.contacts (tenant_id, id) on delete cascade,
  check ((status = 'snoozed') = (snoozed_until is not null))
);
create index conversations_list on patchbay.conversations (tenant_id, status, last_message_at desc, contact_id desc);
create index conversations_assignee on patchbay.conversations (tenant_id, assignee_id, last_message_at desc, contact_id desc) where status = 'open';
create index conversations_unread on patchbay.conversations (tenant_id, last_message_at desc, contact_id desc) where unread > 0;
create index conversations_snoozed on patchbay.conversations (snoozed_until) where status = 'snoozed';
create index conversations_waiting on patchbay.conversations (tenant_id, waiting_since) where waiting_since is not null;

create table patchbay.messages (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  contact_id uuid,                -- null: to a member of the business, or to oneself
  direction text not null check (direction in ('outbound', 'inbound')),
  channel text not null check (channel in ('sms', 'whatsapp', 'email')),
  kind text not null check (kind in ('manual', 'api', 'quote', 'campaign', 'sequence', 'reminder', 'auto_reply', 'notification', 'consent_confirmation', 'help', 'invoice', 'test', 'inbound')),
  status text not null check (status in ('queued', 'sending', 'sent', 'delivered', 'read', 'undelivered', 'failed', 'unknown', 'blocked', 'canceled', 'received')),
  priority smallint not null default 1 check (priority between 0 and 2), -- 0 live talk, 1 automatic, 2 bulk
  dedupe_key text not null,       -- the whole idempotency story
  from_address text,
  to_address text not null,
  subject text,
  body text not null,
  media jsonb not null default '[]',
  content_sid text, content_variables jsonb,
  template_id uuid, campaign_id uuid, quote_id uuid,
  sent_by uuid, sent_by_label text,
  sender_id uuid,
  provider text,
  provider_message_id text,
  segments smallint not null default 1,
  encoding text not null default 'gsm7' check (encoding in ('gsm7', 'ucs2', 'none')),
  cost_micros bigint not null default 0,
  attempt integer not null default 0,
  send_after timestamptz not null default now(),
  scheduled_at timestamptz,       -- the time a person chose, kept when a gate moves send_after
  quiet_hours_waived boolean not null default false, -- "Send now" by a person who was shown the hour
  gate text check (gate in ('kill_switch', 'budget', 'do_not_contact', 'suppression_window', 'quiet_hours', 'rate_limit', 'warm_up', 'template')),
  gate_reason jsonb,
  gate_until timestamptz,
  error_code integer, error_detail text,
  claimed_at timestamptz,         -- when the present attempt began
  lease_until timestamptz,        -- while sending; past it the outcome is unknown
  reconcile_after timestamptz,    -- while unknown: when to ask the provider
  created_at timestamptz not null default now(),
  sent_at timestamptz, delivered_at timestamptz, read_at timestamptz, failed_at timestamptz,
  -- status rides along, so that a week is added up without reading the rows
  primary key (tenant_id, id) include (status),
  unique (tenant_id, dedupe_key),
  foreign key (tenant_id, contact_id) references patchbay.contacts (tenant_id, id),
  check ((direction = 'inbound') = (status = 'received')),
  check ((status = 'sending') = (lease_until is not null)),
  check ((status = 'unknown') = (reconcile_after is not null)),
  check (status <> 'blocked' or gate is not null)
) with (fillfactor = 80);
-- Three statuses are work; each has an index that holds only that work.
create index messages_due on patchbay.messages (tenant_id, priority, send_after) where status = 'queued';
create index messages_leased on patchbay.messages (tenant_id, lease_until) where status = 'sending';
create index messages_unknown on patchbay.messages (tenant_id, reconcile_after) where status = 'unknown';
create index messages_contact on patchbay.messages (tenant_id, contact_id, id desc);
create index messages_recent on patchbay.messages (tenant_id, id desc) where campaign_id is null;
create index messages_status on patchbay.messages (tenant_id, status, id desc) where status in ('blocked', 'failed', 'undelivered', 'unknown');
create index messages_campaign on patchbay.messages (tenant_id, campaign_id, status) where campaign_id is not null;
create index messages_provider on patchbay.messages (tenant_id, provider_message_id) where provider_message_id is not null;
-- Only what people wrote is worth searching, and it never changes, so the dispatcher's updates stay cheap.
create table patchbay.message_texts (
  tenant_id uuid not null,
  message_id uuid not null,
  contact_id uuid not null,
  folded text not null,
  primary key (tenant_id, message_id),
  foreign key (tenant_id, message_id) references patchbay.messages (tenant_id, id) on delete cascade
);
create index message_texts_search on patchbay.message_texts using gin (tenant_id, folded gin_trgm_ops);

-- Every event is kept; messages.status is the fold over them.
create table patchbay.message_events (
  tenant_id uuid not null,
  message_id uuid not null,
  id uuid not null default patchbay.uuid_v7(),
  event text not null,            -- a status, or: claimed, waiting, retried, reconciled, …
  code integer,
  detail text,
  provider_message_id text,
  at timestamptz not null default now(),
  primary key (tenant_id, message_id, id)
);

-- Raw webhooks, stored before they are answered. Global: they arrive before their tenant is certain.
create table patchbay.webhook_events (
  provider text not null,
  provider_event_id text not null,
  tenant_id uuid not null,
  kind text not null check (kind in ('inbound', 'status')),
  payload jsonb not null,
  received_at timestamptz not null default now(),
  primary key (provider, provider_event_id)
);
create index on patchbay.webhook_events (received_at);

do $$ declare name text; begin
  foreach name in array array['provider_accounts','senders','send_counters','spend_counters','rate_buckets','templates','conversations','messages','message_texts'] loop
    call patchbay.isolate(name);
  end loop;
  call patchbay.isolate('message_events', 'select, insert');
end $$;

create function patchbay.conversations_tell() returns trigger language plpgsql as $$
declare row record;
begin
  for row in select tenant_id, (array_agg(distinct 'conversation:' || contact_id))[1:50] || array['inbox'] as events from changed group by tenant_id loop
    perform patchbay.tell(row.tenant_id, row.events);
  end loop;
  return null;
end $$;
create trigger conversations_told_insert after insert on patchbay.conversations referencing new table as changed for each statement execute function patchbay.conversations_tell();
create trigger conversations_told_update after update on patchbay.conversations referencing new table as changed for each statement execute function patchbay.conversations_tell();

-- Threads follow their messages; bulk is summed up elsewhere.
create function patchbay.messages_tell() returns trigger language plpgsql as $$
declare row record;
begin
  for row in select tenant_id, (array_agg(distinct 'conversation:' || contact_id))[1:50] || array['messages'] as events from changed where priority < 2 and contact_id is not null group by tenant_id loop
    perform patchbay.tell(row.tenant_id, row.events);
  end loop;
  return null;
end $$;
create trigger messages_told_insert after insert on patchbay.messages referencing new table as changed for each statement execute function patchbay.messages_tell();
create trigger messages_told_update after update on patchbay.messages referencing new table as changed for each statement execute function patchbay.messages_tell();
-- Wakes sleeping dispatchers; polling finds the rest.
create function patchbay.work_waits() returns trigger language plpgsql as $$
begin
  perform pg_notify('patchbay_work', tg_argv[0]);
  return null;
end $$;
create trigger messages_wake after insert on patchbay.messages for each statement execute function patchbay.work_waits('messages');
