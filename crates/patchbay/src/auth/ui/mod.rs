//! The pages for signing in, the account and API keys.

mod account;
mod keys;
mod sign_in;

use super::Role;
use crate::web::routes::{Access, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/", Access::Public, sign_in::home)
        .get("/sign-in", Access::Public, sign_in::sign_in_page)
        .post("/sign-in", Access::Public, sign_in::request_link)
        .get("/sign-in/sent", Access::Public, sign_in::sent_page)
        .post("/sign-in/code", Access::Public, sign_in::redeem_code)
        .get("/sign-in/{token}", Access::Public, sign_in::link_page)
        .post("/sign-in/{token}", Access::Public, sign_in::redeem)
        .post("/sign-out", Access::SignedIn, account::sign_out)
        .get("/account", Access::SignedIn, account::account_page)
        .post("/account", Access::SignedIn, account::rename)
        .post("/account/join", Access::SignedIn, account::join)
        .post("/account/theme", Access::SignedIn, account::set_theme)
        .post("/account/sessions/end-others", Access::SignedIn, account::end_others)
        .post("/account/sessions/end-all", Access::SignedIn, account::end_all)
        .post("/account/sessions/{id}/end", Access::SignedIn, account::end_session)
        .post("/tenant/switch", Access::SignedIn, account::switch_tenant)
        .get("/settings/api-keys", Access::Page(Role::Admin), keys::keys_page)
        .post("/settings/api-keys", Access::Page(Role::Admin), keys::create_key)
        .post("/settings/api-keys/{id}/revoke", Access::Page(Role::Admin), keys::revoke_key)
}
