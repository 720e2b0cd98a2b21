//! One way to ask any network: every request has a time limit and every answer a size limit, no redirect is
//! followed, and a limit that a network told of is kept to before anything is sent.

use std::{
    collections::HashMap,
    error::Error,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use flock_aws::{CaBundleError, Clock, Unanswered, Wire};
use flock_core::AccountId;
use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, Response, Url};

use crate::{
    Failure,
    address::{NotPublic, Reach},
    answer::{Answer, Reset},
    failure::NotDone,
};

/// What sends requests.
#[derive(Debug)]
pub(crate) struct Http {
    reach: Reach,
    // Built when first needed: most flocks never leave the meadow.
    client: OnceLock<Result<Client, &'static CaBundleError>>,
    wire: Wire,
    clock: Clock,
    // Until when whom must not be asked. A cache: losing it costs one request that is refused.
    limited: Mutex<HashMap<AccountId, Reset>>,
}

impl Http {
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
    const TIMEOUT: Duration = Duration::from_secs(10);
    /// Answers are a few KB; anything larger is not what was asked for.
    const ANSWER_BYTES: usize = 1 << 20;

    pub(crate) fn new(reach: Reach, wire: Wire, clock: Clock) -> Self {
        Self { reach, client: OnceLock::new(), wire, clock, limited: Mutex::default() }
    }

    /// A request to `path` under `base`.
    pub(crate) fn request(
        &self,
        method: Method,
        base: &str,
        path: &str,
    ) -> Result<RequestBuilder, Failure> {
        let request = self.client()?.request(method, self.url(base, path)?);
        Ok(request.timeout(Self::TIMEOUT))
    }

    /// The address `path` under `base`.
    pub(crate) fn url(&self, base: &str, path: &str) -> Result<Url, Failure> {
        let base = base.trim_end_matches('/');
        let url = Url::parse(&format!("{base}{path}"));
        let url = url.map_err(|_| Failure::cannot(format!("`{base}` is not an address")))?;
        self.reach.check(&url)?;
        Ok(url)
    }

    /// When `account` may be asked again, if it must not be now.
    pub(crate) fn limited_until(&self, account: &AccountId) -> Option<Timestamp> {
        self.limit(account).map(|reset| reset.until)
    }

    /// Refuses a request of `account` to the server that messages call `who`, if it must not be asked now.
    pub(crate) fn may_ask(&self, account: &AccountId, who: &str) -> Result<(), Failure> {
        let Some(reset) = self.limit(account) else { return Ok(()) };
        let until = reset.until;
        let why =
            format!("{who} takes no more requests of {account} until {until}{}", reset.words());
        Err(Failure::not_before(NotDone::NOT_ASKED, until, why))
    }

    fn limit(&self, account: &AccountId) -> Option<Reset> {
        let limited = self.limited.lock().unwrap_or_else(PoisonError::into_inner);
        limited.get(account).filter(|reset| self.clock.now() < reset.until).cloned()
    }

    /// Sends a request of `account` to the server that messages call `who`.
    pub(crate) async fn send(
        &self,
        account: &AccountId,
        who: &str,
        request: RequestBuilder,
    ) -> Result<Answer, Failure> {
        self.may_ask(account, who)?;
        let response = self.wire.send(request).await;
        let response = response.map_err(|err| not_answered(who, &err))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read(who, response).await?;
        let now = self.clock.now();
        let network = account.network;
        let answer = Answer { network, status, headers, body, now, is_doubtful: false };
        if let Some(reset) = answer.limited_until() {
            let mut limited = self.limited.lock().unwrap_or_else(PoisonError::into_inner);
            limited.retain(|_, reset| now < reset.until);
            // An answer that was under way meanwhile may know of a longer one.
            let longer = match limited.remove(account) {
                Some(known) => known.later(reset),
                None => reset,
            };
            limited.insert(account.clone(), longer);
        }
        Ok(answer)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The time as a server would see it that has the right one.
    pub(crate) fn time_outside(&self) -> Timestamp {
        self.clock.of_machine()
    }

    fn client(&self) -> Result<&Client, Failure> {
        let client = self.client.get_or_init(|| {
            let mut builder = flock_aws::https()?
                .connect_timeout(Self::CONNECT_TIMEOUT)
                .user_agent(concat!("flockwork/", env!("CARGO_PKG_VERSION")));
            if let Some(resolver) = self.reach.resolver() {
                // A proxy would resolve names itself.
                builder = builder.dns_resolver(resolver).no_proxy();
            }
            Ok(builder.build().expect("the TLS settings are given and the others constant"))
        });
        client.as_ref().map_err(|err| {
            Failure::try_again(NotDone::NOT_ASKED, format!("{err}: {}", root_cause(err)))
        })
    }
}

/// What the last cause says is what happened.
fn not_answered(who: &str, err: &Unanswered) -> Failure {
    if let Some(not_public) = causes(err).find_map(|cause| cause.downcast_ref::<NotPublic>()) {
        return Failure::cannot(format!("{who} cannot be called: {not_public}"));
    }
    let why = format!("{who} did not answer: {}", root_cause(err));
    match err {
        Unanswered::NotSent(_) => Failure::try_again(NotDone::NOT_ASKED, why),
        Unanswered::Lost(_) => Failure::unknown(why),
    }
}

async fn read(who: &str, mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|err| {
            Failure::unknown(format!("{who} broke off its answer: {}", root_cause(&err)))
        })?;
        let Some(chunk) = chunk else { return Ok(body) };
        body.extend_from_slice(&chunk);
        if Http::ANSWER_BYTES < body.len() {
            return Err(Failure::unknown(format!("the answer of {who} has no end")));
        }
    }
}

fn causes<'a>(err: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(err);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

fn root_cause(err: &(dyn Error + 'static)) -> String {
    causes(err).last().map(ToString::to_string).unwrap_or_default()
}
