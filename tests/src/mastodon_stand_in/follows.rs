//! Who follows whom and likes what, and how people are found (docs.joinmastodon.org, methods/accounts, methods/search and
//! methods/statuses, 2026-11). What a key allows is looked at where somebody has said it.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    HOST, Instance, Mastodon, Shared,
    answers::{Refusal, json_response, not_found, refusal},
    api::bearer,
};

impl Mastodon {
    /// Whom the account follows, by their names.
    pub fn follows(&self, username: &str) -> Vec<String> {
        let mut state = self.shared.state();
        let id = state.account_named(username).id;
        let own = state.follows.iter().filter(|(who, _)| *who == id);
        own.map(|(_, whom)| state.name(*whom)).collect()
    }

    /// Whom the account has asked whether it may follow them, by their names.
    pub fn has_asked(&self, username: &str) -> Vec<String> {
        let mut state = self.shared.state();
        let id = state.account_named(username).id;
        let own = state.asked.iter().filter(|(who, _)| *who == id);
        own.map(|(_, whom)| state.name(*whom)).collect()
    }

    /// The account decides for itself who follows it from now on.
    pub fn lock(&self, username: &str) {
        let mut state = self.shared.state();
        let id = state.account_named(username).id;
        state.locked.insert(id);
    }

    /// How many posts the account likes.
    pub fn likes(&self, username: &str) -> usize {
        let mut state = self.shared.state();
        let id = state.account_named(username).id;
        state.likes.iter().filter(|(who, _)| *who == id).count()
    }
}

pub(super) async fn follow(
    State(shared): State<Arc<Shared>>,
    Path(whom): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let id = state.allowed(&headers, "write:follows")?;
    let whom = state.person(&whom)?;
    if whom == id {
        return Err(refusal(StatusCode::FORBIDDEN, "This action is not allowed"));
    }
    if !state.follows.contains(&(id, whom)) {
        if state.locked.contains(&whom) {
            state.asked.insert((id, whom));
        } else {
            state.follows.insert((id, whom));
        }
    }
    Ok(json_response(&state.relationship(id, whom)))
}

pub(super) async fn unfollow(
    State(shared): State<Arc<Shared>>,
    Path(whom): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let id = state.allowed(&headers, "write:follows")?;
    let whom = state.person(&whom)?;
    state.follows.remove(&(id, whom));
    state.asked.remove(&(id, whom));
    Ok(json_response(&state.relationship(id, whom)))
}

pub(super) async fn favourite(
    State(shared): State<Arc<Shared>>,
    Path(of): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let id = state.allowed(&headers, "write:favourites")?;
    let of = of.parse().map_err(|_| not_found())?;
    let shown = state.show(state.find(of)?);
    state.likes.insert((id, of));
    Ok(json_response(&shown))
}

/// Without a key: who is known already.
pub(super) async fn lookup(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Response, Refusal> {
    let state = shared.state();
    let acct = query.get("acct").map(String::as_str).unwrap_or_default();
    let known = state.accounts.iter().find(|account| account.username == acct);
    if let Some(known) = known {
        return Ok(json_response(&state.show_account(known.id)));
    }
    let stranger = state.strangers.iter().find(|(_, name)| name == acct);
    let (id, name) = stranger.ok_or_else(not_found)?;
    Ok(json_response(&json!({ "id": id.to_string(), "acct": name })))
}

/// Looks for one person elsewhere, whom the instance asks their server about and knows from then on.
pub(super) async fn search(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    state.allowed(&headers, "read:search")?;
    let name = query.get("q").map(|q| q.trim_start_matches('@').to_owned()).unwrap_or_default();
    let resolves = query.get("resolve").is_some_and(|resolve| resolve == "true");
    let mut accounts = Vec::new();
    if resolves && state.known.contains(&name) {
        let id = 109_500_000_000_000_000 + state.strangers.len() as u64;
        state.strangers.push((id, name.clone()));
        accounts.push(json!({ "id": id.to_string(), "acct": name }));
    }
    Ok(json_response(&json!({ "accounts": accounts, "statuses": [], "hashtags": [] })))
}

impl Instance {
    /// Whose the key is, if it allows that.
    fn allowed(&mut self, headers: &HeaderMap, scope: &str) -> Result<u64, Refusal> {
        let id = self.authenticate(headers)?;
        let whole = scope.split(':').next().unwrap_or_default();
        let scopes = bearer(headers).and_then(|token| self.scopes.get(token));
        let allows = |scopes: &String| scopes.split(' ').any(|one| one == scope || one == whole);
        if scopes.is_none_or(allows) {
            return Ok(id);
        }
        let error = "This action is outside the authorized scopes";
        Err(refusal(StatusCode::FORBIDDEN, error))
    }

    /// Somebody the instance knows, by their id.
    fn person(&self, id: &str) -> Result<u64, Refusal> {
        let id = id.parse().map_err(|_| not_found())?;
        let is_known = self.accounts.iter().any(|account| account.id == id)
            || self.strangers.iter().any(|(stranger, _)| *stranger == id);
        if is_known { Ok(id) } else { Err(not_found()) }
    }

    fn name(&self, id: u64) -> String {
        let own = self.accounts.iter().find(|account| account.id == id);
        let stranger = || self.strangers.iter().find(|(stranger, _)| *stranger == id);
        match own {
            Some(own) => format!("{}@{HOST}", own.username),
            None => stranger().map(|(_, name)| name.clone()).unwrap_or_default(),
        }
    }

    fn relationship(&self, id: u64, whom: u64) -> Value {
        json!({
            "id": whom.to_string(),
            "following": self.follows.contains(&(id, whom)),
            "requested": self.asked.contains(&(id, whom)),
        })
    }
}
