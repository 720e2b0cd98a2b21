//! A stand-in of an AWS account with one stack in it: `DynamoDB` is the embedded one, and what of other services the command asks is
//! answered from state. It asks whose the credentials are, and what they may do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use dynoxide::Database;
use local_cloud::{table, template::Template};
use serde_json::{Value, json};

/// The stack.
pub(crate) const STACK: &str = "flock";

/// The table, as `CloudFormation` calls it.
pub(crate) const TABLE: &str = "flock-Table-1ABCDEFGHIJKL";

/// The topic of the alarms.
pub(crate) const TOPIC: &str = "arn:aws:sns:eu-west-1:012345678901:flock-AlarmTopic-1";

/// The number of the access key that is taken.
pub(crate) const KEY_ID: &str = "AKIAFLOCK";

/// The token of the session that people have logged in to.
pub(crate) const SSO_TOKEN: &str = "sso-token";

/// The token of Slack's bot.
pub(crate) const BOT_TOKEN: &str = "xoxb-1";

/// What there is, and what was asked.
#[derive(Debug)]
pub(crate) struct Account {
    /// Rights that whoever asks lacks; all others they have.
    pub(crate) denied: BTreeSet<String>,
    /// Where given, the only rights they have.
    pub(crate) allowed: Option<BTreeSet<String>>,
    /// Every action that was asked for.
    pub(crate) asked: BTreeSet<String>,
    pub(crate) recovery: bool,
    pub(crate) secrets: BTreeMap<String, String>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) outputs: BTreeMap<String, String>,
    /// Who is mailed, with the ARN of the subscription or what AWS has in its place.
    pub(crate) mailed: Vec<(String, String)>,
    /// Whether the app is in the control room.
    pub(crate) is_in_room: bool,
}

/// The account, while it answers.
pub(crate) struct Aws {
    account: Arc<Mutex<Account>>,
    pub(crate) database: Database,
    url: String,
    // Where it answers.
    _runtime: tokio::runtime::Runtime,
}

impl Aws {
    /// An account in which all is well.
    pub(crate) fn start() -> Self {
        let template = Template::parse(include_str!("../../../../template.yaml")).unwrap();
        let database = Database::memory().unwrap();
        table::ensure(&database, TABLE, &template.table).unwrap();
        let texts = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let account = Arc::new(Mutex::new(Account {
            denied: BTreeSet::new(),
            allowed: None,
            asked: BTreeSet::new(),
            recovery: true,
            secrets: texts(&[
                ("flock/keyring", r#"{"current":"k1","k1":"0123456789012345678901234567890123"}"#),
                ("flock/x", r#"{"consumer_key":"k","consumer_secret":"s"}"#),
                ("flock/slack", r#"{"signing_secret":"s","bot_token":"xoxb-1"}"#),
            ]),
            parameters: texts(&[
                ("AlarmEmail", "ada@example.com"),
                ("FirstOwner", ""),
                ("SlackRoom", "C0CONTROL"),
                ("TableDeletionProtection", "true"),
            ]),
            outputs: texts(&[
                ("TableName", TABLE),
                ("KeyringName", "flock/keyring"),
                ("XAppName", "flock/x"),
                ("KeysUrl", "https://keys.example/keys"),
                ("SlackAppName", "flock/slack"),
                ("AlarmTopicArn", TOPIC),
            ]),
            mailed: vec![("ada@example.com".to_owned(), format!("{TOPIC}:1"))],
            is_in_room: true,
        }));
        let router = table::router(database.clone())
            .layer(middleware::from_fn_with_state(Arc::clone(&account), door));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        let aws = Self { account, database, url, _runtime: runtime };
        aws.protect(true);
        aws
    }

    pub(crate) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap()
    }

    /// The environment that leads here, with nothing that says who asks.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("SLACK_URL", format!("{}/slack", self.url)),
        ]
    }

    /// Turns the table's deletion protection on or off.
    pub(crate) fn protect(&self, is_on: bool) {
        let request = json!({ "TableName": TABLE, "DeletionProtectionEnabled": is_on });
        self.database.update_table(serde_json::from_value(request).unwrap()).unwrap();
    }

