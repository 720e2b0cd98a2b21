//! How keys are spelled. Ids and names hold no `#`, and numbers have a fixed width, so that the order
//! of the text is the order of the numbers.

use flock_core::{
    AccountId, CorpusId, DeliveryId, Fingerprint, FlockName, JobId, Month, Network, Occurrence,
    RemoteId, RoomId, SheepId, TokenDigest,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::Item;
use aws_sdk_dynamodb::types::AttributeValue;

/// How the keys of an account's sheep begin.
pub(crate) const ON_ACCOUNT: &str = "SHEEP#";

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    /// The partition of all flocks.
    pub(crate) const FLOCKS: &str = "FLOCKS";

    /// The partition of the list of accounts.
    pub(crate) const ACCOUNTS: &str = "ACCOUNTS";

    /// The partition of all deferred commands.
    pub(crate) const DEFERRED: &str = "DEFERRED";

    /// The partition of all processes.
    pub(crate) const INSTANCES: &str = "INSTANCES";

    pub(crate) fn room(room: &RoomId) -> Self {
        Self { pk: format!("ROOM#{room}"), sk: "ROOM".to_owned() }
    }

    pub(crate) fn delivery(id: &DeliveryId) -> Self {
        Self { pk: format!("DELIVERY#{id}"), sk: "DELIVERY".to_owned() }
    }

    pub(crate) fn question(id: &DeliveryId) -> Self {
        Self { pk: format!("QUESTION#{id}"), sk: "QUESTION".to_owned() }
    }

    pub(crate) fn deferred(id: &DeliveryId) -> Self {
        Self { pk: Self::DEFERRED.to_owned(), sk: id.to_string() }
    }

    pub(crate) fn notice(id: &DeliveryId) -> Self {
        Self { pk: format!("NOTICE#{id}"), sk: "NOTICE".to_owned() }
    }

    pub(crate) fn job(id: &JobId) -> Self {
        Self { pk: format!("JOB#{id}"), sk: "JOB".to_owned() }
    }

    pub(crate) fn sign_in(id: &TokenDigest) -> Self {
        Self { pk: format!("SIGNIN#{id}"), sk: "SIGNIN".to_owned() }
    }

    pub(crate) fn instance(function: &str, id: &str) -> Self {
        Self { pk: Self::INSTANCES.to_owned(), sk: format!("{function}#{id}") }
    }

    pub(crate) fn audit(at: Timestamp, id: &DeliveryId) -> Self {
        let date = at.to_zoned(TimeZone::UTC).date();
        Self { pk: Self::audit_of(date), sk: format!("{:015}#{id}", at.as_millisecond()) }
    }

    /// The partition of a month's audit log.
    pub(crate) fn audit_of(date: Date) -> String {
        format!("AUDIT#{}", date.strftime("%Y-%m"))
    }

    pub(crate) fn control() -> Self {
        Self { pk: "SYSTEM".to_owned(), sk: "CONTROL".to_owned() }
    }

    pub(crate) fn flock(flock: &FlockName) -> Self {
        Self { pk: Self::FLOCKS.to_owned(), sk: flock.to_string() }
    }

    pub(crate) fn sheep(sheep: &SheepId) -> Self {
        Self { pk: sheep_of(&sheep.flock), sk: format!("SHEEP#{}", sheep.name) }
    }

    pub(crate) fn piece(flock: &FlockName, corpus: &CorpusId, line: u32) -> Self {
        Self { pk: pieces_of(flock, corpus), sk: format!("LINE#{line:08}") }
    }

    pub(crate) fn corpus_head(flock: &FlockName, corpus: &CorpusId) -> Self {
        Self { pk: pieces_of(flock, corpus), sk: "HEAD".to_owned() }
    }

    pub(crate) fn post(sheep: &SheepId, occurrence: Occurrence) -> Self {
        Self { pk: posts_of(sheep), sk: format!("POST#{:012}", occurrence.0) }
    }

    pub(crate) fn aside(sheep: &SheepId, occurrence: Occurrence) -> Self {
        Self { pk: asides_of(sheep), sk: format!("POST#{:012}", occurrence.0) }
    }

    pub(crate) fn account(account: &AccountId) -> Self {
        let pk = format!("ACCOUNT#{}#{}", account.network, account.handle);
        Self { pk, sk: "ACCOUNT".to_owned() }
    }

    pub(crate) fn listed_account(account: &AccountId) -> Self {
        Self { pk: Self::ACCOUNTS.to_owned(), sk: account.to_string() }
    }

    /// The user's id is the network's: whatever it holds, it is the end of the key. Where ids are the same on all servers, whichever
    /// was named tells nobody apart.
    pub(crate) fn user(account: &AccountId, server: Option<&str>, remote_user: &str) -> Self {
        let network = account.network;
        let server = account.server_of_ids(server).unwrap_or_default();
        Self { pk: format!("USER#{network}#{server}"), sk: format!("USER#{remote_user}") }
    }

    pub(crate) fn on_account(account: &AccountId, sheep: &SheepId) -> Self {
        Self { sk: format!("{ON_ACCOUNT}{sheep}"), ..Self::account(account) }
    }

    /// Ids are the network's: whatever they hold, they are the end of the key.
    pub(crate) fn taken(account: &AccountId, remote: &RemoteId) -> Self {
        Self { sk: format!("TAKEN#{remote}"), ..Self::account(account) }
    }

    pub(crate) fn spend(flock: &FlockName, month: Month) -> Self {
        Self { pk: format!("SPEND#{flock}"), sk: month.to_string() }
    }

    pub(crate) fn said(network: Network, fingerprint: &Fingerprint) -> Self {
        Self { pk: format!("SAID#{network}#{fingerprint}"), sk: "SAID".to_owned() }
    }

    pub(crate) fn told(flock: &FlockName, network: Network, item: u32) -> Self {
        Self { pk: format!("TOLD#{flock}#{network}"), sk: format!("TOLD#{item:010}") }
    }

    pub(crate) fn shards() -> Self {
        Self { pk: "SYSTEM".to_owned(), sk: "SHARDS".to_owned() }
    }

    pub(crate) fn clock() -> Self {
        Self { pk: "SYSTEM".to_owned(), sk: "CLOCK".to_owned() }
    }

    /// The sheep an index entry stands for. `None`: the item is not a sheep.
    pub(crate) fn as_sheep(&self) -> Option<SheepId> {
        let flock = self.pk.strip_prefix("FLOCK#")?.parse().ok()?;
        let name = self.sk.strip_prefix("SHEEP#")?.parse().ok()?;
        Some(SheepId { flock, name })
    }

    /// The job an index entry stands for. `None`: the item is not a job.
    pub(crate) fn as_job(&self) -> Option<JobId> {
        if self.sk == "JOB" { self.pk.strip_prefix("JOB#")?.parse().ok() } else { None }
    }

    /// The number of a sheep's post.
    pub(crate) fn as_occurrence(&self) -> Option<Occurrence> {
        self.sk.strip_prefix("POST#")?.parse().ok().map(Occurrence)
    }

    /// The sheep that a row of an account's roster stands for.
    pub(crate) fn as_sheep_on_account(&self) -> Option<SheepId> {
        self.sk.strip_prefix(ON_ACCOUNT)?.parse().ok()
    }

    /// The account whose partition this is.
    pub(crate) fn as_account(pk: &str) -> Option<AccountId> {
        let (network, handle) = pk.strip_prefix("ACCOUNT#")?.split_once('#')?;
        Some(AccountId { network: network.parse().ok()?, handle: handle.parse().ok()? })
    }

    /// The key as a request wants it.
    pub(crate) fn attributes(self) -> Item {
        Item::from([
            ("pk".to_owned(), AttributeValue::S(self.pk)),
            ("sk".to_owned(), AttributeValue::S(self.sk)),
        ])
    }
}

