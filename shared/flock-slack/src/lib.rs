//! Slack: request verification, what it sends, what it shows, its Web API.
//!
//! Knows Slack's forms and limits, and nothing of flocks, commands or tables.

mod api;
mod incoming;
mod message;
mod shortcode;
mod typed;
mod verify;

pub use api::{Identity, RoomInfo, SlackApi, SlackError, User, with_notice};
pub use incoming::{
    Callback, Interaction, Message, Pressed, ResponseUrl, SlashCommand, UnreadableBody,
    is_ssl_check,
};
pub use message::{
    ACTION_CHARACTERS, Audience, BLOCKS_PER_MESSAGE, BUTTONS_PER_BLOCK, Button, ButtonStyle,
    LABEL_CHARACTERS, LINK, Line, Reply, SECTION_CHARACTERS, Span, URL_CHARACTERS,
    VALUE_CHARACTERS, escape, fitted, fitted_lines, marked, mention, shortened,
};
pub use shortcode::{with_characters, with_shortcodes};
pub use typed::{bare_line, bare_name, bare_word, nameless_mention, trim, typed, unescape};
pub use verify::{Unverified, sign, verify};

/// The beginning of text that is not ours, on one line, for an error or a log.
fn cut(text: &str) -> String {
    const CHARACTERS: usize = 40;
    let mut cut: String = text.chars().take(CHARACTERS).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARACTERS).is_some() {
        cut.push('…');
    }
    cut
}
