//! Carries out one command. What it says is printed when it has let the data directory go: whoever reads it may take
//! any time, and others wait for the directory.

use std::{
    convert::Infallible,
    io::{self, Write as _},
};

use anyhow::Context as _;
use flock_core::{FlockName, Sheep, SheepId, State};
use flock_store::{Post, Read, Store};
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    account, ask,
    cli::{
        AccountCommand, Cli, Command, FlockCommand, Place, Posts, Preview, Run, SheepCommand,
        Slack, SlackCommand,
    },
    connect::{Connection, connect},
    environment,
    flock_file::{self, FlockFile},
    moving, networks, plan, preview,
    refusal::{not_changed, not_found, refuse},
    run, show, slack, spend,
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
        Command::Flock(command) => say(&Box::pin(flock(&place, command)).await?),
        Command::Sheep(command) => say(&sheep(&place, command).await?),
        Command::Posts(options) => print_all(&posts(&place, &options).await?),
        Command::Preview(options) => say(&next_posts(&place, &options).await?),
        Command::Slack(Slack { command: Some(SlackCommand::Manifest { url }), .. }) => {
            slack::manifest(&url)
        }
        Command::Slack(Slack { command: Some(SlackCommand::Link), .. }) => slack::link(&place),
        Command::Env { export } => environment::print(&place, export),
        Command::Slack(Slack { say, command: None }) => slack::say(&place, &say).await,
        Command::Account(AccountCommand::Add(options)) => {
            print(&Box::pin(account::add(&place, &options)).await?)
        }
        Command::Account(AccountCommand::Show { account }) => {
            let page = {
                let Connection { store, .. } = &connect(&place).await?;
                account::show(store, &account).await?
            };
            print(&page)
        }
        Command::Spend(options) => {
            let lines = {
                let Connection { store, clock, .. } = &connect(&place).await?;
                spend::lines(store, &options, clock.now()).await?
            };
            print_all(&lines)
        }
        Command::Networks { network } => {
            print(&network.map_or_else(networks::overview, networks::page))
        }
    }
}

async fn flock(place: &Place, command: FlockCommand) -> anyhow::Result<Said> {
    match command {
        FlockCommand::Plan { dir } => {
            let file = flock_file::read(&dir).map_err(|err| refuse(err.to_string()))?;
            let Connection { store, clock, .. } = &connect(place).await?;
            Ok(vec![plan::plan(store, file, clock.now()).await?.to_string()].into())
        }
        FlockCommand::Apply { dir, yes } => {
            let file = flock_file::read(&dir).map_err(|err| refuse(err.to_string()))?;
            Box::pin(apply(place, file, yes)).await
        }
        FlockCommand::List => {
            let Connection { store, .. } = &connect(place).await?;
            let mut lines = Vec::new();
            for flock in store.flocks().await? {
                let sheep = store.sheep_of_flock(&flock).await?;
                let active =
                    sheep.iter().filter(|sheep| matches!(sheep.state, State::Active)).count();
                lines.push(format!("{flock}  {} sheep, {active} active", sheep.len()));
            }
            Ok(lines.into())
        }
        FlockCommand::Remove { name, yes } => remove(place, &name, yes).await,
    }
}

/// Makes the flock what `file` says. Asks before it removes sheep, unless `yes` was said.
async fn apply(place: &Place, file: FlockFile, yes: bool) -> anyhow::Result<Said> {
    let asked = {
        let Connection { store, clock, .. } = &connect(place).await?;
        let now = clock.now();
        let plan = plan::plan(store, file.clone(), now).await?;
        if yes || plan.removes().is_empty() {
            let (text, nothing) = (plan.to_string(), plan.is_empty());
            plan.apply(store, now).await?;
            let applied = (!nothing).then(applied);
            let lines = std::iter::once(text).chain(applied).collect();
            return Ok(Said { lines, notes: stop_note(store).await? });
        }
        plan
    };
    // The table is let go while somebody thinks about it: others wait for it.
    let removes = asked.removes();
    let deed = format!("this removes {} of flock {}", ask::named(removes), asked.flock());
    let question =
        format!("This removes {}; what was posted stays. Apply it?", ask::number(removes));
    ask::consent(&deed, || print(&asked.to_string()), &question)?;
    let Connection { store, clock, .. } = &connect(place).await?;
    let now = clock.now();
    let plan = plan::plan(store, file, now).await?;
    if !plan.is_same_as(&asked) {
        return Err(refuse(
            "the flock was changed by somebody else meanwhile; nothing was applied; look at the new plan \
             and try again",
        ));
    }
    plan.apply(store, now).await?;
    Ok(Said { lines: vec![applied()], notes: stop_note(store).await? })
}

fn applied() -> String {
    "Applied.".to_owned()
}

/// Removes the flock. Asks first, unless `yes` was said.
async fn remove(place: &Place, name: &FlockName, yes: bool) -> anyhow::Result<Said> {
    let sheep = {
        let Connection { store, clock, .. } = &connect(place).await?;
        // Says which flocks there are when this one is not.
        let sheep = store.sheep_of(Some(name)).await.map_err(not_found)?;
        // Nobody is asked about what cannot be done.
        plan::refuse_to_remove(&sheep, clock.now())?;
        sheep
    };
    if !yes {
        let deed = format!("this removes flock {name} and its {}", ask::named(&sheep));
        let list = || {
            print(&format!("flock {name}:"))?;
            sheep.iter().try_for_each(|sheep| print(&format!("  - remove {}", ask::loss(sheep))))
        };
        let number = ask::number(&sheep);
        let question = format!("Remove flock {name} and its {number}? What was posted stays.");
        ask::consent(&deed, list, &question)?;
    }
    let Connection { store, clock, .. } = &connect(place).await?;
    let count = plan::remove_flock(store, name, &sheep, clock.now()).await?;
    Ok(vec![format!(
        "Removed flock {name} and its {count} sheep. What they posted stays, and is listed with \
         `flockwork posts --sheep {name}/SHEEP`."
    )]
    .into())
}