    /// Turns the expiry of items off, as it is after the table was restored.
    pub(crate) fn keep_for_ever(&self) {
        let request = json!({
            "TableName": TABLE,
            "TimeToLiveSpecification": { "AttributeName": "ttl", "Enabled": false },
        });
        self.database.update_time_to_live(serde_json::from_value(request).unwrap()).unwrap();
    }
}

/// Answers what the table does not, and nobody who may not ask.
async fn door(
    State(account): State<Arc<Mutex<Account>>>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let text = |name: &str| {
        head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let path = head.uri.path();
    if let Some(method) = path.strip_prefix("/slack/") {
        return slack(&account.lock().unwrap(), method, &text("authorization"));
    }
    if path == "/federation/credentials" {
        return sso(&text("x-amz-sso_bearer_token"));
    }
    let target = text("x-amz-target");
    let fields: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let action = match target.split_once('.') {
        // It wants the rights of what is in it: all of them are puts, or all removals (AWS, "Using IAM with DynamoDB transactions",
        // 2026-11).
        Some(("DynamoDB_20120810", "TransactWriteItems")) => {
            let asked: Value = serde_json::from_slice(&body).unwrap();
            let is_removal = asked["TransactItems"][0]["Delete"].is_object();
            format!("dynamodb:{}", if is_removal { "DeleteItem" } else { "PutItem" })
        }
        Some(("DynamoDB_20120810", name)) => format!("dynamodb:{name}"),
        Some((service, name)) => format!("{service}:{name}"),
        None => {
            let service = match fields.get("Version").map(String::as_str) {
                Some("2010-05-15") => "cloudformation",
                Some("2010-03-31") => "sns",
                _ => "sts",
            };
            format!("{service}:{}", fields.get("Action").cloned().unwrap_or_default())
        }
    };
    let answered = {
        let mut account = account.lock().unwrap();
        account.asked.insert(action.clone());
        // Everybody may ask who they are.
        let is_allowed = action == "sts:GetCallerIdentity"
            || !account.denied.contains(&action)
                && account.allowed.as_ref().is_none_or(|allowed| allowed.contains(&action));
        if !text("authorization").contains(&format!("Credential={KEY_ID}/")) {
            Some(refused(&action, "UnrecognizedClientException", "The security token is invalid."))
        } else if !is_allowed {
            let said = format!(
                "User: arn:aws:iam::012345678901:user/ada is not authorized to perform: {action}"
            );
            let code = match action.split_once(':') {
                Some(("sns", _)) => "AuthorizationError",
                Some(("cloudformation", _)) => "AccessDenied",
                _ => "AccessDeniedException",
            };
            Some(refused(&action, code, &said))
        } else {
            account.answer(&action, &fields, &body)
        }
    };
    match answered {
        Some(response) => response,
        None => next.run(Request::from_parts(head, Body::from(body))).await,
    }
}

impl Account {
    fn answer(
        &mut self,
        action: &str,
        fields: &BTreeMap<String, String>,
        body: &[u8],
    ) -> Option<Response> {
        let asked = || serde_json::from_slice::<Value>(body).unwrap_or_default();
        Some(match action {
            "dynamodb:DescribeContinuousBackups" => {
                let status = if self.recovery { "ENABLED" } else { "DISABLED" };
                axum::Json(json!({ "ContinuousBackupsDescription": {
                    "ContinuousBackupsStatus": "ENABLED",
                    "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": status },
                } }))
                .into_response()
            }
            "dynamodb:UpdateContinuousBackups" => {
                let asked = asked();
                let wanted = &asked["PointInTimeRecoverySpecification"];
                self.recovery = wanted["PointInTimeRecoveryEnabled"] == true;
                axum::Json(json!({})).into_response()
            }
            "secretsmanager:GetSecretValue" => {
                let name = asked()["SecretId"].as_str().unwrap_or_default().to_owned();
                match self.secrets.get(&name) {
                    Some(text) => {
                        axum::Json(json!({ "Name": name, "ARN": name, "SecretString": text }))
                            .into_response()
                    }
                    None => refused(action, "ResourceNotFoundException", "It has no value."),
                }
            }
            "secretsmanager:PutSecretValue" => {
                let asked = asked();
                let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
                let name = text("SecretId");
                match self.secrets.get_mut(&name) {
                    Some(there) => {
                        *there = text("SecretString");
                        axum::Json(json!({ "Name": name, "ARN": name })).into_response()
                    }
                    None => refused(action, "ResourceNotFoundException", "It is not there."),
                }
            }
            "sts:GetCallerIdentity" => {
                xml("GetCallerIdentity", "<Arn>arn:aws:iam::012345678901:user/ada</Arn>")
            }
            "cloudformation:DescribeStacks" => {
                let name = fields.get("StackName").cloned().unwrap_or_default();
                if name != STACK {
                    let said = format!("Stack with id {name} does not exist");
                    return Some(refused(action, "ValidationError", &said));
                }
                let list = |kind: &str, of: &BTreeMap<String, String>| {
                    let members = of.iter().map(|(key, value)| {
                        format!("<member><{kind}Key>{key}</{kind}Key><{kind}Value>{value}</{kind}Value></member>")
                    });
                    format!("<{kind}s>{}</{kind}s>", members.collect::<String>())
                };
                let stack = format!(
                    "<Stacks><member><StackName>{STACK}</StackName><CreationTime>2026-11-27T00:00:00Z</CreationTime>\
                     <StackStatus>CREATE_COMPLETE</StackStatus>{}{}</member></Stacks>",
                    list("Parameter", &self.parameters),
                    list("Output", &self.outputs),
                );
                xml("DescribeStacks", &stack)
            }
            "sns:ListSubscriptionsByTopic" => {
                let members = self.mailed.iter().map(|(address, arn)| {
                    format!(
                        "<member><TopicArn>{TOPIC}</TopicArn><Protocol>email</Protocol><Owner>012345678901</Owner>\
                         <SubscriptionArn>{arn}</SubscriptionArn><Endpoint>{address}</Endpoint></member>"
                    )
                });
                let members: String = members.collect();
                xml(
                    "ListSubscriptionsByTopic",
                    &format!("<Subscriptions>{members}</Subscriptions>"),
                )
            }
            // The table itself.
            _ => return None,
        })
    }
}

