-- The public SQL contract: a website's backend inserts a lead or a quote with plain SQL, in the names of the
-- wider world (lead, phone), and everything downstream happens. Views belong to the system role: who can write
-- here is trusted with every tenant, so every row names its tenant.

create schema if not exists api;

-- Calling codes and trunk prefixes for numbers written the national way. The program parses with full metadata;
-- this is for writers that reach the database directly.
create table patchbay.dialing (
  country text primary key,
  code text not null,
  trunk text not null default '',
  national_min integer not null, -- digits after code, without trunk prefix
  national_max integer not null
);
insert into patchbay.dialing (country, code, trunk, national_min, national_max) values
  ('AU','61','0',9,9),('NZ','64','0',8,10),('US','1','1',10,10),('CA','1','1',10,10),('GB','44','0',9,10),
  ('IE','353','0',7,10),('DE','49','0',6,12),('FR','33','0',9,9),('ES','34','',9,9),('IT','39','',6,11),
  ('PT','351','',9,9),('NL','31','0',9,9),('BE','32','0',8,9),('CH','41','0',9,9),('AT','43','0',7,13),
  ('SE','46','0',7,10),('NO','47','',8,8),('DK','45','',8,8),('FI','358','0',6,11),('PL','48','',9,9),
  ('ZA','27','0',9,9),('IN','91','0',10,10),('SG','65','',8,8),('MY','60','0',8,10),('PH','63','0',10,10),
  ('JP','81','0',9,10),('HK','852','',8,8),('AE','971','0',8,9),('IL','972','0',8,9),('BR','55','0',10,11),
  ('MX','52','',10,10),('AR','54','0',10,11),('CL','56','',9,9),('CO','57','',10,10),('PE','51','0',8,9),
  ('SV','503','',8,8),('GT','502','',8,8),('CR','506','',8,8),('PA','507','',7,8),('EC','593','0',8,9);

create function patchbay.to_e164(phone text, country text) returns text language plpgsql stable as $$
declare
  written text := btrim(regexp_replace(regexp_replace(phone, '^(whatsapp|tel|sms):', ''), '[\s\u00a0\u2007\u202f\u200b-\u200f\u202a-\u202e().\-–/]', '', 'g'));
  plan patchbay.dialing;
  digits text;
begin
  if written is null or written = '' then return null; end if;
  if written ~ '^00[1-9]' then written := '+' || substr(written, 3); end if;
  if written ~ '^\+[1-9][0-9]{6,14}$' then
    select * into plan from patchbay.dialing d where d.country = to_e164.country and d.trunk = '0' and written like '+' || d.code || '0%';
    return case when found then '+' || plan.code || substr(written, length(plan.code) + 3) else written end;
  end if;
  select * into plan from patchbay.dialing d where d.country = to_e164.country;
  if not found or written !~ '^[0-9]+$' then return null; end if;
  digits := written;
  if length(digits) between length(plan.code) + plan.national_min and length(plan.code) + plan.national_max and digits like plan.code || '%'
     and not (length(digits) between plan.national_min and plan.national_max) then
    digits := substr(digits, length(plan.code) + 1);
  elsif plan.trunk <> '' and digits like plan.trunk || '%' then
    digits := substr(digits, length(plan.trunk) + 1);
  end if;
  if length(digits) not between plan.national_min and plan.national_max then return null; end if;
  return '+' || plan.code || digits;
end $$;

create view api.leads as
  select id, tenant_id, first_name, last_name, coalesce(phone_e164, phone_raw) as phone, email, stage_id, source, properties,
    last_contacted_at, created_at, updated_at, status, case consent_sms when 'subscribed' then true when 'unsubscribed' then false end as consent_sms
  from patchbay.contacts where merged_into is null;

create function patchbay.leads_write() returns trigger language plpgsql as $$
declare
  home text;
  number text;
  known uuid;
