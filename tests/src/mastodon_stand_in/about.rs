//! What the instance says of itself.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::{
    HOST, Instance, Mastodon, Shared,
    answers::{json_response, page},
};

pub(super) async fn instance_v2(State(shared): State<Arc<Shared>>) -> Response {
    let state = shared.state();
    if !state.tells_v2 {
        return page(StatusCode::NOT_FOUND, "404 Not Found");
    }
    if let Some(about) = &state.about_v2 {
        return json_response(about);
    }
    let configuration = state.configuration();
    json_response(&json!({
        "domain": HOST,
        "title": "A stand-in",
        "version": "4.5.0",
        "configuration": configuration,
        "api_versions": { "mastodon": 7 },
    }))
}

/// Deprecated, and all that some servers have.
pub(super) async fn instance_v1(State(shared): State<Arc<Shared>>) -> Response {
    let state = shared.state();
    if let Some(about) = &state.about_v1 {
        return json_response(about);
    }
    let configuration = state.configuration();
    json_response(&json!({
        "uri": HOST,
        "title": "A stand-in",
        "version": "4.5.0",
        "configuration": configuration,
    }))
}

impl Instance {
    fn configuration(&self) -> Value {
        json!({
            "statuses": {
                "max_characters": self.most_characters,
                "max_media_attachments": 4,
                "characters_reserved_per_url": 23,
            },
            "media_attachments": {
                "description_limit": Mastodon::ALT_CHARACTERS,
                "image_matrix_limit": 33_177_600,
                "image_size_limit": Mastodon::PICTURE_BYTES,
                "supported_mime_types": [
                    "image/jpeg", "image/png", "image/gif", "image/heic", "image/heif",
                    "image/webp", "image/avif", "video/webm", "video/mp4", "audio/mpeg",
                ],
            },
        })
    }
}
