//! What an account shows of itself on Bluesky: the one record of its profile (lexicon app.bsky.actor.profile, 2026-11). What is in it
//! besides is left as it is.

use flock_core::{Picture, PictureDigest, ProfilePart, RemoteId, Shown, Wanted};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    Bluesky, BlueskyKey, NAME, error_name, failure,
    record::{self, PROFILE, Record},
    repo,
};
use crate::{Account, Failure};

/// What the record calls a part.
fn field(part: ProfilePart) -> Option<&'static str> {
    match part {
        ProfilePart::Name => Some("displayName"),
        ProfilePart::Bio => Some("description"),
        ProfilePart::Url => Some("website"),
        ProfilePart::Picture => Some("avatar"),
        ProfilePart::Banner => Some("banner"),
        ProfilePart::Location | ProfilePart::Bot => None,
    }
}

impl Bluesky {
    pub(crate) async fn profile(
        &self,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<Shown, Failure> {
        let there = self.profile_record(account, key).await?;
        Ok(shown(there.as_ref().map_or(&Value::Null, |there| &there.value)))
    }

    /// Changes what is wanted in one write, so that it is all of it or nothing. Done again it changes nothing.
    pub(crate) async fn change_profile(
        &self,
        account: &Account,
        key: &BlueskyKey,
        wanted: &Wanted,
    ) -> Result<(), Failure> {
        let there = self.profile_record(account, key).await?;
        let is_there = shown(there.as_ref().map_or(&Value::Null, |there| &there.value));
        // A picture that is there is not handed over again.
        let wanted = &wanted.without_what_is(&is_there);
        if wanted.is_nothing() {
            return Ok(());
        }
        let mut blobs = Vec::new();
        let pictures: [(ProfilePart, &Option<Picture>); 2] =
            [(ProfilePart::Picture, &wanted.picture), (ProfilePart::Banner, &wanted.banner)];
        for (part, picture) in pictures {
            if let Some(picture) = picture {
                blobs.push((part, self.upload(account, key, picture).await?));
            }
        }
        // What has no name for its version is written over as it is.
        let is_named = there.as_ref().is_none_or(Record::is_named);
        let swap = is_named.then(|| there.as_ref().map(|there| there.cid.clone()));
        let before = there.map(|there| there.value).filter(Value::is_object);
        let before = before.unwrap_or_else(|| json!({ "$type": PROFILE }));
        let profile = changed(before, wanted, blobs);
        self.put_profile(account, key, &profile, swap.as_ref()).await
    }

    async fn profile_record(
        &self,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<Option<Record>, Failure> {
        let uri = format!("at://{}/{PROFILE}/self", repo(account));
        let uri: RemoteId = uri.parse().map_err(|_| Failure::cannot("the account has no id"))?;
        self.record(account, key, &uri).await.map_err(Failure::posts_nothing)
    }

    /// Writes the profile where it is still what it was.
    async fn put_profile(
        &self,
        account: &Account,
        key: &BlueskyKey,
        profile: &Value,
        swap: Option<&Option<String>>,
    ) -> Result<(), Failure> {
        let answer = self
            .write(account, key, |access| {
                let mut input = json!({
                    "repo": access.did,
                    "collection": PROFILE,
                    "rkey": "self",
                    "record": profile,
                });
                if let Some(swap) = swap {
                    // What somebody else writes meanwhile is not written over.
                    input["swapRecord"] = json!(swap);
                }
                let path = "/xrpc/com.atproto.repo.putRecord";
                Ok(self.http.request(Method::POST, &access.server, path)?.json(&input))
            })
            .await?;
        match (answer.status, answer.proof()) {
            (StatusCode::OK, _) => Ok(()),
            (_, Some(proof)) if error_name(&answer) == "InvalidSwap" => {
                let why = format!(
                    "the profile on {NAME} was changed by somebody else in this very moment; look what is there, and try again"
                );
                Err(Failure::try_again(proof, why))
            }
            _ => Err(failure(&answer)),
        }
    }
}

fn shown(profile: &Value) -> Shown {
    let text = |part| {
        let text = profile[field(part)?].as_str().unwrap_or_default();
        Some((part, text.to_owned()))
    };
    let picture = |part| digest(profile[field(part)?]["ref"]["$link"].as_str()?);
    let texts = [ProfilePart::Name, ProfilePart::Bio, ProfilePart::Url];
    Shown {
        texts: texts.into_iter().filter_map(text).collect(),
        picture: picture(ProfilePart::Picture),
        banner: picture(ProfilePart::Banner),
        bot: Some(record::is_labelled(profile)),
    }
}

/// The profile as it is wanted, with what is in it besides.
fn changed(mut profile: Value, wanted: &Wanted, blobs: Vec<(ProfilePart, Value)>) -> Value {
    if let Some(is_bot) = wanted.bot {
        record::label(&mut profile, is_bot);
    }
    let Some(fields) = profile.as_object_mut() else { return profile };
    for (part, text) in &wanted.texts {
        let Some(name) = field(*part) else { continue };
        if text.is_empty() {
            fields.remove(name);
        } else {
            fields.insert(name.to_owned(), text.as_str().into());
        }
    }
    for (part, blob) in blobs {
        let Some(name) = field(part) else { continue };
        fields.insert(name.to_owned(), blob);
    }
    profile
}

/// The SHA-256 that the name of a blob is made of: a CID of version 1, raw, in lower-case Base32 (atproto.com, "Data model",
/// 2026-11).
fn digest(cid: &str) -> Option<PictureDigest> {
    const HEAD: [u8; 4] = [0x01, 0x55, 0x12, 0x20];
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(36), 0_u32, 0_u32);
    for letter in cid.strip_prefix('b')?.bytes() {
        let value = match letter {
            b'a'..=b'z' => letter - b'a',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        held = (held << 5) | u32::from(value);
        bits += 5;
        if 8 <= bits {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    let digest = bytes.strip_prefix(HEAD.as_slice())?;
    Some(PictureDigest(digest.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// As a PDS named the file of a picture (@atproto/pds 0.4.217): "hello", for want of a shorter one.
    #[test]
    fn pictures_are_told_apart_by_the_names_of_their_files() {
        let cid = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq";
        assert_eq!(digest(cid).unwrap().to_string(), "2cf24dba5fb0");
        for other in [
            "",
            "b",
            "bafkre",
            "Qmabc",
            "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4y!!",
        ] {
            assert_eq!(digest(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_wanted_is_changed_and_nothing_else() {
        let before = json!({ "$type": PROFILE, "displayName": "A", "website": "https://a.example",
            "pinnedPost": { "uri": "at://a/b/c" } });
        let texts = BTreeMap::from([
            (ProfilePart::Name, "B".to_owned()),
            (ProfilePart::Url, String::new()),
        ]);
        let wanted = Wanted { texts, bot: Some(true), ..Wanted::default() };
        let blob = json!({ "$type": "blob", "ref": { "$link":
            "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq" } });
        let after = changed(before, &wanted, vec![(ProfilePart::Picture, blob.clone())]);
        assert_eq!(
            after,
            json!({ "$type": PROFILE, "displayName": "B", "avatar": blob,
            "pinnedPost": { "uri": "at://a/b/c" },
            "labels": { "$type": "com.atproto.label.defs#selfLabels", "values": [{ "val": "bot" }] } })
        );
        assert!(wanted.without_what_is(&shown(&after)).is_nothing());
    }
}