begin
  if tg_op = 'DELETE' then
    update patchbay.contacts set archived_at = coalesce(archived_at, now()) where tenant_id = old.tenant_id and id = old.id;
    return old;
  end if;
  if tg_op = 'UPDATE' and (new.tenant_id <> old.tenant_id or new.id <> old.id) then
    raise exception 'a lead keeps its id and its tenant' using errcode = 'check_violation';
  end if;
  select country into home from patchbay.tenants where id = new.tenant_id;
  if not found then
    raise exception 'no tenant %', new.tenant_id using errcode = 'foreign_key_violation';
  end if;
  number := patchbay.to_e164(new.phone, home);
  if nullif(btrim(new.phone), '') is not null and number is null then
    raise exception 'phone % cannot be understood', quote_literal(new.phone)
      using errcode = 'check_violation', hint = 'Write it with country code, such as +61412345678.';
  end if;
  new.email := nullif(lower(btrim(new.email)), '');
  if tg_op = 'INSERT' then
    new.id := coalesce(new.id, patchbay.uuid_v7());
    -- the same lead twice is one contact: what was unknown is filled in, nothing is overwritten
    if new.email is not null then
      perform patchbay.lock_email(new.tenant_id, new.email);
    end if;
    known := patchbay.match_contact(new.tenant_id, number, new.email);
    if known is null then
      insert into patchbay.contacts (tenant_id, id, status, first_name, last_name, phone_e164, email, stage_id, source, properties, created_at)
      values (new.tenant_id, new.id, coalesce(new.status, 'lead'), new.first_name, new.last_name, number, new.email,
        coalesce(new.stage_id, (select id from patchbay.stages where tenant_id = new.tenant_id order by position, id limit 1)),
        new.source, coalesce(new.properties, '{}'), coalesce(new.created_at, now()))
      on conflict (tenant_id, phone_e164) where merged_into is null do nothing;
      if found then
        known := new.id;
      else -- another writer was first
        known := patchbay.match_contact(new.tenant_id, number, new.email);
      end if;
    end if;
    if known <> new.id then
      update patchbay.contacts set
        first_name = coalesce(first_name, new.first_name), last_name = coalesce(last_name, new.last_name),
        phone_e164 = coalesce(phone_e164, number), email = coalesce(email, new.email), source = coalesce(source, new.source),
        properties = coalesce(new.properties, '{}') || properties, archived_at = null, updated_at = now()
      where tenant_id = new.tenant_id and id = known;
      new.id := known;
    end if;
  else
    update patchbay.contacts set first_name = new.first_name, last_name = new.last_name, phone_e164 = number, email = new.email,
      stage_id = new.stage_id, source = new.source, properties = coalesce(new.properties, '{}'), status = coalesce(new.status, status), updated_at = now()
    where tenant_id = old.tenant_id and id = old.id;
  end if;
  if new.consent_sms is not null and number is not null and (tg_op = 'INSERT' or new.consent_sms is distinct from old.consent_sms) then
    insert into patchbay.consents (tenant_id, channel, address, state, how) values (new.tenant_id, 'sms', number, case when new.consent_sms then 'subscribed' else 'unsubscribed' end, 'api')
    -- a refusal is only lifted by the person, or by hand
    on conflict (tenant_id, channel, address) do update set state = excluded.state, how = excluded.how, changed_at = now()
      where patchbay.consents.state <> 'unsubscribed' and patchbay.consents.state <> excluded.state;
    insert into patchbay.consent_events (tenant_id, channel, address, state, how, source)
    values (new.tenant_id, 'sms', number, case when new.consent_sms then 'subscribed' else 'unsubscribed' end, 'api', 'sql');
  end if;
  new.phone := number;
  return new;
end $$;
create trigger leads_write instead of insert or update or delete on api.leads for each row execute function patchbay.leads_write();

create view api.quotes as
  select id, tenant_id, contact_id as lead_id, data || case when items = '[]'::jsonb then '{}'::jsonb else jsonb_build_object('items', items) end as data,
    total_cents, currency, case status when 'viewed' then 'sent' when 'expired' then 'sent' else status end as status,
    created_at, sent_at, number, token
  from patchbay.quotes;

-- What a foreign writer calls a number may be a word; that is no reason to lose the quote.
create function patchbay.to_number(written text) returns numeric language sql immutable parallel safe
  return case when written ~ '^-?[0-9]{1,12}(\.[0-9]{1,6})?$' then written::numeric end;

create function patchbay.quotes_write() returns trigger language plpgsql as $$
declare
  lines jsonb;
