//! The functions of template.yaml, in this process: the same handlers that the Lambdas run.

use std::{path::Path, time::SystemTime};

use flock_aws::{Clock, Config, ConfigError, SdkConfig};
use serde_json::Value;

use crate::{
    connect::LOCAL_NAME,
    refusal::refuse,
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
    SheepTick(sheep_tick::App),
}

/// The binaries that can be run here.
pub const KNOWN: [&str; 1] = ["sheep-tick"];

/// Refuses functions that cannot be run here, each with its line in the template.
pub fn check(template: &Path, functions: &[Function]) -> anyhow::Result<()> {
    let template = template.display();
    let mut problems = Vec::new();
    for function in functions {
        let Function { logical_id, line, binary, .. } = function;
        if !KNOWN.contains(&binary.as_str()) {
            problems.push(format!(
                "{template}:{line}: {logical_id} runs `{binary}`, which is not one of the functions this \
                 program has: {}",
                KNOWN.join(", ")
            ));
        }
        if let Err(err) = config(function) {
            problems.push(format!("{template}:{line}: {logical_id} has a {err}"));
        }
        for route in &function.routes {
            problems.push(format!(
                "{template}:{}: {logical_id} does not answer HTTP, so it cannot have a route",
                route.line
            ));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(refuse(problems.join("\n"))) }
}

/// The settings the template gives the function, with the local names of its resources.
fn config(definition: &Function) -> Result<Config, ConfigError> {
    Config::from_lookup(|key| {
        definition.environment.get(key).map(|value| match value {
            EnvValue::Text(text) => text.clone(),
            EnvValue::Table | EnvValue::Bus => LOCAL_NAME.to_owned(),
            EnvValue::Secret(logical_id) => logical_id.clone(),
        })
    })
}

impl LocalFunction {
    /// Starts the function, as its Lambda would start.
    pub async fn start(
        definition: Function,
        aws: &SdkConfig,
        clock: &Clock,
    ) -> anyhow::Result<Self> {
        let config = config(&definition).map_err(|err| refuse(err.to_string()))?;
        let handler = match definition.binary.as_str() {
            "sheep-tick" => {
                Handler::SheepTick(sheep_tick::App::start(config, aws, clock.clone()).await?)
            }
            other => return Err(refuse(format!("`{other}` is not a function of this program"))),
        };
        Ok(Self { definition, handler })
    }

    /// Handles one event within the function's timeout.
    pub async fn handle(&self, event: &Value) -> anyhow::Result<Value> {
        #[expect(clippy::disallowed_methods, reason = "the deadline is on the wall clock")]
        let deadline = SystemTime::now() + self.definition.timeout;
        match &self.handler {
            Handler::SheepTick(app) => {
                Ok(serde_json::to_value(app.handle(event, deadline).await?)?)
            }
        }
    }
}
