-- Two contacts that look like one person and are not, because somebody said so.
create table patchbay.distinct_contacts (
  tenant_id uuid not null,
  first_id uuid not null,
  second_id uuid not null,
  said_by text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, first_id, second_id),
  foreign key (tenant_id, first_id) references patchbay.contacts (tenant_id, id) on delete cascade,
  foreign key (tenant_id, second_id) references patchbay.contacts (tenant_id, id) on delete cascade,
  check (first_id < second_id)
);
create index on patchbay.distinct_contacts (tenant_id, second_id);
call patchbay.isolate('distinct_contacts');
