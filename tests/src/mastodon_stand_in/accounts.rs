//! Accounts, and who a token is.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{
    HOST, Instance, Mastodon, Shared,
    answers::{Refusal, disabled, json_response, refusal, unprocessable},
    api::bearer,
    bodies::{Part, content_type, fields, multipart},
    pictures::is_picture,
    text::escaped,
};

#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: u64,
    pub(super) username: String,
    bot: bool,
    display_name: String,
    note: String,
    /// Name and value of each.
    fields: Vec<(String, String)>,
    avatar: Option<Bytes>,
    header: Option<Bytes>,
    /// How often a picture was made of what somebody sent.
    pictures: usize,
    pub(super) suspended: bool,
    /// When the present window of the rate limit began, and the requests since.
    pub(super) window: (i64, usize),
}

/// What an account shows of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MastodonProfile {
    /// What it calls itself.
    pub display_name: String,
    /// What it says of itself.
    pub note: String,
    /// Name and value of each field.
    pub fields: Vec<(String, String)>,
    /// The picture beside its posts, as it was sent.
    pub avatar: Option<Vec<u8>>,
    /// The picture above its profile, as it was sent.
    pub header: Option<Vec<u8>>,
    /// How many pictures were sent.
    pub pictures: usize,
    /// Whether it says that it is a bot's.
    pub bot: bool,
}

impl Mastodon {
    /// `Account::DISPLAY_NAME_LENGTH_LIMIT`, `NOTE_LENGTH_LIMIT`, `DEFAULT_FIELDS_SIZE` and `Account::Field::MAX_CHARACTERS_LOCAL`
    /// (app/models, 4.5).
    const NAME_CHARACTERS: usize = 30;
    const NOTE_CHARACTERS: usize = 500;
    const MOST_FIELDS: usize = 4;
    const FIELD_CHARACTERS: usize = 255;

    /// `AccountAvatar::LIMIT` and `AccountHeader::LIMIT`.
    const PROFILE_PICTURE_BYTES: usize = 8 * 1024 * 1024;

    /// Makes the account `username`, marked as a bot, with the token `token`; returns its id.
    pub fn account(&self, token: &str, username: &str) -> String {
        let mut state = self.shared.state();
        // Mastodon's own begin like this; they are not those of posts.
        let id = 109_000_000_000_000_000 + state.accounts.len() as u64;
        state.accounts.push(Account {
            id,
            username: username.to_owned(),
            bot: true,
            display_name: username.to_owned(),
            note: String::new(),
            fields: Vec::new(),
            avatar: None,
            header: None,
            pictures: 0,
            suspended: false,
            window: (0, 0),
        });
        state.tokens.insert(token.to_owned(), id);
        id.to_string()
    }

    /// Whether the account is marked as a bot.
    pub fn bot(&self, username: &str, bot: bool) {
        self.shared.state().account_named(username).bot = bot;
    }

    /// Gives the account a field in its profile, as somebody does on its pages.
    pub fn field(&self, username: &str, name: &str, value: &str) {
        let mut state = self.shared.state();
        state.account_named(username).fields.push((name.to_owned(), value.to_owned()));
    }

    /// What the account shows of itself.
    pub fn profile(&self, username: &str) -> MastodonProfile {
        let mut state = self.shared.state();
        let account = state.account_named(username);
        MastodonProfile {
            display_name: account.display_name.clone(),
            note: account.note.clone(),
            fields: account.fields.clone(),
            avatar: account.avatar.as_ref().map(|bytes| bytes.to_vec()),
            header: account.header.as_ref().map(|bytes| bytes.to_vec()),
            pictures: account.pictures,
            bot: account.bot,
        }
    }

    /// Whether the account is suspended.
    pub fn suspend(&self, username: &str, suspended: bool) {
        self.shared.state().account_named(username).suspended = suspended;
    }
}

pub(super) async fn verify(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    if let Some(me) = &state.about_me {
        return Ok(json_response(me));
    }
    Ok(json_response(&state.show_account(account)))
}

pub(super) async fn update(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let id = state.authenticate(&headers)?;
    let scope = bearer(&headers).and_then(|token| state.scopes.get(token)).cloned();
    let may = |scope: &str| {
        let mut given = scope.split(' ');
        given.any(|given| ["write", "write:accounts"].contains(&given))
    };
    if scope.is_some_and(|scope| !scope.is_empty() && !may(&scope)) {
        return Err(refusal(StatusCode::FORBIDDEN, "This action is outside the authorized scopes"));
    }
    let change = Change::read(&headers, &body)?;
    let account = state.account_by(id);
    // All of it, or nothing.
    change.make(account);
    Ok(json_response(&state.show_account(id)))
}

/// What is to be changed of a profile.
#[derive(Default)]
struct Change {
    display_name: Option<String>,
    note: Option<String>,
    bot: Option<bool>,
    /// By place, name and value.
    fields: BTreeMap<String, (String, String)>,
    avatar: Option<Bytes>,
    header: Option<Bytes>,
}

