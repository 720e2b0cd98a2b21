//! A sign-in from its link to its key.

use std::time::Duration;

use flock_aws::{Instant, random_token};
use flock_core::{
    Bound, Connection, DeliveryId, Event, NoSignIn, Purpose, Sent, SentOff, SignIn, SignInStage,
    SigningIn, TokenDigest, Way,
};
use flock_net::{Back, Failure, FailureKind, NewKey, NotSignedIn, Proof, SignInTo, brought_back};
use flock_ops::{
    Asking, Connected, Error, Noted, SignedIn, Who, connect_account, connected_by, late, reached_by,
};
use flock_store::{AskedSignIn, By, Write};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout_at;

use crate::{
    App,
    app::{Time, ways},
    browser::{Bearer, SentForm},
    http::Answer,
    pages::{self, Link, Page},
};

/// How long publishing may be tried: somebody waits for the page.
const PUBLISHING: Duration = Duration::from_secs(2);

/// How a sign-in ended.
enum Ended {
    /// There is a key.
    Connected(Connected),
    /// There is none, for a reason that a person can read; whether what they brought can be brought again.
    Refused { why: String, again: bool },
}

impl App {
    /// The page of a link. Nothing changes by it: whoever looks at a message looks at its links, too.
    pub(crate) async fn show(&self, token: &SecretString) -> anyhow::Result<Page> {
        let Some(asked) = self.find(token).await? else { return Ok(pages::unknown_link()) };
        match asked.sign_in.is_open(self.clock.now()) {
            Ok(()) if self.is_connected_already(&asked).await? => {
                Ok(pages::connected_already(&asked))
            }
            Ok(()) => self.link(&asked, None).await,
            Err(why) => self.no_more(&asked, &why).await,
        }
    }

    /// The button of a link's page was pressed.
    pub(crate) async fn press(
        &self,
        token: &SecretString,
        form: SentForm,
        time: Time,
    ) -> anyhow::Result<Answer> {
        let Some(asked) = self.find(token).await? else {
            return Ok(Answer::Page(pages::unknown_link()));
        };
        if asked.sign_in.is_open(self.clock.now()).is_ok()
            && self.is_connected_already(&asked).await?
        {
            return Ok(Answer::Page(pages::connected_already(&asked)));
        }
        let id = &asked.sign_in.errand.work.account;
        let app = self.app_of(id).await?;
        let Some(way) = form.way.filter(|way| ways(id, app.as_ref()).contains(way)) else {
            return self.again(&asked, "Choose how to sign in.").await;
        };
        match (way, form.password) {
            (Way::AppPassword, Some(password)) => {
                Box::pin(self.type_in(asked, app, &password, form.labelled, time)).await
            }
            (Way::AppPassword, None) => self.again(&asked, "Type the app password.").await,
            (Way::OAuth1 | Way::OAuth2, _) => {
                Box::pin(self.send_off(asked, app, way, form.labelled, time)).await
            }
        }
    }

    /// Somebody comes back from the network.
    pub(crate) async fn come_back(
        &self,
        bearers: Vec<Bearer>,
        query: &[(String, String)],
        time: Time,
    ) -> anyhow::Result<Answer> {
        let Some((asked, browser, is_meant)) = self.begun_by(bearers, query).await? else {
            return Ok(Answer::Page(pages::no_cookie()));
        };
        if !is_meant {
            let why = NotSignedIn::NotOurs.to_string();
            return Ok(Answer::Page(pages::not_ours(&asked, &why)));
        }
        let now = self.clock.now();
        let (claimed, sent_off) = match asked.sign_in.come_back(&browser, now, time.lease_until) {
            Ok(claimed) => claimed,
            Err(NoSignIn::Unknown) => return Box::pin(self.find_out(asked, time)).await,
            Err(NoSignIn::Done) => return self.say_again(&asked).await,
            Err(why) => return Ok(Answer::Page(pages::no_sign_in(&asked, &why))),
        };
        let asked = AskedSignIn { sign_in: claimed, ..asked };
        if self.store.put_sign_in(&asked).await? != Write::Done {
            return Ok(Answer::Page(pages::no_sign_in(&asked, &NoSignIn::Busy)));
        }
        let app = self.app_of(&asked.sign_in.errand.work.account).await?;
        let kept =
            self.keyring().await?.open(&asked.sign_in.errand.work.account, &sent_off.kept)?;
        let proof = Proof::Query(query);
        let how = (sent_off.way, sent_off.labelled);
        Box::pin(self.finish(asked, app, how, &kept, proof, time)).await
    }

