//! The embedded console. Its files are a list in the program: no path of a request ever reaches a file system.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_NONE_MATCH, VARY,
};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use weir_base::crypto::{random, sha256};

use crate::gate::headers::page_policy;
use crate::model::problem::{Code, Problem};
use crate::problem::nothing_here;

/// A file of the console.
struct File {
    path: &'static str,
    plain: &'static [u8],
    br: Option<&'static [u8]>,
}

static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// What stands for the page's nonce in `index.html`.
const NONCE: &str = "__CSP_NONCE__";

/// Shown when no console was built into the program.
const ABSENT: &str = include_str!("absent.html");

/// Pages of the console that may be typed as a path; `/*` stands for one more part. The console's router has the same list (console/src/app/pages.ts).
const PAGES: &[&str] = &[
    "overview",
    "lookup",
    "records",
    "sources",
    "sources/*",
    "approvals",
    "approvals/*",
    "ledger",
    "users",
    "settings",
    "account",
    "me",
    "problem/*",
    "welcome",
];

/// The console's hash over all its files, to tell which one is inside; none when none is.
pub fn digest() -> Option<&'static str> {
    static DIGEST: LazyLock<Option<String>> = LazyLock::new(|| {
        let all: Vec<u8> = FILES.iter().flat_map(|f| [sha256(f.path.as_bytes()), sha256(f.plain)]).flatten().collect();
        (!FILES.is_empty()).then(|| hex(&sha256(&all)))
    });
    DIGEST.as_deref()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Is it asked for as the page or a file of it? That costs nothing worth counting.
pub fn is_file(request: &Request) -> bool {
    let path = request.uri().path();
    let path = path.strip_prefix('/').unwrap_or(path);
    matches!(*request.method(), Method::GET | Method::HEAD) && path != "api" && !path.starts_with("api/") && !is_odd(path)
}

/// Answers every path that is no route.
pub async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    let path = path.strip_prefix('/').unwrap_or(path);
    if path == "api" || path.starts_with("api/") {
        return nothing_here().into_response();
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_odd(path) || (reads && !is_page(path)) {
        if let Some(file) = FILES.iter().find(|f| reads && f.path == path) {
            return send(file, request.headers());
        }
        // Who goes there is shown a page that says so. What asks for a file is told no more: a page in its place would be kept as that file.
        return if reads && is_navigation(request.headers()) { index(StatusCode::NOT_FOUND) } else { nothing_here().into_response() };
    }
    if !reads {
        return wrong_method("GET, HEAD");
    }
    index(StatusCode::OK)
}

/// The console's one page: which of its pages is shown it finds itself, and that there is none of that name.
fn index(status: StatusCode) -> Response {
    let mut response = page(FILES.iter().find(|f| f.path == "index.html").map_or(ABSENT.as_bytes(), |f| f.plain));
    *response.status_mut() = status;
    response
}

/// Is it the path of a page? What follows a `?` is no part of it.
fn is_page(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    let known = |page: &&str| match page.strip_suffix("/*") {
        Some(of) => {
            path.strip_prefix(of).and_then(|rest| rest.strip_prefix('/')).is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
        }
        None => path == *page,
    };
    path.is_empty() || path == "index.html" || PAGES.iter().any(known)
}

/// Does a person go there, with a browser? Scripts, styles and programs name no HTML.
fn is_navigation(headers: &HeaderMap) -> bool {
    let mut all = headers.get_all(ACCEPT).iter().filter_map(|h| h.to_str().ok()).flat_map(|h| h.split(','));
    all.any(|one| one.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("text/html"))
}

/// No path of the console: escaped, with empty parts or with dots for folders. Its own are plain letters.
fn is_odd(path: &str) -> bool {
    path.contains(['%', '\\']) || path.starts_with('/') || path.contains("//") || path.split('/').any(|part| part == "." || part == "..")
}

/// Answers a method that a route does not know.
pub async fn other_method() -> Response {
    Problem::boxed(Code::Method, "This path does not know the method.", "See /api/v1/openapi.json for what it takes.").into_response()
}

