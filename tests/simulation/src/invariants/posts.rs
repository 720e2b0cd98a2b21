//! Posts: none lost, none twice, all in order.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use flock_core::{
    AccountId, CatchUp, Due, Network, Occurrence, Sheep, SheepId, State, Upcoming, UpcomingText,
    preview,
};
use flock_store::{Aside, Post, PostState};

use crate::{
    fault::{FaultKind, Service},
    people::{self, is_head, number_of, sheep_id},
    scenario::{Act, SheepPlan},
    world::World,
};

/// What there is at the end.
pub(crate) struct End {
    pub(crate) sheep: BTreeMap<SheepId, Sheep>,
    /// By sheep, oldest first, with those that are deleted.
    posts: BTreeMap<SheepId, Vec<Post>>,
    asides: BTreeMap<SheepId, Vec<Aside>>,
    /// By account, oldest first.
    seen: BTreeMap<AccountId, Vec<String>>,
}

impl End {
    pub(crate) async fn of(world: &Arc<World>) -> anyhow::Result<Self> {
        let store = world.store();
        let sheep = store.sheep_of(None).await?.into_iter().map(|sheep| (sheep.id.clone(), sheep));
        let (mut posts, mut asides) = (BTreeMap::new(), BTreeMap::new());
        for plan in &world.scenario.sheep {
            let id = sheep_id(plan);
            let mut of_sheep = store.newest_posts(&id, 100_000).await?;
            of_sheep.reverse();
            for post in of_sheep.iter_mut().filter(|post| post.state == PostState::Deleted) {
                let known = world.known();
                if let Some(said) = known.seen.wipes.said(&id, post.occurrence.0) {
                    said.clone_into(&mut post.text);
                }
            }
            posts.insert(id.clone(), of_sheep);
            asides.insert(id.clone(), store.newest_asides(&id, 100_000).await?);
        }
        let seen = world.accounts().map(|(_, account)| {
            let seen = world.outside.seen(&account).into_iter().map(|(_, text)| text);
            (account, seen.collect())
        });
        Ok(Self { sheep: sheep.collect(), posts, asides, seen: seen.collect() })
    }

    /// The posts of a sheep, oldest first.
    pub(super) fn posts_of(&self, sheep: &SheepId) -> &[Post] {
        self.posts.get(sheep).map_or(&[], Vec::as_slice)
    }

    /// Whether a text is one that nobody knows the fate of.
    fn is_open(&self, text: &str) -> bool {
        let intents = self.sheep.values().filter_map(|sheep| sheep.open());
        intents.into_iter().any(|intent| intent.errand.work.act.to_string() == text)
    }
}

/// When faults have ended, everything due is posted within two ticks: no sheep that posts has its time behind it, from one tick to
/// the next. One whose post has waited until then may make that in the first and what it missed meanwhile in the second.
pub(crate) async fn everything_due_is_posted(
    world: &Arc<World>,
    before: &[Sheep],
) -> anyhow::Result<()> {
    for sheep in who_is_behind(world).await? {
        if before.contains(&sheep) {
            world.broken("everything_due_is_posted", || {
                format!("{} should have posted at {:?}", sheep.id, sheep.next_at())
            });
        }
    }
    Ok(())
}

/// The sheep that should have posted by now.
pub(crate) async fn who_is_behind(world: &Arc<World>) -> anyhow::Result<Vec<Sheep>> {
    let store = world.store();
    if store.control().await?.stopped.is_some() {
        return Ok(Vec::new());
    }
    // Whoever would be due now has been so for less than a minute.
    let now = world.now() - jiff::SignedDuration::from_secs(61);
    let mut sheep = store.sheep_of(None).await?;
    sheep.retain(|sheep| {
        // Its network has said that it takes nothing for a while, or it makes up for what it missed, one each tick.
        let waits = 0 < sheep.progress.owed || sheep.progress.not_before.is_some();
        sheep.due(now) != Due::No && !waits && !is_limited(world, sheep)
    });
    Ok(sheep)
}

/// A long time after all faults nothing is left to be made up for, and nobody is behind: whatever a network said of waiting, and
/// however often something failed.
pub(crate) async fn nobody_waits_at_the_end(world: &Arc<World>, end: &End) -> anyhow::Result<()> {
    if world.store().control().await?.stopped.is_some() {
        return Ok(());
    }
    let now = world.now() - jiff::SignedDuration::from_secs(61);
    for (id, sheep) in &end.sheep {
        if sheep.due(now) != Due::No {
            world.broken("nobody_waits_at_the_end", || {
                format!("{id} should have posted at {:?}", sheep.next_at())
            });
        }
    }
    Ok(())
}

