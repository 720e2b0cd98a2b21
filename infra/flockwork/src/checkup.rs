//! What of a deployment can be looked at from outside: the table's keys and safeguards, the stack's secrets, its Slack and who is
//! mailed. Each is looked at for itself: what whoever asks has no right to look at is a note that names the right.

use std::fmt::Display;

use aws_sdk_dynamodb::{
    Client,
    types::{IndexStatus, KeySchemaElement, KeyType, TableDescription, TableStatus},
};
use flock_aws::{Keyring, SdkConfig, Secrets, Wire};
use flock_core::RoomId;
use flock_net::XApp;
use flock_slack::{SlackApi, SlackError};
use local_cloud::template::{Attribute, TableDefinition, TableKey};
use secrecy::{ExposeSecret as _, SecretString};
use slash_command::SlackSecret;

use crate::{
    connect::Connection,
    deployed::{Failure, READ_SECRET, other_keys},
    doctor::Finding,
    operator::noted,
    safeguards::{Safeguard, State},
    stack::Stack,
};

/// What Slack's secret has in the place of the bot's token until somebody fills it in; so the template has it.
const NO_TOKEN: &str = "not-set";

/// What is in the secret of the X app at least; [`XApp`] knows all that may be.
pub(crate) const X_APP_CONTENT: &str = r#"{"consumer_key":"...","consumer_secret":"..."}"#;

/// What is in the secret of the Slack app.
const SLACK_CONTENT: &str = r#"{"signing_secret":"...","bot_token":"xoxb-..."}"#;

/// A deployment that is looked at.
pub(crate) struct Checkup<'a> {
    /// The table with the credentials of this shell.
    pub(crate) aws: &'a SdkConfig,
    /// The table's name.
    pub(crate) table: &'a str,
    /// The table as the template has it.
    pub(crate) definition: &'a TableDefinition,
    /// The stack's name, where somebody says it.
    pub(crate) stack: Option<&'a str>,
    /// How a command begins that is about the same place.
    pub(crate) program: &'a str,
    /// Whether a sheep is on X; unknown where nobody may read the table.
    pub(crate) is_on_x: Option<bool>,
}

/// What cannot be looked at for want of the right `right`, or for another reason.
pub(crate) fn unseen(what: impl Display, right: &str, failure: &Failure) -> Finding {
    match failure {
        Failure::Denied => Finding::Note(format!(
            "{what} was not looked at, because at AWS you lack the right {right}, which the policy has that is the \
             stack's output `OperatorPolicyArn`"
        )),
        failure => Finding::Fault(format!("{what} cannot be looked at ({failure}); try again")),
    }
}

