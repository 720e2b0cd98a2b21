//! What stands in the way of something, and what a person can do about it.
//!
//! The act is named here; how it is done is known to whoever shows it: the command line has a command for it, Slack
//! another, or a button.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    mem::{Discriminant, discriminant},
};

use crate::{
    AccountId, FlockName, Occurrence, SheepId,
    text::{FEW, named, named_of, united, united_if_many},
};

/// Something that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Of which of a person's things; empty where the rest says it.
    who: Vec<Who>,
    /// How many more of them there are that are not named.
    more: usize,
    what: What,
    /// What is said of many that differ in nothing that matters.
    alike: Option<String>,
    /// What to do, where it is an act that people can be told how to do: the same with each of several things.
    remedies: Vec<Remedy>,
}

/// A sheep, or a line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Who {
    name: String,
    /// Through which account it posts, where that matters.
    account: Option<AccountId>,
}

/// What is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum What {
    Said(String),
    /// Nobody has added these accounts yet.
    NeverAdded(BTreeSet<AccountId>),
    /// The flock has no cap, and its networks charge this.
    NoCap(String),
}

/// How a flock gets a cap.
const WRITE_CAP: &str = "write the most the flock may spend in a month into flock.toml, such as monthly_cap = \"25.00\"";

/// What a person can do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Add the account with its key.
    AddAccount(AccountId),
    /// Give the account, which is there, a new key.
    RenewAccount(AccountId),
    /// List the sheep.
    ListSheep,
    /// Look at everything about the sheep.
    ShowSheep(SheepId),
    /// Let the sheep go on.
    ResumeSheep(SheepId),
    /// Say whether the network has the post or not.
    SayWhetherSent(SheepId, Occurrence),
}

impl Objection {
    /// `what` is wrong with `who`: sheep, or lines of files.
    pub fn of<T: ToString>(who: impl IntoIterator<Item = T>, what: impl Into<String>) -> Self {
        let who = who.into_iter().map(|who| Who { name: who.to_string(), account: None });
        Self { who: who.collect(), ..Self::from(what.into()) }
    }

    /// These sheep are to post through an account that nobody has added.
    pub fn never_added<'a>(
        sheep: impl IntoIterator<Item = &'a SheepId>,
        account: &AccountId,
    ) -> Self {
        let what = What::NeverAdded([account.clone()].into());
        Self { what, ..Self::of(sheep, "") }.with(Remedy::AddAccount(account.clone()))
    }

    /// The flock has no cap, and its networks charge something, which `charges` says.
    pub fn no_cap(flock: &FlockName, charges: impl Into<String>) -> Self {
        Self { what: What::NoCap(charges.into()), ..Self::of([flock], "") }
    }

    /// Whether that is what it says.
    pub fn is_no_cap(&self) -> bool {
        matches!(self.what, What::NoCap(_))
    }

    /// The same, of so many more that are not named: there can be millions of lines.
    #[must_use]
    pub fn and_more(self, more: usize) -> Self {
        Self { more, ..self }
    }

    /// The same, of sheep that post through this account.
    #[must_use]
    pub fn through(mut self, account: &AccountId) -> Self {
        self.who.iter_mut().for_each(|who| who.account = Some(account.clone()));
        self
    }

    /// The same, with what is said instead where many differ in nothing but numbers and names.
    #[must_use]
    pub fn alike(self, what: impl Into<String>) -> Self {
        Self { alike: Some(what.into()), ..self }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn with(mut self, remedy: Remedy) -> Self {
        self.remedies.push(remedy);
        self
    }

    /// What to do, where it is an act that people can be told how to do: the same with each of several things.
    pub fn remedies(&self) -> &[Remedy] {
        &self.remedies
    }

    /// What is not there yet, where that is all: nothing that is there is wrong.
    pub fn missing(&self) -> Option<String> {
        match &self.what {
            What::Said(_) => None,
            What::NeverAdded(accounts) => Some(the_accounts(accounts)),
            What::NoCap(charges) => Some(format!("a monthly cap, because {charges}; {WRITE_CAP}")),
        }
    }

    /// The same objections, each thing once, with everything that it is said of.
    pub fn grouped(objections: Vec<Self>) -> Vec<Self> {
        let said = |objection: &Self| match &objection.what {
            What::Said(what) => what.clone(),
            What::NeverAdded(_) => String::new(),
            What::NoCap(charges) => charges.clone(),
        };
        let equal = |objection: &Self| Some((said(objection), objection.way_out()));
        let alike = |objection: &Self| Some((objection.alike.clone()?, objection.way_out()));
        let equal = united(objections, equal, Self::add);
        let equal = equal.into_iter().map(Self::distinct).collect();
        let alike = united_if_many(equal, FEW, alike, Self::add);
        alike.into_iter().map(Self::distinct).collect()
    }

    /// What tells it from those that are put right otherwise.
    fn way_out(&self) -> (Discriminant<What>, Option<Discriminant<Remedy>>) {
        (discriminant(&self.what), self.remedies.first().map(discriminant))
    }

    fn add(&mut self, other: Self) {
        self.who.extend(other.who);
        self.more += other.more;
        self.remedies.extend(other.remedies);
        match (&mut self.what, other.what) {
            (What::NeverAdded(accounts), What::NeverAdded(more)) => accounts.extend(more),
            (What::Said(ours), What::Said(theirs)) if *ours != theirs => {
                ours.clone_from(self.alike.as_ref().unwrap_or(&theirs));
            }
            _ => {}
        }
    }

    /// The same, with nothing said twice.
    fn distinct(mut self) -> Self {
        let mut seen = HashSet::new();
        self.who.retain(|who| seen.insert(who.clone()));
        let mut seen = HashSet::new();
        self.remedies.retain(|remedy| seen.insert(remedy.clone()));
        self
    }

    /// Of which of a person's things.
    fn who(&self) -> String {
        let first = self.who.first().and_then(|who| who.account.as_ref());
        let shared = first.filter(|_| self.who.iter().all(|who| who.account.as_ref() == first));
        if let Some(account) = shared {
            let names = named_of(self.who.iter().map(|who| &who.name), self.more);
            return format!("{names} ({account})");
        }
        let names = self.who.iter().map(|who| match &who.account {
            Some(account) => format!("{} ({account})", who.name),
            None => who.name.clone(),
        });
        named_of(names, self.more)
    }
}

