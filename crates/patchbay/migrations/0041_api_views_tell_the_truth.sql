-- The public SQL contract keeps its word: what was written is stored or refused with a reason, and RETURNING shows
-- the row as it is, never as it was asked for.

create or replace function patchbay.leads_write() returns trigger language plpgsql as $$
declare
  home text;
  number text;
  known uuid;
  refused boolean;
begin
  if tg_op = 'DELETE' then
    update patchbay.contacts set archived_at = coalesce(archived_at, now()) where tenant_id = old.tenant_id and id = old.id;
    return old;
  end if;
  if tg_op = 'UPDATE' and (new.tenant_id, new.id, new.created_at) is distinct from (old.tenant_id, old.id, old.created_at) then
    raise exception 'a lead keeps its id, its tenant and its created_at' using errcode = 'check_violation',
      hint = 'Leave these columns out of the update.';
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
      insert into patchbay.contacts (tenant_id, id, status, first_name, last_name, phone_e164, email, stage_id, source, properties,
        last_contacted_at, created_at, updated_at)
      values (new.tenant_id, new.id, coalesce(new.status, 'lead'), new.first_name, new.last_name, number, new.email,
        coalesce(new.stage_id, (select id from patchbay.stages where tenant_id = new.tenant_id order by position, id limit 1)),
        new.source, coalesce(new.properties, '{}'), new.last_contacted_at, coalesce(new.created_at, now()), coalesce(new.updated_at, now()))
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
        properties = coalesce(new.properties, '{}') || properties, last_contacted_at = greatest(last_contacted_at, new.last_contacted_at),
        archived_at = null, updated_at = now()
      where tenant_id = new.tenant_id and id = known;
      new.id := known;
    end if;
  else
    update patchbay.contacts set first_name = new.first_name, last_name = new.last_name, phone_e164 = number, email = new.email,
      stage_id = new.stage_id, source = new.source, properties = coalesce(new.properties, '{}'), status = coalesce(new.status, status),
      last_contacted_at = new.last_contacted_at,
      updated_at = case when new.updated_at is distinct from old.updated_at then coalesce(new.updated_at, now()) else now() end
    where tenant_id = old.tenant_id and id = old.id;
  end if;
  if new.consent_sms is not null and number is not null and (tg_op = 'INSERT' or new.consent_sms is distinct from old.consent_sms) then
    select state = 'unsubscribed' into refused from patchbay.consents where tenant_id = new.tenant_id and channel = 'sms' and address = number;
    -- a refusal is only lifted by the person, or by hand; a form that is sent again with its box ticked is no reason to lose the lead
    if new.consent_sms and refused and tg_op = 'UPDATE' then
      raise exception 'this number has opted out, which is not lifted from here' using errcode = 'check_violation',
        hint = 'They text START, or somebody notes their new agreement in Patchbay.';
    elsif not new.consent_sms or refused is not true then
      insert into patchbay.consents (tenant_id, channel, address, state, how) values (new.tenant_id, 'sms', number, case when new.consent_sms then 'subscribed' else 'unsubscribed' end, 'api')
      on conflict (tenant_id, channel, address) do update set state = excluded.state, how = excluded.how, changed_at = now()
        where patchbay.consents.state <> 'unsubscribed' and patchbay.consents.state <> excluded.state;
      insert into patchbay.consent_events (tenant_id, channel, address, state, how, source)
      values (new.tenant_id, 'sms', number, case when new.consent_sms then 'subscribed' else 'unsubscribed' end, 'api', 'sql');
    end if;
  end if;
  select * into new from api.leads l where l.tenant_id = new.tenant_id and l.id = new.id;
  return new;
end $$;

create or replace function patchbay.quotes_write() returns trigger language plpgsql as $$
declare
  lines jsonb;
