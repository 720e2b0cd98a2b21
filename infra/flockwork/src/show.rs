//! What people see of sheep and posts in a terminal.

use anstyle::Style;
use flock_core::{CorpusId, Intent, Sheep, SheepId, State, View, count, local, one_line, quoted};
use flock_ops::{AccountLine, FlockLine, Moved, Noted, waits_for_cap};
use flock_slack::typed;
use flock_store::{Aside, AuditEntry, By, Post, PostState, Stop, UpcomingPost};
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    table::{Cell, Table, cell, long, whole},
    terminal::{BAD, FAINT, GOOD, HEAD, NAME, PLAIN, Paint, WORD},
};

/// That everything is stopped.
pub fn stopped(stop: &Stop) -> String {
    let since = local(stop.at, &TimeZone::UTC);
    format!(
        "Everything is stopped since {since}; nothing is posted until `flockwork start`, or `/flock start` in Slack."
    )
}

/// What is said of a post that is not simply there.
pub fn post_state(state: PostState) -> Option<&'static str> {
    match state {
        PostState::Posted => None,
        PostState::Pending => Some("being posted"),
        PostState::Unknown => Some("unknown whether it was posted; being found out"),
        PostState::Deleted => Some("deleted since"),
    }
}

/// A line of a list of posts.
pub(crate) fn post_line(post: &Post, zone: &TimeZone, paint: Paint) -> String {
    let state = post_state(post.state).map(|state| paint.on(WORD, &format!("  ({state})")));
    let [at, who] = when_and_who(post.at, zone, &post.sheep, paint);
    format!("{at}  {who}  {}{}", post.quoted(), state.unwrap_or_default())
}

fn when_and_who(at: Timestamp, zone: &TimeZone, who: &SheepId, paint: Paint) -> [String; 2] {
    [paint.on(FAINT, &local(at, zone)), paint.on(NAME, &who.to_string())]
}

/// A list of posts, at a terminal.
pub(crate) fn post_table(posts: &[Post], view: &View) -> Table {
    let row = |post: &Post| {
        let state = match post.state {
            PostState::Posted => "",
            PostState::Pending => "being posted",
            PostState::Unknown => "unknown",
            PostState::Deleted => "deleted",
        };
        vec![
            cell(&view.clock(post.at), FAINT),
            cell(&post.sheep.to_string(), NAME),
            cell(state, WORD),
            cell(&post.quoted(), PLAIN),
        ]
    };
    Table {
        about: Some(view.times()),
        columns: vec![whole("TIME"), whole("SHEEP"), whole("STATE"), long("POST")],
        rows: posts.iter().map(row).collect(),
    }
}

/// A list of posts to come, at a terminal.
pub(crate) fn upcoming_table(posts: &[Coming], view: &View) -> Table {
    let row = |Coming { post, waits }: &Coming| {
        // When it is due, and not when it is made.
        let at = waits.map_or_else(|| view.to_come(post.at), |_| view.clock(post.at));
        let waits = waits.map(|until| format!("({}) ", waits_for_cap(&view.clock(until))));
        vec![
            cell(&at, FAINT),
            cell(&post.sheep.to_string(), NAME),
            cell(&(waits.unwrap_or_default() + &post.quoted()), PLAIN),
        ]
    };
    Table {
        about: Some(view.times()),
        columns: vec![whole("TIME"), whole("SHEEP"), long("POST")],
        rows: posts.iter().map(row).collect(),
    }
}

/// A line of a list of posts to come.
pub(crate) fn upcoming_line(Coming { post, waits }: &Coming, paint: Paint) -> String {
    let waits = waits.map(|until| {
        let waits = waits_for_cap(&local(until, &post.zone));
        paint.on(WORD, &format!("  ({waits})"))
    });
    let [at, who] = when_and_who(post.at, &post.zone, &post.sheep, paint);
    format!("{at}  {who}  {}{}", post.quoted(), waits.unwrap_or_default())
}

