//! Carries out one command. What it says is printed when it has let the data directory go: whoever reads it may take
//! any time, and others wait for the directory.

use flock_core::{
    FlockName, JobKind, Network, Occurrence, Purpose, Sheep, State, View, WHILE_STOPPED, Whom,
    one_line,
};
use flock_ops::{self as ops, Error, FlockFile, NetworkLine, Noted, Plan, PlanLine};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    account, ask, check,
    cli::{
        AccountCommand, Audit, Cli, Command, FlockCommand, Place, Posts, Run, SheepCommand, Slack,
        SlackCommand, Spend, Why,
    },
    connect::{Connection, connect, look},
    data_dir::DataDir,
    deployed,
    do_for::do_for,
    doctor, environment, flock_file, import, init,
    operator::noted,
    preview, queue,
    refusal::{missing, refuse, refused},
    ring, rotate, run,
    screen::{Said, Screen, What},
    shell, show, sign_in, silence, slack,
    table::wrapped,
    terminal::Paint,
    walk, wipe,
};

/// Does what `cli` says. Where a run was asked that is gone now, that is what went wrong.
pub async fn execute(cli: Cli) -> anyhow::Result<()> {
    let place = cli.place.clone();
    let asks_run = !place.aws && !matches!(cli.command, None | Some(Command::Run(_)));
    let run = if asks_run { DataDir::served_at(&place.data).ok().flatten() } else { None };
    let done = Box::pin(carry_out_command(cli)).await;
    if let (Err(err), Some(run)) = (&done, &run)
        && refused(err, &place).is_none()
        && DataDir::has_ended(&place.data, run).await
    {
        let dir = place.data.display();
        let why = err.root_cause();
        return Err(anyhow::anyhow!(
            "the `flockwork run` that had {dir} ended before it had answered ({why}); look what is there, and give the \
             command again"
        ));
    }
    if let (Err(err), Some(table)) = (&done, &place.table)
        && deployed::has_other_keys(err)
    {
        return Err(refuse(deployed::other_keys(table)));
    }
    done
}

async fn carry_out_command(cli: Cli) -> anyhow::Result<()> {
    let Cli { place, look, command } = cli;
    place.check().map_err(refuse)?;
    let screen = &Screen::new(&look);
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
        Command::Run(options) => Box::pin(run::run(&place, &options, look.quiet)).await,
        Command::Init(options) => screen.say(init::init(&place, &options)?),
        Command::Doctor(options) => Box::pin(doctor::doctor(&place, screen, &options)).await,
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { dir } => shell::man_pages(&dir),
        Command::Flock(command) => Box::pin(flock(&place, screen, command)).await,
        Command::Sheep(command) => Box::pin(sheep(&place, screen, command)).await,
        Command::Queue(command) => Box::pin(queue::queue(&place, screen, command)).await,
        Command::Stop => screen.say(stop(&place).await?),
        Command::Start => screen.say(start(&place).await?),
        Command::Wipe(options) => Box::pin(wipe::wipe(&place, screen, &options)).await,
        Command::Posts(options) => screen.page(posts(&place, screen, &options).await?),
        Command::Why(options) => screen.page(why(&place, &options).await?),
        Command::Preview(options) => preview::preview(&place, screen, &options).await,
        Command::Slack(Slack { command: Some(SlackCommand::Manifest { url }), .. }) => {
            slack::manifest(&url)
        }
        Command::Slack(Slack { command: Some(SlackCommand::Link), .. }) => slack::link(&place),
        Command::Env { export } => environment::print(&place, export),
        Command::Slack(Slack { say, command: None }) => slack::say(&place, &say).await,
        Command::Account(command) => account(&place, screen, command).await,
        Command::Ring(command) => Box::pin(ring::ring(&place, screen, command)).await,
        Command::Spend(options) => screen.page(spend(&place, &options).await?),
        Command::Audit(options) => screen.page(audit(&place, screen, &options).await?),
        Command::Networks { network, json } => screen.page(networks(screen, network, json)?),
    }
}

