//! What applying a flock's files changes, and changing it.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::anyhow;
use flock_core::{
    AccountId, Corpus, CorpusId, Cursor, Flock, FlockName, Month, Occurrence, Sheep, SheepConfig,
    SheepId, SheepName, State, Usd, count,
};
use flock_store::{Store, Write};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use crate::{
    ask,
    cost::Outlook,
    edits::Edits,
    flock_file::{FlockFile, SheepFile, one_line},
    guard::{self, Accounts, Member, Text, Timed},
    operator,
    refusal::{Refusal, not_changed, refuse},
    show::local,
};

/// The difference between a flock's files and the table.
#[derive(Debug)]
pub struct Plan {
    flock: Flock,
    /// The flock as it is.
    before: Flock,
    create: Vec<SheepFile>,
    change: Vec<(Sheep, SheepFile)>,
    edits: Edits,
    remove: Vec<Sheep>,
    /// Sheep that stay with a text that is not in the table.
    restore: Vec<SheepName>,
    /// The texts of all sheep as they will be.
    texts: BTreeMap<CorpusId, Arc<Corpus>>,
    /// Sheep whose post waits for the cap, though there is room under it.
    wake: Vec<SheepName>,
    /// What has a time that has passed.
    late: Vec<String>,
    unchanged: usize,
    /// Who posts through which account.
    roster: Vec<(SheepId, AccountId)>,
    outlook: Option<Outlook>,
}

/// Compares `file` with the table. Refuses what could not be applied, and what its networks would refuse.
pub async fn plan(store: &Store, file: FlockFile, now: Timestamp) -> anyhow::Result<Plan> {
    let FlockFile { flock, sheep } = file;
    let before = store.flock(&flock.name).await?;
    let mut there: BTreeMap<SheepName, Sheep> = store
        .sheep_of_flock(&flock.name)
        .await?
        .into_iter()
        .map(|sheep| (sheep.id.name.clone(), sheep))
        .collect();
    let accounts: BTreeSet<_> = sheep.iter().map(|sheep| &sheep.config.account).collect();
    let accounts = Accounts::read(store, accounts).await?;
    let mut plan = Plan {
        before: before.unwrap_or_else(|| Flock::new(flock.name.clone())),
        flock,
        create: Vec::new(),
        change: Vec::new(),
        edits: Edits::default(),
        remove: Vec::new(),
        restore: Vec::new(),
        texts: sheep
            .iter()
            .map(|sheep| (sheep.config.behaviour.text().clone(), Arc::clone(&sheep.corpus)))
            .collect(),
        wake: Vec::new(),
        late: Vec::new(),
        unchanged: 0,
        roster: Vec::new(),
        outlook: None,
    };
    let missing =
        store.missing_corpora(&plan.flock.name, &plan.texts.keys().cloned().collect()).await?;
    let mut problems = Vec::new();
    // As the sheep will be, and whether that is new.
    let mut members: Vec<(Member, bool)> = Vec::new();
    for mut sheep in sheep {
        let account = &sheep.config.account;
        if let Some(facts) = accounts.get(account) {
            sheep.config.text_limit = facts.text_limit(account.network);
        }
        let id = SheepId { flock: plan.flock.name.clone(), name: sheep.name.clone() };
        plan.roster.push((id.clone(), sheep.config.account.clone()));
        // What has ended stays in its flock, and its flock can be applied.
        let has_ended =
            there.get(&sheep.name).is_some_and(|old| old.config.rhythm == sheep.config.rhythm);
        if sheep.config.rhythm.first_slot(now).is_none() && !has_ended {
            problems
                .push(format!("{id}: its `end` has passed; give it a later one, or take it out"));
        }
        let member = |to_be| Member {
            sheep: to_be,
            text: Text::File(sheep.file.clone()),
            corpus: Arc::clone(&sheep.corpus),
        };
        let corpus = sheep.config.behaviour.text();
        if missing.contains(corpus)
            && there.get(&sheep.name).is_some_and(|old| old.config.behaviour.text() == corpus)
        {
            plan.restore.push(sheep.name.clone());
        }
        match there.remove(&sheep.name) {
            None => {
                let created = Sheep::create(id, sheep.config.clone(), Occurrence(1), now);
                members.extend(created.map(|created| (member(created), true)));
                plan.create.push(sheep);
            }
            Some(old) if old.config == sheep.config => {
                members.push((member(old), false));
                plan.unchanged += 1;
            }
            Some(old) => {
                problems.extend(cannot_move(&old, account));
                let changed = plan.edits.plan(store, &old, &sheep, now).await?;
                problems.extend(plan.edits.slips(&old, &sheep, &changed));
                members.push((member(changed), true));
                plan.change.push((old, sheep));
            }
        }
    }
    plan.remove.extend(there.into_values());
    problems.extend(plan.remove.iter().filter_map(|sheep| cannot_remove(sheep, now)));
    problems.extend(plan.money(store, &members, now).await?);
    problems.extend(plan.fit(store, &members, &accounts, now).await?);
    let new = members.iter().filter(|(_, is_new)| *is_new);
    plan.late = new.filter_map(|(member, _)| late(member, now)).collect();
    if problems.is_empty() { Ok(plan) } else { Err(refuse(problems.join("\n"))) }
}