impl Checkup<'_> {
    /// The table's keys and safeguards. With `mend` what is off is turned on, and is in the audit log.
    pub(crate) async fn the_table(
        &self,
        stack: Option<&Stack>,
        mend: Option<&Connection>,
    ) -> Vec<Finding> {
        let client = Client::new(self.aws);
        let asked = client.describe_table().table_name(self.table).send().await;
        let (described, failure) = match asked {
            Ok(found) => (found.table, None),
            Err(err) => (None, Some(Failure::of(&err))),
        };
        // What another program's table lacks is not ours to say.
        if described.as_ref().is_some_and(|table| !self.is_ours(table)) {
            return vec![Finding::Fault(other_keys(self.table))];
        }
        let mut findings = Vec::new();
        findings.extend(described.as_ref().map(|table| self.the_keys(table)));
        // Keys called `pk` and `sk` are many a program's: what is not whole is not changed.
        let is_whole = described.is_none() || matches!(findings[..], [Finding::Good(_)]);
        let mend = mend.filter(|_| is_whole);
        if let Some(failure) = failure {
            let what = format!("whether the table {} has its keys and its index", self.table);
            findings.push(unseen(what, Safeguard::Protection.right_to_look(), &failure));
        }
        let Some(ttl) = self.definition.ttl_attribute.as_deref() else { return findings };
        for safeguard in Safeguard::ALL {
            // Said once, above.
            if safeguard == Safeguard::Protection && described.is_none() {
                continue;
            }
            let state = safeguard.look(&client, self.table, ttl, described.as_ref()).await;
            // Who has turned it off has said so; and who sees no stack cannot know.
            let wanted = stack.map(|stack| stack.parameter("TableDeletionProtection"));
            let is_meant = safeguard == Safeguard::Protection && wanted == Some(Some("false"));
            let is_unknown = safeguard == Safeguard::Protection && wanted.is_none();
            let name = safeguard.name();
            findings.push(match (state, mend) {
                (Ok(State::On), _) => Finding::Good(format!("{name} is on")),
                (Ok(State::Off), _) if is_meant => Finding::Note(format!(
                    "{name} is off, as the stack's parameter TableDeletionProtection says; turn it on with {}",
                    deploy_with("TableDeletionProtection=true")
                )),
                (Ok(State::Off), Some(_)) if is_unknown => Finding::Note(format!(
                    "{name} is off, and left so, because the stack is not seen that may want it off; `{} doctor --mend --stack \
                     NAME` turns it on",
                    self.program
                )),
                (Ok(State::Off), Some(connection)) => {
                    self.mend(safeguard, &client, ttl, connection).await
                }
                (Ok(State::Off), None) => Finding::Fault(format!(
                    "{name} is off, so {}; `{} doctor --mend` turns it on",
                    safeguard.without(),
                    self.program
                )),
                (Ok(State::Stuck(why)), _) => Finding::Fault(format!(
                    "{name} is not as it should be: {why} `{} doctor --mend` turns it on",
                    self.program
                )),
                (Err(failure), _) => unseen(name, safeguard.right_to_look(), &failure),
            });
        }
        findings
    }

    async fn mend(
        &self,
        safeguard: Safeguard,
        client: &Client,
        ttl: &str,
        connection: &Connection,
    ) -> Finding {
        let name = safeguard.name();
        let line = format!("doctor --mend: turns on {name} of {}", self.table);
        let mended = noted(connection, line, async |_| {
            safeguard.turn_on(client, self.table, ttl).await.map_err(|failure| {
                let right = safeguard.right_to_mend();
                flock_ops::Error::Failed(match failure {
                    Failure::Denied => anyhow::anyhow!("at AWS you lack the right {right}"),
                    failure => anyhow::Error::new(failure),
                })
            })
        });
        match mended.await {
            Ok(()) => Finding::Good(format!("{name} was off, and is on now")),
            Err(err) => Finding::Fault(format!(
                "{name} is off and could not be turned on ({err:#}); put that right, and give the command again"
            )),
        }
    }

    /// Whether the table is one of ours.
    fn is_ours(&self, found: &TableDescription) -> bool {
        Self::is_key(found, found.key_schema.as_deref(), &self.definition.key)
    }

    /// Whether the table is ready, and has what is due in an index.
    fn the_keys(&self, found: &TableDescription) -> Finding {
        let table = self.table;
        if found.table_status != Some(TableStatus::Active) {
            let status = found.table_status.as_ref().map_or("unknown", TableStatus::as_str);
            return Finding::Note(format!(
                "the table {table} is in the state {status}; look again in some minutes"
            ));
        }
        let definition = self.definition;
        for index in &definition.indexes {
            let indexes = found.global_secondary_indexes.as_deref().unwrap_or_default();
            let there = indexes.iter().find(|there| there.index_name() == Some(&index.name));
            match there {
                Some(there) if !Self::is_key(found, there.key_schema.as_deref(), &index.key) => {
                    return Finding::Fault(format!(
                        "the index {} of {table} has other keys than the template's; delete it with `aws dynamodb update-table \
                         --table-name {table} --global-secondary-index-updates '[{{\"Delete\":{{\"IndexName\":\"{}\"}}}}]'`, and \
                         look again",
                        index.name, index.name
                    ));
                }
                Some(there) if there.index_status == Some(IndexStatus::Creating) => {
                    return Finding::Note(format!(
                        "AWS is building the index {} of {table}, and nothing is posted until it is there; look again \
                         in some minutes",
                        index.name
                    ));
                }
                Some(_) => {}
                None => {
                    return Finding::Fault(format!(
                        "the table {table} has no index {}, so nothing is found that is due; make it with `{}`",
                        index.name,
                        self.make_index(index)
                    ));
                }
            }
        }
        Finding::Good(format!("the table {table} has its keys and its index"))
    }

    fn is_key(
        found: &TableDescription,
        schema: Option<&[KeySchemaElement]>,
        key: &TableKey,
    ) -> bool {
        let schema = schema.unwrap_or_default();
        let is_part = |kind: &KeyType, attribute: &Attribute| {
            let typed = found.attribute_definitions().iter().any(|known| {
                known.attribute_name() == attribute.name
                    && known.attribute_type().as_str() == attribute.kind.as_str()
            });
            typed
                && schema
                    .iter()
                    .any(|part| part.attribute_name() == attribute.name && part.key_type() == kind)
        };
        schema.len() == 1 + usize::from(key.range.is_some())
            && is_part(&KeyType::Hash, &key.hash)
            && key.range.as_ref().is_none_or(|range| is_part(&KeyType::Range, range))
    }

    /// The command that makes an index which a restored table lacks.
    fn make_index(&self, index: &local_cloud::template::Index) -> String {
        let key = &index.key;
        let parts = || {
            std::iter::once((&key.hash, "HASH"))
                .chain(key.range.iter().map(|range| (range, "RANGE")))
        };
        let attributes: Vec<_> = parts()
            .map(|(part, _)| {
                format!("AttributeName={},AttributeType={}", part.name, part.kind.as_str())
            })
            .collect();
        let schema: Vec<_> = parts()
            .map(|(part, kind)| {
                format!("{{\"AttributeName\":\"{}\",\"KeyType\":\"{kind}\"}}", part.name)
            })
            .collect();
        format!(
            "aws dynamodb update-table --table-name {} --attribute-definitions {} --global-secondary-index-updates \
             '[{{\"Create\":{{\"IndexName\":\"{}\",\"KeySchema\":[{}],\"Projection\":{{\"ProjectionType\":\"{}\"}}}}}}]'",
            self.table,
            attributes.join(" "),
            index.name,
            schema.join(","),
            index.projection.as_str(),
        )
    }

    /// The stack that works on the table.
    pub(crate) async fn the_stack(&self) -> (Option<Stack>, Finding) {
        let Self { table, program, .. } = *self;
        let Some(name) = self.stack.or_else(|| Stack::of_table(table)) else {
            let said = format!(
                "the secrets, Slack and the alarms were not looked at, because the table's name does not tell the stack: \
                 `{program} doctor --stack NAME`"
            );
            return (None, Finding::Note(said));
        };
        match Stack::find(self.aws, name).await {
            Ok(stack) if stack.output("TableName").is_some_and(|its| its != table) => {
                let its = stack.output("TableName").unwrap_or_default();
                let said = format!(
                    "the stack {name} works on the table {its}, not on {table}; say which stack does with `--stack NAME`, or let \
                     this one, with {}",
                    deploy_with(&format!("ExistingTable={table}"))
                );
                (None, Finding::Fault(said))
            }
            Ok(stack) if stack.output("TableName").is_none() => {
                let said = format!(
                    "the stack {name} is in the state {} and works on no table; see what its events say at AWS, and deploy it anew",
                    stack.status
                );
                (None, Finding::Fault(said))
            }
            Ok(stack) => {
                let said = format!("the stack {} works on it", stack.name);
                (Some(stack), Finding::Good(said))
            }
            Err(Failure::Missing) => {
                let said = format!(
                    "there is no stack {name} in this region of the AWS account, so nothing works on the table; say which \
                     does: `{program} doctor --stack NAME`"
                );
                (None, Finding::Fault(said))
            }
            Err(failure) => {
                let what = format!("the stack {name}, and so its secrets, Slack and alarms,");
                (None, unseen(what, Stack::RIGHT, &failure))
            }
        }
    }

    /// The secrets, and what they open.
    pub(crate) async fn the_secrets(&self, stack: &Stack) -> Vec<Finding> {
        let secrets = &Secrets::new(self.aws);
        let mut findings = vec![keyring(secrets, stack).await];
        // Otherwise nobody needs it.
        if self.is_on_x == Some(true) {
            findings.push(x_app(secrets, stack).await);
        }
        findings.extend(slack(secrets, stack).await);
        findings
    }

    /// Who is told by AWS.
    pub(crate) async fn the_alarms(&self, stack: &Stack) -> Finding {
        const RIGHT: &str = "sns:ListSubscriptionsByTopic";
        let (Some(address), Some(topic)) =
            (stack.parameter("AlarmEmail"), stack.output("AlarmTopicArn"))
        else {
            return Finding::Note(format!(
                "alarms are mailed to nobody; have them mailed with {}",
                deploy_with("AlarmEmail=ADDRESS")
            ));
        };
        let sns = aws_sdk_sns::Client::new(self.aws);
        let asked = sns.list_subscriptions_by_topic().topic_arn(topic).send().await;
        let subscriptions = match asked {
            Ok(answer) => answer.subscriptions.unwrap_or_default(),
            Err(err) => return unseen("who is mailed alarms", RIGHT, &Failure::of(&err)),
        };
        // Until its owner says yes, a subscription has a word in the place of its ARN (AWS, "`Subscribe`", 2026-11).
        let is_confirmed = subscriptions.iter().any(|subscription| {
            subscription.endpoint() == Some(address)
                && subscription.subscription_arn().is_some_and(|arn| arn.starts_with("arn:"))
        });
        if is_confirmed {
            return Finding::Good(format!("alarms are mailed to {address}"));
        }
        Finding::Fault(format!(
            "{address} has not said yes to alarms, so none is mailed: follow the link in the mail of AWS there, which is sent anew by \
             `aws sns subscribe --topic-arn {topic} --protocol email --notification-endpoint {address}`"
        ))
    }
}

