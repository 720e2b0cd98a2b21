//! AWS on this machine: `DynamoDB` embedded, and the few calls of EventBridge and Secrets Manager that the
//! functions make, all on loopback. The functions use the same SDK clients as in the cloud.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use dynoxide::Database;
use flock_aws::SdkConfig;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};

use loopback::{
    Key, Token,
    serve::{Limits, serve_guarded},
};

use crate::table;

const REGION: &str = "us-east-1";

/// An event that was put on the bus.
#[derive(Debug)]
pub struct BusEvent {
    /// Who published it.
    pub source: String,
    /// What kind it is.
    pub detail_type: String,
    /// What it says.
    pub detail: Value,
    /// Counts as long as it is there.
    pub unhandled: Unhandled,
}

/// An event that is not handled yet. Dropped with its event, when every function that wants it has had it.
#[derive(Debug)]
pub struct Unhandled(watch::Sender<usize>);

/// Keeps the text of a secret, by its name, before it is given to anybody; or says why it cannot.
pub type Keep = Box<dyn Fn(&str, &str) -> Result<(), String> + Send + Sync>;

/// The secrets, and who keeps what is written.
struct Held {
    texts: Mutex<HashMap<String, String>>,
    keep: Option<Keep>,
}

/// The local services. They stop when this is dropped.
#[derive(Debug)]
pub struct LocalCloud {
    dynamodb: SocketAddr,
    services: SocketAddr,
    token: Token,
    secrets: Arc<Held>,
    unhandled: watch::Sender<usize>,
    tasks: Vec<JoinHandle<()>>,
}

struct Services {
    events: mpsc::UnboundedSender<BusEvent>,
    unhandled: watch::Sender<usize>,
    secrets: Arc<Held>,
}

impl LocalCloud {
    /// Serves `database` and `secrets` to those who have `token`, and tells others the sentence `strangers`; what is put
    /// on the bus comes out of the receiver. What is written of secrets is gone with this.
    pub async fn start(
        database: Database,
        secrets: HashMap<String, String>,
        token: Token,
        strangers: &'static str,
    ) -> io::Result<(Self, mpsc::UnboundedReceiver<BusEvent>)> {
        Self::serve(database, Held::new(secrets, None), token, strangers).await
    }

    /// The same, where `keep` keeps what is written of secrets.
    pub async fn start_kept(
        database: Database,
        secrets: HashMap<String, String>,
        keep: Keep,
        token: Token,
        strangers: &'static str,
    ) -> io::Result<(Self, mpsc::UnboundedReceiver<BusEvent>)> {
        Self::serve(database, Held::new(secrets, Some(keep)), token, strangers).await
    }

