//! Money: what X charges.

use std::{collections::BTreeMap, sync::Arc};

use flock_core::{Month, Network, Sheep};
use flock_tests::Billed;
use jiff::{ToSpan as _, tz::TimeZone};

use super::posts::End;
use crate::{
    fault::Service,
    outside::{account_name, user_id},
    world::World,
};

/// What X has charged for a flock, in millionths of a dollar. Who signs in is looked up, which is charged to nobody's flock.
fn billed(world: &World) -> BTreeMap<&'static str, u64> {
    let mut billed = BTreeMap::new();
    for (plan, account) in world.accounts().filter(|(_, account)| account.network == Network::X) {
        let bill = world.outside.x.bill(&user_id(account_name(&account))).into_iter();
        let of_flock = bill.filter(|(billed, _)| *billed != Billed::User);
        let micros = of_flock.map(|(billed, count)| billed.micros() * count).sum::<u64>();
        *billed.entry(plan.flock).or_default() += micros;
    }
    billed
}

/// The months that a run touches.
fn months(world: &World) -> Vec<Month> {
    let begins = world.scenario.begins.to_zoned(TimeZone::UTC);
    let days = (0..=i64::from(world.scenario.days) + 2).map(|days| &begins + days.days());
    let mut months: Vec<_> = days.map(|day| Month::of(day.timestamp())).collect();
    months.dedup();
    months
}

/// A sum is that of what is counted in it, whatever goes wrong.
pub(crate) async fn a_sum_is_that_of_what_is_counted(world: &Arc<World>) -> anyhow::Result<()> {
    let store = world.store();
    for flock in billed(world).into_keys() {
        for month in months(world) {
            let ledger = store.ledger(&flock.parse()?, month).await?;
            let of = |kind: &str, price: Billed| {
                ledger.counts.get(kind).copied().unwrap_or(0) * price.micros()
            };
            if ledger.spent.micros()
                != of("posts", Billed::Post)
                    + of("own posts read", Billed::OwnPost)
                    + of("deletions", Billed::Delete)
            {
                world.broken("a_sum_is_that_of_what_is_counted", || format!("{flock}: {ledger:?}"));
            }
        }
    }
    Ok(())
}

/// What is counted is what X has charged; it may be more where X was asked for posts and nobody heard how many it has shown.
pub(crate) async fn bills_are_equal(world: &Arc<World>) -> anyhow::Result<()> {
    let store = world.store();
    let is_troubled = world
        .scenario
        .faults
        .iter()
        .any(|fault| fault.kind.is_about(Service::X) || fault.kind.is_about(Service::Table));
    for (flock, billed) in billed(world) {
        let mut counted = 0;
        for month in months(world) {
            counted += store.ledger(&flock.parse()?, month).await?.spent.micros();
        }
        if counted < billed || !is_troubled && counted != billed {
            world.broken("bills_are_equal", || {
                format!("X has charged {flock} {billed} millionths of a dollar, and {counted} are counted")
            });
        }
    }
    Ok(())
}

/// A post is paid for once, however often it is tried: only what is still open may be paid for and not be there.
pub(crate) async fn each_post_is_paid_once(world: &Arc<World>, end: &End) -> anyhow::Result<()> {
    let store = world.store();
    let mut charged: BTreeMap<&str, u64> = BTreeMap::new();
    for (plan, account) in world.accounts().filter(|(_, account)| account.network == Network::X) {
        let bill = world.outside.x.bill(&user_id(account_name(&account)));
        *charged.entry(plan.flock).or_default() += bill.get(&Billed::Post).copied().unwrap_or(0);
    }
    for (flock, charged) in charged {
        let mut paid = 0;
        for month in months(world) {
            let ledger = store.ledger(&flock.parse()?, month).await?;
            paid += ledger.counts.get("posts").copied().unwrap_or(0);
        }
        let is_open = |sheep: &&Sheep| sheep.id.flock.as_str() == flock && sheep.intent.is_some();
        let open = u64::try_from(end.sheep.values().filter(is_open).count()).unwrap_or(0);
        if charged + open < paid {
            world.broken("each_post_is_paid_once", || {
                format!("{flock} has paid for {paid} posts, X has charged it {charged}, and {open} are open")
            });
        }
    }
    Ok(())
}

/// A deletion is paid for once, however often it is tried: only what stayed, and what is under way, may be paid for and not be done.
pub(crate) async fn each_deletion_is_paid_once(world: &Arc<World>) -> anyhow::Result<()> {
    let store = world.store();
    let mut charged: BTreeMap<&str, u64> = BTreeMap::new();
    for (plan, account) in world.accounts().filter(|(_, account)| account.network == Network::X) {
        let bill = world.outside.x.bill(&user_id(account_name(&account)));
        *charged.entry(plan.flock).or_default() += bill.get(&Billed::Delete).copied().unwrap_or(0);
    }
    let in_doubt = world.known().seen.wipes.in_doubt();
    for (flock, charged) in charged {
        let mut paid = 0;
        for month in months(world) {
            let ledger = store.ledger(&flock.parse()?, month).await?;
            paid += ledger.counts.get("deletions").copied().unwrap_or(0);
        }
        if paid < charged || charged + in_doubt < paid {
            world.broken("each_deletion_is_paid_once", || {
                format!(
                    "{flock} has paid for {paid} deletions, X has charged it {charged}, and {in_doubt} are in doubt"
                )
            });
        }
    }
    Ok(())
}