/// A post to come, and until when it waits for its flock's cap, if it does.
pub(crate) struct Coming {
    pub(crate) post: UpcomingPost,
    pub(crate) waits: Option<Timestamp>,
}

/// A line of a list of sheep.
pub(crate) fn sheep_line(sheep: &Sheep, paint: Paint) -> String {
    let zone = sheep.config.rhythm.zone();
    let state = state(sheep, |at| local(at, zone), |next| local(next, zone));
    let (name, account) = (format!("{:<32}", sheep.id.to_string()), &sheep.config.account);
    let (name, state) = (paint.on(NAME, &name), paint.on(style(sheep), &state));
    format!("{name} {:<24} {state}", account.to_string())
}

/// The colour of what a sheep is doing.
fn style(sheep: &Sheep) -> Style {
    match (&sheep.state, sheep.problem()) {
        (State::Stopped { .. }, _) => BAD,
        (State::Paused { .. }, _) | (State::Active, Some(_)) => WORD,
        (State::Finished { .. }, _) => FAINT,
        (State::Active, None) => PLAIN,
    }
}

/// What a sheep is doing, and what keeps it from posting.
fn state(
    sheep: &Sheep,
    since: impl Fn(Timestamp) -> String,
    to_come: impl Fn(Timestamp) -> String,
) -> String {
    let state = match (&sheep.state, sheep.next_at()) {
        (State::Active, Some(next)) => format!("next {}", to_come(next)),
        (State::Active, None) => "active".to_owned(),
        (State::Paused { since: at }, _) => format!("paused since {}", since(*at)),
        (State::Stopped { since: at, .. }, _) => format!("STOPPED since {}", since(*at)),
        (State::Finished { since: at }, _) => format!("finished {}", since(*at)),
    };
    let why = sheep.problem().map(|why| format!(": {}", one_line(why))).unwrap_or_default();
    format!("{state}{why}")
}

/// A list of sheep, at a terminal.
pub(crate) fn sheep_table(sheep: &[Sheep], view: &View) -> Table {
    let row = |sheep: &Sheep| {
        let state = state(sheep, |at| view.clock(at), |next| view.to_come(next));
        vec![
            cell(&sheep.id.to_string(), NAME),
            cell(&sheep.config.account.to_string(), PLAIN),
            cell(&state, style(sheep)),
        ]
    };
    Table {
        about: Some(view.times()),
        columns: vec![whole("SHEEP"), whole("ACCOUNT"), long("STATE")],
        rows: sheep.iter().map(row).collect(),
    }
}

/// A line of a list of flocks.
pub(crate) fn flock_line(flock: &FlockLine, paint: Paint) -> String {
    let active = paint.on(silent(flock), &format!("{} active", flock.active));
    format!("{}  {} sheep, {active}", paint.on(NAME, &flock.flock), flock.sheep)
}

/// The colour of how many sheep of a flock post.
fn silent(flock: &FlockLine) -> Style {
    if flock.active < flock.sheep { WORD } else { PLAIN }
}

/// A list of flocks, at a terminal.
pub(crate) fn flock_table(flocks: &[FlockLine]) -> Table {
    let row = |flock: &FlockLine| {
        vec![
            cell(&flock.flock, NAME),
            cell(&flock.sheep.to_string(), PLAIN),
            cell(&flock.active.to_string(), silent(flock)),
        ]
    };
    Table {
        about: None,
        columns: vec![whole("FLOCK"), whole("SHEEP"), whole("ACTIVE")],
        rows: flocks.iter().map(row).collect(),
    }
}

