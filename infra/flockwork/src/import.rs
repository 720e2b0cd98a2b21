//! Takes over the accounts of a rainbow-mind-machine, whose keymaker left a bundle for each.

use std::path::Path;

use anyhow::anyhow;
use flock_core::{AccountId, count, one_line};
use flock_net::{Bundle, Networks};
use flock_ops::{KeyFrom, NewAccount};
use secrecy::SecretString;

use crate::{
    account::Safe,
    cli::{ImportAccounts, Place},
    connect::{connect, read_template},
    files::{self, WRITTEN_BY_HAND},
    functions,
    operator::noted,
    refusal::{refuse, refused},
    screen::Screen,
};

/// What became of a bundle.
enum Became {
    Connected(Vec<String>),
    HereAlready,
}

/// Adds the account of each bundle in a directory that X knows. What cannot be added is told, and the others are added all the
/// same.
pub(crate) async fn import(
    place: &Place,
    screen: &Screen,
    options: &ImportAccounts,
) -> anyhow::Result<()> {
    options.at.check(place)?;
    let bundles = bundles(&options.dir)?;
    let (mut lines, mut left) = (Vec::new(), 0);
    let all = u64::try_from(bundles.len()).unwrap_or(u64::MAX);
    for file in bundles {
        let path = options.dir.join(&file);
        let file = one_line(&file);
        match Box::pin(import_one(place, options, &path)).await {
            Ok((account, Became::HereAlready)) => {
                lines.push(format!("{file}: {account} is here already, and is left as it is"));
            }
            Ok((account, Became::Connected(may_not))) => {
                lines.push(format!("{file}: {account} is connected"));
                lines.extend(
                    may_not.into_iter().map(|why| format!("  it must not post yet: {why}")),
                );
            }
            Err(err) => {
                // What is not about the bundle would be so with the next, too.
                let Some(why) = refused(&err, place) else {
                    screen.say(lines.into())?;
                    return Err(err.context(format!("{file} and what follows is not taken over")));
                };
                lines.push(format!("{file}: not taken over: {why}"));
                left += 1;
            }
        }
    }
    screen.say(lines.into())?;
    match left {
        0 => Ok(()),
        _ if left == all => Err(refuse("none was taken over; nothing was changed")),
        _ => Err(anyhow!("{left} of {} were not taken over", count(all, "bundle"))),
    }
}

/// The files of a directory that may be bundles, as people would list them.
fn bundles(dir: &Path) -> anyhow::Result<Vec<String>> {
    let shown = dir.display();
    let names = files::with_extension(dir, "json")
        .map_err(|err| refuse(format!("cannot read {shown}: it {err}")))?;
    if names.is_empty() {
        return Err(refuse(format!(
            "{shown} has no .json files; a keymaker puts its bundles into a directory such as keys/"
        )));
    }
    Ok(names)
}

async fn import_one(
    place: &Place,
    options: &ImportAccounts,
    path: &Path,
) -> anyhow::Result<(AccountId, Became)> {
    let text = files::read_text(path, WRITTEN_BY_HAND).map(SecretString::from);
    let text = text.map_err(|err| refuse(format!("it {err}")))?;
    let bundle = Bundle::read(&text).map_err(|problem| refuse(problem.to_string()))?;
    let Bundle { account: id, mut key } = bundle;
    key.facts.labelled |= options.automated_label;
    let settings =
        functions::network_settings(&read_template(place)?, options.at.networks_on_loopback)?;
    let connection = connect(place).await?;
    if connection.store.newest_account(&id).await?.is_some() {
        return Ok((id, Became::HereAlready));
    }
    let safe = Safe::open(place, &connection, &options.at).await?;
    if let Some(app) = &key.app {
        safe.refuse_other_app(app).await?;
    }
    let app = safe.x_app(id.network, key.app.as_ref()).await?;
    let networks = Networks::new(connection.store.clone(), &settings, &connection.clock);
    let new = NewAccount { id: id.clone(), key, app, networks: &networks };
    let vouched = Box::pin(new.check(KeyFrom::Bundle)).await?;
    let may_not = noted(&connection, format!("account import {id}"), async |noted| {
        safe.keep_x_app(vouched.app())?;
        Box::pin(vouched.add(&connection.store, noted, safe.keyring, false)).await
    });
    Ok((id, Became::Connected(may_not.await?)))
}
