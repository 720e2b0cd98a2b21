//! Carries out one command. What it says is printed when it has let the data directory go: whoever reads it may take
//! any time, and others wait for the directory.

use std::io::{self, Write as _};

use anyhow::Context as _;
use flock_core::{FlockName, JobKind, Network, Sheep, State};
use flock_ops::{self as ops, Error, FlockFile, NetworkLine, Noted, Plan, PlanLine};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    account, ask,
    cli::{
        AccountCommand, Audit, Cli, Command, FlockCommand, Place, Posts, Run, SheepCommand, Slack,
        SlackCommand, Spend,
    },
    connect::{Connection, connect, look},
    doctor, environment, flock_file, init,
    operator::noted,
    preview, quiet,
    refusal::{missing, refuse},
    run, shell, show, slack,
};

/// What a command has to say.
struct Said {
    /// What was asked for, on standard output.
    lines: Vec<String>,
    /// What people should know besides, on standard error: a program may read the other.
    notes: Vec<String>,
}

impl From<Vec<String>> for Said {
    fn from(lines: Vec<String>) -> Self {
        Self { lines, notes: Vec::new() }
    }
}

/// Does what `cli` says.
pub async fn execute(cli: Cli) -> anyhow::Result<()> {
    let Cli { place, command } = cli;
    let command = match command {
        Some(command) => command,
        None => Command::Run(Run {
            listen: ([127, 0, 0, 1], 4280).into(),
            speed: std::num::NonZeroU32::MIN,
            until: None,
            networks_on_loopback: false,
            new_keyring: false,
        }),
    };
    match command {
        Command::Run(_) if place.aws => {
            Err(refuse("`run` is for this machine; what is deployed runs by itself"))
        }
        Command::Run(options) => Box::pin(run::run(&place, &options)).await,
        Command::Init(options) => print(&init::init(&place, &options)?),
        Command::Doctor => doctor::doctor(&place).await,
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { dir } => shell::man_pages(&dir),
        Command::Flock(command) => say(&Box::pin(flock(&place, command)).await?),
        Command::Sheep(command) => say(&sheep(&place, command).await?),
        Command::Posts(options) => say(&posts(&place, &options).await?),
        Command::Preview(options) => preview::preview(&place, &options).await,
        Command::Slack(Slack { command: Some(SlackCommand::Manifest { url }), .. }) => {
            slack::manifest(&url)
        }
        Command::Slack(Slack { command: Some(SlackCommand::Link), .. }) => slack::link(&place),
        Command::Env { export } => environment::print(&place, export),
        Command::Slack(Slack { say, command: None }) => slack::say(&place, &say).await,
        Command::Account(AccountCommand::Add(options)) => {
            print(&Box::pin(account::add(&place, &options)).await?)
        }
        Command::Account(AccountCommand::List { json }) => say(&list_accounts(&place, json).await?),
        Command::Account(AccountCommand::Show { account, json }) => {
            let page = {
                let Connection { store, .. } = &connect(&place).await?;
                ops::account(store, &account).await?
            };
            if json { print_all(&as_json([page])?) } else { print(&show::rows(&page.rows())) }
        }
        Command::Account(AccountCommand::Remove { account, yes }) => {
            print(&account::remove(&place, &account, yes).await?)
        }
        Command::Spend(options) => print_all(&spend(&place, &options).await?),
        Command::Audit(options) => print_all(&audit(&place, &options).await?),
        Command::Networks { network, json: true } => {
            let networks = network.map_or_else(|| Network::ALL.to_vec(), |network| vec![network]);
            let lines = networks.into_iter().flat_map(NetworkLine::of);
            print_all(&as_json(lines)?)
        }
        Command::Networks { network, json: false } => print(&network.map_or_else(
            || format!("{}\nOne in full: `flockwork networks NAME`.", ops::networks()),
            ops::network,
        )),
    }
}

