-- What a change to many contacts was, so that it can be taken back. Kept for a month: later nobody remembers.
create table patchbay.bulk_changes (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  undo jsonb not null, -- the change and, per contact, what was there before
  changed_by text not null,
  created_at timestamptz not null default now(),
  undone_at timestamptz,
  primary key (tenant_id, id)
);
create index on patchbay.bulk_changes (tenant_id, created_at);
call patchbay.isolate('bulk_changes');
