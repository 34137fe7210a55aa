-- The list of quotes, by what happened last, and by what they come to; of all, and of one state. Not coalesce:
-- row-level security keeps what the planner does not know to be leakproof from the conditions of an index.
create index quotes_changed on patchbay.quotes (tenant_id, greatest(created_at, sent_at, viewed_at, answered_at), id);
create index quotes_status_changed on patchbay.quotes (tenant_id, status, greatest(created_at, sent_at, viewed_at, answered_at), id);
create index quotes_total on patchbay.quotes (tenant_id, total_cents, id);
-- New leads by source; rows of an import are no leads, and cost nothing here.
create index contacts_leads on patchbay.contacts (tenant_id, source, id) where archived_at is null and import_id is null;
