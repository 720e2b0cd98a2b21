//! `account ...`: the accounts that sheep post through, and their keys, which nobody touches.

use flock_core::{AccountId, Need, Purpose, SigningIn, Usage, count};
use flock_ops::{AccountLine, Link, Noted, link_to_connect, link_to_renew};
use flock_slack::{Button, Reply, escape};
use secrecy::ExposeSecret as _;

use crate::{
    call::{Answer, Call, Obstacle, Stage, Step, Sure, announce, code, refuse, tell},
    command::{Command, EVERYBODY, Group, Run},
    page::List,
};

pub(super) const LIST: Command = Command {
    usages: &[Usage::new("account list"), Usage::new("account list <page>")],
    group: Group::Flock,
    need: EVERYBODY,
    help: "The accounts on other networks, and whether their keys are here",
    example: "account list",
    run: Run::Reads(|call| Box::pin(list(call))),
};

pub(super) const CONNECT: Command = Command {
    usages: &[
        Usage::new("account connect <network:handle>"),
        Usage::new("account connect <network:handle> <server>"),
    ],
    group: Group::Flock,
    need: Need::Top,
    help: "Connect an account by signing in as it; gives you a link",
    example: "account connect x:milton",
    run: Run::Changes(|call, noted| Box::pin(connect(call, noted))),
};

pub(super) const RENEW: Command = Command {
    usages: &[Usage::new("account renew <account>")],
    group: Group::Flock,
    need: Need::Top,
    help: "Give an account a new key by signing in as it; what stopped for its key goes on",
    example: "account renew x:milton",
    run: Run::Changes(|call, noted| Box::pin(renew(call, noted))),
};

pub(super) const REMOVE: Command = Command {
    usages: &[Usage::new("account remove <account>")],
    group: Group::Flock,
    need: Need::Top,
    help: "Remove an account with its key; asks first",
    example: "account remove x:milton",
    run: Run::Changes(|call, noted| Box::pin(remove(call, noted))),
};

async fn list(call: &Call<'_>) -> Answer {
    let (sheep, is_all) = call.some_sheep().await?;
    let accounts = flock_ops::accounts(call.store(), &sheep).await?;
    if accounts.is_empty() {
        return tell(
            "No account of another network is here. `/flock account connect` connects one.",
        );
    }
    let line = |line: &AccountLine| {
        let AccountLine { account, sheep, added, must_not_post } = line;
        let sheep = count(u64::try_from(*sheep).unwrap_or(u64::MAX), "sheep");
        let but = match (added, must_not_post.as_slice()) {
            (false, _) => ", and its key is not here".to_owned(),
            (true, []) => String::new(),
            (true, why) => format!(", and must not post: {}", escape(&why.join("; "))),
        };
        format!("`{}`: {sheep}{but}", code(account))
    };
    let but = (!is_all).then(|| crate::call::NOT_ALL.to_owned());
    Ok(List::new("account list", call.page(0)?).above(but).of(&accounts, line))
}

async fn connect(call: &Call<'_>, noted: &Noted) -> Answer {
    let id = account(call)?;
    let keys_url = keys_url(call)?;
    let server = call.arguments.get(1).map(str::to_owned);
    let link = link_to_connect(call.store(), noted, &id, server, call.now).await?;
    Ok(link_to(&id, Purpose::Connect, &link, keys_url))
}

async fn renew(call: &Call<'_>, noted: &Noted) -> Answer {
    let id = account(call)?;
    let keys_url = keys_url(call)?;
    let link = link_to_renew(call.store(), noted, &id, call.now).await?;
    Ok(link_to(&id, Purpose::Renew, &link, keys_url))
}

async fn remove(call: &Call<'_>, noted: &Noted) -> Answer {
    let id = account(call)?;
    let shown = code(&id.to_string());
    if call.stage == Stage::Given {
        flock_ops::refuse_to_remove_account(call.store(), &id).await?;
        let text =
            format!("This removes `{shown}` with its key. What was posted through it stays.");
        return Sure::ask(text, "Remove the account");
    }
    flock_ops::remove_account(call.store(), noted, &id).await?;
    announce(format!(
        "Removed `{shown}` with its key. On its network the key still works, until it is revoked there."
    ))
}

/// The account that the first argument names.
pub(super) fn account(call: &Call<'_>) -> Result<AccountId, Obstacle> {
    call.argument(0)
        .parse()
        .or_else(|err: flock_core::InvalidAccount| refuse(format!("{}.", escape(&err.to_string()))))
}

/// Where people sign in.
fn keys_url<'a>(call: &Call<'a>) -> Result<&'a str, Obstacle> {
    call.app.keys_url.as_deref().map_or_else(
        || refuse("Nobody can sign in here: this deployment has no pages for that (`KEYS_URL`)."),
        Ok,
    )
}

/// The answer with the link. It is on a button alone, so that nothing looks at it before a person does.
fn link_to(id: &AccountId, purpose: Purpose, link: &Link, keys_url: &str) -> Step {
    let (what, label) = match purpose {
        Purpose::Connect => ("connects", "Connect"),
        Purpose::Renew => ("gives a new key to", "Renew the key"),
    };
    let text = format!(
        "Whoever opens this page and signs in as it {what} `{}`. The button works once, for {} minutes, and is for you \
         alone.",
        code(&id.to_string()),
        SigningIn::LIVES.as_mins()
    );
    let url = format!("{keys_url}/connect/{}", link.token.expose_secret());
    Step::Done(Reply::only_you(text).button(Button::link(label, url).primary()))
}
