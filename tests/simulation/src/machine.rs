//! A machine of ours: a clock, and the way out of it, on which everything goes wrong that the scenario says. When it dies,
//! what it had sent is still on its way.

use std::{
    fmt,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use aws_types::region::Region;
use axum::body::Bytes;
use flock_aws::{Clock, SdkConfig, Unanswered, Wire};
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};

use crate::{
    fault::Service,
    invariants,
    outside::{Answer, Asked, Outside},
    weather::{Fate, Weather},
    world::World,
};

/// A machine, with what runs on it.
pub(crate) struct Machine {
    /// Its name in steps, such as `sheep-tick 3`.
    pub(crate) name: String,
    /// Its clock.
    pub(crate) clock: Clock,
    world: Arc<World>,
    /// On the way of an observer nothing goes wrong and nothing takes time.
    observes: bool,
    /// At which of its requests it dies, and whether that still goes out.
    dies_at: Option<(usize, bool)>,
    asked: AtomicUsize,
    /// Whether it has asked for tokens.
    exchanges: AtomicBool,
    is_dead: AtomicBool,
    died: Notify,
}

/// An answer with tokens that is on its way: lost, unless it is heard.
struct Exchange<'a> {
    world: &'a World,
    is_heard: bool,
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if !self.is_heard {
            self.world.known().lost_exchanges += 1;
        }
    }
}

/// What a network says of a key that it does not accept, each of them in its own field.
const UNAUTHORIZED: &str = r#"{"title":"Unauthorized","status":401,"error":"AuthMissing"}"#;

/// No answer came.
#[derive(Debug)]
pub(crate) struct Silence {
    /// Whether it may have arrived.
    sent: bool,
    why: &'static str,
}

impl Machine {
    /// A machine on which things go wrong as the weather is; it dies at the given request.
    pub(crate) fn new(
        world: &Arc<World>,
        name: String,
        dies_at: Option<(usize, bool)>,
    ) -> Arc<Self> {
        let clock = Clock::simulated(world.now() + world.weather.skew());
        Arc::new(Self { dies_at, ..Self::alive(world, name, clock) })
    }

    /// A machine of whoever looks at the world, and of who makes it.
    pub(crate) fn observer(world: &Arc<World>) -> Arc<Self> {
        let clock = Clock::simulated(world.now());
        let machine = Self::alive(world, "the observer".to_owned(), clock);
        Arc::new(Self { observes: true, ..machine })
    }

    fn alive(world: &Arc<World>, name: String, clock: Clock) -> Self {
        Self {
            name,
            clock,
            world: Arc::clone(world),
            observes: false,
            dies_at: None,
            asked: AtomicUsize::new(0),
            exchanges: AtomicBool::new(false),
            is_dead: AtomicBool::new(false),
            died: Notify::new(),
        }
    }

    /// The configuration of AWS's clients on it: a function's own, but for the way out and the time.
    pub(crate) fn aws(self: &Arc<Self>) -> SdkConfig {
        /// Clients of one region share, within a process, how often they may try again; machines do not.
        static REGIONS: AtomicUsize = AtomicUsize::new(0);
        let credentials = Credentials::new("id", "secret", None, None, "the simulation");
        let region = format!("region-{}", REGIONS.fetch_add(1, Ordering::Relaxed));
        flock_aws::of_environment()
            .into_builder()
            .http_client(SharedHttpClient::new(Way(Arc::clone(self))))
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .time_source(SharedTimeSource::new(Way(Arc::clone(self))))
            .build()
    }

    /// The way to networks and to Slack.
    pub(crate) fn wire(self: &Arc<Self>) -> Wire {
        let machine = Arc::clone(self);
        Wire::to(move |request| {
            let machine = Arc::clone(&machine);
            Box::pin(async move { machine.send(request).await })
        })
    }

    /// Its clock jumps.
    pub(crate) fn jump(&self) {
        self.clock.step_to(self.world.now() + self.world.weather.skew());
    }

