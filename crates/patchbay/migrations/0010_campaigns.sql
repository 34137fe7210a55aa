-- Campaigns: one text to many. A campaign only inserts intents; the ledger and the gates do the rest.

alter table patchbay.tenants
  -- A campaign pauses itself past these rates, per thousand of what was sent lately; null: this one never pauses it.
  add column brake_opt_out_permille integer default 20 check (brake_opt_out_permille between 1 and 1000),
  add column brake_failure_permille integer default 100 check (brake_failure_permille between 1 and 1000),
  add column brake_filtered_permille integer default 10 check (brake_filtered_permille between 1 and 1000),
  -- with fewer messages than this nothing is concluded
  add column brake_minimum integer not null default 100 check (brake_minimum between 1 and 500);

create table patchbay.campaigns (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  name text not null check (length(name) between 1 and 120),
  channel text not null check (channel in ('sms', 'whatsapp', 'email')),
  segment_id uuid,                          -- null: every contact
  template_ids uuid[] not null default '{}', -- rotated evenly
  sender_id uuid,                           -- null: the conversation's, the default or the messaging service decides
  status text not null default 'draft' check (status in ('draft', 'scheduled', 'running', 'paused', 'finished', 'canceled')),
  scheduled_at timestamptz,
  in_recipient_zone boolean not null default false, -- scheduled_at is the tenant's clock, read on each recipient's own
  launch_at timestamptz,                    -- while scheduled: when the first recipient's time has come
  -- What was approved at launch, so that later edits change nothing: the filter, the words.
  audience jsonb,
  content jsonb,
  launched_at timestamptz, launched_by text,
  snapshot_at timestamptz,                  -- when its recipients were written down; null while that is under way
  recipients bigint not null default 0,
  expanded bigint not null default 0,       -- recipients before this position have their message
  paused_at timestamptz, paused_by text,
  pause_reason jsonb,                       -- {"code": "brake", …}, or null: a person paused it
  -- what the brake saw before this was looked at by the person who resumed
  resumed_at timestamptz,
  finished_at timestamptz,                  -- also when the last message of a canceled one was settled
  totals jsonb, totals_at timestamptz,      -- counted at most so often; see campaigns::totals
  preflight jsonb, preflight_at timestamptz,
  preflight_run uuid,                       -- of two at once the later one wins
  created_by text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, sender_id) references patchbay.senders (tenant_id, id),
  check ((status = 'paused') = (paused_at is not null)),
  check ((status = 'scheduled') = (launch_at is not null)),
  check (status not in ('draft', 'scheduled') or launched_at is null)
);
create index campaigns_recent on patchbay.campaigns (tenant_id, id desc);
create index campaigns_under_way on patchbay.campaigns (tenant_id) where status in ('scheduled', 'running') or (status in ('paused', 'canceled') and finished_at is null);
call patchbay.isolate('campaigns');

-- Who gets it, written down at launch by one statement. Without foreign keys: each would lock a contact's row per
-- recipient, and campaigns that were launched are never deleted. The template is position modulo their number.
create table patchbay.campaign_recipients (
  tenant_id uuid not null,
  campaign_id uuid not null,
  position bigint not null,
  contact_id uuid not null,
  primary key (tenant_id, campaign_id, position)
);
call patchbay.isolate('campaign_recipients', 'select');

-- What the gates said beforehand, contact by contact; replaced by each run. The key is the order of the lists.
create table patchbay.campaign_preflight (
  tenant_id uuid not null,
  campaign_id uuid not null,
  verdict text not null check (verdict in ('now', 'later', 'never')),
  gate text not null default '',
  contact_id uuid not null,
  reason jsonb,
  until timestamptz,
  primary key (tenant_id, campaign_id, verdict, gate, contact_id),
  foreign key (tenant_id, campaign_id) references patchbay.campaigns (tenant_id, id) on delete cascade
);
call patchbay.isolate('campaign_preflight');

-- Everything a campaign's numbers and lists ask for, without reading the rows.
drop index patchbay.messages_campaign;
create index messages_campaign on patchbay.messages (tenant_id, campaign_id, status, gate, id) where campaign_id is not null;
-- What was sent lately, for the brake.
create index messages_campaign_latest on patchbay.messages (tenant_id, campaign_id, claimed_at) where campaign_id is not null and claimed_at is not null;

-- A contact without a number or an e-mail is accounted for like everybody else.
alter table patchbay.messages drop constraint messages_gate_check;
alter table patchbay.messages add constraint messages_gate_check
  check (gate in ('kill_switch', 'budget', 'do_not_contact', 'suppression_window', 'quiet_hours', 'rate_limit', 'warm_up', 'template', 'address')) not valid;
alter table patchbay.messages validate constraint messages_gate_check;
