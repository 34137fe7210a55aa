-- Quotes. Any writer's insert is announced, and the announcement becomes a text message once.

create table patchbay.quotes (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  number integer not null,
  contact_id uuid not null,
  title text check (length(title) <= 200),
  data jsonb not null default '{}' check (jsonb_typeof(data) = 'object'), -- whatever else the writer knows; templates read it
  items jsonb not null default '[]' check (jsonb_typeof(items) = 'array'), -- [{name, description, quantity, unit_cents}]
  discount_cents bigint not null default 0 check (discount_cents >= 0),
  tax_basis_points integer not null default 0 check (tax_basis_points between 0 and 10000),
  tax_cents bigint not null default 0,
  total_cents bigint not null check (total_cents >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  terms text check (length(terms) <= 5000),
  status text not null default 'draft' check (status in ('draft', 'sent', 'viewed', 'accepted', 'rejected', 'expired')),
  -- a draft that a person is still writing: not announced until released
  held boolean not null default false,
  token text not null default patchbay.new_token(),
  owner_id uuid,
  expires_on date,
  created_by_label text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  sent_at timestamptz, viewed_at timestamptz, answered_at timestamptz,
  answer_note text check (length(answer_note) <= 2000),
  primary key (tenant_id, id),
  unique (tenant_id, number),
  foreign key (tenant_id, contact_id) references patchbay.contacts (tenant_id, id)
);
create index quotes_token on patchbay.quotes (token);
create index quotes_contact on patchbay.quotes (tenant_id, contact_id, id desc);
create index quotes_recent on patchbay.quotes (tenant_id, id desc);
create index quotes_status on patchbay.quotes (tenant_id, status, id desc);
-- what the navigation counts: answered or opened since somebody looked
create index quotes_news on patchbay.quotes (tenant_id, coalesce(answered_at, viewed_at) desc) where status in ('viewed', 'accepted', 'rejected');
create index quotes_expiring on patchbay.quotes (expires_on) where status in ('sent', 'viewed');
call patchbay.isolate('quotes');

-- Numbers run per tenant; the row of the tenant is the counter and its lock.
create function patchbay.quotes_number() returns trigger language plpgsql as $$
begin
  update patchbay.tenants set next_quote_number = next_quote_number + 1 where id = new.tenant_id returning next_quote_number - 1 into new.number;
  return new;
end $$;
create trigger quotes_number before insert on patchbay.quotes
  for each row when (new.number is null) execute function patchbay.quotes_number();
