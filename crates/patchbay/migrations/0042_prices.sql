-- What carriers really charge, which settles the account that estimates opened.

alter table patchbay.messages
  add column price_micros bigint,   -- null until the carrier tells
  add column price_currency text,
  add column asked_at timestamptz;  -- when the carrier was asked for a missing receipt or price
-- When the tenant's missing receipts and prices were last asked for.
alter table patchbay.tenants add column receipts_asked_at timestamptz;
