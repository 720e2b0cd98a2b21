//! What a sheep says next, where its flock wants nothing said twice in nearly the same words.

use std::collections::HashMap;

use anyhow::Context as _;
use flock_core::{Act, FlockName, NearDuplicates, Network, Next, Sheep, Told};
use flock_store::Newest;
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::{App, tick::Tick};

/// So many texts are passed over for one post: who draws others than these draws few.
const PASSED_OVER: u32 = 20;

/// What the newest posts of flocks are like, each read once for a tick.
#[derive(Debug, Default)]
pub(crate) struct Near(Mutex<HashMap<(FlockName, Network), Newest>>);

/// What is said next.
pub(crate) struct Said {
    pub(crate) next: Next,
    pub(crate) act: Act,
    /// Why it is not to be posted.
    pub(crate) aside: Option<String>,
    /// How many texts were passed over for it.
    pub(crate) passed_over: u32,
}

impl App {
    /// What `sheep` says at `next`; where that is drawn and nearly the same as something that was said lately, the first text after it
    /// that is not. `None`: what it says is not there.
    pub(crate) async fn say(
        &self,
        sheep: &Sheep,
        mut next: Next,
        tick: &Tick,
    ) -> anyhow::Result<Option<Said>> {
        let behaviour = &sheep.config.behaviour;
        let mut passed_over = 0;
        loop {
            let Some(material) = self.material(sheep, next.progress.cursor).await? else {
                return Ok(None);
            };
            let turn = sheep.turn(next.progress.cursor, next.progress.occurrence, next.at);
            let said = behaviour.say(turn, material);
            let (act, number) = (sheep.config.post(said.act), next.progress.occurrence);
            let is_near = match sheep.config.near_duplicates {
                Some(rule) if NearDuplicates::asks(behaviour, next.progress.cursor) => {
                    self.is_near(sheep, rule, Told::of(&act.to_string(), &sheep.id, number), tick)
                        .await?
                }
                Some(_) | None => false,
            };
            if is_near && behaviour.draws() && passed_over < PASSED_OVER {
                info!(sheep = %sheep.id, "passed over, as nearly the same was said: {act}");
                passed_over += 1;
                next = next.passing_over(behaviour);
                continue;
            }
            let aside = is_near.then(|| {
                let rule = sheep.config.near_duplicates.map_or(0, |rule| rule.last);
                format!("its flock has said nearly the same in its last {rule} posts there (`near_duplicates`)")
            });
            return Ok(Some(Said { next: next.followed_by(said.then), act, aside, passed_over }));
        }
    }

    async fn is_near(
        &self,
        sheep: &Sheep,
        rule: NearDuplicates,
        told: Option<Told>,
        tick: &Tick,
    ) -> anyhow::Result<bool> {
        let Some(told) = told else { return Ok(false) };
        let mut near = tick.near.0.lock().await;
        let newest = self.newest(&mut near, sheep, rule).await?;
        let last = newest.told.iter().rev().take(rule.last.into());
        let mut others = last.filter(|other| other.post != told.post);
        let is_near = others.any(|other| rule.are_alike(other.likeness, told.likeness));
        if !is_near {
            // What others of this tick are compared with, before it is written.
            newest.told.push(told);
        }
        Ok(is_near)
    }

    async fn newest<'a>(
        &self,
        near: &'a mut HashMap<(FlockName, Network), Newest>,
        sheep: &Sheep,
        rule: NearDuplicates,
    ) -> anyhow::Result<&'a mut Newest> {
        let (flock, network) = (&sheep.id.flock, sheep.config.account.network);
        let key = (flock.clone(), network);
        if !near.contains_key(&key) {
            near.insert(key.clone(), self.store.newest_told(flock, network, rule.last).await?);
        }
        near.get_mut(&key).context("it was put there")
    }

    /// Notes what a post is like that is claimed and about to be made. Where that fails, it is compared with nothing, which is no
    /// reason not to make it.
    pub(crate) async fn note_told(&self, claimed: &Sheep, tick: &Tick) {
        let Some((rule, intent)) = claimed.config.near_duplicates.zip(claimed.decided()) else {
            return;
        };
        let text = intent.errand.work.act.to_string();
        let Some(told) = Told::of(&text, &claimed.id, intent.occurrence) else { return };
        let mut near = tick.near.0.lock().await;
        let noted = async {
            let newest = self.newest(&mut near, claimed, rule).await?;
            let of = (&claimed.id.flock, claimed.config.account.network);
            anyhow::Ok(self.store.note_likeness(of, newest, told, self.clock.now()).await?)
        };
        if let Err(err) = noted.await {
            warn!(sheep = %claimed.id, error = format!("{err:#}"), "a post is not compared with those that follow it");
        }
    }
}
