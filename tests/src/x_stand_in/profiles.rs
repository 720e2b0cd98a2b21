//! What users show of themselves. Who looks is charged; what changes it is of v1.1, and open to the tier Enterprise alone.

use std::collections::HashMap;

use axum::http::{StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::{
    Platform, X,
    answers::{Answer, Refusal, coded, invalid, no_such, unknown_parameter},
    api::{Call, Operation},
    bill::Billed,
    faults::Trouble,
    oauth,
    pictures::image_type,
};

/// What a user shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct XProfile {
    /// What it calls itself.
    pub name: String,
    /// What it says of itself.
    pub description: String,
    /// A link.
    pub url: String,
    /// Where it is.
    pub location: String,
    /// The picture beside its posts, as it was sent.
    pub image: Option<Vec<u8>>,
    /// The picture above its profile, as it was sent.
    pub banner: Option<Vec<u8>>,
    /// How many pictures were sent.
    pub pictures: usize,
}

/// What users show, and whether they may change it.
#[derive(Debug, Default)]
pub(super) struct Profiles {
    by_user: HashMap<String, XProfile>,
    is_enterprise: bool,
}

impl X {
    /// The app is of the tier Enterprise from now on.
    pub fn enterprise(&self) {
        self.shared.state().profiles.is_enterprise = true;
    }

    /// What the user shows of itself.
    pub fn profile(&self, user_id: &str) -> XProfile {
        self.shared.state().profiles.of(user_id).clone()
    }
}

impl Profiles {
    fn of(&mut self, user_id: &str) -> &mut XProfile {
        let new = || XProfile { name: "A sheep".to_owned(), ..XProfile::default() };
        self.by_user.entry(user_id.to_owned()).or_insert_with(new)
    }
}

impl Platform {
    pub(super) fn look_up(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        for (name, _) in oauth::query(&call.head.uri) {
            if name != "user.fields" {
                return Err(unknown_parameter(&name));
            }
        }
        if !self.users.values().any(|known| known == call.id) {
            let errors = json!({ "errors": [no_such("user", call.id)] });
            return Ok(Answer::new(StatusCode::OK, errors));
        }
        self.charge(&call.user_id, Billed::User);
        let username = self.sign_ins.username(call.id);
        let XProfile { name, description, url, location, .. } = self.profiles.of(call.id).clone();
        let mut data = json!({
            "id": call.id, "name": name, "username": username, "description": description,
        });
        // What is empty is not there; a link is shortened.
        if !location.is_empty() {
            data["location"] = location.into();
        }
        if !url.is_empty() {
            let short = "https://t.co/profile";
            let link = json!({ "start": 0, "end": short.len(), "url": short, "expanded_url": url });
            data["url"] = short.into();
            data["entities"] = json!({ "url": { "urls": [link] } });
        }
        Ok(Answer::new(StatusCode::OK, json!({ "data": data })))
    }

    fn refuse_tier(&self) -> Result<(), Refusal> {
        if self.profiles.is_enterprise { Ok(()) } else { Err(Trouble::Tier.refusal()) }
    }

    pub(super) fn change_texts(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        self.refuse_tier()?;
        let query = oauth::query(&call.head.uri);
        for (name, value) in &query {
            let most = match name.as_str() {
                "name" => 50,
                "description" => 160,
                "url" => 100,
                "location" => 30,
                _ => return Err(unknown_parameter(name)),
            };
            if most < value.chars().count() {
                let words = format!("Account update failed: {name} is too long.");
                return Err(coded(StatusCode::FORBIDDEN, 120, &words));
            }
        }
        let profile = self.profiles.of(&call.user_id);
        for (name, value) in query {
            match name.as_str() {
                "name" => profile.name = value,
                "description" => profile.description = value,
                "url" => profile.url = value,
                _ => profile.location = value,
            }
        }
        let body = json!({ "id_str": call.user_id, "name": profile.name });
        Ok(Answer::new(StatusCode::OK, body))
    }

    pub(super) fn change_picture(
        &mut self,
        operation: Operation,
        call: &Call<'_>,
    ) -> Result<Answer, Refusal> {
        self.refuse_tier()?;
        let (field, most) = if operation == Operation::ProfileImage {
            ("image", 700_000)
        } else {
            ("banner", 5_000_000)
        };
        let bytes = file(call, field).ok_or_else(|| invalid("media parameter is missing."))?;
        if most < bytes.len() || image_type(bytes).is_none() {
            return Err(invalid("image file is too large or of no type that is taken."));
        }
        let bytes = bytes.to_vec();
        let profile = self.profiles.of(&call.user_id);
        profile.pictures += 1;
        if operation == Operation::ProfileImage {
            profile.image = Some(bytes);
            return Ok(Answer::new(StatusCode::OK, json!({ "id_str": call.user_id })));
        }
        profile.banner = Some(bytes);
        // A banner is taken without a word.
        Ok(Answer::new(StatusCode::CREATED, Value::String(String::new())))
    }
}

/// The file in the only field of a form.
fn file<'a>(call: &Call<'a>, field: &str) -> Option<&'a [u8]> {
    let kind = call.head.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (_, boundary) = kind.split_once("multipart/form-data; boundary=")?;
    let body = call.body;
    let find = |sought: &[u8]| body.windows(sought.len()).position(|at| at == sought);
    let end = find(format!("\r\n--{boundary}--\r\n").as_bytes())?;
    let head = find(b"\r\n\r\n")?;
    let words = String::from_utf8_lossy(body.get(..head)?).into_owned();
    words.contains(&format!("name=\"{field}\"; filename=")).then_some(())?;
    body.get(head + 4..end)
}