fn networks(screen: &Screen, network: Option<Network>, json: bool) -> anyhow::Result<Said> {
    const ONE_IN_FULL: &str = "One in full: `flockwork networks NAME`.";
    if json {
        let networks = network.map_or_else(|| Network::ALL.to_vec(), |network| vec![network]);
        return Ok(as_json(networks.into_iter().flat_map(NetworkLine::of))?.into());
    }
    let what = match (network, screen.window) {
        (Some(network), _) => What::Rows(vec![ops::network(network)]),
        (None, None) => {
            let mut lines = show::network_lines(screen.paint);
            lines.push(screen.paint.commands(ONE_IN_FULL));
            What::Shown(lines)
        }
        (None, Some(window)) => {
            let width = window.columns;
            let tables = show::network_tables(width).into_iter();
            let lines = tables.flat_map(|table| {
                table.lines(width, screen.paint).into_iter().chain([String::new()])
            });
            let words = ops::NETWORKS_WORDS.into_iter().chain([ONE_IN_FULL]);
            let words = words.flat_map(|word| wrapped(word, width, Paint::NONE));
            What::Shown(lines.chain(words).collect())
        }
    };
    Ok(Said { what, ..Said::default() })
}

async fn account(place: &Place, screen: &Screen, command: AccountCommand) -> anyhow::Result<()> {
    match command {
        AccountCommand::Add(options) => {
            screen.say(Box::pin(account::add(place, &options)).await?.into())
        }
        AccountCommand::Connect(options) => {
            let said = sign_in::connect_account(place, Purpose::Connect, &options);
            screen.say(Box::pin(said).await?)
        }
        AccountCommand::Renew(options) => {
            let said = sign_in::connect_account(place, Purpose::Renew, &options);
            screen.say(Box::pin(said).await?)
        }
        AccountCommand::Walk(options) => {
            let done = Some(Box::pin(walk::walk(place, &options)).await?);
            screen.say(Said { done, ..Said::default() })
        }
        AccountCommand::Import(options) => Box::pin(import::import(place, screen, &options)).await,
        AccountCommand::List { json } => screen.page(list_accounts(place, screen, json).await?),
        AccountCommand::Show { account, json } => {
            let page = {
                let Connection { store, .. } = &look(place).await?;
                ops::account(store, &account).await?
            };
            if json {
                return screen.page(as_json([page])?.into());
            }
            let what = What::Rows(vec![show::rows(&page.rows())]);
            screen.page(Said { what, ..Said::default() })
        }
        AccountCommand::Do { account, options } => {
            Box::pin(do_for(place, screen, Whom::Account(account), &options)).await
        }
        AccountCommand::Check(options) => check::check(place, screen, &options).await,
        AccountCommand::Rotate(options) => {
            screen.say(Box::pin(rotate::rotate(place, screen, &options)).await?)
        }
        AccountCommand::Remove { account, yes } => {
            let done = Some(account::remove(place, &account, yes).await?);
            screen.say(Said { done, ..Said::default() })
        }
    }
}

async fn flock(place: &Place, screen: &Screen, command: FlockCommand) -> anyhow::Result<()> {
    match command {
        FlockCommand::Plan { dir, json } => {
            let file = flock_file::read(&dir).map_err(|err| refuse(err.to_string()))?;
            let said = {
                let Connection { store, clock, .. } = &look(place).await?;
                let plan = ops::plan(store, file, clock.now()).await?;
                if json {
                    as_json([PlanLine::new(&plan)])?
                } else {
                    let missing = missing(plan.missing(), place);
                    std::iter::once(plan.to_string()).chain(missing).collect()
                }
            };
            screen.page(said.into())
        }
        FlockCommand::Apply { dir, yes } => {
            let file = flock_file::read(&dir).map_err(|err| refuse(err.to_string()))?;
            screen.say(Box::pin(apply(place, screen, file, yes)).await?)
        }
        FlockCommand::List { json } => screen.page(list_flocks(place, screen, json).await?),
        FlockCommand::Do { name, options } => {
            Box::pin(do_for(place, screen, Whom::Flock(name), &options)).await
        }
        FlockCommand::Remove { name, yes } => screen.say(remove(place, screen, &name, yes).await?),
    }
}