/// A sheep that has another account, and what is to be done besides.
pub fn moved(moved: &Moved) -> Vec<String> {
    let Moved { sheep, outlook } = moved;
    let (behaviour, account) = (&sheep.config.behaviour, &sheep.config.account);
    let (unit, next) = (behaviour.unit(), behaviour.position(sheep.progress.cursor));
    let mut said = vec![
        sheep_line(sheep, Paint::NONE),
        match sheep.state {
            State::Active | State::Finished { .. } => {
                format!("It goes on with {unit} {next}, as {account}.")
            }
            State::Paused { .. } | State::Stopped { .. } => format!(
                "It goes on with {unit} {next}, as {account}, once it is resumed (`flockwork sheep resume {}`).",
                sheep.id
            ),
        },
        format!(
            "Write network = \"{}\" and account = \"{}\" into flock.toml, or the next `flockwork flock \
             apply` moves it back.",
            account.network, account.handle
        ),
    ];
    said.extend(outlook.as_ref().map(ToString::to_string));
    said
}

/// How a sheep that has stopped goes on, by a command that begins with `program`.
pub fn resume(sheep: &Sheep, program: &str) -> String {
    format!("`{program} sheep resume {}`, once that is put right", sheep.id)
}

/// An entry of the audit log.
pub(crate) fn audit_line(entry: &AuditEntry, paint: Paint) -> String {
    let at = paint.on(FAINT, &local(entry.at, &TimeZone::UTC));
    let [who, line, outcome] = audited(entry).map(|part| one_line(&part));
    let (who, outcome) = (paint.on(NAME, &who), paint.on(came_of(entry), &outcome));
    format!("{at}  {who}: {line} - {outcome}")
}

/// The colour of what came of something.
fn came_of(entry: &AuditEntry) -> Style {
    match entry.outcome.as_deref() {
        Some(Noted::DONE) => GOOD,
        Some(_) => BAD,
        None => WORD,
    }
}

/// Who did what, and what came of it.
fn audited(entry: &AuditEntry) -> [String; 3] {
    let AuditEntry { by, line, outcome, .. } = entry;
    let outcome = outcome.as_deref().unwrap_or("cut off; part of it may be done");
    match by {
        // What was said in Slack is in its own form.
        By::Slack { user, room } => {
            [format!("{user} in {room} of Slack"), typed(line), typed(&outcome.replace('*', ""))]
        }
        By::CommandLine { user, arn } => {
            let arn = arn.as_ref().map(|arn| format!(" ({arn})")).unwrap_or_default();
            [format!("{user} at the command line{arn}"), line.clone(), outcome.to_owned()]
        }
    }
}

/// The audit log, at a terminal.
pub(crate) fn audit_table(entries: &[AuditEntry], view: &View) -> Table {
    let row = |entry: &AuditEntry| {
        let [who, line, outcome] = audited(entry);
        vec![
            cell(&view.clock(entry.at), FAINT),
            cell(&who, NAME),
            cell(&line, PLAIN),
            cell(&outcome, came_of(entry)),
        ]
    };
    Table {
        about: Some(view.times()),
        columns: vec![whole("TIME"), whole("WHO"), long("WHAT"), long("OUTCOME")],
        rows: entries.iter().map(row).collect(),
    }
}

/// So many texts that were set aside are shown of a sheep.
pub const ASIDES: usize = 5;

/// A text that was set aside, and why.
pub fn aside_line(aside: &Aside) -> String {
    format!("{}, \"{}\": {}", aside.occurrence, quoted(&aside.text), one_line(&aside.why))
}

