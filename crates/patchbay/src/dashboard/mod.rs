//! The day at a glance.

use crate::web::routes::Routes;

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
}
