//! A function that is not linked into this program: built with cargo from its folder, run as a process, and asked
//! over the Lambda Runtime API, as in the cloud.
//!
//! It handles one event at a time; Lambda would start a second process for a second one.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{anyhow, bail};
use serde_json::Value;
use tokio::{process::Command, sync::Mutex};

use crate::{
    runtime_api::{Answer, FunctionProcess, Listener, RuntimeApi},
    template::Function,
};

/// A function's program cannot be built. What is wrong is in its package, or this machine has no cargo.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no cargo to be started.
    #[error("{place} needs cargo to be built, which cannot be started: {source}")]
    NoCargo {
        /// The function, where the template has it.
        place: String,
        /// Why it cannot.
        source: io::Error,
    },
    /// Cargo ended without a program.
    #[error("{place} cannot be run, because `cargo build -p {binary}` failed:\n{said}")]
    Failed {
        /// The function, where the template has it.
        place: String,
        /// Its package.
        binary: String,
        /// What cargo said.
        said: String,
    },
    /// The package has another program.
    #[error(
        "{place} cannot be run, because the package {binary} has no program called {binary}; give it a src/main.rs"
    )]
    NoProgram {
        /// The function, where the template has it.
        place: String,
        /// Its package.
        binary: String,
    },
}

/// Characters that are told of an answer that cannot be read.
const SHOWN: usize = 100;

/// Lines a process wrote that are told when it has ended.
const LAST_LINES: usize = 5;

/// A function's program, started when its first event comes and again when it has ended.
#[derive(Debug)]
pub struct Program {
    binary: PathBuf,
    environment: Vec<(String, String)>,
    // Who gets what it writes.
    listener: Option<Listener>,
    runtime_api: RuntimeApi,
    process: Mutex<Option<FunctionProcess>>,
}

/// The folder of a function's package beside the template, if there is one.
pub fn folder(template: &Path, binary: &str) -> Option<PathBuf> {
    let folder = directory(template).join("functions").join(binary);
    folder.join("Cargo.toml").is_file().then_some(folder)
}

fn directory(template: &Path) -> &Path {
    let directory = template.parent().filter(|directory| !directory.as_os_str().is_empty());
    directory.unwrap_or(Path::new("."))
}

/// Builds a function's package and returns where its program is.
pub async fn build(template: &Path, function: &Function) -> Result<PathBuf, BuildError> {
    let Function { logical_id, line, binary, .. } = function;
    let place = format!("{}:{line}: {logical_id}", template.display());
    let output = match Command::new("cargo")
        .args(["build", "--quiet", "--message-format", "json-render-diagnostics"])
        .args(["--package", binary])
        .current_dir(directory(template))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
    {
        Ok(output) => output,
        Err(source) => return Err(BuildError::NoCargo { place, source }),
    };
    let binary = binary.clone();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        return Err(BuildError::Failed { place, binary, said });
    }
    let artifacts = output.stdout.split(|byte| *byte == b'\n');
    let mut executable = artifacts.filter_map(|line| {
        let message: Value = serde_json::from_slice(line).ok()?;
        let ours = message["target"]["name"] == binary.as_str();
        message["executable"].as_str().filter(|_| ours).map(PathBuf::from)
    });
    let executable = executable.next_back();
    executable.ok_or(BuildError::NoProgram { place, binary })
}

impl Program {
    /// Gets ready to start `binary`, with this environment on top of what Lambda sets. The
    /// `listener` gets what it writes.
    pub async fn new(
        binary: PathBuf,
        environment: Vec<(String, String)>,
        listener: Option<Listener>,
    ) -> io::Result<Self> {
        let runtime_api = RuntimeApi::start().await?;
        Ok(Self { binary, environment, listener, runtime_api, process: Mutex::new(None) })
    }

    /// Hands it an event and waits for what it says, at most `timeout` from when it has taken it.
    pub async fn handle(&self, event: Value, timeout: Duration) -> anyhow::Result<Value> {
        // Held until it has answered: the next event waits for that.
        let mut held = self.process.lock().await;
        // One that ended after its last event was never told of.
        if held.as_mut().is_some_and(|process| process.ended().is_some()) {
            *held = None;
        }
        let process = match &mut *held {
            Some(process) => process,
            nothing => nothing.insert(self.spawn()?),
        };
        let answer = tokio::select! {
            // What it said last counts, also when it ended right after.
            biased;
            invocation = self.runtime_api.invoke(event, timeout) => Some(invocation.answer),
            _ = process.wait() => None,
        };
        match answer {
            Some(Answer::Response(response)) => Ok(response),
            Some(Answer::NotJson(text)) => {
                let begins: String = text.chars().take(SHOWN).collect();
                bail!("it returned what is not JSON: {begins:?}")
            }
            Some(Answer::Error { error_type, message }) => bail!("{error_type}: {message}"),
            Some(Answer::InitError { error_type, message }) => {
                process.kill().await;
                *held = None;
                bail!("it could not start: {error_type}: {message}")
            }
            Some(Answer::TimedOut) => {
                process.kill().await;
                *held = None;
                bail!(
                    "it did not answer within {} s, so its process was ended; the next event starts it \
                     again",
                    timeout.as_secs()
                )
            }
            None => {
                let status = process.wait().await;
                let output = process.output();
                *held = None;
                let lines: Vec<_> = output.lines().collect();
                let last = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
                let said = if last.is_empty() { "nothing" } else { &*last.join("\n  ") };
                Err(anyhow!(
                    "its process has ended ({status}); the next event starts it again. It said last:\n  \
                     {said}"
                ))
            }
        }
    }

    fn spawn(&self) -> anyhow::Result<FunctionProcess> {
        let environment: Vec<_> =
            self.environment.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let process = FunctionProcess::spawn(&self.runtime_api, &self.binary, &environment)
            .map_err(|err| anyhow!("{} cannot be started: {err}", self.binary.display()))?;
        if let Some(listener) = self.listener {
            process.speak_up(listener);
        }
        Ok(process)
    }
}
