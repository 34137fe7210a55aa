//! Intake: leads and quotes from forms, partners and automations.

use crate::web::routes::Routes;

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
}
