//! Carries errands out: opens the account, asks the rules, reserves the money, asks the network, records what came of it,
//! and tells people.
//!
//! Knows nothing of who owns an errand. Its owner goes [`Carrier::prepare`], claims it, [`Carrier::carry_out`], settles
//! it, and [`Carrier::close`]. What is refused before the claim was never asked for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use flock_aws::{Clock, EventBus, Instant, SdkConfig};
use flock_core::{
    AccountId, Act, Action, Ai, Deed, Errand, Event, Fingerprint, Flock, FlockName, Forbidden,
    JobId, Made, Network, NewPost, Occurrence, Outcome, RemoteId, Sent, SheepId, check_policy,
};
use flock_net::{
    Account, Accounts, Acted, Draft, Failure, Networks, Purse, Settings, Stands, Timeline,
};
use flock_store::{Aside, Post, PostState, Recorded, Store, StoreError};
use jiff::Timestamp;
use tracing::{error, warn};

/// What errands are carried out with.
#[derive(Debug)]
pub struct Carrier {
    store: Store,
    networks: Networks,
    accounts: Accounts,
    bus: EventBus,
    clock: Clock,
}

/// An errand, and what has to be known besides to carry it out.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The errand, as it is claimed.
    pub errand: &'a Errand,
    /// Whether it may have been done before it was claimed.
    pub sent: Sent,
    /// Whose it is.
    pub by: By<'a>,
    /// Until when it may be tried to tell people of it.
    pub tell_until: Instant,
}

/// Whose an errand is.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// A sheep's, which has a number for it. What is done is recorded under that.
    Sheep(Numbered<'a>),
    /// A job's. What is done is recorded where the job says; done again, it changes nothing.
    Job(&'a JobId),
}

/// What a sheep does under one number.
#[derive(Debug, Clone, Copy)]
pub struct Numbered<'a> {
    /// The sheep.
    pub sheep: &'a SheepId,
    /// Under which number it is recorded there.
    pub number: Occurrence,
    /// At which version of its sheep it was decided.
    pub read: u64,
    /// The newest thing it did before, as the network calls it.
    pub newest: Option<&'a RemoteId>,
    /// What it was made of, where nobody wrote it.
    pub made: Option<&'a Made>,
}

/// An errand that was carried out, with the money that it took.
#[derive(Debug)]
pub struct Carried<'a> {
    /// What came of it.
    pub outcome: Outcome,
    /// How it stands where it is done.
    pub stands: Stands,
    purse: Purse<'a>,
}

/// What holds for those who pay: each is read once.
#[derive(Debug, Default)]
pub struct Payers(Mutex<HashMap<FlockName, Arc<Flock>>>);

impl Payers {
    fn known(&self) -> MutexGuard<'_, HashMap<FlockName, Arc<Flock>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Carrier {
    /// Carries out what is in `store`, with the accounts and networks that `settings` name, and tells what comes of it on `bus`.
    pub fn new(
        aws: &SdkConfig,
        store: Store,
        settings: &Settings,
        bus: EventBus,
        clock: Clock,
    ) -> Self {
        let accounts = Accounts::new(aws, store.clone(), settings);
        let networks = Networks::new(store.clone(), settings, &clock);
        Self { store, networks, accounts, bus, clock }
    }

    /// Drops what was read of secrets before somebody ordered it at `ordered_at`.
    pub fn drop_older(&self, ordered_at: Option<Timestamp>) {
        self.accounts.drop_older(ordered_at);
    }

    /// The accounts that errands are carried out through.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The networks that errands are done on.
    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    /// When the account of an errand may be asked again, if its network said not to now.
    pub fn limited_until(&self, account: &AccountId) -> Option<Timestamp> {
        self.networks.limited_until(account)
    }

    /// What holds for whom the errand is paid by; where nothing is charged and nothing forbidden, nothing is read.
    pub async fn payer(&self, errand: &Errand, payers: &Payers) -> Result<Arc<Flock>, StoreError> {
        let name = &errand.work.payer;
        if errand.work.account.network == Network::Meadow {
            return Ok(Arc::new(Flock::new(name.clone())));
        }
        self.flock(name, payers).await
    }

    /// What holds for the flock `name`, which pays.
    pub async fn flock(&self, name: &FlockName, payers: &Payers) -> Result<Arc<Flock>, StoreError> {
        if let Some(flock) = payers.known().get(name) {
            return Ok(Arc::clone(flock));
        }
        let flock = self.store.flock(name).await?.unwrap_or_else(|| Flock::new(name.clone()));
        let flock = Arc::new(flock);
        payers.known().insert(name.clone(), Arc::clone(&flock));
        Ok(flock)
    }

