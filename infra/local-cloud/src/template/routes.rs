//! Which requests start a function: the routes of the HTTP API.

use std::{collections::BTreeMap, fmt};

use super::{
    FUNCTION, INTEGRATION, Reading, Resource, choice, functions::Function, none_of,
    values::resource_in,
};

/// A request that a function answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Starts with a slash; `{name}` stands for one part and `{name+}` for all that follow.
    pub path: String,
    /// Where it is defined.
    pub line: usize,
}

/// The method of a [`Route`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Every one for which the path has no route of its own.
    Any,
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

impl Method {
    const ALL: [Self; 8] = [
        Self::Any,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
        Self::Delete,
    ];

    /// Its name in capitals; `ANY` for all.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "ANY",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// Reads it in capitals.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|method| method.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is not a method; write one of {known}")
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

const NOT_DONE_OF_INTEGRATION: &str = "IntegrationSubtype RequestParameters ResponseParameters";

const NOT_DONE_OF_ROUTE: &str = "ApiKeyRequired AuthorizationScopes AuthorizerId";

impl<'n> Reading<'n> {
    /// Hands each route to the function behind its integration.
    pub(super) fn routes(
        &self,
        integrations: Vec<&Resource<'n>>,
        routes: Vec<&Resource<'n>>,
        functions: &mut [Function],
    ) {
        let is = |kind: &'static str| {
            move |name: &&str| self.kinds.get(name).is_some_and(|known| *known == kind)
        };
        let mut function_of: BTreeMap<&str, &str> = BTreeMap::new();
        for Resource { id, properties, .. } in integrations {
            none_of(NOT_DONE_OF_INTEGRATION, properties);
            choice(properties, "PayloadFormatVersion", &["2.0"]);
            choice(properties, "IntegrationType", &["AWS_PROXY"]);
            let uri = properties.need(
                "IntegrationUri",
                "`!GetAtt` and the `Arn` of a function, or `!Ref` and its `Alias`",
            );
            let Some(uri) = uri else { continue };
            match resource_in(uri.node).filter(is(FUNCTION)) {
                Some(function) => drop(function_of.insert(id, function)),
                None => uri.must_be("the `Arn` of a function"),
            }
        }
        let mut lines: BTreeMap<(Method, String), usize> = BTreeMap::new();
        for Resource { properties, .. } in routes {
            none_of(NOT_DONE_OF_ROUTE, properties);
            choice(properties, "AuthorizationType", &["NONE"]);
            let key = properties.need("RouteKey", "one, as in `POST /slack/command`");
            let key = key.and_then(|value| value.accept(route_key(&self.text(&value)?)));
            let integration = "`!Sub integrations/${...}` with an integration";
            let target = properties.need("Target", integration);
            let (Some((method, path)), Some(target)) = (key, target) else { continue };
            let line = properties.line;
            if let Some(first) = lines.insert((method, path.clone()), line) {
                let text = format!("`{method} {path}` is here twice, first on line {first}");
                properties.finding(text + "; remove one");
            }
            let Some(id) = resource_in(target.node).filter(is(INTEGRATION)) else {
                target.must_be(integration);
                continue;
            };
            let function = function_of.get(id);
            let mut functions = functions.iter_mut();
            // Without a function there is a finding already.
            if let Some(function) = functions.find(|known| Some(&&*known.logical_id) == function) {
                function.routes.push(Route { method, path, line });
            }
        }
    }
}

/// Whether a path can be served, and deployed.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err(format!("the path `{path}` does not start with a slash; write `/{path}`"));
    };
    let mut parts = rest.split('/').peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let inner = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let name =
            inner.map(|name| if is_last { name.strip_suffix('+').unwrap_or(name) } else { name });
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        };
        let is_text = |part: &str| {
            (is_last || !part.is_empty())
                && part.chars().all(|c| c.is_ascii_graphic() && !"{}?#\"<>\\^`|+*".contains(c))
        };
        if !name.map_or_else(|| is_text(part), is_name) {
            let text = format!("`{part}` in the path `{path}` cannot be served");
            return Err(text + "; write text or `{name}`, at the end also `{name+}`");
        }
    }
    Ok(())
}

/// The method and the path, as in `POST /slack/command`.
pub(crate) fn route_key(key: &str) -> Result<(Method, String), String> {
    let Some((method, path)) = key.split_once(' ') else {
        return Err(format!(
            "`{key}` is not a method and a path; write them as in `POST /slack/command`"
        ));
    };
    check_path(path)?;
    Ok((Method::parse(method)?, path.to_owned()))
}
