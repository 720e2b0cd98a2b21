//! Names and ids. Every one is validated when made, so that the rest of the code can trust it.

use std::{cmp::Ordering, fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Mark, Network, UnfitHandle, UnknownNetwork, natural};

/// An identifier did not have the form its type requires.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{value}` is not a {kind}: {rule}")]
pub struct InvalidId {
    kind: &'static str,
    value: String,
    rule: &'static str,
}

/// Declares a text id whose form is checked by `$accepts`. Those that people give are in the order that people expect.
macro_rules! text_id {
    (natural $(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $accepts:expr) => {
        text_id! { given $(#[$doc])* $name, $kind, $rule, $accepts }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                natural(&self.0, &other.0)
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    };
    (given $(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(value: &str) -> Result<Self, InvalidId> {
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(value) {
                    Ok(Self(value.to_owned()))
                } else {
                    Err(InvalidId { kind: $kind, value: value.to_owned(), rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(value: String) -> Result<Self, InvalidId> {
                value.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $accepts:expr) => {
        text_id! { given #[derive(PartialOrd, Ord)] $(#[$doc])* $name, $kind, $rule, $accepts }
    };
}

/// Names are parts of table keys, where `#` and `/` separate, and words in chat commands.
fn is_name(value: &str) -> bool {
    let mut bytes = value.bytes();
    let starts_well = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    starts_well
        && value.len() <= 48
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

text_id! { natural
    /// The name of a flock.
    FlockName, "flock name",
    "use 1 to 48 of a-z, 0-9, `-` and `_`, starting with a letter or digit", is_name
}
text_id! { natural
    /// The name of a sheep within its flock.
    SheepName, "sheep name",
    "use 1 to 48 of a-z, 0-9, `-` and `_`, starting with a letter or digit", is_name
}
text_id! { natural
    /// The name an account has on its network, without a leading `@`.
    Handle, "handle",
    "use 1 to 64 letters, digits, `-`, `_`, `.` or `@`, not starting with `@`",
    |value| (1..=64).contains(&value.len())
        && !value.starts_with('@')
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b))
}
text_id! {
    /// Names a corpus by its content: the same lines have the same id.
    CorpusId, "corpus id", "it is 32 hexadecimal digits",
    |value| value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit())
}
text_id! {
    /// Tells a table from every other: random, drawn once, and part of the id of every post.
    TableId, "table id", "it is 32 hexadecimal digits",
    |value| value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit())
}
text_id! {
    /// Names one planned post everywhere: derived from its table and its occurrence.
    PostId, "post id", "it is 32 hexadecimal digits",
    |value| value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit())
}
text_id! {
    /// The id a network gave to a post.
    RemoteId, "remote id", "use 1 to 512 visible ASCII characters",
    |value| (1..=512).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic())
}

text_id! {
    /// Names what a text says: the same for texts that differ in case, spaces and punctuation alone.
    Fingerprint, "fingerprint", "it is 32 hexadecimal digits",
    |value| value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit())
}
text_id! {
    /// What is kept of a token that only its bearer has: enough to know it again, and of no use to anybody else.
    TokenDigest, "token digest", "it is 64 hexadecimal digits",
    |value| value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit())
}
text_id! {
    /// Names something that arrived from Slack, and what comes of it: the same when it arrives again.
    DeliveryId, "delivery id", "it is 32 hexadecimal digits",
    |value| value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit())
}
text_id! {
    /// Names a job: short, because people type it.
    JobId, "job id", "it is 8 hexadecimal digits",
    |value| value.len() == 8
        && value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
text_id! {
    /// The name of a level of a room.
    LevelName, "level name",
    "use 1 to 48 of a-z, 0-9, `-` and `_`, starting with a letter or digit", is_name
}
text_id! {
    /// A Slack user.
    UserId, "Slack user id", "it is U or W and up to 31 capital letters and digits, such as U012AB3CD",
    |value| is_slack_id(value, &['U', 'W'])
}
text_id! {
    /// A room: a Slack channel, private channel or direct conversation.
    RoomId, "Slack channel id",
    "it is C, G or D and up to 31 capital letters and digits, such as C012AB3CD",
    |value| is_slack_id(value, &['C', 'G', 'D'])
}

/// Slack's ids say by their first letter what they name (Slack, "Object types", 2026-11).
fn is_slack_id(value: &str, kinds: &[char]) -> bool {
    value.starts_with(kinds)
        && (2..=32).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

impl SheepName {
    /// Makes a name from a file name: lower case, everything else turned into single hyphens.
    pub fn from_file_stem(stem: &str) -> Result<Self, InvalidId> {
        let mut name = String::new();
        for c in stem.chars() {
            if c.is_ascii_alphanumeric() || c == '_' {
                name.push(c.to_ascii_lowercase());
            } else if !name.is_empty() && !name.ends_with('-') {
                name.push('-');
            }
        }
        name.trim_end_matches('-').parse()
    }
}

/// Identifies a sheep: its flock and its name there. Written `flock/sheep`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SheepId {
    /// The flock it belongs to.
    pub flock: FlockName,
    /// Its name in the flock.
    pub name: SheepName,
}

impl SheepId {
    /// Which of `shards` parts of the due index the sheep belongs to.
    pub fn shard(&self, shards: Shards) -> u16 {
        let shard = self.number("shard", Occurrence(0)) % u64::from(shards.0);
        u16::try_from(shard).expect("smaller than the number of shards, which is a u16")
    }

    /// A number that depends on nothing but this sheep, the purpose and the occurrence.
    ///
    /// Stands where others draw a random number: a preview must come true.
    pub(crate) fn number(&self, purpose: &str, occurrence: Occurrence) -> u64 {
        number(&digest(&[purpose, &self.to_string(), &occurrence.to_string()]))
    }
}

impl fmt::Display for SheepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.flock, self.name)
    }
}

