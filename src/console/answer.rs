//! Answers of the console: a page, a way to another page, a file, or a stream of news. Pages are compressed and never stored.

use std::io::Write as _;

use axum::body::{Body, Bytes};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Response, StatusCode};
use flate2::Compression;
use flate2::write::GzEncoder;
use maud::Markup;

use crate::error::Error;

/// Bytes below which compression gains nothing.
const SMALL: usize = 1_024;

/// What a page answers.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Content,
}

#[derive(Debug)]
enum Content {
    /// To be compressed if the browser takes it.
    Text(Vec<u8>),
    /// As it is, when it comes.
    Stream(Body),
}

impl Answer {
    /// A page.
    pub(super) fn page(status: StatusCode, page: Markup) -> Self {
        Self::text(status, "text/html; charset=utf-8", page.into_string().into_bytes())
    }

    /// A file that is made for this reader.
    pub(super) fn text(status: StatusCode, kind: &str, bytes: Vec<u8>) -> Self {
        let headers =
            vec![(header::CONTENT_TYPE, kind.to_owned()), (header::CACHE_CONTROL, "no-store".to_owned())];
        Self { status, headers, body: Content::Text(bytes) }
    }

    /// A file of the console itself, which never changes under its name.
    pub(super) fn asset(kind: &str, bytes: &[u8]) -> Self {
        let headers = vec![
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        ];
        Self { status: StatusCode::OK, headers, body: Content::Text(bytes.to_vec()) }
    }

    /// News for a live page, which no proxy may hold back.
    pub(super) fn news(body: Body) -> Self {
        let headers = vec![
            (header::CONTENT_TYPE, "text/event-stream".to_owned()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
            (HeaderName::from_static("x-accel-buffering"), "no".to_owned()),
        ];
        Self { status: StatusCode::OK, headers, body: Content::Stream(body) }
    }

    /// To another page, by GET.
    pub(super) fn to(path: impl Into<String>) -> Self {
        let headers = vec![(header::LOCATION, path.into()), (header::CACHE_CONTROL, "no-store".to_owned())];
        Self { status: StatusCode::SEE_OTHER, headers, body: Content::Text(Vec::new()) }
    }

    /// With a further header.
    pub(super) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The response, compressed if the request allows it.
    pub(super) fn into_response(self, request: &HeaderMap) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().append(name, value);
            }
        }
        *response.body_mut() = match self.body {
            Content::Stream(body) => body,
            Content::Text(bytes) if bytes.len() >= SMALL && takes_gzip(request) => {
                response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                Body::from(compressed(&bytes))
            }
            Content::Text(bytes) => Body::from(bytes),
        };
        response
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let taken =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    taken.split(',').any(|coding| coding.trim() == "gzip" || coding.trim().starts_with("gzip;q=1"))
}

fn compressed(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::fast());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default().into()
}

/// The status of HTTP of an error.
pub(super) fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::InvalidFields(_) | Error::InvalidPageToken | Error::Undecodable => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Error::MessageTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::Unauthenticated | Error::SeveralCredentials => StatusCode::UNAUTHORIZED,
        Error::PermissionDenied { .. } | Error::SecondPerson { .. } => StatusCode::FORBIDDEN,
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::RateLimited { .. } | Error::Overloaded(_) => StatusCode::TOO_MANY_REQUESTS,
        Error::StoreUnavailable(_) | Error::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        Error::DeadlineExceeded | Error::ReceiveTimeout { .. } => StatusCode::GATEWAY_TIMEOUT,
        Error::Internal(..) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::CONFLICT,
    }
}
