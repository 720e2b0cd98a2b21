//! What flocks have spent: one item for each flock and month, changed by conditional additions alone, so that
//! it is exact whoever adds at the same time.
//!
//! What is about to be charged is reserved first, under a name: reserving it again, after a crash or because
//! the SDK repeated a request, changes nothing. A reservation is in the sum from the moment it is made.
//! Settling it gives back what was not charged and forgets the name. A request to reserve that is still under way then, because
//! the SDK has sent another in its place, reserves nothing when it arrives: the last that were settled are kept.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{
        AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure,
    },
};
use flock_core::{Charge, FlockName, Month, Spending, Usd};
use serde::{Deserialize, Serialize};

use crate::{Item, Keyed, Read, Store, StoreError, conditional, key::Key, request_error};

/// Something a network is about to charge a flock for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Who pays.
    pub flock: FlockName,
    /// In which month.
    pub month: Month,
    /// Who does it and what kind of thing: has at most one reservation at a time.
    pub slot: String,
    /// Which one it is.
    pub id: String,
    /// Which of the times that it is asked for: no two of one `slot` are the same.
    pub asked: String,
    /// What is charged for.
    pub charge: Charge,
    /// What it costs.
    pub price: Usd,
}

/// What a flock has spent in a month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The sum, with what is reserved.
    pub spent: Usd,
    /// How many of each kind, by [`Charge::kind`].
    pub counts: BTreeMap<String, u64>,
    /// What people were told last.
    told: Option<String>,
}

/// What came of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// It is in the sum, now or since before.
    Done(Ledger),
    /// With it the sum would pass the cap: nothing was changed.
    OverCap(Ledger),
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct LedgerItem {
    #[serde(default)]
    spent: Usd,
    #[serde(default)]
    told: Option<String>,
    /// Counts under `count#<kind>`, reservations under their slots, and the newest that were settled under `settled#<number>`.
    #[serde(flatten)]
    rest: HashMap<String, serde_json::Value>,
}