fn the_accounts(accounts: &BTreeSet<AccountId>) -> String {
    let noun = if accounts.len() == 1 { "account" } else { "accounts" };
    format!("the {noun} {}", named(accounts.iter()))
}

impl From<String> for Objection {
    fn from(what: String) -> Self {
        let (who, remedies) = (Vec::new(), Vec::new());
        Self { who, more: 0, what: What::Said(what), alike: None, remedies }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.who.is_empty() {
            write!(f, "{}: ", self.who())?;
        }
        match &self.what {
            What::Said(what) => what.fmt(f),
            What::NoCap(charges) => write!(f, "{charges}; {WRITE_CAP}"),
            What::NeverAdded(accounts) if accounts.len() == 1 => {
                write!(f, "{} was never added; connect it", the_accounts(accounts))
            }
            What::NeverAdded(accounts) => {
                write!(f, "{} were never added; connect each", the_accounts(accounts))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheep(number: usize) -> SheepId {
        format!("choir/s{number:03}").parse().unwrap()
    }

    fn account(number: usize) -> AccountId {
        format!("x:s{number:03}").parse().unwrap()
    }

    fn said(objections: Vec<Objection>) -> String {
        let lines = Objection::grouped(objections);
        lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn equal_objections_to_many_are_one_with_a_number() {
        let equal = |number| Objection::of([sheep(number)], "its `end` has passed");
        assert_eq!(
            said((0..500).map(equal).collect()),
            "choir/s000, choir/s001, choir/s002 and 497 more: its `end` has passed"
        );
        assert_eq!(
            said((0..2).map(equal).collect()),
            "choir/s000 and choir/s001: its `end` has passed"
        );
        assert_eq!(said(vec![equal(1), equal(1)]), "choir/s001: its `end` has passed");
        let through =
            |number| Objection::of([sheep(number)], "it is no bot").through(&account(number / 499));
        assert_eq!(
            said((0..4).map(through).collect()),
            "choir/s000, choir/s001, choir/s002 and choir/s003 (x:s000): it is no bot"
        );
        assert_eq!(
            said((0..500).map(through).collect()),
            "choir/s000 (x:s000), choir/s001 (x:s000), choir/s002 (x:s000) and 497 more: it is no bot"
        );
    }

    #[test]
    fn what_differs_in_numbers_alone_is_one_where_there_are_many() {
        let alike = |number: usize| {
            Objection::of([sheep(number)], format!("its post {number} is open"))
                .alike("a post is open")
                .with(Remedy::ShowSheep(sheep(number)))
        };
        assert_eq!(said((0..FEW).map(alike).collect()).lines().count(), FEW);
        let many = Objection::grouped((0..500).map(alike).collect());
        assert_eq!(many.len(), 1);
        assert_eq!(
            many[0].to_string(),
            "choir/s000, choir/s001, choir/s002 and 497 more: a post is open"
        );
        assert_eq!(many[0].remedies().len(), 500);
        // Another way out is another line.
        let other = Objection::of([sheep(7)], "a post is open").alike("a post is open");
        assert_eq!(Objection::grouped((0..500).map(alike).chain([other]).collect()).len(), 2);
    }

    #[test]
    fn accounts_that_were_never_added_are_one_thing() {
        let never = |number| Objection::never_added([&sheep(number)], &account(number));
        assert_eq!(
            said(vec![never(1)]),
            "choir/s001: the account x:s001 was never added; connect it"
        );
        let many = Objection::grouped((0..40).map(never).collect());
        assert_eq!(many.len(), 1);
        assert_eq!(
            many[0].to_string(),
            "choir/s000, choir/s001, choir/s002 and 37 more: the accounts x:s000, x:s001, x:s002 and 37 more were never added; connect each"
        );
        assert_eq!(many[0].missing().unwrap(), "the accounts x:s000, x:s001, x:s002 and 37 more");
    }
}
