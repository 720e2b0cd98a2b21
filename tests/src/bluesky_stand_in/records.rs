//! Records: what may be one, and what writes, reads, lists and deletes one.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{
    Bluesky, Pds,
    answers::{Answer, bad_request, error, internal_error, ok, text},
    api::Call,
};

/// A record as the account wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct BlueskyRecord {
    /// `at://did/collection/rkey`
    pub uri: String,
    /// What the PDS calls this version of it.
    pub cid: String,
    /// The record.
    pub value: Value,
}

impl Bluesky {
    /// Writes a record as if the account had done so elsewhere.
    pub fn write(&self, did: &str, collection: &str, rkey: &str, record: Value) {
        let key = (did.to_owned(), collection.to_owned(), rkey.to_owned());
        let cid = cid("bafyrei", &record.to_string());
        self.shared.state().records.insert(key, (cid, record));
    }

    /// The account's posts, oldest key first.
    pub fn posts(&self, did: &str) -> Vec<BlueskyRecord> {
        self.records(did, "app.bsky.feed.post")
    }

    /// The account's records of one kind, oldest key first.
    pub fn records(&self, did: &str, collection: &str) -> Vec<BlueskyRecord> {
        let state = self.shared.state();
        let own =
            state.records.iter().filter(|((owner, kind, _), _)| owner == did && kind == collection);
        own.map(|((_, _, rkey), (cid, value))| BlueskyRecord {
            uri: uri(did, collection, rkey),
            cid: cid.clone(),
            value: value.clone(),
        })
        .collect()
    }
}

impl Pds {
    pub(super) fn write_record(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let input = call.input()?;
        let (did, limit) = self.writer(call, &input)?;
        let collection = text(&input, "collection")?;
        let create = call.method == "createRecord";
        let rkey = match input["rkey"].as_str() {
            Some(rkey) => rkey.to_owned(),
            None if create => self.number("3laaaaaaaa").chars().take(13).collect(),
            None => {
                return Err(bad_request("InvalidRequest", "Input must have the property \"rkey\""));
            }
        };
        if rkey != "self" && !is_tid(&rkey) {
            return Err(bad_request(
                "InvalidRequest",
                &format!(
                    "Invalid record key for {collection}: Invalid TID string (got \"{rkey}\") at $"
                ),
            ));
        }
        let record = &input["record"];
        self.check(&collection, record)?;
        let key = (did.clone(), collection.clone(), rkey.clone());
        let cid = cid("bafyrei", &record.to_string());
        let uri = uri(&did, &collection, &rkey);
        let mut body = json!({ "uri": uri, "cid": cid, "validationStatus": "valid" });
        if let Some((existing, _)) = self.records.get(&key) {
            if create {
                return Err(internal_error());
            }
            if *existing == cid {
                // Nothing to be done, whatever may be swapped.
                return Ok(Answer { limit: Some(limit), ..ok(body) });
            }
            let may = match input.get("swapRecord") {
                None => true,
                Some(swap) => swap.as_str() == Some(existing),
            };
            if !may {
                return Err(bad_request("InvalidSwap", &format!("Record was at {existing}")));
            }
        } else if input["swapRecord"].is_string() {
            return Err(bad_request("InvalidSwap", "Record was at null"));
        }
        body["commit"] = json!({ "cid": cid, "rev": "3laaaaaaaaa2a" });
        self.records.insert(key, (cid, record.clone()));
        Ok(Answer { limit: Some(limit), ..ok(body) })
    }

