-- Short links: one unguessable address per recipient and destination, and every hit on it, kept raw and scored.

-- Destinations, each stored once. Nothing but these is ever redirected to.
create table patchbay.link_targets (
  tenant_id uuid not null references patchbay.tenants on delete cascade,
  id uuid not null default patchbay.uuid_v7(),
  url text not null check (url ~ '^https?://' and octet_length(url) <= 2000),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, url)
);

create table patchbay.short_links (
  tenant_id uuid not null,
  id uuid not null default patchbay.uuid_v7(),
  -- a random part and its signature, so that most wrong ones never get here
  token text not null,
  kind text not null default 'link' check (kind in ('link', 'opt_out')),
  target_id uuid, -- an opt-out page needs none
  contact_id uuid not null,
  -- made before the message it stands in, in the same transaction
  message_id uuid not null,
  campaign_id uuid,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, target_id) references patchbay.link_targets (tenant_id, id),
  foreign key (tenant_id, contact_id) references patchbay.contacts (tenant_id, id) on delete cascade,
  check ((kind = 'opt_out') = (target_id is null))
);
-- A token is all that a visitor has; about 60 random bits keep two tenants from having the same.
create index short_links_token on patchbay.short_links (token);
create index short_links_contact on patchbay.short_links (tenant_id, contact_id);

-- Every hit, whoever made it. The verdict is derived and can be derived again from what is kept here.
create table patchbay.link_clicks (
  tenant_id uuid not null,
  id uuid not null default patchbay.uuid_v7(),
  short_link_id uuid not null,
  -- copies of the link's, so that lists and reports read one table
  contact_id uuid not null,
  message_id uuid not null,
  campaign_id uuid,
  at timestamptz not null,
  method text not null,
  user_agent text not null default '',
  headers jsonb not null default '{}', -- the few that tell people from programs
  -- keyed, so that the same address can be recognised but not read
  ip_hash bytea not null default '',
  network cidr, -- the address without its last part: /24 or /48
  is_bot boolean not null,
  score smallint not null default 0,
  reasons text[] not null default '{}',
  -- version of the rules behind the verdict; 0 while neighbouring hits may still come in
  classifier smallint not null default 0,
  primary key (tenant_id, id),
  foreign key (tenant_id, short_link_id) references patchbay.short_links (tenant_id, id) on delete cascade,
  foreign key (tenant_id, contact_id) references patchbay.contacts (tenant_id, id) on delete cascade
);
create index link_clicks_contact on patchbay.link_clicks (tenant_id, contact_id, at) include (is_bot);
create index link_clicks_campaign on patchbay.link_clicks (tenant_id, campaign_id, at) include (is_bot, contact_id) where campaign_id is not null;
create index link_clicks_link on patchbay.link_clicks (tenant_id, short_link_id, at);
create index link_clicks_address on patchbay.link_clicks (tenant_id, ip_hash, at) where ip_hash <> '';
-- what waits for a verdict, or for one by newer rules
create index link_clicks_due on patchbay.link_clicks (classifier, at);

call patchbay.isolate('link_targets', 'select, insert');
-- merging contacts moves their links and clicks along
call patchbay.isolate('short_links', 'select, insert, update');
call patchbay.isolate('link_clicks', 'select, update');