/// What of a text has a time that has passed, as people write the wrong year. It is posted all the same.
fn late(member: &Member, now: Timestamp) -> Option<String> {
    let Member { sheep, text, corpus } = member;
    let next = sheep.next_place().cursor.index();
    let to_come = corpus.lines().zip(0..).skip(usize::try_from(next).unwrap_or(usize::MAX));
    let late: Vec<_> = to_come
        .filter_map(|((number, _), index)| Some((number, corpus.times().at(Cursor::at(index))?)))
        .filter(|(_, at)| *at < now)
        .collect();
    let (number, at) = late.first()?;
    let many = u64::try_from(late.len()).unwrap_or(u64::MAX);
    Some(format!(
        "{}: {} with a time that has passed, the first in {} ({}): posted at once, a minute apart",
        sheep.id.name,
        count(many, sheep.config.behaviour.unit()),
        text.at(sheep.config.behaviour.unit(), *number),
        local(*at, sheep.config.rhythm.zone())
    ))
}

/// A post that may be on the old account's network must be settled there first.
pub fn cannot_move(old: &Sheep, account: &AccountId) -> Option<String> {
    let intent = old.open()?;
    (old.config.account != *account).then(|| {
        format!(
            "{}: its post {} may be on {} already; try again when that is known (`flockwork sheep show \
             {}`)",
            old.id, intent.occurrence, old.config.account, old.id
        )
    })
}

/// A post that may be on its network must be settled first: nobody would find out any more.
fn cannot_remove(sheep: &Sheep, now: Timestamp) -> Option<String> {
    let number = sheep.open()?.occurrence;
    let (id, account) = (&sheep.id, &sheep.config.account);
    let why = if sheep.unknown(now).is_some() {
        format!(
            "nobody knows whether its post {number} is on {account}; look there and say in Slack \
             `/flock sent {id} {number}` or `/flock send-again {id} {number}`, or wait until it is found out; \
             then remove it"
        )
    } else if matches!(sheep.state, State::Active) {
        format!("its post {number} is just being made on {account}; remove it in a minute")
    } else {
        format!(
            "its post {number} may be on {account}, and nobody looks while it is {}; resume it \
             (`flockwork sheep resume {id}`), and remove it in a minute",
            sheep.state.name()
        )
    };
    Some(format!("{id}: {why}"))
}