    /// Waits until it is dead.
    pub(crate) async fn died(&self) {
        if !self.is_dead() {
            self.died.notified().await;
        }
    }

    /// Whether it is dead.
    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Relaxed)
    }

    /// It dies.
    pub(crate) fn die(&self) {
        if !self.is_dead.swap(true, Ordering::Relaxed) {
            self.world.note(|| format!("{} dies", self.name));
            // What it has got it may not have stored.
            if self.exchanges.load(Ordering::Relaxed) {
                self.world.known().lost_exchanges += 1;
            }
            self.died.notify_one();
        }
    }

    async fn send(&self, request: reqwest::Request) -> Result<reqwest::Response, Unanswered> {
        let limit = request.timeout().copied();
        let request = http::Request::<reqwest::Body>::try_from(request)?;
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(axum::body::Body::new(body), usize::MAX).await;
        let asked = Asked { head, body: body.unwrap_or_default() };
        let Some(whom) = Outside::whom(&asked) else {
            return Err(Unanswered::NotSent("there is nobody of that name".into()));
        };
        let is_exchange = asked.head.uri.path() == "/2/oauth2/token";
        self.exchanges.fetch_or(is_exchange, Ordering::Relaxed);
        let mut exchange = Exchange { world: &self.world, is_heard: !is_exchange };
        let answering = self.ask(whom, asked);
        let answer = match limit {
            Some(limit) => tokio::time::timeout(limit, answering).await,
            None => Ok(answering.await),
        };
        if let Ok(Ok(answer)) = &answer {
            // Others are those of who stands before X.
            exchange.is_heard |= [200, 400, 401, 429].contains(&answer.status.as_u16());
        }
        drop(exchange);
        match answer {
            Ok(Ok(answer)) => Ok(answer.into_http::<reqwest::Body>().into()),
            Ok(Err(Silence { sent: false, why })) => Err(Unanswered::NotSent(why.into())),
            Ok(Err(Silence { sent: true, why })) => Err(Unanswered::Lost(why.into())),
            Err(_) => Err(Unanswered::Lost("operation timed out".into())),
        }
    }

    /// Asks, with everything that can happen on the way.
    async fn ask(&self, whom: Service, asked: Asked) -> Result<Answer, Silence> {
        let world = &self.world;
        if self.observes {
            return Ok(world.outside.answer(whom, asked, || Duration::ZERO).await);
        }
        if self.is_dead() {
            return pending().await;
        }
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let dies = self.dies_at.filter(|(at, _)| *at == number).map(|(_, goes_out)| goes_out);
        if dies == Some(false) {
            self.die();
            return pending().await;
        }
        let what = world.begins(self, whom, &asked);
        let fate = world.weather.fate(whom, what.writes);
        world.note(|| format!("{} asks {whom}: {}{}", self.name, what.words, fate.words()));
        if dies == Some(true) {
            self.die();
        }
        let (there, back) = (world.weather.latency(whom), world.weather.latency(whom));
        let result = match fate {
            Fate::Refused | Fate::Failed | Fate::Unauthorized => {
                tokio::time::sleep(there + back).await;
                Ok(match fate {
                    Fate::Refused => Weather::refusal(whom),
                    Fate::Unauthorized => Answer::of(401, UNAUTHORIZED),
                    _ => Answer::of(500, "{}"),
                })
            }
            Fate::NotSent => {
                tokio::time::sleep(there).await;
                Err(Silence { sent: false, why: "connection refused" })
            }
            Fate::NeverThere => pending().await,
            Fate::Passes(late) | Fate::Broken(late) | Fate::Unheard(late) => {
                let answer = self.carry(whom, asked, there + late, back).await;
                match fate {
                    Fate::Unheard(_) => pending().await,
                    Fate::Broken(_) => Err(Silence { sent: true, why: "connection reset" }),
                    _ => Ok(answer),
                }
            }
            Fate::Partly => Ok(self.carry_some(asked, there, back).await),
            Fate::Instead(status) => {
                self.carry(whom, asked, there, back).await;
                Ok(Answer::of(status, "<html>a page</html>"))
            }
        };
        if self.is_dead() {
            return pending().await;
        }
        result
    }

    /// Carries some of the events of a request to the bus, and says that the others are not taken.
    async fn carry_some(&self, asked: Asked, there: Duration, back: Duration) -> Answer {
        let body: Value = serde_json::from_slice(&asked.body).expect("the SDK writes JSON");
        let entries = body["Entries"].as_array().cloned().unwrap_or_default();
        let is_taken: Vec<_> = entries.iter().map(|_| self.world.weather.dice().bool()).collect();
        let pick = |taken| {
            let all = entries.iter().cloned().zip(&is_taken);
            all.filter(move |(_, is_taken)| **is_taken == taken).map(|(entry, _)| entry)
        };
        for entry in pick(false) {
            invariants::is_not_taken(&self.world, &self.name, &entry);
        }
        let taken: Vec<_> = pick(true).collect();
        let answer = if taken.is_empty() {
            tokio::time::sleep(there + back).await;
            Answer::of(200, "{}")
        } else {
            let body = Bytes::from(json!({ "Entries": taken }).to_string());
            self.carry(Service::Bus, Asked { body, ..asked }, there, back).await
        };
        let said: Value = serde_json::from_slice(&answer.body).expect("the bus answers in JSON");
        let mut said = said["Entries"].as_array().cloned().unwrap_or_default().into_iter();
        let results = is_taken.iter().map(|is_taken| {
            if *is_taken {
                return said.next().unwrap_or_default();
            }
            json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "It went wrong." })
        });
        let results: Vec<_> = results.collect();
        let failed = results.iter().filter(|result| result["ErrorCode"].is_string()).count();
        let body = json!({ "FailedEntryCount": failed, "Entries": results }).to_string();
        Answer { body: Bytes::from(body), ..answer }
    }

    /// Carries a request there and its answer back, whatever becomes of who has sent it.
    async fn carry(&self, whom: Service, asked: Asked, there: Duration, back: Duration) -> Answer {
        let (sender, receiver) = oneshot::channel();
        let (world, name) = (Arc::clone(&self.world), self.name.clone());
        tokio::spawn(async move {
            tokio::time::sleep(there).await;
            let answer = world.arrives(&name, whom, asked).await;
            tokio::time::sleep(back).await;
            // Who has sent it may have gone.
            let _ = sender.send(answer);
        });
        receiver.await.expect("the answer is sent")
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Machine").field(&self.name).finish()
    }
}

