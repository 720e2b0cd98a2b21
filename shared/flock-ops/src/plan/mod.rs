//! What applying a flock's files changes, and changing it.

mod apply;
mod carried;
mod edits;
mod line;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    path::Path,
    sync::Arc,
};

use flock_core::{
    AccountId, Behaviour, BehaviourKind, Charge, Corpus, CorpusId, CorpusProblem, Cursor, Flock,
    FlockName, JobId, KnownAccounts, Member, Month, NearDuplicates, Network, Objection, Occurrence,
    Origin, Outlook, Remedy, Sheep, SheepConfig, SheepId, SheepName, Usd, count, crowded,
    lines_too_long, local, maybe_too_long, one_line, repeats, said_twice, too_many, unfit,
    without_cap,
};
use flock_store::Store;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use crate::{
    Error, FlockFile, Part, Refusal, Result, SheepFile, WithText,
    accounts::{able, known},
    at_once::AT_ONCE,
    queue::added_to,
    remove_flock::{cannot_remove, loss, lost_with_it},
    texts::{Wells, other_flocks},
    wipe::{being_wiped, waiting_for_cap},
};
pub(crate) use apply::Done;
pub use apply::Progress;
use carried::Carry;
use edits::Edits;
pub use line::PlanLine;

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
    /// Jobs that wait for the cap, though there is room under it.
    wake_jobs: Vec<JobId>,
    /// What is not refused, and may not be what was meant.
    words: Vec<String>,
    /// What is not there yet, and has to be before this can be applied.
    missing: Vec<Objection>,
    /// The sheep as they will be, and which of them are created or changed.
    members: Vec<(Member, bool)>,
    unchanged: usize,
    /// Who posts through which account.
    roster: Vec<(SheepId, AccountId)>,
    outlook: Option<Outlook>,
}

