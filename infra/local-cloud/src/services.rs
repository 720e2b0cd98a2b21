//! AWS on this machine: `DynamoDB` embedded, and the few calls of EventBridge and Secrets Manager that the
//! functions make, all on loopback. The functions use the same SDK clients as in the cloud.

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc};

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

/// The local services. They stop when this is dropped.
#[derive(Debug)]
pub struct LocalCloud {
    dynamodb: SocketAddr,
    services: SocketAddr,
    token: Token,
    unhandled: watch::Sender<usize>,
    tasks: Vec<JoinHandle<()>>,
}

struct Services {
    events: mpsc::UnboundedSender<BusEvent>,
    unhandled: watch::Sender<usize>,
    secrets: HashMap<String, String>,
}

impl LocalCloud {
    /// Serves `database` and `secrets` to those who have `token`, and tells others the sentence `strangers`; what is put
    /// on the bus comes out of the receiver.
    pub async fn start(
        database: Database,
        secrets: HashMap<String, String>,
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
        let (router, received) = counted(secrets, &unhandled);
        let services_task = tokio::spawn(async move {
            serve_guarded(listener, key, router, Limits::AWS).await;
        });
        let tasks = vec![database, services_task];
        Ok((Self { dynamodb, services, token, unhandled, tasks }, received))
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
    counted(secrets.into_iter().collect(), &watch::Sender::new(0))
}

/// The same, with the events that are not handled yet counted.
fn counted(
    secrets: HashMap<String, String>,
    unhandled: &watch::Sender<usize>,
) -> (Router, mpsc::UnboundedReceiver<BusEvent>) {
    let (events, received) = mpsc::unbounded_channel();
    let state = Arc::new(Services { events, unhandled: unhandled.clone(), secrets });
    (Router::new().route("/", post(answer)).with_state(state), received)
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
        match self.secrets.get(name) {
            Some(text) => {
                Json(json!({ "Name": name, "ARN": name, "SecretString": text })).into_response()
            }
            None => refused(
                "ResourceNotFoundException",
                "Secrets Manager can't find the specified secret.",
            ),
        }
    }
}

fn refused(kind: &str, message: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "__type": kind, "message": message }))).into_response()
}