async fn list_flocks(place: &Place, screen: &Screen, json: bool) -> anyhow::Result<Said> {
    let Connection { store, .. } = &look(place).await?;
    let flocks = ops::flocks(store).await?;
    if json {
        return Ok(as_json(flocks)?.into());
    }
    if flocks.is_empty() {
        return Ok(none(format!("There is no flock yet; {}", how_to_begin(place))));
    }
    let lines = |paint| flocks.iter().map(|flock| show::flock_line(flock, paint)).collect();
    let what = screen.list(|| show::flock_table(&flocks), lines);
    Ok(Said { what, ..Said::default() })
}

/// A list without anything in it, and what people should know of that.
fn none(note: String) -> Said {
    Said { notes: vec![note], ..Said::default() }
}

/// How there comes to be a flock: the end of a sentence.
fn how_to_begin(place: &Place) -> String {
    format!("`flockwork init DIR` writes one, and `{} flock apply DIR` makes it.", place.command())
}

async fn list_accounts(place: &Place, screen: &Screen, json: bool) -> anyhow::Result<Said> {
    let Connection { store, .. } = &look(place).await?;
    let sheep = store.sheep_of(None).await.map_err(Error::from)?;
    let accounts = ops::accounts(store, &sheep).await?;
    if json {
        return Ok(as_json(accounts)?.into());
    }
    if accounts.is_empty() {
        return Ok(none(format!(
            "There is no account yet; `{}` adds one. On the meadow none is needed.",
            place.connect_account("ACCOUNT", false)
        )));
    }
    let lines = |paint| accounts.iter().map(|account| show::account_line(account, paint)).collect();
    let what = screen.list(|| show::account_table(&accounts), lines);
    Ok(Said { what, ..Said::default() })
}

/// One JSON object a line.
pub(crate) fn as_json(lines: impl IntoIterator<Item: Serialize>) -> anyhow::Result<Vec<String>> {
    lines.into_iter().map(|line| Ok(harmless_json(&serde_json::to_string(&line)?))).collect()
}

/// The same JSON, in which nothing commands a terminal: of such characters it leaves some as they are.
fn harmless_json(json: &str) -> String {
    let is_letter =
        |c: char| (' '..='~').contains(&c) || one_line(c.encode_utf8(&mut [0; 4])).contains(c);
    // All others are within the first plane.
    let escaped = |c: char| format!("\\u{:04x}", u32::from(c));
    let parts = json.split_inclusive(|c| !is_letter(c)).map(|part| {
        let last = part.chars().next_back().filter(|last| !is_letter(*last));
        let (rest, _) = part.split_at(part.len() - last.map_or(0, char::len_utf8));
        rest.to_owned() + &last.map(escaped).unwrap_or_default()
    });
    parts.collect()
}

/// Makes the flock what `file` says. Asks before it removes sheep, unless `yes` was said.
async fn apply(place: &Place, screen: &Screen, file: FlockFile, yes: bool) -> anyhow::Result<Said> {
    let asked = {
        let connection = connect(place).await?;
        let Connection { store, clock, .. } = &connection;
        let plan = ops::plan(store, file.clone(), clock.now()).await?;
        // Nobody is asked about what cannot be done.
        plan.refuse_missing()?;
        if yes || plan.removes().is_empty() {
            let (text, nothing) = (plan.to_string(), plan.is_empty());
            carry_out(&connection, screen, plan).await?;
            let (what, done) = (What::Lines(vec![text]), (!nothing).then(applied));
            return Ok(Said { what, done, notes: stop_note(&connection).await? });
        }
        plan
    };
    // The table is let go while somebody thinks about it: others wait for it.
    let removes = asked.removes();
    let deed = format!("this removes {} of flock {}", ask::named(removes), asked.flock());
    let question =
        format!("This removes {}; what was posted stays. Apply it?", ask::number(removes));
    ask::consent(&deed, || screen.say(asked.to_string().into()), &question)?;
    let connection = connect(place).await?;
    let plan = ops::plan(&connection.store, file, connection.clock.now()).await?;
    if !plan.is_same_as(&asked) {
        return Err(refuse(
            "the flock was changed by somebody else meanwhile; nothing was applied; look at the new plan \
             and try again",
        ));
    }
    carry_out(&connection, screen, plan).await?;
    let notes = stop_note(&connection).await?;
    Ok(Said { done: Some(applied()), notes, ..Said::default() })
}

