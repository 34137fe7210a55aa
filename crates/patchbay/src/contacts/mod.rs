//! Contacts: a tenant's own copy of the people it deals with.

use crate::web::routes::Routes;

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
}