    /// The sign-in that this browser has begun and the query is the end of; where there is none, one that it has begun and that goes
    /// on, with `false`.
    async fn begun_by(
        &self,
        bearers: Vec<Bearer>,
        query: &[(String, String)],
    ) -> anyhow::Result<Option<(AskedSignIn, TokenDigest, bool)>> {
        let back = brought_back(query).map(TokenDigest::of);
        let mut another = None;
        for Bearer { id, browser } in bearers {
            let Some(asked) = self.store.sign_in(&id).await? else { continue };
            let Some(bound) = asked.sign_in.bound.clone() else { continue };
            if bound.browser != browser {
                continue;
            }
            if back.as_ref() == Some(&bound.back) {
                return Ok(Some((asked, browser, true)));
            }
            if matches!(asked.sign_in.stage, SignInStage::Begun(_)) {
                another.get_or_insert((asked, browser, false));
            }
        }
        Ok(another)
    }

    /// The last page of a sign-in was loaded again: what was reached is said again.
    async fn say_again(&self, asked: &AskedSignIn) -> anyhow::Result<Answer> {
        let page = match reached_by(&self.store, &asked.sign_in.errand.work).await? {
            Some(connected) => pages::connected(asked, &connected, true),
            // It was removed, or has another key by now.
            None => pages::no_sign_in(asked, &NoSignIn::Done),
        };
        Ok(Answer::Page(page))
    }

    /// Why the button of a link does nothing any more. That it has expired says nothing of what was reached by it.
    async fn no_more(&self, asked: &AskedSignIn, why: &NoSignIn) -> anyhow::Result<Page> {
        let SigningIn { errand, .. } = &asked.sign_in;
        if *why == NoSignIn::Expired
            && errand.sent == Sent::Maybe
            && reached_by(&self.store, &errand.work).await?.is_some()
        {
            return Ok(pages::no_sign_in(asked, &NoSignIn::Done));
        }
        Ok(pages::no_sign_in(asked, why))
    }

    async fn find(&self, token: &SecretString) -> anyhow::Result<Option<AskedSignIn>> {
        Ok(self.store.sign_in(&TokenDigest::of(token.expose_secret())).await?)
    }

    /// Whether what is to be connected is here, and not by this link: then nobody needs to go to the network for it.
    async fn is_connected_already(&self, asked: &AskedSignIn) -> anyhow::Result<bool> {
        let errand = &asked.sign_in.errand;
        if errand.work.purpose == Purpose::Renew || errand.sent == Sent::Maybe {
            return Ok(false);
        }
        Ok(self.store.newest_account(&errand.work.account).await?.is_some())
    }

    /// The page of a link that can be used, with what was wrong with what was sent by it.
    async fn link(&self, asked: &AskedSignIn, wrong: Option<String>) -> anyhow::Result<Page> {
        let work = &asked.sign_in.errand.work;
        let app = self.app_of(&work.account).await?;
        let ways = ways(&work.account, app.as_ref());
        let passwords = match ways.first() {
            Some(Way::AppPassword) => {
                // Nothing is asked of anybody by that.
                let to = to(work, Way::AppPassword, app.as_ref());
                let begun = self.networks.begin_sign_in(to, Back::Typing).await;
                begun.ok().map(|begun| begun.page)
            }
            Some(Way::OAuth1 | Way::OAuth2) | None => None,
        };
        let now = self.clock.now();
        let x_url = self.x_url.as_deref();
        Ok(pages::link(&Link { asked, ways: &ways, passwords, wrong, x_url, now }))
    }

