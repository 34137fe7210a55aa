-- Which rows of a file were written. Batches are written side by side, so what is done need not be a beginning.
create table patchbay.import_ranges (
  tenant_id uuid not null,
  import_id uuid not null,
  from_row bigint not null, -- rows before it
  to_row bigint not null,
  primary key (tenant_id, import_id, from_row),
  foreign key (tenant_id, import_id) references patchbay.imports (tenant_id, id) on delete cascade
);
call patchbay.isolate('import_ranges');
