-- What the carrier refuses for a reason that a person must put right: an account whose credentials it does not accept, a
-- number that may not send. What would leave that way waits, instead of failing message by message, until the account is
-- saved again or somebody says "Try again".

create table patchbay.sending_holds (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  provider text not null check (provider in ('fake', 'twilio', 'smtp', 'resend')),
  account_id uuid,       -- null: the shared account of the environment, the mail server, or the fake
  sender_id uuid,        -- null: everything of the account
  to_prefix text,        -- only what goes to numbers that begin so; null: to everybody
  code integer,          -- the carrier's
  reason text not null,  -- in plain words
  held_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, account_id) references patchbay.provider_accounts (tenant_id, id),
  foreign key (tenant_id, sender_id) references patchbay.senders (tenant_id, id)
);
create unique index sending_holds_once on patchbay.sending_holds (tenant_id, provider, account_id, sender_id, to_prefix) nulls not distinct;
call patchbay.isolate('sending_holds');

-- A message that waits for such a hold says so.
alter table patchbay.messages drop constraint messages_gate_check;
alter table patchbay.messages add constraint messages_gate_check
  check (gate in ('kill_switch', 'budget', 'do_not_contact', 'suppression_window', 'quiet_hours', 'rate_limit', 'warm_up', 'template', 'address', 'carrier')) not valid;
alter table patchbay.messages validate constraint messages_gate_check;
