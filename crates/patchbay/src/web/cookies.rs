//! The cookies we set. All are `HttpOnly`, for this host only, and `Secure` wherever the public address is HTTPS.

use axum::http::HeaderValue;

use crate::app::App;

/// The cookie's name: `__Host-` binds it to this host, but browsers take that over TLS only.
pub fn name(app: &App, plain: &'static str) -> String {
    if is_secure(app) { format!("__Host-{plain}") } else { plain.to_owned() }
}

/// A `Set-Cookie` that lives for `max_age` seconds. `value` must be base64url or empty.
pub fn set(app: &App, plain: &'static str, value: &str, max_age: i64) -> HeaderValue {
    let secure = if is_secure(app) { "; Secure" } else { "" };
    let text =
        format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}", name(app, plain));
    HeaderValue::from_str(&text).expect("base64url is a header value")
}

/// A `Set-Cookie` that removes the cookie.
pub fn clear(app: &App, plain: &'static str) -> HeaderValue {
    set(app, plain, "", 0)
}

fn is_secure(app: &App) -> bool {
    app.config.public_url.starts_with("https://")
}
