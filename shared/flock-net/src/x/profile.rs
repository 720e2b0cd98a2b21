//! What an account shows of itself on X. API v2 can only read it; what changes it is of v1.1, which is shut to ordinary tiers (403,
//! code 453), and so what X says is handed on (docs.x.com, "Users lookup", and developer.twitter.com, "Manage account settings and
//! profile", both 2026-11).

use flock_core::{Charge, Network, Picture, ProfilePart, Shown, Wanted};
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::{Body, Caller, X, XKey, failure, read};
use crate::{
    Account, Failure, Purse,
    answer::DONE,
    form::{Form, Part},
    lenient,
};

#[derive(Debug, Deserialize)]
struct Looked {
    data: User,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct User {
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    #[serde(deserialize_with = "lenient::text")]
    description: String,
    #[serde(deserialize_with = "lenient::text")]
    location: String,
    #[serde(deserialize_with = "lenient::text")]
    url: String,
    #[serde(deserialize_with = "lenient::part")]
    entities: Entities,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Entities {
    #[serde(deserialize_with = "lenient::part")]
    url: Links,
    #[serde(deserialize_with = "lenient::part")]
    description: Links,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Links {
    #[serde(deserialize_with = "lenient::nullable")]
    urls: Vec<Link>,
}

/// A link, as X shortens it and as it was written.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Link {
    #[serde(deserialize_with = "lenient::text")]
    url: String,
    #[serde(deserialize_with = "lenient::text")]
    expanded_url: String,
}

impl X {
    /// Looks the account up, which X charges however often it is done.
    pub(crate) async fn profile(
        &self,
        account: &Account,
        key: &XKey,
        purse: &Purse<'_>,
    ) -> Result<Shown, Failure> {
        self.may_ask(account)?;
        let caller = Caller { account, key, purse };
        let bill = purse.pay_each(Network::X, "profile", Charge::Users(1)).await?;
        let fields = "name,description,location,url,entities";
        let query = [("user.fields", fields.to_owned())];
        let path = format!("/2/users/{}", account.remote_user);
        let answer = self.ask(Method::GET, &path, &query, None, caller).await;
        let looked = answer.and_then(|answer| read::<Looked>(&answer));
        match looked.as_ref().err().and_then(Failure::not_done) {
            Some(proof) => purse.give_back(&bill, proof).await?,
            None => purse.settle_at(&bill, Charge::Users(1)).await?,
        }
        Ok(looked?.data.shown())
    }

    /// Changes what is wanted, in up to three requests; says what is changed where it is not all. Done again it changes nothing.
    pub(crate) async fn change_profile(
        &self,
        account: &Account,
        key: &XKey,
        wanted: &Wanted,
    ) -> Result<(), Failure> {
        let mut changed = Vec::new();
        let parts =
            wanted.texts.iter().filter_map(|(part, text)| Some((*part, name(*part)?, text)));
        let parts: Vec<_> = parts.collect();
        if !parts.is_empty() {
            let texts: Vec<_> =
                parts.iter().map(|(_, name, text)| (*name, (*text).clone())).collect();
            let path = "/1.1/account/update_profile.json";
            self.change(path, &texts, None, account, key).await?;
            changed.extend(parts.iter().map(|(part, ..)| *part));
        }
        let pictures: [(ProfilePart, &str, &str, &Option<Picture>); 2] = [
            (
                ProfilePart::Picture,
                "/1.1/account/update_profile_image.json",
                "image",
                &wanted.picture,
            ),
            (
                ProfilePart::Banner,
                "/1.1/account/update_profile_banner.json",
                "banner",
                &wanted.banner,
            ),
        ];
        for (part, path, field, picture) in pictures {
            let Some(picture) = picture else { continue };
            let mut form = Form::new(&account.id.to_string());
            form.add(Part::picture(field, picture));
            let done = self.change(path, &[], Some(form), account, key).await;
            done.map_err(|failure| after(failure, &changed, part))?;
            changed.push(part);
        }
        Ok(())
    }

    async fn change(
        &self,
        path: &str,
        query: &[(&str, String)],
        form: Option<Form>,
        account: &Account,
        key: &XKey,
    ) -> Result<(), Failure> {
        self.may_ask(account)?;
        let form = form.map(Form::finish);
        let body = form.as_ref().map(|(kind, bytes)| Body::Form { kind, bytes });
        let answer = self.ask_as(Method::POST, path, query, body, account, key).await?;
        // A banner is taken without a word.
        if DONE.contains(&answer.status)
            || answer.status == StatusCode::ACCEPTED
            || answer.status == StatusCode::NO_CONTENT
        {
            return Ok(());
        }
        Err(failure(&answer))
    }
}

impl User {
    /// With links as they were written, and not as X shortens them.
    fn shown(&self) -> Shown {
        let long = |text: &str, links: &Links| {
            links
                .urls
                .iter()
                .filter(|link| !link.url.is_empty())
                .fold(text.to_owned(), |text, link| text.replace(&link.url, &link.expanded_url))
        };
        let texts = [
            (ProfilePart::Name, self.name.clone()),
            (ProfilePart::Bio, long(&self.description, &self.entities.description)),
            (ProfilePart::Url, long(&self.url, &self.entities.url)),
            (ProfilePart::Location, self.location.clone()),
        ];
        Shown { texts: texts.into(), picture: None, banner: None, bot: None }
    }
}

/// What went wrong with `part`, once these were changed.
fn after(failure: Failure, changed: &[ProfilePart], part: ProfilePart) -> Failure {
    let names: Vec<_> = changed.iter().map(|part| format!("the {part}")).collect();
    let are = match names.as_slice() {
        [] => return failure,
        [one] => format!("{one} is"),
        [most @ .., last] => format!("{} and {last} are", most.join(", ")),
    };
    let why = match failure.not_done() {
        Some(_) => format!("{are} changed, the {part} is not: {}", failure.why),
        None => format!("{are} changed, and nobody knows whether the {part} is: {}", failure.why),
    };
    Failure { why, ..failure }
}

/// What v1.1 calls a part that is a text.
fn name(part: ProfilePart) -> Option<&'static str> {
    match part {
        ProfilePart::Name => Some("name"),
        ProfilePart::Bio => Some("description"),
        ProfilePart::Url => Some("url"),
        ProfilePart::Location => Some("location"),
        ProfilePart::Picture | ProfilePart::Banner | ProfilePart::Bot => None,
    }
}