impl FromStr for SheepId {
    type Err = InvalidId;

    fn from_str(value: &str) -> Result<Self, InvalidId> {
        let (flock, name) = value.split_once('/').ok_or_else(|| InvalidId {
            kind: "sheep id",
            value: value.to_owned(),
            rule: "write it as flock/sheep",
        })?;
        Ok(Self { flock: flock.parse()?, name: name.parse()? })
    }
}

/// Into how many parts the due index is cut: 1 to 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Shards(u16);

impl Shards {
    /// One part, which takes what ARCHITECTURE.md says of one shard.
    pub const ONE: Self = Self(1);

    /// The numbers of the parts.
    pub fn numbers(self) -> impl Iterator<Item = u16> {
        0..self.0
    }
}

impl TryFrom<u16> for Shards {
    type Error = InvalidId;

    fn try_from(count: u16) -> Result<Self, InvalidId> {
        if (1..=64).contains(&count) {
            Ok(Self(count))
        } else {
            let value = count.to_string();
            Err(InvalidId { kind: "number of shards", value, rule: "use 1 to 64" })
        }
    }
}

impl From<Shards> for u16 {
    fn from(shards: Shards) -> Self {
        shards.0
    }
}

/// One identity on one network. Written `network:handle`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId {
    /// The network it lives on.
    pub network: Network,
    /// Its name there.
    pub handle: Handle,
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.network, self.handle)
    }
}