impl Plan {
    /// What the flock costs, which sheep can go on under its cap, and what is wrong with that.
    async fn money(
        &mut self,
        store: &Store,
        members: &[(Member, bool)],
        now: Timestamp,
    ) -> anyhow::Result<Option<String>> {
        let sheep: Vec<_> = members.iter().map(|(member, _)| &member.sheep).collect();
        if !sheep.iter().any(|sheep| sheep.config.account.network.bills()) {
            return Ok(None);
        }
        let spent = store.ledger(&self.flock.name, Month::of(now)).await?.spent;
        let pairs = members.iter().map(|(member, is_new)| (member, *is_new));
        self.outlook = Outlook::of(&self.flock, pairs, spent, now);
        let cap = self.flock.monthly_cap.unwrap_or(Usd::ZERO);
        let fits = |text: &str, sheep: &Sheep| {
            spent.plus(sheep.config.account.network.post_price(text)) <= cap
        };
        let wakes = |sheep: &&&Sheep| {
            let intent = sheep.waits_for_cap(now);
            intent.is_some_and(|intent| {
                self.raises_cap() || fits(&intent.errand.work.act.to_string(), sheep)
            })
        };
        self.wake = sheep.iter().filter(wakes).map(|sheep| sheep.id.name.clone()).collect();
        let cost = self.outlook.as_ref().map_or(Usd::ZERO, |outlook| outlook.all.cost);
        Ok(guard::without_cap(&self.flock, &sheep, cost))
    }

    /// What networks and accounts object to.
    async fn fit(
        &self,
        store: &Store,
        members: &[(Member, bool)],
        accounts: &Accounts,
        now: Timestamp,
    ) -> anyhow::Result<Vec<String>> {
        let members: Vec<_> = members.iter().map(|(member, _)| member).collect();
        let mut problems = guard::unfit(&self.flock, &members, accounts);
        problems.extend(guard::said_twice(&self.flock, &members, accounts, |_| true));
        let timed = members.iter().map(|member| (&member.sheep, member.corpus.times().clone()));
        let sheep: Vec<_> = timed.collect();
        let limited = |sheep: &Sheep| !sheep.config.account.network.facts().limits.is_empty();
        if sheep.iter().any(|(sheep, _)| limited(sheep)) {
            let others = Box::pin(other_flocks(store, &self.flock.name)).await?;
            problems.extend(guard::too_many(&sheep, &others, now));
        }
        Ok(problems)
    }

    fn raises_cap(&self) -> bool {
        self.before.monthly_cap < self.flock.monthly_cap
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty()
            && self.change.is_empty()
            && self.remove.is_empty()
            && self.restore.is_empty()
            && self.wake.is_empty()
            && self.before == self.flock
    }

    /// Whose files these are.
    pub fn flock(&self) -> &FlockName {
        &self.flock.name
    }

    /// The sheep that are removed, for which somebody has to say yes.
    pub fn removes(&self) -> &[Sheep] {
        &self.remove
    }

