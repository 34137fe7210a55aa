-- Whether a contact was in a campaign. By hash, because nothing else is asked of it, and because writing a million
-- recipients down in the order of a shuffle takes a quarter longer with it, and twice as long with a sorted index.
create index campaign_recipients_contact on patchbay.campaign_recipients using hash (contact_id);