    /// Refuses what the lexicons do not allow, as far as we write such records.
    fn check(&self, collection: &str, record: &Value) -> Result<(), Answer> {
        let invalid = |what: String| {
            bad_request("InvalidRequest", &format!("Invalid {collection} record: {what}"))
        };
        if record["$type"] != collection {
            let got = &record["$type"];
            return Err(bad_request(
                "InvalidRequest",
                &format!("Invalid $type: expected {collection}, got {got}"),
            ));
        }
        let required: &[&str] = match collection {
            "app.bsky.feed.post" => &["text", "createdAt"],
            "app.bsky.feed.repost" | "app.bsky.feed.like" | "app.bsky.graph.follow" => {
                &["subject", "createdAt"]
            }
            _ => &[],
        };
        if let Some(missing) = required.iter().find(|key| record.get(**key).is_none()) {
            return Err(invalid(format!("Missing required key \"{missing}\" at $.record")));
        }
        if let Some(created) = record.get("createdAt") {
            let time = created.as_str().and_then(|time| time.parse::<Timestamp>().ok());
            if time.is_none() {
                return Err(invalid(format!(
                    "Invalid datetime (got {created}) at $.record.createdAt"
                )));
            }
        }
        if let Some(text) = record["text"].as_str() {
            let (bytes, graphemes) = (text.len(), text.graphemes(true).count());
            if 3_000 < bytes {
                return Err(invalid(format!(
                    "string too big (maximum 3000, got {bytes}) at $.record.text"
                )));
            }
            if 300 < graphemes {
                return Err(invalid(format!(
                    "grapheme too big (maximum 300, got {graphemes}) at $.record.text"
                )));
            }
        }
        if collection == "app.bsky.graph.follow" {
            let is_did = record["subject"].as_str().is_some_and(|who| who.starts_with("did:"));
            if !is_did {
                let got = &record["subject"];
                return Err(invalid(format!("Invalid did (got {got}) at $.record.subject")));
            }
            return Ok(());
        }
        for reference in ["subject", "reply"].iter().filter_map(|key| record.get(key)) {
            let strong = |value: &Value| value["uri"].is_string() && value["cid"].is_string();
            let both = strong(&reference["root"]) && strong(&reference["parent"]);
            if !strong(reference) && !both {
                return Err(invalid(format!("Missing required key \"cid\" at {reference}")));
            }
        }
        for facet in record["facets"].as_array().into_iter().flatten() {
            let byte = |name: &str| facet["index"][name].as_u64();
            let has_feature = facet["features"][0]["$type"].is_string();
            if !has_feature || byte("byteStart").is_none() || byte("byteEnd").is_none() {
                return Err(invalid("Missing required key at $.record.facets".to_owned()));
            }
        }
        if collection == "app.bsky.actor.profile" {
            self.check_profile(record)?;
        }
        let images = record["embed"]["images"].as_array();
        for (number, image) in images.into_iter().flatten().enumerate() {
            if !image["alt"].is_string() {
                return Err(invalid(format!(
                    "Missing required key \"alt\" at $.record.embed.images[{number}]"
                )));
            }
            let link = image["image"]["ref"]["$link"].as_str().unwrap_or_default();
            let Some(blob) = self.blobs.get(link) else {
                return Err(bad_request("BlobNotFound", &format!("Could not find blob: {link}")));
            };
            if 1_000_000 < blob.len() {
                return Err(invalid(format!(
                    "blob too big (maximum 1000000, got {}) at $.record.embed.images[{number}].image",
                    blob.len()
                )));
            }
        }
        Ok(())
    }

    /// Lexicon app.bsky.actor.profile (2026-11).
    fn check_profile(&self, record: &Value) -> Result<(), Answer> {
        let invalid = |what: String| {
            let collection = "app.bsky.actor.profile";
            bad_request("InvalidRequest", &format!("Invalid {collection} record: {what}"))
        };
        for (name, most) in [("displayName", 64), ("description", 256)] {
            let text = record[name].as_str().unwrap_or_default();
            let (bytes, graphemes) = (text.len(), text.graphemes(true).count());
            if most < graphemes || 10 * most < bytes {
                return Err(invalid(format!(
                    "grapheme too big (maximum {most}, got {graphemes}) at $.record.{name}"
                )));
            }
        }
        let website = record.get("website").map(|website| website.as_str().unwrap_or_default());
        if website.is_some_and(|website| !website.contains(':') || website.contains(' ')) {
            return Err(invalid("Invalid URI at $.record.website".to_owned()));
        }
        for name in ["avatar", "banner"] {
            let Some(blob) = record.get(name) else { continue };
            let link = blob["ref"]["$link"].as_str().unwrap_or_default();
            let Some(bytes) = self.blobs.get(link) else {
                return Err(bad_request("BlobNotFound", &format!("Could not find blob: {link}")));
            };
            let kind = blob["mimeType"].as_str().unwrap_or_default();
            if !["image/png", "image/jpeg"].contains(&kind) {
                return Err(invalid(format!("blob mimeType not accepted, got {kind}")));
            }
            if 1_000_000 < bytes.len() {
                let length = bytes.len();
                return Err(invalid(format!(
                    "blob too big (maximum 1000000, got {length}) at $.record.{name}"
                )));
            }
        }
        Ok(())
    }

