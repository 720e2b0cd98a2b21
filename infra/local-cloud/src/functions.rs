//! The functions of template.yaml: those that are linked into this program run in it, with the handlers that the Lambdas
//! run; any other runs as the program it is.

use std::{
    collections::BTreeMap,
    fmt, io,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context as _, anyhow};
use flock_aws::{Clock, ConfigError, Lookup, SdkConfig};
use futures_util::{FutureExt as _, future::BoxFuture};
use serde_json::Value;

use crate::{
    program::{self, BuildError, Program},
    runtime_api::Listener,
    services::LocalCloud,
    template::{EnvValue, Function},
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
    Linked(Box<dyn Running>),
    Program(Box<Program>),
}

/// A function that is linked into this program.
#[derive(Debug, Clone, Copy)]
pub struct Linked {
    name: &'static str,
    check: fn(Lookup<'_>) -> Result<(), ConfigError>,
    start: fn(Lookup<'_>, SdkConfig, Clock) -> Result<Starting, ConfigError>,
}

/// A linked function as it starts.
type Starting = BoxFuture<'static, anyhow::Result<Box<dyn Running>>>;

/// A linked function that has started, whichever it is.
trait Running: fmt::Debug + Send + Sync {
    fn handle(&self, event: Value, deadline: SystemTime) -> BoxFuture<'_, anyhow::Result<Value>>;
}

impl<F: flock_aws::Function> Running for F {
    fn handle(&self, event: Value, deadline: SystemTime) -> BoxFuture<'_, anyhow::Result<Value>> {
        Box::pin(async move { F::handle(self, event, deadline).await.map_err(any) })
    }
}

/// Keeps what an error says, and what it came from.
fn any(err: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> anyhow::Error {
    anyhow::Error::from_boxed(err.into())
}

impl Linked {
    /// The function `F`.
    pub const fn of<F: flock_aws::Function>() -> Self {
        Self {
            name: F::NAME,
            check: |lookup| flock_aws::from_lookup(lookup, F::settings).map(drop),
            start: |lookup, aws, clock| {
                let settings = flock_aws::from_lookup(lookup, F::settings)?;
                Ok(Box::pin(async move {
                    let started = F::start(settings, &aws, clock).await.map_err(any)?;
                    Ok(Box::new(started) as Box<dyn Running>)
                }))
            },
        }
    }

    /// What its folder, its package and its program are called.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Refuses variables that it could not start with.
    pub fn check(&self, lookup: Lookup<'_>) -> Result<(), ConfigError> {
        (self.check)(lookup)
    }
}

/// The variables of functions, with the local names of what the template refers to.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// What the table and the bus are called.
    pub name: &'static str,
    /// Where its APIs are.
    pub address: String,
    /// Where the template gives none.
    pub unless_given: BTreeMap<&'static str, String>,
    /// Whatever the template gives: only whoever starts the run says so.
    pub always: BTreeMap<&'static str, Option<String>>,
}

/// What the functions are started with.
#[derive(Debug)]
pub struct Around<'a> {
    /// Those that need no program.
    pub linked: &'a [Linked],
    /// Their AWS.
    pub cloud: &'a LocalCloud,
    /// Their time.
    pub clock: &'a Clock,
    /// Their variables.
    pub variables: Variables,
    /// What programs log and who gets it; nothing leaves it to the template.
    pub log: Option<(String, Listener)>,
}

/// What the template wants of functions and cannot be had here, each with its line.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines.join("\n"))]
pub struct NotRunnable {
    lines: Vec<String>,
}

impl NotRunnable {
    fn unless_none(lines: Vec<String>) -> Result<(), Self> {
        if lines.is_empty() { Ok(()) } else { Err(Self { lines }) }
    }
}

/// A function does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The template does not give it what it needs.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is neither a program nor a function of this name.
    #[error("`{0}` is not a function of this program")]
    Unknown(String),
    /// It tried.
    #[error(transparent)]
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

fn linked<'l>(linked: &'l [Linked], function: &Function) -> Option<&'l Linked> {
    linked.iter().find(|linked| linked.name == function.binary)
}

/// Refuses functions that cannot be run here, each with its line in the template. `taken` are paths that something else
/// answers.
pub fn check(
    template: &Path,
    functions: &[Function],
    linked_in: &[Linked],
    variables: &Variables,
    taken: &[&str],
) -> Result<(), NotRunnable> {
    let name = template.display();
    let mut lines = Vec::new();
    for function in functions {
        let Function { logical_id, line, binary, .. } = function;
        if let Some(linked) = linked(linked_in, function) {
            if let Err(err) = (linked.check)(&|key| variables.get(function, key)) {
                lines.push(format!("{name}:{line}: {logical_id} has a {err}"));
            }
        } else if program::folder(template, binary).is_none() {
            let known: Vec<_> = linked_in.iter().map(|linked| linked.name).collect();
            lines.push(format!(
                "{name}:{line}: {logical_id} runs `{binary}`, but beside the template there is no package \
                 functions/{binary}, and it is not one of the functions this program has: {}",
                known.join(", ")
            ));
        }
        for route in &function.routes {
            if taken.contains(&route.path.as_str()) {
                lines.push(format!(
                    "{name}:{}: {} has a page of the local run; choose another path",
                    route.line, route.path
                ));
            }
        }
    }
    NotRunnable::unless_none(lines)
}