/// Compares `file` with the table. Refuses what could not be applied, and what its networks would refuse. What is only not there yet
/// is no reason: it is in the plan.
pub async fn plan(store: &Store, file: FlockFile, now: Timestamp) -> Result<Plan> {
    let before = store.flock(&file.flock.name).await?;
    let mut there: BTreeMap<SheepName, Sheep> = store
        .sheep_of_flock(&file.flock.name)
        .await?
        .into_iter()
        .map(|sheep| (sheep.id.name.clone(), sheep))
        .collect();
    let (FlockFile { flock, sheep: mut files }, mut odd) = file.with_known_names(&there);
    let accounts: BTreeSet<_> = files.iter().map(|sheep| &sheep.config.account).collect();
    let accounts = known(store, accounts).await?;
    let (splits, mut problems) = Splits::of(&mut files, &accounts);
    let (sheep, carry) = Carry::over(store, files.clone(), &there).await?;
    let mut plan = Plan::of_nothing(before, flock);
    let texts = sheep.iter();
    plan.texts = texts
        .map(|sheep| (sheep.config.behaviour.text().clone(), Arc::clone(&sheep.corpus)))
        .collect();
    let missing =
        store.missing_corpora(&plan.flock.name, &plan.texts.keys().cloned().collect()).await?;
    // As the sheep will be, and whether that is new.
    let mut members: Vec<(Member, bool)> = Vec::new();
    let mut wells = Wells::default();
    let mut doubtful = Vec::new();
    for (mut sheep, file) in sheep.into_iter().zip(files) {
        let id = SheepId { flock: plan.flock.name.clone(), name: sheep.name.clone() };
        let account = sheep.config.account.clone();
        sheep.config.behaviour = sheep.config.behaviour.drawn_for(&id, account.network);
        plan.roster.push((id.clone(), account.clone()));
        // What has ended stays in its flock, and its flock can be applied.
        let has_ended =
            there.get(&sheep.name).is_some_and(|old| old.config.rhythm == sheep.config.rhythm);
        if sheep.config.rhythm.first_slot(now).is_none() && !has_ended {
            let why = sheep.config.rhythm.why_over(now);
            let over = format!("{why}; give it a later one, or take it out");
            problems.push(Objection::of([&id], over));
        }
        let mut member = |to_be| member(&mut wells, to_be, &sheep);
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
                doubtful.extend(doubts(&file));
                plan.create.push(sheep);
            }
            Some(old) if old.config == sheep.config => {
                members.push((member(old), false));
                plan.unchanged += 1;
            }
            Some(old) => {
                problems.extend(cannot_move(&old, &account));
                problems.extend(carry.objections(&old, &sheep.config));
                let carried = carry.of(&sheep.name);
                let changed = plan.edits.plan(store, (&old, carried), &sheep, &file, now).await?;
                problems.extend(plan.edits.slips(&old, &sheep, &changed));
                members.push((member(changed), true));
                doubtful.extend(doubts(&file));
                if carried.is_none() {
                    odd.extend(lost(store, &old).await?);
                }
                plan.change.push((old, sheep));
            }
        }
    }
    problems.extend(members.iter().filter_map(|(member, _)| nothing_to_post(member)));
    problems.extend(splits.still_too_long(&members));
    plan.remove.extend(there.into_values());
    for sheep in &plan.remove {
        odd.extend(lost(store, sheep).await?);
    }
    problems.extend(plan.remove.iter().filter_map(|sheep| cannot_remove(sheep, now)));
    problems.extend(plan.wiped(store).await?);
    let spent = plan.money(store, &mut members, now).await?;
    let before = problems.len();
    problems.extend(plan.fit(store, &members, &accounts, now).await?);
    // To look a month ahead takes the longest, and nobody is told of it beside a refusal, unless a cap is to be chosen.
    let wants_cap = plan.flock.monthly_cap.is_none();
    if let Some(spent) = spent
        && (wants_cap || problems.iter().all(|problem| problem.missing().is_some()))
    {
        problems.splice(before..before, plan.look_ahead(spent, &members, now));
    }
    if problems.iter().any(|problem| problem.missing().is_none()) {
        return Err(Refusal::of(problems).into());
    }
    plan.missing = Objection::grouped(problems);
    plan.words = words((odd, doubtful), &members, &accounts, now);
    plan.members = members;
    Ok(plan)
}

/// Texts that were split, so that each is for all that need it.
#[derive(Debug, Default)]
struct Splits {
    texts: HashMap<(CorpusId, Network, usize), Arc<Corpus>>,
    /// The sheep that have one.
    names: BTreeSet<SheepName>,
}

impl Splits {
    /// Says what the accounts of the sheep take, and splits what is longer where that is wanted. Gives what is wrong with texts.
    fn of(sheep: &mut [SheepFile], accounts: &KnownAccounts) -> (Self, Vec<Objection>) {
        let (mut splits, mut problems) = (Self::default(), Vec::new());
        for sheep in sheep {
            let account = &sheep.config.account;
            if let Some(facts) = accounts.get(account) {
                sheep.config.text_limit = facts.text_limit(account.network);
            }
            problems.extend(splits.split(sheep));
        }
        (splits, problems)
    }

    /// What of split texts is too long all the same, where nobody else looks at it: links are not cut.
    fn still_too_long(&self, members: &[(Member, bool)]) -> Vec<Objection> {
        let members = members.iter().map(|(member, _)| member);
        let split = members.filter(|Member { sheep, .. }| {
            self.names.contains(&sheep.id.name) && !sheep.config.account.network.facts().limits_vary
        });
        split
            .flat_map(|member| {
                let SheepConfig { account, text_limit, .. } = &member.sheep.config;
                lines_too_long(member, account.network, *text_limit)
            })
            .collect()
    }

