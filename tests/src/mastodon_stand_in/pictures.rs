//! Pictures, and how long they are worked on.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    HOST, Instance, Mastodon, Shared,
    answers::{Refusal, json_response, not_found, unprocessable},
    bodies::{multipart, number},
};

/// A picture of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MastodonPicture {
    /// The type it came with.
    pub mime: String,
    /// Its alternative text.
    pub alt: String,
    /// The file.
    pub bytes: Bytes,
}

#[derive(Debug)]
pub(super) struct Media {
    pub(super) id: u64,
    pub(super) account: u64,
    pub(super) picture: MastodonPicture,
    /// How often it is still unfinished when asked for.
    pub(super) processing: usize,
    /// It is part of this post.
    pub(super) post: Option<u64>,
}

pub(super) async fn upload(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    let mut picture = None;
    let mut alt = String::new();
    for part in multipart(&headers, &body)? {
        match part.name.as_str() {
            "file" => picture = Some((part.mime, part.bytes)),
            "description" => alt = String::from_utf8_lossy(&part.bytes).into_owned(),
            name => return Err(unprocessable(&format!("unknown parameter {name}"))),
        }
    }
    let Some((mime, bytes)) = picture else {
        return Err(unprocessable("Validation failed: File can't be blank"));
    };
    let mime = mime.unwrap_or_default();
    if !is_picture(&mime, &bytes) {
        return Err(unprocessable(
            "Validation failed: File content type is invalid, File is invalid",
        ));
    }
    if Mastodon::PICTURE_BYTES <= bytes.len() {
        return Err(unprocessable("Validation failed: File file size must be less than 16 MB"));
    }
    if Mastodon::ALT_CHARACTERS < alt.chars().count() {
        return Err(unprocessable(
            "Validation failed: Description is too long (maximum is 1500 characters)",
        ));
    }
    let id = state.next_id();
    let processing = state.processing;
    let picture = MastodonPicture { mime, alt, bytes };
    state.media.push(Media { id, account, picture, processing, post: None });
    let shown = state.media_by(id).show();
    // Since 4.0.0 small pictures are processed at once.
    let status = if processing == 0 { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, json_response(&shown)).into_response())
}

pub(super) async fn attachment(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    let id = number(&id)?;
    let own = |media: &&mut Media| media.id == id && media.account == account;
    let media = state.media.iter_mut().find(own).ok_or_else(not_found)?;
    let status = if media.processing == 0 { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    media.processing = media.processing.saturating_sub(1);
    let mut shown = media.show();
    if status == StatusCode::PARTIAL_CONTENT {
        shown["url"] = Value::Null;
    }
    Ok((status, json_response(&shown)).into_response())
}

impl Instance {
    pub(super) fn media_by(&self, id: u64) -> &Media {
        self.media.iter().find(|media| media.id == id).expect("media are kept")
    }
}

impl Media {
    pub(super) fn show(&self) -> Value {
        let url = format!("https://{HOST}/media/{}", self.id);
        json!({
            "id": self.id.to_string(),
            "type": "image",
            "url": (self.processing == 0).then_some(&url),
            "preview_url": url,
            "remote_url": null,
            "description": (!self.picture.alt.is_empty()).then_some(&self.picture.alt),
            "meta": {},
            "blurhash": null,
        })
    }
}

/// Whether a file is what its type says, by its first bytes.
pub(super) fn is_picture(mime: &str, bytes: &[u8]) -> bool {
    match mime {
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/jpeg" => bytes.starts_with(b"\xff\xd8\xff"),
        "image/gif" => bytes.starts_with(b"GIF8"),
        "image/webp" => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        _ => false,
    }
}