    /// The account to do it through; or what comes of it without asking its network. To be asked before the claim:
    /// what a crash leaves claimed passes for sent, and is past forbidding.
    pub async fn prepare(&self, order: Order<'_>, flock: &Flock) -> Result<Account, Outcome> {
        let Order { errand, sent, by, .. } = order;
        let id = &errand.work.account;
        let go_on = by.how_to_go_on();
        let later = |why| match sent {
            Sent::No => Outcome::TryAgain { why, not_before: None },
            Sent::Maybe => Outcome::Unknown { why },
        };
        let opened = self.accounts.open(id).await;
        let opened =
            opened.map_err(|err| later(format!("the key of {id} could not be read: {err:#}")))?;
        let Some(mut account) = opened else {
            let why = format!("the account {id} was never added; connect it, then {go_on}");
            return Err(match sent {
                Sent::No => Outcome::Refused { why },
                Sent::Maybe => Outcome::Unknown { why },
            });
        };
        if sent == Sent::No {
            let asked = self.accounts.ask_daily(&mut account, &self.networks, self.clock.now());
            if let Err(err) = asked.await {
                let error = format!("{err:#}");
                warn!(account = %id, error, "what its server takes is asked again tomorrow");
            }
            let forbidden = self.forbidden(errand, flock, &account).await;
            let forbidden = forbidden.map_err(|err| {
                later(format!("the rules of {} could not be checked: {err:#}", id.network))
            })?;
            if let Some(forbidden) = forbidden {
                let why = format!("{forbidden}, then {go_on}");
                return Err(Outcome::Refused { why });
            }
        }
        Ok(account)
    }