/// The partition of a flock's sheep.
pub(crate) fn sheep_of(flock: &FlockName) -> String {
    format!("FLOCK#{flock}")
}

/// The partition of a corpus.
pub(crate) fn pieces_of(flock: &FlockName, corpus: &CorpusId) -> String {
    format!("CORPUS#{flock}#{corpus}")
}

/// The partition of a sheep's posts.
pub(crate) fn posts_of(sheep: &SheepId) -> String {
    format!("POSTS#{}#{}", sheep.flock, sheep.name)
}

/// The partition of what a sheep has set aside.
pub(crate) fn asides_of(sheep: &SheepId) -> String {
    format!("ASIDE#{}#{}", sheep.flock, sheep.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_a_schema() {
        let sheep: SheepId = "milton/book-1".parse().unwrap();
        let corpus = "00112233445566778899aabbccddeeff".parse().unwrap();
        let account = AccountId { network: Network::X, handle: "milton_1".parse().unwrap() };
        let id: DeliveryId = "ffeeddccbbaa99887766554433221100".parse().unwrap();
        let keys = [
            Key::flock(&sheep.flock),
            Key::sheep(&sheep),
            Key::piece(&sheep.flock, &corpus, 7),
            Key::corpus_head(&sheep.flock, &corpus),
            Key::post(&sheep, Occurrence(42)),
            Key::aside(&sheep, Occurrence(42)),
            Key::account(&account),
            Key::listed_account(&account),
            Key::user(&account, None, "7"),
            Key::user(&"mastodon:a@b.example".parse().unwrap(), Some("https://B.example/"), "9"),
            Key::user(
                &"bluesky:b.example".parse().unwrap(),
                Some("https://b.example"),
                "did:plc:b",
            ),
            Key::on_account(&account, &sheep),
            Key::taken(&account, &"2124182926852620288".parse().unwrap()),
            Key::spend(&sheep.flock, Month::of("2026-11-21T12:00:00Z".parse().unwrap())),
            Key::said(Network::X, &Fingerprint::of("The moon rose.").unwrap()),
            Key::shards(),
            Key::clock(),
            Key::control(),
            Key::room(&"C1".parse().unwrap()),
            Key::delivery(&id),
            Key::question(&id),
            Key::deferred(&id),
            Key::notice(&id),
            Key::job(&JobId::of(&id)),
            Key::sign_in(&TokenDigest::of("x")),
            Key::instance("sheep-tick", "cd34"),
            Key::audit("2026-11-21T12:00:00Z".parse().unwrap(), &id),
        ];
        let text: Vec<_> = keys.iter().map(|key| format!("{} | {}", key.pk, key.sk)).collect();
        insta::assert_snapshot!(text.join("\n"), @"
        FLOCKS | milton
        FLOCK#milton | SHEEP#book-1
        CORPUS#milton#00112233445566778899aabbccddeeff | LINE#00000007
        CORPUS#milton#00112233445566778899aabbccddeeff | HEAD
        POSTS#milton#book-1 | POST#000000000042
        ASIDE#milton#book-1 | POST#000000000042
        ACCOUNT#x#milton_1 | ACCOUNT
        ACCOUNTS | x:milton_1
        USER#x# | USER#7
        USER#mastodon#https://b.example | USER#9
        USER#bluesky# | USER#did:plc:b
        ACCOUNT#x#milton_1 | SHEEP#milton/book-1
        ACCOUNT#x#milton_1 | TAKEN#2124182926852620288
        SPEND#milton | 2026-11
        SAID#x#433dec54d614222ccd1ae09ec6f13e8a | SAID
        SYSTEM | SHARDS
        SYSTEM | CLOCK
        SYSTEM | CONTROL
        ROOM#C1 | ROOM
        DELIVERY#ffeeddccbbaa99887766554433221100 | DELIVERY
        QUESTION#ffeeddccbbaa99887766554433221100 | QUESTION
        DEFERRED | ffeeddccbbaa99887766554433221100
        NOTICE#ffeeddccbbaa99887766554433221100 | NOTICE
        JOB#ffeeddcc | JOB
        SIGNIN#2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 | SIGNIN
        INSTANCES | sheep-tick#cd34
        AUDIT#2026-11 | 001795262400000#ffeeddccbbaa99887766554433221100
        ");
        assert_eq!(Key::sheep(&sheep).as_sheep(), Some(sheep));
        assert_eq!(Key::shards().as_sheep(), None);
        assert_eq!(Key::job(&JobId::of(&id)).as_job(), Some(JobId::of(&id)));
        assert_eq!(Key::shards().as_job(), None);
        let on_account = Key::on_account(&account, &"milton/book-1".parse().unwrap());
        assert_eq!(
            on_account.as_sheep_on_account(),
            Key::sheep(&"milton/book-1".parse().unwrap()).as_sheep()
        );
        assert_eq!(Key::account(&account).as_sheep_on_account(), None);
        assert_eq!(Key::as_account(&Key::account(&account).pk), Some(account));
    }
}