/// A text that names no account.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum InvalidAccount {
    /// It is not a network and a handle.
    #[error(
        "`{0}` is not an account: write it as network:handle, such as mastodon:apollo@example.social"
    )]
    Form(String),
    /// There is no such network.
    #[error(transparent)]
    Network(#[from] UnknownNetwork),
    /// No account is called so anywhere.
    #[error(transparent)]
    Handle(#[from] InvalidId),
    /// No account is called so there.
    #[error(transparent)]
    Unfit(#[from] UnfitHandle),
}

impl FromStr for AccountId {
    type Err = InvalidAccount;

    fn from_str(value: &str) -> Result<Self, InvalidAccount> {
        let form = || InvalidAccount::Form(value.to_owned());
        let (network, name) = value.split_once(':').ok_or_else(form)?;
        Self::on(network.parse()?, name)
    }
}

impl AccountId {
    /// The account that people call `name` on `network`: with an `@` before it or without, and in capitals where the network makes
    /// no difference.
    ///
    /// Names of domains have no case (RFC 4343), and so Bluesky's handles (atproto.com, "Handle", 2026-11: "normalized to
    /// lowercase") and the servers of Mastodon's users are written small. A user's own name on X or Mastodon stays as it is written:
    /// ids of accounts and of their keys are stored as it was.
    pub fn on(network: Network, name: &str) -> Result<Self, InvalidAccount> {
        let name = name.strip_prefix('@').unwrap_or(name);
        let name = match network {
            Network::Bluesky => name.to_ascii_lowercase(),
            Network::Mastodon => match name.split_once('@') {
                Some((user, server)) => format!("{user}@{}", server.to_ascii_lowercase()),
                None => name.to_owned(),
            },
            Network::Meadow | Network::X => name.to_owned(),
        };
        let handle: Handle = name.parse()?;
        network.check_handle(&handle)?;
        Ok(Self { network, handle })
    }
}

/// The number of a planned post of a sheep, counted from 1. Missed ones keep their number.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Occurrence(pub u64);

impl Occurrence {
    /// The id of a post that was decided while tables had no id yet. Any other is a [`PostId::new`].
    pub fn post_id(self, sheep: &SheepId) -> PostId {
        PostId(hex(&digest(&["post", &sheep.to_string(), &self.to_string()])))
    }

    /// The occurrence `count` places later.
    #[must_use]
    pub fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }
}

impl fmt::Display for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What its network gives no name is called by ours.
impl From<&PostId> for RemoteId {
    fn from(id: &PostId) -> Self {
        Self(id.0.clone())
    }
}

impl PostId {
    /// The id of what the job called `job` since `since` does, which is `what` of all that it does.
    pub fn of_job(job: &JobId, since: Timestamp, what: &str) -> Self {
        Self(hex(&digest(&["job", job.as_str(), &since.as_second().to_string(), what])))
    }

    /// The id of the post that `occurrence` of `sheep` becomes in this table.
    pub fn new(table: &TableId, sheep: &SheepId, occurrence: Occurrence) -> Self {
        let parts = ["post", table.as_str(), &sheep.to_string(), &occurrence.to_string()];
        Self(hex(&digest(&parts)))
    }
}

impl TableId {
    /// The id made of these random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(hex(&bytes))
    }
}

impl JobId {
    /// The id of the job that this delivery asks for.
    pub fn of(asked: &DeliveryId) -> Self {
        Self(asked.0.chars().take(8).flat_map(char::to_lowercase).collect())
    }
}

impl TokenDigest {
    /// The SHA-256 of a token, which is random and long, so that no salt is needed.
    pub fn of(token: &str) -> Self {
        let digest = Sha256::digest(token.as_bytes());
        let (former, latter) = digest.split_at(digest.len() / 2);
        Self(hex(former) + &hex(latter))
    }
}

impl DeliveryId {
    /// The id of what `parts` tell from everything else.
    pub fn of(parts: &[&str]) -> Self {
        // Parts come from outside and may hold line feeds: their lengths keep them apart.
        let lengths: Vec<_> = parts.iter().map(|part| part.len().to_string()).collect();
        Self(hex(&digest(&["delivery", &lengths.join(" "), &parts.concat()])))
    }
}

impl Fingerprint {
    /// The fingerprint of `text`. `None`: it has no letter or digit to tell it by.
    pub fn of(text: &str) -> Option<Self> {
        let said = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
        let said: String = said.collect();
        (!said.is_empty()).then(|| Self(hex(&digest(&["said", &said]))))
    }
}

impl CorpusId {
    /// The id of the corpus with these lines and the times they have of their own; `has_times` says whether any has.
    pub(crate) fn of_lines<'a>(
        lines: impl Iterator<Item = &'a str> + Clone,
        marks: impl Iterator<Item = Mark>,
        has_marks: bool,
    ) -> Self {
        let mut hasher = Sha256::new();
        if !has_marks && lines.clone().all(|line| !line.contains('\n')) {
            for line in lines {
                hasher.update(line.as_bytes());
                hasher.update(b"\n");
            }
            return Self(hex(&hasher.finalize()));
        }
        // No text begins like this, and each line says where it ends.
        hasher.update([0xff]);
        for (line, mark) in lines.zip(marks) {
            let at = mark.at.map_or_else(String::new, |at| at.as_second().to_string());
            let follows = if mark.follows { "&" } else { "" };
            let added = if mark.added { "+" } else { "" };
            hasher.update(format!("{at}{follows}{added}\n{}\n", line.len()).as_bytes());
            hasher.update(line.as_bytes());
        }
        Self(hex(&hasher.finalize()))
    }

    /// The name of the texts that are drawn from the corpus `source` with `seed`, for a network, and with what `how` says besides.
    pub(crate) fn of_drawn(source: &Self, network: &str, seed: u64, how: &str) -> Self {
        Self(hex(&digest(&["drawn", source.as_str(), network, &seed.to_string(), how])))
    }

    /// A number that depends on nothing but this and `nth`.
    pub(crate) fn number(&self, nth: u32) -> u64 {
        number(&digest(&[self.as_str(), &nth.to_string()]))
    }
}

