//! Pays for what networks charge: every such request is paid for here before it is sent.

use std::sync::{Mutex, PoisonError};

use flock_core::{Charge, Flock, Month, Network, Spending, Usd};
use flock_store::{Bill, Ledger, Reserved, Store, StoreError};
use jiff::Timestamp;

use crate::{Failure, failure::NotDone};

/// What one flock may spend, and on what it is about to.
#[derive(Debug)]
pub struct Purse<'a> {
    store: &'a Store,
    flock: &'a Flock,
    /// Who does it; with `act` it names a payment, so that it is made once.
    actor: String,
    act: String,
    /// When it was due: a payment made then is known again in the next month.
    due: Timestamp,
    now: Timestamp,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Paid for and not settled yet.
    open: Vec<Bill>,
    /// How often something was paid for.
    asked: u32,
    news: Option<SpendingNews>,
}

/// Something people should know about a flock's spending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendingNews {
    /// How the flock stands.
    pub spending: Spending,
    /// In which month.
    pub month: Month,
    /// What it has spent.
    pub spent: Usd,
    /// Of what.
    pub cap: Usd,
}

impl<'a> Purse<'a> {
    /// The purse of `flock`, from which `actor` pays for `act`, which was due at `due`.
    pub fn new(
        store: &'a Store,
        flock: &'a Flock,
        (actor, act): (String, String),
        due: Timestamp,
        now: Timestamp,
    ) -> Self {
        Self { store, flock, actor, act, due, now, state: Mutex::default() }
    }

    /// Pays for one thing of the kind `slot` ("post"): the money is gone from here on, until [`Self::settle`]
    /// says otherwise. Paid again for the same act, after a crash, it is paid once. Refuses what would pass
    /// the cap.
    pub(crate) async fn pay(
        &self,
        network: Network,
        slot: &str,
        charge: Charge,
    ) -> Result<Bill, Failure> {
        let bill = self.bill(network, slot, self.act.clone(), charge, self.asked());
        let bill = self.known(bill).await.map_err(|err| not_metered(&err))?;
        self.reserve(network, bill).await
    }

    /// Pays for one request of the kind `slot` ("look"), which is charged however often it is made: what an
    /// earlier one cost, whose answer nobody heard, stays in the sum.
    pub(crate) async fn pay_each(
        &self,
        network: Network,
        slot: &str,
        charge: Charge,
    ) -> Result<Bill, Failure> {
        let asked = self.asked();
        let id = format!("{}@{asked}", self.act);
        self.reserve(network, self.bill(network, slot, id, charge, asked)).await
    }

    /// Which time it is that something is paid for. No two ticks have an act at the same time.
    fn asked(&self) -> String {
        let mut state = self.state();
        state.asked += 1;
        format!("{}#{}", self.now, state.asked)
    }

    fn bill(
        &self,
        network: Network,
        slot: &str,
        id: String,
        charge: Charge,
        asked: String,
    ) -> Bill {
        Bill {
            flock: self.flock.name.clone(),
            month: Month::of(self.now),
            slot: format!("{slot}#{}", self.actor),
            id,
            asked,
            charge,
            price: (network.facts().price)(charge),
        }
    }

    async fn reserve(&self, network: Network, bill: Bill) -> Result<Bill, Failure> {
        let cap = self.flock.monthly_cap.unwrap_or(Usd::ZERO);
        match self.store.reserve(&bill, cap).await.map_err(|err| not_metered(&err))? {
            Reserved::Done(ledger) => {
                self.tell(Spending::of(ledger.spent, cap), bill.month, &ledger, cap);
                self.state().open.push(bill.clone());
                Ok(bill)
            }
            Reserved::OverCap(ledger) => {
                self.tell(Spending::Full, bill.month, &ledger, cap);
                let why = match self.flock.monthly_cap {
                    Some(cap) => format!(
                        "flock {} has spent {} of the {cap} it may spend in {}, and this costs {}; \
                         raise `monthly_cap` in its flock.toml and apply it, or wait",
                        bill.flock, ledger.spent, bill.month, bill.price
                    ),
                    None => format!(
                        "this costs {} on {}, and flock {} has no `monthly_cap`; write one in its \
                         flock.toml and apply it",
                        bill.price,
                        network.facts().title,
                        bill.flock
                    ),
                };
                Err(Failure::not_before(NotDone::NOT_ASKED, bill.month.end(), why))
            }
        }
    }

    /// What was paid in an earlier month for the same thing is not paid again.
    async fn known(&self, bill: Bill) -> Result<Bill, StoreError> {
        let mut month = Month::of(self.due);
        while month < bill.month {
            let earlier = Bill { month, ..bill.clone() };
            if self.store.is_reserved(&earlier).await? {
                return Ok(earlier);
            }
            month = Month::of(month.end());
        }
        Ok(bill)
    }

    /// Gives back what was paid for something that was certainly not done.
    pub(crate) async fn give_back(&self, bill: &Bill, _: NotDone) -> Result<(), Failure> {
        self.settle(bill, None).await
    }

    /// Says what a request was charged that is charged by what it brings: the rest is given back.
    ///
    /// A payment nobody settles stays in the sum: the network may have charged it.
    pub(crate) async fn settle_at(&self, bill: &Bill, charged: Charge) -> Result<(), Failure> {
        self.settle(bill, Some(charged)).await
    }

    async fn settle(&self, bill: &Bill, charged: Option<Charge>) -> Result<(), Failure> {
        self.state().open.retain(|open| open != bill);
        let each = |charge: Charge| {
            let price = bill.price.micros() / u64::from(bill.charge.count().max(1));
            (charge, Usd::from_micros(price).times(charge.count().into()))
        };
        let settled = self.store.settle_bill(bill, charged.map(each)).await;
        settled.map_err(|err| not_metered(&err))
    }

    /// Ends the payments for what was done, once it is recorded: from then on nobody asks for it again.
    pub async fn close(&self) -> Result<(), StoreError> {
        let open = std::mem::take(&mut self.state().open);
        for bill in open {
            self.store.settle_bill(&bill, Some((bill.charge, bill.price))).await?;
        }
        Ok(())
    }

    /// What people do not know yet.
    pub fn news(&self) -> Option<SpendingNews> {
        self.state().news.clone()
    }

    fn tell(&self, spending: Spending, month: Month, ledger: &Ledger, cap: Usd) {
        // Who knows that it is full need not hear that it was nearly so, when something is given back.
        let is_told = [spending, Spending::Full].iter().any(|known| ledger.is_told(*known, cap));
        if spending != Spending::Usual && !is_told {
            let news = SpendingNews { spending, month, spent: ledger.spent, cap };
            self.state().news = Some(news);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What cannot be counted is not spent.
fn not_metered(err: &StoreError) -> Failure {
    Failure::try_again(NotDone::NOT_ASKED, format!("the spending could not be counted: {err}"))
}
