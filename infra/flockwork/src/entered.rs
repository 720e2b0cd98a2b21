//! What has to be entered at networks before accounts can be connected there.

use flock_aws::Secrets;
use flock_core::{AccountId, Network, Sheep};
use flock_net::XApp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use crate::{
    connect::Connection, data_dir::DataDir, doctor::Finding, local_secrets::X_APP, stack::Stack,
};

/// Where a run answers that was given no other address.
const USUAL_KEYS_URL: &str = "http://127.0.0.1:4280/keys";

/// What a place tells networks.
pub(crate) struct Place {
    /// Where people sign in; none where the stack does not say it.
    keys_url: Option<String>,
    /// What is in the secret of the X app, as far as it can be read.
    app: Option<SecretString>,
}

impl Place {
    /// This machine.
    pub(crate) async fn of_machine(connection: &Connection, served: &std::path::Path) -> Self {
        let run = DataDir::served_at(served).ok().flatten();
        let keys_url = run.and_then(|run| run.environment.get("KEYS_URL").cloned());
        let app = match connection.secrets.get(X_APP) {
            Some(app) => Some(SecretString::from(app.clone())),
            None => Secrets::new(&connection.aws).get(X_APP).await.ok(),
        };
        Self { keys_url: Some(keys_url.unwrap_or_else(|| USUAL_KEYS_URL.to_owned())), app }
    }

    /// A deployment.
    pub(crate) async fn of_stack(secrets: &Secrets, stack: &Stack) -> Self {
        let app = match stack.output("XAppName") {
            Some(name) => secrets.get(name).await.ok(),
            None => None,
        };
        Self { keys_url: stack.output("KeysUrl").map(ToOwned::to_owned), app }
    }

    /// What is to be entered, for these `sheep` and `accounts`, or for those that are to come where there is no sheep yet.
    pub(crate) fn to_enter(&self, sheep: &[Sheep], accounts: &[AccountId]) -> Vec<Finding> {
        let is_on = |network: Network| {
            let posting = sheep.iter().map(|sheep| &sheep.config.account);
            sheep.is_empty() || posting.chain(accounts).any(|account| account.network == network)
        };
        let mut findings = Vec::new();
        findings.extend(is_on(Network::X).then(|| Finding::Note(self.at_x())));
        if is_on(Network::Mastodon) || is_on(Network::Bluesky) {
            findings.push(Finding::Note(
                "on Mastodon and Bluesky nothing has to be entered beforehand: on Mastodon an app is made for each sign-in, \
                 on Bluesky whoever signs in makes an app password"
                    .to_owned(),
            ));
        }
        findings
    }

    /// As X's developer console calls it (docs.x.com, "Apps", "App permissions" and "Callback URLs", 2026-08).
    fn at_x(&self) -> String {
        let callback = match &self.keys_url {
            Some(url) => format!("{}/callback, exactly so", url.trim_end_matches('/')),
            None => "the stack's output `KeysUrl` with /callback after it; deploy it anew, since it has none"
                .to_owned(),
        };
        let lacks = self.app.as_ref().map(lacking).unwrap_or_default();
        let lacks = match &*lacks {
            [] => String::new(),
            fields => format!(
                ". Of its \"Keys and tokens\" the secret of the X app lacks {}: `consumer_*` are the API key and its secret \
                 for OAuth 1.0a, `client_*` the client ID and its secret for OAuth 2.0, and one pair is enough",
                fields.join(", ")
            ),
        };
        format!(
            "on X an app is wanted (console.x.com): in its \"User authentication settings\" choose \"Read and write\" and \
             \"Web App, Automated App or Bot\", a confidential client, and enter as callback address, for OAuth 1.0a and \
             OAuth 2.0 alike, {callback}{lacks}"
        )
    }
}

/// The fields that the secret of the X app does not have, where it has no pair.
fn lacking(app: &SecretString) -> Vec<&'static str> {
    let has_pair = |app: XApp| Network::X.ways().iter().any(|way| app.has(*way));
    if XApp::read(app).is_ok_and(has_pair) {
        return Vec::new();
    }
    let fields: Map<String, Value> = serde_json::from_str(app.expose_secret()).unwrap_or_default();
    let has = |name: &&str| fields.get(*name).is_some_and(|value| !value.is_null() && value != "");
    XApp::FIELDS.into_iter().filter(|name| !has(name)).collect()
}
