-- Which database this is. A restored or cloned database is another one and must not send again what the original
-- has sent since: it is recognised by its mark, and holds its tenants' messages until an owner says so.

create table patchbay.instance (
  only_one boolean primary key default true check (only_one),
  mark text not null, -- what tells this database from its copies
  marked_at timestamptz not null
);

alter table patchbay.tenants
  add column sending_held_at timestamptz, -- since when nothing leaves
  add column sending_held_why text check (sending_held_why in ('restored', 'copied', 'operator')),
  add check ((sending_held_at is null) = (sending_held_why is null));