    /// Whether it changes the same as `other`, wherever the sheep are in their texts by now.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let old = |(old, _): &'_ (Sheep, SheepFile)| (old.id.clone(), old.config.clone());
        let removed = |old: &Sheep| (old.id.clone(), old.config.clone());
        (&self.before, &self.flock, &self.create) == (&other.before, &other.flock, &other.create)
            && self.change.iter().map(old).eq(other.change.iter().map(old))
            && self.remove.iter().map(removed).eq(other.remove.iter().map(removed))
    }

    /// What the audit log says of rules that are waived from now on, or kept again.
    fn waivers(&self) -> Vec<String> {
        let (before, after) = (&self.before.waivers, &self.flock.waivers);
        let given = after.iter().filter(|(rule, reason)| before.get(*rule) != Some(reason));
        let given = given.map(|(rule, reason)| {
            format!("flock apply {}: waives {rule}: {reason}", self.flock.name)
        });
        let withdrawn = before.keys().filter(|rule| !after.contains_key(*rule));
        let withdrawn =
            withdrawn.map(|rule| format!("flock apply {}: keeps {rule} again", self.flock.name));
        given.chain(withdrawn).collect()
    }

    /// Carries the plan out. When it is cut off, applying again finishes it.
    pub async fn apply(self, store: &Store, now: Timestamp) -> anyhow::Result<()> {
        let mut done = Done::default();
        let result = self.carry_out(store, &mut done, now).await;
        let gone = store.let_unused_corpora_go(&self.flock.name, done.unused, now).await;
        let Err(err) = result else { return Ok(gone?) };
        Err(if err.is::<Refusal>() && done.changes {
            anyhow!("{err}; part of the plan is carried out, and applying again does the rest")
        } else {
            err
        })
    }

    async fn carry_out(
        &self,
        store: &Store,
        done: &mut Done,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let flock = &self.flock.name;
        // First, because it can be refused: then nothing has changed.
        remove_all(store, &self.remove, done, now).await?;
        let noted = operator::note(store, self.waivers(), now).await?;
        store.put_flock(&self.flock).await?;
        done.changes |= self.before != self.flock;
        store.enlist(&self.roster).await?;
        self.put_corpora(store).await?;
        let wakes = self.raises_cap() || !self.wake.is_empty();
        let written = self.write_sheep(store, done, now).await;
        if !self.create.is_empty() || !self.change.is_empty() {
            // Somebody may have found a text unused before a sheep pointed to it. Whoever does so from now on
            // sees the sheep. Also where not all were written: some may have been.
            self.put_corpora(store).await?;
            done.unused.extend(self.texts.keys().cloned());
        }
        written?;
        if wakes {
            wake(store, flock, now).await?;
        }
        noted.done(store).await
    }

    /// Makes and changes sheep.
    async fn write_sheep(
        &self,
        store: &Store,
        done: &mut Done,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let flock = &self.flock.name;
        for sheep in &self.create {
            let id = SheepId { flock: flock.clone(), name: sheep.name.clone() };
            let birth = store.birth(&id).await?;
            let created = Sheep::create(id.clone(), sheep.config.clone(), birth.occurrence, now)
                .ok_or_else(|| {
                    refuse(format!("{id}: its `end` has passed; give it a later one"))
                })?;
            let created = Sheep { version: birth.version, ..created };
            // Made by another apply in the same moment: that one's files win.
            if store.create_sheep(&created).await? != Write::Done {
                return Err(refuse(changed_meanwhile(&id)));
            }
            done.changes = true;
        }
        for (old, sheep) in &self.change {
            // Of every sheep that was seen in its place: another apply may have given it another text.
            let texts = Mutex::new(Vec::new());
            let transition = |old: &Sheep| {
                texts
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(old.config.behaviour.text().clone());
                if let Some(why) = cannot_move(old, &sheep.config.account) {
                    return Err(why);
                }
                let changed = self.edits.reconfigure(old, sheep.config.clone(), now);
                let changed = changed.map_err(|err| format!("{}: {err}; try again", old.id))?;
                // It may have come further since it was planned.
                let slips = self.edits.slips(old, sheep, &changed);
                if slips.is_empty() { Ok(changed) } else { Err(slips.join("\n")) }
            };
            let changed = store.change_sheep(old.clone(), transition).await.map_err(not_changed)?;
            changed.map_err(refuse)?;
            done.changes = true;
            done.unused.extend(texts.into_inner().unwrap_or_else(PoisonError::into_inner));
        }
        Ok(())
    }

    /// Stores the texts that are not there, or not to stay.
    async fn put_corpora(&self, store: &Store) -> anyhow::Result<()> {
        let flock = &self.flock.name;
        let missing = store.missing_corpora(flock, &self.texts.keys().cloned().collect()).await?;
        let missing: Vec<_> = missing.iter().filter_map(|corpus| self.texts.get(corpus)).collect();
        let lines = missing.iter().map(|corpus| u64::from(corpus.len())).sum();
        // Drawn on the terminal alone, and gone when done.
        let bar = ProgressBar::new(lines).with_style(
            ProgressStyle::with_template("storing corpora {bar:40} {pos}/{len} lines")
                .expect("the template is well-formed"),
        );
        for corpus in missing {
            store.put_corpus(flock, corpus, |lines| bar.inc(lines.into())).await?;
        }
        bar.finish_and_clear();
        Ok(())
    }
}

/// What was done of what a plan or a removal does, which may be all.
#[derive(Debug, Default)]
struct Done {
    /// Whether anything is not as it was.
    changes: bool,
    /// Every corpus that sheep were seen with before.
    unused: BTreeSet<CorpusId>,
}

/// Refuses to remove sheep whose posts may be on their networks.
pub fn refuse_to_remove(sheep: &[Sheep], now: Timestamp) -> anyhow::Result<()> {
    let problems: Vec<_> = sheep.iter().filter_map(|sheep| cannot_remove(sheep, now)).collect();
    if problems.is_empty() { Ok(()) } else { Err(refuse(problems.join("\n"))) }
}

