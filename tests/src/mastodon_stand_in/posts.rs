//! Posts: what makes one, shows one, repeats one and deletes one.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    HOST, Instance, Mastodon, Shared,
    answers::{Refusal, json_response, not_found, refusal, unprocessable},
    api::bearer,
    bodies::{fields, number},
    pictures::{MastodonPicture, Media},
    text::{counted, html, typographed},
};

/// A post as the account sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MastodonPost {
    /// Its id.
    pub id: String,
    /// Its text, before Mastodon made HTML of it.
    pub text: String,
    /// The post it answers.
    pub in_reply_to: Option<String>,
    /// The post it repeats.
    pub reblog_of: Option<String>,
    /// Its pictures.
    pub pictures: Vec<MastodonPicture>,
    /// Who may see it.
    pub visibility: String,
}

#[derive(Debug)]
pub(super) struct Post {
    pub(super) id: u64,
    pub(super) account: u64,
    pub(super) at: Timestamp,
    pub(super) text: String,
    content: String,
    in_reply_to: Option<u64>,
    pub(super) reblog_of: Option<u64>,
    pub(super) media: Vec<u64>,
    pub(super) visibility: String,
    language: Option<String>,
}

impl Mastodon {
    /// A post that the account made elsewhere; returns its id.
    pub fn made_elsewhere(&self, username: &str, text: &str) -> String {
        let mut state = self.shared.state();
        let (account, now) = (state.account_named(username).id, state.now());
        let new = NewPost { text: text.to_owned(), ..NewPost::default() };
        let made =
            state.create(account, now, new).unwrap_or_else(|refusal| panic!("{}", refusal.error));
        made.to_string()
    }

    /// The account's posts, oldest first.
    pub fn posts(&self, username: &str) -> Vec<MastodonPost> {
        let mut state = self.shared.state();
        let account = state.account_named(username).id;
        let own = state.posts.iter().filter(|post| post.account == account);
        own.map(|post| MastodonPost {
            id: post.id.to_string(),
            text: post.text.clone(),
            in_reply_to: post.in_reply_to.map(|id| id.to_string()),
            reblog_of: post.reblog_of.map(|id| id.to_string()),
            pictures: post.media.iter().map(|id| state.media_by(*id).picture.clone()).collect(),
            visibility: post.visibility.clone(),
        })
        .collect()
    }
}

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    let new = NewPost::read(&headers, &body)?;
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let key = key.filter(|key| state.idempotency && !key.is_empty());
    let now = state.now();
    if let Some(key) = key
        && let Some((id, at)) = state.keys.get(&(account, key.to_owned()))
        && now.duration_since(*at) < Mastodon::KEY_KEPT
    {
        let id = *id;
        // A deleted one is "not found", as Status.find says.
        return Ok(json_response(&state.show(state.find(id)?)));
    }
    let id = state.create(account, now, new)?;
    if let Some(key) = key {
        state.keys.insert((account, key.to_owned()), (id, now));
    }
    Ok(json_response(&state.show(state.find(id)?)))
}

pub(super) async fn view(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let state = shared.state();
    let reader = bearer(&headers).and_then(|token| state.tokens.get(token)).copied();
    let post = state.find(number(&id)?)?;
    if !post.is_public() && reader != Some(post.account) {
        return Err(not_found());
    }
    Ok(json_response(&state.show(post)))
}

pub(super) async fn remove(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    let id = number(&id)?;
    let post = state.find(id)?;
    if post.account != account {
        return Err(not_found());
    }
    let mut shown = state.show(post);
    shown["text"] = post.text.clone().into();
    // What repeats it goes with it.
    state.posts.retain(|post| post.id != id && post.reblog_of != Some(id));
    Ok(json_response(&shown))
}

pub(super) async fn reblog(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    let original = state.find(number(&id)?)?;
    let original = original.reblog_of.unwrap_or(original.id);
    if !state.find(original)?.is_public() {
        return Err(refusal(StatusCode::FORBIDDEN, "This action is not allowed"));
    }
    let made = |post: &&Post| post.account == account && post.reblog_of == Some(original);
    // ReblogService returns the one there is.
    let id = if let Some(post) = state.posts.iter().find(made) {
        post.id
    } else {
        let at = state.now();
        state.push(Post {
            id: 0,
            account,
            at,
            text: String::new(),
            content: String::new(),
            in_reply_to: None,
            reblog_of: Some(original),
            media: Vec::new(),
            visibility: "public".to_owned(),
            language: None,
        })
    };
    Ok(json_response(&state.show(state.find(id)?)))
}

/// What is asked for in `POST /api/v1/statuses`.
#[derive(Debug, Default)]
struct NewPost {
    text: String,
    in_reply_to: Option<String>,
    media: Vec<String>,
    visibility: Option<String>,
    language: Option<String>,
}

