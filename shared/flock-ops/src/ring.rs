//! What accounts show of themselves, changed for a whole flock: every account by itself, so that one that cannot be changed stops no
//! other.

use flock_core::{
    AccountFacts, AccountId, Action, Ai, Can, Cause, Charge, Deed, Difference, Flock, FlockName,
    Network, ProfilePart, Shown, Usd, Wanted, check_policy, count,
};
use flock_net::{Account, Accounts, Failure, FailureKind, Networks, Purse, check_action};
use flock_store::Store;
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;

use crate::{Error, Noted, Result, spend::dollars};

/// Accounts that are asked about at once: networks and their servers are others', and the answers are small.
const AT_ONCE: usize = 8;

/// What somebody wants the accounts of a flock to show.
#[derive(Debug, Clone)]
pub struct Ring {
    /// Whose accounts they are; whether it is applied does not matter.
    pub flock: Flock,
    /// Each account, in the order in which it is told of.
    pub entries: Vec<RingEntry>,
}

/// What somebody wants one account to show.
#[derive(Debug, Clone)]
pub struct RingEntry {
    /// Which.
    pub account: AccountId,
    /// What, or everything that is in the way already.
    pub wanted: Result<Wanted, Vec<String>>,
    /// What is wanted of the whole flock and is not to be had on its network.
    pub left_out: Vec<ProfilePart>,
}

/// What came of it for an account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RingLine {
    /// Which.
    pub account: String,
    /// What came of it.
    pub outcome: RingOutcome,
    /// What differed between what is wanted and what was there, where that was seen.
    pub differences: Vec<Differs>,
    /// Why it was not, or what nobody knows.
    pub why: Vec<String>,
    /// What else is to be said.
    pub notes: Vec<String>,
    /// What it cost to look, in dollars.
    pub cost: f64,
    /// The same, exactly.
    #[serde(skip)]
    spent: Usd,
}

/// What came of a profile that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RingOutcome {
    /// It would be changed.
    Differs,
    /// It was changed.
    Changed,
    /// It is so already.
    Same,
    /// It is not changed, or not all of it: why says which.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differs {
    /// In which part.
    pub part: ProfilePart,
    /// What is there, for a person. `None`: nobody can tell.
    pub now: Option<String>,
    /// What is wanted, for a person.
    pub wanted: String,
    /// Both, for a person.
    #[serde(skip)]
    line: String,
}

/// What a look at an account came to.
struct Seen {
    line: RingLine,
    /// What is to be changed, and with what; nothing where it cannot be.
    todo: Option<(Account, Wanted)>,
}

/// Where accounts are looked at.
struct Place<'a> {
    store: &'a Store,
    accounts: &'a Accounts,
    networks: &'a Networks,
    ring: &'a Ring,
    payer: Flock,
    now: Timestamp,
}