/// Everything about a sheep; `asides` are the newest texts that it has set aside. With a `view`, its times as people read them now.
pub(crate) fn sheep_page(
    sheep: &Sheep,
    asides: &[Aside],
    program: &str,
    view: Option<&View>,
) -> String {
    let progress = &sheep.progress;
    let behaviour = &sheep.config.behaviour;
    let corpora: Vec<_> = behaviour.corpora().map(CorpusId::as_str).collect();
    let mut rows = vec![
        ("sheep", sheep.id.to_string()),
        ("account", sheep.config.account.to_string()),
        ("behaviour", format!("{} (corpus {})", behaviour.describe(), corpora.join(", "))),
        ("rhythm", sheep.config.rhythm.to_string()),
        ("state", sheep.state.name().to_owned()),
    ];
    if sheep.config.made_with_ai {
        rows.push(("made", "with AI".to_owned()));
    }
    rows.extend(sheep.problem().map(|why| ("problem", one_line(why))));
    if matches!(sheep.state, State::Stopped { .. }) {
        rows.push(("to go on", resume(sheep, program)));
    }
    rows.extend(sheep.next_at().map(|next| {
        let zone = sheep.config.rhythm.zone();
        ("next post", view.map_or_else(|| local(next, zone), |view| view.to_come(next)))
    }));
    rows.push(("next number", progress.occurrence.to_string()));
    let unit = format!("next {}", behaviour.unit());
    rows.push((&unit, behaviour.position(progress.cursor)));
    if 0 < progress.missed {
        rows.push(("missed", format!("{} posts, in outages", progress.missed)));
    }
    if let Some(intent) = &sheep.intent {
        let Intent { occurrence, errand, .. } = intent;
        rows.push((
            "being posted",
            format!("number {occurrence}: {}", quoted(&errand.work.act.to_string())),
        ));
        if 0 < errand.attempts {
            rows.push(("attempts", errand.attempts.to_string()));
        }
    }
    rows.extend(asides.iter().take(ASIDES).map(|aside| ("set aside", aside_line(aside))));
    if ASIDES < asides.len() {
        rows.push(("", "and older ones".to_owned()));
    }
    let times = view.filter(|_| sheep.next_at().is_some()).map(View::times);
    std::iter::once(self::rows(&rows)).chain(times).collect::<Vec<_>>().join("\n")
}

/// An account in a list.
pub(crate) fn account_line(account: &AccountLine, paint: Paint) -> String {
    let sheep = count(u64::try_from(account.sheep).unwrap_or(u64::MAX), "sheep");
    let name = paint.on(NAME, &format!("{:<40}", account.account));
    format!("{name} {sheep:<12} {}", paint.on(may_post(account), &account_state(account)))
}

/// The colour of whether an account can post.
fn may_post(account: &AccountLine) -> Style {
    if account.added && account.must_not_post.is_empty() { GOOD } else { BAD }
}

/// Whether an account can post, and why not.
fn account_state(account: &AccountLine) -> String {
    match (account.added, account.must_not_post.as_slice()) {
        (false, _) => "never added: it has no key".to_owned(),
        (true, []) => "can post".to_owned(),
        (true, why) => format!("must not post: {}", one_line(&why.join("; "))),
    }
}

/// A list of accounts, at a terminal.
pub(crate) fn account_table(accounts: &[AccountLine]) -> Table {
    let row = |account: &AccountLine| {
        vec![
            cell(&account.account, NAME),
            cell(&account.sheep.to_string(), PLAIN),
            cell(&account_state(account), may_post(account)),
        ]
    };
    Table {
        about: None,
        columns: vec![whole("ACCOUNT"), whole("SHEEP"), long("STATE")],
        rows: accounts.iter().map(row).collect(),
    }
}

/// What every network can do, whole.
pub(crate) fn network_lines(paint: Paint) -> Vec<String> {
    let text = flock_ops::networks();
    let heads = flock_ops::network_rows().into_iter().map(|row| row.into_iter().next());
    let mut heads = heads.map(Option::unwrap_or_default);
    let line = |line: &str| match heads.next() {
        Some(head) if head.is_empty() => paint.on(HEAD, line),
        Some(head) => match line.strip_prefix(&*head) {
            Some(rest) => paint.on(NAME, &head) + rest,
            None => line.to_owned(),
        },
        None => line.to_owned(),
    };
    text.lines().map(line).collect()
}

