//! Looks at everything that has to be so for sheep to post, and says what is not, and what to do.

use std::collections::BTreeMap;

use flock_core::{Hindrance, Sheep, State, count, named};
use flock_ops as ops;
use serde_json::{Value, json};

use crate::{
    cli::Place,
    command::as_json,
    connect::{Connection, connect},
    data_dir::DataDir,
    screen::{Said, Screen, What},
    show,
    silence::{overdue, stopped},
    table::wrapped,
    terminal::{BAD, GOOD, Paint, WORD, harmless},
};

/// The function that posts.
const POSTS: &str = "sheep-tick";

/// What was looked at.
enum Finding {
    /// It is as it should be.
    Good(String),
    /// It may be meant so.
    Note(String),
    /// Something does not work: what, and what to do.
    Fault(String),
}

/// Shows what is as it should be and what is not. Fails when something is not.
pub(crate) async fn doctor(place: &Place, screen: &Screen, json: bool) -> anyhow::Result<()> {
    let findings = findings(place).await?;
    let what = if json {
        What::Lines(as_json(findings.iter().map(Finding::json))?)
    } else {
        What::Shown(findings.iter().flat_map(|finding| finding.lines(screen)).collect())
    };
    screen.page(Said { what, ..Said::default() })?;
    match findings.iter().filter(|finding| matches!(finding, Finding::Fault(_))).count() {
        0 => Ok(()),
        faults => {
            let faults = u64::try_from(faults).unwrap_or(u64::MAX);
            Err(anyhow::anyhow!("{} found", count(faults, "fault")))
        }
    }
}

async fn findings(place: &Place) -> anyhow::Result<Vec<Finding>> {
    if !place.aws && !DataDir::is_begun(&place.data) {
        return Ok(vec![Finding::Note(format!(
            "there is nothing in {} yet; `{}` makes it",
            place.data.display(),
            place.command()
        ))]);
    }
    // What does not let itself be opened says what to do.
    let connection = connect(place).await?;
    let sheep = connection.store.sheep_of(None).await.map_err(ops::Error::from)?;
    let what = match &place.table {
        Some(table) => format!("the table {table}"),
        None => format!("the data in {}", place.data.display()),
    };
    let mut findings = vec![
        Finding::Good(format!("{what} can be read")),
        whether_it_runs(&connection, place).await?,
    ];
    let control = connection.store.control().await?;
    findings.extend(control.stopped.iter().map(|stop| Finding::Fault(show::stopped(stop))));
    if control.stopped.is_none() && connection.is_at_work {
        findings.extend(overdue(&connection, &sheep, connection.clock.now()).map(Finding::Fault));
    }
    findings.extend(the_flocks(&sheep, &connection.program));
    findings.extend(the_accounts(&connection, &sheep).await?);
    Ok(findings)
}

/// Whether anything posts at all.
async fn whether_it_runs(connection: &Connection, place: &Place) -> anyhow::Result<Finding> {
    let program = &connection.program;
    if connection.data_dir.is_some() {
        return Ok(Finding::Note(format!("nothing is posted until `{program} run`")));
    }
    if !connection.is_deployed {
        let page = DataDir::served_at(&place.data)?.map(|endpoint| endpoint.page);
        let page = page.map(|page| format!(": {page}")).unwrap_or_default();
        return Ok(Finding::Good(format!("a run is up{page}")));
    }
    let instances = connection.store.instances(connection.clock.now()).await?;
    Ok(if instances.iter().any(|instance| instance.function == POSTS) {
        Finding::Good(format!("{POSTS} is at work"))
    } else {
        Finding::Fault(format!(
            "no {POSTS} was at work in the last half hour, so nothing is posted: look whether its schedule is enabled, and \
             at its log"
        ))
    })
}

/// How the sheep are. What is wrong with several in the same way is said once.
fn the_flocks(sheep: &[Sheep], program: &str) -> Vec<Finding> {
    if sheep.is_empty() {
        return vec![Finding::Note(format!(
            "there is no sheep yet; `flockwork init DIR` writes a flock, and `{program} flock apply DIR` makes it"
        ))];
    }
    let size = |sheep: usize| count(u64::try_from(sheep).unwrap_or(u64::MAX), "sheep");
    let active = sheep.iter().filter(|sheep| matches!(sheep.state, State::Active)).count();
    let mut findings = vec![Finding::Good(format!("{}, {active} active", size(sheep.len())))];
    let paused = sheep.iter().filter(|sheep| matches!(sheep.state, State::Paused { .. })).count();
    if 0 < paused {
        let what = format!("{} paused: `{program} sheep list` shows which", size(paused));
        findings.push(Finding::Note(what));
    }
    findings.extend(stopped(sheep, program).into_iter().map(Finding::Fault));
    let others = Hindrance::of(sheep).into_iter().filter(|found| !found.is_stopped);
    findings.extend(others.map(|found| Finding::Fault(found.to_string())));
    findings
}

/// Accounts that sheep post through and cannot.
async fn the_accounts(connection: &Connection, sheep: &[Sheep]) -> anyhow::Result<Vec<Finding>> {
    let program = &connection.program;
    let accounts = ops::accounts(&connection.store, sheep).await?;
    let used: Vec<_> = accounts.iter().filter(|account| 0 < account.sheep).collect();
    let mut never_added = Vec::new();
    let mut must_not = BTreeMap::<String, Vec<&str>>::new();
    for account in &used {
        if !account.added {
            never_added.push(&account.account);
        } else if !account.must_not_post.is_empty() {
            must_not.entry(account.must_not_post.join("; ")).or_default().push(&account.account);
        }
    }
    let mut findings: Vec<_> = must_not
        .into_iter()
        .map(|(why, ids)| Finding::Fault(format!("{} must not post: {why}", named(ids))))
        .collect();
    if let Some(first) = never_added.first() {
        let (was, each) =
            if never_added.len() == 1 { ("was", "") } else { ("were", ", and so for each") };
        findings.push(Finding::Fault(format!(
            "{} {was} never added: `{program} account add {first} --key FILE`{each}",
            named(&never_added)
        )));
    }
    if findings.is_empty() && !used.is_empty() {
        let number = u64::try_from(used.len()).unwrap_or(u64::MAX);
        findings.push(Finding::Good(format!("{} can post", count(number, "account"))));
    }
    Ok(findings)
}

impl Finding {
    fn lines(&self, screen: &Screen) -> Vec<String> {
        let (word, what, style) = match self {
            Self::Good(what) => ("ok   ", what, GOOD),
            Self::Note(what) => ("note ", what, WORD),
            Self::Fault(what) => ("FAULT", what, BAD.bold()),
        };
        let line = harmless(&format!("{word}  {what}"));
        let lines = match screen.window {
            Some(window) => wrapped(&line, window.columns, Paint::NONE),
            None => vec![line],
        };
        let painted = lines.iter().map(|line| match line.strip_prefix(word) {
            Some(what) => screen.paint.on(style, word) + &screen.paint.commands(what),
            None => screen.paint.commands(line),
        });
        painted.collect()
    }

    /// The names are a promise to scripts.
    fn json(&self) -> Value {
        let (finding, what) = match self {
            Self::Good(what) => ("ok", what),
            Self::Note(what) => ("note", what),
            Self::Fault(what) => ("fault", what),
        };
        json!({ "finding": finding, "what": what })
    }
}
