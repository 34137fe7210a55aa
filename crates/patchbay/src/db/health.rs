//! What the database says about itself, for `doctor`.

use chrono::{DateTime, Utc};

use super::Db;
use crate::error::Result;

/// The server and our place in it.
#[derive(Debug, Clone)]
pub struct Health {
    pub version: String,
    /// The server's clock.
    pub clock: DateTime<Utc>,
    /// Who we are there.
    pub role: String,
    pub superuser: bool,
    /// Whether we may become the role that requests run as.
    pub becomes_tenant: bool,
    /// Whether that role escapes row-level security.
    pub tenant_role_too_strong: bool,
    /// Tables with a tenant that requests may use without row-level security.
    pub open_tables: Vec<String>,
}

impl Db {
    /// Asks the catalogue. Works on any schema, also on none.
    pub async fn health(&self) -> Result<Health> {
        let row = sqlx::query!(
            r#"select
                 current_setting('server_version') as "version!",
                 clock_timestamp() as "clock!",
                 current_user::text as "role!",
                 me.rolsuper as "superuser!",
                 coalesce(pg_has_role(current_user, tenant.oid, 'member'), false) as "becomes!",
                 coalesce(tenant.rolsuper or tenant.rolbypassrls, false) as "strong!",
                 array(
                   select c.relname::text from pg_class c
                   join pg_namespace n on n.oid = c.relnamespace
                   join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
                   where n.nspname = 'patchbay' and c.relkind in ('r', 'p') and not c.relrowsecurity
                     and tenant.oid is not null
                     and has_table_privilege(tenant.oid, c.oid, 'select, insert, update, delete')
                   order by 1) as "open_tables!"
               from pg_roles me left join pg_roles tenant on tenant.rolname = 'patchbay_tenant'
               where me.rolname = current_user"#
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Health {
            version: row.version,
            clock: row.clock,
            role: row.role,
            superuser: row.superuser,
            becomes_tenant: row.becomes,
            tenant_role_too_strong: row.strong,
            open_tables: row.open_tables,
        })
    }
}