impl Store {
    /// Reserves what `bill` says, unless the flock's spending would pass `cap`.
    pub async fn reserve(&self, bill: &Bill, cap: Usd) -> Result<Reserved, StoreError> {
        let what = bill.what();
        if cap < bill.price {
            return Ok(Reserved::OverCap(self.ledger(&bill.flock, bill.month).await?));
        }
        let room = cap.minus(bill.price);
        let output = self
            .update(
                Key::spend(&bill.flock, bill.month),
                "SET #slot = :id ADD spent :price, #count :count",
            )
            .condition_expression(
                "(attribute_not_exists(#slot) OR #slot <> :id) AND \
                 (attribute_not_exists(#settled) OR #settled <> :asked) AND \
                 (attribute_not_exists(spent) OR spent <= :room)",
            )
            .expression_attribute_names("#slot", &bill.slot)
            .expression_attribute_names("#settled", bill.settled())
            .expression_attribute_values(":asked", AttributeValue::S(bill.asked()))
            .expression_attribute_names("#count", count_name(bill.charge))
            .expression_attribute_values(":id", AttributeValue::S(bill.id.clone()))
            .expression_attribute_values(":price", number(bill.price.micros()))
            .expression_attribute_values(":count", number(bill.charge.count()))
            .expression_attribute_values(":room", number(room.micros()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match output {
            Ok(output) => {
                self.meter.write(output.consumed_capacity());
                Ok(Reserved::Done(ledger(output.attributes, &what)?))
            }
            Err(err) => {
                let Some(UpdateItemError::ConditionalCheckFailedException(failed)) =
                    err.as_service_error()
                else {
                    return Err(request_error("reserve", what, err));
                };
                let item = failed.item.clone();
                let same = AttributeValue::S(bill.id.clone());
                let is_reserved =
                    item.as_ref().and_then(|item| item.get(&bill.slot)) == Some(&same);
                let ledger = ledger(item, &what)?;
                Ok(if is_reserved { Reserved::Done(ledger) } else { Reserved::OverCap(ledger) })
            }
        }
    }

    /// Ends a reservation: `charged` is what the network has charged in the end, and nothing if it has not.
    pub async fn settle_bill(
        &self,
        bill: &Bill,
        charged: Option<(Charge, Usd)>,
    ) -> Result<(), StoreError> {
        let (count, price) =
            charged.map_or((0, Usd::ZERO), |(charge, price)| (charge.count(), price));
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::spend(&bill.flock, bill.month).attributes()))
            .condition_expression("#slot = :id")
            .expression_attribute_names("#slot", &bill.slot)
            .expression_attribute_names("#settled", bill.settled())
            .expression_attribute_values(":id", AttributeValue::S(bill.id.clone()))
            .expression_attribute_values(":asked", AttributeValue::S(bill.asked()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        update = if (count, price) == (bill.charge.count(), bill.price) {
            update.update_expression("SET #settled = :asked REMOVE #slot")
        } else {
            let less = |number: u64| AttributeValue::N(format!("-{number}"));
            update
                .update_expression(
                    "SET #settled = :asked REMOVE #slot ADD spent :price, #count :count",
                )
                .expression_attribute_names("#count", count_name(bill.charge))
                .expression_attribute_values(":price", less(bill.price.minus(price).micros()))
                .expression_attribute_values(
                    ":count",
                    less(bill.charge.count().saturating_sub(count).into()),
                )
        };
        let output = conditional(update.send().await, "settle", bill.what())?;
        self.meter.write(output.and_then(|output| output.consumed_capacity).as_ref());
        Ok(())
    }

    /// Whether `bill` is reserved in its month.
    pub async fn is_reserved(&self, bill: &Bill) -> Result<bool, StoreError> {
        let key = Key::spend(&bill.flock, bill.month);
        let item: Option<LedgerItem> = self.one(&bill.what(), key, Read::Consistent).await?;
        let id = item.and_then(|mut item| item.rest.remove(&bill.slot));
        Ok(id.is_some_and(|id| id == bill.id.as_str()))
    }

    /// What the flock has spent in the month.
    pub async fn ledger(&self, flock: &FlockName, month: Month) -> Result<Ledger, StoreError> {
        let what = format!("the spending of {flock} in {month}");
        let item: Option<LedgerItem> =
            self.one(&what, Key::spend(flock, month), Read::Consistent).await?;
        Ok(Ledger::from(item.unwrap_or_default()))
    }

    /// Notes that people were told how the flock stands with its cap.
    pub async fn note_told(
        &self,
        flock: &FlockName,
        month: Month,
        spending: Spending,
        cap: Usd,
    ) -> Result<(), StoreError> {
        let output = self
            .update(Key::spend(flock, month), "SET told = :told")
            .expression_attribute_values(":told", AttributeValue::S(told(spending, cap)))
            .send()
            .await;
        output
            .map(|_| ())
            .map_err(|err| request_error("note", format!("what was told of {flock}"), err))
    }
}

/// Of how many settled bills an item keeps the newest: enough for the seconds that a request may be under way, and few enough that the
/// item stays one write unit.
const SETTLED: u64 = 8;

impl Bill {
    /// Where it is kept that it was settled. Slots may share that; the newest stays.
    fn settled(&self) -> String {
        format!("settled#{}", short(&self.slot) % SETTLED)
    }

    fn asked(&self) -> String {
        format!("{:016x}", short(&format!("{} {}", self.slot, self.asked)))
    }

    fn what(&self) -> String {
        format!("the spending of {} in {}", self.flock, self.month)
    }
}

impl Ledger {
    /// Whether people know that the flock stands so with its cap.
    pub fn is_told(&self, spending: Spending, cap: Usd) -> bool {
        self.told.as_deref() == Some(&told(spending, cap))
    }
}

impl From<LedgerItem> for Ledger {
    fn from(item: LedgerItem) -> Self {
        let counts = item.rest.into_iter().filter_map(|(name, value)| {
            Some((name.strip_prefix(COUNT)?.to_owned(), value.as_u64()?))
        });
        Self { spent: item.spent, told: item.told, counts: counts.collect() }
    }
}

const COUNT: &str = "count#";

fn count_name(charge: Charge) -> String {
    format!("{COUNT}{}", charge.kind())
}

/// A raised cap is news.
fn told(spending: Spending, cap: Usd) -> String {
    format!("{} {cap}", spending.name())
}

/// A text in 64 bits: FNV-1a (Fowler, Noll, Vo; RFC 9923, 2025).
fn short(text: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

fn number(number: impl Into<u64>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}

fn ledger(item: Option<Item>, what: &str) -> Result<Ledger, StoreError> {
    let item = item.map(|item| Keyed::<LedgerItem>::read(item, what)).transpose()?;
    Ok(Ledger::from(item.map(|item| item.value).unwrap_or_default()))
}
