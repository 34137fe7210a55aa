//! Quotes: lines, totals, the lead's own page, the answer.

use crate::web::routes::Routes;

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
}
