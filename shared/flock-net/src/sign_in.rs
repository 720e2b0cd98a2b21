//! Signing in at a network: what is asked before somebody goes there, and what is made of what they come back with.
//!
//! Nothing of it is kept here. Between the two, who asks keeps [`Begun::kept`], sealed.

use flock_core::{AccountId, Network, Way};
use secrecy::SecretString;

use crate::{Failure, Networks, NewKey, bluesky::BlueskyKey};

/// What is signed in to.
#[derive(Debug, Clone, Copy)]
pub struct SignInTo<'a> {
    /// The account that the key is to be of.
    pub id: &'a AccountId,
    /// How.
    pub way: Way,
    /// The address of its server, where that does not follow from its name.
    pub server: Option<&'a str>,
    /// The app's credentials, on a network that has apps.
    pub app: Option<&'a SecretString>,
}

/// How somebody comes back from the network.
#[derive(Debug, Clone, Copy)]
pub enum Back<'a> {
    /// Their browser is sent to an address of ours.
    Sent {
        /// The address, as the network knows it.
        to: &'a str,
        /// What nobody can guess who did not begin this sign-in; at most 100 letters and digits.
        state: &'a SecretString,
    },
    /// They type what they are shown.
    Typing,
}

/// A sign-in that has begun.
#[derive(Debug)]
pub struct Begun {
    /// The page of the network that somebody opens.
    pub page: String,
    /// What the end of it needs besides; secret.
    pub kept: SecretString,
    /// What the network brings back and nobody else knows, as [`brought_back`] reads it; nothing, where somebody types.
    pub back: SecretString,
}

/// What a network has brought back by which it says which sign-in this is the end of: our state, or the token that X has made for it
/// and names also when somebody says no.
pub fn brought_back(query: &[(String, String)]) -> Option<&str> {
    let field = |name: &&str| query.iter().find(|(field, _)| field == name);
    let found = ["state", "oauth_token", "denied"].iter().find_map(field);
    found.map(|(_, value)| value.as_str())
}

/// What somebody came back with.
#[derive(Debug, Clone, Copy)]
pub enum Proof<'a> {
    /// The query that the network sent their browser with, decoded.
    Query(&'a [(String, String)]),
    /// What they typed: a PIN, a code, an app password.
    Typed(&'a SecretString),
}

/// Why a sign-in gives no key. It is over then, but for a typed proof that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSignedIn {
    /// They did not allow it.
    #[error("it was cancelled on the network")]
    Cancelled,
    /// What they came back with belongs to another sign-in, or to none.
    #[error("this is not how the sign-in that was begun here ends")]
    NotOurs,
    /// The network does not take it, or nothing of the form it has was typed: why, for a person.
    #[error("{0}")]
    Wrong(String),
    /// Anything else.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Networks {
    /// Begins a sign-in.
    pub async fn begin_sign_in(&self, to: SignInTo<'_>, back: Back<'_>) -> Result<Begun, Failure> {
        match to.id.network {
            Network::Meadow => Err(self.meadow.lacks("be signed in to")),
            Network::X => self.x.begin_sign_in(to, back).await,
            Network::Mastodon => self.mastodon.begin_sign_in(to, back).await,
            Network::Bluesky => Ok(BlueskyKey::begin_sign_in()),
        }
    }

    /// Ends a sign-in that was begun in the same way: with what was kept, and what somebody came back with. The key is that of
    /// whoever signed in, which is to be checked.
    pub async fn finish_sign_in(
        &self,
        to: SignInTo<'_>,
        kept: &SecretString,
        proof: Proof<'_>,
    ) -> Result<NewKey, NotSignedIn> {
        match (to.id.network, proof) {
            (Network::X, proof) => self.x.finish_sign_in(to, kept, proof).await,
            (Network::Mastodon, proof) => self.mastodon.finish_sign_in(to, kept, proof).await,
            (Network::Bluesky, Proof::Typed(password)) => {
                BlueskyKey::from_password(password, to.server)
            }
            (Network::Meadow | Network::Bluesky, _) => Err(cannot(to).into()),
        }
    }
}

fn cannot(SignInTo { id, way, .. }: SignInTo<'_>) -> Failure {
    Failure::cannot(format!("{id} cannot be signed in to with {way}"))
}