    /// The same page once more: nothing has changed.
    async fn again(&self, asked: &AskedSignIn, wrong: &str) -> anyhow::Result<Answer> {
        if let Err(why) = asked.sign_in.is_open(self.clock.now()) {
            return Ok(Answer::Page(pages::no_sign_in(asked, &why)));
        }
        if self.is_connected_already(asked).await? {
            return Ok(Answer::Page(pages::connected_already(asked)));
        }
        Ok(Answer::Page(self.link(asked, Some(wrong.to_owned())).await?))
    }

    /// Sends somebody to the network. One alone does of those who press at once.
    async fn send_off(
        &self,
        asked: AskedSignIn,
        app: Option<SecretString>,
        way: Way,
        labelled: bool,
        time: Time,
    ) -> anyhow::Result<Answer> {
        let now = self.clock.now();
        let asked = match asked.sign_in.press(now, time.lease_until) {
            Ok(pressed) => AskedSignIn { sign_in: pressed, ..asked },
            Err(why) => return Ok(Answer::Page(pages::no_sign_in(&asked, &why))),
        };
        if self.store.put_sign_in(&asked).await? != Write::Done {
            return Ok(Answer::Page(pages::no_sign_in(&asked, &NoSignIn::Busy)));
        }
        let work = &asked.sign_in.errand.work;
        let keyring = self.keyring().await?;
        // Letters and digits alone, as networks want it.
        let state = TokenDigest::of(random_token().expose_secret()).to_string();
        let (back, state) = (self.keys_url.callback(), SecretString::from(state));
        let back = Back::Sent { to: &back, state: &state };
        let begun = self.networks.begin_sign_in(to(work, way, app.as_ref()), back);
        let begun = timeout_at(time.asks_until, begun).await;
        let begun = match begun.unwrap_or_else(|_| Err(late(&work.account))) {
            Ok(begun) => begun,
            Err(failure) => {
                let sign_in = asked.sign_in.given_back();
                let asked = AskedSignIn { sign_in, ..asked };
                self.settle(&asked).await?;
                return self.again(&asked, &begin_failed(&failure)).await;
            }
        };
        let browser = random_token();
        let sent_off = SentOff { way, kept: keyring.seal(&work.account, &begun.kept), labelled };
        let bound = Bound {
            browser: TokenDigest::of(browser.expose_secret()),
            back: TokenDigest::of(begun.back.expose_secret()),
        };
        let cookie = Bearer::cookie(&work.id, &bound.back, &browser, &self.keys_url);
        let sign_in = asked.sign_in.begun(sent_off, bound, self.clock.now());
        let asked = AskedSignIn { sign_in, ..asked };
        if self.store.put_sign_in(&asked).await? != Write::Done {
            return Ok(Answer::Page(pages::no_sign_in(&asked, &NoSignIn::Busy)));
        }
        Ok(Answer::Away { to: begun.page, cookie })
    }

    /// Takes what somebody typed.
    async fn type_in(
        &self,
        asked: AskedSignIn,
        app: Option<SecretString>,
        password: &SecretString,
        labelled: bool,
        time: Time,
    ) -> anyhow::Result<Answer> {
        let now = self.clock.now();
        let may_be_done = asked.sign_in.may_be_done(now);
        let asked = match asked.sign_in.type_in(now, time.lease_until) {
            Ok(typed) => AskedSignIn { sign_in: typed, ..asked },
            Err(why) => return Ok(Answer::Page(self.no_more(&asked, &why).await?)),
        };
        if self.store.put_sign_in(&asked).await? != Write::Done {
            return Ok(Answer::Page(pages::no_sign_in(&asked, &NoSignIn::Busy)));
        }
        if may_be_done && let Some(connected) = self.connected_by(&asked, labelled, time).await? {
            return self.end(asked, Ended::Connected(connected)).await;
        }
        let (way, kept) = (Way::AppPassword, SecretString::default());
        let proof = Proof::Typed(password);
        Box::pin(self.finish(asked, app, (way, labelled), &kept, proof, time)).await
    }