fn wrong_method(allowed: &'static str) -> Response {
    let problem = Problem::boxed(Code::Method, "This path does not know the method.", "See /api/v1/openapi.json for what it takes.");
    let mut response = problem.into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// A page with a nonce of its own: kept nowhere.
fn page(html: &[u8]) -> Response {
    let nonce = STANDARD.encode(random::<18>());
    let html = String::from_utf8_lossy(html).replace(NONCE, &nonce);
    let mut response = Response::new(Body::from(html));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = HeaderValue::from_str(&page_policy(&nonce)) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn send(file: &File, headers: &HeaderMap) -> Response {
    let packed = file.br.filter(|_| takes_br(headers));
    let tag = format!("\"{}{}\"", &hex(&sha256(file.plain))[..32], if packed.is_some() { "-br" } else { "" });
    let same = headers.get_all(IF_NONE_MATCH).iter().filter_map(|h| h.to_str().ok()).flat_map(|h| h.split(','));
    let same = same.map(|t| t.trim().trim_start_matches("W/")).any(|t| t == tag || t == "*");
    let mut response = Response::new(if same { Body::empty() } else { Body::from(packed.unwrap_or(file.plain)) });
    if same {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(kind(file.path)));
    out.insert(VARY, HeaderValue::from_static("accept-encoding"));
    // Names under assets/ change with their content.
    let cache = if file.path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    out.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(ETAG, tag);
    }
    if packed.is_some() {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

/// RFC 9110 section 12.5.3: `br` is named, and not with weight zero.
fn takes_br(headers: &HeaderMap) -> bool {
    let all = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|h| h.to_str().ok()).flat_map(|h| h.split(','));
    all.map(|one| one.split_once(';').unwrap_or((one, ""))).any(|(name, weight)| {
        let weight: String = weight.chars().filter(|c| !c.is_whitespace()).collect();
        let zero = weight.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0));
        name.trim().eq_ignore_ascii_case("br") && !zero
    })
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    const FILE: File = File { path: "assets/a-1234.js", plain: b"plain plain plain", br: Some(b"packed") };

    fn asked(file: &File, headers: &[(&str, &str)]) -> (u16, HeaderMap, Vec<u8>) {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let name: axum::http::HeaderName = name.parse().unwrap();
            all.append(name, value.parse().unwrap());
        }
        let (parts, body) = send(file, &all).into_parts();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let body = runtime.block_on(body.collect()).unwrap().to_bytes().to_vec();
        (parts.status.as_u16(), parts.headers, body)
    }

    #[test]
    fn the_packed_form_goes_to_who_takes_it() {
        for (accepted, packed) in [
            ("br", true),
            ("gzip, deflate, br", true),
            ("gzip, BR;q=0.5", true),
            ("br;q=0", false),
            ("br; q=0.0", false),
            ("gzip", false),
            ("", false),
        ] {
            let (status, headers, body) = asked(&FILE, &[("accept-encoding", accepted)]);
            assert_eq!(status, 200);
            assert_eq!(headers.contains_key(CONTENT_ENCODING), packed, "{accepted}");
            assert_eq!(body, if packed { b"packed".to_vec() } else { FILE.plain.to_vec() });
            assert_eq!(headers[VARY], "accept-encoding");
        }
    }

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let (_, headers, _) = asked(&FILE, &[]);
        assert_eq!(headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
        let tag = headers[ETAG].to_str().unwrap().to_owned();
        for (sent, status) in
            [(tag.clone(), 304), (format!("W/{tag}"), 304), (format!("\"x\", {tag}"), 304), ("*".into(), 304), ("\"x\"".into(), 200)]
        {
            assert_eq!(asked(&FILE, &[("if-none-match", &sent)]).0, status, "{sent}");
        }
        let other = asked(&FILE, &[("if-none-match", &tag), ("accept-encoding", "br")]);
        assert_eq!(other.0, 200, "the packed form has a tag of its own");
        assert_eq!(asked(&File { path: "favicon.svg", ..FILE }, &[]).1[CACHE_CONTROL], "no-cache");
    }

    #[test]
    fn pages_are_those_of_the_consoles_router() {
        let text = std::fs::read_to_string(weir_testkit::package().join("../../console/src/app/pages.ts")).unwrap();
        let list = text.split("PAGES = [").nth(1).unwrap().split(']').next().unwrap();
        assert_eq!(list.split('\'').skip(1).step_by(2).collect::<Vec<_>>(), PAGES);
    }

    #[test]
    fn what_is_a_page_and_what_is_none() {
        for (path, yes) in [
            ("", true),
            ("index.html", true),
            ("lookup", true),
            ("lookup/", true),
            ("sources/5", true),
            ("sources/guides", true),
            ("approvals/0a/b", false),
            ("sources//", false),
            ("login", false),
            ("foo/bar", false),
            ("lookups", false),
            ("lookup/5", false),
            ("me", true),
            ("problem", false),
            ("problem/expired", true),
        ] {
            assert_eq!(is_page(path), yes, "{path}");
        }
    }

    #[test]
    fn each_page_has_a_nonce_of_its_own() {
        let html = format!("<meta name=\"csp-nonce\" content=\"{NONCE}\" />");
        let nonce = |response: &Response| {
            let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
            policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned()
        };
        let (one, two) = (page(html.as_bytes()), page(html.as_bytes()));
        assert_ne!(nonce(&one), nonce(&two));
        let wanted = nonce(&one);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let body = runtime.block_on(one.into_body().collect()).unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains(&format!("content=\"{wanted}\"")));
    }
}