    /// Asks the network, and records what was done where the network does not.
    pub async fn carry_out<'a>(
        &'a self,
        order: Order<'_>,
        account: &Account,
        flock: &'a Flock,
    ) -> Result<Carried<'a>, StoreError> {
        let Order { errand, by, tell_until, .. } = order;
        let now = self.clock.now();
        let purse = Purse::new(&self.store, flock, by.payment_of(errand), errand.due, now);
        let Acted { outcome, stands } = self.ask(order, account, &purse).await?;
        self.tell_spending(flock, &purse, tell_until).await;
        Ok(Carried { outcome, stands, purse })
    }

    /// Whom `who` names for the account of an errand, by the id that an act wants; or what comes of the errand without that. Whose
    /// account is one of ours is known, and nobody is asked.
    pub async fn find_user(
        &self,
        order: Order<'_>,
        account: &Account,
        flock: &Flock,
        who: &AccountId,
    ) -> Result<Result<RemoteId, Outcome>, StoreError> {
        let Order { errand, by, tell_until, .. } = order;
        if let Some(known) = self.store.account(who).await? {
            let server = |id: &AccountId, url: Option<&str>| id.server_of_ids(url);
            let is_same =
                server(who, known.url.as_deref()) == server(&account.id, account.url.as_deref());
            if let Ok(id) = known.remote_user.parse::<RemoteId>()
                && is_same
            {
                return Ok(Ok(id));
            }
        }
        let now = self.clock.now();
        let purse = Purse::new(&self.store, flock, by.payment_of(errand), errand.due, now);
        let found = self.networks.find_user(account, who, &purse).await;
        self.tell_spending(flock, &purse, tell_until).await;
        Ok(found.map_err(Outcome::from))
    }

    /// A page of what the network of `account` lists of it, newest first, which is paid for like an errand that is due at `due`.
    pub async fn list(
        &self,
        (account, page): (&Account, Option<&str>),
        (job, due): (&JobId, Timestamp),
        flock: &Flock,
        tell_until: Instant,
    ) -> Result<Timeline, Failure> {
        let payment = (format!("{job}/{}", account.id), "list".to_owned());
        let purse = Purse::new(&self.store, flock, payment, due, self.clock.now());
        let listed = self.networks.timeline(account, page, &purse).await;
        self.tell_spending(flock, &purse, tell_until).await;
        listed
    }

    async fn ask(
        &self,
        order: Order<'_>,
        account: &Account,
        purse: &Purse<'_>,
    ) -> Result<Acted, StoreError> {
        let Order { errand, sent, by, .. } = order;
        let task = &errand.work;
        let by = match by {
            By::Sheep(by) => by,
            By::Job(_) => {
                return Ok(self.networks.act(&task.id, &task.act, None, account, purse).await);
            }
        };
        let Numbered { sheep, number, read, newest, made } = by;
        let mut record = Post {
            sheep: sheep.clone(),
            occurrence: number,
            account: account.id.clone(),
            at: errand.due,
            text: task.act.to_string(),
            state: PostState::Pending,
            remote_id: None,
            made: made.cloned(),
            answers: task.act.answers(newest).cloned(),
        };
        let acted = match &task.act {
            Act::Post(post) => {
                let draft = Draft {
                    id: task.id.clone(),
                    post: record.clone(),
                    sent,
                    attempts: errand.attempts,
                    read,
                    last_remote: newest,
                    reply_to: task.act.answers(newest),
                    quotes: post.quotes.as_ref(),
                    picture: None,
                    made_with_ai: post.made_with_ai,
                };
                let outcome = self.networks.post(&draft, account, purse).await;
                Acted { outcome, stands: Stands::Now }
            }
            act => self.networks.act(&task.id, act, Some(sheep), account, purse).await,
        };
        // On the meadow the post is its own record.
        if let Outcome::Done(remote_id) = &acted.outcome
            && account.id.network != Network::Meadow
        {
            record.state = PostState::Posted;
            record.remote_id = Some(remote_id.clone());
            if let Recorded::Taken(taken) = self.store.put_post(&record, read).await? {
                let posted = taken.posted(&record);
                let why = taken.why(&record, posted.is_some());
                let outcome = Outcome::Taken { posted, free: taken.free, why };
                return Ok(Acted { outcome, ..acted });
            }
        }
        Ok(acted)
    }

    /// Which of the network's rules forbids it, if one does.
    async fn forbidden(
        &self,
        errand: &Errand,
        flock: &Flock,
        account: &Account,
    ) -> Result<Option<Forbidden>, StoreError> {
        let network = account.id.network;
        let can_mark = network.check_action(account.facts.tier, Action::AiMark).is_ok();
        for action in errand.work.act.deeds() {
            let is_ai = matches!(&errand.work.act, Act::Post(NewPost { made_with_ai: true, .. }));
            let mut deed = Deed {
                action,
                cause: errand.work.cause,
                ai: match (is_ai, can_mark) {
                    (false, _) => Ai::No,
                    (true, true) => Ai::Marked,
                    (true, false) => Ai::Unmarked,
                },
                account: &account.facts,
                same_text: None,
            };
            if let Err(forbidden) = check_policy(network, &deed, &flock.waivers) {
                return Ok(Some(forbidden));
            }
            // Asked only where the answer matters, because it costs a write.
            let anybody = Deed { same_text: Some(&account.id), ..deed };
            if check_policy(network, &anybody, &flock.waivers).is_ok() {
                continue;
            }
            let Some(fingerprint) = Fingerprint::of(&errand.work.act.to_string()) else { continue };
            let now = self.clock.now();
            let other = self.store.say_first(&account.id, &fingerprint, now).await?;
            deed.same_text = other.as_ref();
            if let Err(forbidden) = check_policy(network, &deed, &flock.waivers) {
                return Ok(Some(forbidden));
            }
        }
        Ok(None)
    }

    /// Lets people know where the flock stands with its cap, once for each cap and month.
    async fn tell_spending(&self, flock: &Flock, purse: &Purse<'_>, until: Instant) {
        let Some(news) = purse.news() else { return };
        let Some(what) = news.spending.notice(&flock.name, news.month, news.spent, news.cap) else {
            return;
        };
        let event = Event::FlockSpending {
            flock: flock.name.clone(),
            month: news.month,
            cap: news.cap,
            stands: news.spending,
            what,
        };
        if !self.tell(event, until).await {
            return;
        }
        let noted = self.store.note_told(&flock.name, news.month, news.spending, news.cap);
        if let Err(err) = noted.await {
            error!(flock = %flock.name, error = %err, "the flock's spending is told again");
        }
    }

    /// What is known of it from before, where who had it has died: that its text is set aside.
    pub async fn known(&self, by: Numbered<'_>) -> Result<Option<Outcome>, StoreError> {
        let aside = self.store.aside(by.sheep, by.number).await?;
        Ok(aside.map(|aside| Outcome::SetAside { why: aside.why }))
    }

    /// Notes that its text is set aside, so that people find it.
    pub async fn set_aside(
        &self,
        by: Numbered<'_>,
        errand: &Errand,
        why: &str,
    ) -> Result<(), StoreError> {
        let aside = Aside {
            occurrence: by.number,
            at: errand.due,
            text: errand.work.act.to_string(),
            why: why.to_owned(),
        };
        self.store.put_aside(by.sheep, &aside).await
    }

    /// Lets people know, and tries to while it is not `until`; to be told before it is written down: told twice can be told apart,
    /// told never cannot. Says whether it is on its way to them.
    pub async fn tell(&self, event: Event, until: Instant) -> bool {
        let told = self.bus.publish(std::slice::from_ref(&event), until).await;
        if let Err(err) = &told {
            error!(kind = event.kind(), error = %err, "nobody is told");
        }
        told.is_ok()
    }

    /// Closes the books on what is done and settled.
    pub async fn close(&self, carried: &Carried<'_>) {
        if let Outcome::Done(_) | Outcome::Taken { posted: Some(_), .. } = carried.outcome
            && let Err(err) = carried.purse.close().await
        {
            // The sum is right; a name stays in it until the sheep's next payment.
            warn!(error = %err, "a payment stays open");
        }
    }
}

impl By<'_> {
    /// What a person does once what stood in the way is out of it: the end of a sentence.
    fn how_to_go_on(&self) -> String {
        match self {
            Self::Sheep(by) => format!("resume {}", by.sheep),
            Self::Job(_) => "ask for it again".to_owned(),
        }
    }

    /// Under which name it is paid for: who does it, and what.
    fn payment_of(&self, errand: &Errand) -> (String, String) {
        match self {
            Self::Sheep(by) => (by.sheep.name.to_string(), by.number.to_string()),
            // One at a time through each account. Sheep have no `/` in their names.
            Self::Job(job) => {
                (format!("{job}/{}", errand.work.account), errand.work.id.to_string())
            }
        }
    }
}
