//! Sign-ins: which links there are, and how far each has come. Nothing of a link or of a browser is here in clear.

use flock_core::{
    AccountId, Bound, Errand, Purpose, RoomId, Sent, SentOff, SignIn, SignInStage, SigningIn,
    TokenDigest, UserId, Way,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{By, Read, Store, StoreError, Write, key::Key, sheep::Seconds};

/// How long a sign-in that is over is remembered, so that its link still says why it does nothing.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(24);

const WHAT: &str = "a sign-in";

/// A sign-in, and who asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedSignIn {
    /// How far it has come.
    pub sign_in: SigningIn,
    /// Who asked for its link, and where.
    pub by: By,
}

/// A sign-in as stored. The names are a schema; absent means none, or not so. Who asked is as in the audit log.
#[derive(Debug, Serialize, Deserialize)]
struct SignInItem {
    version: u64,
    account: String,
    purpose: Purpose,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<RoomId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arn: Option<String>,
    since: Seconds,
    until: Seconds,
    stage: StageName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    way: Option<Way>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    browser: Option<TokenDigest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    back: Option<TokenDigest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    labelled: bool,
    sent: Sent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease_until: Option<Seconds>,
    ttl: Seconds,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StageName {
    Open,
    Begun,
    Done,
    Failed,
}

impl Store {
    /// The sign-in whose link's token has this digest, as it was last written. `None`: there is none, or it was long ago.
    pub async fn sign_in(&self, id: &TokenDigest) -> Result<Option<AskedSignIn>, StoreError> {
        let item: Option<SignInItem> = self.one(WHAT, Key::sign_in(id), Read::Consistent).await?;
        item.map(|item| item.into_asked(id.clone())).transpose()
    }

    /// Writes a sign-in over the version before; the first over none.
    pub async fn put_sign_in(&self, asked: &AskedSignIn) -> Result<Write, StoreError> {
        let sign_in = &asked.sign_in;
        let key = Key::sign_in(&sign_in.errand.work.id);
        let read = sign_in.version.saturating_sub(1);
        Ok(self.put_version(WHAT, key, SignInItem::new(asked), read).await?.forget())
    }
}

impl SignInItem {
    fn new(AskedSignIn { sign_in, by }: &AskedSignIn) -> Self {
        let SigningIn { errand, stage, bound, until, version } = sign_in;
        let SignIn { id: _, account, purpose, server } = errand.work.clone();
        let (user, room, operator, arn) = match by.clone() {
            By::Slack { user, room } => (Some(user), Some(room), None, None),
            By::CommandLine { user, arn } => (None, None, Some(user), arn),
        };
        let (stage, sent_off, why) = match stage.clone() {
            SignInStage::Open => (StageName::Open, None, None),
            SignInStage::Begun(sent_off) => (StageName::Begun, Some(sent_off), None),
            SignInStage::Done => (StageName::Done, None, None),
            SignInStage::Failed { why } => (StageName::Failed, None, Some(why)),
        };
        let labelled = sent_off.as_ref().is_some_and(|sent_off| sent_off.labelled);
        let (way, kept) = sent_off.map(|sent_off| (sent_off.way, sent_off.kept)).unzip();
        let (browser, back) = bound.clone().map(|bound| (bound.browser, bound.back)).unzip();
        Self {
            version: *version,
            account: account.to_string(),
            purpose,
            server,
            user,
            room,
            operator,
            arn,
            since: errand.due.into(),
            until: (*until).into(),
            stage,
            why,
            way,
            browser,
            back,
            kept,
            labelled,
            sent: errand.sent,
            lease_until: errand.lease_until.map(Seconds::from),
            ttl: until.saturating_add(REMEMBERED_FOR).unwrap_or(Timestamp::MAX).into(),
        }
    }

    fn into_asked(self, id: TokenDigest) -> Result<AskedSignIn, StoreError> {
        self.read(id).map_err(|source| StoreError::Corrupt { what: WHAT.to_owned(), source })
    }

