//! Posts: what makes one, repeats one, answers one and deletes one.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Platform, X,
    answers::{Answer, Refusal, coded, id, invalid, no_such, problem},
    api::Call,
    bill::Billed,
    pictures::XPicture,
};

/// A post as the account sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XPost {
    /// Its id.
    pub id: String,
    /// Its text, before X escaped and shortened anything.
    pub text: String,
    /// The post it answers.
    pub reply_to: Option<String>,
    /// The post it repeats.
    pub repost_of: Option<String>,
    /// Whether it says that it was made with artificial intelligence.
    pub made_with_ai: bool,
    /// Its pictures.
    pub pictures: Vec<XPicture>,
}

#[derive(Debug)]
pub(super) struct Post {
    pub(super) id: u64,
    pub(super) user_id: String,
    pub(super) at: Timestamp,
    pub(super) text: String,
    /// The text as X shows it.
    pub(super) shown: String,
    /// The entities of its links, its pictures' too.
    pub(super) links: Vec<Value>,
    /// How many of them are in the text.
    text_links: usize,
    pub(super) reply_to: Option<u64>,
    pub(super) repost_of: Option<u64>,
    pub(super) made_with_ai: bool,
    media_ids: Vec<u64>,
    /// How many listings will not have it yet.
    pub(super) unlisted: u32,
}