begin
  if tg_op = 'DELETE' then
    delete from patchbay.quotes where tenant_id = old.tenant_id and id = old.id;
    return old;
  end if;
  if tg_op = 'UPDATE' then
    if (new.tenant_id, new.id, new.lead_id, new.created_at, new.number, new.token)
       is distinct from (old.tenant_id, old.id, old.lead_id, old.created_at, old.number, old.token) then
      raise exception 'a quote keeps its id, its tenant, its lead, its created_at, its number and its token' using errcode = 'check_violation',
        hint = 'For somebody else, insert a quote of its own.';
    elsif new.sent_at is null and old.sent_at is not null then
      raise exception 'a quote that went out stays sent: sent_at cannot be emptied' using errcode = 'check_violation';
    elsif new.status = 'draft' and old.status <> 'draft' then
      raise exception 'a quote that is % cannot become a draft again', old.status using errcode = 'check_violation';
    end if;
    if new.status is distinct from old.status or (new.sent_at is not null and old.sent_at is null) then
      -- as when a person notes it by hand: what went out another way is sent, an answer has its time
      if new.status = 'draft' then new.status := 'sent'; end if;
      new.sent_at := coalesce(new.sent_at, case when new.status = 'sent' then now() end);
    end if;
  else
    if new.number is not null or new.token is not null then
      raise exception 'number and token are given by Patchbay' using errcode = 'check_violation', hint = 'Leave these columns out of the insert.';
    elsif new.status = 'draft' and new.sent_at is not null then
      raise exception 'a draft has not been sent' using errcode = 'check_violation',
        hint = 'Leave sent_at out, and the lead is told; or write status ''sent'' with the time it went out, and nothing is sent again.';
    end if;
    new.status := coalesce(new.status, case when new.sent_at is null then 'draft' else 'sent' end);
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
    insert into patchbay.quotes (tenant_id, id, contact_id, data, items, total_cents, currency, status, expires_on, created_by_label, created_at, sent_at)
    values (new.tenant_id, new.id, new.lead_id, coalesce(new.data, '{}') - 'items', lines, new.total_cents,
      coalesce(new.currency, (select currency from patchbay.tenants where id = new.tenant_id)), new.status, null, 'SQL',
      coalesce(new.created_at, now()), new.sent_at);
  else
    update patchbay.quotes set data = coalesce(new.data, '{}') - 'items', items = lines, total_cents = new.total_cents,
      currency = new.currency, sent_at = new.sent_at, updated_at = now(),
      status = case when new.status is distinct from old.status then new.status else status end,
      held = held and new.status is not distinct from old.status,
      answered_at = case when new.status is not distinct from old.status then answered_at when new.status in ('accepted', 'rejected') then now() end
    where tenant_id = old.tenant_id and id = old.id;
  end if;
  select * into new from api.quotes q where q.tenant_id = new.tenant_id and q.id = new.id;
  return new;
end $$;

create or replace function patchbay.messages_write() returns trigger language plpgsql as $$
declare
  lead record;
begin
  if tg_op <> 'INSERT' then
    raise exception 'the ledger of messages is not changed or deleted by SQL' using errcode = 'feature_not_supported',
      hint = 'What was sent stays on record with what it cost. A waiting message is canceled, and a person erased, in Patchbay.';
  elsif coalesce(new.direction, 'outbound') <> 'outbound' or coalesce(new.status, 'queued') <> 'queued' then
    raise exception 'only queued outbound messages can be inserted here' using errcode = 'check_violation';
  elsif num_nonnulls(new.provider_message_id, new.error_code) > 0 then
    raise exception 'provider_message_id and error_code are written by Patchbay' using errcode = 'check_violation',
      hint = 'Leave these columns out of the insert.';
  end if;
  new.id := coalesce(new.id, patchbay.uuid_v7());
  new.channel := coalesce(new.channel, 'sms');
  select c.phone_e164, c.email, t.country into lead from patchbay.contacts c join patchbay.tenants t on t.id = c.tenant_id
    where c.tenant_id = new.tenant_id and c.id = new.lead_id;
  if not found then
    raise exception 'tenant % has no lead %', new.tenant_id, new.lead_id using errcode = 'foreign_key_violation';
  end if;
  -- consent is kept by address, so every address is written the one way
  if new.channel = 'email' then
    new.to_number := coalesce(nullif(lower(btrim(new.to_number)), ''), lead.email);
  elsif nullif(btrim(new.to_number), '') is null then
    new.to_number := lead.phone_e164;
  elsif patchbay.to_e164(new.to_number, lead.country) is null then
    raise exception 'to_number % cannot be understood', quote_literal(new.to_number)
      using errcode = 'check_violation', hint = 'Write it with country code, such as +61412345678.';
  else
    new.to_number := patchbay.to_e164(new.to_number, lead.country);
  end if;
  if new.to_number is null then
    raise exception 'the lead has no address for %', new.channel using errcode = 'check_violation';
  end if;
  insert into patchbay.messages (tenant_id, id, contact_id, direction, channel, kind, status, dedupe_key, from_address, to_address, body, sent_by_label, created_at)
  values (new.tenant_id, new.id, new.lead_id, 'outbound', new.channel, 'api', 'queued', 'sql:' || new.id, new.from_number, new.to_number, new.body, 'SQL', coalesce(new.created_at, now()));
  select * into new from api.messages m where m.tenant_id = new.tenant_id and m.id = new.id;
  return new;
end $$;
drop trigger messages_write on api.messages;
create trigger messages_write instead of insert or update or delete on api.messages for each row execute function patchbay.messages_write();

create or replace function patchbay.templates_write() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    delete from patchbay.templates where tenant_id = old.tenant_id and id = old.id;
    return old;
  elsif tg_op = 'INSERT' then
    new.id := coalesce(new.id, patchbay.uuid_v7());
    insert into patchbay.templates (tenant_id, id, key, name, content) values (new.tenant_id, new.id, new.key, initcap(replace(new.key, '_', ' ')), new.content);
  elsif (new.tenant_id, new.id) is distinct from (old.tenant_id, old.id) then
    raise exception 'a template keeps its id and its tenant' using errcode = 'check_violation', hint = 'Leave these columns out of the update.';
  else
    update patchbay.templates set key = new.key, content = new.content, updated_at = now() where tenant_id = old.tenant_id and id = old.id;
  end if;
  return new;
end $$;