    fn read(
        self,
        id: TokenDigest,
    ) -> Result<AskedSignIn, Box<dyn std::error::Error + Send + Sync>> {
        let account: AccountId = self.account.parse()?;
        let by = match (self.user, self.room, self.operator) {
            (Some(user), Some(room), None) => By::Slack { user, room },
            (None, None, Some(user)) => By::CommandLine { user, arn: self.arn },
            _ => return Err("it does not say who asked".into()),
        };
        let stage = match self.stage {
            StageName::Open => SignInStage::Open,
            StageName::Begun => SignInStage::Begun(SentOff {
                way: self.way.ok_or("`way` is missing")?,
                kept: self.kept.unwrap_or_default(),
                labelled: self.labelled,
            }),
            StageName::Done => SignInStage::Done,
            StageName::Failed => SignInStage::Failed { why: self.why.unwrap_or_default() },
        };
        let bound = match (self.browser, self.back) {
            (Some(browser), Some(back)) => Some(Bound { browser, back }),
            (None, _) | (_, None) => None,
        };
        let (purpose, server) = (self.purpose, self.server);
        let work = SignIn { id, account, purpose, server };
        let errand = Errand {
            sent: self.sent,
            lease_until: self.lease_until.map(Timestamp::try_from).transpose()?,
            ..Errand::new(work, self.since.try_into()?)
        };
        let until = self.until.try_into()?;
        let sign_in = SigningIn { errand, stage, bound, until, version: self.version };
        Ok(AskedSignIn { sign_in, by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is stored is read by the next version, too.
    #[test]
    fn the_form_is_a_schema() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let work = SignIn {
            id: TokenDigest::of("token"),
            account: "mastodon:iris@example.social".parse().unwrap(),
            purpose: Purpose::Renew,
            server: Some("https://example.social".to_owned()),
        };
        let open = SigningIn::new(work, now);
        let later = now + SignedDuration::from_secs(30);
        let sent_off = SentOff { way: Way::OAuth2, kept: "k1.sealed".to_owned(), labelled: true };
        let bound = Bound { browser: TokenDigest::of("cookie"), back: TokenDigest::of("state") };
        let pressed = open.press(now, later).unwrap();
        let begun = pressed.begun(sent_off, bound, now);
        let (claimed, _) = begun.come_back(&TokenDigest::of("cookie"), now, later).unwrap();
        let by_slack = By::Slack { user: "U1".parse().unwrap(), room: "C1".parse().unwrap() };
        let by_line = By::CommandLine { user: "ada".to_owned(), arn: None };
        let mut lines = Vec::new();
        for sign_in in
            [open, pressed, begun, claimed.clone(), claimed.done(), claimed.failed("x".into())]
        {
            for by in [&by_slack, &by_line] {
                let asked = AskedSignIn { sign_in: sign_in.clone(), by: by.clone() };
                let item = serde_json::to_string(&SignInItem::new(&asked)).unwrap();
                assert!(!item.contains("token") && !item.contains("cookie"), "{item}");
                let read: SignInItem = serde_json::from_str(&item).unwrap();
                assert_eq!(read.into_asked(asked.sign_in.errand.work.id.clone()).unwrap(), asked);
                lines.push(item);
            }
        }
        insta::assert_snapshot!(lines.get(6).unwrap(), @r#"{"version":4,"account":"mastodon:iris@example.social","purpose":"renew","server":"https://example.social","user":"U1","room":"C1","since":1795262400,"until":1795263000,"stage":"begun","way":"oauth2","browser":"d7e83e28a04b537e64424546b14caf9b67bad2f28dabce68116e0d372319fa00","back":"4ba69735ca53765ed6a709edb56c6ea236b7193a3b29a6b390c346f0f4340e4e","kept":"k1.sealed","labelled":true,"sent":"maybe","lease_until":1795262430,"ttl":1795349400}"#);
    }
}
