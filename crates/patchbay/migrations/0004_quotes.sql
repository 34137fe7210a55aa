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
  answered_by text check (length(answered_by) <= 200), -- the name the lead signed with, or the member who noted the answer
  primary key (tenant_id, id),
  unique (tenant_id, number),
  foreign key (tenant_id, contact_id) references patchbay.contacts (tenant_id, id)
);
create index quotes_token on patchbay.quotes (token);
create index quotes_contact on patchbay.quotes (tenant_id, contact_id, id desc);
create index quotes_recent on patchbay.quotes (tenant_id, id desc);
-- also adds the sums of a period up without reading the rows
create index quotes_status on patchbay.quotes (tenant_id, status, id desc) include (currency, total_cents);
create index quotes_title on patchbay.quotes using gin (tenant_id, patchbay.fold(title) gin_trgm_ops) where title is not null;
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

-- Matching for the list of quotes, by number, title or the contact's name, number and e-mail. Row-level security
-- would keep the planner from the trigram indexes; so this runs as the owner, names the tenant itself and
-- answers ids only.
create function patchbay.find_quotes(words text[], in_status text, before_id uuid, at_most integer) returns setof uuid
language sql stable security definer set search_path = patchbay, public, pg_temp as $$
  with patterns as (
    select array_agg('%' || replace(replace(replace(patchbay.fold(word), '\', '\\'), '%', '\%'), '_', '\_') || '%') as parts from unnest(words) word
  ), people as materialized (
    select c.id from patchbay.contacts c, patterns p
    where c.tenant_id = patchbay.current_tenant() and c.search_text like all (p.parts) order by c.id desc limit 2000
  ), hits as (
    select q.id from patchbay.quotes q, people where q.tenant_id = patchbay.current_tenant() and q.contact_id = people.id
    union
    select q.id from patchbay.quotes q, patterns p where q.tenant_id = patchbay.current_tenant() and q.title is not null and patchbay.fold(q.title) like all (p.parts)
    union
    select q.id from patchbay.quotes q where q.tenant_id = patchbay.current_tenant() and cardinality(words) = 1
      and q.number = case when words[1] ~ '^#?[0-9]{1,9}$' then ltrim(words[1], '#')::integer end
  )
  select q.id from patchbay.quotes q join hits using (id)
  where q.tenant_id = patchbay.current_tenant() and (before_id is null or q.id < before_id)
    and (in_status is null or q.status = in_status)
  order by q.id desc limit at_most
$$;
revoke all on function patchbay.find_quotes(text[], text, uuid, integer) from public;
grant execute on function patchbay.find_quotes(text[], text, uuid, integer) to patchbay_tenant;
