//! Accounts of other networks: adds them, once their networks have said whose the keys are, and shows them.

use std::path::Path;

use anyhow::anyhow;
use flock_aws::{Keyring, Secrets};
use flock_core::{AccountFacts, AccountId, Action, Can, Network};
use flock_net::{Account, FailureKind, Key, Networks, NewKey};
use flock_store::{AccountItem, Store};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    cli::{AddAccount, Place},
    connect::{Connection, connect, read_template},
    files::{self, WRITTEN_BY_HAND},
    functions,
    guard::broken_by_account,
    local_secrets::{KEYRING, X_APP},
    refusal::refuse,
};

/// Asks the network about the account, and stores what it says with the sealed key. Says what came of it.
pub async fn add(place: &Place, options: &AddAccount) -> anyhow::Result<String> {
    let AddAccount { account: id, key: file, mark_as_bot, .. } = options;
    let shown = file.display();
    let new = read_key(id, file)?;
    let settings =
        functions::network_settings(&read_template(place)?, options.networks_on_loopback)?;
    let connection = connect(place).await?;
    let safe = Safe::open(place, &connection, options).await?;
    let app = safe.x_app(id.network, &new).await?;
    let account = Account::from_key_file(id.clone(), &new, app.as_ref())
        .map_err(|err| refuse(format!("{shown}: {err:#}")))?;
    let networks = Networks::new(connection.store.clone(), &settings, &connection.clock);
    let failed = |failure: flock_net::Failure| {
        let again = match failure.kind {
            FailureKind::NotThisText(_) | FailureKind::Refused(_) => "",
            FailureKind::TryAgain { .. } | FailureKind::Unknown => "; try again later",
        };
        refuse(format!("{id} is not added: {failure}{again}"))
    };
    let checked = networks.check(&account).await.map_err(failed)?;
    if !new.remote_user.is_empty() && new.remote_user != checked.remote_user {
        return Err(refuse(format!(
            "{id} is not added: the key is that of the user {}, but {shown} says {}; correct its user_id, or \
             take the key of that user",
            checked.remote_user, new.remote_user
        )));
    }
    safe.keep_x_app(&new)?;
    let mut item = AccountItem {
        remote_user: checked.remote_user,
        url: new.url,
        facts: checked.facts,
        sealed_key: safe.keyring.seal(id, &new.key),
        sealed_session: checked.session.map(|session| safe.keyring.seal(id, &session)),
    };
    connection.store.put_account(id, item.clone()).await?;
    if *mark_as_bot && !item.facts.labelled {
        let account = Account::from_item(id, item.clone(), safe.keyring, app.as_ref())?;
        networks.mark_as_bot(&account).await.map_err(|failure| {
            // No refusal: something has changed.
            anyhow!(
                "{id} is added, but could not be marked as a bot: {failure}; mark it in its settings on the \
                 network, then add it again"
            )
        })?;
        item.facts.labelled = true;
        connection.store.label_account(id).await?;
    }
    let may_not = broken_by_account(id.network, &item.facts);
    let mut lines = match may_not.as_slice() {
        [] => vec![format!("{id} can post now. Delete {shown}.")],
        [_, ..] => vec![format!("{id} is added. Delete {shown}. But it must not post yet:")],
    };
    lines.extend(may_not.into_iter().map(|why| format!("  {why}")));
    Ok(lines.join("\n"))
}

/// Reads the key file of the account `id`.
fn read_key(id: &AccountId, file: &Path) -> anyhow::Result<NewKey> {
    let shown = file.display();
    let text = files::read_text(file, WRITTEN_BY_HAND).map(SecretString::from);
    let text = text.map_err(|err| refuse(format!("cannot read the key file {shown}: it {err}")))?;
    Key::read_file(id, &text).map_err(|problem| refuse(format!("{shown}: {problem}")))
}

/// Where secrets are while an account is added.
struct Safe<'a> {
    connection: &'a Connection,
    /// The keyring of the place.
    keyring: Keyring,
    /// Secrets Manager; none where this process holds the secrets itself.
    secrets: Option<Secrets>,
    /// The name of the X app's secret, where somebody has to say it.
    x_app: Option<String>,
}

impl<'a> Safe<'a> {
    async fn open(
        place: &Place,
        connection: &'a Connection,
        options: &AddAccount,
    ) -> anyhow::Result<Self> {
        let is_ours = connection.data_dir.is_some();
        let secrets = (!is_ours).then(|| Secrets::new(&connection.aws));
        let (keyring, x_app) = if place.aws {
            let name = options.keyring.clone().ok_or_else(|| {
                refuse(
                    "on a deployed table say which keyring seals the key: --keyring NAME (output \
                     `KeyringName` of the stack)",
                )
            })?;
            (name, options.x_app.clone())
        } else {
            (KEYRING.to_owned(), Some(X_APP.to_owned()))
        };
        let text = match &secrets {
            Some(secrets) => secrets.get(&keyring).await?,
            None => held(connection, &keyring)?,
        };
        Ok(Self { connection, keyring: Keyring::parse(&text)?, secrets, x_app })
    }