impl NewPost {
    /// Mastodon ignores what it does not know; here it is an error, because it is a mistake of ours.
    pub(super) fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self, Refusal> {
        let mut new = Self::default();
        for (name, value) in fields(headers, body)? {
            let text = match &value {
                Value::String(text) => Some(text.clone()),
                _ => None,
            };
            match (name.as_str(), value) {
                (_, Value::Null) => {}
                ("status", Value::String(text)) => new.text = text,
                ("in_reply_to_id", Value::String(id)) => new.in_reply_to = Some(id),
                ("visibility", Value::String(visibility)) => new.visibility = Some(visibility),
                ("language", Value::String(language)) => new.language = Some(language),
                ("media_ids[]", _) => new.media.extend(text),
                ("media_ids", Value::Array(ids)) => {
                    for id in ids {
                        let id = id.as_str().ok_or_else(|| unprocessable("media_ids"))?;
                        new.media.push(id.to_owned());
                    }
                }
                _ => return Err(unprocessable(&format!("unknown or wrong parameter {name}"))),
            }
        }
        Ok(new)
    }
}

impl Instance {
    pub(super) fn find(&self, id: u64) -> Result<&Post, Refusal> {
        self.posts.iter().find(|post| post.id == id).ok_or_else(not_found)
    }

    pub(super) fn push(&mut self, post: Post) -> u64 {
        let id = self.next_id();
        self.posts.push(Post { id, ..post });
        id
    }

    fn create(&mut self, account: u64, at: Timestamp, new: NewPost) -> Result<u64, Refusal> {
        let in_reply_to = match &new.in_reply_to {
            None => None,
            Some(id) => {
                let known = number(id).ok().filter(|id| self.find(*id).is_ok());
                let gone = "The post you are trying to reply to does not appear to exist.";
                Some(known.ok_or_else(|| refusal(StatusCode::NOT_FOUND, gone))?)
            }
        };
        if 4 < new.media.len() {
            return Err(unprocessable("Validation failed: Cannot attach more than 4 files"));
        }
        let mut media = Vec::new();
        for id in &new.media {
            let own = |media: &&Media| {
                media.id.to_string() == *id && media.account == account && media.post.is_none()
            };
            let found = self.media.iter().find(own).ok_or_else(|| {
                let error = format!("Media {id} not found or already attached to another post");
                unprocessable(&format!("Validation failed: {error}"))
            })?;
            if found.processing != 0 {
                return Err(unprocessable(
                    "Cannot attach files that have not finished processing. Try again in a moment!",
                ));
            }
            media.push(found.id);
        }
        let text = new.text.trim().to_owned();
        if text.is_empty() && media.is_empty() {
            return Err(unprocessable("Validation failed: Text can't be blank"));
        }
        let entities = self.entities(&text);
        if self.most_characters < counted(&text, &entities) {
            return Err(unprocessable(&format!(
                "Validation failed: Text character limit of {} exceeded",
                self.most_characters
            )));
        }
        let visibility = new.visibility.unwrap_or_else(|| "public".to_owned());
        if !["public", "unlisted", "private", "direct"].contains(&visibility.as_str()) {
            return Err(unprocessable("'visibility' is not a valid visibility"));
        }
        let content = if self.typographs {
            let set = typographed(&text);
            // Quotes and the like by number, as some write them.
            let content = html(&set, &self.entities(&set)).replace('\u{2019}', "&#8217;");
            content.replace('\u{2026}', "&hellip;")
        } else {
            html(&text, &entities)
        };
        let (language, reblog_of) = (new.language, None);
        let id = self.push(Post {
            id: 0,
            account,
            at,
            text,
            content,
            in_reply_to,
            reblog_of,
            media: media.clone(),
            visibility,
            language,
        });
        for attached in self.media.iter_mut().filter(|known| media.contains(&known.id)) {
            attached.post = Some(id);
        }
        Ok(id)
    }

    pub(super) fn is_reply_to_another(&self, post: &Post) -> bool {
        let to = post.in_reply_to.and_then(|id| self.find(id).ok());
        to.is_some_and(|to| to.account != post.account)
    }

    pub(super) fn show(&self, post: &Post) -> Value {
        let reblog = post.reblog_of.and_then(|id| self.find(id).ok()).map(|post| self.show(post));
        // A boost shows the content of what it boosts.
        let content = match &reblog {
            Some(original) => original["content"].clone(),
            None => post.content.clone().into(),
        };
        let to = post.in_reply_to.and_then(|id| self.find(id).ok());
        let media: Vec<_> = post.media.iter().map(|id| self.media_by(*id).show()).collect();
        json!({
            "id": post.id.to_string(),
            "created_at": format!("{:.3}", post.at),
            "in_reply_to_id": post.in_reply_to.map(|id| id.to_string()),
            "in_reply_to_account_id": to.map(|to| to.account.to_string()),
            "sensitive": false,
            "spoiler_text": "",
            "visibility": post.visibility,
            "language": post.language,
            "uri": format!("https://{HOST}/statuses/{}", post.id),
            "url": format!("https://{HOST}/statuses/{}", post.id),
            "replies_count": 0,
            "reblogs_count": 0,
            "favourites_count": 0,
            "content": content,
            "reblog": reblog,
            "account": self.show_account(post.account),
            "media_attachments": media,
            "mentions": [],
            "tags": [],
            "emojis": [],
            "card": null,
            "poll": null,
        })
    }
}

impl Post {
    pub(super) fn is_public(&self) -> bool {
        matches!(self.visibility.as_str(), "public" | "unlisted")
    }
}
