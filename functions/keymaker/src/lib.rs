//! The keymaker: pages on which somebody signs in as an account, so that nobody touches a key.
//!
//! `http.rs` is the door: what a browser sends, and what it is answered; `sign_in.rs` takes a sign-in from its link to its key;
//! `pages.rs` has the words. A link's token, what a browser is bound by and what comes back from a network are in memory alone.

mod app;
mod browser;
mod function;
mod http;
mod pages;
mod settings;
mod sign_in;

pub use app::App;
pub use browser::{Bearer, SENT_FORM_BYTES, SentForm};
pub use function::Keymaker;
pub use settings::{KeysUrl, Settings};
