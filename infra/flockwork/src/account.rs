//! Adds accounts of other networks, once their networks have said whose the keys are, and removes them.

use std::path::Path;

use flock_aws::{Keyring, Secrets};
use flock_core::{AccountId, Network};
use flock_net::{Key, Networks, NewKey, XApp};
use flock_ops::{self as ops, KeyFrom, NewAccount};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::{
    ask,
    checkup::{X_APP_CONTENT, fill},
    cli::{AddAccount, KeyPlace, Place, quoted},
    connect::{Connection, connect, look, read_template},
    deployed,
    files::{self, WRITTEN_BY_HAND},
    functions,
    local_secrets::{KEYRING, X_APP},
    operator::noted,
    refusal::refuse,
};

/// Asks the network about the account, and stores what it says with the sealed key. Says what came of it.
pub async fn add(place: &Place, options: &AddAccount) -> anyhow::Result<String> {
    let AddAccount { account: id, key: file, mark_as_bot, at } = options;
    at.check(place)?;
    refuse_other_label(id.network, false, *mark_as_bot)?;
    let shown = file.display();
    let key = read_key(id, file)?;
    let settings = functions::network_settings(&read_template(place)?, at.networks_on_loopback)?;
    let connection = connect(place).await?;
    let safe = Safe::open(place, &connection, at).await?;
    let app = safe.x_app(id.network, key.app.as_ref()).await?;
    let networks = Networks::new(connection.store.clone(), &settings, &connection.clock);
    let new = NewAccount { id: id.clone(), key, app, networks: &networks };
    let vouched = Box::pin(new.check(KeyFrom::File(&shown.to_string()))).await?;
    let line = format!("account add {id}");
    let may_not = noted(&connection, line, async |noted| {
        safe.keep_x_app(vouched.app())?;
        Box::pin(vouched.add(&connection.store, noted, safe.keyring, *mark_as_bot)).await
    });
    let may_not = may_not.await?;
    let mut lines = match may_not.as_slice() {
        [] => vec![format!("{id} can post now. Delete {shown}.")],
        [_, ..] => vec![format!("{id} is added. Delete {shown}. But it must not post yet:")],
    };
    // X has no such request: there a person sets the label.
    let could_mark = !may_not.is_empty() && !mark_as_bot && id.network != Network::X;
    let mark = format!("  `{} --mark-as-bot` has it marked.", again(place, options));
    lines.extend(may_not.into_iter().map(|why| format!("  {why}")));
    lines.extend(could_mark.then_some(mark));
    Ok(lines.join("\n"))
}

impl KeyPlace {
    /// Refuses names of secrets where none have any.
    pub(crate) fn check(&self, place: &Place) -> anyhow::Result<()> {
        self.keyring(place)?;
        self.x_app(place).map(drop)
    }

    /// The name of the keyring's secret, where somebody says it.
    fn keyring(&self, place: &Place) -> anyhow::Result<Option<&str>> {
        secret_name(place, "--keyring", self.keyring.as_deref())
    }

    /// The name of the X app's secret, where somebody says it.
    pub(crate) fn x_app(&self, place: &Place) -> anyhow::Result<Option<&str>> {
        secret_name(place, "--x-app", self.x_app.as_deref())
    }
}

/// Refuses what is said of a label that the network does not have.
pub(crate) fn refuse_other_label(
    network: Network,
    automated_label: bool,
    mark_as_bot: bool,
) -> anyhow::Result<()> {
    match network {
        Network::X if mark_as_bot => Err(refuse(
            "--mark-as-bot is for Mastodon and Bluesky: X has no request for it. Set the label in the account's settings \
             (Your account, Automation), and say that it is there: --automated-label, or \"automated_label\": true in a \
             key file",
        )),
        Network::Mastodon | Network::Bluesky if automated_label => Err(refuse(format!(
            "--automated-label is about X's label; on {} say --mark-as-bot",
            network.title_within()
        ))),
        Network::X | Network::Mastodon | Network::Bluesky | Network::Meadow => Ok(()),
    }
}

/// The command that adds the account once more.
fn again(place: &Place, options: &AddAccount) -> String {
    let AddAccount { account, key, at: KeyPlace { keyring, x_app, .. }, .. } = options;
    let words = [("--keyring", keyring), ("--x-app", x_app)];
    let words =
        words.into_iter().filter_map(|(word, name)| Some(format!(" {word} {}", name.as_ref()?)));
    let words: String = words.collect();
    format!("{} account add {account} --key {}{words}", place.command(), quoted(key))
}

/// Removes the account `id`. Asks first, unless `yes` was said.
pub async fn remove(place: &Place, id: &AccountId, yes: bool) -> anyhow::Result<String> {
    // Nobody is asked about what cannot be done, and the table is let go while somebody thinks about it.
    ops::refuse_to_remove_account(&look(place).await?.store, id).await?;
    if !yes {
        let deed = format!("this removes {id} with its key");
        let question = format!("Remove {id} with its key? What was posted through it stays.");
        ask::consent(&deed, || Ok(()), &question)?;
    }
    let connection = connect(place).await?;
    let removed = noted(&connection, format!("account remove {id}"), async |noted| {
        ops::remove_account(&connection.store, noted, id).await
    });
    removed.await?;
    Ok(format!(
        "Removed {id} with its key. On the network the key still works, until it is revoked there."
    ))
}

