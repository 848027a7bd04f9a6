//! The door: which requests may change something, whose cookie it is, and what every answer forbids the browser.

use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Uri};

use super::visit::ConsoleOptions;
use crate::domain::vocabulary::Lang;

/// Headers of every answer.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    (header::VARY, "Cookie, Accept-Language, Accept-Encoding"),
];
/// A year of TLS alone.
const STRICT: &str = "max-age=31536000; includeSubDomains";

/// Whether a request that changes something comes from a page of the console itself: by what the browser says of the site, and
/// by its origin. A request that says neither is refused: a browser says both.
pub(super) fn is_from_here(headers: &HeaderMap, uri: &Uri, options: &ConsoleOptions) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let (site, origin) = (text("sec-fetch-site"), text("origin"));
    if site.is_none() && origin.is_none() {
        return false;
    }
    let is_same_site = site.is_none_or(|site| site == "same-origin");
    let is_same_origin = origin.is_none_or(|origin| {
        if !options.origin.is_empty() {
            return origin == options.origin;
        }
        let scheme = if options.has_tls { "https" } else { "http" };
        // HTTP/2 has the host in the request line.
        let host = text("host").or_else(|| uri.authority().map(axum::http::uri::Authority::as_str));
        host.is_some_and(|host| origin == format!("{scheme}://{host}"))
    });
    is_same_site && is_same_origin
}

/// Name of the cookie. A browser takes the prefix `__Host-` with TLS alone; a console on loopback without TLS does without.
pub(super) fn cookie_name(options: &ConsoleOptions) -> &'static str {
    if options.has_tls { "__Host-wim-console" } else { "wim-console" }
}

/// The secret that the cookie of a request holds; `None` if it has none, or several.
pub(super) fn cookie(headers: &HeaderMap, options: &ConsoleOptions) -> Option<String> {
    let name = cookie_name(options);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut found = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned());
    let secret = found.next()?;
    found.next().is_none().then_some(secret)
}

/// The cookie that gives a browser the secret of a session, or takes it back.
pub(super) fn set_cookie(secret: Option<&str>, options: &ConsoleOptions) -> String {
    let (name, secure) = (cookie_name(options), if options.has_tls { "; Secure" } else { "" });
    let age = if secret.is_some() { 12 * 60 * 60 } else { 0 };
    // Lax, because links come from chats.
    format!("{name}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}", secret.unwrap_or_default())
}

/// The language that a browser prefers.
pub(super) fn preferred_lang(headers: &HeaderMap) -> Lang {
    let wanted =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let tags = wanted.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
    tags.filter(|tag| !tag.is_empty()).find_map(Lang::from_tag).unwrap_or_default()
}

/// Adds what every answer forbids the browser.
pub(super) fn protect(headers: &mut HeaderMap, nonce: &str, options: &ConsoleOptions) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if options.has_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT));
    }
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'; report-uri /csp-report"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().expect("a name");
            headers.append(name, value.parse().expect("a value"));
        }
        headers
    }

    #[test]
    fn a_change_comes_from_the_console_itself_or_is_refused() {
        let plain = ConsoleOptions { origin: String::new(), has_tls: false, token_sign_in: false };
        let named =
            ConsoleOptions { origin: "https://match.example.org".to_owned(), has_tls: true, ..plain.clone() };
        let uri: Uri = "/rounds".parse().expect("a path");
        let is_taken = |lines: &[(&str, &str)], options| is_from_here(&headers(lines), &uri, options);
        let host = ("host", "localhost:8080");
        assert!(is_taken(&[host, ("origin", "http://localhost:8080")], &plain));
        assert!(is_taken(&[host, ("sec-fetch-site", "same-origin")], &plain));
        assert!(is_taken(&[("origin", "https://match.example.org")], &named));
        for wrong in [
            &[host][..],
            &[host, ("origin", "null")],
            &[host, ("origin", "https://localhost:8080")],
            &[host, ("origin", "http://localhost:8081")],
            &[host, ("origin", "http://evil.example")],
            &[host, ("sec-fetch-site", "cross-site")],
            &[host, ("sec-fetch-site", "same-site")],
            &[host, ("sec-fetch-site", "none")],
            &[host, ("sec-fetch-site", "cross-site"), ("origin", "http://localhost:8080")],
            &[host, ("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")],
        ] {
            assert!(!is_taken(wrong, &plain), "{wrong:?}");
        }
        assert!(!is_taken(&[("host", "match.example.org"), ("origin", "http://match.example.org")], &named));
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name_and_once() {
        let plain = ConsoleOptions { origin: String::new(), has_tls: false, token_sign_in: false };
        let read = |line: &str| cookie(&headers(&[("cookie", line)]), &plain);
        assert_eq!(read("a=1; wim-console=wimc_0; b=2"), Some("wimc_0".to_owned()));
        assert_eq!(read("xwim-console=wimc_0"), None);
        assert_eq!(read("wim-console=a; wim-console=b"), None, "one of them is planted");
        let secure = ConsoleOptions { has_tls: true, ..plain };
        assert!(
            set_cookie(Some("s"), &secure)
                .starts_with("__Host-wim-console=s; Path=/; HttpOnly; SameSite=Lax")
        );
        assert!(set_cookie(Some("s"), &secure).ends_with("; Secure"));
        assert!(set_cookie(None, &secure).contains("Max-Age=0"));
    }

    #[test]
    fn the_browser_chooses_the_language_of_the_door() {
        let read = |line: &str| preferred_lang(&headers(&[("accept-language", line)]));
        assert_eq!(read("de-DE, es-PE;q=0.8, en;q=0.5").tag(), "es");
        assert_eq!(read("de"), Lang::default());
    }
}
