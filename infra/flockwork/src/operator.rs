//! Who is at the command line, for the audit log.

use std::{
    io::{self, Write as _},
    process::{Command, Stdio},
};

use flock_aws::SdkConfig;
use flock_core::DeliveryId;
use flock_ops::{Error, Noted, Who};
use flock_store::By;
use jiff::Timestamp;

use crate::connect::Connection;

/// Does something that changes what is in the table, and has it in the audit log as `line`.
pub async fn noted<T>(
    connection: &Connection,
    line: String,
    work: impl AsyncFnOnce(&Noted) -> Result<T, Error>,
) -> anyhow::Result<T> {
    let who = who(connection, &line).await;
    Ok(Noted::around(&connection.store, who, line, work).await?)
}

/// Whoever started this program, saying `line` now.
async fn who(connection: &Connection, line: &str) -> Who {
    let user = name();
    let arn = if connection.is_deployed { known(connection, &user).await } else { None };
    named(By::CommandLine { user, arn }, line, connection.clock.now())
}

/// The same, where it is about this machine.
pub(crate) fn here(line: &str, now: Timestamp) -> Who {
    named(By::CommandLine { user: name(), arn: None }, line, now)
}

fn named(by: By, line: &str, at: Timestamp) -> Who {
    let id = DeliveryId::of(&["command line", &format!("{by:?}"), &at.to_string(), line]);
    Who { by, at, id }
}

/// What the operating system calls whoever started this program.
pub(crate) fn name() -> String {
    // POSIX, "id": there is no other way to the name but through unsafe code. Not whatever else is called so in PATH.
    let named =
        Command::new("/usr/bin/id").arg("-un").env_clear().stdin(Stdio::null()).output().ok();
    let name = named.filter(|output| output.status.success()).and_then(|output| {
        let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (!name.is_empty()).then_some(name)
    });
    // Inside a container the user may have a number only.
    name.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()))
}

/// As whom AWS knows whoever works on a deployed table. Where it is not to be had, they are told, and do what they wanted: it may
/// be an emergency.
async fn known(connection: &Connection, user: &str) -> Option<String> {
    let arn = caller(&connection.aws).await;
    if arn.is_none() {
        // Nobody may read it: what was asked for is done all the same.
        let _ = writeln!(
            io::stderr(),
            "AWS does not say who you are there, so the audit log has you as {user} alone."
        );
    }
    arn
}

/// As whom AWS knows whoever has the credentials of `aws`. Needs no permission (AWS, "`GetCallerIdentity`", 2026-11).
pub(crate) async fn caller(aws: &SdkConfig) -> Option<String> {
    let asked = aws_sdk_sts::Client::new(aws).get_caller_identity().send().await;
    asked.ok().and_then(|caller| caller.arn)
}
