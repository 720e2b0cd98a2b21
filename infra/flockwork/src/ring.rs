//! `flockwork ring`: what the accounts of a flock show of themselves.

use anyhow::anyhow;
use flock_core::{AccountId, FlockName, count, nearest};
use flock_net::{Accounts, Networks};
use flock_ops::{self as ops, Ring, RingLine, RingOutcome};

use crate::{
    account,
    check::x_app,
    cli::{Place, RingCommand, RingFiles},
    command::as_json,
    connect::{Connection, connect, look, read_template},
    flock_file, functions,
    operator::noted,
    refusal::refuse,
    screen::{Said, Screen},
};

/// Looks or changes, and shows what came of each account. An error where one failed or nobody knows, behind what is shown.
pub(crate) async fn ring(
    place: &Place,
    screen: &Screen,
    command: RingCommand,
) -> anyhow::Result<()> {
    let (files, applies) = match command {
        RingCommand::Plan(files) => (files, false),
        RingCommand::Apply(files) => (files, true),
    };
    let ring = flock_file::read_ring(&files.dir).map_err(|err| refuse(err.to_string()))?;
    let ring = only(ring, &files.accounts)?;
    let payer = files.pay.clone().unwrap_or_else(|| ring.flock.name.clone());
    let lines = Box::pin(carry_out(place, screen, &files, &ring, applies)).await?;
    show(screen, &files, &payer, lines)
}

/// The ring of some of its accounts, or of all, where none is named.
fn only(ring: Ring, accounts: &[AccountId]) -> anyhow::Result<Ring> {
    let known = || ring.entries.iter().map(|entry| &entry.account);
    if let Some(unknown) = accounts.iter().find(|id| !known().any(|known| known == *id)) {
        let names: Vec<_> = known().map(ToString::to_string).collect();
        let near = nearest(&unknown.to_string(), names.iter().map(String::as_str));
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        return Err(refuse(format!(
            "no sheep of the files of flock {} posts through {unknown}{near}",
            ring.flock.name
        )));
    }
    let is_meant = |id: &AccountId| accounts.is_empty() || accounts.contains(id);
    let Ring { flock, entries } = ring;
    let entries = entries.into_iter().filter(|entry| is_meant(&entry.account)).collect();
    Ok(Ring { flock, entries })
}

async fn carry_out(
    place: &Place,
    screen: &Screen,
    files: &RingFiles,
    ring: &Ring,
    applies: bool,
) -> anyhow::Result<Vec<RingLine>> {
    let RingFiles { at, pay, .. } = files;
    at.check(place)?;
    // Who only plans makes nothing where nothing is.
    let connection = &if applies { connect(place).await? } else { look(place).await? };
    let ids: Vec<_> = ring.entries.iter().map(|entry| entry.account.clone()).collect();
    let template = read_template(place)?;
    let settings = functions::network_settings(&template, at.networks_on_loopback)?;
    let settings = flock_net::Settings {
        keyring_secret: account::keyring_name(place, at.keyring.as_deref())?,
        x_secret: x_app(place, at, &ids)?,
        ..settings
    };
    let Connection { store, aws, clock, .. } = connection;
    let accounts = Accounts::new(aws, store.clone(), &settings);
    let networks = Networks::new(store.clone(), &settings, clock);
    let bar = screen.progress().with_message("accounts");
    let progress = |done, of| {
        bar.update(|state| {
            state.set_len(of);
            state.set_pos(done);
        });
    };
    let (with, pay, now) = ((&accounts, &networks), pay.as_ref(), clock.now());
    let lines = if applies {
        let line = format!("ring apply {}", ring.flock.name);
        let changed = noted(connection, line, async |noted| {
            Box::pin(ops::apply_ring(store, noted, with, ring, pay, now, &progress)).await
        });
        changed.await
    } else {
        let planned = ops::plan_ring(store, with, ring, pay, now, &progress);
        Box::pin(planned).await.map_err(anyhow::Error::from)
    };
    bar.finish_and_clear();
    lines
}

fn show(
    screen: &Screen,
    files: &RingFiles,
    payer: &FlockName,
    lines: Vec<RingLine>,
) -> anyhow::Result<()> {
    let number = |outcome| lines.iter().filter(|line| line.outcome == outcome).count();
    let (failed, unknown) = (number(RingOutcome::Failed), number(RingOutcome::Unknown));
    let all = count(u64::try_from(lines.len()).unwrap_or(u64::MAX), "account");
    if files.json {
        screen.page(as_json(lines)?.into())?;
    } else {
        let summary = ops::ring_summary(&lines, payer);
        let shown: Vec<_> = lines.iter().flat_map(RingLine::lines).chain([summary]).collect();
        screen.page(Said::from(shown))?;
    }
    match (failed, unknown) {
        (0, 0) => Ok(()),
        (0, _) => Err(anyhow!("of {unknown} of {all} nobody knows")),
        (_, 0) => Err(anyhow!("{failed} of {all} failed")),
        _ => Err(anyhow!("{failed} of {all} failed, and of {unknown} nobody knows")),
    }
}
