//! Accounts: what is known of them.

use std::collections::{BTreeMap, BTreeSet};

use flock_core::{
    AccountFacts, AccountId, Action, Can, KnownAccounts, Network, Objection, Remedy, Sheep, Tier,
    broken_by_account,
};
use flock_store::Store;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Error, Result,
    at_once::AT_ONCE,
    spelling::{refuse_other_spelling, spelled_otherwise},
};

/// What is known of `ids`, and how those are spelled that were added with other capitals.
pub(crate) async fn known(store: &Store, ids: BTreeSet<&AccountId>) -> Result<KnownAccounts> {
    let ids: Vec<_> = ids.into_iter().filter(|id| id.network != Network::Meadow).collect();
    let reads: Vec<_> = ids
        .iter()
        .map(|id| async move {
            let account = store.account(id).await?;
            Ok::<_, Error>(account.map(|account| ((*id).clone(), account.facts)))
        })
        .collect();
    let known: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    let known: KnownAccounts = known.into_iter().flatten().collect();
    let unknown: Vec<_> = ids.into_iter().filter(|id| known.get(id).is_none()).collect();
    if unknown.is_empty() {
        return Ok(known);
    }
    let added = store.accounts().await?;
    let otherwise = unknown
        .into_iter()
        .filter_map(|id| Some((id.clone(), spelled_otherwise(id, &added)?.clone())));
    Ok(known.spelled(otherwise))
}

/// What we have a request for.
pub(crate) fn able(network: Network, tier: Tier, action: Action) -> Result<(), String> {
    flock_net::check_action(network, tier, action).map_err(|cannot| cannot.to_string())
}

/// An account in a list, and as one JSON line.
#[derive(Debug, Serialize)]
pub struct AccountLine {
    /// Network and name there.
    pub account: String,
    /// How many sheep post through it.
    pub sheep: usize,
    /// Whether its key is here.
    pub added: bool,
    /// Why it must not post.
    pub must_not_post: Vec<String>,
}

/// The accounts of other networks that were added, and those that some of `sheep`, which are all there are, post through without
/// that.
pub async fn accounts(store: &Store, sheep: &[Sheep]) -> Result<Vec<AccountLine>> {
    let mut posting: BTreeMap<&AccountId, usize> = BTreeMap::new();
    let used = sheep.iter().map(|sheep| &sheep.config.account);
    for account in used.filter(|account| account.network != Network::Meadow) {
        *posting.entry(account).or_default() += 1;
    }
    let added = store.accounts().await?;
    let ids: BTreeSet<_> = added.iter().chain(posting.keys().copied()).collect();
    let known = known(store, ids.clone()).await?;
    let lines = ids.into_iter().map(|id| AccountLine {
        account: id.to_string(),
        sheep: posting.get(id).copied().unwrap_or_default(),
        added: known.get(id).is_some(),
        must_not_post: known
            .get(id)
            .map(|facts| broken_by_account(id.network, facts))
            .unwrap_or_default(),
    });
    // One that was just being added or removed when something died is nobody's.
    Ok(lines.filter(|line| line.added || 0 < line.sheep).collect())
}

/// What is known of an account, without its key, and as one JSON object.
#[derive(Debug, Serialize)]
pub struct AccountPage {
    account: String,
    /// The address of its server, where its network has many.
    server: Option<String>,
    /// Its id on its network, where it has one of its own.
    remote_user: Option<String>,
    tier: &'static str,
    /// Whether it says that it is a bot's, where accounts have to.
    labelled: Option<bool>,
    text_limit: usize,
    unit: &'static str,
    /// The most a picture may have, where the network takes pictures.
    picture_bytes: Option<usize>,
    /// When its server was asked what it takes, where servers differ.
    asked_at: Option<Timestamp>,
    can: Vec<String>,
    cannot: Vec<String>,
    must_not_post: Vec<String>,
}

/// What is known of the account.
pub async fn account(store: &Store, id: &AccountId) -> Result<AccountPage> {
    if id.network == Network::Meadow {
        return Ok(AccountPage::new(id, &AccountFacts::MEADOW, (None, String::new(), None)));
    }
    let Some(account) = store.account(id).await? else {
        refuse_other_spelling(store, id).await?;
        let why = format!("the account {id} was never added; connect it");
        return Err(Error::refused(Objection::from(why).with(Remedy::AddAccount(id.clone()))));
    };
    let told = (account.url, account.remote_user, account.asked_at);
    Ok(AccountPage::new(id, &account.facts, told))
}

impl AccountPage {
    fn new(
        id: &AccountId,
        facts: &AccountFacts,
        (server, remote_user, asked_at): (Option<String>, String, Option<Timestamp>),
    ) -> Self {
        let network = id.network.facts();
        let most_bytes = facts.picture_bytes.unwrap_or(network.pictures.most_bytes);
        let (mut can, mut cannot) = (Vec::new(), Vec::new());
        for action in Action::ALL {
            match (network.can)(facts.tier, action) {
                Can::Yes => can.push(action.to_string()),
                Can::If(condition) => can.push(format!("{action} if {condition}")),
                Can::No(why) => cannot.push(format!("{action}: {why}")),
            }
        }
        Self {
            account: id.to_string(),
            server,
            remote_user: (!remote_user.is_empty()).then_some(remote_user),
            tier: facts.tier.name(),
            labelled: (id.network != Network::Meadow).then_some(facts.labelled),
            text_limit: facts.text_limit(id.network),
            unit: network.unit,
            asked_at,
            picture_bytes: (!network.pictures.kinds.is_empty()).then_some(most_bytes),
            can,
            cannot,
            must_not_post: broken_by_account(id.network, facts),
        }
    }

    /// For people: names and values. What has several values has its name beside the first.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![("account", self.account.clone())];
        rows.extend(self.server.iter().map(|server| ("server", server.clone())));
        rows.extend(self.remote_user.iter().map(|user| ("its id there", user.clone())));
        rows.push(("tier", self.tier.to_owned()));
        rows.extend(self.labelled.map(|labelled| {
            let label = if labelled { "labelled as a bot" } else { "NOT labelled as a bot" };
            ("label", label.to_owned())
        }));
        rows.push(("longest post", format!("{} {}", self.text_limit, self.unit)));
        rows.extend(self.picture_bytes.map(|bytes| ("pictures", format!("up to {bytes} bytes"))));
        // It is asked again with the first post after a day.
        rows.extend(self.asked_at.map(|at| ("asked", format!("{at:.0}, and once a day"))));
        for (head, what) in
            [("can", &self.can), ("cannot", &self.cannot), ("must not post", &self.must_not_post)]
        {
            let heads = std::iter::once(head).chain(std::iter::repeat(""));
            rows.extend(heads.zip(what.iter().cloned()));
        }
        rows
    }
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
        Flockwork cannot send direct messages on X
        Flockwork cannot quote on Mastodon
        Flockwork cannot send direct messages on Mastodon
        Flockwork cannot quote on Bluesky
        Flockwork cannot send direct messages on Bluesky
        ");
    }
}
