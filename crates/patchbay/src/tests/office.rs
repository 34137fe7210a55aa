//! A business to work with in a test: made by plain SQL, so that it needs no feature but the schema.

use sqlx::PgConnection;
use uuid::Uuid;

use super::TestApp;
use crate::ids;

/// A business, its keys, and a person who is signed in as its owner.
pub struct Office {
    pub id: Uuid,
    /// Scope `full`.
    pub key: String,
    /// Scope `read`.
    pub reader: String,
    pub owner_id: Uuid,
    /// Value of the session cookie.
    pub session: String,
}

impl Office {
    /// An Australian business without quiet hours, whose pipeline is New, Quoted, Won, Lost.
    pub async fn open(test: &TestApp, slug: &str) -> Self {
        let mut sql = test.sql().await;
        let id: Uuid = one(&mut sql, "insert into patchbay.tenants (name, business_name, slug, country, currency, timezone, quiet_start, quiet_end) values ($1, $1, $1, 'AU', 'AUD', 'Australia/Perth', null, null) returning id", slug).await;
        sqlx::query("insert into patchbay.stages (tenant_id, name, position, kind) values ($1, 'New', 0, 'open'), ($1, 'Quoted', 1, 'open'), ($1, 'Won', 2, 'won'), ($1, 'Lost', 3, 'lost')")
            .bind(id).execute(&mut sql).await.expect("stages");
        sqlx::query("insert into patchbay.senders (tenant_id, channel, address, provider, is_default) values ($1, 'sms', '+15005550006', 'fake', true)")
            .bind(id).execute(&mut sql).await.expect("sender");
        let owner_id: Uuid = one(&mut sql, "insert into patchbay.users (email, name) values ($1 || '@example.com', 'Rosa Marín') returning id", slug).await;
        sqlx::query("insert into patchbay.memberships (tenant_id, user_id, role) values ($1, $2, 'owner')")
            .bind(id)
            .bind(owner_id)
            .execute(&mut sql)
            .await
            .expect("member");
        let (key, reader) = (
            Self::add_key(test, &mut sql, id, "full").await,
            Self::add_key(test, &mut sql, id, "read").await,
        );
        let session = ids::new_secret("");
        sqlx::query("insert into patchbay.sessions (id, token_hash, user_id, tenant_id, created_at, seen_at, expires_at) values ($1, $2, $3, $4, $5, $5, $5 + interval '30 days')")
            .bind(test.id()).bind(ids::hash_secret(&session)).bind(owner_id).bind(id).bind(test.app.now()).execute(&mut sql).await.expect("session");
        Self { id, key, reader, owner_id, session }
    }

    async fn add_key(test: &TestApp, sql: &mut PgConnection, tenant: Uuid, scope: &str) -> String {
        let key = ids::new_secret("pb_");
        sqlx::query("insert into patchbay.api_keys (id, tenant_id, name, scope, prefix, key_hash, created_at) values ($1, $2, $3, $3, 'pb_test', $4, now())")
            .bind(test.id()).bind(tenant).bind(scope).bind(ids::hash_secret(&key)).execute(sql).await.expect("key");
        key
    }

    /// A contact in the first stage.
    pub async fn contact(&self, test: &TestApp, first_name: &str, phone: Option<&str>) -> Uuid {
        sqlx::query_scalar("insert into patchbay.contacts (tenant_id, first_name, last_name, phone_e164, stage_id) values ($1, nullif($2, ''), 'Whitfield', $3, (select id from patchbay.stages where tenant_id = $1 order by position limit 1)) returning id")
            .bind(self.id).bind(first_name).bind(phone).fetch_one(&mut test.sql().await).await.expect("contact")
    }
}

async fn one(sql: &mut PgConnection, statement: &'static str, value: &str) -> Uuid {
    sqlx::query_scalar(statement).bind(value).fetch_one(sql).await.expect("row")
}