/// A number that depends on nothing but `text`.
pub(crate) fn number_of(text: &str) -> u64 {
    number(&digest(&[text]))
}

/// The first 8 bytes as a number.
fn number(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// A digest over `parts`, which cannot run into each other: ids hold no line feed.
fn digest(parts: &[&str]) -> [u8; 32] {
    Sha256::digest(parts.join("\n").as_bytes()).into()
}

/// The first 16 bytes as 32 hexadecimal digits: 128 bits do not collide by chance.
fn hex(digest: &[u8]) -> String {
    use fmt::Write as _;
    digest.iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, ok: bool) {
        assert_eq!(input.parse::<SheepName>().is_ok(), ok, "{input:?}");
    }

    #[test]
    fn names_are_validated() {
        check("a", true);
        check("book-1", true);
        check("7_seas", true);
        check("", false);
        check("-a", false);
        check("A", false);
        check("a#b", false);
        check("a/b", false);
        check("é", false);
        check(&"a".repeat(48), true);
        check(&"a".repeat(49), false);
    }

    #[test]
    fn file_names_become_sheep_names() {
        let name = |stem| SheepName::from_file_stem(stem).map(String::from);
        assert_eq!(name("Paradise Lost, Book 1").as_deref(), Ok("paradise-lost-book-1"));
        assert_eq!(name("a-?s-$!d(f").as_deref(), Ok("a-s-d-f"));
        assert_eq!(name("  x  ").as_deref(), Ok("x"));
        assert!(name("…").is_err());
    }

    #[test]
    fn post_ids_are_a_schema() {
        let sheep: SheepId = "milton/book-1".parse().unwrap();
        assert_eq!(Occurrence(1).post_id(&sheep).as_str(), "9538037431755ee4785756900514ca01");
        let table = TableId::from_random(*b"0123456789abcdef");
        assert_eq!(table.as_str(), "30313233343536373839616263646566");
        let id = PostId::new(&table, &sheep, Occurrence(1));
        assert_eq!(id.as_str(), "938fe2c743a2ad127bc8a7e94e4d8a97");
        assert_ne!(id, PostId::new(&table, &sheep, Occurrence(2)));
        let other = TableId::from_random([7; 16]);
        assert_ne!(id, PostId::new(&other, &sheep, Occurrence(1)));
    }

    #[test]
    fn fingerprints_see_what_is_said() {
        let of = Fingerprint::of;
        assert_eq!(of("The moon rose."), of(" the MOON\n rose!"));
        assert_ne!(of("The moon rose."), of("The moon rises."));
        assert_eq!(of("?!"), None);
    }

    #[test]
    fn accounts_are_named_as_people_write_them() {
        for (written, meant) in [
            ("x:@Milton", "x:Milton"),
            ("x:Milton", "x:Milton"),
            ("bluesky:@A.Example", "bluesky:a.example"),
            ("mastodon:@Me@Example.ORG", "mastodon:Me@example.org"),
            ("meadow:@apollo", "meadow:apollo"),
        ] {
            let account: AccountId = written.parse().unwrap();
            assert_eq!(account.to_string(), meant);
            assert_eq!(meant.parse(), Ok(account), "what is stored is read as it is");
        }
        for written in ["x:@@milton", "x:", "x:@", "bluesky:@", "mastodon:@me", "x"] {
            assert!(written.parse::<AccountId>().is_err(), "{written}");
        }
    }

    #[test]
    fn sheep_ids_round_trip() {
        assert_eq!("milton/book-1".parse::<SheepId>().unwrap().to_string(), "milton/book-1");
        assert_eq!(
            "milton".parse::<SheepId>().unwrap_err().to_string(),
            "`milton` is not a sheep id: write it as flock/sheep"
        );
    }
}
