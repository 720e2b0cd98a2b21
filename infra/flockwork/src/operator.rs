//! Who is at the command line, for the audit log.

use std::process::Command;

use flock_core::DeliveryId;
use flock_store::{AuditEntry, By, Store};
use jiff::Timestamp;

/// What somebody changes at the command line, written down before it is changed.
#[derive(Debug)]
pub struct Noted(Vec<AuditEntry>);

/// What the operating system calls whoever started this program.
fn name() -> String {
    let asked = |argument| {
        // POSIX, "id": there is no other way to the name but through unsafe code.
        let output = Command::new("id").arg(argument).output().ok()?;
        let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !name.is_empty()).then_some(name)
    };
    // Inside a container the user may have a number only.
    let number = || asked("-u").map(|number| format!("user {number}"));
    asked("-un").or_else(number).unwrap_or_else(|| "somebody".to_owned())
}

/// Writes `lines` into the audit log: what is about to be done, one change each.
pub async fn note(store: &Store, lines: Vec<String>, now: Timestamp) -> anyhow::Result<Noted> {
    let mut entries = Vec::new();
    if lines.is_empty() {
        return Ok(Noted(entries));
    }
    let user = name();
    for line in lines {
        let entry = AuditEntry {
            id: DeliveryId::of(&["command line", &user, &now.to_string(), &line]),
            at: now,
            by: By::CommandLine { user: user.clone() },
            line,
            outcome: None,
        };
        store.put_audit(&entry).await?;
        entries.push(entry);
    }
    Ok(Noted(entries))
}

impl Noted {
    /// Writes down that it was done.
    pub async fn done(self, store: &Store) -> anyhow::Result<()> {
        for entry in self.0 {
            store.put_audit(&AuditEntry { outcome: Some("done".to_owned()), ..entry }).await?;
        }
        Ok(())
    }
}
