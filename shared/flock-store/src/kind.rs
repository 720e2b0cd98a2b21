//! The kinds of items the table has.

/// A kind of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// Its partition; `<name>` stands for what differs.
    pub pk: &'static str,
    /// Its place there.
    pub sk: &'static str,
    /// By whom and when it is written.
    pub written_by: &'static str,
    /// For what it is read.
    pub read_by: &'static str,
}

/// All kinds, in the order of the documentation.
pub const KINDS: &[Kind] = &[
    kind(
        "flock",
        ["FLOCKS", "<flock>"],
        "apply",
        "list of flocks: query by `pk`; one by key before a post that costs",
    ),
    kind(
        "sheep",
        ["FLOCK#<flock>", "SHEEP#<sheep>"],
        "apply, tick, pause",
        "one by key; a flock's by `pk`",
    ),
    kind(
        "removed sheep",
        ["FLOCK#<flock>", "SHEEP#<sheep>"],
        "apply and remove, in the sheep's place",
        "apply, when it makes a sheep of that name again",
    ),
    kind(
        "corpus piece",
        ["CORPUS#<flock>#<corpus>", "LINE#<8 digits>"],
        "apply",
        "the piece with line n: the last `sk` up to `LINE#n`",
    ),
    kind(
        "drawn piece",
        ["CORPUS#<flock>#<drawn>", "LINE#<8 digits>"],
        "apply, and the tick when it needs it; it expires",
        "as a corpus piece",
    ),
    kind(
        "corpus head",
        ["CORPUS#<flock>#<corpus>", "HEAD"],
        "apply, after all pieces",
        "is the corpus there, whole and to stay",
    ),
    kind(
        "post",
        ["POSTS#<flock>#<sheep>", "POST#<12 digits>"],
        "tick, by occurrence; a wipe marks it as deleted",
        "a sheep's newest: `pk`, descending",
    ),
    kind(
        "held number",
        ["POSTS#<flock>#<sheep>", "POST#<12 digits>"],
        "who changes what a sheep on the meadow says next, in the place of the post",
        "the tick, by the condition of its put",
    ),
    kind(
        "set aside",
        ["ASIDE#<flock>#<sheep>", "POST#<12 digits>"],
        "tick, when a network does not take a text",
        "a sheep's newest: `pk`, descending; one by key when its intent is finished",
    ),
    kind(
        "account",
        ["ACCOUNT#<network>#<handle>", "ACCOUNT"],
        "account add; a renewed session",
        "one by key",
    ),
    kind(
        "listed account",
        ["ACCOUNTS", "<network>:<handle>"],
        "account add, before the account",
        "list of accounts: query by `pk`",
    ),
    kind(
        "user",
        ["USER#<network, and server where ids are its own>", "USER#<the network's id>"],
        "who adds an account or gives it a new key, together with it",
        "the next who adds an account of the same user, by the condition of its put",
    ),
    kind(
        "roster",
        ["ACCOUNT#<network>#<handle>", "SHEEP#<flock>/<sheep>"],
        "apply, move; a look, where it is missing",
        "a look for a post",
    ),
    kind(
        "taken post",
        ["ACCOUNT#<network>#<handle>", "TAKEN#<the network's id>"],
        "a look that found its post",
        "the next look",
    ),
    kind(
        "spending",
        ["SPEND#<flock>", "<month>"],
        "every request that is charged, by addition",
        "`spend`",
    ),
    kind(
        "first said",
        ["SAID#<network>#<fingerprint>", "SAID"],
        "the first account that says it",
        "the next",
    ),
    kind(
        "told texts",
        ["TOLD#<flock>#<network>", "TOLD#<10 digits>"],
        "tick, before a post, where the flock has `near_duplicates`; it expires",
        "the tick, once for each flock and network: `pk`, descending",
    ),
    kind(
        "shards, table id",
        ["SYSTEM", "SHARDS"],
        "tick, when its configuration changes; the first claim ever",
        "start-up of the tick and the CLI",
    ),
    kind("clock", ["SYSTEM", "CLOCK"], "the local run", "the local run and the CLI"),
    kind("control", ["SYSTEM", "CONTROL"], "stop, start, reboot", "every function at every event"),
    kind("room", ["ROOM#<room>", "ROOM"], "level, grant, revoke", "every command given there"),
    kind(
        "delivery",
        ["DELIVERY#<id>", "DELIVERY"],
        "the first time Slack delivers it",
        "nobody: the condition is the answer",
    ),
    kind(
        "question",
        ["QUESTION#<id>", "QUESTION"],
        "a command that asks first",
        "its button, in the same room",
    ),
    kind(
        "deferred command",
        ["DEFERRED", "<id>"],
        "a command that takes longer",
        "its event; `running`",
    ),
    kind(
        "notice",
        ["NOTICE#<id>", "NOTICE"],
        "who tells a room: before, and after",
        "the next to whom its event is delivered",
    ),
    kind(
        "job",
        ["JOB#<id>", "JOB"],
        "pause and resume of a large flock, `account rotate`, `account check`, `wipe`; each step",
        "the tick, in the index; `running`",
    ),
    kind(
        "sign-in",
        ["SIGNIN#<64 digits>", "SIGNIN"],
        "account connect and renew; each step of who signs in; it expires",
        "one by key: the digest of its link's token",
    ),
    kind(
        "audit entry",
        ["AUDIT#<month>", "<15 digits>#<id>"],
        "a command in Slack, a waiver or a move, before it changes anything",
        "`audit`: months, descending",
    ),
    kind(
        "process",
        ["INSTANCES", "<function>#<id>"],
        "each process, every few minutes",
        "`instances`",
    ),
];

