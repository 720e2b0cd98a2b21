//! Whether a request is from Slack (Slack, "Verifying requests from Slack", 2026-11).

use aws_lc_rs::hmac;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

/// How far Slack's clock and ours may be apart, in seconds; exactly this much is accepted.
const WINDOW_S: i64 = 300;
const VERSION: &str = "v0";

/// A request does not prove that it is from Slack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// There is no signing secret to compare with.
    #[error("the signing secret is empty; put the app's into the Slack secret")]
    NoSecret,
    /// The request has no `X-Slack-Request-Timestamp`.
    #[error("the request has no X-Slack-Request-Timestamp")]
    NoTimestamp,
    /// The timestamp is not a number of seconds.
    #[error("the request's X-Slack-Request-Timestamp is not a number of seconds")]
    BadTimestamp,
    /// The request has no `X-Slack-Signature`.
    #[error("the request has no X-Slack-Signature")]
    NoSignature,
    /// The signature is not `v0=` and 64 lower-case hexadecimal digits.
    #[error("the request's X-Slack-Signature is not v0= and 64 hexadecimal digits")]
    BadSignature,
    /// It was signed too long ago, or in the future.
    #[error("the request was signed {behind_s} s before now, more than {WINDOW_S} s off")]
    Stale {
        /// By how much our clock is ahead of the signature; negative for one from the future.
        behind_s: i64,
    },
    /// Another secret, timestamp or body was signed.
    #[error("the request's signature does not fit; is the signing secret this app's?")]
    Wrong,
}

