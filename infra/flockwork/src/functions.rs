//! The functions that are linked into the command, and what the local run gives all functions. Any other function of the
//! template is built and run as the program it is.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use axum::Router;
use flock_aws::{Clock, Config, SdkConfig};
use futures_util::future::BoxFuture;
use local_cloud::{
    functions::{self, Linked, Lookup, Running, Variables},
    template::{Function, Template},
};
use serde_json::Value;

use crate::{connect::LOCAL_NAME, page, refusal::refuse};

/// Those that are linked in, and run with `--speed`, too.
pub const LINKED: &[Linked] = &[
    Linked { name: "sheep-tick", answers_http: false, check, start: start_sheep_tick },
    Linked { name: "slash-command", answers_http: true, check, start: start_slash_command },
];

/// The Slack user who owns the rooms of the local Slack, unless the template says who.
const FIRST_OWNER: &str = "U1";

/// The setting that lets networks be on this machine.
pub const NETWORKS_ON_LOOPBACK: &str = "NETWORKS_ON_LOOPBACK";

/// The room that is told what stopped, unless the template says which.
const SLACK_ROOM: &str = "C1";

fn check(lookup: Lookup<'_>) -> Result<(), flock_aws::ConfigError> {
    Config::from_lookup(lookup).map(drop)
}

fn start_sheep_tick<'a>(
    lookup: Lookup<'a>,
    aws: &'a SdkConfig,
    clock: Clock,
) -> BoxFuture<'a, anyhow::Result<Arc<dyn Running>>> {
    Box::pin(async move {
        let app = sheep_tick::App::start(Config::from_lookup(lookup)?, aws, clock).await?;
        Ok(Arc::new(SheepTick(app)) as Arc<dyn Running>)
    })
}

fn start_slash_command<'a>(
    lookup: Lookup<'a>,
    aws: &'a SdkConfig,
    clock: Clock,
) -> BoxFuture<'a, anyhow::Result<Arc<dyn Running>>> {
    Box::pin(async move {
        let app = slash_command::App::start(Config::from_lookup(lookup)?, aws, clock).await?;
        Ok(Arc::new(SlashCommand(Arc::new(app))) as Arc<dyn Running>)
    })
}

#[derive(Debug)]
struct SheepTick(sheep_tick::App);

#[derive(Debug)]
struct SlashCommand(Arc<slash_command::App>);

impl Running for SheepTick {
    fn handle<'a>(
        &'a self,
        event: &'a Value,
        deadline: SystemTime,
    ) -> BoxFuture<'a, anyhow::Result<Value>> {
        Box::pin(async move { Ok(serde_json::to_value(self.0.handle(event, deadline).await?)?) })
    }

    fn router(self: Arc<Self>) -> Option<Router> {
        None
    }
}

impl Running for SlashCommand {
    fn handle<'a>(
        &'a self,
        event: &'a Value,
        deadline: SystemTime,
    ) -> BoxFuture<'a, anyhow::Result<Value>> {
        Box::pin(self.0.handle(event, deadline))
    }

    fn router(self: Arc<Self>) -> Option<Router> {
        Some(Arc::clone(&self.0).router())
    }
}

/// Whether a function is part of this program, and not one of its own.
pub fn is_linked_in(function: &Function) -> bool {
    LINKED.iter().any(|linked| linked.name == function.binary)
}

/// What the local run gives functions beside what the template does.
pub fn variables(slack_url: String, networks_on_loopback: bool) -> Variables {
    Variables {
        name: LOCAL_NAME,
        // A template may name another Slack than the local one.
        unless_given: BTreeMap::from([
            ("SLACK_URL", slack_url),
            ("FIRST_OWNER", FIRST_OWNER.to_owned()),
            ("SLACK_ROOM", SLACK_ROOM.to_owned()),
        ]),
        always: BTreeMap::from([(
            NETWORKS_ON_LOOPBACK,
            networks_on_loopback.then(|| "true".to_owned()),
        )]),
    }
}

/// Refuses functions that cannot be run here, each with its line in the template.
pub fn refuse_unrunnable(template: &Path, functions: &[Function]) -> anyhow::Result<()> {
    let variables = variables(String::new(), false);
    functions::check(template, functions, LINKED, &variables, &page::PATHS)
        .map_err(|err| refuse(err.to_string()))
}

/// Refuses a clock that is not the one on the wall for functions that see no other.
pub fn refuse_speed(template: &Path, functions: &[Function]) -> anyhow::Result<()> {
    functions::check_clock(template, functions, LINKED, "--speed")
        .map_err(|err| refuse(err.to_string()))
}

/// Builds the programs among `functions`; `tell` hears of each before. In the place of each function there is
/// its program, if it is one.
pub async fn build(
    template: &Path,
    functions: &[Function],
    tell: impl Fn(&str) -> io::Result<()>,
) -> anyhow::Result<Vec<Option<PathBuf>>> {
    let built = functions::build(template, functions, LINKED, tell).await?;
    built.map_err(|err| refuse(err.to_string()))
}

/// The settings of the function that posts, for commands that ask networks, too.
pub fn posting_config(template: &Template, networks_on_loopback: bool) -> anyhow::Result<Config> {
    let posts = |function: &&Function| function.binary == "sheep-tick";
    let function = template.functions.iter().find(posts);
    let function = function.ok_or_else(|| refuse("the template has no function sheep-tick"))?;
    let variables = variables(String::new(), networks_on_loopback);
    Config::from_lookup(|key| variables.get(function, key)).map_err(|err| refuse(err.to_string()))
}