/// The text of the secret that is the stack's output `output`, or what is to be said.
async fn text(
    secrets: &Secrets,
    stack: &Stack,
    output: &str,
    what: &str,
) -> Result<(String, SecretString), Finding> {
    let Some(name) = stack.output(output) else {
        return Err(Finding::Note(format!(
            "{what} was not looked at, because the stack {} has no output `{output}`; deploy it anew: `sam build && sam \
             deploy`",
            stack.name
        )));
    };
    let failure = match secrets.get(name).await {
        Ok(text) => return Ok((name.to_owned(), text)),
        Err(err) => Failure::of_secret(&err),
    };
    Err(match failure {
        Failure::Missing => Finding::Fault(format!(
            "{what}, the secret {name}, has nothing in it, or is gone: put back a copy with `aws secretsmanager \
             put-secret-value --secret-id {name} --secret-string file://secret.json`"
        )),
        failure => unseen(format!("{what}, the secret {name},"), READ_SECRET, &failure),
    })
}

/// How a setting of a stack is changed. On a command line it would be undone by the next deployment (AWS, "AWS SAM CLI configuration
/// file", 2026-11).
fn deploy_with(setting: &str) -> String {
    format!("{setting} in `parameter_overrides` of its samconfig.toml, then `sam deploy`")
}