/// Reads the key file of the account `id`.
fn read_key(id: &AccountId, file: &Path) -> anyhow::Result<NewKey> {
    let shown = file.display();
    let text = files::read_text(file, WRITTEN_BY_HAND).map(SecretString::from);
    let text = text.map_err(|err| refuse(format!("cannot read the key file {shown}: it {err}")))?;
    Key::read_file(id, &text).map_err(|problem| refuse(format!("{shown}: {problem}")))
}

/// Where secrets are while an account is added.
pub(crate) struct Safe<'a> {
    connection: &'a Connection,
    /// The keyring of the place.
    pub(crate) keyring: Keyring,
    /// Secrets Manager; none where this process holds the secrets itself.
    secrets: Option<Secrets>,
    /// The name of the X app's secret, where somebody has to say it.
    x_app: Option<String>,
}

impl<'a> Safe<'a> {
    pub(crate) async fn open(
        place: &Place,
        connection: &'a Connection,
        at: &KeyPlace,
    ) -> anyhow::Result<Self> {
        let is_ours = connection.data_dir.is_some();
        let secrets = (!is_ours).then(|| Secrets::new(&connection.aws));
        let keyring = keyring_name(place, at.keyring.as_deref())?;
        let x_app = at.x_app(place)?.or((!place.aws).then_some(X_APP)).map(ToOwned::to_owned);
        let keyring = match &secrets {
            Some(secrets) => read_keyring(place, connection, secrets, &keyring).await?,
            None => Keyring::parse(&held(connection, &keyring)?)?,
        };
        Ok(Self { connection, keyring, secrets, x_app })
    }

    /// The credentials of the app, for a network that has apps; `given`, those that came with a key.
    pub(crate) async fn x_app(
        &self,
        network: Network,
        given: Option<&SecretString>,
    ) -> anyhow::Result<Option<SecretString>> {
        if !network.facts().has_app {
            return Ok(None);
        }
        let known = self.known_x_app().await?;
        let Some(app) = given else {
            return match (known, &self.x_app) {
                (Some(known), _) if is_app(&known) => Ok(Some(known)),
                (Some(known), Some(name)) if self.connection.is_deployed => {
                    Err(no_app(name, &known))
                }
                _ => Err(self.asks_for_app()),
            };
        };
        let known = known.filter(is_app);
        if self.is_of_a_run() && !known.is_some_and(|known| is_same(app, &known)) {
            return Err(refuse(
                "the app's consumer_key and consumer_secret are new here, and a running `flockwork run` \
                 keeps to those it started with: stop it, add the account and start it again",
            ));
        }
        Ok(Some(app.clone()))
    }

    /// Refuses to have somebody sent to X by a run that does not know the app.
    pub(crate) async fn refuse_link_without_app(&self, network: Network) -> anyhow::Result<()> {
        if !network.facts().has_app || self.known_x_app().await?.as_ref().is_some_and(is_app) {
            return Ok(());
        }
        Err(refuse(
            "X wants an app, which the `flockwork run` that is up does not know: end the run, give this command again, \
             which asks for the app then, and start the run again",
        ))
    }

    /// Refuses to have somebody sign in to X here, where the app is not known and could not be kept if they were asked for it.
    pub(crate) async fn refuse_here_without_app(&self, network: Network) -> anyhow::Result<()> {
        if self.is_of_a_run() {
            return self.refuse_link_without_app(network).await;
        }
        if network.facts().has_app && self.secrets.is_some() && self.x_app.is_none() {
            return Err(refuse(
                "X is asked about the account in the app's name, which is not known here: say which secret has its \
                 credentials, --x-app NAME (output `XAppName` of the stack)",
            ));
        }
        Ok(())
    }

    /// Whether the app is not known, and could be kept here if it was.
    pub(crate) fn lacks_app_of_ours(&self) -> anyhow::Result<bool> {
        Ok(self.secrets.is_none() && !is_app(&held(self.connection, X_APP)?))
    }

    /// What is in the secret of the app, where there is one.
    async fn known_x_app(&self) -> anyhow::Result<Option<SecretString>> {
        Ok(match (&self.secrets, &self.x_app) {
            (None, _) => Some(held(self.connection, X_APP)?),
            (Some(secrets), Some(name)) => {
                Some(read(self.connection, secrets, name, "XAppName").await?)
            }
            (Some(_), None) => None,
        })
    }