    /// Splits what is too long for the account of the sheep, where that is wanted. Gives what is wrong with the text.
    fn split(&mut self, sheep: &mut SheepFile) -> Vec<Objection> {
        let SheepConfig { account: AccountId { network, .. }, text_limit, .. } = sheep.config;
        if !sheep.split || !sheep.corpus.has_longer(network, text_limit) {
            return Vec::new();
        }
        let key = (sheep.corpus.id(), network, text_limit);
        let text = match self.texts.get(&key) {
            Some(text) => Arc::clone(text),
            None => match sheep.corpus.split(network, text_limit) {
                (Some(text), problems) if problems.is_empty() => Arc::new(text),
                (_, problems) => {
                    let about = |problem: &CorpusProblem| match problem.line() {
                        Some(line) => format!("{}:{line}", sheep.file.display()),
                        None => sheep.file.display().to_string(),
                    };
                    let told = |problem: CorpusProblem| {
                        Objection::of([about(&problem)], problem.to_string())
                    };
                    return problems.into_iter().map(told).collect();
                }
            },
        };
        self.names.insert(sheep.name.clone());
        sheep.config.behaviour = sheep.config.behaviour.clone().split(&text);
        sheep.corpus = Arc::clone(&text);
        self.texts.insert(key, text);
        Vec::new()
    }
}

/// A sheep as it is to be, with what it says; with its file, where nothing that is drawn from it can be posted.
fn member(wells: &mut Wells, sheep: Sheep, file: &SheepFile) -> Member {
    let said = wells.said_by(&sheep, &file.corpus, Wells::BATCHES);
    let is_drawn = said.is_some() && sheep.config.behaviour.draws();
    let text = if is_drawn { Origin::Drawn } else { Origin::File }(file.file.clone());
    Member { sheep, text, corpus: said.unwrap_or_else(|| Arc::clone(&file.corpus)) }
}

/// That nothing which is drawn from the file of a sheep can be posted, where that is so.
fn nothing_to_post(Member { sheep, text, .. }: &Member) -> Option<Objection> {
    let SheepConfig { account, behaviour, .. } = &sheep.config;
    let Origin::File(file) = text else { return None };
    let facts = account.network.facts();
    let why = format!(
        "nothing that is drawn from it can be posted: texts on {} have 1 to {} {}; make it say such",
        account.network, facts.text_limit, facts.unit
    );
    behaviour.draws().then(|| Objection::of([file.display()], why))
}

/// What people are told of what is new, after what is `odd` already.
fn words(
    (mut odd, doubts): (Vec<Objection>, Vec<Objection>),
    members: &[(Member, bool)],
    accounts: &KnownAccounts,
    now: Timestamp,
) -> Vec<String> {
    let said = |words: Vec<Objection>| -> Vec<String> {
        Objection::grouped(words).iter().map(ToString::to_string).collect()
    };
    let new: Vec<_> = members.iter().filter(|(_, is_new)| *is_new).map(|(new, _)| new).collect();
    odd.extend(new.iter().filter_map(|member| late(member, now)));
    odd.extend(new.iter().filter_map(|Member { sheep, .. }| {
        Some(Objection::of([&sheep.id], sheep.config.rhythm.zone_word()?))
    }));
    odd.extend(maybe_too_long(&new, accounts));
    odd.extend(new.iter().filter_map(|member| few(member)));
    odd.extend(new.iter().filter_map(|member| compared(member)));
    odd.extend(doubts);
    let mut words = said(odd);
    let ids: BTreeSet<_> = new.iter().map(|member| &member.sheep.id).collect();
    let timed = members.iter().map(|(member, _)| (&member.sheep, member.corpus.marks().clone()));
    words.extend(crowded(&timed.collect::<Vec<_>>(), now, |id| ids.contains(id)));
    // Also what others say through the same account.
    let accounts: BTreeSet<_> = new.iter().map(|member| &member.sheep.config.account).collect();
    let members: Vec<_> = members
        .iter()
        .map(|(member, _)| member)
        .filter(|member| accounts.contains(&member.sheep.config.account))
        .collect();
    words.extend(said(repeats(&members, now)));
    words
}

