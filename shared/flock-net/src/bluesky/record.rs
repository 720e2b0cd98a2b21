//! Records as their lexicons want them (atproto.com, `app.bsky.feed.post` and its like, 2026-11), and the
//! names we give them.

use flock_core::{DeliveryId, Picture, PostId};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::richtext::facets;
use crate::{alike, lenient};

/// The collection of posts.
pub(super) const POST: &str = "app.bsky.feed.post";
/// The collection of reposts.
pub(super) const REPOST: &str = "app.bsky.feed.repost";
/// The collection of follows.
pub(super) const FOLLOW: &str = "app.bsky.graph.follow";
/// The collection of likes.
pub(super) const LIKE: &str = "app.bsky.feed.like";
/// The collection of the one profile an account has.
pub(super) const PROFILE: &str = "app.bsky.actor.profile";

/// Where a record is: `at://did/collection/rkey`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AtUri<'a> {
    pub(super) repo: &'a str,
    pub(super) collection: &'a str,
    pub(super) rkey: &'a str,
}

/// A record as a PDS shows it.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    pub(super) uri: String,
    /// The name of this version, which a PDS need not tell (lexicon com.atproto.repo.getRecord).
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) cid: String,
    pub(super) value: Value,
}

impl<'a> AtUri<'a> {
    /// Reads the address of a record.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("at://")?.split('/');
        let uri = Self { repo: parts.next()?, collection: parts.next()?, rkey: parts.next()? };
        let whole = parts.next().is_none();
        // None of them holds what would change the meaning of a query.
        let plain = [uri.repo, uri.collection, uri.rkey].iter().all(|part| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b".-_:~".contains(&b);
            !part.is_empty() && part.bytes().all(fits)
        });
        (whole && plain).then_some(uri)
    }
}

impl Record {
    /// Whether another record can name this version of it.
    pub(super) fn is_named(&self) -> bool {
        !self.cid.is_empty()
    }

    /// What another record calls this version of it.
    pub(super) fn reference(&self) -> Value {
        json!({ "uri": self.uri, "cid": self.cid })
    }
}

/// A post. `answers` is the post it answers, `embed` what is to be seen with it.
///
/// It says nothing of its language: nobody told us, and a guess would be shown as a fact.
pub(super) fn post(
    text: &str,
    at: Timestamp,
    answers: Option<&Record>,
    embed: Option<Value>,
) -> Value {
    let mut record = json!({ "$type": POST, "text": text, "createdAt": time(at) });
    let facets = facets(text);
    if !facets.is_empty() {
        record["facets"] = facets.into();
    }
    if let Some(parent) = answers {
        // A conversation is known by the post it began with.
        let root = &parent.value["reply"]["root"];
        let root = if root.is_object() { root.clone() } else { parent.reference() };
        record["reply"] = json!({ "root": root, "parent": parent.reference() });
    }
    if let Some(embed) = embed {
        record["embed"] = embed;
    }
    record
}

