//! Wipes: what is theirs goes, nothing else does, and sheep begin anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use flock_core::{AccountId, Network, SheepId, Wipe};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::writes::number;
use crate::{people::sheep_id, table::ItemKey, world::World};

/// What was seen of wipes and of what they are about, by what is written.
#[derive(Debug, Default)]
pub(crate) struct Wipes {
    /// By the key of the job, and when it was asked for.
    jobs: BTreeMap<(String, i64), Wiping>,
    /// The record.
    posts: BTreeMap<ItemKey, OnRecord>,
    /// Where sheep have begun anew.
    anew: BTreeMap<String, Vec<Anew>>,
    /// When sheep came to the account they have.
    moved: BTreeMap<String, Timestamp>,
}

/// A sheep has begun anew.
#[derive(Debug, Clone)]
pub(crate) struct Anew {
    /// Under which number it goes on.
    pub(crate) number: u64,
    /// How many numbers it left out.
    pub(crate) skipped: u64,
    /// When.
    pub(crate) at: Timestamp,
}

#[derive(Debug)]
struct OnRecord {
    account: String,
    text: String,
    remote: Option<String>,
    is_deleted: bool,
}

#[derive(Debug, Default)]
struct Wiping {
    of: String,
    everything: bool,
    is_in_slack: bool,
    is_cancelled: bool,
    ended: Option<Timestamp>,
    accounts: BTreeMap<String, Begun>,
    stayed: u64,
}

/// What there was of an account when its sheep were quiet.
#[derive(Debug, Default)]
struct Begun {
    recorded: Vec<ItemKey>,
    shown: Vec<String>,
    is_over: bool,
}

/// How long a deletion may be on its way when its job has ended.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(10);

impl Wipes {
    /// How many have come to their end.
    pub(crate) fn ended(&self) -> u64 {
        u64::try_from(self.jobs.values().filter(|wiping| wiping.ended.is_some()).count())
            .unwrap_or(0)
    }

    /// Where a sheep has begun anew, in order.
    pub(crate) fn anew(&self, sheep: &SheepId) -> &[Anew] {
        self.anew.get(&sheep.to_string()).map_or(&[], Vec::as_slice)
    }

    /// What a post said that is deleted. On the meadow its text goes with it.
    pub(crate) fn said(&self, sheep: &SheepId, number: u64) -> Option<&str> {
        Some(self.posts.get(&key_of_post(sheep, number))?.text.as_str())
    }

    /// The texts of an account that a wipe was to delete and has not, or has not marked.
    pub(crate) fn left(&self, account: &AccountId) -> Vec<&str> {
        let account = account.to_string();
        let begun = self.jobs.values().filter_map(|wiping| wiping.accounts.get(&account));
        let keys: BTreeSet<_> = begun.flat_map(|begun| &begun.recorded).collect();
        let posts = keys.into_iter().filter_map(|key| self.posts.get(key));
        posts.filter(|post| !post.is_deleted).map(|post| post.text.as_str()).collect()
    }

    /// How many deletions on a network may be paid for and not be made: of what stayed, and of what is under way.
    pub(crate) fn in_doubt(&self) -> u64 {
        let jobs = self.jobs.values();
        let each = jobs.map(|wiping| {
            let under_way = wiping.accounts.values().filter(|begun| !begun.is_over).count();
            wiping.stayed + u64::try_from(under_way).unwrap_or(0)
        });
        each.sum()
    }
}

fn key_of_post(sheep: &SheepId, number: u64) -> ItemKey {
    (format!("POSTS#{}#{}", sheep.flock, sheep.name), format!("POST#{number:012}"))
}

fn text(item: &Value, name: &str) -> Option<String> {
    item[name]["S"].as_str().map(str::to_owned)
}

fn account_in(item: &Value) -> Option<String> {
    Some(format!("{}:{}", text(item, "network")?, text(item, "handle")?))
}