/// How a secret is filled in.
pub(crate) fn fill(name: &str, content: &str) -> String {
    format!(
        "put {content} into secret.json, then `aws secretsmanager put-secret-value --secret-id {name} --secret-string \
         file://secret.json`"
    )
}

async fn keyring(secrets: &Secrets, stack: &Stack) -> Finding {
    let (name, text) = match text(secrets, stack, "KeyringName", "the keyring").await {
        Ok(found) => found,
        Err(finding) => return finding,
    };
    match Keyring::parse(&text) {
        Ok(_) => Finding::Good("the keyring can be read".to_owned()),
        Err(_) => Finding::Fault(format!(
            "the secret {name} is no keyring, so no account can post: put back what it was with `aws secretsmanager \
             update-secret-version-stage --secret-id {name} --version-stage AWSCURRENT --move-to-version-id ID \
             --remove-from-version-id ID`, where `aws secretsmanager list-secret-version-ids --secret-id {name}` names \
             both"
        )),
    }
}

async fn x_app(secrets: &Secrets, stack: &Stack) -> Finding {
    let (name, text) = match text(secrets, stack, "XAppName", "the keys of the X app").await {
        Ok(found) => found,
        Err(finding) => return finding,
    };
    if XApp::read(&text).is_ok() {
        return Finding::Good("the keys of the X app are there".to_owned());
    }
    Finding::Fault(format!(
        "the keys of the X app are not filled in, so nothing is posted there: {}",
        fill(&name, X_APP_CONTENT)
    ))
}

