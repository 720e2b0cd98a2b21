//! The crash matrix of signing in: before and after every request the process is killed, and the same person tries again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use flock_aws::{Clock, Keyring};
use flock_core::{AccountId, Errand, Network, Purpose, Sheep, SigningIn, State, TokenDigest};
use flock_net::{Account, Networks};
use flock_store::{AskedSignIn, Write};
use flock_tests::{BLUESKY_TOKENS_BEGIN, CrashPlan, CrashProxy, Cut, Person, Shown};
use flockwork::connect::LOCAL_NAME;
use futures_util::{StreamExt as _, future::ready, stream};
use local_cloud::runtime_api::{Answer, FunctionProcess, RuntimeApi};
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::mpsc::unbounded_channel;

use crate::{
    keymaker::{Answered, KEYS_URL, apollo, by_slack, connect, event, form, renew, take_cookies},
    keymaker_redirect::{BACK, allow_on_mastodon, link},
    world::{APP_PASSWORD, KEYRING, TOKEN, World, did, mastodon_account, user_id, x_app},
};

/// The function, built as a binary of this package from the same main.rs.
const BINARY: &str = env!("CARGO_BIN_EXE_keymaker-process");

/// How long an invocation may last; nobody waits for that.
const LENGTH: Duration = Duration::from_mins(5);

/// More than a flow has.
const REQUESTS: usize = 64;

/// Proxies before the table, the other services and the networks.
struct Proxies([CrashProxy; 5]);

impl Proxies {
    async fn start(world: &mut World) -> Self {
        let never = CrashPlan::new(Cut::Never);
        let bluesky = CrashProxy::start("bluesky", &world.bluesky.url(), &never).await;
        let mastodon = CrashProxy::start("mastodon", &world.mastodon.url(), &never).await;
        world.bluesky_url = bluesky.url();
        world.mastodon_url = mastodon.url();
        Self([
            CrashProxy::start("dynamodb", &world.cloud.dynamodb_url(), &never).await,
            CrashProxy::start("services", &world.cloud.services_url(), &never).await,
            CrashProxy::start("x", &world.x.url(), &never).await,
            bluesky,
            mastodon,
        ])
    }

    fn follow(&self, plan: &Arc<CrashPlan>) {
        self.0.iter().for_each(|proxy| proxy.follow(plan));
    }

    /// A process whose requests follow `plan`.
    fn process(&self, runtime: &RuntimeApi, plan: &Arc<CrashPlan>) -> FunctionProcess {
        self.follow(plan);
        let Self([dynamodb, services, x, ..]) = self;
        let (dynamodb, services, x) = (dynamodb.url(), services.url(), x.url());
        let env = [
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.as_str()),
            ("AWS_ENDPOINT_URL", services.as_str()),
            ("AWS_SESSION_TOKEN", TOKEN),
            ("TABLE_NAME", LOCAL_NAME),
            ("BUS_NAME", LOCAL_NAME),
            ("KEYRING_SECRET", "Keyring"),
            ("X_SECRET", "XApp"),
            ("X_URL", x.as_str()),
            ("KEYS_URL", KEYS_URL),
            ("NETWORKS_ON_LOOPBACK", "true"),
            ("RUST_LOG", "debug,hyper=info"),
        ];
        FunctionProcess::spawn(runtime, Path::new(BINARY), &env).unwrap()
    }
}

/// The button of the link's page is pressed.
fn press(link: &str) -> Value {
    let headers = [("content-type", "application/x-www-form-urlencoded")].into();
    event("POST", link, &BTreeMap::new(), &headers, &form(APP_PASSWORD))
}

