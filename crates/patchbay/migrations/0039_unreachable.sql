-- Addresses that the carrier failed to reach: at once where it says that there is no such number, after some messages
-- where a phone may only have been switched off. The address counts, whoever has it.

create table patchbay.unreachable (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  channel text not null check (channel in ('sms', 'whatsapp', 'email')),
  address text not null,
  code integer not null,       -- the carrier's
  failures smallint not null,  -- messages given up with this code, none of them long before the next
  failed_at timestamptz not null,
  since timestamptz,           -- when it began to count as out of reach; null while there is hope
  primary key (tenant_id, channel, address)
);
call patchbay.isolate('unreachable');

-- Whoever gives a contact another number, or the former one back, believes in it.
create function patchbay.contacts_readdressed() returns trigger language plpgsql as $$
begin
  delete from patchbay.unreachable where tenant_id = new.tenant_id and channel in ('sms', 'whatsapp')
    and address in (old.phone_e164, new.phone_e164) and old.phone_e164 is distinct from new.phone_e164;
  delete from patchbay.unreachable where tenant_id = new.tenant_id and channel = 'email'
    and address in (old.email, new.email) and old.email is distinct from new.email;
  return null;
end $$;
create trigger contacts_readdressed after update of phone_e164, email on patchbay.contacts
  for each row when (old.phone_e164 is distinct from new.phone_e164 or old.email is distinct from new.email)
  execute function patchbay.contacts_readdressed();