/// What it costs that the posts of a sheep are compared with others.
fn compared(Member { sheep, .. }: &Member) -> Option<Objection> {
    let what = "posts are compared with others (`near_duplicates`): each costs a write unit more, on the meadow two";
    sheep.config.near_duplicates.map(|_| Objection::of([&sheep.id], what))
}

/// That what people added to a queue goes with it, where that is not made yet.
async fn lost(store: &Store, sheep: &Sheep) -> Result<Option<Objection>> {
    let added = added_to(store, sheep).await?;
    Ok((0 < added).then(|| Objection::of([&sheep.id], lost_with_it(added))))
}

/// What of the file of a sheep is taken as it stands and may be meant otherwise.
fn doubts(SheepFile { config, corpus, file, parts, .. }: &SheepFile) -> Vec<Objection> {
    if parts.is_empty() {
        let behaviour = &config.behaviour;
        return doubts_of((behaviour.kind(), behaviour.unit()), corpus, file);
    }
    let parts = parts
        .iter()
        .flat_map(|Part { kind, corpus, file }| doubts_of((*kind, "line"), corpus, file));
    parts.collect()
}

fn doubts_of((kind, unit): (BehaviourKind, &str), corpus: &Corpus, file: &Path) -> Vec<Objection> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let text = Origin::File(file.to_owned());
    let at = |number| text.at(unit, number);
    let doubts = kind.doubts(corpus, &name).into_iter();
    let doubts = doubts.map(|(number, why)| Objection::of([at(number)], why));
    let twice_encoded = corpus.twice_encoded().map(|(numbers, more, why)| {
        let alike = format!("some signs seem to be {}", Corpus::TWICE_ENCODED);
        Objection::of(numbers.into_iter().map(at), why).and_more(more).alike(alike)
    });
    doubts.chain(twice_encoded).collect()
}

/// So many different texts are few for a sheep that goes on and on.
const FEW_TEXTS: usize = 100;

/// That a sheep whose texts are drawn has few of them to say.
fn few(Member { sheep, text, corpus }: &Member) -> Option<Objection> {
    let Origin::Drawn(file) = text else { return None };
    let texts: BTreeSet<_> = corpus.lines().map(|(_, text)| text).collect();
    let many = u64::try_from(texts.len()).unwrap_or(u64::MAX);
    let are = if many == 1 { "is" } else { "are" };
    let what = format!(
        "{} {are} all that is drawn from {}, again and again",
        count(many, "different text"),
        file.display()
    );
    (texts.len() < FEW_TEXTS).then(|| Objection::of([&sheep.id], what))
}

/// What of a text has a time that has passed, as people write the wrong year. It is posted all the same.
fn late(member: &Member, now: Timestamp) -> Option<Objection> {
    let Member { sheep, text, corpus } = member;
    let next = sheep.next_place().cursor.index();
    let to_come = corpus.lines().zip(0..).skip(usize::try_from(next).unwrap_or(usize::MAX));
    // What people added was told of when it was.
    let to_come = to_come.filter(|((number, _), _)| 0 < *number);
    let late: Vec<_> = to_come
        .filter_map(|((number, _), index)| Some((number, corpus.marks().of(Cursor::at(index)).at?)))
        .filter(|(_, at)| *at < now)
        .collect();
    let (number, at) = late.first()?;
    let many = u64::try_from(late.len()).unwrap_or(u64::MAX);
    let unit = sheep.config.behaviour.unit();
    let what = format!(
        "{} with a time that has passed, the first in {} ({}): posted at once, a minute apart",
        count(many, unit),
        text.at(unit, *number),
        local(*at, sheep.config.rhythm.zone())
    );
    let alike = format!("{unit}s with times that have passed: posted at once, a minute apart");
    Some(Objection::of([&sheep.id], what).alike(alike))
}