/// Removes a flock and its sheep; their corpora go in a day. Posts stay, and numbers go on after them. Refuses if the
/// flock has other sheep than `asked`.
pub async fn remove_flock(
    store: &Store,
    flock: &FlockName,
    asked: &[Sheep],
    now: Timestamp,
) -> anyhow::Result<usize> {
    let sheep = store.sheep_of_flock(flock).await?;
    if !sheep.iter().map(|sheep| &sheep.id).eq(asked.iter().map(|sheep| &sheep.id)) {
        return Err(refuse(format!(
            "flock {flock} has other sheep by now; nothing was removed; look at it and try again"
        )));
    }
    refuse_to_remove(&sheep, now)?;
    let mut done = Done::default();
    let result = remove_all(store, &sheep, &mut done, now).await;
    let gone = store.let_unused_corpora_go(flock, done.unused, now).await;
    result?;
    gone?;
    store.delete_flock(flock).await?;
    Ok(sheep.len())
}

/// A tick writes a sheep twice per post, so a few tries always suffice.
const TRIES: usize = 20;

/// Removes the sheep.
async fn remove_all(
    store: &Store,
    sheep: &[Sheep],
    done: &mut Done,
    now: Timestamp,
) -> anyhow::Result<()> {
    for (removed, sheep) in sheep.iter().enumerate() {
        if let Err(why) = remove(store, sheep.clone(), &mut done.unused, now).await? {
            // What was refused with something changed is no refusal.
            return Err(match removed {
                0 => refuse(why),
                _ => anyhow!(
                    "{why}; {} of the flock went before that, and the others stay",
                    count(u32::try_from(removed).unwrap_or(u32::MAX), "sheep")
                ),
            });
        }
        done.changes = true;
    }
    Ok(())
}

/// Removes one sheep, and notes every corpus it was seen with. The inner error says why it stays.
async fn remove(
    store: &Store,
    mut sheep: Sheep,
    unused: &mut BTreeSet<CorpusId>,
    now: Timestamp,
) -> anyhow::Result<Result<(), String>> {
    let id = sheep.id.clone();
    for _ in 0..TRIES {
        unused.insert(sheep.config.behaviour.text().clone());
        // A tick may have begun a post since the flock was read.
        if let Some(why) = cannot_remove(&sheep, now) {
            return Ok(Err(why));
        }
        match store.remove_sheep(&sheep, now).await? {
            Write::Conflict(Some(newest)) => sheep = newest,
            // Also where somebody else has removed it.
            Write::Done | Write::Conflict(None) => return Ok(Ok(())),
        }
    }
    Ok(Err(changed_meanwhile(&id)))
}

/// Has everything tried again that waits for the cap of the flock.
async fn wake(store: &Store, flock: &FlockName, now: Timestamp) -> anyhow::Result<()> {
    for sheep in store.sheep_of_flock(flock).await? {
        let transition = |sheep: &Sheep| Ok::<_, Infallible>(sheep.retry_for_cap(now));
        if sheep.waits_for_cap(now).is_some() {
            let Ok(_) = store.change_sheep(sheep, transition).await.map_err(not_changed)?;
        }
    }
    Ok(())
}

/// The sheep of every flock but this one.
pub async fn other_flocks(store: &Store, flock: &FlockName) -> anyhow::Result<Vec<Timed<Sheep>>> {
    let mut sheep = Vec::new();
    for other in store.flocks().await?.into_iter().filter(|other| other != flock) {
        sheep.extend(with_times(store, store.sheep_of_flock(&other).await?).await?);
    }
    Ok(sheep)
}

/// The sheep with the times that lines of their texts have of their own.
pub async fn with_times(store: &Store, sheep: Vec<Sheep>) -> anyhow::Result<Vec<Timed<Sheep>>> {
    let mut with_times = Vec::new();
    for sheep in sheep {
        let times = Box::pin(store.times(&sheep)).await?;
        with_times.push((sheep, times));
    }
    Ok(with_times)
}

fn changed_meanwhile(id: &SheepId) -> String {
    format!("{id} is being changed by somebody else; try again")
}