/// What the dead process had for itself is over, as if the time until then had passed.
async fn end_lease(world: &World, id: &TokenDigest) {
    loop {
        let asked = world.store.sign_in(id).await.unwrap().unwrap();
        let errand = asked.sign_in.errand.clone();
        if !errand.is_leased(world.clock.now()) {
            return;
        }
        let errand = Errand { lease_until: Some(world.clock.now()), ..errand };
        let version = asked.sign_in.version + 1;
        let sign_in = SigningIn { errand, version, ..asked.sign_in };
        // What it had sent may still be written: then it is read again.
        if world.store.put_sign_in(&AskedSignIn { sign_in, ..asked }).await.unwrap() == Write::Done
        {
            return;
        }
    }
}

/// A process dies at `cut`, then another finishes. Gives the request it died at, if the flow has so many.
async fn cell(cut: Cut) -> Option<String> {
    let mut world = World::start().await;
    world.clock = Clock::wall();
    let proxies = Proxies::start(&mut world).await;
    let account = apollo(&world);
    let link = connect(&world, &account, by_slack()).await;
    let token = link.rsplit('/').next().unwrap();
    let id = TokenDigest::of(token);
    let mut seen = Vec::new();

    let plan = CrashPlan::new(cut);
    let runtime = RuntimeApi::start().await.unwrap();
    let mut process = proxies.process(&runtime, &plan);
    let died = tokio::select! {
        () = plan.reached() => true,
        _ = runtime.invoke(press(&link), LENGTH) => false,
    };
    process.kill().await;
    seen.push(process.output());
    if !died {
        return None;
    }
    let at = plan.cut_at().unwrap();
    end_lease(&world, &id).await;

    let plan = CrashPlan::new(Cut::Never);
    let runtime = RuntimeApi::start().await.unwrap();
    let mut process = proxies.process(&runtime, &plan);
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let invocation = runtime.invoke(press(&link), LENGTH).await;
        let Answer::Response(answer) = invocation.answer else {
            panic!("{at}: {}", process.output())
        };
        let answered = Answered::read(&answer);
        seen.push(format!("{answered:?}"));
        statuses.push(answered.status);
    }
    process.kill().await;
    seen.push(process.output());
    // Once there is a key, the link does nothing any more.
    assert!([[200, 410], [410, 410]].contains(&[statuses[0], statuses[1]]), "{at}: {seen:?}");
    let item = world.store.newest_account(&account).await.unwrap();
    let item = item.unwrap_or_else(|| panic!("{at}: {seen:?}"));
    assert_eq!(item.remote_user, did("apollo"), "{at}");
    let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
    keyring.open(&account, &item.sealed_key).unwrap();
    keyring.open(&account, &item.sealed_session.unwrap()).unwrap();
    assert_eq!(world.store.accounts().await.unwrap(), [account], "{at}");
    // However often it is told of, it is the same.
    let mut told = Vec::new();
    while let Ok(event) = world.events.try_recv() {
        told.push(event.detail["id"].as_str().unwrap().to_owned());
    }
    let names: BTreeSet<_> = told.iter().collect();
    assert_eq!(names.len(), 1, "{at}: {told:?}");
    seen.push(format!("{:?}", world.items().await));
    for secret in [token, APP_PASSWORD, BLUESKY_TOKENS_BEGIN] {
        assert!(seen.iter().all(|text| !text.contains(secret)), "{at}: {secret} in {seen:?}");
    }
    Some(at)
}

/// A sign-in at a network that people are sent to, and come back from.
#[derive(Debug, Clone, Copy)]
struct Redirected {
    network: Network,
    /// How the way is called in the form.
    way: &'static str,
    purpose: Purpose,
}

/// Somebody with a browser, who wants a key and does not mind to try again.
struct Somebody<'a> {
    world: &'a World,
    account: &'a AccountId,
    purpose: Purpose,
    way: &'static str,
    cookies: BTreeMap<String, String>,
    link: String,
    /// Where the network has sent them back to.
    back: Option<String>,
    /// How often they were told to begin again.
    begun_again: usize,
    /// What nobody may read anywhere.
    secrets: Vec<String>,
}