/// Whether its network may have told it to wait.
fn is_limited(world: &World, sheep: &Sheep) -> bool {
    let whom = match sheep.config.account.network {
        Network::Meadow => return false,
        Network::X => Service::X,
        Network::Mastodon => Service::Mastodon,
        Network::Bluesky => Service::Bluesky,
    };
    world.scenario.faults.iter().any(|fault| fault.kind == FaultKind::Throttled(whom))
}

/// No text is to be seen twice on one network, but what a poem says again in its next round, and what somebody had sent again.
pub(crate) fn no_text_is_there_twice(world: &World, end: &End) {
    for (plan, account) in world.accounts() {
        let seen = &end.seen[&account];
        if comes_round(plan, seen.len()) {
            continue;
        }
        let known = world.known();
        // What a wipe has left there is said again by who begins anew.
        let mut left = known.seen.wipes.left(&account);
        let mut before = HashSet::new();
        let mut twice = Vec::new();
        for text in seen {
            if before.insert(text) {
                continue;
            }
            match left.iter().position(|left| left == text) {
                Some(at) => drop(left.remove(at)),
                None => twice.push(text),
            }
        }
        drop(known);
        for text in twice {
            world.broken("no_text_is_there_twice", || format!("{account} shows {text:?} twice"));
        }
    }
    for (plan, posts) in world.scenario.sheep.iter().zip(in_order(world, end)) {
        let mut before = HashSet::new();
        let anew = begun_anew(world, &sheep_id(plan));
        for post in posts.iter().filter(|_| !comes_round(plan, posts.len())) {
            // Who begins anew says all of it again.
            let times = anew.iter().filter(|number| **number <= post.occurrence.0).count();
            if !before.insert((times, &post.text)) {
                world.broken("no_text_is_there_twice", || {
                    format!("{:?} of {} is recorded twice", post.text, post.sheep)
                });
            }
        }
    }
}

/// Whether a sheep that has made so many posts may have come round: then its order is looked at.
fn comes_round(plan: &SheepPlan, posts: usize) -> bool {
    plan.lines < 100 || usize::try_from(plan.lines).is_ok_and(|lines| lines < posts)
}

/// The numbers from which on a sheep has begun anew, because it was wiped.
fn begun_anew(world: &World, sheep: &SheepId) -> Vec<u64> {
    world.known().seen.wipes.anew(sheep).iter().map(|anew| anew.number).collect()
}

fn in_order<'a>(world: &World, end: &'a End) -> Vec<&'a Vec<Post>> {
    world.scenario.sheep.iter().map(|plan| &end.posts[&sheep_id(plan)]).collect()
}

/// What is recorded is to be seen on its network, and what is to be seen there is recorded, as often; but for what nobody knows
/// the fate of.
pub(crate) fn what_is_recorded_is_there_and_nothing_else(world: &World, end: &End) {
    for (plan, account) in world.accounts() {
        if account.network == Network::Meadow {
            continue;
        }
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for text in &end.seen[&account] {
            *counts.entry(text).or_default() += 1;
        }
        let is_there = |post: &&Post| post.account == account && post.state != PostState::Deleted;
        for post in end.posts[&sheep_id(plan)].iter().filter(is_there) {
            *counts.entry(&post.text).or_default() -= 1;
        }
        let known = world.known();
        // Of some of what a wipe has left nobody knows whether it is there.
        for left in known.seen.wipes.left(&account) {
            let count = counts.get_mut(left).filter(|count| **count < 0);
            if let Some(count) = count {
                *count += 1;
            }
        }
        drop(known);
        for (text, count) in counts {
            let (times, than) = match count {
                0 => continue,
                1.. if end.is_open(text) => continue,
                1.. => (count, "more"),
                _ => (-count, "less"),
            };
            world.broken("what_is_recorded_is_there_and_nothing_else", || {
                format!("{account} shows {text:?} {times} times {than} than is recorded")
            });
        }
    }
}

/// The sheep that nobody has asked anything of, with their plans.
pub(super) fn untouched<'a>(
    world: &'a World,
    end: &'a End,
) -> impl Iterator<Item = (&'a SheepPlan, &'a Sheep)> {
    let touched = world.known().touched.clone();
    let plans = world.scenario.sheep.iter().enumerate();
    plans.filter_map(move |(number, plan)| {
        let sheep = end.sheep.get(&sheep_id(plan))?;
        (!touched.contains(&number)).then_some((plan, sheep))
    })
}