async fn slack(secrets: &Secrets, stack: &Stack) -> Vec<Finding> {
    let room = stack.parameter("SlackRoom");
    let (name, text) = match text(secrets, stack, "SlackAppName", "the keys of the Slack app").await
    {
        Ok(found) => found,
        Err(finding) => return vec![finding],
    };
    let token = match SlackSecret::parse(&text) {
        Ok(secret) if secret.bot_token.expose_secret() != NO_TOKEN => secret.bot_token,
        Ok(_) | Err(_) => {
            let said = format!(
                "the keys of the Slack app are not filled in, so Slack is refused: {}",
                fill(&name, SLACK_CONTENT)
            );
            // Who wants a room to be told wants Slack.
            let is_wanted = room.is_some() || stack.parameter("FirstOwner").is_some();
            return vec![if is_wanted { Finding::Fault(said) } else { Finding::Note(said) }];
        }
    };
    let url = flock_aws::from_env(|variables| variables.given("SLACK_URL")).unwrap_or_default();
    let api = SlackApi::new(url, Wire::default());
    let mut findings = Vec::new();
    match api.identity(&token).await {
        Ok(us) => findings
            .push(Finding::Good(format!("Slack knows the app as @{} of {}", us.bot, us.workspace))),
        Err(SlackError::Token(code)) => {
            let how = fill(&name, SLACK_CONTENT);
            let said = format!("Slack does not accept the bot token ({code}): {how}");
            return vec![Finding::Fault(said)];
        }
        Err(err) => return vec![Finding::Fault(err.to_string())],
    }
    findings.push(control_room(&api, &token, room).await);
    findings
}

async fn control_room(api: &SlackApi, token: &SecretString, room: Option<&str>) -> Finding {
    let Some(room) = room.and_then(|room| room.parse::<RoomId>().ok()) else {
        return Finding::Note(format!(
            "there is no control room, so nobody is told in Slack what stops; make one with {}",
            deploy_with("SlackRoom=ID")
        ));
    };
    match api.room(token, &room).await {
        Ok(Some(found)) if found.has_us => {
            Finding::Good(format!("the app is in the control room, #{}", found.name))
        }
        Ok(found) => {
            let name = found.map_or(room.to_string(), |found| format!("#{}", found.name));
            Finding::Fault(format!(
                "the app is not in the control room, {name}, so nobody is told what stops: type `/invite @flockwork` there"
            ))
        }
        Err(err) => Finding::Fault(err.to_string()),
    }
}
