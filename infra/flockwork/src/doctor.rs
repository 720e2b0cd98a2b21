//! Looks at everything that has to be so for sheep to post, and says what is not, and what to do.

use std::collections::BTreeMap;

use flock_aws::Secrets;
use flock_core::{AccountId, Hindrance, Network, Sheep, State, count, named};
use flock_ops as ops;
use serde_json::{Value, json};

use crate::{
    checkup::{Checkup, unseen},
    cli::{Doctor, Place},
    command::as_json,
    connect::{Connection, connect, read_template},
    data_dir::DataDir,
    deployed::{self, Failure},
    entered, operator,
    refusal::{refuse, refused},
    screen::{Said, Screen, What},
    show,
    silence::{overdue, stopped},
    table::wrapped,
    terminal::{BAD, GOOD, Paint, WORD, harmless},
};

/// The function that posts.
const POSTS: &str = "sheep-tick";

/// What was looked at.
#[derive(Debug)]
pub(crate) enum Finding {
    /// It is as it should be.
    Good(String),
    /// It may be meant so.
    Note(String),
    /// Something does not work: what, and what to do.
    Fault(String),
}

/// Shows what is as it should be and what is not. Fails when something is not.
pub(crate) async fn doctor(place: &Place, screen: &Screen, options: &Doctor) -> anyhow::Result<()> {
    let findings = match &place.table {
        Some(table) => of_deployment(place, table, options).await?,
        None if options.mend || options.stack.is_some() => {
            return Err(refuse(
                "--mend and --stack are about what is deployed: say --aws --table NAME, too",
            ));
        }
        None => of_machine(place).await?,
    };
    let what = if options.json {
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

async fn of_machine(place: &Place) -> anyhow::Result<Vec<Finding>> {
    if !DataDir::is_begun(&place.data) {
        return Ok(vec![Finding::Note(format!(
            "there is nothing in {} yet; `{}` makes it",
            place.data.display(),
            place.command()
        ))]);
    }
    // What does not let itself be opened says what to do.
    let connection = connect(place).await?;
    let mut findings =
        vec![Finding::Good(format!("the data in {} can be read", place.data.display()))];
    let sheep = connection.store.sheep_of(None).await.map_err(ops::Error::from)?;
    findings.extend(of_flocks(&connection, place, &sheep).await?);
    let accounts = connection.store.accounts().await.map_err(ops::Error::from)?;
    let entered = entered::Place::of_machine(&connection, &place.data).await;
    findings.extend(entered.to_enter(&sheep, &accounts));
    Ok(findings)
}

/// What of a deployment is not as it should be, is told like anything else: somebody looks because something is wrong.
async fn of_deployment(
    place: &Place,
    table: &str,
    options: &Doctor,
) -> anyhow::Result<Vec<Finding>> {
    let definition = read_template(place)?.table;
    let aws = flock_aws::load().await;
    let program = place.command();
    let told = |err: &anyhow::Error| refused(err, place).map(Finding::Fault);
    if let Err(err) = deployed::check_login(&aws).await {
        return told(&err).map(|fault| vec![fault]).ok_or(err);
    }
    let region = deployed::region(&aws);
    let mut findings = vec![match operator::caller(&aws).await {
        Some(arn) => Finding::Good(format!("you are {arn}, in {region}")),
        None => Finding::Note(format!(
            "this shell has AWS credentials and works in {region}, and AWS does not say whose they are"
        )),
    }];
    let what = format!("the table {table}");
    let (mut connection, mut sheep) = (None, None);
    match deployed::open(&aws, table).await {
        Ok(store) => {
            let opened = Connection::deployed(place, aws.clone(), store);
            let found = opened.store.sheep_of(None).await.map_err(ops::Error::from);
            match found.map_err(anyhow::Error::new) {
                Ok(found) => {
                    findings.push(Finding::Good(format!("{what} can be read")));
                    sheep = Some(found);
                }
                Err(err) if deployed::has_other_keys(&err) => {
                    findings.push(Finding::Fault(deployed::other_keys(table)));
                    return Ok(findings);
                }
                Err(err) => findings.push(unread(&what, err)?),
            }
            connection = Some(opened);
        }
        Err(err) => {
            let err = anyhow::Error::new(err);
            match deployed::lacking(&err) {
                // Whoever may not read it may look at other things.
                Some(_) => findings.push(unread(&what, err)?),
                // Nothing of ours is there that could be looked at.
                None if deployed::has_other_keys(&err) => {
                    findings.push(Finding::Fault(deployed::other_keys(table)));
                    return Ok(findings);
                }
                None => {
                    let err = deployed::unusable(&aws, table, err).await;
                    let otherwise = || Finding::Fault(format!("{err:#}; try again"));
                    findings.push(told(&err).unwrap_or_else(otherwise));
                    return Ok(findings);
                }
            }
        }
    }
    if options.mend && connection.is_none() {
        return Err(refuse(format!(
            "nothing was turned on, because what is done to the table {table} is noted in it, and it cannot be read"
        )));
    }
    let is_on_x = |sheep: &Sheep| sheep.config.account.network == Network::X;
    let checkup = Checkup {
        aws: &aws,
        table,
        definition: &definition,
        stack: options.stack.as_deref(),
        program: &program,
        is_on_x: sheep.as_ref().map(|sheep| sheep.iter().any(is_on_x)),
    };
    let (stack, found) = checkup.the_stack().await;
    let mend = connection.as_ref().filter(|_| options.mend);
    findings.extend(checkup.the_table(stack.as_ref(), mend).await);
    findings.push(found);
    if let Some(stack) = &stack {
        findings.extend(checkup.the_secrets(stack).await);
        findings.push(checkup.the_alarms(stack).await);
    }
    if let (Some(connection), Some(sheep)) = (&connection, &sheep) {
        match of_flocks(connection, place, sheep).await {
            Ok(found) => findings.extend(found),
            Err(err) => findings.push(unread("what the sheep do", err)?),
        }
        if let Some(stack) = &stack {
            let entered = entered::Place::of_stack(&Secrets::new(&aws), stack).await;
            // Whoever may not read them was told so above.
            let accounts = connection.store.accounts().await.unwrap_or_default();
            findings.extend(entered.to_enter(sheep, &accounts));
        }
    }
    Ok(findings)
}

/// What may not be read, which is said; and otherwise what went wrong.
fn unread(what: &str, err: anyhow::Error) -> anyhow::Result<Finding> {
    let right = deployed::lacking(&err).ok_or(err)?;
    Ok(unseen(what, right, &Failure::Denied))
}

/// Whether anything posts, and what keeps sheep from it.
async fn of_flocks(
    connection: &Connection,
    place: &Place,
    sheep: &[Sheep],
) -> anyhow::Result<Vec<Finding>> {
    let mut findings = vec![whether_it_runs(connection, place).await?];
    let control = connection.store.control().await?;
    findings.extend(control.stopped.iter().map(|stop| Finding::Fault(show::stopped(stop))));
    if control.stopped.is_none() && connection.is_at_work {
        findings.extend(overdue(connection, sheep, connection.clock.now()).map(Finding::Fault));
    }
    findings.extend(the_flocks(sheep, &connection.program));
    findings.extend(the_accounts(connection, place, sheep).await?);
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
async fn the_accounts(
    connection: &Connection,
    place: &Place,
    sheep: &[Sheep],
) -> anyhow::Result<Vec<Finding>> {
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
        let has_app = first.parse::<AccountId>().is_ok_and(|id| id.network.facts().has_app);
        let add = place.connect_account(first, has_app);
        findings.push(Finding::Fault(format!(
            "{} {was} never added: `{add}`{each}",
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