/// So many lines of edited texts are shown, of one sheep or of many.
const MOST_EDITED_LINES: usize = 240;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            flock,
            before,
            create,
            change,
            edits,
            remove,
            restore,
            wake,
            late,
            unchanged,
            outlook,
            ..
        } = self;
        let name = &flock.name;
        if self.is_empty() {
            write!(f, "flock {name}: nothing to change ({unchanged} sheep)")?;
            return write_outlook(f, outlook.as_ref());
        }
        writeln!(f, "flock {name}:")?;
        write_flock_change(f, before, flock)?;
        for sheep in create {
            writeln!(
                f,
                "  + create {}: {}, {}, on {}",
                sheep.name,
                sheep.config.behaviour.describe(),
                sheep.config.rhythm,
                sheep.config.account
            )?;
        }
        for (old, new) in change {
            writeln!(f, "  ~ change {}: {}", new.name, difference(&old.config, &new.config))?;
            edits.write(f, old, new, (MOST_EDITED_LINES / change.len()).clamp(6, 24))?;
        }
        for sheep in remove {
            writeln!(f, "  - remove {}", ask::loss(sheep))?;
        }
        for name in restore {
            writeln!(f, "  ~ restore {name}: its text is not in the table")?;
        }
        for name in wake {
            writeln!(f, "  ~ wake {name}: its post waits for the cap")?;
        }
        for late in late {
            writeln!(f, "  ! {late}")?;
        }
        write!(
            f,
            "{} to create, {} to change, {} to remove, {unchanged} unchanged",
            create.len(),
            change.len(),
            remove.len()
        )?;
        write_outlook(f, outlook.as_ref())
    }
}

fn write_outlook(f: &mut fmt::Formatter<'_>, outlook: Option<&Outlook>) -> fmt::Result {
    outlook.map_or(Ok(()), |outlook| write!(f, "\n{outlook}"))
}

/// What changes for all sheep.
fn write_flock_change(f: &mut fmt::Formatter<'_>, old: &Flock, new: &Flock) -> fmt::Result {
    match (old.monthly_cap, new.monthly_cap) {
        (old, new) if old == new => {}
        (Some(old), Some(new)) => writeln!(f, "  ~ monthly cap {old} -> {new}")?,
        (None, Some(new)) => writeln!(f, "  + monthly cap {new}")?,
        (Some(old), None) => writeln!(f, "  - monthly cap {old}")?,
        (None, None) => {}
    }
    for (rule, reason) in &new.waivers {
        match old.waivers.get(rule) {
            None => writeln!(f, "  + waive {rule}: {}", one_line(reason))?,
            Some(old) if old != reason => {
                writeln!(f, "  ~ waive {rule}: {} -> {}", one_line(old), one_line(reason))?;
            }
            Some(_) => {}
        }
    }
    for rule in old.waivers.keys().filter(|rule| !new.waivers.contains_key(*rule)) {
        writeln!(f, "  - waive {rule}")?;
    }
    Ok(())
}

fn difference(old: &SheepConfig, new: &SheepConfig) -> String {
    let mut parts = Vec::new();
    if old.account != new.account {
        parts.push(format!("account {} -> {}", old.account, new.account));
    }
    if old.behaviour.kind() != new.behaviour.kind() {
        parts.push(format!("{} -> {}", old.behaviour.describe(), new.behaviour.describe()));
    } else if old.behaviour != new.behaviour {
        let size = count(new.behaviour.units(), new.behaviour.unit());
        parts.push(format!("text ({} -> {size})", old.behaviour.units()));
    }
    if old.rhythm != new.rhythm {
        parts.push(format!("rhythm ({} -> {})", old.rhythm, new.rhythm));
    }
    if old.text_limit != new.text_limit && old.account == new.account {
        let unit = new.account.network.facts().unit;
        parts.push(format!("longest post ({} -> {} {unit})", old.text_limit, new.text_limit));
    }
    match (old.made_with_ai, new.made_with_ai) {
        (false, true) => parts.push("made with AI".to_owned()),
        (true, false) => parts.push("not made with AI".to_owned()),
        (false, false) | (true, true) => {}
    }
    parts.join(", ")
}