    async fn serve(
        database: Database,
        secrets: Arc<Held>,
        token: Token,
        strangers: &'static str,
    ) -> io::Result<(Self, mpsc::UnboundedReceiver<BusEvent>)> {
        let key = Key::Session(token.clone(), strangers);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let dynamodb = listener.local_addr()?;
        let (table, table_key) = (table::router(database), key.clone());
        let database = tokio::spawn(async move {
            serve_guarded(listener, table_key, table, Limits::AWS).await;
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let services = listener.local_addr()?;
        let unhandled = watch::Sender::new(0);
        let (router, received) = counted(Arc::clone(&secrets), &unhandled);
        let services_task = tokio::spawn(async move {
            serve_guarded(listener, key, router, Limits::AWS).await;
        });
        let tasks = vec![database, services_task];
        Ok((Self { dynamodb, services, token, secrets, unhandled, tasks }, received))
    }

    /// The configuration that reaches these services.
    pub fn aws(&self) -> SdkConfig {
        flock_aws::local(self.dynamodb_url(), self.services_url(), self.token.secret())
    }

    /// What these services want to be shown.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// The environment that leads programs here, and nowhere else.
    pub fn environment(&self) -> [(&'static str, String); 10] {
        let (dynamodb, services) = (self.dynamodb_url(), self.services_url());
        [
            // Some know one of these, some the other.
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("AWS_SESSION_TOKEN", self.token.expose().to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
            // Written out, because a shell may have its own.
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", services.clone()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", services.clone()),
            ("AWS_ENDPOINT_URL", services),
        ]
    }

    /// Where `DynamoDB` is.
    pub fn dynamodb_url(&self) -> String {
        format!("http://{}", self.dynamodb)
    }

    /// Where the other services are.
    pub fn services_url(&self) -> String {
        format!("http://{}", self.services)
    }

    /// Shows the secrets by name as they are; as long as they are looked at, nothing is written.
    pub fn with_secrets<T>(&self, look: impl FnOnce(&HashMap<String, String>) -> T) -> T {
        look(&self.secrets.texts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many events were put on the bus and are not handled yet.
    pub fn unhandled(&self) -> watch::Receiver<usize> {
        self.unhandled.subscribe()
    }
}

/// What answers for EventBridge, Secrets Manager and STS, for whoever asks it in the same process. What is put on the bus
/// comes out of the receiver.
pub fn router(
    secrets: impl IntoIterator<Item = (String, String)>,
) -> (Router, mpsc::UnboundedReceiver<BusEvent>) {
    counted(Held::new(secrets.into_iter().collect(), None), &watch::Sender::new(0))
}

/// The same, with the events that are not handled yet counted.
fn counted(
    secrets: Arc<Held>,
    unhandled: &watch::Sender<usize>,
) -> (Router, mpsc::UnboundedReceiver<BusEvent>) {
    let (events, received) = mpsc::unbounded_channel();
    let state = Arc::new(Services { events, unhandled: unhandled.clone(), secrets });
    (Router::new().route("/", post(answer)).with_state(state), received)
}

impl Held {
    fn new(texts: HashMap<String, String>, keep: Option<Keep>) -> Arc<Self> {
        Arc::new(Self { texts: Mutex::new(texts), keep })
    }
}

/// Without what is secret.
impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}

impl Unhandled {
    fn count(counter: &watch::Sender<usize>) -> Self {
        counter.send_modify(|count| *count += 1);
        Self(counter.clone())
    }
}

impl Drop for Unhandled {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Drop for LocalCloud {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    entries: Vec<PutEventsEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEventsEntry {
    source: String,
    detail_type: String,
    detail: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutSecretValue {
    secret_id: String,
    secret_string: String,
    client_request_token: String,
}

/// What STS says of whoever asks: on this machine everybody with the token is the same (AWS, "`GetCallerIdentity`", 2026-11).
const CALLER: &str = "\
<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
<Arn>arn:aws:iam::000000000000:user/local</Arn><UserId>local</UserId><Account>000000000000</Account>\
</GetCallerIdentityResult></GetCallerIdentityResponse>";

/// Answers the calls the functions make, in the JSON protocol of AWS, and the one question of the command line, in its older
/// one.
async fn answer(
    State(services): State<Arc<Services>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    match target {
        None if body.starts_with(b"Action=GetCallerIdentity&") => {
            ([(header::CONTENT_TYPE, "text/xml")], CALLER).into_response()
        }
        Some("AWSEvents.PutEvents") => match serde_json::from_slice(&body) {
            Ok(request) => services.put_events(request),
            Err(err) => refused("ValidationException", &err.to_string()),
        },
        Some("secretsmanager.GetSecretValue") => {
            match serde_json::from_slice::<GetSecretValue>(&body) {
                Ok(request) => services.get_secret_value(&request.secret_id),
                Err(err) => refused("InvalidRequestException", &err.to_string()),
            }
        }
        Some("secretsmanager.PutSecretValue") => {
            match serde_json::from_slice::<PutSecretValue>(&body) {
                Ok(request) => services.put_secret_value(request),
                // Its own words would have a part of the secret in them.
                Err(_) => refused(
                    "InvalidRequestException",
                    "what is put into a secret is text, with a token of the request",
                ),
            }
        }
        other => refused(
            "UnknownOperationException",
            &format!(
                "the local run does not answer {}",
                other.unwrap_or("a call without a target")
            ),
        ),
    }
}

impl Services {
    fn put_events(&self, request: PutEvents) -> Response {
        let mut results = Vec::new();
        let mut failed = 0;
        for (number, entry) in (1..).zip(request.entries) {
            match serde_json::from_str::<Value>(&entry.detail) {
                Ok(detail) if detail.is_object() => {
                    results.push(json!({ "EventId": format!("local-{number}") }));
                    let PutEventsEntry { source, detail_type, .. } = entry;
                    // Nobody listens any more only when the run is ending.
                    let unhandled = Unhandled::count(&self.unhandled);
                    let _ = self.events.send(BusEvent { source, detail_type, detail, unhandled });
                }
                _ => {
                    failed += 1;
                    results.push(json!({
                        "ErrorCode": "MalformedDetail",
                        "ErrorMessage": "Detail is malformed.",
                    }));
                }
            }
        }
        Json(json!({ "FailedEntryCount": failed, "Entries": results })).into_response()
    }

    fn get_secret_value(&self, name: &str) -> Response {
        let texts = self.secrets.texts.lock().unwrap_or_else(PoisonError::into_inner);
        match texts.get(name) {
            Some(text) => {
                Json(json!({ "Name": name, "ARN": name, "SecretString": text })).into_response()
            }
            None => refused("ResourceNotFoundException", NO_SECRET),
        }
    }

    fn put_secret_value(&self, request: PutSecretValue) -> Response {
        let PutSecretValue { secret_id: name, secret_string, client_request_token } = request;
        let mut texts = self.secrets.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(text) = texts.get_mut(&name) else {
            return refused("ResourceNotFoundException", NO_SECRET);
        };
        // Whoever is told that it is written may lose what it was.
        if let Some(keep) = &self.secrets.keep
            && let Err(why) = keep(&name, &secret_string)
        {
            return refused("InternalServiceError", &why);
        }
        *text = secret_string;
        Json(json!({
            "Name": name,
            "ARN": name,
            "VersionId": client_request_token,
            "VersionStages": ["AWSCURRENT"],
        }))
        .into_response()
    }
}

const NO_SECRET: &str = "Secrets Manager can't find the specified secret.";

fn refused(kind: &str, message: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "__type": kind, "message": message }))).into_response()
}