/// Checks a request by its headers `X-Slack-Request-Timestamp` and `X-Slack-Signature` and its raw body.
///
/// A signature that passes has one spelling, so that a replay is recognised by its text.
pub fn verify(
    secret: &SecretString,
    timestamp: Option<&str>,
    signature: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Unverified> {
    if secret.expose_secret().is_empty() {
        return Err(Unverified::NoSecret);
    }
    let timestamp = timestamp.ok_or(Unverified::NoTimestamp)?;
    let signature = signature.ok_or(Unverified::NoSignature)?;
    let signed_at = seconds(timestamp).ok_or(Unverified::BadTimestamp)?;
    let tag = tag(signature).ok_or(Unverified::BadSignature)?;
    let behind_s = now.as_second().saturating_sub(signed_at);
    if WINDOW_S < behind_s.saturating_abs() {
        return Err(Unverified::Stale { behind_s });
    }
    hmac::verify(&key(secret), &signed(timestamp, body), &tag).map_err(|_| Unverified::Wrong)
}

/// The `X-Slack-Signature` that Slack would send with `body` at `timestamp`.
pub fn sign(secret: &SecretString, timestamp: Timestamp, body: &[u8]) -> String {
    use std::fmt::Write as _;
    let tag = hmac::sign(&key(secret), &signed(&timestamp.as_second().to_string(), body));
    tag.as_ref().iter().fold(format!("{VERSION}="), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn key(secret: &SecretString) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes())
}

fn signed(timestamp: &str, body: &[u8]) -> Vec<u8> {
    [VERSION.as_bytes(), b":", timestamp.as_bytes(), b":", body].concat()
}

/// Digits alone: `parse` would take a sign, too.
fn seconds(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn tag(signature: &str) -> Option<[u8; 32]> {
    let digits = signature.strip_prefix(VERSION)?.strip_prefix('=')?.as_bytes();
    let mut tag = [0; 32];
    if digits.len() != 2 * tag.len() {
        return None;
    }
    for (byte, pair) in tag.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(tag)
}

fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // The example of Slack, "Verifying requests from Slack", 2026-11.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const SECOND: i64 = 1_531_420_618;
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
        &channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner\
        &command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands\
        %2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015\
        .47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn secret() -> SecretString {
        SecretString::from(SECRET)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[track_caller]
    fn check(timestamp: Option<&str>, signature: Option<&str>, expected: Unverified) {
        let found = verify(&secret(), timestamp, signature, BODY, at(SECOND));
        assert_eq!(found, Err(expected), "{timestamp:?} {signature:?}");
    }

    fn verify_at(offset_s: i64) -> Result<(), Unverified> {
        verify(&secret(), Some("1531420618"), Some(SIGNATURE), BODY, at(SECOND + offset_s))
    }

    #[test]
    fn slacks_own_example_is_accepted() {
        assert_eq!(verify_at(0), Ok(()));
        assert_eq!(sign(&secret(), at(SECOND), BODY), SIGNATURE);
    }

    #[test]
    fn five_minutes_off_is_the_limit_in_both_directions() {
        assert_eq!(verify_at(300), Ok(()));
        assert_eq!(verify_at(-300), Ok(()));
        assert_eq!(verify_at(301), Err(Unverified::Stale { behind_s: 301 }));
        assert_eq!(verify_at(-301), Err(Unverified::Stale { behind_s: -301 }));
    }

    #[test]
    fn missing_and_malformed_headers_are_refused() {
        let (time, sign) = (Some("1531420618"), Some(SIGNATURE));
        check(None, sign, Unverified::NoTimestamp);
        check(time, None, Unverified::NoSignature);
        for bad in ["", "+1531420618", "-1", "1531420618 ", "1e9", "١", "99999999999999999999"] {
            check(Some(bad), sign, Unverified::BadTimestamp);
        }
        let behind_s = SECOND - i64::MAX;
        check(Some("9223372036854775807"), sign, Unverified::Stale { behind_s });
        let upper = SIGNATURE.to_uppercase().replace("V0", "v0");
        for bad in ["", "v0=", "v0=é", &upper, &SIGNATURE[1..], &SIGNATURE[..66], "v1=00"] {
            check(time, Some(bad), Unverified::BadSignature);
        }
        check(time, Some(&format!("{SIGNATURE}0")), Unverified::BadSignature);
        check(time, Some(&SIGNATURE.replace("v0", "v1")), Unverified::BadSignature);
    }

    #[test]
    fn another_secret_time_or_signature_is_refused() {
        let wrong = SIGNATURE.replace("b503", "b502");
        check(Some("1531420618"), Some(&wrong), Unverified::Wrong);
        check(Some("1531420619"), Some(SIGNATURE), Unverified::Wrong);
        check(Some("01531420618"), Some(SIGNATURE), Unverified::Wrong);
        let other = SecretString::from("8f742231b10e8888abcd99yyyzzz85a6");
        let found = verify(&other, Some("1531420618"), Some(SIGNATURE), BODY, at(SECOND));
        assert_eq!(found, Err(Unverified::Wrong));
    }

    #[test]
    fn an_empty_secret_accepts_nothing() {
        let empty = SecretString::from("");
        let signature = sign(&empty, at(SECOND), BODY);
        let found = verify(&empty, Some("1531420618"), Some(&signature), BODY, at(SECOND));
        assert_eq!(found, Err(Unverified::NoSecret));
    }

    #[test]
    fn the_reason_is_one_line_without_secrets() {
        let text = verify_at(400).unwrap_err().to_string();
        assert_eq!(text, "the request was signed 400 s before now, more than 300 s off");
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies_and_nothing_else_does(
            secret in ".{1,80}", body in prop::collection::vec(any::<u8>(), 1..200),
            second in 0_i64..4_000_000_000, place: prop::sample::Index, flip in 1_u8..,
        ) {
            let (secret, now) = (SecretString::from(secret), at(second));
            let (time, signature) = (second.to_string(), sign(&secret, now, &body));
            let verify = |body: &[u8]| verify(&secret, Some(&time), Some(&signature), body, now);
            prop_assert_eq!(verify(&body), Ok(()));
            let mut other = body.clone();
            other[place.index(body.len())] ^= flip;
            prop_assert_eq!(verify(&other), Err(Unverified::Wrong));
            prop_assert_eq!(verify(&body[1..]), Err(Unverified::Wrong));
        }

        #[test]
        fn nothing_panics(
            time in prop::option::of(".{0,30}"), signature in prop::option::of("(v0=)?.{0,70}"),
            body in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let found = verify(&secret(), time.as_deref(), signature.as_deref(), &body, at(SECOND));
            prop_assert!(found.is_err());
        }
    }
}
