//! An account's posts, page by page.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, header::LINK},
    response::Response,
};
use serde_json::Value;

use super::{
    HOST, Instance, Shared,
    answers::{Refusal, json_response, not_found, unprocessable},
    api::bearer,
    bodies::number,
    faults::Listed,
};

/// What a listing asks for.
#[derive(Debug, Clone)]
struct Listing {
    limit: usize,
    max_id: Option<u64>,
    since_id: Option<u64>,
    min_id: Option<u64>,
    exclude_reblogs: bool,
    exclude_replies: bool,
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Path(account): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let state = shared.state();
    let account = number(&account)?;
    let account = state.accounts.iter().find(|known| known.id == account).ok_or_else(not_found)?;
    let reader = bearer(&headers).and_then(|token| state.tokens.get(token)).copied();
    let listing = Listing::read(&query)?;
    if state.listed != Listed::NewestFirst {
        return Ok(json_response(&state.list_otherwise(account.id, reader, &listing).into()));
    }
    let mut found: Vec<_> = state
        .posts
        .iter()
        .filter(|post| {
            post.account == account.id
                && !account.suspended
                && (post.is_public() || reader == Some(account.id))
                && listing.max_id.is_none_or(|max| post.id < max)
                && listing.since_id.is_none_or(|since| since < post.id)
                && listing.min_id.is_none_or(|min| min < post.id)
                && !(listing.exclude_reblogs && post.reblog_of.is_some())
                && !(listing.exclude_replies && state.is_reply_to_another(post))
        })
        .collect();
    // With min_id the page begins there; otherwise it ends with the newest.
    if listing.min_id.is_some() {
        found.truncate(listing.limit);
    } else if let Some(older) = found.len().checked_sub(listing.limit) {
        found.drain(..older);
    }
    found.reverse();
    let mut links = Vec::new();
    let here = format!("https://{}/api/v1/accounts/{}/statuses", HOST, account.id);
    let limit = listing.limit;
    if let (Some(newest), Some(oldest)) = (found.first(), found.last()) {
        if found.len() == limit {
            links.push(format!("<{here}?limit={limit}&max_id={}>; rel=\"next\"", oldest.id));
        }
        links.push(format!("<{here}?limit={limit}&min_id={}>; rel=\"prev\"", newest.id));
    }
    let page: Vec<_> = found.iter().map(|post| state.show(post)).collect();
    let mut response = json_response(&page.into());
    if !links.is_empty() {
        let links = links.join(", ").try_into().expect("a link is visible ASCII");
        response.headers_mut().insert(LINK, links);
    }
    Ok(response)
}

impl Instance {
    /// A page in another order than Mastodon's, and without links to the next.
    fn list_otherwise(&self, account: u64, reader: Option<u64>, listing: &Listing) -> Vec<Value> {
        let mut found: Vec<_> = self
            .posts
            .iter()
            .filter(|post| {
                post.account == account
                    && (post.is_public() || reader == Some(account))
                    && !(listing.exclude_reblogs && post.reblog_of.is_some())
            })
            .collect();
        if let Listed::Everything(most) = self.listed {
            found.truncate(most);
            return found.into_iter().map(|post| self.show(post)).collect();
        }
        if self.listed == Listed::Unpaged {
            let newest = found.into_iter().rev().take(listing.limit);
            return newest.map(|post| self.show(post)).collect();
        }
        found.retain(|post| {
            listing.max_id.is_none_or(|max| post.id < max)
                && listing.since_id.is_none_or(|since| since < post.id)
                && listing.min_id.is_none_or(|min| min < post.id)
        });
        if self.listed == Listed::OldestFirst || listing.min_id.is_some() {
            found.truncate(listing.limit);
        } else if let Some(older) = found.len().checked_sub(listing.limit) {
            found.drain(..older);
        }
        if self.listed == Listed::Shuffled {
            // No order, and the same each time.
            found.sort_by_key(|post| post.id.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17));
        }
        found.into_iter().map(|post| self.show(post)).collect()
    }
}

impl Listing {
    /// Mastodon ignores what it does not know; here it is an error, because it is a mistake of ours.
    pub(super) fn read(query: &[(String, String)]) -> Result<Self, Refusal> {
        let mut listing = Self {
            limit: 20,
            max_id: None,
            since_id: None,
            min_id: None,
            exclude_reblogs: false,
            exclude_replies: false,
        };
        for (name, value) in query {
            let number = || value.parse::<u64>().map_err(|_| unprocessable(name));
            match name.as_str() {
                "limit" => {
                    let limit: usize = value.parse().map_err(|_| unprocessable(name))?;
                    listing.limit = limit.min(40);
                }
                "max_id" => listing.max_id = Some(number()?),
                "since_id" => listing.since_id = Some(number()?),
                "min_id" => listing.min_id = Some(number()?),
                "exclude_reblogs" => listing.exclude_reblogs = value == "true",
                "exclude_replies" => listing.exclude_replies = value == "true",
                _ => return Err(unprocessable(&format!("unknown parameter {name}"))),
            }
        }
        Ok(listing)
    }
}
