//! A plan, as programs read it.

use flock_core::{JobId, Objection, Remedy, SheepName};
use jiff::Timestamp;
use serde::Serialize;

use super::{Plan, difference};
use crate::spend::dollars;

/// A plan as one JSON object. The names are a promise to scripts.
#[derive(Debug, Serialize)]
pub struct PlanLine<'a> {
    flock: &'a str,
    /// Whether there is nothing to do.
    is_empty: bool,
    create: Vec<Created<'a>>,
    change: Vec<Changed<'a>>,
    remove: Vec<&'a str>,
    restore: Vec<&'a str>,
    wake: Vec<&'a str>,
    /// Jobs that go on when it is applied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wake_jobs: Vec<&'a str>,
    unchanged: usize,
    warnings: &'a [String],
    /// What is not there yet, and has to be before this can be applied.
    missing: Vec<Missing>,
    /// Of what costs something.
    next_30_days: Option<Cost>,
}

#[derive(Debug, Serialize)]
struct Created<'a> {
    sheep: &'a str,
    account: String,
    behaviour: String,
    rhythm: String,
}

#[derive(Debug, Serialize)]
struct Changed<'a> {
    sheep: &'a str,
    what: String,
}

/// An account that was never added, or a field of flock.toml.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Missing {
    Account(String),
    Field(&'static str),
}

#[derive(Debug, Serialize)]
struct Cost {
    posts: u64,
    /// In dollars, as the cap.
    dollars: f64,
    cap: Option<f64>,
    cap_reached_at: Option<Timestamp>,
}

impl<'a> PlanLine<'a> {
    /// The object for `plan`.
    pub fn new(plan: &'a Plan) -> Self {
        Self {
            flock: plan.flock.name.as_str(),
            is_empty: plan.is_empty(),
            create: plan
                .create
                .iter()
                .map(|sheep| Created {
                    sheep: sheep.name.as_str(),
                    account: sheep.config.account.to_string(),
                    behaviour: sheep.config.behaviour.describe(),
                    rhythm: sheep.config.rhythm.to_string(),
                })
                .collect(),
            change: plan
                .change
                .iter()
                .map(|(old, new)| Changed {
                    sheep: new.name.as_str(),
                    what: difference(&old.config, &new.config),
                })
                .collect(),
            remove: plan.remove.iter().map(|sheep| sheep.id.name.as_str()).collect(),
            restore: plan.restore.iter().map(SheepName::as_str).collect(),
            wake: plan.wake.iter().map(SheepName::as_str).collect(),
            wake_jobs: plan.wake_jobs.iter().map(JobId::as_str).collect(),
            unchanged: plan.unchanged,
            warnings: &plan.words,
            missing: plan.missing.iter().flat_map(missing).collect(),
            next_30_days: plan.outlook.as_ref().map(|outlook| Cost {
                posts: outlook.all.posts,
                dollars: dollars(outlook.all.cost),
                cap: plan.flock.monthly_cap.map(dollars),
                cap_reached_at: outlook.reached,
            }),
        }
    }
}

fn missing(objection: &Objection) -> impl Iterator<Item = Missing> {
    let field = objection.is_no_cap().then_some(Missing::Field("monthly_cap"));
    let accounts = objection.remedies().iter().filter_map(|remedy| match remedy {
        Remedy::AddAccount(account) => Some(Missing::Account(account.to_string())),
        Remedy::RenewAccount(_)
        | Remedy::ListSheep
        | Remedy::ShowSheep(_)
        | Remedy::ResumeSheep(_)
        | Remedy::SayWhetherSent(..) => None,
    });
    field.into_iter().chain(accounts)
}