async fn flock(place: &Place, command: FlockCommand) -> anyhow::Result<Said> {
    match command {
        FlockCommand::Plan { dir, json } => {
            let file = flock_file::read(&dir).map_err(|err| refuse(err.to_string()))?;
            let Connection { store, clock, program, .. } = &look(place).await?;
            let plan = ops::plan(store, file, clock.now()).await?;
            if json {
                return Ok(vec![serde_json::to_string(&PlanLine::new(&plan))?].into());
            }
            let missing = missing(plan.missing(), program);
            Ok(std::iter::once(plan.to_string()).chain(missing).collect::<Vec<_>>().into())
        }
        FlockCommand::Apply { dir, yes } => {
            let file = flock_file::read(&dir).map_err(|err| refuse(err.to_string()))?;
            Box::pin(apply(place, file, yes)).await
        }
        FlockCommand::List { json } => {
            let Connection { store, .. } = &connect(place).await?;
            let flocks = ops::flocks(store).await?;
            if json {
                return Ok(as_json(flocks)?.into());
            }
            if flocks.is_empty() {
                let note = format!("There is no flock yet; {}", how_to_begin(place));
                return Ok(Said { lines: Vec::new(), notes: vec![note] });
            }
            let line = |flock: &ops::FlockLine| {
                format!("{}  {} sheep, {} active", flock.flock, flock.sheep, flock.active)
            };
            Ok(flocks.iter().map(line).collect::<Vec<_>>().into())
        }
        FlockCommand::Remove { name, yes } => remove(place, &name, yes).await,
    }
}

/// How there comes to be a flock: the end of a sentence.
fn how_to_begin(place: &Place) -> String {
    format!("`flockwork init DIR` writes one, and `{} flock apply DIR` makes it.", place.command())
}

async fn list_accounts(place: &Place, json: bool) -> anyhow::Result<Said> {
    let Connection { store, .. } = &connect(place).await?;
    let sheep = store.sheep_of(None).await.map_err(Error::from)?;
    let accounts = ops::accounts(store, &sheep).await?;
    if json {
        return Ok(as_json(accounts)?.into());
    }
    if accounts.is_empty() {
        let note = format!(
            "There is no account yet; `{} account add ACCOUNT --key FILE` adds one. On the meadow none is needed.",
            place.command()
        );
        return Ok(Said { lines: Vec::new(), notes: vec![note] });
    }
    Ok(accounts.iter().map(show::account_line).collect::<Vec<_>>().into())
}

/// One JSON object a line.
fn as_json(lines: impl IntoIterator<Item: Serialize>) -> anyhow::Result<Vec<String>> {
    lines.into_iter().map(|line| Ok(serde_json::to_string(&line)?)).collect()
}

/// Makes the flock what `file` says. Asks before it removes sheep, unless `yes` was said.
async fn apply(place: &Place, file: FlockFile, yes: bool) -> anyhow::Result<Said> {
    let asked = {
        let connection = connect(place).await?;
        let Connection { store, clock, .. } = &connection;
        let plan = ops::plan(store, file.clone(), clock.now()).await?;
        // Nobody is asked about what cannot be done.
        plan.refuse_missing()?;
        if yes || plan.removes().is_empty() {
            let (text, nothing) = (plan.to_string(), plan.is_empty());
            carry_out(&connection, plan).await?;
            let applied = (!nothing).then(applied);
            let lines = std::iter::once(text).chain(applied).collect();
            return Ok(Said { lines, notes: stop_note(&connection).await? });
        }
        plan
    };
    // The table is let go while somebody thinks about it: others wait for it.
    let removes = asked.removes();
    let deed = format!("this removes {} of flock {}", ask::named(removes), asked.flock());
    let question =
        format!("This removes {}; what was posted stays. Apply it?", ask::number(removes));
    ask::consent(&deed, || print(&asked.to_string()), &question)?;
    let connection = connect(place).await?;
    let plan = ops::plan(&connection.store, file, connection.clock.now()).await?;
    if !plan.is_same_as(&asked) {
        return Err(refuse(
            "the flock was changed by somebody else meanwhile; nothing was applied; look at the new plan \
             and try again",
        ));
    }
    carry_out(&connection, plan).await?;
    Ok(Said { lines: vec![applied()], notes: stop_note(&connection).await? })
}

fn applied() -> String {
    "Applied.".to_owned()
}

