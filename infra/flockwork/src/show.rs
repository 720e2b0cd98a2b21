//! What people see of sheep and posts in a terminal.

use flock_core::{CorpusId, Intent, Sheep, State, count, local, one_line};
use flock_ops::{AccountLine, Moved};
use flock_slack::typed;
use flock_store::{Aside, AuditEntry, By, Post, PostState, Stop, UpcomingPost};
use jiff::tz::TimeZone;

/// That everything is stopped.
pub fn stopped(stop: &Stop) -> String {
    let since = local(stop.at, &TimeZone::UTC);
    format!("Everything is stopped since {since}; nothing is posted until `/flock start`.")
}

/// What is said of a post that is not simply there.
pub fn post_state(state: PostState) -> Option<&'static str> {
    match state {
        PostState::Posted => None,
        PostState::Pending => Some("being posted"),
        PostState::Unknown => Some("unknown whether it was posted; being found out"),
    }
}

/// A line of a list of posts.
pub fn post_line(post: &Post, zone: &TimeZone) -> String {
    let state = post_state(post.state).map(|state| format!("  ({state})")).unwrap_or_default();
    format!("{}  {}  {}{state}", local(post.at, zone), post.sheep, one_line(&post.text))
}

/// A line of a list of posts to come.
pub fn upcoming_line(post: &UpcomingPost) -> String {
    format!("{}  {}  {}", local(post.at, &post.zone), post.sheep, one_line(&post.text))
}

/// A line of a list of sheep.
pub fn sheep_line(sheep: &Sheep) -> String {
    let zone = sheep.config.rhythm.zone();
    let state = match (&sheep.state, sheep.next_at()) {
        (State::Active, Some(next)) => format!("next {}", local(next, zone)),
        (State::Active, None) => "active".to_owned(),
        (State::Paused { since }, _) => format!("paused since {}", local(*since, zone)),
        (State::Stopped { since, .. }, _) => format!("STOPPED since {}", local(*since, zone)),
        (State::Finished { since }, _) => format!("finished {}", local(*since, zone)),
    };
    let why = sheep.problem().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{:<32} {:<24} {state}{why}", sheep.id.to_string(), sheep.config.account.to_string())
}

/// A sheep that has another account, and what is to be done besides.
pub fn moved(moved: &Moved) -> Vec<String> {
    let Moved { sheep, outlook } = moved;
    let (behaviour, account) = (&sheep.config.behaviour, &sheep.config.account);
    let (unit, next) = (behaviour.unit(), behaviour.position(sheep.progress.cursor));
    let mut said = vec![
        sheep_line(sheep),
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
pub fn audit_line(entry: &AuditEntry) -> String {
    let AuditEntry { at, by, line, outcome, .. } = entry;
    let at = local(*at, &TimeZone::UTC);
    let outcome = outcome.as_deref().unwrap_or("cut off; part of it may be done");
    let (who, line, outcome) = match by {
        // What was said in Slack is in its own form.
        By::Slack { user, room } => {
            (format!("{user} in {room} of Slack"), typed(line), typed(&outcome.replace('*', "")))
        }
        By::CommandLine { user, arn } => {
            let arn = arn.as_ref().map(|arn| format!(" ({arn})")).unwrap_or_default();
            (format!("{user} at the command line{arn}"), line.clone(), outcome.to_owned())
        }
    };
    one_line(&format!("{at}  {who}: {line} - {outcome}"))
}

/// So many texts that were set aside are shown of a sheep.
pub const ASIDES: usize = 5;

/// A text that was set aside, and why.
pub fn aside_line(aside: &Aside) -> String {
    format!("{}, {:?}: {}", aside.occurrence, aside.text, aside.why)
}

/// Everything about a sheep; `asides` are the newest texts that it has set aside.
pub fn sheep_page(sheep: &Sheep, asides: &[Aside], program: &str) -> String {
    let zone = sheep.config.rhythm.zone();
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
    rows.extend(sheep.problem().map(|why| ("problem", why.to_owned())));
    if matches!(sheep.state, State::Stopped { .. }) {
        rows.push(("to go on", resume(sheep, program)));
    }
    rows.extend(sheep.next_at().map(|next| ("next post", local(next, zone))));
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
            format!("number {occurrence}: {}", one_line(&errand.work.act.to_string())),
        ));
        if 0 < errand.attempts {
            rows.push(("attempts", errand.attempts.to_string()));
        }
    }
    rows.extend(asides.iter().take(ASIDES).map(|aside| ("set aside", aside_line(aside))));
    if ASIDES < asides.len() {
        rows.push(("", "and older ones".to_owned()));
    }
    self::rows(&rows)
}

/// An account in a list.
pub fn account_line(account: &AccountLine) -> String {
    let AccountLine { account, sheep, added, must_not_post } = account;
    let sheep = count(u64::try_from(*sheep).unwrap_or(u64::MAX), "sheep");
    let state = match (added, must_not_post.as_slice()) {
        (false, _) => "never added: it has no key".to_owned(),
        (true, []) => "can post".to_owned(),
        (true, why) => format!("must not post: {}", why.join("; ")),
    };
    format!("{account:<40} {sheep:<12} {state}")
}

/// Names and values, one beside the other.
pub fn rows(rows: &[(&str, String)]) -> String {
    let rows: Vec<_> = rows.iter().map(|(name, value)| format!("{name:<13} {value}")).collect();
    rows.join("\n")
}