    /// The credentials of the app, for a network that has apps.
    async fn x_app(&self, network: Network, new: &NewKey) -> anyhow::Result<Option<SecretString>> {
        if !network.facts().has_app {
            return Ok(None);
        }
        let known = match (&self.secrets, &self.x_app) {
            (None, _) => Some(held(self.connection, X_APP)?),
            (Some(secrets), Some(name)) => Some(secrets.get(name).await?),
            (Some(_), None) => None,
        };
        let known = known.filter(is_app);
        let Some(app) = &new.app else {
            return known.map(Some).ok_or_else(|| self.asks_for_app());
        };
        if self.is_of_a_run() && !known.is_some_and(|known| is_same(app, &known)) {
            return Err(refuse(
                "the app's consumer_key and consumer_secret are new here, and a running `flockwork run` \
                 keeps to those it started with: stop it, add the account and start it again",
            ));
        }
        Ok(Some(app.clone()))
    }

    /// What is said where nobody knows the app.
    fn asks_for_app(&self) -> anyhow::Error {
        let what = if self.secrets.is_none() {
            "write its consumer_key and consumer_secret into the key file; later accounts need not"
        } else if self.is_of_a_run() {
            "stop `flockwork run`, write the app's consumer_key and consumer_secret into the key file, add \
             the account and start it again"
        } else {
            "say which secret has its credentials, --x-app NAME (output `XAppName` of the stack), or \
             write consumer_key and consumer_secret into the key file"
        };
        refuse(format!(
            "X is asked about the account in the app's name, which is not known here: {what}"
        ))
    }

    /// Keeps new credentials of the app, where the secrets are ours to write.
    fn keep_x_app(&self, new: &NewKey) -> anyhow::Result<()> {
        match (&self.connection.data_dir, &new.app) {
            (Some(data_dir), Some(app)) => data_dir.put_secret(X_APP, app.expose_secret()),
            _ => Ok(()),
        }
    }

    /// Whether the secrets are those of a running `flockwork run`.
    fn is_of_a_run(&self) -> bool {
        self.secrets.is_some() && self.x_app.as_deref() == Some(X_APP)
    }
}

/// A local secret that this process holds.
fn held(connection: &Connection, name: &str) -> anyhow::Result<SecretString> {
    let missing = || anyhow::anyhow!("template.yaml defines no secret {name}");
    Ok(SecretString::from(connection.secrets.get(name).cloned().ok_or_else(missing)?))
}

/// Whether two secrets hold the same JSON.
fn is_same(one: &SecretString, other: &SecretString) -> bool {
    read_json(one).is_some_and(|one| read_json(other) == Some(one))
}

/// Whether a secret holds an app's credentials.
fn is_app(secret: &SecretString) -> bool {
    let app = read_json(secret).unwrap_or_default();
    ["consumer_key", "consumer_secret"].iter().all(|name| app.get(name).is_some())
}

fn read_json(secret: &SecretString) -> Option<serde_json::Value> {
    serde_json::from_str(secret.expose_secret()).ok()
}

/// What is known of the account, without its key.
pub async fn show(store: &Store, id: &AccountId) -> anyhow::Result<String> {
    if id.network == Network::Meadow {
        return Ok(page(id, &AccountFacts::MEADOW, None, ""));
    }
    let account = store.account(id).await?.ok_or_else(|| {
        refuse(format!(
            "the account {id} was never added; add it with `flockwork account add {id} --key FILE`"
        ))
    })?;
    Ok(page(id, &account.facts, account.url.as_deref(), &account.remote_user))
}

fn page(id: &AccountId, facts: &AccountFacts, url: Option<&str>, remote_user: &str) -> String {
    let network = id.network.facts();
    let mut rows = vec![("account", id.to_string())];
    rows.extend(url.map(|url| ("server", url.to_owned())));
    if !remote_user.is_empty() {
        rows.push(("its id there", remote_user.to_owned()));
    }
    rows.push(("tier", facts.tier.name().to_owned()));
    if id.network != Network::Meadow {
        let label = if facts.labelled { "labelled as a bot" } else { "NOT labelled as a bot" };
        rows.push(("label", label.to_owned()));
    }
    rows.push(("longest post", format!("{} {}", facts.text_limit(id.network), network.unit)));
    if !network.pictures.kinds.is_empty() {
        let bytes = facts.picture_bytes.unwrap_or(network.pictures.most_bytes);
        rows.push(("pictures", format!("up to {bytes} bytes")));
    }
    let (mut can, mut cannot) = (Vec::new(), Vec::new());
    for action in Action::ALL {
        match (network.can)(facts.tier, action) {
            Can::Yes => can.push(action.to_string()),
            Can::If(condition) => can.push(format!("{action} if {condition}")),
            Can::No(why) => cannot.push(format!("{action}: {why}")),
        }
    }
    for (head, what) in
        [("can", can), ("cannot", cannot), ("must not post", broken_by_account(id.network, facts))]
    {
        let heads = std::iter::once(head).chain(std::iter::repeat(""));
        rows.extend(heads.zip(what));
    }
    crate::show::rows(&rows)
}