    /// Ends a claimed sign-in with what somebody has brought.
    async fn finish(
        &self,
        asked: AskedSignIn,
        app: Option<SecretString>,
        (way, labelled): (Way, bool),
        kept: &SecretString,
        proof: Proof<'_>,
        time: Time,
    ) -> anyhow::Result<Answer> {
        let is_typed = match proof {
            Proof::Typed(_) => true,
            Proof::Query(_) => false,
        };
        let work = &asked.sign_in.errand.work;
        let to = to(work, way, app.as_ref());
        let key = self.networks.finish_sign_in(to, kept, proof);
        let key = timeout_at(time.asks_until, key).await;
        let ended = match key.unwrap_or_else(|_| Err(late(&work.account).into())) {
            Ok(key) => {
                let asking = self.asking(labelled, time);
                let stored = Box::pin(self.store_key(&asked, key, app, asking)).await;
                match stored {
                    Ok(connected) => Ended::Connected(connected),
                    Err(Error::Refused(refusal)) => {
                        Ended::Refused { why: refusal.to_string(), again: is_typed }
                    }
                    Err(Error::Failed(err)) => {
                        // Whether the key is stored is found out when they come again.
                        let sign_in = asked.sign_in.let_go();
                        self.settle(&AskedSignIn { sign_in, ..asked }).await?;
                        return Err(err);
                    }
                }
            }
            // Nobody was asked, so that nothing is used up.
            Err(err @ NotSignedIn::NotOurs) => Ended::Refused { why: err.to_string(), again: true },
            Err(NotSignedIn::Failed(failure)) if failure.kind == FailureKind::Unknown => {
                let why =
                    format!("{failure}, so that nobody knows what came of it; no key is stored");
                Ended::Refused { why, again: is_typed }
            }
            Err(
                err @ (NotSignedIn::Cancelled | NotSignedIn::Wrong(_) | NotSignedIn::Failed(_)),
            ) => Ended::Refused { why: err.to_string(), again: is_typed },
        };
        self.end(asked, ended).await
    }

    /// Who finished it has died, or has left something to do: whether there is a key is to be seen.
    async fn find_out(&self, asked: AskedSignIn, time: Time) -> anyhow::Result<Answer> {
        let labelled = match &asked.sign_in.stage {
            SignInStage::Begun(sent_off) => sent_off.labelled,
            SignInStage::Open | SignInStage::Done | SignInStage::Failed { .. } => false,
        };
        match self.connected_by(&asked, labelled, time).await? {
            Some(connected) => self.end(asked, Ended::Connected(connected)).await,
            None => Ok(Answer::Page(pages::no_sign_in(&asked, &NoSignIn::Unknown))),
        }
    }

    async fn connected_by(
        &self,
        asked: &AskedSignIn,
        labelled: bool,
        time: Time,
    ) -> anyhow::Result<Option<Connected>> {
        let (work, now) = (&asked.sign_in.errand.work, self.clock.now());
        let (keyring, asking) = (self.keyring().await?, self.asking(labelled, time));
        let connected = Noted::around(&self.store, self.who(asked), line(work), async |noted| {
            connected_by(&self.store, noted, keyring, work, asking, now).await
        });
        connected.await.map_err(any)
    }