/// A post is written.
pub(super) fn note_post(world: &World, key: &ItemKey, after: &Value) {
    let Some(account) = account_in(after) else { return };
    let is_deleted = after["state"]["S"] == "deleted";
    let mut known = world.known();
    let posts = &mut known.seen.wipes.posts;
    let before = posts.get(key);
    let was_deleted = before.is_some_and(|before| before.is_deleted);
    let said = text(after, "text").filter(|text| !text.is_empty());
    let said = said.or_else(|| Some(before?.text.clone()));
    let remote = text(after, "remote_id");
    let post = OnRecord {
        account: account.clone(),
        text: said.unwrap_or_default(),
        remote: remote.clone(),
        is_deleted,
    };
    posts.insert(key.clone(), post);
    drop(known);
    if is_deleted && !was_deleted {
        what_is_marked_deleted_is_gone(world, key, &account, remote.as_deref());
    }
}

/// A post is marked as deleted in the record only when its network does not show it any more.
fn what_is_marked_deleted_is_gone(
    world: &World,
    (pk, sk): &ItemKey,
    account: &str,
    remote: Option<&str>,
) {
    let Some(remote) = remote else { return };
    if shown(world, account).iter().any(|id| id == remote) {
        world.broken("what_is_marked_deleted_is_gone", || {
            format!("{pk} {sk} is marked as deleted, and {account} shows {remote}")
        });
    }
}

/// What an account shows, by its network's ids.
fn shown(world: &World, account: &str) -> Vec<String> {
    let Ok(account) = account.parse::<AccountId>() else { return Vec::new() };
    world.outside.seen(&account).into_iter().map(|(id, _)| id).collect()
}

/// A network has deleted a post: that was one of an account that is being wiped, and recorded, where not everything goes.
pub(crate) fn nothing_is_deleted_but_by_a_wipe(world: &World, network: Network, post: &str) {
    let now = world.now();
    let known = world.known();
    let wipes = &known.seen.wipes;
    let recorded = wipes.posts.values().find(|there| {
        there.remote.as_deref() == Some(post) && there.account.starts_with(&format!("{network}:"))
    });
    let is_its = |wiping: &Wiping| {
        let is_at_it = wiping.ended.is_none_or(|ended| now.duration_since(ended) < ON_ITS_WAY);
        let mut accounts = wiping.accounts.keys();
        is_at_it
            && match recorded {
                Some(there) => wiping.accounts.contains_key(&there.account),
                None => {
                    wiping.everything
                        && accounts.any(|account| account.starts_with(&format!("{network}:")))
                }
            }
    };
    let is_its = wipes.jobs.values().any(is_its);
    drop(known);
    if !is_its {
        world.broken("nothing_is_deleted_but_by_a_wipe", || {
            format!("{network} has deleted {post}, and no wipe is at it")
        });
    }
}

/// A sheep is written.
pub(super) fn note_sheep(world: &World, machine: &str, sheep: &str, before: &Value, after: &Value) {
    let now = world.now();
    let wipes = &mut world.known().seen.wipes;
    if account_in(before) != account_in(after) {
        wipes.moved.insert(sheep.to_owned(), now);
    }
    let is_first = number(&after["cursor"]).unwrap_or(0) == 0;
    let is_open = before["intent"]["M"]["sent"]["S"] == "maybe";
    // Who had stopped stays so; everybody else is paused.
    let [was_stopped, is_stopped] = [before, after].map(|item| item["state"]["S"] == "stopped");
    let is_quiet = after["state"]["S"] == "paused" || was_stopped && is_stopped;
    let has_intent = !after["intent"].is_null();
    if !machine.starts_with("sheep-tick") || !is_first || is_open || !is_quiet || has_intent {
        return;
    }
    let number = |item: &Value| {
        number(&item["occurrence"]).and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
    };
    let posts = format!("POSTS#{}", sheep.replace('/', "#"));
    let is_post =
        |number: &u64| wipes.posts.contains_key(&(posts.clone(), format!("POST#{number:012}")));
    let skipped = (number(before)..number(after)).filter(|number| !is_post(number)).count();
    let skipped = u64::try_from(skipped).unwrap_or(0);
    let anew = Anew { number: number(after), skipped, at: now };
    wipes.anew.entry(sheep.to_owned()).or_default().push(anew);
}

