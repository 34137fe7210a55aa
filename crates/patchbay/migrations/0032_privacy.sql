-- Erasing a person, and not keeping texts for longer than is needed.

alter table patchbay.contacts add column erased_at timestamptz;
grant select (erased_at), insert (erased_at), update (erased_at) on patchbay.contacts to patchbay_tenant;
alter table patchbay.tenants
  add column keep_message_months integer check (keep_message_months between 1 and 120), -- null: for good
  add column texts_kept_from uuid; -- texts of messages before this id are gone

-- Lets go of who is behind these contacts, and forgets people whom nobody knows any more. A tenant learns nothing from
-- it: it answers nothing, and keeps everybody of whom another tenant has a contact.
create function patchbay.forget_people(ids uuid[]) returns void
language plpgsql volatile security definer set search_path = patchbay, pg_temp as $$
declare
  people uuid[];
begin
  select array_agg(distinct person_id) into people from patchbay.contacts
    where tenant_id = patchbay.current_tenant() and id = any(ids) and person_id is not null;
  update patchbay.contacts set person_id = null where tenant_id = patchbay.current_tenant() and id = any(ids);
  delete from patchbay.people p where p.id = any(people) and not exists (select from patchbay.contacts c where c.person_id = p.id);
end $$;
revoke all on function patchbay.forget_people(uuid[]) from public;
grant execute on function patchbay.forget_people(uuid[]) to patchbay_tenant;

-- What is written once keeps who, what and when, and loses what it says about these contacts.
create function patchbay.erase_from_logs(contacts uuid[]) returns void
language sql volatile security definer set search_path = patchbay, pg_temp as $$
  update patchbay.audit_log set changes = '{}'
  where tenant_id = patchbay.current_tenant() and entity_type = 'contact' and entity_id = any(contacts::text[]) and changes <> '{}';
  update patchbay.message_events e set detail = null from patchbay.messages m
  where e.tenant_id = patchbay.current_tenant() and e.detail is not null
    and m.tenant_id = e.tenant_id and m.id = e.message_id and m.contact_id = any(contacts);
$$;
revoke all on function patchbay.erase_from_logs(uuid[]) from public;
grant execute on function patchbay.erase_from_logs(uuid[]) to patchbay_tenant;

-- Raw reports are not the tenant's to read; those that name these numbers lose their content, and stay known.
create function patchbay.erase_reports(phones text[]) returns void
language sql volatile security definer set search_path = patchbay, pg_temp as $$
  update patchbay.webhook_events set payload = '{}'
  where tenant_id = patchbay.current_tenant() and payload::text like any (select '%' || phone || '%' from unnest(phones) phone)
$$;
revoke all on function patchbay.erase_reports(text[]) from public;
grant execute on function patchbay.erase_reports(text[]) to patchbay_tenant;
