//! Adds accounts of other networks.

use std::path::Path;

use flock_aws::{Keyring, Secrets};
use flock_core::{AccountId, Handle, Network};
use flock_store::AccountItem;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::{
    connect::Connection,
    local_secrets::{KEYRING, X_APP},
    refusal::refuse,
};

/// What the file of `account add` holds. Texts of secrets do not print.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XKeyFile {
    token: SecretString,
    token_secret: SecretString,
    user_id: String,
    consumer_key: Option<SecretString>,
    consumer_secret: Option<SecretString>,
}

/// Reads a key file.
pub fn read_key(file: &Path) -> anyhow::Result<XKeyFile> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map(SecretString::from);
    let text = text.map_err(|err| refuse(format!("cannot read the key file {shown}: {err}")))?;
    // The parser's own words could quote a secret.
    let key: XKeyFile = serde_json::from_str(text.expose_secret()).map_err(|err| {
        refuse(format!(
            "{shown}:{}: a key file is JSON with `token`, `token_secret` and `user_id`",
            err.line()
        ))
    })?;
    if key.user_id.is_empty() || !key.user_id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse(format!("{shown}: `user_id` is the account's number, digits only")));
    }
    Ok(key)
}

/// Seals the key and stores it.
pub async fn add(
    connection: &Connection,
    handle: Handle,
    key: XKeyFile,
    keyring: Option<&str>,
) -> anyhow::Result<AccountId> {
    let account = AccountId { network: Network::X, handle };
    let ring = match (&connection.data_dir, keyring) {
        (_, Some(name)) => Secrets::new(&connection.aws).get(name).await?,
        (Some(data_dir), None) => {
            if let (Some(key), Some(secret)) = (&key.consumer_key, &key.consumer_secret) {
                let app = json!({
                    "consumer_key": key.expose_secret(),
                    "consumer_secret": secret.expose_secret(),
                });
                data_dir.put_secret(X_APP, &app.to_string())?;
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
    let sealed = json!({
        "token": key.token.expose_secret(),
        "token_secret": key.token_secret.expose_secret(),
    });
    let sealed_key = Keyring::parse(&ring)?.seal(&account, &SecretString::from(sealed.to_string()));
    let item = AccountItem { remote_user: key.user_id, sealed_key };
    connection.store.put_account(&account, item).await?;
    Ok(account)
}
