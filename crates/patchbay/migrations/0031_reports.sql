-- What reports have counted, so that looking at them costs a row and not a ledger. Counted anew when it is old for what
-- the counting costs; losing it loses nothing.
create table patchbay.reports (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  subject text not null, -- 'senders', or a campaign's id
  data jsonb not null,
  counted_at timestamptz not null,
  took_ms integer not null,
  primary key (tenant_id, subject)
);
call patchbay.isolate('reports');
