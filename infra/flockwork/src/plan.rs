//! What applying a flock's files changes, and changing it.

use std::{collections::BTreeMap, convert::Infallible, fmt};

use flock_core::{
    AccountId, Behaviour, CorpusId, Flock, FlockName, Network, Occurrence, Sent, Sheep,
    SheepConfig, SheepId, SheepName, count,
};
use flock_store::{Store, Write};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use crate::{
    flock_file::{FlockFile, SheepFile},
    refusal::{not_changed, refuse},
};

/// The difference between a flock's files and the table.
#[derive(Debug)]
pub struct Plan {
    flock: FlockName,
    create: Vec<SheepFile>,
    change: Vec<(Sheep, SheepFile)>,
    remove: Vec<Sheep>,
    unchanged: usize,
}

/// Compares `file` with the table. Refuses what could not be applied.
pub async fn plan(store: &Store, file: FlockFile, now: Timestamp) -> anyhow::Result<Plan> {
    let mut there: BTreeMap<SheepName, Sheep> = store
        .sheep_of_flock(&file.name)
        .await?
        .into_iter()
        .map(|sheep| (sheep.id.name.clone(), sheep))
        .collect();
    let mut plan = Plan {
        flock: file.name,
        create: Vec::new(),
        change: Vec::new(),
        remove: Vec::new(),
        unchanged: 0,
    };
    let mut problems = Vec::new();
    for sheep in file.sheep {
        if sheep.config.rhythm.first_slot(now).is_none() {
            problems.push(format!("{}: its `end` has passed", sheep.name));
        }
        let account = &sheep.config.account;
        if account.network != Network::Meadow && store.account(account).await?.is_none() {
            problems.push(format!(
                "{}: the account {account} has no key here; add it with `flockwork account add {} \
                 --key FILE`",
                sheep.name, account.handle
            ));
        }
        match there.remove(&sheep.name) {
            None => plan.create.push(sheep),
            Some(old) if old.config == sheep.config => plan.unchanged += 1,
            Some(old) => {
                if let Some(problem) = cannot_move(&old, account) {
                    problems.push(problem);
                }
                plan.change.push((old, sheep));
            }
        }
    }
    plan.remove.extend(there.into_values());
    if problems.is_empty() { Ok(plan) } else { Err(refuse(problems.join("\n"))) }
}

/// A post that may be on the old account's network must be settled there first.
fn cannot_move(old: &Sheep, account: &AccountId) -> Option<String> {
    let intent = old.intent.as_ref().filter(|intent| intent.sent == Sent::Maybe)?;
    (old.config.account != *account).then(|| {
        format!(
            "{}: its post {} may be on {} already; apply again when that is known (`flockwork sheep \
             show {}`)",
            old.id.name, intent.occurrence, old.config.account, old.id
        )
    })
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.change.is_empty() && self.remove.is_empty()
    }

    /// Carries the plan out. When it is cut off, applying again finishes it.
    pub async fn apply(self, store: &Store, now: Timestamp) -> anyhow::Result<()> {
        store.put_flock(&Flock::new(self.flock.clone())).await?;
        self.put_corpora(store).await?;
        let mut unused = Vec::new();
        for sheep in self.create {
            let id = SheepId { flock: self.flock.clone(), name: sheep.name };
            // Numbers go on after the posts of an earlier sheep of that name: a number is used once.
            let newest = store.newest_posts(&id, 1).await?.pop();
            let next = newest.map_or(Occurrence(1), |post| post.occurrence.plus(1));
            let sheep = Sheep::create(id.clone(), sheep.config, next, now)
                .ok_or_else(|| refuse(format!("{id}: its `end` has passed")))?;
            // Made by another apply in the same moment: that one's files win.
            if store.create_sheep(&sheep).await? == Write::Conflict {
                return Err(changed_meanwhile(&id));
            }
        }
        for (old, sheep) in self.change {
            unused.push(corpus_of(&old.config).clone());
            let transition =
                |old: &Sheep| Ok::<_, Infallible>(old.reconfigure(sheep.config.clone(), now));
            let Ok(_) = store.change_sheep(old, transition).await.map_err(not_changed)?;
        }
        for old in self.remove {
            unused.push(corpus_of(&old.config).clone());
            remove(store, old).await?;
        }
        delete_unused(store, &self.flock, unused).await
    }

    async fn put_corpora(&self, store: &Store) -> anyhow::Result<()> {
        let mut missing = BTreeMap::new();
        for sheep in self.create.iter().chain(self.change.iter().map(|(_, sheep)| sheep)) {
            let corpus = corpus_of(&sheep.config);
            if !missing.contains_key(corpus) && !store.has_corpus(&self.flock, corpus).await? {
                missing.insert(corpus.clone(), &sheep.corpus);
            }
        }
        let lines = missing.values().map(|corpus| u64::from(corpus.len())).sum();
        // Drawn on the terminal alone, and gone when done.
        let bar = ProgressBar::new(lines).with_style(
            ProgressStyle::with_template("storing corpora {bar:40} {pos}/{len} lines")
                .expect("the template is well-formed"),
        );
        for corpus in missing.into_values() {
            store.put_corpus(&self.flock, corpus, |lines| bar.inc(lines.into())).await?;
        }
        bar.finish_and_clear();
        Ok(())
    }
}

