-- Named groups of contacts, meant by conditions. The conditions are data with a version, never SQL.
create table patchbay.segments (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  name text not null check (length(name) between 1 and 120),
  filter_version smallint not null default 1,
  filter jsonb not null check (jsonb_typeof(filter) = 'object'),
  created_by text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create unique index segments_name on patchbay.segments (tenant_id, lower(name));
call patchbay.isolate('segments');