impl<'a> Somebody<'a> {
    async fn new(world: &'a World, account: &'a AccountId, redirected: Redirected) -> Self {
        let Redirected { network: _, way, purpose } = redirected;
        let link = fresh_link(world, account, purpose).await;
        let secrets = vec![link.rsplit('/').next().unwrap().to_owned()];
        let cookies = BTreeMap::new();
        let (back, begun_again) = (None, 0);
        Self { world, account, purpose, way, cookies, link, back, begun_again, secrets }
    }

    /// The sign-in of their link.
    fn id(&self) -> TokenDigest {
        TokenDigest::of(self.link.rsplit('/').next().unwrap())
    }

    /// Does what is next, and says whether there is a key.
    async fn go_on(&mut self, runtime: &RuntimeApi) -> bool {
        let headers = [("content-type", "application/x-www-form-urlencoded")].into();
        let form = format!("way={}&labelled=yes", self.way);
        let request = match &self.back {
            Some(back) => event("GET", back, &self.cookies, &headers, ""),
            None => event("POST", &self.link, &self.cookies, &headers, &form),
        };
        let invocation = runtime.invoke(request, LENGTH).await;
        let Answer::Response(answer) = invocation.answer else { panic!("{invocation:?}") };
        let answered = Answered::read(&answer);
        take_cookies(&mut self.cookies, &answer);
        match answered.status {
            200 => return true,
            303 => {
                let tokens = self.cookies.values().filter_map(|value| value.split_once('.'));
                self.secrets.extend(tokens.map(|(_, token)| token.to_owned()));
                self.back = Some(self.allow(&answered.headers["location"]).await);
            }
            409 | 410 => {
                assert!(answered.shown().contains("makes a fresh link"), "{}", answered.shown());
                self.begun_again += 1;
                self.back = None;
                self.link = fresh_link(self.world, self.account, self.purpose).await;
                self.secrets.push(self.link.rsplit('/').next().unwrap().to_owned());
            }
            _ => panic!("{}", answered.shown()),
        }
        false
    }

    /// Says yes on the network's page, which their browser opens without us.
    async fn allow(&self, page: &str) -> String {
        if self.account.network == Network::X {
            return match self.world.x.visit(page) {
                Shown::Elsewhere(back) => back,
                other => panic!("nobody is sent back: {other:?}"),
            };
        }
        let direct = page.replace(&self.world.mastodon_url, &self.world.mastodon.url());
        allow_on_mastodon(&direct, "iris").await
    }
}

async fn fresh_link(world: &World, account: &AccountId, purpose: Purpose) -> String {
    let is_on_mastodon = account.network == Network::Mastodon;
    match purpose {
        Purpose::Connect => {
            link(world, account, is_on_mastodon.then_some(world.mastodon_url.as_str())).await
        }
        Purpose::Renew => renew(world, account).await,
    }
}

/// Whether the account's key works that is stored; `None` where there is none.
async fn works(world: &World, account: &AccountId) -> Option<bool> {
    let item = world.store.newest_account(account).await.unwrap()?;
    let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
    let app = SecretString::from(x_app().to_string());
    let account = Account::from_item(account, item, keyring, Some(&app)).unwrap();
    let networks = Networks::new(world.store.clone(), &world.networks(), &world.clock);
    Some(networks.check(&account).await.is_ok())
}