/// What may be in a new post. X knows more fields; we send none of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPost {
    #[serde(default)]
    text: String,
    reply: Option<NewReply>,
    media: Option<NewMedia>,
    #[serde(default)]
    made_with_ai: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewReply {
    in_reply_to_tweet_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMedia {
    media_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRepost {
    tweet_id: String,
}

impl X {
    /// A post that the user `user_id` made elsewhere; returns its id.
    pub fn made_elsewhere(&self, user_id: &str, text: &str) -> String {
        let mut state = self.shared.state();
        let new = NewPost { text: text.to_owned(), reply: None, media: None, made_with_ai: false };
        state.add(user_id, new, None, Vec::new(), None).id.to_string()
    }

    /// The account's posts, oldest first.
    pub fn posts(&self, user_id: &str) -> Vec<XPost> {
        let state = self.shared.state();
        let own = state.posts.iter().filter(|post| post.user_id == user_id);
        let picture = |id: &u64| {
            let media = state.media.iter().find(|media| media.id == *id);
            let media = media.expect("a post's pictures are there");
            XPicture { bytes: media.bytes.clone(), alt: media.alt.clone() }
        };
        own.map(|post| XPost {
            id: post.id.to_string(),
            text: post.text.clone(),
            reply_to: post.reply_to.map(|id| id.to_string()),
            repost_of: post.repost_of.map(|id| id.to_string()),
            made_with_ai: post.made_with_ai,
            pictures: post.media_ids.iter().map(picture).collect(),
        })
        .collect()
    }
}

impl Platform {
    pub(super) fn create(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let new: NewPost = call.read()?;
        let user_id = &call.user_id;
        if new.text.trim().is_empty() && new.media.is_none() {
            return Err(invalid("the text is empty"));
        }
        let reply_to = match &new.reply {
            Some(reply) => Some(self.may_reply(user_id, &reply.in_reply_to_tweet_id)?),
            None => None,
        };
        let mut media_ids = Vec::new();
        if let Some(media) = &new.media {
            if !(1..=4).contains(&media.media_ids.len()) {
                return Err(invalid("media_ids are not 1 to 4"));
            }
            for media_id in &media.media_ids {
                let id = id("media_ids", media_id)?;
                if !self.media.iter().any(|media| media.id == id && media.user_id == *user_id) {
                    return Err(invalid("Your media IDs are invalid."));
                }
                media_ids.push(id);
            }
        }
        let at = self.now();
        let is_duplicate = |post: &Post| {
            post.user_id == *user_id
                && post.text == new.text
                && at.duration_since(post.at) < X::DUPLICATE_WINDOW
        };
        if self.duplicate_check && self.posts.iter().any(is_duplicate) {
            let detail = "You are not allowed to create a Tweet with duplicate content.";
            return Err(problem(StatusCode::FORBIDDEN, detail));
        }
        let summoned = reply_to.is_some_and(|id| self.author(id) != Some(user_id));
        let post = self.add(user_id, new, reply_to, media_ids, None);
        let data = json!({ "id": post.id.to_string(), "text": post.shown });
        let billed = match post.text_links {
            _ if summoned => Billed::SummonedReply,
            0 => Billed::Post,
            _ => Billed::PostWithLink,
        };
        self.charge(user_id, billed);
        Ok(Answer::new(StatusCode::CREATED, json!({ "data": data })))
    }

    /// Whose post that is.
    fn author(&self, post_id: u64) -> Option<&String> {
        self.posts.iter().find(|post| post.id == post_id).map(|post| &post.user_id)
    }

    /// The post to reply to, where X lets the account: the account's own, or one whose author mentions it
    /// (X's announcement of 2026-02-23; the detail is X's).
    fn may_reply(&self, user_id: &str, to: &str) -> Result<u64, Refusal> {
        let to = id("in_reply_to_tweet_id", to)?;
        let Some(post) = self.posts.iter().find(|post| post.id == to) else {
            let detail = "You attempted to reply to a Tweet that is deleted or not visible to you.";
            return Err(problem(StatusCode::FORBIDDEN, detail));
        };
        if post.user_id != user_id && !mentions(&post.text, user_id) {
            let detail = "Reply to this conversation is not allowed because you have not been \
                          mentioned or otherwise engaged by the author of the post you are replying to.";
            return Err(problem(StatusCode::FORBIDDEN, detail));
        }
        Ok(to)
    }

    /// Deletes an own post. What X says to a second time is not documented; this is the stricter guess.
    pub(super) fn delete(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let id = id("id", call.id)?;
        let Some(index) = self.posts.iter().position(|post| post.id == id) else {
            return Err(Refusal(Answer::problem(StatusCode::NOT_FOUND, no_such("tweet", call.id))));
        };
        if self.posts[index].user_id != call.user_id {
            let detail = "You are not authorized to delete this Tweet.";
            return Err(problem(StatusCode::FORBIDDEN, detail));
        }
        self.posts.remove(index);
        self.charge(&call.user_id, Billed::Delete);
        Ok(Answer::new(StatusCode::OK, json!({ "data": { "deleted": true } })))
    }

    /// Reposts. What X says to a second time is what v1.1 said.
    pub(super) fn repost(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let new: NewRepost = call.read()?;
        let of = id("tweet_id", &new.tweet_id)?;
        if call.id != call.user_id {
            let detail = "The authenticated user is not the one in the path.";
            return Err(problem(StatusCode::FORBIDDEN, detail));
        }
        let Some(original) = self.posts.iter().find(|post| post.id == of) else {
            let missing = no_such("tweet", &new.tweet_id);
            return Err(Refusal(Answer::problem(StatusCode::NOT_FOUND, missing)));
        };
        let is_repeat = |post: &Post| post.user_id == call.user_id && post.repost_of == Some(of);
        if self.posts.iter().any(is_repeat) {
            let words = "You have already retweeted this Tweet.";
            return Err(coded(StatusCode::FORBIDDEN, 327, words));
        }
        let text = format!("RT @user{}: {}", original.user_id, original.text);
        let repeat = NewPost { text, reply: None, media: None, made_with_ai: false };
        self.add(&call.user_id, repeat, None, Vec::new(), Some(of));
        self.charge(&call.user_id, Billed::Repost);
        let data = json!({ "retweeted": true, "rest_id": new.tweet_id });
        Ok(Answer::new(StatusCode::OK, json!({ "data": data })))
    }

    pub(super) fn new_id(&mut self) -> u64 {
        /// When X's ids begin: they are milliseconds since then, and 22 bits to tell posts apart.
        const IDS_FROM_MS: i64 = 1_288_834_974_657;
        let now_ms = self.now().as_millisecond();
        let age_ms = u64::try_from(now_ms - IDS_FROM_MS).expect("it is after 2010");
        self.last_id = (age_ms << 22).max(self.last_id + 1);
        self.last_id
    }

    fn add(
        &mut self,
        user_id: &str,
        new: NewPost,
        reply_to: Option<u64>,
        media_ids: Vec<u64>,
        repost_of: Option<u64>,
    ) -> &Post {
        let (at, id) = (self.now(), self.new_id());
        let (mut shown, mut links) = self.shown(&new.text);
        if let Some(author) = reply_to.and_then(|id| self.author(id)).filter(|id| *id != user_id) {
            shown = format!("@user{author} {shown}");
        }
        let text_links = links.len();
        if !media_ids.is_empty() {
            // The pictures stand behind a link of their own at the end.
            let expanded = format!("https://x.com/user{user_id}/status/{id}/photo/1");
            let start = if shown.is_empty() { 0 } else { shown.chars().count() + 1 };
            let mut link = self.short(&expanded, "pic.x.com", start);
            link["media_key"] = format!("3_{}", media_ids[0]).into();
            let short = link["url"].as_str().unwrap_or_default();
            if !shown.is_empty() {
                shown.push(' ');
            }
            shown.push_str(short);
            links.push(link);
        }
        self.posts.push(Post {
            id,
            user_id: user_id.to_owned(),
            at,
            text: new.text,
            shown,
            links,
            text_links,
            reply_to,
            repost_of,
            made_with_ai: new.made_with_ai,
            media_ids,
            unlisted: self.lag,
        });
        self.posts.last().expect("one was just pushed")
    }
}

/// Whether a text mentions the user.
fn mentions(text: &str, user_id: &str) -> bool {
    let name = format!("@user{user_id}");
    text.split(|c: char| !c.is_alphanumeric() && c != '@' && c != '_').any(|word| word == name)
}

impl Post {
    /// The post as a listing has it: id and text, and of the rest what was asked for.
    pub(super) fn show(&self, fields: &[String]) -> Value {
        let mut shown = json!({
            "id": self.id.to_string(),
            "text": self.shown,
            "edit_history_post_ids": [self.id.to_string()],
        });
        for field in fields {
            match field.as_str() {
                "created_at" => shown["created_at"] = format!("{:.3}", self.at).into(),
                // X leaves out what is empty.
                "entities" if !self.links.is_empty() => {
                    shown["entities"] = json!({ "urls": self.links });
                }
                _ => {}
            }
        }
        shown
    }
}
