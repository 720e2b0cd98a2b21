//! The functions of template.yaml: those this program has run in it, with the handlers that the Lambdas run;
//! any other runs as the program it is.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use anyhow::Context as _;
use axum::Router;
use flock_aws::{Clock, Config, ConfigError};
use serde_json::Value;

use crate::{
    connect::LOCAL_NAME,
    local_cloud::LocalCloud,
    page,
    program::{self, Program},
    refusal::refuse,
    template::{EnvValue, Function, Template},
};

/// A function that is ready for events.
#[derive(Debug)]
pub struct LocalFunction {
    /// Its definition.
    pub definition: Function,
    handler: Handler,
}

#[derive(Debug)]
enum Handler {
    SheepTick(Box<sheep_tick::App>),
    SlashCommand(Arc<slash_command::App>),
    Program(Box<Program>),
}

/// What the functions are started with.
#[derive(Debug)]
pub struct Around<'a> {
    /// Their AWS.
    pub cloud: &'a LocalCloud,
    /// Their time.
    pub clock: &'a Clock,
    /// Where Slack's Web API is.
    pub slack_url: String,
    /// Whether networks may be on this machine.
    pub networks_on_loopback: bool,
    /// What programs log and whether the terminal shows it; nothing leaves it to the template.
    pub log: Option<String>,
}

/// The functions this program has.
pub const KNOWN: [&str; 2] = ["sheep-tick", "slash-command"];

/// Those of [`KNOWN`] that answer requests.
const ANSWER_HTTP: [&str; 1] = ["slash-command"];

/// The Slack user who owns the rooms of the local Slack, unless the template says who.
const FIRST_OWNER: &str = "U1";

/// The setting that lets networks be on this machine.
pub const NETWORKS_ON_LOOPBACK: &str = "NETWORKS_ON_LOOPBACK";

/// The room that is told what stopped, unless the template says which.
const SLACK_ROOM: &str = "C1";

/// Whether a function is part of this program, and not one of its own.
pub fn is_linked_in(function: &Function) -> bool {
    KNOWN.contains(&function.binary.as_str())
}