/// The lines of a text that nobody edits come in their order and without a gap, but for what is set aside and, where it says so,
/// what was missed.
pub(crate) fn lines_are_in_order(world: &World, end: &End) {
    for (plan, sheep) in untouched(world, end) {
        let posts = &end.posts[&sheep.id];
        let lines = u64::from(plan.lines);
        let asides = &end.asides[&sheep.id];
        let behaviour = &sheep.config.behaviour;
        let anew = begun_anew(world, &sheep.id);
        let drawn: HashMap<_, _> = if behaviour.draws() {
            let numbers = u32::try_from(sheep.progress.occurrence.0).unwrap_or(u32::MAX);
            let come = sheep.progress.cursor.index();
            let come = if anew.is_empty() { come } else { come.max(numbers) };
            let texts = (0..=come).filter_map(|index| world.files.says(behaviour, index));
            texts.zip(0_u64..).collect()
        } else {
            HashMap::new()
        };
        let lines = if behaviour.draws() { u64::MAX } else { lines };
        let number_of = |post: &Post| {
            let of_drawn = || drawn.get(&post.text).copied().unwrap_or(u64::MAX / 2);
            if behaviour.draws() { of_drawn() } else { number_of(&post.text) }
        };
        for pair in posts.windows(2) {
            let [before, after] = [number_of(&pair[0]), number_of(&pair[1])];
            let [first, last] = [pair[0].occurrence.0, pair[1].occurrence.0];
            // Who was wiped in between has begun with the first line.
            let begun = anew.iter().filter(|number| first < **number && **number <= last).max();
            let from = begun.copied().unwrap_or(first + 1);
            let next = if begun.is_some() { 0 } else { (before + 1) % lines };
            let between = from..last;
            let aside = asides.iter().filter(|aside| between.contains(&aside.occurrence.0)).count();
            let expected = match sheep.config.rhythm.catch_up() {
                CatchUp::Latest => last - from,
                CatchUp::Skip | CatchUp::All(_) => u64::try_from(aside).unwrap_or(0),
            };
            // With a part that is set aside the rest of its thread is left out.
            let expected = if plan.threads() {
                let thread = u64::from(SheepPlan::THREAD);
                let ends = |line: u64| line == 0 || line.is_multiple_of(thread);
                let step = |line: u64, _| {
                    let mut next = (line + 1) % lines;
                    while !ends(next) {
                        next = (next + 1) % lines;
                    }
                    next
                };
                (0..aside).fold(next, step)
            } else {
                (next + expected) % lines
            };
            if expected != after % lines {
                world.broken("lines_are_in_order", || {
                    format!(
                        "{}: line {after} (post {}) follows line {before} (post {}), of {lines}",
                        sheep.id, pair[1].occurrence, pair[0].occurrence
                    )
                });
            }
        }
    }
}

/// What nobody edits is to be seen on the network in the order of the record.
pub(crate) fn the_network_has_the_order_of_the_record(world: &World, end: &End) {
    for (_, sheep) in untouched(world, end) {
        let posts = end.posts[&sheep.id].iter();
        let posts = posts.filter(|post| post.state != PostState::Deleted);
        let seen = &end.seen[&sheep.config.account];
        let recorded: Vec<_> = posts.map(|post| post.text.clone()).collect();
        // What a wipe has left may be there or not.
        if !world.known().seen.wipes.left(&sheep.config.account).is_empty() {
            continue;
        }
        let known = seen.len().min(recorded.len());
        if sheep.config.account.network != Network::Meadow && seen[..known] != recorded[..known] {
            world.broken("the_network_has_the_order_of_the_record", || {
                format!("{}: {seen:?} is to be seen, {recorded:?} is recorded", sheep.id)
            });
        }
    }
}

/// A part of a thread answers the post that was made just before it, which is the part before it: no thread has a gap, and none has
/// a part twice.
pub(crate) fn threads_are_whole(world: &World, end: &End) {
    for (_, sheep) in untouched(world, end).filter(|(plan, _)| plan.threads()) {
        if let Some(post) =
            end.posts[&sheep.id].iter().find(|post| post.answers.is_none() && !is_head(&post.text))
        {
            world.broken("threads_are_whole", || {
                format!("post {} of {} answers nothing", post.occurrence, post.sheep)
            });
        }
    }
    for plan in world.scenario.sheep.iter().filter(|plan| plan.threads()) {
        let posts = &end.posts[&sheep_id(plan)];
        for (nth, post) in posts.iter().enumerate() {
            let before = nth.checked_sub(1).map(|before| &posts[before]);
            let Some(answered) = &post.answers else { continue };
            let is_next = before.is_some_and(|before| {
                before.remote_id.as_ref() == Some(answered)
                    && number_of(&before.text) + 1 == number_of(&post.text)
            });
            if !is_next || is_head(&post.text) {
                world.broken("threads_are_whole", || {
                    format!(
                        "post {} of {} answers another than the part before it",
                        post.occurrence, post.sheep
                    )
                });
            }
        }
    }
}

