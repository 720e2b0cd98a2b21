//! How an app comes to a token: it is registered, somebody allows it on a page, and a code is exchanged ("Authorizing a user").

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{Html, IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Mastodon, Shared,
    answers::{json_response, refusal, unprocessable},
    api::bearer,
    bodies::fields,
};

/// What shows a code on a page.
const SHOWN: &str = "urn:ietf:wg:oauth:2.0:oob";

#[derive(Debug)]
pub(super) struct App {
    id: String,
    secret: String,
    redirect_uri: String,
    scopes: String,
}

#[derive(Debug)]
pub(super) struct Code {
    text: String,
    client_id: String,
    account: u64,
    redirect_uri: String,
    scopes: String,
}

/// What a page of the instance is asked with.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: Option<String>,
}

impl Mastodon {
    /// Whether the instance knows parts of `read` and `write`; some that speak its API do not.
    pub fn knows_scopes(&self, knows: bool) {
        self.shared.state().no_scopes_with = (!knows).then_some(':');
    }

    /// Has keys that are given from now on allow these scopes alone, whatever is asked for. Where they are empty, nothing is said of
    /// what keys allow.
    pub fn gives_only(&self, scopes: &str) {
        self.shared.state().gives_only = Some(scopes.to_owned());
    }

    /// What the key `token` allows.
    pub fn allows(&self, token: &str, scopes: &str) {
        self.shared.state().scopes.insert(token.to_owned(), scopes.to_owned());
    }

    /// Has the instance register apps for its own people alone.
    pub fn registers_no_strangers(&self) {
        self.shared.state().no_apps = Some("This method requires an authenticated user");
    }

    /// What the apps are allowed to ask for, in the order in which they were registered.
    pub fn app_scopes(&self) -> Vec<String> {
        self.shared.state().apps.iter().map(|app| app.scopes.clone()).collect()
    }
}

fn texts(headers: &HeaderMap, body: &Bytes) -> Vec<(String, String)> {
    let fields = fields(headers, body).unwrap_or_default().into_iter();
    fields.map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned())).collect()
}

fn text<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
}

/// `POST /api/v1/apps`
pub(super) async fn register(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fields = texts(&headers, &body);
    let mut state = shared.state();
    if let Some(said) = state.no_apps {
        return refusal(StatusCode::UNAUTHORIZED, said).into_response();
    }
    let (redirect_uri, scopes) = (text(&fields, "redirect_uris"), text(&fields, "scopes"));
    if redirect_uri.is_empty() || text(&fields, "client_name").is_empty() {
        return unprocessable("Validation failed").into_response();
    }
    if state.no_scopes_with.is_some_and(|sign| scopes.contains(sign)) {
        return unprocessable("Validation failed: Scopes doesn't match configured on the server.")
            .into_response();
    }
    let number = state.next_id();
    let app = App {
        id: format!("client-{number}"),
        secret: format!("client-secret-{number}"),
        redirect_uri: redirect_uri.to_owned(),
        scopes: scopes.to_owned(),
    };
    let answer = json!({
        "id": number.to_string(), "name": text(&fields, "client_name"), "client_id": app.id,
        "client_secret": app.secret, "redirect_uri": app.redirect_uri,
    });
    state.apps.push(app);
    json_response(&answer)
}

/// `GET /oauth/authorize`: the page on which somebody signs in.
pub(super) async fn ask(State(shared): State<Arc<Shared>>, Query(asked): Query<Asked>) -> Response {
    let state = shared.state();
    let is_registered = |app: &&super::oauth::App| {
        let within =
            asked.scope.split(' ').all(|scope| app.scopes.split(' ').any(|it| it == scope));
        app.id == asked.client_id && app.redirect_uri == asked.redirect_uri && within
    };
    if state.apps.iter().find(is_registered).is_none() {
        let said = "Client authentication failed due to unknown client.";
        return (StatusCode::UNAUTHORIZED, Html(said)).into_response();
    }
    Html(
        "<!doctype html><title>Authorize</title><form method=post><input name=username>\
         <button name=decision value=allow>Authorize</button>\
         <button name=decision value=deny>Deny</button></form>",
    )
    .into_response()
}

/// What that page sends: who signs in, and whether they allow it.
pub(super) async fn decide(
    State(shared): State<Arc<Shared>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fields = texts(&headers, &body);
    let mut state = shared.state();
    let answer = if text(&fields, "decision") == "allow" {
        let account = state.account_named(text(&fields, "username")).id;
        let code = format!("code-{}", state.next_id());
        state.codes.push(Code {
            text: code.clone(),
            client_id: asked.client_id,
            account,
            redirect_uri: asked.redirect_uri.clone(),
            scopes: asked.scope,
        });
        vec![("code", code)]
    } else {
        let said = "The resource owner or authorization server denied the request.";
        vec![("error", "access_denied".to_owned()), ("error_description", said.to_owned())]
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer);
    if let Some(state) = &asked.state {
        query.append_pair("state", state);
    }
    let to =
        if asked.redirect_uri == SHOWN { "/oauth/authorize/native" } else { &asked.redirect_uri };
    (StatusCode::FOUND, [(LOCATION, format!("{to}?{}", query.finish()))]).into_response()
}

/// `POST /oauth/token`
pub(super) async fn exchange(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let refused = |status, error: &str, said: &str| {
        (status, Json(json!({ "error": error, "error_description": said }))).into_response()
    };
    let fields = texts(&headers, &body);
    let mut state = shared.state();
    let (id, secret) = (text(&fields, "client_id"), text(&fields, "client_secret"));
    if !state.apps.iter().any(|app| app.id == id && app.secret == secret) {
        return refused(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "Client authentication failed due to unknown client.",
        );
    }
    let is_it = |code: &Code| {
        code.text == text(&fields, "code")
            && code.client_id == id
            && code.redirect_uri == text(&fields, "redirect_uri")
    };
    let Some(place) = state.codes.iter().position(is_it) else {
        return refused(
            StatusCode::BAD_REQUEST,
            "invalid_grant",
            "The provided authorization grant is invalid, expired, revoked.",
        );
    };
    // It works once.
    let code = state.codes.remove(place);
    let token = format!("token-{}", state.next_id());
    state.tokens.insert(token.clone(), code.account);
    let scopes = state.gives_only.clone().unwrap_or(code.scopes);
    let scopes = Some(scopes).filter(|scopes| !scopes.is_empty());
    if let Some(scopes) = &scopes {
        state.scopes.insert(token.clone(), scopes.clone());
    }
    let now = state.now().as_second();
    json_response(&json!({
        "access_token": token, "token_type": "Bearer", "scope": scopes, "created_at": now,
    }))
}

/// `GET /api/v1/apps/verify_credentials`
pub(super) async fn verify_app(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let state = shared.state();
    let token = bearer(&headers).filter(|token| state.tokens.contains_key(*token));
    let Some(token) = token else {
        return refusal(StatusCode::UNAUTHORIZED, "The access token is invalid").into_response();
    };
    // Before 4.3 nothing was said of them.
    let scopes = state.scopes.get(token).map(|scopes| scopes.split(' ').collect::<Vec<_>>());
    json_response(&json!({ "name": "Flockwork", "website": null, "scopes": scopes }))
}
