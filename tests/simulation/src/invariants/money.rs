//! Money: what X charges.

use std::{collections::BTreeMap, sync::Arc};

use flock_core::{Month, Network};
use jiff::{ToSpan as _, tz::TimeZone};

use crate::{
    fault::Service,
    outside::{account_name, user_id},
    scenario::CAP_CENTS,
    world::World,
};

/// What X has charged for a flock, in millionths of a dollar.
fn billed(world: &World) -> BTreeMap<&'static str, u64> {
    let mut billed = BTreeMap::new();
    for (plan, account) in world.accounts().filter(|(_, account)| account.network == Network::X) {
        let user = user_id(account_name(&account));
        *billed.entry(plan.flock).or_default() += world.outside.x.billed_micros(&user);
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

/// X never charges a flock more than the highest cap it ever had, in each month.
pub(crate) fn caps_are_kept(world: &World) {
    let most = u64::from(CAP_CENTS) * 10_000 * u64::try_from(months(world).len()).unwrap_or(1);
    for (flock, billed) in billed(world) {
        if most < billed {
            world.broken("caps_are_kept", || {
                format!("X has charged {flock} {billed} millionths of a dollar, of {most}")
            });
        }
    }
}

/// What is counted is what X has charged; it may be more where X was asked and nobody heard what came of it.
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