/// Every number of a sheep, whatever people have asked of it, is that of a post, or of a text that is set aside, or is counted as
/// missed; only who was removed and made again begins to count anew.
pub(crate) fn every_number_is_accounted_for(world: &World, end: &End) {
    let removed = |sheep: &Sheep| {
        let deeds = &world.scenario.deeds;
        let is_it =
            |act: &Act| matches!(act, Act::Remove { flock } if *flock == sheep.id.flock.as_str());
        deeds.iter().any(|deed| is_it(&deed.what))
    };
    for sheep in end.sheep.values().filter(|sheep| !removed(sheep)) {
        let posts = u64::try_from(end.posts[&sheep.id].len()).unwrap_or(0);
        let asides = u64::try_from(end.asides[&sheep.id].len()).unwrap_or(0);
        let missed = sheep.progress.missed;
        let numbers = sheep.progress.occurrence.0 - Occurrence(1).0;
        let known = world.known();
        // On the meadow somebody may be posting under the number at which a sheep was when it was wiped, and so it is left out.
        let skipped = known.seen.wipes.anew(&sheep.id).iter().map(|anew| anew.skipped).sum::<u64>();
        drop(known);
        if posts + asides + missed + skipped != numbers {
            world.broken("every_number_is_accounted_for", || {
                format!(
                    "{} has come to number {numbers} with {posts} posts, {asides} texts set aside and \
                     {missed} times missed",
                    sheep.id
                )
            });
        }
    }
}

/// Every planned time of a sheep that nobody asked anything of has come to a number: as many as its preview had on the first day.
pub(crate) fn every_line_due_is_accounted_for(world: &World, end: &End, before: &[Sheep]) {
    for (plan, sheep) in untouched(world, end) {
        let Some(first) = before.iter().find(|first| first.id == sheep.id) else { continue };
        let known = world.known();
        let resumed = known.resumed.get(&sheep.id).cloned();
        let anew = known.seen.wipes.anew(&sheep.id).last().map(|anew| anew.at);
        drop(known);
        // Who has begun anew is at what was planned when they were resumed, where that was heard.
        if anew.is_some_and(|anew| resumed.as_ref().is_none_or(|(_, at)| *at < anew)) {
            continue;
        }
        let begins = (first.clone(), world.scenario.begins);
        let (first, begins) = &resumed.unwrap_or(begins);
        let before = first.progress.occurrence;
        if sheep.state != State::Active || sheep.intent.is_some() || 0 < sheep.progress.owed {
            continue;
        }
        let mut numbers = sheep.progress.occurrence.0 - before.0;
        let now = world.now();
        let marks = world.files.marks(&first.config.behaviour);
        let planned = preview(first, &marks, *begins);
        let is_head = |next: &Upcoming| match &next.what {
            UpcomingText::At(turn) => marks.timing(turn.cursor).follows == 0,
            UpcomingText::Decided(act) => !act.continues_thread(),
        };
        let planned = planned.take_while(|next| next.at < now).filter(is_head).count();
        if plan.threads() {
            // What is missed is a thread, and what nobody has planned begins none. Where a round ends nobody knows who has not read it.
            if 0 < sheep.progress.missed {
                continue;
            }
            let posts = end.posts[&sheep.id].iter().filter(|post| before <= post.occurrence);
            let asides = end.asides[&sheep.id].iter().filter(|aside| before <= aside.occurrence);
            let texts = posts.map(|post| &post.text).chain(asides.map(|aside| &aside.text));
            numbers =
                u64::try_from(texts.filter(|text| people::is_head(text)).count()).unwrap_or(0);
        }
        let planned = u64::try_from(planned).unwrap_or(u64::MAX);
        // The last may be under way.
        if planned.abs_diff(numbers) > 1 {
            world.broken("every_line_due_is_accounted_for", || {
                format!("{} has come to number {numbers}, of {planned} planned", sheep.id)
            });
        }
    }
}