    /// Refuses a key that was made with another app than the one that is known here.
    pub(crate) async fn refuse_other_app(&self, app: &SecretString) -> anyhow::Result<()> {
        match self.known_x_app().await?.filter(is_app) {
            Some(known) if !is_same(app, &known) => Err(refuse(
                "it needs the app it was made with, and the X app here is another: `consumer_token` and \
                 `consumer_token_secret` are not its consumer_key and consumer_secret",
            )),
            Some(_) | None => Ok(()),
        }
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
    pub(crate) fn keep_x_app(&self, app: Option<&SecretString>) -> anyhow::Result<()> {
        match (&self.connection.data_dir, app) {
            (Some(data_dir), Some(app)) => data_dir.put_secret(X_APP, app.expose_secret()),
            _ => Ok(()),
        }
    }

    /// Whether the secrets are those of a running `flockwork run`.
    fn is_of_a_run(&self) -> bool {
        self.secrets.is_some() && self.x_app.as_deref() == Some(X_APP)
    }
}

/// The name of a secret as it was said with `option`; nothing where a variable of the shell is not set. Refused where secrets have
/// no names.
fn secret_name<'a>(
    place: &Place,
    option: &str,
    name: Option<&'a str>,
) -> anyhow::Result<Option<&'a str>> {
    match name.filter(|name| !name.trim().is_empty()) {
        Some(_) if !place.aws => Err(refuse(format!(
            "{option} names a secret of a deployed stack: say --aws --table NAME, too"
        ))),
        name => Ok(name),
    }
}

/// How the keyring of the place is called; on a deployed table somebody has to say it.
pub(crate) fn keyring_name(place: &Place, name: Option<&str>) -> anyhow::Result<String> {
    match (place.aws, secret_name(place, "--keyring", name)?) {
        (true, Some(name)) => Ok(name.to_owned()),
        (true, None) => Err(refuse(
            "on a deployed table say which keyring seals the key: --keyring NAME (output \
             `KeyringName` of the stack)",
        )),
        (false, _) => Ok(KEYRING.to_owned()),
    }
}

/// The keyring called `name`.
pub(crate) async fn read_keyring(
    place: &Place,
    connection: &Connection,
    secrets: &Secrets,
    name: &str,
) -> anyhow::Result<Keyring> {
    match Keyring::parse(&read(connection, secrets, name, "KeyringName").await?) {
        Err(_) if place.aws => Err(no_keyring(name, &connection.program)),
        parsed => Ok(parsed?),
    }
}

/// The text of the secret called `name`; where it is deployed, it has to be the stack's output `output`.
async fn read(
    connection: &Connection,
    secrets: &Secrets,
    name: &str,
    output: &str,
) -> anyhow::Result<SecretString> {
    match secrets.get(name).await {
        Err(err) if connection.is_deployed => {
            Err(deployed::no_secret(&connection.aws, name, output, err))
        }
        text => Ok(text?),
    }
}

/// That the secret called `name` is no keyring. Whatever else it is, nobody is led to write over it.
fn no_keyring(name: &str, program: &str) -> anyhow::Error {
    refuse(format!(
        "the secret {name} is no keyring; say that which is the output `KeyringName` of the stack. Put nothing into this one: it may \
         be another secret. Where it is that of the stack, `{program} doctor` says how it is put back"
    ))
}

/// That the secret called `name`, which holds `text`, does not have the app's credentials.
fn no_app(name: &str, text: &SecretString) -> anyhow::Error {
    let is_nothing = |value: &Value| value.is_null() || value == "";
    let is_empty = match read_json(text) {
        Some(Value::Object(fields)) => fields
            .iter()
            .all(|(name, value)| XApp::FIELDS.contains(&name.as_str()) || is_nothing(value)),
        Some(value) => is_nothing(&value),
        None => text.expose_secret().trim().is_empty(),
    };
    if is_empty {
        return refuse(format!(
            "X is asked about the account in the app's name, and the secret {name} does not have its consumer_key and \
             consumer_secret yet: {}",
            fill(name, X_APP_CONTENT)
        ));
    }
    refuse(format!(
        "the secret {name} is not that of the X app: it has other things in it than consumer_key and consumer_secret; say that \
         which is the output `XAppName` of the stack. Put nothing into this one: it may be another secret"
    ))
}

/// A local secret that this process holds.
fn held(connection: &Connection, name: &str) -> anyhow::Result<SecretString> {
    let missing = || anyhow::anyhow!("template.yaml defines no secret {name}");
    Ok(SecretString::from(connection.secrets.get(name).cloned().ok_or_else(missing)?))
}

/// Whether two secrets are of the same app.
fn is_same(one: &SecretString, other: &SecretString) -> bool {
    const KEYS: [&str; 2] = ["consumer_key", "consumer_secret"];
    let keys = |secret| read_json(secret).map(|app| KEYS.map(|name| app.get(name).cloned()));
    keys(one).is_some_and(|one| keys(other) == Some(one))
}

/// Whether a secret holds an app's credentials.
fn is_app(secret: &SecretString) -> bool {
    XApp::read(secret).is_ok()
}

fn read_json(secret: &SecretString) -> Option<Value> {
    serde_json::from_str(secret.expose_secret()).ok()
}
