//! The routes of template.yaml: which function answers a request, as API Gateway's HTTP APIs choose.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use tower::ServiceExt as _;

use crate::{
    functions::LocalFunction,
    template::{Method, Route},
};

/// API Gateway's longest integration (AWS, "Quotas for HTTP APIs", 2026-11).
const LONGEST: Duration = Duration::from_secs(30);

/// All routes of the template, and what answers them.
#[derive(Debug, Clone, Default)]
pub struct Routes(Vec<Answering>);

#[derive(Debug, Clone)]
struct Answering {
    route: Route,
    router: Router,
    timeout: Duration,
}

/// How well a route fits a request; the greatest wins.
type Fit = (usize, usize, bool);

impl Routes {
    /// The routes of `functions`.
    pub fn new(functions: &[Arc<LocalFunction>]) -> Self {
        let mut routes = Vec::new();
        for function in functions {
            let Some(answers) = function.router() else { continue };
            routes.extend(function.definition.routes.iter().map(|route| Answering {
                route: route.clone(),
                router: answers.clone(),
                timeout: function.definition.timeout.min(LONGEST),
            }));
        }
        Self(routes)
    }

    /// Answers a request as the function does that has the route, or as API Gateway does.
    pub async fn answer(self, request: Request) -> Response {
        let (method, path) = (request.method().as_str(), request.uri().path());
        let fitting = self
            .0
            .iter()
            .filter_map(|answering| Some((fit(&answering.route, method, path)?, answering)));
        let Some((_, answering)) = fitting.max_by_key(|(fit, _)| *fit) else {
            return not_found();
        };
        let answer = answering.router.clone().oneshot(request);
        match tokio::time::timeout(answering.timeout, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => gateway(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }
}

/// What API Gateway says where there is nothing.
pub fn not_found() -> Response {
    gateway(StatusCode::NOT_FOUND, "Not Found")
}

fn gateway(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

/// Whether `route` is for such a request: parts that are written out, then parts with a name count most, then
/// a method of its own.
fn fit(route: &Route, method: &str, path: &str) -> Option<Fit> {
    if route.method != Method::Any && route.method.as_str() != method {
        return None;
    }
    let (mut exact, mut named) = (0, 0);
    let mut parts = path.split('/');
    for wanted in route.path.split('/') {
        if wanted.ends_with("+}") {
            // It takes at least one part.
            parts.next()?;
            return Some((exact, named, route.method != Method::Any));
        }
        let part = parts.next()?;
        if wanted.starts_with('{') && !part.is_empty() {
            named += 1;
        } else if wanted == part {
            exact += 1;
        } else {
            return None;
        }
    }
    // What is written to its end beats what takes the rest.
    parts.next().is_none().then_some((exact, named + 1, route.method != Method::Any))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(routes: &[&str], request: &str, expected: Option<&str>) {
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let routes = routes.iter().map(|key| {
            let (method, path) = key.split_once(' ').expect("a method and a path");
            let method = Method::parse(method).expect("a method");
            (Route { method, path: path.to_owned(), line: 1 }, *key)
        });
        let found = routes.filter_map(|(route, key)| Some((fit(&route, method, path)?, key)));
        assert_eq!(found.max().map(|(_, key)| key), expected, "{request}");
    }

    #[test]
    fn the_closest_route_answers() {
        let routes = [
            "POST /slack/commands",
            "ANY /slack/commands",
            "GET /{room}",
            "GET /a/{proxy+}",
            "GET /a/{id}",
            "GET /a/b",
            "ANY /{proxy+}",
        ];
        check(&routes, "POST /slack/commands", Some("POST /slack/commands"));
        check(&routes, "PUT /slack/commands", Some("ANY /slack/commands"));
        check(&routes, "GET /a/b", Some("GET /a/b"));
        check(&routes, "GET /a/c", Some("GET /a/{id}"));
        check(&routes, "GET /a/c/d", Some("GET /a/{proxy+}"));
        check(&routes, "GET /x", Some("GET /{room}"));
        check(&routes, "POST /x", Some("ANY /{proxy+}"));
        check(&routes[..6], "GET /", None);
        check(&routes[..6], "POST /slack/commands/", None);
        check(&routes[..6], "POST /Slack/commands", None);
        check(&routes[..1], "GET /slack/commands", None);
        check(&routes[3..4], "GET /a", None);
    }
}
