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
