//! What an account shows of itself on Mastodon (docs.joinmastodon.org, methods/accounts and entities/CredentialAccount, 2026-11).
//!
//! A link and a location are two of the few fields that a profile has; the others are somebody else's, and are sent along as they
//! are, because a list of fields replaces the one before.

use flock_core::{Picture, ProfilePart, Shown, Wanted};
use reqwest::{Method, StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;

use super::{Instance, Mastodon, MastodonKey};
use crate::{
    Account, Failure,
    failure::NotDone,
    form::{Form, Part},
    lenient,
};

/// How many fields a profile has (`DEFAULT_FIELDS_SIZE`); an instance may have more, which it would show.
const MOST_FIELDS: usize = 4;

/// What an instance says of the profile of the account whose key it is given.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Profile {
    #[serde(deserialize_with = "lenient::text")]
    display_name: String,
    #[serde(deserialize_with = "lenient::flag")]
    bot: bool,
    #[serde(deserialize_with = "lenient::part")]
    source: Source,
}

/// The same as it was written, without what was made of it for pages.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Source {
    #[serde(deserialize_with = "lenient::text")]
    note: String,
    #[serde(deserialize_with = "lenient::nullable")]
    fields: Vec<Field>,
}

#[derive(Debug, Deserialize, Default, Clone, PartialEq, Eq)]
#[serde(default)]
struct Field {
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    #[serde(deserialize_with = "lenient::text")]
    value: String,
}

/// What the field of a part is called.
fn field_name(part: ProfilePart) -> Option<&'static str> {
    match part {
        ProfilePart::Url => Some("Website"),
        ProfilePart::Location => Some("Location"),
        ProfilePart::Name
        | ProfilePart::Bio
        | ProfilePart::Picture
        | ProfilePart::Banner
        | ProfilePart::Bot => None,
    }
}

impl Mastodon {
    pub(crate) async fn profile(
        &self,
        account: &Account,
        key: &MastodonKey,
    ) -> Result<Shown, Failure> {
        Ok(self.instance(account, key).profile().await?.shown())
    }

    /// Changes what is wanted in one request, so that it is all of it or nothing. Done again it changes nothing.
    pub(crate) async fn change_profile(
        &self,
        account: &Account,
        key: &MastodonKey,
        wanted: &Wanted,
    ) -> Result<(), Failure> {
        let instance = self.instance(account, key);
        let mut form = Form::new(&account.id.to_string());
        for (part, text) in &wanted.texts {
            match part {
                ProfilePart::Name => form.add(Part::text("display_name", text)),
                ProfilePart::Bio => form.add(Part::text("note", text)),
                ProfilePart::Url
                | ProfilePart::Location
                | ProfilePart::Picture
                | ProfilePart::Banner
                | ProfilePart::Bot => {}
            }
        }
        if wanted.texts.keys().any(|part| field_name(*part).is_some()) {
            let there = instance.profile().await?.source.fields;
            let fields = with_wanted(there, wanted).map_err(|more| {
                let why = format!(
                    "{} shows {MOST_FIELDS} fields in a profile, and the account would have {more} with its link and location; \
                     take one away there",
                    instance.name
                );
                Failure::cannot(why)
            })?;
            for (place, Field { name, value }) in fields.iter().enumerate() {
                form.add(Part::text(&format!("fields_attributes[{place}][name]"), name));
                form.add(Part::text(&format!("fields_attributes[{place}][value]"), value));
            }
        }
        let pictures: [(&str, &Option<Picture>); 2] =
            [("avatar", &wanted.picture), ("header", &wanted.banner)];
        for (name, picture) in pictures {
            if let Some(picture) = picture {
                form.add(Part::picture(name, picture));
            }
        }
        if let Some(bot) = wanted.bot {
            form.add(Part::text("bot", &bot.to_string()));
        }
        let (content_type, body) = form.finish();
        let request = instance.request(Method::PATCH, "/api/v1/accounts/update_credentials")?;
        let request = request.header(CONTENT_TYPE, content_type).body(body);
        let answer = instance.send(request).await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE => {
                let why = format!("{} does not take the profile{}", instance.name, answer.said());
                return Err(Failure::refused(NotDone::HARMLESS, why));
            }
            StatusCode::FORBIDDEN if answer.said().contains("outside the authorized scopes") => {
                let why = format!(
                    "{} does not let the key change profiles{}; renew the account's key with `write:accounts`",
                    instance.name,
                    answer.said()
                );
                return Err(Failure::refused(NotDone::HARMLESS, why));
            }
            _ => return Err(instance.failure(&answer)),
        }
        let shown = answer.json::<Profile>(&instance.name)?.shown();
        let left = wanted.without_pictures().differences(&shown);
        if left.is_empty() {
            return Ok(());
        }
        let left: Vec<_> = left.iter().map(|left| left.part.to_string()).collect();
        let why = format!(
            "{} took the profile and does not show this of it as it was sent: {}",
            instance.name,
            left.join(", ")
        );
        Err(Failure::refused(NotDone::HARMLESS, why))
    }
}

impl Instance<'_> {
    async fn profile(&self) -> Result<Profile, Failure> {
        let request = self.request(Method::GET, "/api/v1/accounts/verify_credentials")?;
        let answer = self.send(request).await.map_err(Failure::posts_nothing)?;
        if answer.status != StatusCode::OK {
            return Err(self.reading_failure(&answer));
        }
        answer.json(&self.name).map_err(Failure::posts_nothing)
    }
}

impl Profile {
    fn shown(&self) -> Shown {
        let field = |part| {
            let name = field_name(part)?;
            let field = self.source.fields.iter().find(|field| is_called(field, name));
            Some((part, field.map(|field| field.value.clone()).unwrap_or_default()))
        };
        let of = [
            (ProfilePart::Name, self.display_name.clone()),
            (ProfilePart::Bio, self.source.note.clone()),
        ];
        let fields = [ProfilePart::Url, ProfilePart::Location].into_iter().filter_map(field);
        Shown {
            texts: of.into_iter().chain(fields).collect(),
            // It makes other pictures of what it is given.
            picture: None,
            banner: None,
            bot: Some(self.bot),
        }
    }
}

fn is_called(field: &Field, name: &str) -> bool {
    field.name.trim().eq_ignore_ascii_case(name)
}

/// The fields with what is wanted of them, the others as they are; how many it would be where that is too many.
fn with_wanted(mut fields: Vec<Field>, wanted: &Wanted) -> Result<Vec<Field>, usize> {
    let had = fields.len();
    for (part, text) in &wanted.texts {
        let Some(name) = field_name(*part) else { continue };
        match fields.iter_mut().find(|field| is_called(field, name)) {
            Some(field) => field.value.clone_from(text),
            None if text.is_empty() => {}
            None => fields.push(Field { name: name.to_owned(), value: text.clone() }),
        }
    }
    // A field without a value is taken away.
    let kept = fields.iter().filter(|field| !field.value.is_empty()).count();
    if had.max(MOST_FIELDS) < kept { Err(kept) } else { Ok(fields) }
}
