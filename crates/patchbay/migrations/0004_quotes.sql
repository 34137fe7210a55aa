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
language plpgsql stable security definer set search_path = patchbay, public, pg_temp
-- the planner cannot know how rare a word is, and would read everything to be safe
set enable_seqscan = off as $$
declare
  parts text[];
  found uuid[];
begin
  -- the longest word goes through the index, the others filter what it finds
  select array_agg('%' || replace(replace(replace(patchbay.fold(word), '\', '\\'), '%', '\%'), '_', '\_') || '%' order by length(word) desc)
    into parts from unnest(words) word;
  -- what is common is found among the newest at once; these are the newest matches there are
  select array_agg(w.id order by w.id desc) into found from (
    select q.id from (
      select n.id, n.title, n.contact_id, n.status from patchbay.quotes n
      where n.tenant_id = patchbay.current_tenant() and (before_id is null or n.id < before_id) order by n.id desc limit 1000) q
    join patchbay.contacts c on c.tenant_id = patchbay.current_tenant() and c.id = q.contact_id
    where (in_status is null or q.status = in_status) and (patchbay.fold(q.title) like all (parts) or c.search_text like all (parts))
    order by q.id desc limit at_most) w;
  -- a number may name one older quote exactly
  if cardinality(found) >= at_most and not (cardinality(words) = 1 and words[1] ~ '^#?[0-9]{1,9}$') then
    return query select unnest(found);
    return;
  end if;
  return query
  with people as materialized (
    select c.id from patchbay.contacts c
    where c.tenant_id = patchbay.current_tenant() and c.search_text like parts[1] and c.search_text like all (parts) limit 5000
  ), titles as materialized (
    select q.id from patchbay.quotes q
    where q.tenant_id = patchbay.current_tenant() and q.title is not null and (before_id is null or q.id < before_id)
      and patchbay.fold(q.title) like parts[1] and patchbay.fold(q.title) like all (parts)
  ), hits as materialized (
    select q.id from people join patchbay.quotes q on q.tenant_id = patchbay.current_tenant() and q.contact_id = people.id
    union
    select id from titles
    union
    select q.id from patchbay.quotes q where q.tenant_id = patchbay.current_tenant() and cardinality(words) = 1
      and q.number = case when words[1] ~ '^#?[0-9]{1,9}$' then ltrim(words[1], '#')::integer end
  )
  select h.id from hits h
  where (before_id is null or h.id < before_id)
    and (in_status is null or (select q.status from patchbay.quotes q where q.tenant_id = patchbay.current_tenant() and q.id = h.id) = in_status)
  order by h.id desc limit at_most;
end $$;
revoke all on function patchbay.find_quotes(text[], text, uuid, integer) from public;
grant execute on function patchbay.find_quotes(text[], text, uuid, integer) to patchbay_tenant;