/// The account that is signed in to. For a renewal it is here, and a sheep has stopped for it.
async fn before(world: &mut World, redirected: Redirected) -> (AccountId, Option<Sheep>) {
    let Redirected { network, way: _, purpose } = redirected;
    let name = if network == Network::X { "milton" } else { "iris" };
    let account = match network {
        Network::Mastodon => mastodon_account(name),
        _ => AccountId { network, handle: name.parse().unwrap() },
    };
    world.x.callback(BACK);
    world.x.called(&user_id(name), name);
    world.x.person(Person::Allows(user_id(name)));
    let mut stopped = None;
    match purpose {
        Purpose::Connect => {
            world.mastodon.account("token-of-iris", "iris");
        }
        Purpose::Renew => {
            let sheep = world.read(&world.sheep(name, network, 3).await).await;
            let stop = sheep.stop("its key does not work".to_owned(), world.clock.now());
            let State::Stopped { since, why, .. } = stop.state else { panic!("{stop:?}") };
            let stop = Sheep { state: State::Stopped { since, why, for_account: true }, ..stop };
            assert_eq!(world.store.put_sheep(&stop).await.unwrap(), Write::Done);
            stopped = Some(stop);
        }
    }
    world.clock = Clock::wall();
    (account, stopped)
}

/// What came of a sign-in that was cut.
#[derive(Debug)]
struct Cell {
    cut: Cut,
    /// The request its process died at.
    at: String,
    /// Whether it had to be begun again.
    is_lost: bool,
}