impl Answer {
    /// An answer that nobody of ours has made.
    pub(crate) fn of(status: u16, body: &'static str) -> Self {
        let status = http::StatusCode::from_u16(status).expect("a status");
        Self { status, headers: http::HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }
    }

    fn into_http<B: From<Bytes>>(self) -> http::Response<B> {
        let mut response = http::Response::new(B::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// The way out for AWS's clients, and their time.
#[derive(Debug, Clone)]
struct Way(Arc<Machine>);

impl HttpClient for Way {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Way {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let machine = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x();
            let request = request.map_err(|err| ConnectorError::user(err.into()))?;
            let (head, body) = request.into_parts();
            let body = Bytes::copy_from_slice(body.bytes().unwrap_or_default());
            let asked = Asked { head, body };
            let Some(whom) = Outside::whom(&asked) else {
                return Err(ConnectorError::user("there is nobody of that name".into()));
            };
            let answer = machine.ask(whom, asked).await;
            let answer = answer.map_err(|silence| ConnectorError::io(silence.why.into()))?;
            HttpResponse::try_from(answer.into_http::<SdkBody>())
                .map_err(|err| ConnectorError::user(err.into()))
        })
    }
}

impl TimeSource for Way {
    fn now(&self) -> std::time::SystemTime {
        self.0.clock.now().into()
    }
}
