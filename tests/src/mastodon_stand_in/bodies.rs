//! What a request holds: JSON, forms, and parts of several.

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
};
use serde_json::{Map, Value};

use super::answers::{Refusal, not_found, refusal};

/// The parameters of a body, in JSON or as a form.
pub(super) fn fields(headers: &HeaderMap, body: &Bytes) -> Result<Vec<(String, Value)>, Refusal> {
    let content_type = content_type(headers);
    if content_type.starts_with("application/json") {
        let fields: Map<String, Value> = serde_json::from_slice(body).map_err(|_| {
            refusal(StatusCode::BAD_REQUEST, "Error occurred while parsing request")
        })?;
        return Ok(fields.into_iter().collect());
    }
    if content_type.starts_with("multipart/form-data") {
        let text = |part: Part| String::from_utf8_lossy(&part.bytes).into_owned();
        let parts = multipart(headers, body)?;
        return Ok(parts.into_iter().map(|part| (part.name.clone(), text(part).into())).collect());
    }
    let pairs = form_urlencoded::parse(body);
    Ok(pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
}

pub(super) struct Part {
    pub(super) name: String,
    pub(super) mime: Option<String>,
    pub(super) bytes: Bytes,
}

/// The parts of a `multipart/form-data` body.
pub(super) fn multipart(headers: &HeaderMap, body: &Bytes) -> Result<Vec<Part>, Refusal> {
    let broken = || refusal(StatusCode::BAD_REQUEST, "Invalid multipart body");
    let content_type = content_type(headers);
    let (_, boundary) = content_type.split_once("boundary=").ok_or_else(broken)?;
    let boundary = format!("--{}", boundary.trim_matches('"'));
    let line = format!("\r\n{boundary}");
    let mut parts = Vec::new();
    let mut rest = body.strip_prefix(boundary.as_bytes()).ok_or_else(broken)?;
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let end = position(part, line.as_bytes()).ok_or_else(broken)?;
        let head = position(part, b"\r\n\r\n").filter(|head| *head < end).ok_or_else(broken)?;
        let text = String::from_utf8_lossy(&part[..head]).into_owned();
        let quoted = |name: &str| {
            let (_, from) = text.split_once(&format!("{name}=\""))?;
            Some(from.split('"').next().unwrap_or_default().to_owned())
        };
        let mime = text.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-type").then(|| value.to_owned())
        });
        let bytes = Bytes::copy_from_slice(&part[head + 4..end]);
        parts.push(Part { name: quoted(" name").ok_or_else(broken)?, mime, bytes });
        rest = &part[end + line.len()..];
    }
    Ok(parts)
}

fn position(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    bytes.windows(sought.len()).position(|window| window == sought)
}

pub(super) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// An id in a path; what is none is nowhere to be found.
pub(super) fn number(id: &str) -> Result<u64, Refusal> {
    id.parse().map_err(|_| not_found())
}
