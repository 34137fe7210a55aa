//! What the database says about itself.

use crate::{
    app::App,
    cli::doctor::Finding,
    db::Health,
    error::Result,
    health::{Backlog, backlog},
};

/// Clocks further apart than this make quiet hours and leases wrong.
const SKEW_BAD: f64 = 30.0;
const SKEW_DOUBTFUL: f64 = 2.0;
/// Work this old should have been done.
const LAG_DOUBTFUL: f64 = 60.0;

/// All findings about the database.
pub async fn all(app: &App) -> Vec<Finding> {
    let before = app.now();
    let health = app.db.health().await;
    let middle = before + (app.now() - before) / 2;
    let health = match health {
        Ok(health) => health,
        Err(error) => {
            return vec![Finding::bad(
                "database",
                format!("It does not answer as it should: {error}."),
                "See its log.",
            )];
        }
    };
    let skew = (health.clock - middle).as_seconds_f64().abs();
    let mut findings = vec![server(&health), clock(skew)];
    match migrations(app).await {
        Ok((finding, complete)) => {
            findings.push(finding);
            if complete {
                findings.push(isolation(&health));
                findings.push(work(backlog(app).await));
            }
        }
        Err(error) => findings.push(Finding::bad(
            "schema",
            format!("It cannot be read: {error}."),
            "Run patchbay migrate.",
        )),
    }
    findings
}

fn server(health: &Health) -> Finding {
    let found = format!("PostgreSQL {} answers as {:?}.", health.version, health.role);
    if health.superuser {
        Finding::doubtful(
            "database",
            found,
            "That role is a superuser; an ordinary one with CREATEROLE is enough.",
        )
    } else {
        Finding::good("database", found)
    }
}

fn clock(skew: f64) -> Finding {
    let found = format!("This machine and the database are {skew:.1} seconds apart.");
    if skew > SKEW_BAD {
        Finding::bad("clock", found, "Set both clocks by NTP: quiet hours and leases depend on them.")
    } else if skew > SKEW_DOUBTFUL {
        Finding::doubtful("clock", found, "Set both clocks by NTP.")
    } else {
        Finding::good("clock", "This machine and the database agree.")
    }
}

async fn migrations(app: &App) -> Result<(Finding, bool)> {
    let (all, done) = app.db.migrations().await?;
    Ok(if done == all {
        (Finding::good("schema", format!("All {all} migrations are applied.")), true)
    } else if done < all {
        (
            Finding::bad(
                "schema",
                format!("{done} of {all} migrations are applied."),
                "Run patchbay migrate, or start the server.",
            ),
            false,
        )
    } else {
        (Finding::bad("schema", "It was made by a newer version.", "Run that version."), false)
    })
}

fn isolation(health: &Health) -> Finding {
    if !health.becomes_tenant {
        return Finding::bad(
            "isolation",
            "We may not become the role patchbay_tenant.",
            format!("As an administrator: grant patchbay_tenant to {:?}", health.role),
        );
    }
    if health.tenant_role_too_strong {
        return Finding::bad(
            "isolation",
            "The role patchbay_tenant is not bound by row-level security.",
            "As an administrator: alter role patchbay_tenant nosuperuser nobypassrls",
        );
    }
    if !health.open_tables.is_empty() {
        let tables = health.open_tables.join(", ");
        return Finding::bad(
            "isolation",
            format!("Without row-level security: {tables}."),
            "Enable it; see the migrations.",
        );
    }
    Finding::good("isolation", "Row-level security binds every tenant table.")
}

fn work(backlog: Result<Backlog>) -> Finding {
    let backlog = match backlog {
        Ok(backlog) => backlog,
        Err(error) => {
            return Finding::doubtful(
                "work",
                format!("The backlog could not be read: {error}."),
                "See the log.",
            );
        }
    };
    let lag = backlog.dispatcher_lag_seconds.max(backlog.outbox_lag_seconds);
    if lag > LAG_DOUBTFUL {
        Finding::doubtful(
            "work",
            format!("The oldest due work has waited {lag:.0} seconds."),
            "Is a worker running? (patchbay serve --role worker)",
        )
    } else if backlog.parked_events > 0 {
        Finding::doubtful(
            "work",
            format!("{} events failed for good.", backlog.parked_events),
            "Look at them under Settings → Events and try again.",
        )
    } else {
        Finding::good("work", "Nothing is behind.")
    }
}
