//! Pictures, as blobs.

use axum::http::{StatusCode, header::CONTENT_TYPE};
use serde_json::json;

use super::{
    Bluesky, Pds,
    answers::{Answer, bad_request, error, internal_error, ok},
    api::Call,
    records::cid,
};

impl Bluesky {
    /// The picture that a record calls `link`.
    pub fn picture(&self, link: &str) -> Option<Vec<u8>> {
        self.shared.state().blobs.get(link).map(|bytes| bytes.to_vec())
    }
}

impl Pds {
    pub(super) fn upload_blob(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        /// `blobUploadLimit` of the PDS, unless configured.
        const MOST_BYTES: usize = 5 << 20;
        self.authenticate(call)?;
        if MOST_BYTES < call.body.len() {
            let message = "request entity too large";
            return Err(error(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLarge", message));
        }
        // It measures pictures that begin as one.
        if call.body.starts_with(b"\x89PNG") && !call.body.windows(4).any(|four| four == b"IEND") {
            return Err(internal_error());
        }
        let kind = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.ok_or_else(|| {
            bad_request("InvalidRequest", "Request encoding (Content-Type) required")
        })?;
        let link = cid("bafkrei", &format!("{:?}", call.body));
        let size = call.body.len();
        self.blobs.insert(link.clone(), call.body.clone());
        Ok(ok(json!({ "blob": {
            "$type": "blob",
            "ref": { "$link": link },
            "mimeType": kind,
            "size": size,
        } })))
    }
}