/// A job is written.
pub(super) fn note_job(world: &World, pk: &str, after: &Value) {
    if after["what"]["S"] != "wipe" {
        return;
    }
    let since = number(&after["since"]).unwrap_or(0);
    let key = (pk.to_owned(), since);
    let lines = after["fails"]["L"].as_array().into_iter().flatten();
    let lines: Vec<_> = lines.filter_map(|line| line["S"].as_str()).collect();
    let under_way = after["wipe"]["M"]["under_way"]["L"].as_array().into_iter().flatten();
    let phases: BTreeMap<_, _> = under_way
        .filter_map(|wipe| Some((text(&wipe["M"], "account")?, text(&wipe["M"], "phase")?)))
        .collect();
    let mut fresh = Vec::new();
    let mut over = Vec::new();
    {
        let mut known = world.known();
        let wipes = &mut known.seen.wipes;
        let wiping = wipes.jobs.entry(key.clone()).or_default();
        wiping.of = text(after, "only").or_else(|| text(after, "flock")).unwrap_or_default();
        wiping.everything = after["wipe"]["M"]["everything"]["BOOL"] == true;
        wiping.is_in_slack = !after["asked_by"].is_null();
        wiping.is_cancelled = !after["cancelled_by"].is_null();
        let stayed = number(&after["counts"]["M"]["stayed"]).unwrap_or(0);
        wiping.stayed = stayed.unsigned_abs();
        if !after["ended"].is_null() && wiping.ended.is_none() {
            wiping.ended = Some(world.now());
        }
        for (account, phase) in &phases {
            if phase != "quiet" && !wiping.accounts.contains_key(account) {
                fresh.push(account.clone());
            }
        }
        for (account, begun) in &mut wiping.accounts {
            if !begun.is_over && !phases.contains_key(account) {
                begun.is_over = true;
                over.push(account.clone());
            }
        }
    }
    for account in fresh {
        sheep_that_are_wiped_begin_anew(world, &account, since, &lines);
        let shown = shown(world, &account);
        let mut known = world.known();
        let wipes = &mut known.seen.wipes;
        let is_its = |post: &OnRecord| post.account == account && !post.is_deleted;
        let recorded = wipes.posts.iter().filter(|(_, post)| is_its(post));
        let recorded = recorded.map(|(key, _)| key.clone()).collect();
        let begun = Begun { recorded, shown, is_over: false };
        wipes.jobs.entry(key.clone()).or_default().accounts.insert(account, begun);
    }
    for account in over {
        what_was_wiped_is_gone_or_said_to_stay(world, &key, &account, &lines);
    }
}

/// Before anything of an account is deleted, its sheep do not post, and are at the beginning of their texts; or the job says that
/// nobody knows what became of a post of theirs.
fn sheep_that_are_wiped_begin_anew(world: &World, account: &str, since: i64, lines: &[&str]) {
    let Ok(since) = Timestamp::from_second(since) else { return };
    for plan in &world.scenario.sheep {
        let id = sheep_id(plan);
        let key = (format!("FLOCK#{}", id.flock), format!("SHEEP#{}", id.name));
        let Some(sheep) = world.outside.table.item(&key) else { continue };
        if account_in(&sheep).as_deref() != Some(account) {
            continue;
        }
        let id = id.to_string();
        let known = world.known();
        let wipes = &known.seen.wipes;
        // Who comes there while the sheep are paused is not theirs.
        let came = wipes.moved.get(&id).is_some_and(|at| since <= *at);
        let anew = wipes.anew.get(&id).into_iter().flatten().any(|anew| since <= anew.at);
        drop(known);
        let is_said = lines.len() == Wipe::STAYS || lines.iter().any(|line| line.contains(&id));
        if !came && !anew && !is_said {
            world.broken("sheep_that_are_wiped_begin_anew", || {
                format!("{account} is being wiped, and {id} has not begun anew")
            });
        }
    }
}