/// Refuses functions that cannot be run here, each with its line in the template.
pub fn check(template: &Path, functions: &[Function]) -> anyhow::Result<()> {
    let name = template.display();
    let mut problems = Vec::new();
    for function in functions {
        let Function { logical_id, line, binary, .. } = function;
        if is_linked_in(function) {
            if let Err(err) = config(function, "", false) {
                problems.push(format!("{name}:{line}: {logical_id} has a {err}"));
            }
        } else if program::folder(template, binary).is_none() {
            problems.push(format!(
                "{name}:{line}: {logical_id} runs `{binary}`, but beside the template there is no package \
                 functions/{binary}, and it is not one of the functions this program has: {}",
                KNOWN.join(", ")
            ));
        }
        for route in &function.routes {
            let line = route.line;
            if !ANSWER_HTTP.contains(&binary.as_str()) {
                let why = if is_linked_in(function) {
                    "does not answer HTTP, so it cannot have a route".to_owned()
                } else {
                    format!(
                        "is a program of its own, and on this machine only functions of this program \
                         answer HTTP ({}); remove the route, or link the function in",
                        ANSWER_HTTP.join(", ")
                    )
                };
                problems.push(format!("{name}:{line}: {logical_id} {why}"));
            } else if page::PATHS.contains(&route.path.as_str()) {
                problems.push(format!(
                    "{name}:{line}: {} has a page of the local run; choose another path",
                    route.path
                ));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(refuse(problems.join("\n"))) }
}

/// Refuses a clock that is not the one on the wall for functions that see no other.
pub fn refuse_speed(template: &Path, functions: &[Function]) -> anyhow::Result<()> {
    let problems: Vec<_> = functions
        .iter()
        .filter(|function| !is_linked_in(function))
        .map(|Function { logical_id, line, .. }| {
            format!(
                "{}:{line}: {logical_id} is a program of its own and sees the clock on the wall, which \
                 --speed does not move; run without --speed",
                template.display()
            )
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(refuse(problems.join("\n"))) }
}

/// Builds the programs among `functions`; `tell` hears of each before. In the place of each function there is
/// its program, if it is one.
pub async fn build(
    template: &Path,
    functions: &[Function],
    tell: impl Fn(&str) -> std::io::Result<()>,
) -> anyhow::Result<Vec<Option<PathBuf>>> {
    let mut programs = Vec::new();
    for function in functions {
        programs.push(if is_linked_in(function) {
            None
        } else {
            tell(&format!("Building {} with cargo ...", function.binary))?;
            Some(program::build(template, function).await?)
        });
    }
    Ok(programs)
}

/// A variable that the template gives the function, with the local names of its resources.
fn variable(
    definition: &Function,
    key: &str,
    slack_url: &str,
    networks_on_loopback: bool,
) -> Option<String> {
    if key == NETWORKS_ON_LOOPBACK {
        // Only whoever starts the run says so.
        return networks_on_loopback.then(|| "true".to_owned());
    }
    let given = definition.environment.get(key).map(|value| match value {
        EnvValue::Text(text) => text.clone(),
        EnvValue::Table | EnvValue::Bus => LOCAL_NAME.to_owned(),
        EnvValue::Secret(logical_id) => logical_id.clone(),
    });
    let given = given.filter(|text| !text.is_empty());
    let unless_given = match key {
        // A template may name another Slack than the local one.
        "SLACK_URL" => slack_url,
        "FIRST_OWNER" => FIRST_OWNER,
        "SLACK_ROOM" => SLACK_ROOM,
        _ => return given,
    };
    given.or_else(|| Some(unless_given.to_owned()))
}

fn config(
    definition: &Function,
    slack_url: &str,
    networks_on_loopback: bool,
) -> Result<Config, ConfigError> {
    Config::from_lookup(|key| variable(definition, key, slack_url, networks_on_loopback))
}

/// The settings of the function that posts, for commands that ask networks, too.
pub fn posting_config(template: &Template, networks_on_loopback: bool) -> anyhow::Result<Config> {
    let posts = |function: &&Function| function.binary == "sheep-tick";
    let function = template.functions.iter().find(posts);
    let function = function.ok_or_else(|| refuse("the template has no function sheep-tick"))?;
    config(function, "", networks_on_loopback).map_err(|err| refuse(err.to_string()))
}

impl Around<'_> {
    /// The environment of a function that is a program.
    pub(crate) fn environment(&self, definition: &Function) -> Vec<(String, String)> {
        let mut keys: Vec<&str> = definition.environment.keys().map(String::as_str).collect();
        keys.extend(["SLACK_URL", "FIRST_OWNER", "SLACK_ROOM", NETWORKS_ON_LOOPBACK]);
        keys.sort_unstable();
        keys.dedup();
        let given = keys.into_iter().filter_map(|key| {
            let (slack_url, loopback) = (&self.slack_url, self.networks_on_loopback);
            Some((key.to_owned(), variable(definition, key, slack_url, loopback)?))
        });
        let mut environment: Vec<_> = given.collect();
        environment.extend(self.cloud.environment().map(|(key, value)| (key.to_owned(), value)));
        if let Some(log) = &self.log {
            environment.push(("RUST_LOG".to_owned(), log.clone()));
        }
        environment
    }
}

impl LocalFunction {
    /// Starts the function, as its Lambda would start; `program` is what [`build`] built of it.
    pub async fn start(
        definition: Function,
        program: Option<PathBuf>,
        around: &Around<'_>,
    ) -> anyhow::Result<Self> {
        let handler = if let Some(program) = program {
            let environment = around.environment(&definition);
            let program = Program::new(program, environment, around.log.is_some()).await?;
            Handler::Program(Box::new(program))
        } else {
            let config = config(&definition, &around.slack_url, around.networks_on_loopback)
                .map_err(|err| refuse(err.to_string()))?;
            let (aws, clock) = (around.cloud.aws(), around.clock.clone());
            match definition.binary.as_str() {
                "sheep-tick" => {
                    let app = sheep_tick::App::start(config, &aws, clock).await?;
                    Handler::SheepTick(Box::new(app))
                }
                "slash-command" => Handler::SlashCommand(Arc::new(
                    slash_command::App::start(config, &aws, clock).await?,
                )),
                other => {
                    return Err(refuse(format!("`{other}` is not a function of this program")));
                }
            }
        };
        Ok(Self { definition, handler })
    }

    /// Handles one event within the function's timeout.
    pub async fn handle(&self, event: &Value) -> anyhow::Result<Value> {
        let timeout = self.definition.timeout;
        #[expect(clippy::disallowed_methods, reason = "the deadline is on the wall clock")]
        let deadline = SystemTime::now() + timeout;
        match &self.handler {
            Handler::SheepTick(app) => {
                // Ended as Lambda ends it: what went on would go on beside whoever has the lease next.
                let report = tokio::time::timeout(timeout, app.handle(event, deadline)).await;
                let report = report.with_context(|| format!("ended after its {timeout:?}"))?;
                Ok(serde_json::to_value(report?)?)
            }
            Handler::SlashCommand(app) => {
                let answer =
                    tokio::time::timeout(timeout, Box::pin(app.handle(event, deadline))).await;
                answer.with_context(|| format!("ended after its {timeout:?}"))?
            }
            Handler::Program(program) => program.handle(event, timeout).await,
        }
    }

    /// What answers its requests, if it answers any.
    pub fn router(&self) -> Option<Router> {
        match &self.handler {
            Handler::SlashCommand(app) => Some(Arc::clone(app).router()),
            Handler::SheepTick(_) | Handler::Program(_) => None,
        }
    }
}