begin
  if tg_op = 'DELETE' then
    delete from patchbay.quotes where tenant_id = old.tenant_id and id = old.id;
    return old;
  end if;
  -- items that have the shape of ours are shown as lines; anything else stays in data for templates
  select coalesce(jsonb_agg(jsonb_build_object(
      'name', coalesce(i->>'name', i->>'title', i->>'description', 'Item'),
      'description', case when i ? 'name' or i ? 'title' then i->>'description' end,
      'quantity', coalesce(patchbay.to_number(i->>'quantity'), patchbay.to_number(i->>'qty'), 1),
      'unit_cents', coalesce(patchbay.to_number(i->>'unit_cents'), patchbay.to_number(i->>'price_cents'), patchbay.to_number(i->>'amount_cents'), 0)::bigint)), '[]')
    into lines
    from jsonb_array_elements(case when jsonb_typeof(new.data->'items') = 'array' then new.data->'items' else '[]'::jsonb end) i
    where jsonb_typeof(i) = 'object';
  if tg_op = 'INSERT' then
    new.id := coalesce(new.id, patchbay.uuid_v7());
    insert into patchbay.quotes (tenant_id, id, contact_id, data, items, total_cents, currency, status, expires_on, created_by_label)
    values (new.tenant_id, new.id, new.lead_id, coalesce(new.data, '{}') - 'items', lines, new.total_cents,
      coalesce(new.currency, (select currency from patchbay.tenants where id = new.tenant_id)), coalesce(new.status, 'draft'), null, 'SQL')
    returning number, token, currency, created_at into new.number, new.token, new.currency, new.created_at;
  else
    update patchbay.quotes set data = coalesce(new.data, '{}') - 'items', items = lines, total_cents = new.total_cents,
      currency = new.currency, status = case when new.status is distinct from old.status then new.status else status end, updated_at = now()
    where tenant_id = old.tenant_id and id = old.id;
  end if;
  return new;
end $$;
create trigger quotes_write instead of insert or update or delete on api.quotes for each row execute function patchbay.quotes_write();

create view api.messages as
  select id, tenant_id, contact_id as lead_id, direction, channel, provider_message_id, from_address as from_number, to_address as to_number, body,
    case when status in ('sending', 'unknown') then 'queued' when status = 'read' then 'delivered'
      when status in ('undelivered', 'blocked', 'canceled') then 'failed' else status end as status,
    error_code::text as error_code, created_at
  from patchbay.messages where contact_id is not null;

-- A row put here is an intent like any other: it passes the gates and is sent once.
create function patchbay.messages_write() returns trigger language plpgsql as $$
declare
  address text;
begin
  new.id := coalesce(new.id, patchbay.uuid_v7());
  if coalesce(new.direction, 'outbound') <> 'outbound' or coalesce(new.status, 'queued') <> 'queued' then
    raise exception 'only queued outbound messages can be inserted here' using errcode = 'check_violation';
  end if;
  select case new.channel when 'email' then email else phone_e164 end into address from patchbay.contacts where tenant_id = new.tenant_id and id = new.lead_id;
  new.to_number := coalesce(new.to_number, address);
  if new.to_number is null then
    raise exception 'the lead has no address for %', new.channel using errcode = 'check_violation';
  end if;
  insert into patchbay.messages (tenant_id, id, contact_id, direction, channel, kind, status, dedupe_key, from_address, to_address, body, sent_by_label)
  values (new.tenant_id, new.id, new.lead_id, 'outbound', coalesce(new.channel, 'sms'), 'api', 'queued', 'sql:' || new.id, new.from_number, new.to_number, new.body, 'SQL');
  return new;
end $$;
create trigger messages_write instead of insert on api.messages for each row execute function patchbay.messages_write();

create view api.templates as select id, tenant_id, key, content from patchbay.templates where archived_at is null;
create function patchbay.templates_write() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    delete from patchbay.templates where tenant_id = old.tenant_id and id = old.id;
    return old;
  elsif tg_op = 'INSERT' then
    new.id := coalesce(new.id, patchbay.uuid_v7());
    insert into patchbay.templates (tenant_id, id, key, name, content) values (new.tenant_id, new.id, new.key, initcap(replace(new.key, '_', ' ')), new.content);
  else
    update patchbay.templates set key = new.key, content = new.content, updated_at = now() where tenant_id = old.tenant_id and id = old.id;
  end if;
  return new;
end $$;
create trigger templates_write instead of insert or update or delete on api.templates for each row execute function patchbay.templates_write();

-- Simple enough for PostgreSQL to update by itself.
create view api.outbox as select id, tenant_id, event_type, payload, attempt, next_attempt_at, processed_at from patchbay.outbox;
create view api.notification_rules as select id, tenant_id, event_type, channel, target, use_business_number, active, created_at from patchbay.notification_rules;