    pub(super) fn delete_record(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let input = call.input()?;
        let (did, limit) = self.writer(call, &input)?;
        let key = (did, text(&input, "collection")?, text(&input, "rkey")?);
        let body = match self.records.remove(&key) {
            Some((cid, _)) => json!({ "commit": { "cid": cid, "rev": "3laaaaaaaaa2a" } }),
            None => json!({}),
        };
        Ok(Answer { limit: Some(limit), ..ok(body) })
    }

    /// Whose a handle is. A PDS knows its own and asks around for others, of whom there are none here.
    pub(super) fn resolve_handle(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let handle = call.parameter("handle")?;
        match self.did(handle) {
            Some(did) => Ok(ok(json!({ "did": did }))),
            None => Err(bad_request("InvalidRequest", "Unable to resolve handle")),
        }
    }

    pub(super) fn get_record(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let (repo, collection) = (call.parameter("repo")?, call.parameter("collection")?);
        let rkey = call.parameter("rkey")?;
        let did = self.did(repo).ok_or_else(|| {
            // It would ask an AppView, and has none.
            let message = "Upstream service unreachable";
            error(StatusCode::BAD_GATEWAY, "UpstreamFailure", message)
        })?;
        let uri = uri(&did, collection, rkey);
        let record = self.records.get(&(did, collection.to_owned(), rkey.to_owned()));
        let (cid, value) = record.ok_or_else(|| {
            bad_request("RecordNotFound", &format!("Could not locate record: {uri}"))
        })?;
        Ok(ok(json!({ "uri": uri, "cid": cid, "value": value })))
    }

    pub(super) fn list_records(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let (repo, collection) = (call.parameter("repo")?, call.parameter("collection")?);
        let did = self.did(repo).ok_or_else(|| {
            bad_request("InvalidRequest", &format!("Could not find repo: {repo}"))
        })?;
        let limit = call.query.get("limit").map_or(Some(50), |limit| limit.parse().ok());
        let limit = limit.filter(|limit| (1..=100).contains(limit)).ok_or_else(internal_error)?;
        let cursor = call.query.get("cursor");
        let records: Vec<_> = self
            .records
            .iter()
            .rev()
            .filter(|((owner, kind, rkey), _)| {
                *owner == did && kind == collection && cursor.is_none_or(|cursor| rkey < cursor)
            })
            .take(limit)
            .collect();
        let shown: Vec<_> = records
            .iter()
            .map(|((_, _, rkey), (cid, value))| {
                json!({ "uri": uri(&did, collection, rkey), "cid": cid, "value": value })
            })
            .collect();
        let mut body = json!({ "records": shown });
        // It says where it stopped, also at the end.
        if let Some(((_, _, rkey), _)) = records.last() {
            body["cursor"] = rkey.clone().into();
        }
        Ok(ok(body))
    }
}

fn uri(did: &str, collection: &str, rkey: &str) -> String {
    format!("at://{did}/{collection}/{rkey}")
}

/// Something in the form of a content id, the same for the same content.
pub(super) fn cid(prefix: &str, content: &str) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    let hash = hasher.finish();
    let letter = |place: u32| char::from(LETTERS[(hash >> (5 * (place % 12)) & 31) as usize]);
    prefix.chars().chain((0..52).map(letter)).collect()
}

/// atproto.com/specs/tid: 13 letters, of which the first has its high bit clear.
fn is_tid(rkey: &str) -> bool {
    rkey.len() == 13
        && rkey.starts_with(|first| "234567abcdefghij".contains(first))
        && rkey.chars().all(|letter| "234567abcdefghijklmnopqrstuvwxyz".contains(letter))
}