fn applied() -> String {
    "Applied.".to_owned()
}

/// Applies the plan, showing on the terminal how far that is.
async fn carry_out(connection: &Connection, screen: &Screen, plan: Plan) -> anyhow::Result<()> {
    let Connection { store, clock, .. } = connection;
    let line = format!("flock apply {}", plan.flock());
    let bar = screen.progress();
    let progress = |what, done, of| {
        bar.update(|state| {
            state.set_len(of);
            state.set_pos(done);
        });
        bar.set_message(what);
    };
    let applied = noted(connection, line, async |noted| {
        Box::pin(plan.apply(store, noted, clock.now(), &progress)).await
    });
    let applied = applied.await;
    bar.finish_and_clear();
    applied
}

/// Removes the flock. Asks first, unless `yes` was said.
async fn remove(
    place: &Place,
    screen: &Screen,
    name: &FlockName,
    yes: bool,
) -> anyhow::Result<Said> {
    let sheep = {
        let Connection { store, clock, .. } = &look(place).await?;
        // Says which flocks there are when this one is not.
        let sheep = store.sheep_of(Some(name)).await.map_err(Error::from)?;
        // Nobody is asked about what cannot be done.
        ops::refuse_to_remove(&sheep, clock.now())?;
        sheep
    };
    if !yes {
        let deed = format!("this removes flock {name} and its {}", ask::named(&sheep));
        let mut losses = Vec::new();
        {
            let Connection { store, .. } = &look(place).await?;
            for sheep in &sheep {
                losses.push(ops::loss(sheep, ops::added_to(store, sheep).await?));
            }
        }
        let list = || {
            let lines = losses.iter().map(|loss| format!("  - remove {loss}"));
            let lines: Vec<_> = std::iter::once(format!("flock {name}:")).chain(lines).collect();
            screen.say(lines.into())
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
    let done = format!(
        "Removed flock {name} and its {count} sheep. What they posted stays, and is listed with \
         `flockwork posts --sheep {name}/SHEEP`."
    );
    Ok(Said { done: Some(done), ..Said::default() })
}

async fn sheep(place: &Place, screen: &Screen, command: SheepCommand) -> anyhow::Result<()> {
    let is_look = matches!(command, SheepCommand::List { .. } | SheepCommand::Show { .. });
    let said = Box::pin(about_sheep(place, screen, command)).await?;
    if is_look { screen.page(said) } else { screen.say(said) }
}

async fn about_sheep(
    place: &Place,
    screen: &Screen,
    command: SheepCommand,
) -> anyhow::Result<Said> {
    // Where nothing is there yet, there is no sheep to change either.
    let connection = &look(place).await?;
    let Connection { store, clock, .. } = connection;
    let now = clock.now();
    let find = async |name: &str| store.find_sheep(None, name).await.map_err(Error::from);
    let lines = match command {
        SheepCommand::List { flock, json } => {
            return list_sheep(place, connection, screen, flock.as_ref(), json).await;
        }
        SheepCommand::Show { sheep, json } => {
            let sheep = find(&sheep).await?;
            let asides = store.newest_asides(&sheep.id, show::ASIDES + 1).await?;
            let stop = store.control().await?.stopped;
            let what = if json {
                What::Lines(as_json([ops::SheepPage::new(&sheep, &asides)])?)
            } else {
                let view = silence::view(connection, stop.as_ref(), &[&sheep]);
                let view = screen.window.map(|_| &view);
                What::Rows(vec![show::sheep_page(&sheep, &asides, &connection.program, view)])
            };
            let notes = silence::nothing_posts(connection, stop.as_ref(), &[&sheep], json);
            return Ok(Said { what, notes: notes.into_iter().collect(), ..Said::default() });
        }
        SheepCommand::Pause { sheep } => {
            let sheep = find(&sheep).await?;
            steer(connection, (JobKind::Pause, "pause"), sheep, now).await?
        }
        SheepCommand::Resume { sheep } => {
            let sheep = find(&sheep).await?;
            let is_over = matches!(sheep.state, State::Finished { .. });
            if is_over && sheep.resume(now) == sheep {
                return Err(refuse(format!("{} {}", sheep.id, sheep.ended())));
            }
            steer(connection, (JobKind::Resume, "resume"), sheep, now).await?
        }
        SheepCommand::Redraw { sheep } => {
            let sheep = find(&sheep).await?;
            let line = format!("sheep redraw {}", sheep.id);
            let redrawn =
                noted(connection, line, async |noted| ops::redraw(store, noted, sheep).await);
            let id = Box::pin(redrawn).await?.id;
            vec![format!("{id} draws its texts anew; `preview --sheep {id}` shows what comes.")]
        }
        SheepCommand::Move { sheep, account } => {
            let sheep = find(&sheep).await?;
            let (id, old) = (sheep.id.clone(), sheep.config.account.clone());
            let line = format!("sheep move {id} {account} (from {old})");
            let moved = noted(connection, line, async |noted| {
                ops::move_sheep(store, noted, sheep, account.clone(), now).await
            });
            match Box::pin(moved).await? {
                Some(moved) => show::moved(&moved),
                None => vec![format!("{id} posts through {account} already.")],
            }
        }
    };
    Ok(Said { what: What::Lines(lines), notes: stop_note(connection).await?, ..Said::default() })
}

async fn list_sheep(
    place: &Place,
    connection: &Connection,
    screen: &Screen,
    flock: Option<&FlockName>,
    json: bool,
) -> anyhow::Result<Said> {
    let sheep = connection.store.sheep_of(flock).await.map_err(Error::from)?;
    let stop = connection.store.control().await?.stopped;
    let what = if json {
        What::Lines(as_json(sheep.iter().map(ops::SheepLine::new))?)
    } else if sheep.is_empty() {
        What::default()
    } else {
        let view = silence::view(connection, stop.as_ref(), &sheep.iter().collect::<Vec<_>>());
        let table = || show::sheep_table(&sheep, &view);
        let lines = |paint| sheep.iter().map(|sheep| show::sheep_line(sheep, paint)).collect();
        screen.list(table, lines)
    };
    let none = (!json && sheep.is_empty())
        .then(|| format!("There is no sheep yet; {}", how_to_begin(place)));
    let mut notes: Vec<_> = none.into_iter().collect();
    if !json {
        notes.extend(silence::stopped(&sheep, &connection.program));
    }
    let sheep: Vec<&Sheep> = sheep.iter().collect();
    notes.extend(silence::nothing_posts(connection, stop.as_ref(), &sheep, json));
    Ok(Said { what, notes, ..Said::default() })
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
    Ok(std::iter::once(show::sheep_line(&sheep, Paint::NONE)).chain(ended).collect())
}

/// Stops everything.
async fn stop(place: &Place) -> anyhow::Result<Said> {
    let connection = connect(place).await?;
    let store = &connection.store;
    let stop = async |noted: &Noted| {
        if ops::stop(store, noted).await? {
            return Ok(());
        }
        let since = store.control().await?.stopped.as_ref().map(show::stopped);
        let gone = || "everything was stopped already, and goes on by now".to_owned();
        Err(Error::refused(since.unwrap_or_else(gone)))
    };
    noted(&connection, "stop".to_owned(), stop).await?;
    let done = format!(
        "Everything is stopped: within a minute nothing is posted any more. `{} start` lets it go on. {WHILE_STOPPED}",
        connection.program
    );
    Ok(Said { done: Some(done), ..Said::default() })
}

/// Lets everything go on.
async fn start(place: &Place) -> anyhow::Result<Said> {
    let connection = connect(place).await?;
    let start = async |noted: &Noted| {
        let was_stopped = ops::start(&connection.store, noted).await?;
        if was_stopped { Ok(()) } else { Err(Error::refused("nothing was stopped".to_owned())) }
    };
    noted(&connection, "start".to_owned(), start).await?;
    Ok(Said { done: Some(format!("Everything goes on. {WHILE_STOPPED}")), ..Said::default() })
}

/// That everything is stopped, if it is: to be said after what would come to pass otherwise.
async fn stop_note(connection: &Connection) -> anyhow::Result<Vec<String>> {
    Ok(connection.store.control().await?.stopped.iter().map(show::stopped).collect())
}

async fn posts(place: &Place, screen: &Screen, options: &Posts) -> anyhow::Result<Said> {
    let Connection { store, clock, .. } = &look(place).await?;
    let Posts { flock, sheep, limit, json } = options;
    let found = ops::posts(store, flock.as_ref(), sheep.as_deref(), *limit).await?;
    let posts = &found.posts;
    if *json {
        return Ok(as_json(posts.iter().map(ops::PostLine::new))?.into());
    }
    if posts.is_empty() {
        let notes = (0 < *limit).then(|| "Nothing was posted yet.".to_owned());
        return Ok(Said { notes: notes.into_iter().collect(), ..Said::default() });
    }
    let lines =
        |paint| posts.iter().map(|post| show::post_line(post, &found.zone(post), paint)).collect();
    let what = screen.list(|| show::post_table(posts, &found.view(clock.now())), lines);
    Ok(Said { what, ..Said::default() })
}

async fn why(place: &Place, Why { sheep, number, json }: &Why) -> anyhow::Result<Said> {
    let Connection { store, .. } = &look(place).await?;
    let why = ops::why(store, sheep, number.map(Occurrence)).await?;
    if *json {
        return Ok(as_json(why.iter().map(ops::WhyLine::new))?.into());
    }
    let Some(why) = why else {
        return Ok(Said { notes: vec!["Nothing was posted yet.".to_owned()], ..Said::default() });
    };
    Ok(show::rows(&why.rows()).into())
}

async fn spend(place: &Place, options: &Spend) -> anyhow::Result<Said> {
    let Connection { store, clock, .. } = &look(place).await?;
    let standings = ops::spend(store, options.flock.as_ref(), clock.now()).await?;
    if options.json {
        return Ok(as_json(standings.iter().map(ops::StandingLine::new))?.into());
    }
    if standings.is_empty() {
        return Ok("No flock pays for anything.".to_owned().into());
    }
    let what = What::Rows(standings.iter().map(ToString::to_string).collect());
    Ok(Said { what, ..Said::default() })
}

async fn audit(place: &Place, screen: &Screen, options: &Audit) -> anyhow::Result<Said> {
    let Connection { store, clock, .. } = &look(place).await?;
    let now = clock.now();
    let mut entries = store.newest_audit(now, options.limit).await?;
    entries.reverse();
    if options.json {
        return Ok(as_json(entries.iter().map(ops::AuditLine::new))?.into());
    }
    if entries.is_empty() {
        let none = (0 < options.limit).then(|| "Nobody has changed anything yet.".to_owned());
        return Ok(none.into_iter().collect::<Vec<_>>().into());
    }
    let lines = |paint| entries.iter().map(|entry| show::audit_line(entry, paint)).collect();
    let what = screen.list(|| show::audit_table(&entries, &View::utc(now)), lines);
    Ok(Said { what, ..Said::default() })
}
