-- Messages of senders that are no phone number (short codes, names) are found again by the sender.
create index messages_named_sender on patchbay.messages (tenant_id, from_address, id desc)
  where direction = 'inbound' and from_address not like '+%';

-- The limit of the API holds for every writer: beyond it, a few quotes add up to more than a number can hold. What is
-- there already keeps its figure beside the rest of what the writer knew.
update patchbay.quotes set data = data || jsonb_build_object('total_cents_given', total_cents), total_cents = 1000000000000
  where total_cents > 1000000000000;
alter table patchbay.quotes add constraint quotes_total_bounded check (total_cents <= 1000000000000);
