//! Pictures and their descriptions.

use axum::http::StatusCode;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::{
    Platform,
    answers::{Answer, Refusal, id, invalid},
    api::Call,
    bill::Billed,
};

/// A picture as the account sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XPicture {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its description.
    pub alt: Option<String>,
}

#[derive(Debug)]
pub(super) struct Media {
    pub(super) id: u64,
    pub(super) user_id: String,
    pub(super) bytes: Vec<u8>,
    pub(super) alt: Option<String>,
}

/// X takes multipart bodies too; we send none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUpload {
    media: String,
    media_category: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMetadata {
    id: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    alt_text: AltText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AltText {
    pub(super) text: String,
}

impl Platform {
    pub(super) fn upload(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        /// docs.x.com, "Media upload: best practices", 2026-08.
        const MOST_BYTES: usize = 5_000_000;
        let new: NewUpload = call.read()?;
        if new.media_category != "tweet_image" {
            return Err(invalid("media_category is not tweet_image"));
        }
        let bytes = BASE64_STANDARD.decode(new.media);
        let bytes = bytes.map_err(|_| invalid("media is not base64"))?;
        if MOST_BYTES < bytes.len() {
            return Err(invalid("File size exceeds 5242880 bytes."));
        }
        let Some(image_type) = image_type(&bytes) else {
            return Err(invalid("media type unrecognized."));
        };
        let id = self.new_id();
        let data = json!({
            "id": id.to_string(),
            "media_key": format!("3_{id}"),
            "size": bytes.len(),
            "expires_after_secs": 86_400,
            "image": { "image_type": image_type },
        });
        self.media.push(Media { id, user_id: call.user_id.clone(), bytes, alt: None });
        Ok(Answer::new(StatusCode::OK, json!({ "data": data })))
    }

    pub(super) fn describe(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let new: NewMetadata = call.read()?;
        let id = id("id", &new.id)?;
        let text = new.metadata.alt_text.text;
        if 1_000 < text.chars().count() {
            return Err(invalid("alt_text is longer than 1000 characters"));
        }
        let own = |media: &&mut Media| media.id == id && media.user_id == call.user_id;
        let Some(media) = self.media.iter_mut().find(own) else {
            return Err(invalid("Your media IDs are invalid."));
        };
        let metadata = json!({ "alt_text": { "text": text } });
        media.alt = Some(text);
        self.charge(&call.user_id, Billed::AltText);
        let data = json!({ "id": new.id, "associated_metadata": metadata });
        Ok(Answer::new(StatusCode::OK, json!({ "data": data })))
    }
}

/// The type of a picture, by its first bytes.
pub(super) fn image_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}
