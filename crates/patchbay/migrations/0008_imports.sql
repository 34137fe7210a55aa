-- Imports: files of contacts or of numbers not to be contacted, how far each has come, and what it takes to undo it.

create table patchbay.imports (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  file_name text not null check (length(file_name) <= 255),
  byte_count bigint not null default 0,
  -- how the file is read: {"kind": "csv", "encoding": …, "delimiter": …, "header": …, "sheet": …}
  format jsonb not null default '{}',
  -- headings and first rows, as read with that format
  preview jsonb not null default '{}',
  mapping jsonb not null default '{}',
  dry_run boolean not null default false,
  status text not null default 'uploading'
    check (status in ('uploading', 'draft', 'queued', 'running', 'finished', 'failed', 'undoing', 'undone')),
  -- one sentence: why it failed
  problem text,
  -- every row read so far is exactly one of the five
  row_count bigint not null default 0,
  new_count bigint not null default 0,
  updated_count bigint not null default 0,
  duplicate_count bigint not null default 0,
  invalid_count bigint not null default 0,
  opted_out_count bigint not null default 0,
  bytes_read bigint not null default 0,
  -- the first rows of each kind, with what was found about them
  samples jsonb not null default '{}',
  -- what the dry run before this import counted
  expected jsonb,
  undo jsonb, -- {"deleted": n, "restored": n, "kept": n}
  -- the node at work; past the lease another one goes on from row_count
  attempt integer not null default 0,
  lease_until timestamptz,
  created_by_kind text not null, created_by uuid, created_by_label text not null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  primary key (tenant_id, id)
);
create index imports_due on patchbay.imports (lease_until nulls first) where status in ('queued', 'running', 'undoing');
create index imports_unfinished on patchbay.imports (created_at) where status in ('uploading', 'draft', 'failed');

-- The file itself, because any node may do the work. Emptied once the import is finished.
create table patchbay.import_chunks (
  tenant_id uuid not null,
  import_id uuid not null,
  position integer not null,
  bytes bytea not null,
  primary key (tenant_id, import_id, position),
  foreign key (tenant_id, import_id) references patchbay.imports (tenant_id, id) on delete cascade
);
alter table patchbay.import_chunks alter column bytes set storage external;

-- Rows that cannot be imported, as they were written, and why.
create table patchbay.import_rejects (
  tenant_id uuid not null,
  import_id uuid not null,
  row_number bigint not null,
  reason text not null,
  cells jsonb not null,
  primary key (tenant_id, import_id, row_number),
  foreign key (tenant_id, import_id) references patchbay.imports (tenant_id, id) on delete cascade
);

-- Contacts that were there before and were changed: only the fields that changed, as they were and as they became.
-- Contacts that the import made carry its id themselves.
create table patchbay.import_changes (
  tenant_id uuid not null,
  import_id uuid not null,
  contact_id uuid not null,
  before jsonb not null,
  after jsonb not null,
  labels uuid[] not null default '{}', -- given by the import
  primary key (tenant_id, import_id, contact_id),
  foreign key (tenant_id, import_id) references patchbay.imports (tenant_id, id) on delete cascade
);

-- Addresses whose consent, or whose place on the do-not-contact list, the import changed.
create table patchbay.import_addresses (
  tenant_id uuid not null,
  import_id uuid not null,
  channel text not null check (channel in ('sms', 'whatsapp', 'email', 'do_not_contact')),
  address text not null,
  before text, -- the state before; null: none was recorded
  after text not null,
  primary key (tenant_id, import_id, channel, address),
  foreign key (tenant_id, import_id) references patchbay.imports (tenant_id, id) on delete cascade
);

-- Which field a tenant last took a heading for, so that the next file of the same make maps itself.
create table patchbay.import_headings (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  heading text not null, -- folded
  field text not null,
  used_at timestamptz not null default now(),
  primary key (tenant_id, heading)
);

do $$ declare name text; begin
  foreach name in array array['imports','import_chunks','import_rejects','import_changes','import_addresses','import_headings'] loop
    call patchbay.isolate(name);
  end loop;
end $$;

-- Rows of an import are found by it when it is undone or listed.
create index contacts_import on patchbay.contacts (tenant_id, import_id, id) where import_id is not null;

-- The set-based sister of resolve_person: one person per row, in the rows' order. Rows that share an e-mail become one
-- person. Called in a transaction of its own, before contacts are written; people whom no contact points to are harmless.
create function patchbay.resolve_people(phones text[], mails text[], firsts text[], lasts text[]) returns uuid[]
language plpgsql volatile security definer set search_path = patchbay, pg_temp as $$
declare
  found_ids uuid[];
begin
  select array_agg(coalesce(p.person_id, e.person_id) order by i.n) into found_ids
    from unnest(phones, mails) with ordinality i(phone, mail, n)
    left join patchbay.person_phones p on p.phone_e164 = i.phone
    left join patchbay.person_emails e on e.email = lower(i.mail);
  -- the first of those who share an address gives them their id
  select array_agg(m.id order by m.n) into found_ids from (
    select i.n, coalesce(i.known, first_value(i.fresh) over (partition by i.known is null, coalesce(lower(i.mail), i.phone) order by i.n)) as id
    from (select known, phone, mail, n, gen_random_uuid() as fresh from unnest(found_ids, phones, mails) with ordinality g(known, phone, mail, n)) i) m;
  insert into patchbay.people (id, first_name, last_name)
    select distinct on (i.id) i.id, i.first, i.last from unnest(found_ids, firsts, lasts) with ordinality i(id, first, last, n)
    order by i.id, i.n on conflict do nothing;
  -- in the order of addresses, so that two imports with the same numbers take turns instead of waiting for each other
  insert into patchbay.person_phones (phone_e164, person_id, is_primary)
    select distinct on (i.phone) i.phone, i.id, true from unnest(found_ids, phones) i(id, phone)
    where i.phone is not null order by i.phone on conflict do nothing;
  insert into patchbay.person_emails (email, person_id, is_primary)
    select distinct on (lower(i.mail)) lower(i.mail), i.id, true from unnest(found_ids, mails) i(id, mail)
    where i.mail is not null order by lower(i.mail) on conflict do nothing;
  -- somebody else may have been a moment faster
  select array_agg(coalesce(p.person_id, e.person_id) order by i.n) into found_ids
    from unnest(phones, mails) with ordinality i(phone, mail, n)
    left join patchbay.person_phones p on p.phone_e164 = i.phone
    left join patchbay.person_emails e on e.email = lower(i.mail);
  return found_ids;
end $$;
revoke all on function patchbay.resolve_people(text[], text[], text[], text[]) from public;

create function patchbay.imports_tell() returns trigger language plpgsql as $$
declare row record;
begin
  for row in select tenant_id, (array_agg(distinct 'import:' || id))[1:20] || array['imports'] as events from changed group by tenant_id loop
    perform patchbay.tell(row.tenant_id, row.events);
  end loop;
  perform pg_notify('patchbay_work', 'imports') from changed where status in ('queued', 'undoing') limit 1;
  return null;
end $$;
create trigger imports_told_insert after insert on patchbay.imports referencing new table as changed for each statement execute function patchbay.imports_tell();
create trigger imports_told_update after update on patchbay.imports referencing new table as changed for each statement execute function patchbay.imports_tell();
