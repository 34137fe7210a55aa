-- What law asks beyond yes and no: agreement that ends by itself, holidays, registered names of senders.

-- Agreement that the law reads into an enquiry or a purchase ends; that which somebody gave does not. The end is
-- compared when a message is decided, so nothing has to be rewritten when it comes.
alter table patchbay.consents
  add column basis text not null default 'express' check (basis in ('express', 'enquiry', 'purchase')),
  add column expires_at timestamptz;
-- The few that end, by their address.
create index consents_ending on patchbay.consents (tenant_id, address) where expires_at is not null;

alter table patchbay.consent_events
  add column basis text check (basis in ('express', 'enquiry', 'purchase')), -- null: not an agreement, or from before this was kept
  add column expires_at timestamptz;

-- Undoing an import gives back the term that it replaced.
alter table patchbay.import_addresses
  add column before_basis text,
  add column before_expires_at timestamptz;

-- Marketing rests on the public holidays of the recipient's country.
alter table patchbay.tenants add column holiday_rules boolean not null default true;

-- Of a sender that is a name: the business says that it is registered where names must be.
alter table patchbay.senders add column name_registered boolean not null default false;