/// Applies the plan, showing on the terminal how far that is.
pub(crate) async fn carry_out(connection: &Connection, plan: Plan) -> anyhow::Result<()> {
    let Connection { store, clock, .. } = connection;
    let line = format!("flock apply {}", plan.flock());
    // Drawn on the terminal alone, and gone when done.
    let bar = ProgressBar::no_length().with_style(
        ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}")
            .expect("the template is well-formed"),
    );
    let progress = |what, done, of| {
        bar.set_message(what);
        bar.set_length(of);
        bar.set_position(done);
    };
    let applied = noted(connection, line, async |noted| {
        Box::pin(plan.apply(store, noted, clock.now(), &progress)).await
    });
    let applied = applied.await;
    bar.finish_and_clear();
    applied
}

/// Removes the flock. Asks first, unless `yes` was said.
async fn remove(place: &Place, name: &FlockName, yes: bool) -> anyhow::Result<Said> {
    let sheep = {
        let Connection { store, clock, .. } = &connect(place).await?;
        // Says which flocks there are when this one is not.
        let sheep = store.sheep_of(Some(name)).await.map_err(Error::from)?;
        // Nobody is asked about what cannot be done.
        ops::refuse_to_remove(&sheep, clock.now())?;
        sheep
    };
    if !yes {
        let deed = format!("this removes flock {name} and its {}", ask::named(&sheep));
        let list = || {
            print(&format!("flock {name}:"))?;
            sheep.iter().try_for_each(|sheep| print(&format!("  - remove {}", ops::loss(sheep))))
        };
        let number = ask::number(&sheep);
        let question = format!("Remove flock {name} and its {number}? What was posted stays.");
        ask::consent(&deed, list, &question)?;
    }
    let connection = connect(place).await?;
    let Connection { store, clock, .. } = &connection;
    let count = noted(&connection, format!("flock remove {name}"), async |noted| {
        ops::remove_flock(store, noted, name, &sheep, clock.now()).await
    });
    let count = count.await?;
    Ok(vec![format!(
        "Removed flock {name} and its {count} sheep. What they posted stays, and is listed with \
         `flockwork posts --sheep {name}/SHEEP`."
    )]
    .into())
}

async fn sheep(place: &Place, command: SheepCommand) -> anyhow::Result<Said> {
    let connection = &connect(place).await?;
    let Connection { store, clock, .. } = connection;
    let find = async |name: &str| store.find_sheep(None, name).await.map_err(Error::from);
    let lines = match command {
        SheepCommand::List { flock, json } => {
            return list_sheep(place, connection, flock.as_ref(), json).await;
        }
        SheepCommand::Show { sheep, json } => {
            let sheep = find(&sheep).await?;
            let asides = store.newest_asides(&sheep.id, show::ASIDES + 1).await?;
            if json {
                as_json([ops::SheepPage::new(&sheep, &asides)])?
            } else {
                vec![show::sheep_page(&sheep, &asides, &connection.program)]
            }
        }
        SheepCommand::Pause { sheep } => {
            let sheep = find(&sheep).await?;
            steer(connection, (JobKind::Pause, "pause"), sheep, clock.now()).await?
        }
        SheepCommand::Resume { sheep } => {
            let sheep = find(&sheep).await?;
            let is_over = matches!(sheep.state, State::Finished { .. });
            if is_over && sheep.resume(clock.now()) == sheep {
                return Err(refuse(format!("{} {}", sheep.id, sheep.ended())));
            }
            steer(connection, (JobKind::Resume, "resume"), sheep, clock.now()).await?
        }
        SheepCommand::Move { sheep, account } => {
            let sheep = find(&sheep).await?;
            let (id, old) = (sheep.id.clone(), sheep.config.account.clone());
            let line = format!("sheep move {id} {account} (from {old})");
            let moved = noted(connection, line, async |noted| {
                ops::move_sheep(store, noted, sheep, account.clone(), clock.now()).await
            });
            match Box::pin(moved).await? {
                Some(moved) => show::moved(&moved),
                None => vec![format!("{id} posts through {account} already.")],
            }
        }
    };
    Ok(Said { lines, notes: stop_note(connection).await? })
}