/// Refuses a clock that is not the one on the wall for functions that see no other.
pub fn check_clock(
    template: &Path,
    functions: &[Function],
    linked_in: &[Linked],
    faster: &str,
) -> Result<(), NotRunnable> {
    let programs = functions.iter().filter(|function| linked(linked_in, function).is_none());
    let lines = programs.map(|Function { logical_id, line, .. }| {
        format!(
            "{}:{line}: {logical_id} is a program of its own and sees the clock on the wall, which \
             {faster} does not move; run without {faster}",
            template.display()
        )
    });
    NotRunnable::unless_none(lines.collect())
}

/// Builds a program of every function that is not linked in; `tell` hears of each before. In the place of each function
/// there is its program, if it is one.
pub async fn build(
    template: &Path,
    functions: &[Function],
    linked_in: &[Linked],
    tell: impl Fn(&str) -> io::Result<()>,
) -> io::Result<Result<Vec<Option<PathBuf>>, BuildError>> {
    let mut programs = Vec::new();
    for function in functions {
        programs.push(if linked(linked_in, function).is_some() {
            None
        } else {
            tell(&format!("Building {} with cargo ...", function.binary))?;
            match program::build(template, function).await {
                Ok(program) => Some(program),
                Err(err) => return Ok(Err(err)),
            }
        });
    }
    Ok(Ok(programs))
}

impl Variables {
    /// The value of a variable of a function.
    pub fn get(&self, definition: &Function, key: &str) -> Option<String> {
        if let Some(always) = self.always.get(key) {
            return always.clone();
        }
        let given = definition.environment.get(key).map(|value| match value {
            EnvValue::Text(text) => text.clone(),
            EnvValue::Table | EnvValue::Bus => self.name.to_owned(),
            EnvValue::Secret(logical_id) => logical_id.clone(),
            EnvValue::Address(path) => format!("{}{path}", self.address),
        });
        let given = given.filter(|text| !text.is_empty());
        given.or_else(|| self.unless_given.get(key).cloned())
    }

    /// All that a function has.
    fn all(&self, definition: &Function) -> BTreeMap<String, String> {
        let given = definition.environment.keys().map(String::as_str);
        let keys =
            given.chain(self.unless_given.keys().copied()).chain(self.always.keys().copied());
        keys.filter_map(|key| Some((key.to_owned(), self.get(definition, key)?))).collect()
    }
}

impl Around<'_> {
    /// The environment of a function that is a program.
    pub fn environment(&self, definition: &Function) -> Vec<(String, String)> {
        let mut environment: Vec<_> = self.variables.all(definition).into_iter().collect();
        environment.extend(self.cloud.environment().map(|(key, value)| (key.to_owned(), value)));
        if let Some((log, _)) = &self.log {
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
    ) -> Result<Self, StartError> {
        let handler = if let Some(program) = program {
            let environment = around.environment(&definition);
            let listener = around.log.as_ref().map(|(_, listener)| *listener);
            let program = Program::new(program, environment, listener).await;
            Handler::Program(Box::new(program.map_err(|err| StartError::Failed(err.into()))?))
        } else {
            let Some(linked) = linked(around.linked, &definition) else {
                return Err(StartError::Unknown(definition.binary));
            };
            let lookup = |key: &str| around.variables.get(&definition, key);
            let starting = (linked.start)(&lookup, around.cloud.aws(), around.clock.clone())?;
            let started = starting.await;
            Handler::Linked(started.map_err(|err| StartError::Failed(err.into()))?)
        };
        Ok(Self { definition, handler })
    }

    /// Handles one event within the function's timeout. In the cloud, too, a panic ends the invocation and not the function.
    pub async fn handle(&self, event: Value) -> anyhow::Result<Value> {
        // Boxed, because what a function needs is large.
        let handled = AssertUnwindSafe(Box::pin(self.handle_or_panic(event))).catch_unwind().await;
        handled.unwrap_or_else(|_| Err(anyhow!("it panicked; standard error says where")))
    }

    async fn handle_or_panic(&self, event: Value) -> anyhow::Result<Value> {
        let timeout = self.definition.timeout;
        #[expect(clippy::disallowed_methods, reason = "the deadline is on the wall clock")]
        let deadline = SystemTime::now() + timeout;
        match &self.handler {
            Handler::Linked(function) => {
                // Ended as Lambda ends it: what went on would go on beside whoever has the lease next.
                let answer = tokio::time::timeout(timeout, function.handle(event, deadline)).await;
                answer.with_context(|| format!("ended after its {timeout:?}"))?
            }
            Handler::Program(program) => program.handle(event, timeout).await,
        }
    }
}