/// A post that may be on the old account's network must be settled there first.
pub(crate) fn cannot_move(old: &Sheep, account: &AccountId) -> Option<Objection> {
    let intent = old.open()?;
    let objection = || {
        let (id, number, there) = (&old.id, intent.occurrence, &old.config.account);
        let why =
            format!("its post {number} may be on {there} already; try again when that is known");
        let alike = "a post of it may be on its old account already; try again when that is known";
        Objection::of([id], why).alike(alike).with(Remedy::ShowSheep(id.clone()))
    };
    (old.config.account != *account).then(objection)
}

impl Plan {
    /// The plan in which no sheep is yet.
    fn of_nothing(before: Option<Flock>, flock: Flock) -> Self {
        Self {
            before: before.unwrap_or_else(|| Flock::new(flock.name.clone())),
            flock,
            create: Vec::new(),
            change: Vec::new(),
            edits: Edits::default(),
            remove: Vec::new(),
            restore: Vec::new(),
            texts: BTreeMap::new(),
            wake: Vec::new(),
            wake_jobs: Vec::new(),
            words: Vec::new(),
            missing: Vec::new(),
            members: Vec::new(),
            unchanged: 0,
            roster: Vec::new(),
            outlook: None,
        }
    }

    /// That a sheep is to have an account whose posts are being deleted: what it says there would stay, or go with them. Who begins
    /// a wipe in the same moment is not seen, and meets a sheep that is there, or has come when it is over.
    async fn wiped(&self, store: &Store) -> Result<Option<Objection>> {
        let changed =
            self.change.iter().filter(|(old, new)| old.config.account != new.config.account);
        let new = self.create.iter().chain(changed.map(|(_, new)| new));
        let accounts: Vec<_> = new.map(|sheep| sheep.config.account.clone()).collect();
        if accounts.is_empty() {
            return Ok(None);
        }
        Ok(being_wiped(store, &accounts, None).await?.map(Objection::from))
    }

    /// Which sheep can go on under the flock's cap. What it has spent this month; none where nothing costs anything.
    async fn money(
        &mut self,
        store: &Store,
        members: &mut [(Member, bool)],
        now: Timestamp,
    ) -> Result<Option<Usd>> {
        // What it pays for may be on accounts of others.
        let jobs = match self.flock.monthly_cap {
            Some(_) => waiting_for_cap(store, &self.flock.name, now).await?,
            None => Vec::new(),
        };
        let mut sheep = members.iter().map(|(member, _)| &member.sheep);
        let bills = sheep.any(|sheep| sheep.config.account.network.bills());
        if !bills && jobs.is_empty() {
            return Ok(None);
        }
        let spent = store.ledger(&self.flock.name, Month::of(now)).await?.spent;
        let cap = self.flock.monthly_cap.unwrap_or(Usd::ZERO);
        let deletion = (Network::X.facts().price)(Charge::Delete);
        if self.raises_cap() || spent.plus(deletion) <= cap {
            self.wake_jobs = jobs.into_iter().map(|job| job.id).collect();
        }
        if !bills {
            return Ok(None);
        }
        let fits = |text: &str, sheep: &Sheep| {
            spent.plus(sheep.config.account.network.post_price(text)) <= cap
        };
        let wakes = |sheep: &&Sheep| {
            let intent = sheep.waits_for_cap(now);
            intent.is_some_and(|intent| {
                self.raises_cap() || fits(&intent.errand.work.act.to_string(), sheep)
            })
        };
        let sheep = members.iter().map(|(member, _)| &member.sheep);
        self.wake = sheep.filter(wakes).map(|sheep| sheep.id.name.clone()).collect();
        // As applying wakes them.
        if self.raises_cap() || !self.wake.is_empty() {
            for (member, _) in &mut *members {
                member.sheep = member.sheep.retry_for_cap(now);
            }
        }
        Ok(Some(spent))
    }

    /// What the flock costs, and that it has no cap, if it needs one.
    fn look_ahead(
        &mut self,
        spent: Usd,
        members: &[(Member, bool)],
        now: Timestamp,
    ) -> Option<Objection> {
        let pairs = members.iter().map(|(member, is_new)| (member, *is_new));
        self.outlook = Outlook::of(&self.flock, pairs, spent, now);
        let sheep: Vec<_> = members.iter().map(|(member, _)| &member.sheep).collect();
        let cost = self.outlook.as_ref().map_or(Usd::ZERO, |outlook| outlook.all.cost);
        without_cap(&self.flock, &sheep, cost)
    }

