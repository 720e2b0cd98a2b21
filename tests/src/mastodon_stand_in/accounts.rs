//! Accounts, and who a token is.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    HOST, Instance, Mastodon, Shared,
    answers::{Refusal, disabled, json_response, refusal, unprocessable},
    api::bearer,
    bodies::fields,
    text::escaped,
};

#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: u64,
    pub(super) username: String,
    bot: bool,
    display_name: String,
    note: String,
    pub(super) suspended: bool,
    /// When the present window of the rate limit began, and the requests since.
    pub(super) window: (i64, usize),
}

impl Mastodon {
    /// Makes the account `username`, marked as a bot, with the token `token`; returns its id.
    pub fn account(&self, token: &str, username: &str) -> String {
        let mut state = self.shared.state();
        // Mastodon's own begin like this; they are not those of posts.
        let id = 109_000_000_000_000_000 + state.accounts.len() as u64;
        state.accounts.push(Account {
            id,
            username: username.to_owned(),
            bot: true,
            display_name: username.to_owned(),
            note: String::new(),
            suspended: false,
            window: (0, 0),
        });
        state.tokens.insert(token.to_owned(), id);
        id.to_string()
    }

    /// Whether the account is marked as a bot.
    pub fn bot(&self, username: &str, bot: bool) {
        self.shared.state().account_named(username).bot = bot;
    }

    /// Whether the account is suspended.
    pub fn suspend(&self, username: &str, suspended: bool) {
        self.shared.state().account_named(username).suspended = suspended;
    }
}

pub(super) async fn verify(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    if let Some(me) = &state.about_me {
        return Ok(json_response(me));
    }
    Ok(json_response(&state.show_account(account)))
}

pub(super) async fn update(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let id = state.authenticate(&headers)?;
    let fields = fields(&headers, &body)?;
    let account = state.account_by(id);
    for (name, value) in fields {
        let text = value.as_str().map(ToOwned::to_owned);
        match name.as_str() {
            "display_name" => account.display_name = text.unwrap_or_default(),
            "note" => account.note = text.unwrap_or_default(),
            "bot" => account.bot = value == json!(true) || text.as_deref() == Some("true"),
            _ => return Err(unprocessable(&format!("unknown parameter {name}"))),
        }
    }
    Ok(json_response(&state.show_account(id)))
}

impl Instance {
    pub(super) fn account_named(&mut self, username: &str) -> &mut Account {
        let found = self.accounts.iter_mut().find(|account| account.username == username);
        found.expect("the test made the account")
    }

    pub(super) fn account_by(&mut self, id: u64) -> &mut Account {
        let found = self.accounts.iter_mut().find(|account| account.id == id);
        found.expect("tokens and posts are those of accounts")
    }

    pub(super) fn authenticate(&mut self, headers: &HeaderMap) -> Result<u64, Refusal> {
        let id = bearer(headers).and_then(|token| self.tokens.get(token)).copied();
        let id =
            id.ok_or_else(|| refusal(StatusCode::UNAUTHORIZED, "The access token is invalid"))?;
        if self.account_by(id).suspended {
            return Err(disabled());
        }
        Ok(id)
    }

    pub(super) fn show_account(&self, id: u64) -> Value {
        let account = self.accounts.iter().find(|account| account.id == id);
        let account = account.expect("tokens and posts are those of accounts");
        json!({
            "id": id.to_string(),
            "username": account.username,
            "acct": account.username,
            "display_name": account.display_name,
            "locked": false,
            "bot": account.bot,
            "note": format!("<p>{}</p>", escaped(&account.note)),
            "url": format!("https://{HOST}/@{}", account.username),
        })
    }
}
