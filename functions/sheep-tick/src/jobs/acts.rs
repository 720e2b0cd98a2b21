//! A step that does one wish for some accounts.

use std::{collections::BTreeMap, time::Duration};

use flock_aws::Instant;
use flock_core::{
    AccountId, Act, Acts, ActsTurn, Came, Errand, Job, Outcome, PostId, Sent, Task, Unit, Work,
};
use flock_errand::{By, Order};
use flock_net::Stands;
use flock_ops::accounts_of;
use futures_util::{StreamExt as _, stream};
use tracing::warn;

use super::Step;
use crate::{App, tick::Tick};

/// How long a step begins new ones through the same account: what is left of a tick after that is enough for the one that it has begun.
const BEGINS_FOR: Duration = Duration::from_secs(4);

impl App {
    pub(super) async fn step_of_acts(
        &self,
        work: &Acts,
        job: &Job,
        tick: &Tick,
    ) -> anyhow::Result<Step> {
        let accounts = accounts_of(&self.store, &work.whom).await?;
        let units = work.wish.units(&accounts);
        let these = match work.turn(&units, self.clock.now()) {
            ActsTurn::Over => return Ok(Step::Nothing),
            ActsTurn::Wait => return Ok(Step::Waits),
            ActsTurn::These(these) => these,
        };
        // Through one account one after the other: that is what is paid for, and what networks count.
        let mut by_account: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for unit in &these {
            by_account.entry(unit.account.clone()).or_default().push(unit.clone());
        }
        let one = (work, job, &*accounts, tick);
        let all: Vec<_> = by_account.into_values().map(|units| self.through(units, one)).collect();
        let mut all = stream::iter(all).buffer_unordered(Acts::STEP);
        let mut came = Vec::new();
        while let Some(some) = all.next().await {
            came.extend(some?);
        }
        // In their order, whichever was done first: so the lines of a step are always the same.
        came.sort_by_key(|(unit, _)| these.iter().position(|one| one == unit));
        let now = self.clock.now();
        let work = work.step(&came, now);
        let is_last = work.turn(&units, now) == ActsTurn::Over;
        Ok(Step::Made { work: Work::Acts(work), is_last })
    }

    /// Does these through their one account. Where its network is away, the rest is not tried.
    async fn through(
        &self,
        units: Vec<Unit>,
        one: (&Acts, &Job, &[AccountId], &Tick),
    ) -> anyhow::Result<Vec<(Unit, Came)>> {
        let (mut all, mut is_away) = (Vec::new(), false);
        let begins_until = Instant::now() + BEGINS_FOR;
        for unit in units {
            let is_over = is_away || begins_until <= Instant::now() && !all.is_empty();
            let came =
                if is_over { Came::NotYet } else { Box::pin(self.act_of(&unit, one)).await? };
            let came = came.said_of(&unit);
            is_away |= matches!(came, Came::Later { .. });
            all.push((unit, came));
        }
        Ok(all)
    }

    /// Does one, as an errand of the job.
    async fn act_of(
        &self,
        unit: &Unit,
        (work, job, accounts, tick): (&Acts, &Job, &[AccountId], &Tick),
    ) -> anyhow::Result<Came> {
        let act = match work.wish.act(unit, &work.standing(&unit.account, accounts)) {
            Ok(act) => act,
            Err(whys) => {
                let whys: Vec<_> = whys.iter().map(ToString::to_string).collect();
                return Ok(Came::Refused { why: whys.join("; ") });
            }
        };
        let task = Task {
            id: PostId::of_job(&job.id, job.since, &unit.to_string()),
            account: unit.account.clone(),
            act,
            cause: work.wish.cause(accounts.len()),
            payer: work.payer.clone(),
        };
        let mut errand = Errand::new(task, job.since);
        let flock = self.carrier.payer(&errand, tick.payers()).await?;
        let of = (job, tick);
        let account = match Box::pin(self.carrier.prepare(order(&errand, of), &flock)).await {
            Ok(account) => account,
            Err(outcome) => return Ok(came(outcome, Stands::Now)),
        };
        let network = unit.account.network;
        let can = flock_net::check_action(network, account.facts.tier, work.wish.action());
        if let Err(cannot) = can {
            return Ok(Came::Refused { why: cannot.to_string() });
        }
        if let Some(other) = &unit.other {
            let found =
                Box::pin(self.carrier.find_user(order(&errand, of), &account, &flock, other));
            let id = match found.await? {
                Ok(id) => id,
                Err(outcome) => return Ok(came(outcome, Stands::Now)),
            };
            if let Act::Follow { who } | Act::Unfollow { who } = &mut errand.work.act {
                *who = id;
            }
        }
        let carried =
            Box::pin(self.carrier.carry_out(order(&errand, of), &account, &flock)).await?;
        self.carrier.close(&carried).await;
        if let (Outcome::Done(_), Act::Profile { bot: Some(is_bot), .. }) =
            (&carried.outcome, &errand.work.act)
            && let Err(err) = self.store.put_label(&unit.account, *is_bot).await
        {
            // Whoever asks for it again has it noted.
            warn!(account = %unit.account, error = %err, "its label is not noted");
        }
        Ok(came(carried.outcome, carried.stands))
    }
}

/// The errand as one of the job. Done again it changes nothing, so that the rules are asked each time.
fn order<'a>(errand: &'a Errand, (job, tick): (&'a Job, &Tick)) -> Order<'a> {
    Order { errand, sent: Sent::No, by: By::Job(&job.id), tell_until: tick.publish_until }
}

fn came(outcome: Outcome, stands: Stands) -> Came {
    match outcome {
        Outcome::Done(_) => match stands {
            Stands::Now => Came::Done,
            Stands::Already => Came::Already,
            Stands::Requested => Came::Requested,
        },
        Outcome::SetAside { why } | Outcome::Refused { why } | Outcome::Taken { why, .. } => {
            Came::Refused { why }
        }
        Outcome::TryAgain { why, not_before } | Outcome::Untold { why, not_before } => {
            Came::Later { why, not_before }
        }
        Outcome::Unknown { why } => Came::Later { why, not_before: None },
    }
}
