//! The way out: how requests to networks and to Slack leave the process.
//!
//! AWS's clients bring a way of their own, which their configuration has (`https.rs`).

use std::{error::Error, fmt, pin::Pin, sync::Arc};

use reqwest::{Request, RequestBuilder, Response};

/// How requests leave the process: over the network, or, where time is simulated, to what answers in its place.
#[derive(Clone, Default)]
pub struct Wire(Option<Arc<Answers>>);

type Answers = dyn Fn(Request) -> Answering + Send + Sync;

/// An answer on its way. It keeps the request's own time limit.
pub type Answering = Pin<Box<dyn Future<Output = Result<Response, Unanswered>> + Send>>;

/// No answer came. Holds no URL, which may be a credential.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// Nothing was sent, because no connection stood.
    #[error(transparent)]
    NotSent(Box<dyn Error + Send + Sync>),
    /// It was sent, at least in part.
    #[error(transparent)]
    Lost(Box<dyn Error + Send + Sync>),
}

impl Wire {
    /// To what `answers` in place of the network.
    pub fn to(answers: impl Fn(Request) -> Answering + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(answers)))
    }

    /// Sends a request once.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Unanswered> {
        let (client, request) = request.build_split();
        let request = request?;
        match &self.0 {
            None => Ok(client.execute(request).await?),
            Some(answers) => answers(request).await,
        }
    }
}

impl From<reqwest::Error> for Unanswered {
    fn from(err: reqwest::Error) -> Self {
        let err = err.without_url();
        if err.is_connect() || err.is_builder() {
            Self::NotSent(err.into())
        } else {
            Self::Lost(err.into())
        }
    }
}

impl PartialEq for Wire {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

impl Eq for Wire {}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Wire(simulated)" } else { "Wire(network)" })
    }
}