/// What every network can do, at a terminal of so many columns: in several tables where one has no room.
pub(crate) fn network_tables(width: usize) -> Vec<Table> {
    let mut rows = flock_ops::network_rows();
    let heads = rows.remove(0);
    let table = |places: &[usize]| {
        let pick = |row: &Vec<String>| -> Vec<Cell> {
            let texts = places.iter().filter_map(|place| row.get(*place));
            texts
                .zip(std::iter::once(NAME).chain(std::iter::repeat(PLAIN)))
                .map(|(text, style)| cell(text, style))
                .collect()
        };
        let heads = places.iter().filter_map(|place| heads.get(*place));
        Table {
            about: None,
            columns: heads.map(|head| whole(head)).collect(),
            rows: rows.iter().map(pick).collect(),
        }
    };
    let mut tables = vec![vec![0]];
    for place in 1..heads.len() {
        match tables.last_mut() {
            Some(last) if last.len() == 1 || table(&[&**last, &[place]].concat()).fits(width) => {
                last.push(place);
            }
            _ => tables.push(vec![0, place]),
        }
    }
    tables.iter().map(|places| table(places)).collect()
}

/// Names and values, one beside the other.
pub fn rows(rows: &[(&str, String)]) -> String {
    let rows: Vec<_> = rows.iter().map(|(name, value)| format!("{name:<13} {value}")).collect();
    rows.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-27T12:00:00Z";

    fn post(at: &str, state: PostState, text: &str) -> Post {
        Post {
            made: None,
            sheep: "choir/alto".parse().unwrap(),
            occurrence: flock_core::Occurrence(1),
            account: "x:apollo".parse().unwrap(),
            at: at.parse().unwrap(),
            text: text.to_owned(),
            state,
            remote_id: None,
            answers: None,
        }
    }

    #[test]
    fn what_is_not_simply_there_is_seen() {
        let posts = [
            post("2026-11-26T23:59:59Z", PostState::Posted, "one\ntwo\u{1b}[2J"),
            post("2026-11-27T11:00:00Z", PostState::Unknown, "who knows whether this is there"),
            post("2026-11-27T11:59:00Z", PostState::Pending, "soon"),
        ];
        let table = post_table(&posts, &View::utc(NOW.parse().unwrap()));
        insta::assert_snapshot!(table.lines(72, Paint::NONE).join("\n"), @r"
        Times are in UTC.
        TIME                 SHEEP       STATE         POST
        2026-11-26 23:59:59  choir/alto                one / two\u{1b}[2J
        11:00:00             choir/alto  unknown       who knows whether this i…
        11:59:00             choir/alto  being posted  soon
        ");
    }

    #[test]
    fn what_came_of_something_has_room_beside_it() {
        let entry = |by, line: &str, outcome: Option<&str>| AuditEntry {
            id: flock_core::DeliveryId::of(&[line]),
            at: "2026-11-27T11:00:00Z".parse().unwrap(),
            by,
            line: line.to_owned(),
            outcome: outcome.map(str::to_owned),
        };
        let ada = || By::CommandLine { user: "ada".to_owned(), arn: None };
        let in_slack = || By::Slack { user: "U1".parse().unwrap(), room: "C1".parse().unwrap() };
        let entries = [
            entry(ada(), "flock apply choir", Some("done")),
            entry(
                in_slack(),
                "now choir/alto",
                Some("refused: *choir/alto* does not: it is paused; resume it first"),
            ),
            entry(ada(), "flock remove choir", None),
        ];
        let table = || audit_table(&entries, &View::utc(NOW.parse().unwrap()));
        insta::assert_snapshot!(table().lines(90, Paint::NONE).join("\n"), @"
        Times are in UTC.
        TIME      WHO                      WHAT                OUTCOME
        11:00:00  ada at the command line  flock apply choir   done
        11:00:00  U1 in C1 of Slack        now choir/alto      refused: choir/alto does not: it i…
        11:00:00  ada at the command line  flock remove choir  cut off; part of it may be done
        ");
    }
}
