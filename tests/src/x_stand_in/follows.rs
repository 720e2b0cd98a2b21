//! Who follows whom and likes what (OpenAPI document 2.167, `followUser`, `unfollowUser`, `likePost`, `getUsersByUsername`).
//!
//! The tiers of those who may are X's matter; whoever asks here may.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{
    Platform, X,
    answers::{Answer, Refusal, coded, id, invalid, no_such, problem},
    api::Call,
    bill::Billed,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFollow {
    target_user_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLike {
    tweet_id: String,
}

impl X {
    /// Whom the user follows, by their ids.
    pub fn follows(&self, user_id: &str) -> Vec<String> {
        let state = self.shared.state();
        let own = state.follows.iter().filter(|(who, _)| who == user_id);
        own.map(|(_, whom)| whom.clone()).collect()
    }

    /// The user decides for themselves who follows them from now on.
    pub fn lock(&self, user_id: &str) {
        self.shared.state().locked.entry(user_id.to_owned()).or_default();
    }

    /// How many posts the user likes.
    pub fn likes(&self, user_id: &str) -> usize {
        self.shared.state().likes.iter().filter(|(who, _)| who == user_id).count()
    }
}

impl Platform {
    /// Whoever signs requests here, by their username.
    fn named(&self, name: &str) -> Option<String> {
        let is_called = |id: &&String| self.sign_ins.username(id).eq_ignore_ascii_case(name);
        self.users.values().find(is_called).cloned()
    }

    pub(super) fn user(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !(1..=15).contains(&call.id.len()) || !call.id.chars().all(is_name) {
            return Err(invalid("username is not one"));
        }
        let Some(found) = self.named(call.id) else {
            let error = json!({
                "detail": format!("Could not find user with username: [{}].", call.id),
                "title": "Not Found Error",
                "resource_type": "user",
                "parameter": "username",
                "value": call.id,
                "type": "https://api.x.com/2/problems/resource-not-found",
            });
            return Ok(Answer::new(StatusCode::OK, json!({ "errors": [error] })));
        };
        self.charge(&call.user_id, Billed::User);
        let data = json!({ "id": found, "name": "A sheep", "username": call.id });
        Ok(Answer::new(StatusCode::OK, json!({ "data": data })))
    }

    pub(super) fn follow(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let NewFollow { target_user_id } = call.read()?;
        own(call, call.id)?;
        id("target_user_id", &target_user_id)?;
        if !self.users.values().any(|user| *user == target_user_id) {
            let missing = no_such("user", &target_user_id);
            return Err(Refusal(Answer::problem(StatusCode::NOT_FOUND, missing)));
        }
        let pair = (call.user_id.clone(), target_user_id.clone());
        let follows = self.follows.contains(&pair);
        if let Some(asked) = self.locked.get_mut(&target_user_id).filter(|_| !follows) {
            if !asked.insert(call.user_id.clone()) {
                let words = "You've already requested to follow this user.";
                return Err(coded(StatusCode::FORBIDDEN, 160, words));
            }
            let data = json!({ "following": false, "pending_follow": true });
            return Ok(Answer::new(StatusCode::OK, json!({ "data": data })));
        }
        self.follows.insert(pair);
        let data = json!({ "following": true, "pending_follow": false });
        Ok(Answer::new(StatusCode::OK, json!({ "data": data })))
    }

    pub(super) fn unfollow(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let path = call.head.uri.path();
        let source = path.split('/').nth(3).unwrap_or_default();
        own(call, source)?;
        id("target_user_id", call.id)?;
        self.follows.remove(&(call.user_id.clone(), call.id.to_owned()));
        if let Some(asked) = self.locked.get_mut(call.id) {
            asked.remove(&call.user_id);
        }
        Ok(Answer::new(StatusCode::OK, json!({ "data": { "following": false } })))
    }

    pub(super) fn like(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let NewLike { tweet_id } = call.read()?;
        own(call, call.id)?;
        let of = id("tweet_id", &tweet_id)?;
        if !self.posts.iter().any(|post| post.id == of) {
            let missing = no_such("tweet", &tweet_id);
            return Err(Refusal(Answer::problem(StatusCode::NOT_FOUND, missing)));
        }
        if !self.likes.insert((call.user_id.clone(), of)) {
            let words = "You have already favorited this status.";
            return Err(coded(StatusCode::FORBIDDEN, 139, words));
        }
        Ok(Answer::new(StatusCode::OK, json!({ "data": { "liked": true } })))
    }
}

/// Refuses what is asked for somebody else.
fn own(call: &Call<'_>, user_id: &str) -> Result<(), Refusal> {
    if user_id == call.user_id {
        return Ok(());
    }
    let detail = "The authenticated user is not the one in the path.";
    Err(problem(StatusCode::FORBIDDEN, detail))
}