/// Once a wipe is done with an account, all is gone that was recorded of it when its sheep were quiet, and, where everything was to go,
/// all that it showed then; what stayed is on the job's list, as far as that goes.
fn what_was_wiped_is_gone_or_said_to_stay(
    world: &World,
    key: &(String, i64),
    account: &str,
    lines: &[&str],
) {
    let shown: BTreeSet<_> = shown(world, account).into_iter().collect();
    let known = world.known();
    let wipes = &known.seen.wipes;
    let Some(wiping) = wipes.jobs.get(key) else { return };
    let Some(begun) = wiping.accounts.get(account) else { return };
    let is_there = |key: &&ItemKey| wipes.posts.get(*key).is_some_and(|post| !post.is_deleted);
    let there: Vec<_> = begun.recorded.iter().filter(is_there).collect();
    let alike = format!("{account}: the same was said");
    let is_list_whole =
        lines.len() < Wipe::STAYS && !lines.iter().any(|line| line.starts_with(&alike));
    let is_listed = |(pk, sk): &ItemKey| {
        let sheep = pk.trim_start_matches("POSTS#").replace('#', "/");
        let number = sk.trim_start_matches("POST#").trim_start_matches('0');
        let line = format!("{account}: post {number} of {sheep}: ");
        lines.iter().any(|said| said.starts_with(&line))
    };
    let unsaid = there.iter().find(|key| is_list_whole && !is_listed(key));
    let mut wrong = unsaid.map(|(pk, sk)| format!("{pk} {sk} is there, and not said to be"));
    let stayed = usize::try_from(wiping.stayed).unwrap_or(usize::MAX);
    if stayed < there.len() {
        wrong = Some(format!("{} posts are there, and {stayed} are said to be", there.len()));
    }
    let still = begun.shown.iter().filter(|id| shown.contains(*id)).count();
    if wiping.everything && stayed < still {
        wrong = Some(format!("{still} posts are shown, and {stayed} are said to be"));
    }
    drop(known);
    if let Some(wrong) = wrong {
        world.broken("what_was_wiped_is_gone_or_said_to_stay", || format!("{account}: {wrong}"));
    }
}

/// A long time after all faults every wipe is over, but for one that waits for a time that its network or its cap has named.
pub(crate) async fn every_wipe_comes_to_its_end(world: &Arc<World>) -> anyhow::Result<()> {
    let store = world.store();
    if store.control().await?.stopped.is_some() {
        return Ok(());
    }
    let now = world.now();
    for job in store.running_jobs().await? {
        if job.work.waits_until(now).is_none() {
            world.broken("every_wipe_comes_to_its_end", || format!("{job:?}"));
        }
    }
    Ok(())
}

/// Who has asked for a wipe in Slack is told in their room that it is over, and is told once.
pub(crate) fn who_asked_for_a_wipe_is_told_once(world: &World) {
    let (room, user) = ("C1".parse().expect("a room"), "U1".parse().expect("a user"));
    let said = world.outside.slack.messages(&room, &user);
    let known = world.known();
    let mut over: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for ((pk, _), wiping) in &known.seen.wipes.jobs {
        if wiping.ended.is_none() || !wiping.is_in_slack || wiping.is_cancelled {
            continue;
        }
        let id = pk.trim_start_matches("JOB#");
        let is_its =
            |event: &Value| event["detail-type"] == "job.ended" && event["detail"]["id"] == id;
        let is_lost = known.published.iter().any(|(event, times)| *times == 0 && is_its(event))
            || known.given_up.iter().any(is_its);
        let (count, may_be_lost) = over.entry(&wiping.of).or_default();
        *count += 1;
        *may_be_lost |= is_lost;
    }
    let mut wrong = Vec::new();
    for (of, (count, may_be_lost)) in over {
        let named = [format!("Wiped `{of}`"), format!("Wiped the flock *{of}*")];
        let is_told = |message: &&local_slack::workspace::Message| {
            named.iter().any(|name| message.text.contains(name))
        };
        let told = said.iter().filter(is_told).count();
        if count < told || told < count && !may_be_lost {
            wrong.push(format!("{count} wipes of {of} are over, and {told} times that is said"));
        }
    }
    drop(known);
    for wrong in wrong {
        world.broken("who_asked_for_a_wipe_is_told_once", || wrong);
    }
}
