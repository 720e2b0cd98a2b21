//! `flockwork account check`: whether the keys of accounts still work.

use anyhow::anyhow;
use flock_core::{AccountId, View, count};
use flock_net::{Accounts, Networks};
use flock_ops::check_accounts;

use crate::{
    account,
    cli::{CheckAccounts, KeyPlace, Place},
    command::as_json,
    connect::{Connection, connect, read_template},
    functions,
    local_secrets::X_APP,
    refusal::refuse,
    screen::{Said, Screen},
};

/// Asks the networks, and shows what they say. An error where a key does not work, or nobody knows, behind what is shown.
pub(crate) async fn check(
    place: &Place,
    screen: &Screen,
    options: &CheckAccounts,
) -> anyhow::Result<()> {
    let checks = {
        let connection = &connect(place).await?;
        let keyring = account::keyring_name(place, options.at.keyring.as_deref())?;
        let ids = match options.accounts.as_slice() {
            [] => connection.store.accounts().await?,
            some => some.to_vec(),
        };
        let template = read_template(place)?;
        let settings = functions::network_settings(&template, options.at.networks_on_loopback)?;
        let settings = flock_net::Settings {
            keyring_secret: keyring,
            x_secret: x_app(place, &options.at, &ids)?,
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
        let with = (&accounts, &networks);
        let checks = Box::pin(check_accounts(store, with, &options.accounts, &progress)).await;
        bar.finish_and_clear();
        let view = View::utc(clock.now());
        (checks?, view)
    };
    let (checks, view) = checks;
    let number = |works| checks.iter().filter(|check| check.works == works).count();
    let (bad, unknown) = (number(Some(false)), number(None));
    let all = u64::try_from(checks.len()).unwrap_or(u64::MAX);
    if options.json {
        screen.page(as_json(checks)?.into())?;
    } else if checks.is_empty() {
        let none = vec!["There is no account to check.".to_owned()];
        screen.page(Said { notes: none, ..Said::default() })?;
    } else {
        let lines: Vec<_> = checks.iter().map(|check| check.line(&view)).collect();
        screen.page(lines.into())?;
    }
    let all = count(all, "account");
    // Nothing was asked for that could be refused: they were checked.
    match (bad, unknown) {
        (0, 0) => Ok(()),
        (0, _) => Err(anyhow!("nobody knows whether {unknown} of {all} can be posted through")),
        (_, 0) => Err(anyhow!("{bad} of {all} cannot be posted through")),
        _ => Err(anyhow!("{bad} of {all} cannot be posted through, and of {unknown} nobody knows")),
    }
}

/// What the X app's secret is called, where one of these accounts needs it.
pub(crate) fn x_app(place: &Place, at: &KeyPlace, ids: &[AccountId]) -> anyhow::Result<String> {
    let given = at.x_app(place)?;
    if !place.aws {
        return Ok(X_APP.to_owned());
    }
    match (given, ids.iter().find(|id| id.network.facts().has_app)) {
        (None, Some(id)) => Err(refuse(format!(
            "X is asked about {id} in the app's name: say which secret has its credentials, --x-app NAME (output `XAppName` of \
             the stack)"
        ))),
        (given, _) => Ok(given.unwrap_or_default().to_owned()),
    }
}