/// Of somebody who signs in a process dies at `cut`, then another goes on; if the flow has so many requests.
async fn redirected_cell(redirected: Redirected, cut: Cut) -> Option<Cell> {
    let mut world = World::start().await;
    let proxies = Proxies::start(&mut world).await;
    let (account, stopped) = before(&mut world, redirected).await;
    let mut events = std::mem::replace(&mut world.events, unbounded_channel().1);
    let mut somebody = Somebody::new(&world, &account, redirected).await;
    let mut seen = Vec::new();

    let plan = CrashPlan::new(cut);
    let runtime = RuntimeApi::start().await.unwrap();
    let mut process = proxies.process(&runtime, &plan);
    let died = loop {
        tokio::select! {
            () = plan.reached() => break true,
            is_over = somebody.go_on(&runtime) => if is_over { break false },
        }
    };
    process.kill().await;
    seen.push(process.output());
    if !died {
        assert_eq!(somebody.begun_again, 0, "{redirected:?}");
        return None;
    }
    let at = plan.cut_at().unwrap();
    let plan = CrashPlan::new(Cut::Never);
    proxies.follow(&plan);
    end_lease(&world, &somebody.id()).await;
    let at_death = world.store.newest_account(&account).await.unwrap();
    // Until a new key is stored, the old one works.
    let is_renewed = redirected.purpose == Purpose::Renew;
    assert!(is_renewed || at_death.as_ref().is_none_or(|item| item.signed_in.is_some()), "{at}");
    assert_eq!(works(&world, &account).await, at_death.as_ref().map(|_| true), "{at}");
    let stored = at_death.filter(|item| item.signed_in.is_some());

    let runtime = RuntimeApi::start().await.unwrap();
    let mut process = proxies.process(&runtime, &plan);
    while !somebody.go_on(&runtime).await {
        assert!(somebody.begun_again < 2, "{at}: {}", process.output());
    }
    // Loaded once more, the last page says the same and does nothing.
    assert!(somebody.go_on(&runtime).await, "{at}");
    process.kill().await;
    seen.push(process.output());

    let item = world.store.newest_account(&account).await.unwrap().unwrap();
    assert_eq!(item.signed_in, Some(somebody.id()), "{at}");
    if let Some(stored) = stored {
        assert_eq!(item.sealed_key, stored.sealed_key, "{at}: a stored key is lost");
    }
    assert_eq!(works(&world, &account).await, Some(true), "{at}");
    assert_eq!(world.store.accounts().await.unwrap(), std::slice::from_ref(&account), "{at}");
    if let Some(stopped) = stopped {
        let sheep = world.read(&stopped.id).await;
        assert_eq!((&sheep.state, sheep.version), (&State::Active, stopped.version + 1), "{at}");
    }
    // However often it is told of, it is the same.
    let mut told = BTreeSet::new();
    while let Ok(event) = events.try_recv() {
        told.insert(event.detail["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(told.len(), 1, "{at}: {told:?}");
    seen.push(format!("{:?}", world.items().await));
    for secret in &somebody.secrets {
        assert!(seen.iter().all(|text| !text.contains(secret)), "{at}: a secret is in {seen:?}");
    }
    Some(Cell { cut, at, is_lost: 0 < somebody.begun_again })
}

/// Cuts it everywhere. What one has to begin again for is what nobody can know or have any more: the answer that sends the browser
/// to the network and binds it to the sign-in, and the key from when the sign-in is claimed until it is stored.
#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn matrix(redirected: Redirected) {
    let cuts = (0..REQUESTS).flat_map(|k| [Cut::Before(k), Cut::After(k)]);
    let cells: Vec<_> = stream::iter(cuts)
        .map(|cut| Box::pin(redirected_cell(redirected, cut)))
        .buffered(4)
        .take_while(|cell| ready(cell.is_some()))
        .filter_map(ready)
        .collect()
        .await;
    let Redirected { network, way, purpose } = redirected;
    let name = format!("{network} {way} {purpose:?}");
    for Cell { cut, at, is_lost } in &cells {
        let verdict = if *is_lost { "lost" } else { "once" };
        println!("{name:<24} {:<10} {verdict} {at}", format!("{cut:?}"));
    }
    let lost = cells.iter().filter(|cell| cell.is_lost).count();
    println!("{name}: {} cells, {lost} lost", cells.len());
    let runs: Vec<_> = cells.chunk_by(|one, next| one.is_lost == next.is_lost).collect();
    let [_, [sent_off], _, [claimed, .., stored], _] = runs.as_slice() else {
        panic!("{name}: {runs:?}")
    };
    for Cell { cut, at, .. } in [sent_off, claimed] {
        assert!(matches!(cut, Cut::After(_)) && at == "dynamodb PutItem", "{name}: {cut:?} {at}");
    }
    let Cell { cut, at, .. } = stored;
    assert!(matches!(cut, Cut::Before(_)), "{name}: {cut:?} {at}");
    assert_eq!(at, "dynamodb TransactWriteItems", "{name}");
}

#[tokio::test]
async fn who_connects_on_mastodon_after_a_crash_anywhere_has_one_key() {
    let network = Network::Mastodon;
    matrix(Redirected { network, way: "oauth2", purpose: Purpose::Connect }).await;
}

#[tokio::test]
async fn who_connects_on_x_after_a_crash_anywhere_has_one_key() {
    for way in ["oauth1", "oauth2"] {
        matrix(Redirected { network: Network::X, way, purpose: Purpose::Connect }).await;
    }
}

#[tokio::test]
async fn who_renews_a_key_after_a_crash_anywhere_has_a_new_one_and_the_sheep_go_on_once() {
    for (network, way) in [(Network::Mastodon, "oauth2"), (Network::X, "oauth1")] {
        matrix(Redirected { network, way, purpose: Purpose::Renew }).await;
    }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn who_signs_in_again_after_a_crash_anywhere_has_one_key() {
    let cuts = (0..REQUESTS).flat_map(|k| [Cut::Before(k), Cut::After(k)]);
    let cells: Vec<_> = stream::iter(cuts)
        .map(|cut| async move { (cut, cell(cut).await) })
        .buffered(4)
        .take_while(|(_, at)| ready(at.is_some()))
        .filter_map(|(cut, at)| ready(at.map(|at| (cut, at))))
        .collect()
        .await;
    for (cut, at) in &cells {
        println!("{:<10} once {at}", format!("{cut:?}"));
    }
    // Shards, the link, whether the account is here, the claim, the keyring, the audit log, the account once more, a login and a
    // profile, the other accounts, the account with what is noted of it, the profile and its mark, that it is marked, the sheep, the audit log, the
    // bus, the end.
    assert_eq!(cells.len(), 2 * 18, "{cells:?}");
}