    /// What networks and accounts object to.
    async fn fit(
        &self,
        store: &Store,
        members: &[(Member, bool)],
        accounts: &KnownAccounts,
        now: Timestamp,
    ) -> Result<Vec<Objection>> {
        let members: Vec<_> = members.iter().map(|(member, _)| member).collect();
        let mut problems = unfit(&self.flock, &members, accounts, able);
        problems.extend(said_twice(&self.flock, &members, accounts, |_| true));
        let timed = members.iter().map(|member| (&member.sheep, member.corpus.marks().clone()));
        let sheep: Vec<_> = timed.collect();
        let limited = |sheep: &Sheep| !sheep.config.account.network.facts().limits.is_empty();
        if sheep.iter().any(|(sheep, _)| limited(sheep)) {
            let others = Box::pin(other_flocks(store, &self.flock.name)).await?;
            problems.extend(too_many(&sheep, &others, now));
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
            && self.wake_jobs.is_empty()
            && self.before == self.flock
    }

    /// What is not there yet, and has to be before this can be applied.
    pub fn missing(&self) -> &[Objection] {
        &self.missing
    }

    /// The sheep as they will be when it is applied, with their texts. A sheep that was removed before goes on with its numbers.
    pub async fn sheep_to_be(&self, store: &Store) -> Result<Vec<WithText>> {
        let created: BTreeSet<_> = self.create.iter().map(|sheep| &sheep.name).collect();
        let sheep = self.members.iter().map(|(Member { sheep, corpus, .. }, _)| async {
            let mut sheep = sheep.clone();
            if created.contains(&sheep.id.name) {
                sheep.progress.occurrence = store.birth(&sheep.id).await?.occurrence;
            }
            Ok::<_, Error>(WithText { sheep, text: Some(Arc::clone(corpus)) })
        });
        let sheep: Vec<_> = sheep.collect();
        stream::iter(sheep).buffered(AT_ONCE).try_collect().await
    }

    /// Refuses what cannot be applied before something is there.
    pub fn refuse_missing(&self) -> Result<(), Refusal> {
        Refusal::unless_fit(self.missing.clone())
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
            wake_jobs,
            words,
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
            // What was added to it is lost, too, which is among the words below.
            writeln!(f, "  - remove {}", loss(sheep, 0))?;
        }
        for name in restore {
            writeln!(f, "  ~ restore {name}: its text is not in the table")?;
        }
        for name in wake {
            writeln!(f, "  ~ wake {name}: its post waits for the cap")?;
        }
        for job in wake_jobs {
            writeln!(f, "  ~ wake job {job}: it waits for the cap")?;
        }
        for word in words {
            writeln!(f, "  ! {word}")?;
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
        let units = |behaviour: &Behaviour| behaviour.units_of_file();
        let size = |behaviour: &Behaviour| Some(count(units(behaviour)?, behaviour.unit()));
        let sizes = size(&old.behaviour).zip(size(&new.behaviour)).map(|(before, after)| {
            let is_alike = old.behaviour.unit() == new.behaviour.unit();
            let before =
                units(&old.behaviour).filter(|_| is_alike).map_or(before, |n| n.to_string());
            format!("text ({before} -> {after})")
        });
        parts.push(sizes.unwrap_or_else(|| "what it says is drawn anew".to_owned()));
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
    match (old.near_duplicates, new.near_duplicates) {
        (old, new) if old == new => {}
        (_, Some(NearDuplicates { last, distance })) => parts.push(format!(
            "compared with the last {last} posts of its flock (distance {distance}): a post costs a write unit more"
        )),
        (_, None) => parts.push("compared with no other post".to_owned()),
    }
    parts.join(", ")
}