fn xml(name: &str, content: &str) -> Response {
    let text = format!("<{name}Response><{name}Result>{content}</{name}Result></{name}Response>");
    ([(header::CONTENT_TYPE, "text/xml")], text).into_response()
}

/// As each service refuses: two of them in XML.
fn refused(action: &str, code: &str, said: &str) -> Response {
    let is_xml = ["sns:", "cloudformation:", "sts:"].iter().any(|start| action.starts_with(start));
    if is_xml {
        let text = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message></Error></ErrorResponse>"
        );
        return (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "text/xml")], text).into_response();
    }
    (StatusCode::BAD_REQUEST, axum::Json(json!({ "__type": code, "message": said })))
        .into_response()
}

/// The portal of `aws sso login`, which gives whoever has its token the credentials of a role.
fn sso(token: &str) -> Response {
    if token != SSO_TOKEN {
        let said = json!({ "message": "Session token not found or invalid" });
        return (
            StatusCode::UNAUTHORIZED,
            [("x-amzn-errortype", "UnauthorizedException")],
            axum::Json(said),
        )
            .into_response();
    }
    axum::Json(json!({ "roleCredentials": {
        "accessKeyId": KEY_ID, "secretAccessKey": "secret", "sessionToken": "session",
        "expiration": 4_102_444_800_000_u64,
    } }))
    .into_response()
}

fn slack(account: &Account, method: &str, authorization: &str) -> Response {
    let answer = match method {
        _ if authorization != format!("Bearer {BOT_TOKEN}") => {
            json!({ "ok": false, "error": "invalid_auth" })
        }
        "auth.test" => {
            json!({ "ok": true, "user": "flockwork", "team": "Shepherds", "user_id": "U0BOT" })
        }
        "conversations.info" => json!({ "ok": true, "channel": {
            "id": "C0CONTROL", "name": "control", "is_member": account.is_in_room,
        } }),
        _ => json!({ "ok": false, "error": "unknown_method" }),
    };
    axum::Json(answer).into_response()
}
