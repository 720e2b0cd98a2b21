//! Adds accounts of other networks.

use std::path::Path;

use flock_aws::{Keyring, Secrets};
use flock_core::AccountId;
use flock_net::{Key, NewKey};
use flock_store::AccountItem;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    connect::Connection,
    local_secrets::{KEYRING, X_APP},
    refusal::refuse,
};

/// Reads the key file of the account `id`.
pub fn read_key(id: &AccountId, file: &Path) -> anyhow::Result<NewKey> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map(SecretString::from);
    let text = text.map_err(|err| refuse(format!("cannot read the key file {shown}: {err}")))?;
    Key::read_file(id, &text).map_err(|problem| refuse(format!("{shown}: {problem}")))
}

/// Asks the network about the account, seals the key and stores both.
pub async fn add(
    connection: &Connection,
    id: &AccountId,
    new: NewKey,
    keyring: Option<&str>,
) -> anyhow::Result<()> {
    let ring = match (&connection.data_dir, keyring) {
        (_, Some(name)) => Secrets::new(&connection.aws).get(name).await?,
        (Some(data_dir), None) => {
            if let Some(app) = &new.app {
                data_dir.put_secret(X_APP, app.expose_secret())?;
            }
            let missing = || anyhow::anyhow!("template.yaml defines no secret {KEYRING}");
            SecretString::from(connection.secrets.get(KEYRING).cloned().ok_or_else(missing)?)
        }
        (None, None) => {
            return Err(refuse(
                "on a deployed table say which keyring seals the key: --keyring NAME (output \
                 `KeyringName` of the stack); locally stop `flockwork run` first",
            ));
        }
    };
    let sealed_key = Keyring::parse(&ring)?.seal(id, &new.key);
    let item = AccountItem {
        remote_user: new.remote_user,
        url: new.url,
        facts: new.facts,
        sealed_key,
        sealed_session: None,
    };
    connection.store.put_account(id, item).await?;
    Ok(())
}