impl Change {
    /// Reads it, or refuses what Mastodon does not take.
    fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self, Refusal> {
        let mut change = Self::default();
        if content_type(headers).starts_with("multipart/form-data") {
            for part in multipart(headers, body)? {
                let is_picture = ["avatar", "header"].contains(&part.name.as_str());
                if is_picture {
                    change.picture(&part)?;
                } else {
                    let text = String::from_utf8_lossy(&part.bytes).into_owned();
                    change.set(&part.name, &text.into())?;
                }
            }
        } else {
            for (name, value) in fields(headers, body)? {
                change.set(&name, &value)?;
            }
        }
        let longest = [
            (&change.display_name, Mastodon::NAME_CHARACTERS, "Display name"),
            (&change.note, Mastodon::NOTE_CHARACTERS, "Note"),
        ];
        for (text, most, what) in longest {
            if text.as_ref().is_some_and(|text| most < text.graphemes(true).count()) {
                return Err(invalid(&format!("{what} is too long (maximum is {most} characters)")));
            }
        }
        change.fields.retain(|_, (_, value)| !value.trim().is_empty());
        if Mastodon::MOST_FIELDS < change.fields.len() {
            return Err(invalid("Fields is too long (maximum is 4 characters)"));
        }
        let is_long = |text: &String| Mastodon::FIELD_CHARACTERS < text.chars().count();
        if change.fields.values().any(|(name, value)| is_long(name) || is_long(value)) {
            return Err(invalid("Profile fields is too long"));
        }
        Ok(change)
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), Refusal> {
        let text = value.as_str().map(ToOwned::to_owned).unwrap_or_default();
        match name {
            "display_name" => self.display_name = Some(text),
            "note" => self.note = Some(text),
            "bot" => self.bot = Some(*value == json!(true) || text == "true"),
            _ => {
                let unknown = || unprocessable(&format!("unknown parameter {name}"));
                let rest = name.strip_prefix("fields_attributes[").ok_or_else(unknown)?;
                let (place, which) = rest.split_once("][").ok_or_else(unknown)?;
                let (of_name, of_value) = self.fields.entry(place.to_owned()).or_default();
                match which {
                    "name]" => *of_name = text,
                    "value]" => *of_value = text,
                    _ => return Err(unknown()),
                }
            }
        }
        Ok(())
    }

    fn picture(&mut self, part: &Part) -> Result<(), Refusal> {
        let Part { name, mime, bytes } = part;
        let what = if name == "avatar" { "Avatar" } else { "Header" };
        if !is_picture(mime.as_deref().unwrap_or_default(), bytes) {
            return Err(invalid(&format!("{what} content type is invalid, {what} is invalid")));
        }
        if Mastodon::PROFILE_PICTURE_BYTES < bytes.len() {
            return Err(invalid(&format!("{what} file size must be less than 8 MB")));
        }
        let picture = Some(bytes.clone());
        if name == "avatar" {
            self.avatar = picture;
        } else {
            self.header = picture;
        }
        Ok(())
    }

    fn make(self, account: &mut Account) {
        let Self { display_name, note, bot, fields, avatar, header } = self;
        // Blanks around them are cut off (`prepare_contents`).
        if let Some(name) = display_name {
            name.trim().clone_into(&mut account.display_name);
        }
        if let Some(note) = note {
            note.trim().clone_into(&mut account.note);
        }
        account.bot = bot.unwrap_or(account.bot);
        if !fields.is_empty() {
            account.fields = fields.into_values().collect();
        }
        account.pictures += usize::from(avatar.is_some()) + usize::from(header.is_some());
        account.avatar = avatar.or(account.avatar.take());
        account.header = header.or(account.header.take());
    }
}

fn invalid(what: &str) -> Refusal {
    unprocessable(&format!("Validation failed: {what}"))
}

impl Instance {
    pub(super) fn account_named(&mut self, username: &str) -> &mut Account {
        let found = self.accounts.iter_mut().find(|account| account.username == username);
        found.expect("the test made the account")
    }

    pub(super) fn account_by(&mut self, id: u64) -> &mut Account {
        let found = self.accounts.iter_mut().find(|account| account.id == id);
        found.expect("tokens and posts are those of accounts")
    }

    pub(super) fn authenticate(&mut self, headers: &HeaderMap) -> Result<u64, Refusal> {
        let id = bearer(headers).and_then(|token| self.tokens.get(token)).copied();
        let id =
            id.ok_or_else(|| refusal(StatusCode::UNAUTHORIZED, "The access token is invalid"))?;
        if self.account_by(id).suspended {
            return Err(disabled());
        }
        Ok(id)
    }

    pub(super) fn show_account(&self, id: u64) -> Value {
        let account = self.accounts.iter().find(|account| account.id == id);
        let account = account.expect("tokens and posts are those of accounts");
        let shown_fields = |shown: &dyn Fn(&str) -> String| -> Vec<Value> {
            let fields = account.fields.iter().map(
                |(name, value)| json!({ "name": name, "value": shown(value), "verified_at": null }),
            );
            fields.collect()
        };
        json!({
            "id": id.to_string(),
            "username": account.username,
            "acct": account.username,
            "display_name": account.display_name,
            "locked": false,
            "bot": account.bot,
            "note": format!("<p>{}</p>", escaped(&account.note)),
            "url": format!("https://{HOST}/@{}", account.username),
            // Another address for each picture that was sent, under which is what was made of it.
            "avatar": format!("https://{HOST}/avatars/{id}/{}.png", account.pictures),
            "header": format!("https://{HOST}/headers/{id}/{}.png", account.pictures),
            "fields": shown_fields(&|value| format!("<p>{}</p>", escaped(value))),
            "source": {
                "note": account.note,
                "fields": shown_fields(&ToOwned::to_owned),
                "privacy": "public",
                "sensitive": false,
                "language": "",
                "follow_requests_count": 0,
            },
        })
    }
}