/// Says what would be changed, and changes nothing. Where a network charges for a look, `payer` pays, and nothing is seen above its cap;
/// `progress` is told how many of how many are done.
pub async fn plan_ring(
    store: &Store,
    with: (&Accounts, &Networks),
    ring: &Ring,
    payer: Option<&FlockName>,
    now: Timestamp,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Vec<RingLine>> {
    let place = Place::new(store, with, ring, payer, now).await?;
    let looks = ring.entries.iter().map(async |entry| {
        let Seen { mut line, todo } = place.look(entry, &place.purse(entry)).await;
        line.notes.extend(todo.and_then(|(account, _)| condition(&account)));
        line
    });
    Ok(each(looks.collect(), progress).await)
}

/// Changes what differs. Each account is looked at first; each that is changed has an entry of its own in the audit log.
pub async fn apply_ring(
    store: &Store,
    noted: &Noted,
    with: (&Accounts, &Networks),
    ring: &Ring,
    payer: Option<&FlockName>,
    now: Timestamp,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Vec<RingLine>> {
    let place = Place::new(store, with, ring, payer, now).await?;
    let changes = ring.entries.iter().map(async |entry| place.change(noted, entry).await);
    Ok(each(changes.collect(), progress).await)
}

/// On what it depends whether the account can be changed, where that is not for us to know.
fn condition(account: &Account) -> Option<String> {
    let (network, tier) = (account.id.network, account.facts.tier);
    match (network.facts().can)(tier, Action::Profile) {
        Can::If(what) => Some(format!("it can be changed only if {what}")),
        Can::Yes | Can::No(_) => None,
    }
}

/// Does each of these, some at once, in their order.
async fn each(
    pieces: Vec<impl Future<Output = RingLine>>,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Vec<RingLine> {
    let all = u64::try_from(pieces.len()).unwrap_or(u64::MAX);
    progress(0, all);
    let mut pieces = stream::iter(pieces).buffered(AT_ONCE);
    let mut lines = Vec::new();
    while let Some(line) = Box::pin(pieces.next()).await {
        lines.push(line);
        progress(u64::try_from(lines.len()).unwrap_or(u64::MAX), all);
    }
    lines
}

impl<'a> Place<'a> {
    async fn new(
        store: &'a Store,
        (accounts, networks): (&'a Accounts, &'a Networks),
        ring: &'a Ring,
        payer: Option<&FlockName>,
        now: Timestamp,
    ) -> Result<Self> {
        let payer = match payer {
            Some(named) => store.flock(named).await?.ok_or_else(|| {
                Error::refused(format!("there is no flock {named} that could pay"))
            })?,
            None => store.flock(&ring.flock.name).await?.unwrap_or_else(|| Flock {
                // What is not applied spends nothing.
                monthly_cap: None,
                ..ring.flock.clone()
            }),
        };
        Ok(Self { store, accounts, networks, ring, payer, now })
    }

    /// What the looks at an account are paid from.
    fn purse(&self, entry: &RingEntry) -> Purse<'_> {
        let named = (entry.account.to_string(), format!("ring {}", self.ring.flock.name));
        Purse::new(self.store, &self.payer, named, self.now, self.now)
    }

    /// What an account shows, and what of it would be changed.
    async fn look(&self, entry: &RingEntry, purse: &Purse<'_>) -> Seen {
        let mut line = RingLine::new(entry);
        match Box::pin(self.seen(entry, purse, &mut line)).await {
            Ok(todo) => Seen { line, todo },
            Err(why) => {
                line.outcome = RingOutcome::Failed;
                line.why = why;
                Seen { line, todo: None }
            }
        }
    }

    async fn seen(
        &self,
        entry: &RingEntry,
        purse: &Purse<'_>,
        line: &mut RingLine,
    ) -> Result<Option<(Account, Wanted)>, Vec<String>> {
        let id = &entry.account;
        let wanted = entry.wanted.as_ref().map_err(Vec::clone)?;
        let refused = |why: String| vec![why];
        let account = match self.accounts.open(id).await {
            Ok(Some(account)) => account,
            Ok(None) => return Err(refused(format!("{id} has no key here: connect it"))),
            Err(err) => return Err(refused(format!("its key cannot be opened: {err:#}"))),
        };
        self.check(&account, wanted)?;
        if wanted.is_nothing() {
            return Ok(None);
        }
        let shown = self.read(&account, purse, line).await;
        let shown = shown.map_err(|failure| refused(format!("it cannot be read: {failure}")))?;
        line.differences = wanted.differences(&shown).into_iter().map(Differs::from).collect();
        if line.differences.is_empty() {
            return Ok(None);
        }
        line.outcome = RingOutcome::Differs;
        let left = wanted.without_what_is(&shown);
        Ok(Some((account, left)))
    }

    /// Refuses what the account's network does not have, take or allow.
    fn check(&self, account: &Account, wanted: &Wanted) -> Result<(), Vec<String>> {
        let (network, tier) = (account.id.network, account.facts.tier);
        check_action(network, tier, Action::Profile).map_err(|cannot| vec![cannot.to_string()])?;
        let mut why: Vec<_> = wanted.check(&account.id).iter().map(ToString::to_string).collect();
        // Whose label is taken off must be allowed to post without it: its sheep go on.
        let facts = AccountFacts { labelled: false, ..account.facts.clone() };
        let deed = match wanted.bot {
            Some(false) => (Action::Post, &facts),
            Some(true) | None => (Action::Profile, &account.facts),
        };
        let (action, account) = deed;
        let deed = Deed { action, cause: Cause::Person, ai: Ai::No, account, same_text: None };
        why.extend(
            check_policy(network, &deed, &self.ring.flock.waivers).err().map(|no| no.to_string()),
        );
        if why.is_empty() { Ok(()) } else { Err(why) }
    }

    /// What the network shows of the account; what that may have cost is added to the line.
    async fn read(
        &self,
        account: &Account,
        purse: &Purse<'_>,
        line: &mut RingLine,
    ) -> Result<Shown, Failure> {
        let shown = Box::pin(self.networks.profile(account, purse)).await;
        if shown.as_ref().err().is_none_or(|failure| failure.kind == FailureKind::Unknown) {
            line.pay((account.id.network.facts().price)(Charge::Users(1)));
        }
        shown
    }

    /// Changes what differs, and says what came of it.
    async fn change(&self, noted: &Noted, entry: &RingEntry) -> RingLine {
        let purse = self.purse(entry);
        let Seen { mut line, todo } = self.look(entry, &purse).await;
        let Some((account, left)) = todo else {
            if line.outcome == RingOutcome::Same {
                self.note_label(entry, &mut line).await;
            }
            return line;
        };
        // Nothing is changed that is not written down before.
        let part = noted.part(self.store, format!("profile of {}", account.id)).await;
        let part = match part {
            Ok(part) => part,
            Err(err) => {
                line.fail(RingOutcome::Failed, format!("it could not be noted: {err}"));
                return line;
            }
        };
        match Box::pin(self.networks.change_profile(&account, &left)).await {
            Ok(()) => line.outcome = RingOutcome::Changed,
            Err(failure) if failure.kind == FailureKind::Unknown => {
                self.look_again((&account, &purse), &left, &failure, &mut line).await;
            }
            Err(failure) => line.fail(RingOutcome::Failed, failure.to_string()),
        }
        if line.outcome == RingOutcome::Changed {
            self.note_label(entry, &mut line).await;
        }
        let outcome = match line.outcome {
            RingOutcome::Changed => Noted::DONE.to_owned(),
            RingOutcome::Unknown => format!("nobody knows: {}", line.why.join("; ")),
            RingOutcome::Failed | RingOutcome::Differs | RingOutcome::Same => {
                format!("failed: {}", line.why.join("; "))
            }
        };
        if let Err(err) = part.end(self.store, outcome).await {
            line.notes.push(format!("what came of it is not in the audit log: {err}"));
        }
        line
    }

    /// Nobody knows whether a change was made: says what is there.
    async fn look_again(
        &self,
        (account, purse): (&Account, &Purse<'_>),
        left: &Wanted,
        failure: &Failure,
        line: &mut RingLine,
    ) {
        let shown = match self.read(account, purse, line).await {
            Ok(shown) => shown,
            Err(again) => {
                let why = format!("{failure}; and it cannot be looked at again: {again}");
                return line.fail(RingOutcome::Unknown, why);
            }
        };
        let differences = left.differences(&shown);
        if differences.is_empty() {
            line.outcome = RingOutcome::Changed;
            line.notes.push(format!("no good answer came ({failure}), but it is there"));
            return;
        }
        let said = differences.iter().map(|Difference { part, now, .. }| match now {
            Some(now) => format!("the {part} is {now}"),
            None => format!("that the {part} is there cannot be seen"),
        });
        let said = said.collect::<Vec<_>>().join(", ");
        let rest = if differences.len() == line.differences.len() {
            String::new()
        } else {
            "; the rest is as it is wanted".to_owned()
        };
        let why = format!("{failure}; looked at again, {said}{rest}");
        line.fail(RingOutcome::Unknown, why);
    }

    /// Writes down whether the account is marked as a bot's, so that its sheep may post.
    async fn note_label(&self, entry: &RingEntry, line: &mut RingLine) {
        let Some(is_bot) = entry.wanted.as_ref().ok().and_then(|wanted| wanted.bot) else { return };
        if let Err(err) = self.store.put_label(&entry.account, is_bot).await {
            line.notes.push(format!("whether it is marked as a bot's could not be stored: {err}"));
        }
    }
}

impl RingLine {
    fn new(entry: &RingEntry) -> Self {
        let network = entry.account.network;
        let mut notes = Vec::new();
        if !entry.left_out.is_empty() {
            let parts: Vec<_> = entry.left_out.iter().map(ToString::to_string).collect();
            let (title, parts) = (network.title_within(), parts.join(", "));
            notes.push(format!("{title} has no such thing, so it is left out: {parts}"));
        }
        Self {
            account: entry.account.to_string(),
            outcome: RingOutcome::Same,
            differences: Vec::new(),
            why: Vec::new(),
            notes,
            cost: 0.0,
            spent: Usd::ZERO,
        }
    }

    fn fail(&mut self, outcome: RingOutcome, why: String) {
        self.outcome = outcome;
        self.why.push(why);
    }

    fn pay(&mut self, price: Usd) {
        self.spent = self.spent.plus(price);
        self.cost = dollars(self.spent);
    }

    /// The same for people: the account with what came of it, and below what differs.
    pub fn lines(&self) -> Vec<String> {
        let Self { account, outcome, differences, why, notes, spent, .. } = self;
        let cost =
            if *spent == Usd::ZERO { String::new() } else { format!(" (the look cost {spent})") };
        let one = match why.as_slice() {
            [] => String::new(),
            [one] => format!(": {one}"),
            [_, _, ..] => ":".to_owned(),
        };
        let first = match outcome {
            RingOutcome::Differs => format!("{account} would be changed{cost}:"),
            RingOutcome::Changed => format!("{account} is changed{cost}:"),
            RingOutcome::Same => format!("{account} is so already{cost}"),
            RingOutcome::Failed => format!("{account} FAILED{cost}{one}"),
            RingOutcome::Unknown => format!("nobody knows of {account}{cost}{one}"),
        };
        let several = why.iter().filter(|_| 1 < why.len());
        std::iter::once(first)
            .chain(several.map(|why| format!("  {why}")))
            .chain(differences.iter().map(|differs| format!("  {}", differs.line)))
            .chain(notes.iter().map(|note| format!("  ({note})")))
            .collect()
    }
}

/// How many accounts came to what, and what the looks cost whom.
pub fn ring_summary(lines: &[RingLine], payer: &FlockName) -> String {
    let number = |outcome| lines.iter().filter(|line| line.outcome == outcome).count();
    let parts = [
        (RingOutcome::Differs, "would be changed"),
        (RingOutcome::Changed, "changed"),
        (RingOutcome::Same, "so already"),
        (RingOutcome::Failed, "failed"),
        (RingOutcome::Unknown, "of which nobody knows"),
    ];
    let parts = parts.into_iter().filter_map(|(outcome, what)| match number(outcome) {
        0 => None,
        number => Some(format!("{number} {what}")),
    });
    let all = count(u64::try_from(lines.len()).unwrap_or(u64::MAX), "account");
    let spent = lines.iter().fold(Usd::ZERO, |sum, line| sum.plus(line.spent));
    let cost = match spent {
        Usd::ZERO => String::new(),
        spent => format!(" To look cost {spent}, which flock {payer} has paid."),
    };
    format!("{all}: {}.{cost}", parts.collect::<Vec<_>>().join(", "))
}

/// Whether a network has a part in its profiles, so that whoever wants it of a whole flock wants it there.
pub fn has_part(network: Network, part: ProfilePart) -> bool {
    let rules = &network.facts().profile;
    match part {
        ProfilePart::Picture => rules.picture.is_some(),
        ProfilePart::Banner => rules.banner.is_some(),
        ProfilePart::Bot => rules.has_bot,
        ProfilePart::Name | ProfilePart::Bio | ProfilePart::Url | ProfilePart::Location => {
            rules.texts.iter().any(|(has, _)| *has == part)
        }
    }
}

impl From<Difference> for Differs {
    fn from(difference: Difference) -> Self {
        let line = difference.to_string();
        let Difference { part, now, wanted } = difference;
        Self { part, now, wanted, line }
    }
}
