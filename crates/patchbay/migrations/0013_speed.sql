-- What sending touches most, made cheap.

-- Every message that leaves marks its contact. With room on the same page the new version of the row needs no new
-- entries in the many indexes of contacts, the search index among them (a heap-only tuple); a batch marks all contacts
-- of a page at once, so half of each page is left free.
alter table patchbay.contacts set (fillfactor = 50);

-- The same ids as before, as a single expression, which is copied into the statements that need one instead of being
-- called for each row.
create or replace function patchbay.uuid_v7() returns uuid language sql volatile parallel safe as $$
  select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- A search among filters: the search index holds what lists filter by beside the trigrams, so that a common word and a
-- filter are one visit to one index instead of a visit to every contact with the word (365 pages instead of 25,000 for
-- a name that 25,000 of a million have). Written as expressions, so that lists without a word keep to their own indexes.
drop index patchbay.contacts_search;
create index contacts_search on patchbay.contacts using gin (tenant_id, (status || ''), (consent_sms || ''), (stage_id::text),
  (owner_id::text), (source || ''), search_text gin_trgm_ops);

-- The indexes on addresses tell contacts from those that were merged into others, so both are named: without that, every
-- single STOP read all contacts there are.
create or replace function patchbay.consents_reach_contacts() returns trigger language plpgsql as $$
begin
  update patchbay.contacts c set consent_sms = n.state from changed n
    where n.channel = 'sms' and c.tenant_id = n.tenant_id and c.phone_e164 = n.address and c.merged_into is null and c.consent_sms <> n.state;
  update patchbay.contacts c set consent_sms = n.state from changed n
    where n.channel = 'sms' and c.tenant_id = n.tenant_id and c.phone_e164 = n.address and c.merged_into is not null and c.consent_sms <> n.state;
  update patchbay.contacts c set consent_whatsapp = n.state from changed n
    where n.channel = 'whatsapp' and c.tenant_id = n.tenant_id and c.phone_e164 = n.address and c.merged_into is null and c.consent_whatsapp <> n.state;
  update patchbay.contacts c set consent_whatsapp = n.state from changed n
    where n.channel = 'whatsapp' and c.tenant_id = n.tenant_id and c.phone_e164 = n.address and c.merged_into is not null and c.consent_whatsapp <> n.state;
  update patchbay.contacts c set consent_email = n.state from changed n
    where n.channel = 'email' and c.tenant_id = n.tenant_id and c.email = n.address and c.merged_into is null and c.consent_email <> n.state;
  update patchbay.contacts c set consent_email = n.state from changed n
    where n.channel = 'email' and c.tenant_id = n.tenant_id and c.email = n.address and c.merged_into is not null and c.consent_email <> n.state;
  return null;
end $$;
