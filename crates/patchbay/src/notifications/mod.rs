//! Rules that tell the people of a business what happened.

use crate::web::routes::Routes;

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
}