const fn kind(
    name: &'static str,
    [pk, sk]: [&'static str; 2],
    written_by: &'static str,
    read_by: &'static str,
) -> Kind {
    Kind { name, pk, sk, written_by, read_by }
}

impl Kind {
    /// The kind of the item with this key. `None`: it is none of ours. A removed sheep is in a sheep's place.
    pub fn of(pk: &str, sk: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| fits(kind.pk, pk) && fits(kind.sk, sk))
    }
}

/// Whether `text` is `form` with something in the place of each `<name>`, which ends before the next character of the form.
fn fits(form: &str, text: &str) -> bool {
    let Some((literal, rest)) = form.split_once('<') else { return form == text };
    let (Some(text), Some((_, form))) = (text.strip_prefix(literal), rest.split_once('>')) else {
        return false;
    };
    match form.chars().next() {
        // It may come from a network, and hold anything.
        None => !text.is_empty(),
        Some(end) => {
            let (part, text) = text.split_at(text.find(end).unwrap_or(text.len()));
            !part.is_empty() && fits(form, text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KINDS.md is what the documentation of this crate shows.
    #[test]
    fn the_documentation_lists_all_kinds() {
        let rows = KINDS.iter().map(|Kind { name, pk, sk, written_by, read_by }| {
            format!("| {name} | `{pk}` | `{sk}` | {written_by} | {read_by} |")
        });
        let head = ["| item | `pk` | `sk` | written by | read by |", "|---|---|---|---|---|"];
        let lines: Vec<_> = head.map(str::to_owned).into_iter().chain(rows).collect();
        let table = lines.join("\n") + "\n";
        assert_eq!(include_str!("../KINDS.md"), table, "write this into KINDS.md:\n{table}");
    }

    #[test]
    fn a_kind_is_known_by_its_key() {
        for (pk, sk, name) in [
            ("FLOCKS", "moon", Some("flock")),
            ("FLOCK#moon", "SHEEP#apollo", Some("sheep")),
            ("FLOCK#moon", "apollo", None),
            ("FLOCK#", "SHEEP#apollo", None),
            ("ACCOUNT#x#moon", "ACCOUNT", Some("account")),
            ("ACCOUNT#x#moon", "TAKEN#at://did:plc:a#b", Some("taken post")),
            ("ACCOUNT#x", "ACCOUNT", None),
            ("ACCOUNT#x#moon", "SHEEP#moon/apollo", Some("roster")),
            ("ACCOUNT#x#moon", "SHEEP#apollo", None),
            ("SYSTEM", "CLOCK", Some("clock")),
            ("SYSTEM", "OTHER", None),
            ("", "", None),
        ] {
            assert_eq!(Kind::of(pk, sk).map(|kind| kind.name), name, "{pk} {sk}");
        }
    }
}
