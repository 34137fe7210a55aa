-- Numbers of campaigns that are over are counted again, ever more rarely, while receipts may still come in.
create index campaigns_lately on patchbay.campaigns (finished_at) where finished_at is not null;

-- A change is told with the transaction that made it, so that a page knows whether it has seen it: a page carries the
-- oldest transaction that was under way when it was asked for, and whatever is as new as that may be news to it.
create or replace function patchbay.tell(tenant uuid, events text[]) returns void language sql volatile as $$
  select pg_notify('patchbay', json_build_object('tenant', tenant, 'events', events, 'made_by', pg_current_xact_id()::text)::text)
$$;

-- A message of which nobody can tell what became of it stays unknown, and after some days nobody is asked any more.
alter table patchbay.messages drop constraint messages_check2;
alter table patchbay.messages add constraint messages_asked_while_unknown check (reconcile_after is null or status = 'unknown') not valid;
alter table patchbay.messages validate constraint messages_asked_while_unknown;
