//! An account's posts, page by page.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use super::{
    Platform, X,
    answers::{Answer, Refusal, id, invalid, no_such, unknown_parameter},
    api::Call,
    bill::Billed,
    oauth,
};

/// What a listing asks for.
struct Listing {
    max_results: usize,
    since_id: Option<u64>,
    start_time: Option<Timestamp>,
    /// Only posts older than this one: what a pagination token stands for.
    before_id: Option<u64>,
    /// Only posts newer than this one: the same where the oldest come first.
    after_id: Option<u64>,
    reposts: bool,
    replies: bool,
    fields: Vec<String>,
}

impl Platform {
    pub(super) fn list(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        id("id", call.id)?;
        let listing = Listing::read(&oauth::query(&call.head.uri))?;
        if !self.users.values().any(|known| *known == call.id) && !self.sign_ins.knows(call.id) {
            // X answers 200 to this.
            let body = json!({ "errors": [no_such("user", call.id)] });
            return Ok(Answer::new(StatusCode::OK, body));
        }
        let now = self.now();
        let mut found = Vec::new();
        for post in self.posts.iter_mut().rev().filter(|post| {
            post.user_id == call.id
                && listing.since_id.is_none_or(|since| since < post.id)
                && listing.start_time.is_none_or(|start| start <= post.at)
                && listing.before_id.is_none_or(|before| post.id < before)
                && (listing.reposts || post.repost_of.is_none())
                && (listing.replies || post.reply_to.is_none())
        }) {
            match post.unlisted.checked_sub(1) {
                Some(left) if now.duration_since(post.at) < X::LISTED_WITHIN => {
                    post.unlisted = left;
                }
                Some(_) | None => found.push(&*post),
            }
        }
        if self.oldest_first {
            found.reverse();
            found.retain(|post| listing.after_id.is_none_or(|after| after < post.id));
        }
        let more = listing.max_results < found.len();
        found.truncate(listing.max_results);
        let mut meta = json!({ "result_count": found.len() });
        let (Some(newest), Some(oldest)) = (found.first(), found.last()) else {
            return Ok(Answer::new(StatusCode::OK, json!({ "meta": meta })));
        };
        meta["newest_id"] = newest.id.to_string().into();
        meta["oldest_id"] = oldest.id.to_string().into();
        if more {
            // After the last that is listed, whichever way.
            let way = if self.oldest_first { "after" } else { "before" };
            meta["next_token"] = format!("{way}{}", oldest.id).into();
        }
        let data: Vec<_> = found.iter().map(|post| post.show(&listing.fields)).collect();
        for _ in 0..data.len() {
            self.charge(&call.user_id, Billed::OwnPost);
        }
        Ok(Answer::new(StatusCode::OK, json!({ "data": data, "meta": meta })))
    }
}

impl Listing {
    pub(super) fn read(query: &[(String, String)]) -> Result<Self, Refusal> {
        let mut listing = Self {
            max_results: 10,
            since_id: None,
            start_time: None,
            before_id: None,
            after_id: None,
            reposts: true,
            replies: true,
            fields: Vec::new(),
        };
        for (name, value) in query {
            match name.as_str() {
                "max_results" => {
                    let count = value.parse().ok().filter(|count| (5..=100).contains(count));
                    listing.max_results =
                        count.ok_or_else(|| invalid("max_results is not from 5 to 100"))?;
                }
                "since_id" => listing.since_id = Some(id(name, value)?),
                "start_time" => {
                    let start: Option<Timestamp> = value.parse().ok();
                    // 2010-11-06: X has no posts by time from before.
                    let start = start.filter(|start| start.as_second() >= 1_289_001_600);
                    listing.start_time = Some(start.ok_or_else(|| {
                        invalid("start_time is not an RFC 3339 time on or after 2010-11-06")
                    })?);
                }
                "pagination_token" => {
                    let number = |way| value.strip_prefix(way).and_then(|id| id.parse().ok());
                    listing.before_id = number("before");
                    listing.after_id = number("after");
                    if listing.before_id.or(listing.after_id).is_none() {
                        return Err(invalid("pagination_token is not one of ours"));
                    }
                }
                "exclude" => {
                    for kind in value.split(',') {
                        match kind {
                            "retweets" => listing.reposts = false,
                            "replies" => listing.replies = false,
                            _ => return Err(invalid("exclude is neither retweets nor replies")),
                        }
                    }
                }
                "post.fields" => {
                    listing.fields = value.split(',').map(ToOwned::to_owned).collect();
                }
                _ => return Err(unknown_parameter(name)),
            }
        }
        Ok(listing)
    }
}
