//! What a business has by the time a migration comes along: the statements of a version run right after its migration
//! made them possible, and have to survive all that follow. Every table holds something before the next migration runs.

/// Of every migration, what it made possible to have; nothing where it only changed what was there.
pub(super) const HISTORY: &[(i64, &str)] = &[
    (
        1,
        "insert into patchbay.tenants (id, name, slug) values ('00000000-0000-0000-0000-00000000000a', 'Old', 'old');
         insert into patchbay.users (id, email) values ('00000000-0000-0000-0000-0000000000a1', 'old@example.com');
         insert into patchbay.memberships (tenant_id, user_id, role) select id, '00000000-0000-0000-0000-0000000000a1', 'owner' from patchbay.tenants;
         insert into patchbay.invitations (tenant_id, email, role, expires_at) select id, 'kai@example.com', 'viewer', now() from patchbay.tenants;
         insert into patchbay.sessions (id, token_hash, user_id, created_at, seen_at, expires_at) select gen_random_uuid(), '\\x01', id, now(), now(), now() from patchbay.users;
         insert into patchbay.login_tokens (id, token_hash, email, created_at, expires_at) values (gen_random_uuid(), '\\x01', 'old@example.com', now(), now());
         insert into patchbay.api_keys (id, tenant_id, name, scope, prefix, key_hash, created_at) select gen_random_uuid(), id, 'Site', 'full', 'pb_old', '\\x01', now() from patchbay.tenants;
         insert into patchbay.audit_log (tenant_id, actor_kind, actor_label, action, entity_type) select id, 'system', 'Patchbay', 'tenant.created', 'settings' from patchbay.tenants;
         insert into patchbay.idempotency_keys (tenant_id, key, route, request_hash, created_at) select id, 'k', 'POST /api/contacts', '\\x01', now() from patchbay.tenants",
    ),
    (
        2,
        "insert into patchbay.people (id, first_name) values ('00000000-0000-0000-0000-0000000000b1', 'Maya');
         insert into patchbay.person_phones (phone_e164, person_id) values ('+61491570156', '00000000-0000-0000-0000-0000000000b1');
         insert into patchbay.person_emails (email, person_id) values ('maya@example.com', '00000000-0000-0000-0000-0000000000b1');
         insert into patchbay.addresses (person_id, city) values ('00000000-0000-0000-0000-0000000000b1', 'Perth');
         insert into patchbay.stages (tenant_id, name, position) select id, 'New', 1 from patchbay.tenants;
         insert into patchbay.contacts (tenant_id, id, person_id, first_name, phone_e164, email, stage_id, properties)
           select tenant_id, '00000000-0000-0000-0000-0000000000c1', '00000000-0000-0000-0000-0000000000b1', 'Maya', '+61491570156', 'maya@example.com', id, '{\"suburb\": \"Perth\"}' from patchbay.stages;
         insert into patchbay.contacts (tenant_id, id, first_name, phone_e164, merged_into)
           select id, '00000000-0000-0000-0000-0000000000c2', 'May', '+61491570157', '00000000-0000-0000-0000-0000000000c1' from patchbay.tenants;
         insert into patchbay.custom_fields (tenant_id, key, label, type) select id, 'suburb', 'Suburb', 'text' from patchbay.tenants;
         insert into patchbay.labels (tenant_id, name) select id, 'Regular' from patchbay.tenants;
         insert into patchbay.contact_labels (tenant_id, contact_id, label_id) select tenant_id, '00000000-0000-0000-0000-0000000000c1', id from patchbay.labels;
         insert into patchbay.notes (tenant_id, contact_id, author_label, body) select id, '00000000-0000-0000-0000-0000000000c1', 'Rosa', 'Prefers mornings' from patchbay.tenants;
         insert into patchbay.activities (tenant_id, contact_id, kind) select id, '00000000-0000-0000-0000-0000000000c1', 'stage_changed' from patchbay.tenants;
         insert into patchbay.contact_merges (tenant_id, kept_id, merged_id, before, moved, merged_by)
           select id, '00000000-0000-0000-0000-0000000000c1', '00000000-0000-0000-0000-0000000000c2', '{}', '{}', 'Rosa' from patchbay.tenants;
         insert into patchbay.consents (tenant_id, channel, address, state, how) select id, 'sms', '+61491570156', 'subscribed', 'form' from patchbay.tenants;
         insert into patchbay.consent_events (tenant_id, channel, address, state, how) select id, 'sms', '+61491570156', 'subscribed', 'form' from patchbay.tenants;
         insert into patchbay.do_not_contact (tenant_id, phone_e164, reason) select id, '+61491570158', 'Asked' from patchbay.tenants",
    ),
    (
        3,
        "insert into patchbay.provider_accounts (tenant_id, provider, account_sid) select id, 'twilio', 'AC1' from patchbay.tenants;
         insert into patchbay.senders (tenant_id, channel, address, provider) select id, 'sms', '+15005550006', 'twilio' from patchbay.tenants;
         insert into patchbay.send_counters (tenant_id, sender_id, day, messages) select tenant_id, id, '2026-01-05', 7 from patchbay.senders;
         insert into patchbay.spend_counters (tenant_id, day, messages, cost_micros) select id, '2026-01-05', 7, 70000 from patchbay.tenants;
         insert into patchbay.rate_buckets (tenant_id, key, tokens, refilled_at) select id, 'tenant', 1, now() from patchbay.tenants;
         insert into patchbay.templates (tenant_id, key, name, content) select id, 'hello', 'Hello', 'Hi {{ first_name }}' from patchbay.tenants;
         insert into patchbay.conversations (tenant_id, contact_id, unread) select id, '00000000-0000-0000-0000-0000000000c1', 1 from patchbay.tenants;
         insert into patchbay.messages (tenant_id, contact_id, direction, channel, kind, status, dedupe_key, to_address, body) select id, '00000000-0000-0000-0000-0000000000c1',
           'outbound', 'sms', 'manual', 'delivered', 'old:1', '+61491570156', 'Hello' from patchbay.tenants;
         insert into patchbay.messages (tenant_id, contact_id, direction, channel, kind, status, dedupe_key, to_address, body, gate, lease_until, reconcile_after)
           select t.id, '00000000-0000-0000-0000-0000000000c1', 'outbound', 'sms', 'campaign', s.status, 'old:' || s.status, '+61491570156', 'Bulk', s.gate,
             case s.status when 'sending' then now() end, case s.status when 'unknown' then now() end
           from patchbay.tenants t, (values ('queued', 'warm_up'), ('sending', null), ('unknown', null), ('blocked', 'template'), ('failed', null)) s (status, gate);
         insert into patchbay.message_texts (tenant_id, message_id, contact_id, folded) select tenant_id, id, contact_id, lower(body) from patchbay.messages;
         insert into patchbay.message_events (tenant_id, message_id, event) select tenant_id, id, status from patchbay.messages;
         insert into patchbay.webhook_events (provider, provider_event_id, tenant_id, kind, payload) select 'twilio', 'SM1', id, 'inbound', '{}' from patchbay.tenants",
    ),
    (
        4,
        "insert into patchbay.quotes (tenant_id, contact_id, total_cents, currency) select id, '00000000-0000-0000-0000-0000000000c1', 12300, 'AUD' from patchbay.tenants",
    ),
    (
        5,
        "insert into patchbay.outbox (tenant_id, event_type) select id, 'old.event' from patchbay.tenants;
         insert into patchbay.notification_rules (tenant_id, event_type, channel, target) select id, 'lead.created', 'email', 'old@example.com' from patchbay.tenants;
         insert into patchbay.notification_marks (tenant_id, rule_id, subject, event_id, spoke_at) select tenant_id, id, 'lead.created', 1, now() from patchbay.notification_rules",
    ),
    (6, ""),
    (7, "insert into patchbay.bulk_changes (tenant_id, undo, changed_by) select id, '{}', 'Rosa' from patchbay.tenants"),
    (
        8,
        "insert into patchbay.imports (tenant_id, file_name, status, created_by_kind, created_by_label) select id, 'leads.csv', 'finished', 'user', 'Rosa' from patchbay.tenants;
         insert into patchbay.import_chunks (tenant_id, import_id, position, bytes) select tenant_id, id, 0, '\\x01' from patchbay.imports;
         insert into patchbay.import_rejects (tenant_id, import_id, row_number, reason, cells) select tenant_id, id, 1, 'No number', '[]' from patchbay.imports;
         insert into patchbay.import_changes (tenant_id, import_id, contact_id, before, after) select tenant_id, id, '00000000-0000-0000-0000-0000000000c1', '{}', '{}' from patchbay.imports;
         insert into patchbay.import_addresses (tenant_id, import_id, channel, address, after) select tenant_id, id, 'sms', '+61491570156', 'subscribed' from patchbay.imports;
         insert into patchbay.import_headings (tenant_id, heading, field) select id, 'mobile', 'phone' from patchbay.tenants",
    ),
    (9, "insert into patchbay.segments (tenant_id, name, filter) select id, 'Everybody', '{\"all\": []}' from patchbay.tenants"),
    (
        10,
        "insert into patchbay.campaigns (tenant_id, name, channel, status, finished_at) select id, 'Spring', 'sms', 'finished', now() from patchbay.tenants;
         insert into patchbay.campaigns (tenant_id, name, channel) select id, 'Autumn', 'sms' from patchbay.tenants;
         insert into patchbay.campaign_recipients (tenant_id, campaign_id, position, contact_id) select tenant_id, id, 0, '00000000-0000-0000-0000-0000000000c1' from patchbay.campaigns;
         insert into patchbay.campaign_preflight (tenant_id, campaign_id, verdict, contact_id) select tenant_id, id, 'now', '00000000-0000-0000-0000-0000000000c1' from patchbay.campaigns;
         update patchbay.messages m set campaign_id = g.id from patchbay.campaigns g where m.kind = 'campaign' and g.name = 'Spring'",
    ),
    (
        11,
        "insert into patchbay.link_targets (tenant_id, url) select id, 'https://example.com/' from patchbay.tenants;
         insert into patchbay.short_links (tenant_id, token, target_id, contact_id, message_id, expires_at)
           select t.tenant_id, 'abc', t.id, m.contact_id, m.id, now() from patchbay.link_targets t, patchbay.messages m where m.body = 'Hello';
         insert into patchbay.link_clicks (tenant_id, short_link_id, contact_id, message_id, at, method, is_bot)
           select tenant_id, id, contact_id, message_id, now(), 'GET', false from patchbay.short_links",
    ),
    (12, "insert into patchbay.instance (mark, marked_at) values ('old', now())"),
    (13, ""),
    (31, "insert into patchbay.reports (tenant_id, subject, data, counted_at, took_ms) select id, 'senders', '{}', now(), 1 from patchbay.tenants"),
    (32, "update patchbay.contacts set erased_at = now() where first_name = 'May'"),
    (33, "insert into patchbay.import_ranges (tenant_id, import_id, from_row, to_row) select tenant_id, id, 0, 1 from patchbay.imports"),
    (
        34,
        "insert into patchbay.consents (tenant_id, channel, address, state, how, basis, expires_at)
           select id, 'email', 'maya@example.com', 'subscribed', 'form', 'enquiry', now() from patchbay.tenants",
    ),
    (35, "update patchbay.messages set reconcile_after = null where status = 'unknown'"),
    (36, ""),
    (
        37,
        "insert into patchbay.distinct_contacts (tenant_id, first_id, second_id, said_by)
           select id, '00000000-0000-0000-0000-0000000000c1', '00000000-0000-0000-0000-0000000000c2', 'Rosa' from patchbay.tenants",
    ),
    (38, "insert into patchbay.sending_holds (tenant_id, provider, code, reason, held_at) select id, 'twilio', 20003, 'The credentials are wrong.', now() from patchbay.tenants"),
    (
        39,
        "insert into patchbay.unreachable (tenant_id, channel, address, code, failures, failed_at) select id, 'sms', '+61491570156', 30005, 1, now() from patchbay.tenants",
    ),
    (41, ""),
    (42, ""),
    (44, ""),
    (46, ""),
];
