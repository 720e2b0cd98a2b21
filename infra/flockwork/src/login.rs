//! How whoever works from this shell logs in at AWS, and what they type when they are not logged in.

use aws_config::profile::{self, ProfileSet};
use aws_types::os_shim_internal::{Env, Fs};

/// Where credentials come from, as far as the shell and its profile say.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// Variables of the shell.
    Variables,
    /// `aws sso login`, for a profile.
    Sso(String),
    /// `aws login`, for a profile.
    Login(String),
    /// The program that a profile names.
    Process(String),
    /// The profile that the shell names is not there.
    NoProfile(String),
    /// The profile that another, the second, stands on is not there.
    NoProfileBelow(String, String),
    /// Nothing says.
    Unknown,
}

/// A profile may stand on another, which may stand on a third.
const MOST_PROFILES: usize = 10;

/// What there is to do for credentials that AWS takes: a part of a sentence, with the command.
pub(crate) async fn how_to_log_in() -> String {
    match source().await {
        Source::Variables => {
            "AWS_ACCESS_KEY_ID of this shell says who you are: set it, AWS_SECRET_ACCESS_KEY and \
                              AWS_SESSION_TOKEN anew, or unset them"
                .to_owned()
        }
        Source::Sso(profile) => format!("log in with `aws sso login{}`", of(&profile)),
        Source::Login(profile) => format!("log in with `aws login{}`", of(&profile)),
        Source::Process(profile) => format!(
            "see to the program that the profile {profile} names as `credential_process`, in ~/.aws/config"
        ),
        Source::NoProfile(profile) => format!(
            "there is no profile {profile}, which AWS_PROFILE of this shell names: set it to one that \
             `aws configure list-profiles` shows"
        ),
        Source::NoProfileBelow(missing, profile) => format!(
            "there is no profile {missing}, which the profile {profile} names as `source_profile` in ~/.aws/config: set that to one \
             that `aws configure list-profiles` shows"
        ),
        Source::Unknown => {
            "log in, such as with `aws login` or `aws sso login`, or set AWS_PROFILE".to_owned()
        }
    }
}

/// The option that names a profile.
fn of(profile: &str) -> String {
    if profile == "default" { String::new() } else { format!(" --profile {profile}") }
}

async fn source() -> Source {
    let env = Env::real();
    // They go before every profile (AWS, "AWS SDKs and Tools Reference Guide: Standardized credential providers", 2026-11).
    if env.get("AWS_ACCESS_KEY_ID").is_ok_and(|id| !id.is_empty()) {
        return Source::Variables;
    }
    #[expect(
        clippy::default_trait_access,
        reason = "the type's crate is another that it would take to name it"
    )]
    let files = Default::default();
    // What is wrong with the files is said by whoever needs them.
    match profile::load(&Fs::real(), &env, &files, None).await {
        Ok(profiles) => source_in(&profiles),
        Err(_) => Source::Unknown,
    }
}

fn source_in(profiles: &ProfileSet) -> Source {
    let mut name = profiles.selected_profile();
    let mut above = None;
    for _ in 0..MOST_PROFILES {
        let Some(profile) = profiles.get_profile(name) else {
            return match above {
                Some(above) => Source::NoProfileBelow(name.to_owned(), above),
                None if name == "default" => Source::Unknown,
                None => Source::NoProfile(name.to_owned()),
            };
        };
        let has = |key| profile.get(key).is_some();
        if has("sso_session") || has("sso_start_url") {
            return Source::Sso(name.to_owned());
        } else if has("login_session") {
            return Source::Login(name.to_owned());
        } else if has("credential_process") {
            return Source::Process(name.to_owned());
        }
        let Some(below) = profile.get("source_profile") else { break };
        above = Some(name.to_owned());
        name = below;
    }
    Source::Unknown
}
