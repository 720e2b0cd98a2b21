//! Accounts: what is known of them.

use std::collections::BTreeSet;

use flock_core::{
    AccountFacts, AccountId, Action, Can, KnownAccounts, Network, Objection, Remedy, Tier,
    broken_by_account,
};
use flock_store::Store;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use crate::{Error, Result};

/// Accounts that are read at once.
const CONCURRENCY: usize = 16;

/// What is known of `ids`.
pub(crate) async fn known(store: &Store, ids: BTreeSet<&AccountId>) -> Result<KnownAccounts> {
    let reads: Vec<_> = ids
        .into_iter()
        .filter(|id| id.network != Network::Meadow)
        .map(|id| async move {
            let account = store.account(id).await?;
            Ok::<_, Error>(account.map(|account| (id.clone(), account.facts)))
        })
        .collect();
    let known: Vec<_> = stream::iter(reads).buffered(CONCURRENCY).try_collect().await?;
    Ok(known.into_iter().flatten().collect())
}

/// What we have a request for.
pub(crate) fn able(network: Network, tier: Tier, action: Action) -> Result<(), String> {
    flock_net::check_action(network, tier, action).map_err(|cannot| cannot.to_string())
}

/// What is known of the account, for people, without its key: names and values.
pub async fn account(store: &Store, id: &AccountId) -> Result<Vec<(&'static str, String)>> {
    if id.network == Network::Meadow {
        return Ok(page(id, &AccountFacts::MEADOW, None, "", None));
    }
    let account = store.account(id).await?.ok_or_else(|| {
        let why = format!("the account {id} was never added; add it with its key");
        Error::refused(Objection::from(why).with(Remedy::AddAccount(id.clone())))
    })?;
    let (url, user) = (account.url.as_deref(), &account.remote_user);
    Ok(page(id, &account.facts, url, user, account.asked_at))
}

fn page(
    id: &AccountId,
    facts: &AccountFacts,
    url: Option<&str>,
    remote_user: &str,
    asked_at: Option<Timestamp>,
) -> Vec<(&'static str, String)> {
    let network = id.network.facts();
    let mut rows = vec![("account", id.to_string())];
    rows.extend(url.map(|url| ("server", url.to_owned())));
    if !remote_user.is_empty() {
        rows.push(("its id there", remote_user.to_owned()));
    }
    rows.push(("tier", facts.tier.name().to_owned()));
    if id.network != Network::Meadow {
        let label = if facts.labelled { "labelled as a bot" } else { "NOT labelled as a bot" };
        rows.push(("label", label.to_owned()));
    }
    rows.push(("longest post", format!("{} {}", facts.text_limit(id.network), network.unit)));
    if !network.pictures.kinds.is_empty() {
        let bytes = facts.picture_bytes.unwrap_or(network.pictures.most_bytes);
        rows.push(("pictures", format!("up to {bytes} bytes")));
    }
    // Its server says it, and is asked again with the first post after a day.
    rows.extend(asked_at.map(|at| ("asked", format!("{at:.0}, and once a day"))));
    let (mut can, mut cannot) = (Vec::new(), Vec::new());
    for action in Action::ALL {
        match (network.can)(facts.tier, action) {
            Can::Yes => can.push(action.to_string()),
            Can::If(condition) => can.push(format!("{action} if {condition}")),
            Can::No(why) => cannot.push(format!("{action}: {why}")),
        }
    }
    for (head, what) in
        [("can", can), ("cannot", cannot), ("must not post", broken_by_account(id.network, facts))]
    {
        let heads = std::iter::once(head).chain(std::iter::repeat(""));
        rows.extend(heads.zip(what));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_have_no_request_for_is_refused_where_the_network_has_it() {
        let mut said = Vec::new();
        for network in Network::ALL {
            for tier in network.facts().tiers {
                for action in Action::ALL {
                    let by_network = network.check_action(*tier, action).is_ok();
                    said.extend(able(network, *tier, action).err().filter(|_| by_network));
                }
            }
        }
        insta::assert_snapshot!(said.join("\n"), @"
        Flockwork cannot send direct messages on X
        Flockwork cannot quote on X
        Flockwork cannot like on X
        Flockwork cannot follow on X
        Flockwork cannot send direct messages on X
        Flockwork cannot quote on Mastodon
        Flockwork cannot like on Mastodon
        Flockwork cannot follow on Mastodon
        Flockwork cannot send direct messages on Mastodon
        Flockwork cannot quote on Bluesky
        Flockwork cannot like on Bluesky
        Flockwork cannot follow on Bluesky
        Flockwork cannot send direct messages on Bluesky
        ");
    }
}