async fn sheep(place: &Place, command: SheepCommand) -> anyhow::Result<Said> {
    let Connection { store, clock, .. } = &connect(place).await?;
    let lines = steer(store, command, clock.now()).await?;
    Ok(Said { lines, notes: stop_note(store).await? })
}

async fn steer(
    store: &Store,
    command: SheepCommand,
    now: Timestamp,
) -> anyhow::Result<Vec<String>> {
    match command {
        SheepCommand::List { flock, json } => {
            let sheep = store.sheep_of(flock.as_ref()).await.map_err(not_found)?;
            let lines = sheep.iter().map(|sheep| {
                Ok(if json {
                    serde_json::to_string(&show::SheepLine::new(sheep))?
                } else {
                    show::sheep_line(sheep)
                })
            });
            lines.collect()
        }
        SheepCommand::Show { sheep } => {
            let sheep = store.find_sheep(None, &sheep).await.map_err(not_found)?;
            let asides = store.newest_asides(&sheep.id, show::ASIDES + 1).await?;
            Ok(vec![show::sheep_page(&sheep, &asides)])
        }
        SheepCommand::Pause { sheep } => {
            let sheep = store.find_sheep(None, &sheep).await.map_err(not_found)?;
            change(store, sheep, |sheep| sheep.pause(now)).await
        }
        SheepCommand::Move { sheep, account } => {
            let sheep = store.find_sheep(None, &sheep).await.map_err(not_found)?;
            Ok(vec![moving::move_sheep(store, sheep, account, now).await?])
        }
        SheepCommand::Resume { sheep } => {
            let sheep = store.find_sheep(None, &sheep).await.map_err(not_found)?;
            let is_over = matches!(sheep.state, State::Finished { .. });
            if is_over && sheep.resume(now) == sheep {
                return Err(refuse(format!("{} {}", sheep.id, sheep.ended())));
            }
            change(store, sheep, |sheep| sheep.resume(now)).await
        }
    }
}

async fn change(
    store: &Store,
    sheep: Sheep,
    transition: impl Fn(&Sheep) -> Sheep,
) -> anyhow::Result<Vec<String>> {
    let transition = |sheep: &Sheep| Ok::<_, Infallible>(transition(sheep));
    let Ok(sheep) = store.change_sheep(sheep, transition).await.map_err(not_changed)?;
    let ended = matches!(sheep.state, State::Finished { .. });
    let ended = ended.then(|| format!("{} {}", sheep.id, sheep.ended()));
    Ok(std::iter::once(show::sheep_line(&sheep)).chain(ended).collect())
}

/// That everything is stopped, if it is: to be said after what would come to pass otherwise.
async fn stop_note(store: &Store) -> anyhow::Result<Vec<String>> {
    Ok(store.control().await?.stopped.iter().map(show::stopped).collect())
}

async fn posts(place: &Place, options: &Posts) -> anyhow::Result<Vec<String>> {
    let Connection { store, .. } = &connect(place).await?;
    let removed = removed(store, options).await?;
    let (sheep, posts) = if removed.is_empty() {
        let sheep = meant(store, options.flock.as_ref(), options.sheep.as_deref()).await?;
        let posts = store.newest_posts_of(&sheep, options.limit).await?;
        (sheep, posts)
    } else {
        (Vec::new(), removed)
    };
    let zone = |post: &Post| {
        let sheep = sheep.iter().find(|sheep| sheep.id == post.sheep);
        sheep.map_or(TimeZone::UTC, |sheep| sheep.config.rhythm.zone().clone())
    };
    let lines = posts.iter().map(|post| {
        Ok(if options.json {
            serde_json::to_string(&show::PostLine::new(post))?
        } else {
            show::post_line(post, &zone(post))
        })
    });
    lines.collect()
}

/// The posts of a sheep that was named in full and is there no more.
async fn removed(store: &Store, options: &Posts) -> anyhow::Result<Vec<Post>> {
    let Some(Ok(id)) = options.sheep.as_ref().map(|sheep| sheep.parse::<SheepId>()) else {
        return Ok(Vec::new());
    };
    if store.sheep(&id, Read::Consistent).await?.is_some() {
        return Ok(Vec::new());
    }
    let mut posts = store.newest_posts(&id, options.limit).await?;
    posts.reverse();
    Ok(posts)
}

async fn next_posts(place: &Place, options: &Preview) -> anyhow::Result<Said> {
    let Connection { store, clock, .. } = &connect(place).await?;
    let sheep = meant(store, options.flock.as_ref(), options.sheep.as_deref()).await?;
    let posts = store.upcoming(&sheep, clock.now(), options.count).await?;
    let lines = posts.iter().map(|post| {
        Ok(if options.json {
            serde_json::to_string(&preview::UpcomingLine::new(post))?
        } else {
            preview::upcoming_line(post)
        })
    });
    let lines = lines.collect::<anyhow::Result<_>>()?;
    let notes = preview::silent(&sheep).into_iter().chain(stop_note(store).await?).collect();
    Ok(Said { lines, notes })
}

async fn meant(
    store: &Store,
    flock: Option<&FlockName>,
    sheep: Option<&str>,
) -> anyhow::Result<Vec<Sheep>> {
    match sheep {
        Some(sheep) => Ok(vec![store.find_sheep(flock, sheep).await.map_err(not_found)?]),
        None => store.sheep_of(flock).await.map_err(not_found),
    }
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
