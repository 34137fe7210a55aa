//! Routes, each with a statement of who may call it. The statement is enforced here, before the handler runs,
//! and recorded, so that a test can walk over all of them.

use std::sync::Arc;

use axum::{
    Router,
    handler::Handler,
    http::Method,
    middleware,
    routing::{MethodFilter, on},
};

use crate::{
    app::App,
    auth::{Role, guard},
};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever the handler itself verifies: signed webhooks.
    Signed,
    /// A person with a session, member of a tenant or not (yet).
    SignedIn,
    /// A member of the tenant on screen with at least this role.
    Page(Role),
    /// An API key whose scope amounts to at least this role.
    Api(Role),
    /// An API key of scope `ingest` or `full`.
    Ingest,
}

/// One route of the table.
#[derive(Debug, Clone)]
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
}

/// A router that is built together with its table.
pub struct Routes {
    app: Arc<App>,
    router: Router<Arc<App>>,
    table: Vec<Route>,
}

impl Routes {
    /// No routes yet.
    pub fn new(app: Arc<App>) -> Self {
        Self { app, router: Router::new(), table: Vec::new() }
    }

    /// Adds what a feature brings.
    pub fn with(self, feature: impl FnOnce(Self) -> Self) -> Self {
        feature(self)
    }

    /// `GET path`, also answering `HEAD`.
    pub fn get<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add(Method::GET, MethodFilter::GET, path, access, handler)
    }

    /// `OPTIONS path`.
    pub fn options<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add(Method::OPTIONS, MethodFilter::OPTIONS, path, access, handler)
    }

    /// `POST path`.
    pub fn post<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add(Method::POST, MethodFilter::POST, path, access, handler)
    }

    /// `PUT path`.
    pub fn put<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add(Method::PUT, MethodFilter::PUT, path, access, handler)
    }

    /// `PATCH path`.
    pub fn patch<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add(Method::PATCH, MethodFilter::PATCH, path, access, handler)
    }

    /// `DELETE path`.
    pub fn delete<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add(Method::DELETE, MethodFilter::DELETE, path, access, handler)
    }

    fn add<H, T>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        let guarded = on(filter, handler)
            .layer(middleware::from_fn_with_state((self.app.clone(), access, path), guard::admit));
        self.router = self.router.route(path, guarded);
        self.table.push(Route { method, path, access });
        self
    }

    /// The finished router, and the table of what is in it.
    pub fn finish(self) -> (Router<Arc<App>>, Vec<Route>) {
        (self.router, self.table)
    }
}