async fn list_sheep(
    place: &Place,
    connection: &Connection,
    flock: Option<&FlockName>,
    json: bool,
) -> anyhow::Result<Said> {
    let sheep = connection.store.sheep_of(flock).await.map_err(Error::from)?;
    let lines = if json {
        as_json(sheep.iter().map(ops::SheepLine::new))?
    } else {
        sheep.iter().map(show::sheep_line).collect()
    };
    let none = (!json && lines.is_empty())
        .then(|| format!("There is no sheep yet; {}", how_to_begin(place)));
    let mut notes: Vec<_> = none.into_iter().collect();
    if !json {
        notes.extend(quiet::stopped(&sheep, &connection.program));
    }
    let sheep: Vec<&Sheep> = sheep.iter().collect();
    notes.extend(quiet::nothing_posts(connection, &sheep, json).await?);
    Ok(Said { lines, notes })
}

async fn steer(
    connection: &Connection,
    (what, word): (JobKind, &str),
    sheep: Sheep,
    now: Timestamp,
) -> anyhow::Result<Vec<String>> {
    let line = format!("sheep {word} {}", sheep.id);
    let steered = noted(connection, line, async |noted: &Noted| {
        ops::steer(&connection.store, noted, what, sheep, now).await
    });
    let sheep = steered.await?.sheep;
    let ended = matches!(sheep.state, State::Finished { .. });
    let ended = ended.then(|| format!("{} {}", sheep.id, sheep.ended()));
    Ok(std::iter::once(show::sheep_line(&sheep)).chain(ended).collect())
}

/// That everything is stopped, if it is: to be said after what would come to pass otherwise.
async fn stop_note(connection: &Connection) -> anyhow::Result<Vec<String>> {
    Ok(connection.store.control().await?.stopped.iter().map(show::stopped).collect())
}

async fn posts(place: &Place, options: &Posts) -> anyhow::Result<Said> {
    let Connection { store, .. } = &connect(place).await?;
    let Posts { flock, sheep, limit, json } = options;
    let posts = ops::posts(store, flock.as_ref(), sheep.as_deref(), *limit).await?;
    if *json {
        return Ok(as_json(posts.posts.iter().map(ops::PostLine::new))?.into());
    }
    let none = posts.posts.is_empty() && 0 < *limit;
    let lines = posts.posts.iter().map(|post| show::post_line(post, &posts.zone(post)));
    let notes = none.then(|| "Nothing was posted yet.".to_owned());
    Ok(Said { lines: lines.collect(), notes: notes.into_iter().collect() })
}

async fn spend(place: &Place, options: &Spend) -> anyhow::Result<Vec<String>> {
    let Connection { store, clock, .. } = &connect(place).await?;
    let standings = ops::spend(store, options.flock.as_ref(), clock.now()).await?;
    if options.json {
        return as_json(standings.iter().map(ops::StandingLine::new));
    }
    if standings.is_empty() {
        return Ok(vec!["No flock pays for anything.".to_owned()]);
    }
    Ok(standings.iter().map(ToString::to_string).collect())
}

async fn audit(place: &Place, options: &Audit) -> anyhow::Result<Vec<String>> {
    let Connection { store, clock, .. } = &connect(place).await?;
    let mut entries = store.newest_audit(clock.now(), options.limit).await?;
    entries.reverse();
    if options.json {
        return as_json(entries.iter().map(ops::AuditLine::new));
    }
    if entries.is_empty() && 0 < options.limit {
        return Ok(vec!["Nobody has changed anything yet.".to_owned()]);
    }
    Ok(entries.iter().map(show::audit_line).collect())
}

fn say(said: &Said) -> anyhow::Result<()> {
    print_all(&said.lines).context("what was asked for is done, but it cannot be shown")?;
    for note in &said.notes {
        writeln!(io::stderr(), "{note}")?;
    }
    Ok(())
}

fn print_all(lines: &[String]) -> anyhow::Result<()> {
    lines.iter().try_for_each(|line| print(line))
}

fn print(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}")?;
    Ok(())
}