/// Removes a flock, its sheep and their corpora. Posts stay.
pub async fn remove_flock(store: &Store, flock: &FlockName) -> anyhow::Result<usize> {
    let sheep = store.sheep_of_flock(flock).await?;
    let count = sheep.len();
    let mut unused = Vec::new();
    for sheep in sheep {
        unused.push(corpus_of(&sheep.config).clone());
        remove(store, sheep).await?;
    }
    delete_unused(store, flock, unused).await?;
    store.delete_flock(flock).await?;
    Ok(count)
}

/// A tick writes a sheep twice per post, so a few tries always suffice.
const TRIES: usize = 20;

async fn remove(store: &Store, sheep: Sheep) -> anyhow::Result<()> {
    let id = sheep.id.clone();
    let mut sheep = sheep;
    for _ in 0..TRIES {
        if store.delete_sheep(&sheep).await? == Write::Done {
            return Ok(());
        }
        match store.sheep(&id, flock_store::Read::Consistent).await? {
            Some(newest) => sheep = newest,
            None => return Ok(()),
        }
    }
    Err(changed_meanwhile(&id))
}

fn changed_meanwhile(id: &SheepId) -> anyhow::Error {
    refuse(format!("{id} is being changed by somebody else; try again"))
}

async fn delete_unused(
    store: &Store,
    flock: &FlockName,
    unused: Vec<CorpusId>,
) -> anyhow::Result<()> {
    let sheep = store.sheep_of_flock(flock).await?;
    let used: Vec<&CorpusId> = sheep.iter().map(|sheep| corpus_of(&sheep.config)).collect();
    for corpus in unused {
        if !used.contains(&&corpus) {
            store.delete_corpus(flock, &corpus).await?;
        }
    }
    Ok(())
}

fn corpus_of(config: &SheepConfig) -> &CorpusId {
    match &config.behaviour {
        Behaviour::Poem { corpus, .. } => corpus,
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flock, create, change, remove, unchanged } = self;
        if self.is_empty() {
            return write!(f, "flock {flock}: nothing to change ({unchanged} sheep)");
        }
        writeln!(f, "flock {flock}:")?;
        for sheep in create {
            let Behaviour::Poem { lines, .. } = &sheep.config.behaviour;
            writeln!(
                f,
                "  + create {}: poem of {}, {}, on {}",
                sheep.name,
                count(*lines, "line"),
                sheep.config.rhythm,
                sheep.config.account
            )?;
        }
        for (old, new) in change {
            writeln!(f, "  ~ change {}: {}", new.name, difference(&old.config, &new.config))?;
        }
        for sheep in remove {
            writeln!(f, "  - remove {}", sheep.id.name)?;
        }
        write!(
            f,
            "{} to create, {} to change, {} to remove, {unchanged} unchanged",
            create.len(),
            change.len(),
            remove.len()
        )
    }
}

fn difference(old: &SheepConfig, new: &SheepConfig) -> String {
    let mut parts = Vec::new();
    if old.account != new.account {
        parts.push(format!("account {} -> {}", old.account, new.account));
    }
    if old.behaviour != new.behaviour {
        let lines = |config: &SheepConfig| match &config.behaviour {
            Behaviour::Poem { lines, .. } => *lines,
        };
        parts.push(format!("text ({} -> {})", lines(old), count(lines(new), "line")));
    }
    if old.rhythm != new.rhythm {
        parts.push(format!("rhythm ({} -> {})", old.rhythm, new.rhythm));
    }
    parts.join(", ")
}
