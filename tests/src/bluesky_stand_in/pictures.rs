//! Pictures, as blobs.

use axum::http::{StatusCode, header::CONTENT_TYPE};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{
    Bluesky, Pds,
    answers::{Answer, bad_request, error, internal_error, ok},
    api::Call,
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
        let link = raw_cid(call.body);
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

/// What a file is called: the SHA-256 of what is in it (atproto.com, "Data model": CID of version 1, raw, Base32 in lower case).
fn raw_cid(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let (mut held, mut bits, mut cid) = (0_u32, 0, "b".to_owned());
    for byte in [0x01, 0x55, 0x12, 0x20].into_iter().chain(Sha256::digest(bytes)) {
        held = held << 8 | u32::from(byte);
        bits += 8;
        while 5 <= bits {
            bits -= 5;
            cid.push(char::from(LETTERS[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if 0 < bits {
        cid.push(char::from(LETTERS[(held << (5 - bits) & 31) as usize]));
    }
    cid
}