/// The time of a post that goes on with `before` and was due at `at`: Bluesky sorts the posts of an account by their times, and those
/// of a thread are due at the same. However often it is asked, it is the same.
pub(super) fn time_after(before: &Record, at: Timestamp) -> Timestamp {
    let before = before.value["createdAt"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let after =
        before.and_then(|before| before.checked_add(jiff::SignedDuration::from_millis(1)).ok());
    after.map_or(at, |after| after.max(at))
}

/// A repost of the record `of`.
pub(super) fn repost(of: &Record, at: Timestamp) -> Value {
    json!({ "$type": REPOST, "subject": of.reference(), "createdAt": time(at) })
}

/// A like of the record `of`.
pub(super) fn like(of: &Record, at: Timestamp) -> Value {
    json!({ "$type": LIKE, "subject": of.reference(), "createdAt": time(at) })
}

/// That somebody is followed, by their DID.
pub(super) fn follow(who: &str, at: Timestamp) -> Value {
    json!({ "$type": FOLLOW, "subject": who, "createdAt": time(at) })
}

/// A picture to be seen with a post; `blob` is what the PDS calls its file.
pub(super) fn embed(picture: &Picture, blob: &Value) -> Value {
    let image = json!({
        "alt": picture.alt(),
        "image": blob,
        "aspectRatio": { "width": picture.width(), "height": picture.height() },
    });
    json!({ "$type": "app.bsky.embed.images", "images": [image] })
}

/// Whether a profile says of itself that it is a bot's.
pub(super) fn is_labelled(profile: &Value) -> bool {
    let labels = profile["labels"]["values"].as_array();
    labels.into_iter().flatten().any(|label| label["val"] == "bot")
}

/// Puts that label on a profile, or takes it away; others stay.
pub(super) fn label(profile: &mut Value, is_bot: bool) {
    // Whatever else a server gives is none.
    if !profile.is_object() {
        *profile = json!({ "$type": PROFILE });
    }
    let mut labels = profile["labels"]["values"].as_array().cloned().unwrap_or_default();
    labels.retain(|label| label["val"] != "bot");
    labels.extend(is_bot.then(|| json!({ "val": "bot" })));
    profile["labels"] = json!({ "$type": "com.atproto.label.defs#selfLabels", "values": labels });
}

/// Whether what is there under the name of `ours` is `ours`. A PDS may write what it is given differently, so
/// what matters is compared: that it says the same, was made for the same time, and answers the same post.
pub(super) fn is_ours(there: &Value, ours: &Value) -> bool {
    let instant = |record: &Value| record["createdAt"].as_str()?.parse::<Timestamp>().ok();
    there["$type"] == ours["$type"]
        && says_the_same(&there["text"], &ours["text"])
        && instant(there).is_some()
        && instant(there) == instant(ours)
        && there["reply"]["parent"]["uri"] == ours["reply"]["parent"]["uri"]
        && there["embed"]["images"][0]["image"]["ref"] == ours["embed"]["images"][0]["image"]["ref"]
}

/// Some PDS, or what stands before it, may write a text down differently.
fn says_the_same(there: &Value, ours: &Value) -> bool {
    there.as_str().zip(ours.as_str()).is_some_and(|(there, ours)| alike::same(there, ours))
}

fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The name of the post `id` that was due at `due`: the same whenever it is made.
///
/// Names sort posts by time, so they begin with the second it was due. The rest keeps the posts of two sheep
/// apart that share an account and a second.
pub(super) fn post_key(id: &PostId, due: Timestamp) -> String {
    let second = u64::try_from(due.as_second()).unwrap_or_default();
    let micros = number(id, 0) % 1_000_000;
    tid(second * 1_000_000 + micros, number(id, 1))
}

/// The name of a post that goes on with `before` and would be called `key`: one that sorts it behind that. Like that it is always
/// the same.
pub(super) fn key_after(before: &Record, key: &str) -> String {
    let before = AtUri::parse(&before.uri).map(|uri| uri.rkey);
    match (before.and_then(untid), untid(key)) {
        (Some((before, _)), Some((micros, clock))) if micros <= before => tid(before + 1, clock),
        _ => key.to_owned(),
    }
}

/// The name of the act `id`, for a record that has no time of its own.
pub(super) fn act_key(id: &PostId) -> String {
    // Under 2^50 microseconds: before 2006, so that it cannot be taken for one of a time to come.
    let micros = ((number(id, 0) << 18) | (number(id, 1) >> 14)) % (1 << 50);
    tid(micros, number(id, 2))
}

/// The name of a record of which one is enough for the account `repo` and what it is about: whoever asks for it writes the same.
pub(super) fn pair_key(collection: &str, repo: &str, about: &str) -> String {
    let id = DeliveryId::of(&[collection, repo, about]);
    act_key(&id.as_str().parse().expect("both kinds of id are 32 hexadecimal digits"))
}

/// The part of the id that is its digits from `8 * part`: 32 bits.
fn number(id: &PostId, part: usize) -> u64 {
    let digits = id.as_str().get(8 * part..8 * part + 8).expect("a post id has 32 digits");
    u64::from_str_radix(digits, 16).expect("they are hexadecimal")
}

/// In the order of their numbers.
const LETTERS: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";

/// Microseconds and clock of a timestamp identifier, where it is one.
fn untid(key: &str) -> Option<(u64, u64)> {
    if key.len() != 13 {
        return None;
    }
    let number = |letter: u8| {
        let number = LETTERS.iter().position(|known| *known == letter)?;
        u64::try_from(number).ok()
    };
    let bits = key.bytes().try_fold(0_u64, |bits, letter| Some((bits << 5) | number(letter)?))?;
    Some((bits >> 10, bits & 0x3ff))
}

/// A timestamp identifier: 53 bits of microseconds and 10 bits to tell clocks apart, in base 32 whose order is
/// that of the letters (atproto.com/specs/tid, 2026-11).
fn tid(micros: u64, clock: u64) -> String {
    let bits = ((micros % (1 << 53)) << 10) | (clock % (1 << 10));
    let letter = |place: u32| {
        let five = usize::try_from(bits >> (5 * place) & 31).expect("five bits are an index");
        char::from(LETTERS[five])
    };
    (0..13).rev().map(letter).collect()
}

/// Any record can be answered and compared, and its address is one or is not.
#[cfg(feature = "test-util")]
pub(super) fn check(record: &Record) {
    let answer = post("Baa", Timestamp::UNIX_EPOCH, Some(record), None);
    assert!(answer["reply"]["root"].is_object());
    assert!(is_ours(&answer, &answer));
    if is_ours(&record.value, &answer) {
        assert_eq!(record.value["text"], "Baa");
    }
    if let Some(AtUri { repo, collection, rkey }) = AtUri::parse(&record.uri) {
        assert_eq!(record.uri, format!("at://{repo}/{collection}/{rkey}"));
    }
    let mut profile = record.value.clone();
    for is_bot in [true, false] {
        label(&mut profile, is_bot);
        assert_eq!(is_labelled(&profile), is_bot);
    }
    super::richtext::check_text(record.value["text"].as_str().unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use flock_core::Occurrence;

    use super::*;

    fn id(sheep: &str) -> PostId {
        Occurrence(1).post_id(&sheep.parse().unwrap())
    }

    #[track_caller]
    fn check_key(sheep: &str, due: &str, expected: &str) {
        assert_eq!(post_key(&id(sheep), due.parse().unwrap()), expected, "{sheep} {due}");
    }

    /// They are names on somebody else's server: changing them would post again what is there.
    #[test]
    fn names_are_a_schema() {
        check_key("milton/book-1", "2026-11-21T08:00:00Z", "3n2smzpocxor6");
        check_key("milton/book-1", "2026-11-21T08:00:00.9Z", "3n2smzpocxor6");
        check_key("milton/book-2", "2026-11-21T08:00:00Z", "3n2smzpmj56tp");
        check_key("milton/book-1", "1969-12-31T23:00:00Z", "2222222ikxor6");
        assert_eq!(act_key(&id("milton/book-1")), "2mow2ax3lipok");
        assert_eq!(pair_key(FOLLOW, "did:plc:a", "did:plc:b"), "2fwxx5v2wdx6c");
    }

    #[test]
    fn parts_of_a_thread_sort_behind_each_other() {
        let due = |second| Timestamp::from_second(second).unwrap();
        let (at, mut key) = (due(1_795_248_000), post_key(&id("a/b"), due(1_795_248_000)));
        let mut time = at;
        for sheep in ["a/c", "a/d", "a/e"] {
            let value = json!({ "createdAt": self::time(time) });
            let uri = format!("at://did:web:a/{POST}/{key}");
            let before = Record { uri, cid: "x".to_owned(), value };
            let own = post_key(&id(sheep), at);
            let after = key_after(&before, &own);
            assert!(key < after && time < time_after(&before, at));
            // Whichever is later: what was held up for a day has a name of that day.
            let tomorrow = due(1_795_334_400);
            let late = post_key(&id(sheep), tomorrow);
            assert_eq!(
                (key_after(&before, &late), time_after(&before, tomorrow)),
                (late, tomorrow)
            );
            (key, time) = (after, time_after(&before, at));
        }
        // What is no such name says nothing of time.
        let odd = Record { uri: "at://a/b/self".to_owned(), cid: String::new(), value: json!(3) };
        assert_eq!((key_after(&odd, &key), time_after(&odd, at)), (key, at));
        assert_eq!(untid("2222222222222"), Some((0, 0)));
        assert_eq!(untid("bzzzzzzzzzzzz"), Some(((1 << 53) - 1, 1023)));
    }

    #[test]
    fn names_sort_by_time_and_are_tids() {
        let mut last = String::new();
        for second in [0, 1, 1_000_000_000, 1_795_248_000, 1_795_248_001, 4_000_000_000] {
            let key = post_key(&id("a/b"), Timestamp::from_second(second).unwrap());
            assert!(last < key, "{last} {key}");
            assert!(key.len() == 13 && key.starts_with(|first| "234567abcdefghij".contains(first)));
            last = key;
        }
        // Known from elsewhere: "0000000000000" in base 32 of time is `2222222222222`.
        assert_eq!(tid(0, 0), "2222222222222");
        assert_eq!(tid((1 << 53) - 1, 1023), "bzzzzzzzzzzzz");
    }

    #[test]
    fn a_profile_keeps_what_it_has_beside_the_label() {
        let mut fresh = json!({ "$type": PROFILE });
        label(&mut fresh, true);
        assert!(is_labelled(&fresh));
        let mut profile = json!({ "$type": PROFILE, "displayName": "A", "labels": {
            "$type": "com.atproto.label.defs#selfLabels", "values": [{ "val": "x" }] } });
        let before = profile.clone();
        for _ in 0..2 {
            label(&mut profile, true);
            assert_eq!(profile["displayName"], "A");
            assert_eq!(profile["labels"]["values"], json!([{ "val": "x" }, { "val": "bot" }]));
        }
        label(&mut profile, false);
        assert_eq!(profile, before);
    }

    #[test]
    fn addresses_of_records_are_read() {
        let uri = AtUri { repo: "did:plc:a", collection: POST, rkey: "3l" };
        assert_eq!(AtUri::parse("at://did:plc:a/app.bsky.feed.post/3l"), Some(uri));
        for wrong in ["", "at://", "at://a/b", "at://a/b/c/d", "https://a/b/c", "at://a/b/c&d=e"] {
            assert_eq!(AtUri::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn our_own_record_is_known_again() {
        let at = "2026-11-21T08:00:00Z".parse().unwrap();
        let ours = post("a #line", at, None, None);
        let mut there = ours.clone();
        there["createdAt"] = "2026-11-21T08:00:00+00:00".into();
        there["langs"] = json!(["en"]);
        assert!(is_ours(&there, &ours));
        for (key, other) in
            [("text", "b"), ("createdAt", "2026-11-21T08:00:01Z"), ("$type", REPOST)]
        {
            let mut there = ours.clone();
            there[key] = other.into();
            assert!(!is_ours(&there, &ours), "{key}");
        }
        let root = json!({ "uri": "at://a/b/root", "cid": "c" });
        let parent = Record {
            uri: "at://a/b/parent".to_owned(),
            cid: "d".to_owned(),
            value: json!({ "reply": { "root": root } }),
        };
        let answer = post("a #line", at, Some(&parent), None);
        assert_eq!(answer["reply"]["root"], root);
        assert!(!is_ours(&ours, &answer));
    }
}