    fn asking(&self, labelled: bool, time: Time) -> Asking<'_> {
        Asking { networks: &self.networks, until: Some(time.asks_until), labelled }
    }

    /// Asks the network whose the key is, and stores it.
    async fn store_key(
        &self,
        asked: &AskedSignIn,
        key: NewKey,
        app: Option<SecretString>,
        asking: Asking<'_>,
    ) -> Result<Connected, Error> {
        let keyring = self.keyring().await?;
        let (sign_in, now) = (&asked.sign_in.errand.work, self.clock.now());
        let signed_in = SignedIn { sign_in, key, app, asking };
        Noted::around(&self.store, self.who(asked), line(sign_in), async |noted| {
            Box::pin(connect_account(&self.store, noted, keyring, signed_in, now)).await
        })
        .await
    }

    /// Writes down what came of it, tells, and says so on a page.
    async fn end(&self, asked: AskedSignIn, ended: Ended) -> anyhow::Result<Answer> {
        let connected = match ended {
            Ended::Connected(connected) => connected,
            Ended::Refused { why, again: true } => {
                let sign_in = asked.sign_in.given_back();
                let asked = AskedSignIn { sign_in, ..asked };
                self.settle(&asked).await?;
                return match asked.sign_in.is_open(self.clock.now()) {
                    Ok(()) => self.again(&asked, &pages::sentence(&why)).await,
                    // They are at the network still, and what came was not from there.
                    Err(_) => Ok(Answer::Page(pages::not_ours(&asked, &why))),
                };
            }
            Ended::Refused { why, again: false } => {
                let sign_in = asked.sign_in.failed(why.clone());
                let asked = AskedSignIn { sign_in, ..asked };
                self.settle(&asked).await?;
                return Ok(Answer::Page(pages::refused(&asked, &why)));
            }
        };
        let is_told = self.tell(&asked, &connected).await;
        // Who comes again has what is left done.
        let sign_in = if is_told && !connected.is_to_be_marked {
            asked.sign_in.done()
        } else {
            asked.sign_in.let_go()
        };
        let asked = AskedSignIn { sign_in, ..asked };
        self.settle(&asked).await?;
        tracing::info!(account = %asked.sign_in.errand.work.account, "a key is stored");
        Ok(Answer::Page(pages::connected(&asked, &connected, is_told)))
    }

    /// A conflict: our lease was over, and whoever has it goes on.
    async fn settle(&self, asked: &AskedSignIn) -> anyhow::Result<()> {
        self.store.put_sign_in(asked).await?;
        Ok(())
    }

    /// Has the room told where it was asked for. Not so: nobody is.
    async fn tell(&self, asked: &AskedSignIn, connected: &Connected) -> bool {
        let SigningIn { errand, .. } = &asked.sign_in;
        let room = match &asked.by {
            By::Slack { room, .. } => Some(room.clone()),
            By::CommandLine { .. } => None,
        };
        // What a room was told is told it again where it is so no more: a mark that is made later.
        let (name, work) = ("account.connected", errand.work.id.as_str());
        let id = match connected.must_not_post.as_slice() {
            [] => DeliveryId::of(&[name, work]),
            [_, ..] => DeliveryId::of(&[name, work, "must not post"]),
        };
        let event = Event::AccountConnected(Connection {
            id,
            account: errand.work.account.clone(),
            purpose: errand.work.purpose,
            room,
            resumed: u32::try_from(connected.resumed.len()).unwrap_or(u32::MAX),
            must_not_post: connected.must_not_post.clone(),
        });
        let published = self.bus.publish(&[event], Instant::now() + PUBLISHING).await;
        if let Err(err) = &published {
            let (account, unpublished) = (&errand.work.account, err.unpublished());
            tracing::error!(%account, unpublished, error = %err, "no room is told of a new key");
        }
        published.is_ok()
    }

    fn who(&self, asked: &AskedSignIn) -> Who {
        let id = DeliveryId::of(&["sign-in", asked.sign_in.errand.work.id.as_str()]);
        Who { by: asked.by.clone(), at: self.clock.now(), id }
    }
}

/// What the audit log calls it.
fn line(work: &SignIn) -> String {
    let what = match work.purpose {
        Purpose::Connect => "connect",
        Purpose::Renew => "renew",
    };
    format!("account {what} {} (signed in)", work.account)
}

fn to<'a>(work: &'a SignIn, way: Way, app: Option<&'a SecretString>) -> SignInTo<'a> {
    SignInTo { id: &work.account, way, server: work.server.as_deref(), app }
}

fn begin_failed(failure: &Failure) -> String {
    format!(
        "{} Nothing has changed; press the button again.",
        pages::sentence(&failure.to_string())
    )
}

fn any(err: Error) -> anyhow::Error {
    match err {
        Error::Refused(refusal) => refusal.into(),
        Error::Failed(err) => err,
    }
}
