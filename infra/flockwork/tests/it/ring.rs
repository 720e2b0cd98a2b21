//! What the accounts of a flock show of themselves: planned and applied, on good days and bad ones, and killed at every request.

use std::{collections::BTreeMap, sync::Arc};

use flock_tests::{
    Bluesky, BlueskyMisbehave, CrashPlan, CrashProxy, Cut, Endpoint, Mastodon, MastodonMisbehave,
    Misbehave, Operation, png,
};
use insta::assert_snapshot;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::world::{Output, XWorld};

const PASSWORD: &str = "abcd-efgh-ijkl-mnop";
const DID: &str = "did:plc:apolloaaaaaaaaaaaaaaaaaa";
const PROFILE: &str = "app.bsky.actor.profile";

/// A flock with an account on each network, the networks, and proxies before them.
struct Choir {
    world: XWorld,
    mastodon: Mastodon,
    bluesky: Bluesky,
    proxies: [CrashProxy; 3],
    runtime: Runtime,
}

/// The user of X.
const MILTON: &str = "109105108116111110";

impl Choir {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let world = XWorld::new();
        let (mastodon, bluesky, proxies) = runtime.block_on(async {
            let (mastodon, bluesky) = (Mastodon::start().await, Bluesky::start().await);
            let never = CrashPlan::new(Cut::Never);
            let proxies = [
                CrashProxy::start("mastodon", &mastodon.url(), &never).await,
                CrashProxy::start("bluesky", &bluesky.url(), &never).await,
                CrashProxy::start("x", &world.x.url(), &never).await,
            ];
            (mastodon, bluesky, proxies)
        });
        let [to_mastodon, to_bluesky, to_x] = &proxies;
        let template = std::fs::read_to_string(world.path("template.yaml")).unwrap();
        world.write("template.yaml", template.replace(&world.x.url(), &to_x.url()));
        world.add("milton");
        mastodon.account("token-of-iris", "iris");
        bluesky.account("apollo.example.com", DID, PASSWORD);
        bluesky.profile(DID, &["bot"]);
        let key = json!({ "access_token": "token-of-iris", "url": to_mastodon.url() });
        world.write("key.json", key.to_string());
        world.ok("account add mastodon:iris@example.social --key key.json --networks-on-loopback");
        let key = json!({ "app_password": PASSWORD, "url": to_bluesky.url() });
        world.write("key.json", key.to_string());
        world.ok("account add bluesky:apollo.example.com --key key.json --networks-on-loopback");
        world.write_flock_with(
            "choir",
            "monthly_cap = 100",
            &[
                ("Book 1", "one\n", "name = \"a\"\nnetwork = \"bluesky\"\naccount = \"apollo.example.com\"\nline = \"1h\""),
                ("Book 2", "two\n", "name = \"b\"\nnetwork = \"mastodon\"\naccount = \"iris@example.social\"\nline = \"1h\""),
                ("Book 3", "three\n", "name = \"c\"\nnetwork = \"x\"\naccount = \"milton\"\nline = \"1h\""),
            ],
        );
        // The name of the sheep above is that of its text.
        let flock = std::fs::read_to_string(world.path("choir/flock.toml")).unwrap();
        let lines = flock.lines().filter(|line| !line.starts_with("name = \"Book"));
        world.write("choir/flock.toml", lines.collect::<Vec<_>>().join("\n"));
        world.ok("flock apply choir");
        bluesky.take_requests();
        Self { world, mastodon, bluesky, proxies, runtime }
    }

    /// Writes the ring.
    fn ring(&self, toml: &str) {
        self.world.write("choir/ring.toml", toml);
    }

    fn ring_command(&self, words: &str) -> Output {
        let output = self.world.flockwork(&format!("ring {words} --networks-on-loopback"));
        assert!(!output.stderr.contains("panicked"), "{output:?}");
        output
    }

    /// What a ring command prints that ends with this code.
    #[track_caller]
    fn said(&self, words: &str, code: i32) -> String {
        let output = self.ring_command(words);
        assert_eq!(output.code, Some(code), "{words}: {output:#?}");
        let mut said = output.stdout + &output.stderr.replace(crate::world::NOT_RUNNING, "");
        for proxy in &self.proxies {
            said = said.replace(&proxy.url(), "URL");
        }
        said.trim_end().to_owned()
    }

    /// What came of each account.
    fn outcomes(&self, words: &str) -> BTreeMap<String, String> {
        let output = self.ring_command(&format!("{words} --json"));
        let lines = output.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        lines.map(|line| (text(&line["account"]), text(&line["outcome"]))).collect()
    }

    /// What Bluesky shows of its account.
    fn on_bluesky(&self) -> Value {
        let records = self.bluesky.records(DID, PROFILE);
        records.into_iter().next().map(|record| record.value).unwrap_or_default()
    }

    fn follow(&self, plan: &Arc<CrashPlan>) {
        for proxy in &self.proxies {
            proxy.follow(plan);
        }
    }
}

const RING: &str = r#"
[profile]
name = "{corpus title}"
bio = "Book {n} of {count}, {handle} of {flock}"
url = "https://example.org/{n}"
picture = "img/{network}.png"
bot = true

[account."x:milton"]
location = "Eden"
"#;

fn pictures(choir: &Choir) {
    for (name, size) in [("mastodon", 3), ("bluesky", 4), ("x", 5)] {
        choir.world.write(&format!("choir/img/{name}.png"), png(size, size, 10));
    }
}

#[test]
fn a_flock_shows_what_its_ring_says() {
    let choir = Choir::new();
    choir.world.x.enterprise();
    choir.mastodon.field("iris", "Pronouns", "she");
    pictures(&choir);
    choir.ring(RING);
    let before = choir.on_bluesky();
    assert_snapshot!(choir.said("plan choir", 0), @"
    x:milton would be changed (the look cost $0.01):
      display name: “A sheep” → “Book 3”
      bio: nothing → “Book 1 of 3, milton of choir”
      link: nothing → “https://example.org/1”
      location: nothing → “Eden”
      picture: → PNG of 5 × 5, 67 bytes, 709eeea78069
      (X has no such thing, so it is left out: bot label)
      (it can be changed only if X lets the app; it refuses most)
    mastodon:iris@example.social would be changed:
      display name: “iris” → “Book 2”
      bio: nothing → “Book 2 of 3, iris@example.social of choir”
      link: nothing → “https://example.org/2”
      picture: → PNG of 3 × 3, 67 bytes, 02c316bc5147
    bluesky:apollo.example.com would be changed:
      display name: “A sheep” → “Book 1”
      bio: nothing → “Book 3 of 3, apollo.example.com of choir”
      link: nothing → “https://example.org/3”
      picture: → PNG of 4 × 4, 67 bytes, a4df3a7657a1
    3 accounts: 3 would be changed. To look cost $0.01, which flock choir has paid.
    ");
    // Who only looks has changed nothing.
    assert_eq!(choir.on_bluesky(), before);
    assert_eq!(choir.mastodon.profile("iris").pictures, 0);
    let audit = choir.world.ok("audit");
    assert!(!audit.contains("ring"), "{audit}");

    assert_snapshot!(choir.said("apply choir", 0), @"
    x:milton is changed (the look cost $0.01):
      display name: “A sheep” → “Book 3”
      bio: nothing → “Book 1 of 3, milton of choir”
      link: nothing → “https://example.org/1”
      location: nothing → “Eden”
      picture: → PNG of 5 × 5, 67 bytes, 709eeea78069
      (X has no such thing, so it is left out: bot label)
    mastodon:iris@example.social is changed:
      display name: “iris” → “Book 2”
      bio: nothing → “Book 2 of 3, iris@example.social of choir”
      link: nothing → “https://example.org/2”
      picture: → PNG of 3 × 3, 67 bytes, 02c316bc5147
    bluesky:apollo.example.com is changed:
      display name: “A sheep” → “Book 1”
      bio: nothing → “Book 3 of 3, apollo.example.com of choir”
      link: nothing → “https://example.org/3”
      picture: → PNG of 4 × 4, 67 bytes, a4df3a7657a1
    3 accounts: 3 changed. To look cost $0.01, which flock choir has paid.
    ");
    let shown = choir.on_bluesky();
    assert_eq!(shown["displayName"], "Book 1");
    assert_eq!(shown["description"], "Book 3 of 3, apollo.example.com of choir");
    assert_eq!(shown["website"], "https://example.org/3");
    let link = shown["avatar"]["ref"]["$link"].as_str().unwrap();
    assert_eq!(choir.bluesky.picture(link), Some(png(4, 4, 10)));
    let shown = choir.mastodon.profile("iris");
    assert_eq!((&*shown.display_name, shown.bot), ("Book 2", true));
    assert_eq!(shown.note, "Book 2 of 3, iris@example.social of choir");
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(shown.fields, [field("Pronouns", "she"), field("Website", "https://example.org/2")]);
    assert_eq!((shown.avatar, shown.pictures), (Some(png(3, 3, 10)), 1));
    let shown = choir.world.x.profile(MILTON);
    assert_eq!((&*shown.name, &*shown.location), ("Book 3", "Eden"));
    assert_eq!(
        (&*shown.url, &*shown.description),
        ("https://example.org/1", "Book 1 of 3, milton of choir")
    );
    assert_eq!((shown.image, shown.banner), (Some(png(5, 5, 10)), None));
    let log = choir.world.ok("audit");
    for line in [
        "ring apply choir - done",
        "profile of x:milton - done",
        "profile of bluesky:apollo.example.com - done",
    ] {
        assert!(log.contains(line), "{log}");
    }

    // Again: nothing but pictures that nobody can compare.
    choir.bluesky.take_requests();
    assert_snapshot!(choir.said("apply choir bluesky:apollo.example.com", 0), @"
    bluesky:apollo.example.com is so already
    1 account: 1 so already.
    ");
    let asked = choir.bluesky.take_requests();
    assert!(
        !asked.iter().any(|asked| ["putRecord", "uploadBlob"].contains(&&**asked)),
        "{asked:?}"
    );
    // What costs is paid by whom somebody names, and is in the sum.
    let spent = choir.world.json("spend --flock choir --json");
    assert_eq!(spent[0]["spent"], json!(0.02), "{spent:?}");
    let output = choir.ring_command("plan choir x:milton --json").stdout;
    let seen: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(seen["cost"], json!(0.01));
    assert_eq!(seen["differences"][0]["part"], "picture");
    assert_eq!(seen["differences"].as_array().unwrap().len(), 1, "{seen}");
    assert_eq!(choir.world.x.billed_micros(MILTON), 30_000);
}

#[test]
fn what_is_wrong_with_one_account_is_said_and_the_others_go_on() {
    let choir = Choir::new();
    choir.world.x.enterprise();
    choir.ring(&format!(
        "[profile]\nname = \"Book {{n}}\"\n\n[account.\"x:milton\"]\nbio = \"{}\"\n\n\
         [account.\"bluesky:apollo.example.com\"]\npicture = \"img/{{n}}.png\"\nbanner = \"../up.png\"\nbio = \"{{who}}\"\n",
        "b".repeat(200)
    ));
    assert_snapshot!(choir.said("apply choir", 1), @r#"
    x:milton FAILED: the bio of x:milton is 200 long, and X takes 160: shorten it
    mastodon:iris@example.social is changed:
      display name: “iris” → “Book 2”
    bluesky:apollo.example.com FAILED:
      `bio`: `{who}` is nothing that is known here: there are `{corpus title}`, `{count}`, `{flock}`, `{handle}`, `{n}`, `{network}`; a brace of its own is written twice
      `picture` "img/3.png": it does not exist
      `banner` "../up.png": it is absolute or has `..` in it; name files from the flock's directory on
    3 accounts: 1 changed, 2 failed.
    error: 2 of 3 accounts failed
    "#);
    assert_eq!(choir.on_bluesky()["displayName"], "A sheep");
    assert_eq!(choir.mastodon.profile("iris").display_name, "Book 2");
    assert_eq!(choir.world.x.profile(MILTON).name, "A sheep");
    assert_eq!(choir.world.x.billed_micros(MILTON), 0);
    // Pictures that are none, too large, or of a kind that is not taken.
    choir.world.write("choir/img/1.png", "no picture");
    choir.world.write("choir/img/2.png", png(4, 4, 1_000_001));
    choir.world.write("choir/img/large.png", png(4, 4, 700_001));
    choir.world.write("choir/img/3.png", "GIF89a\x01\0\x01\0\0\0\0;");
    choir.ring("[profile]\npicture = \"img/{n}.png\"\n[account.\"mastodon:iris@example.social\"]\nbanner = \"img/1.png\"\n[account.\"x:milton\"]\nbanner = \"img/3.png\"\npicture = \"img/large.png\"");
    assert_snapshot!(choir.said("plan choir", 1), @r#"
    x:milton FAILED: `banner` "img/3.png": the GIF file is damaged, no picture is in it: save it again
    mastodon:iris@example.social FAILED: `banner` "img/1.png": the file is not a picture: use a PNG, JPEG, GIF or WebP
    bluesky:apollo.example.com FAILED: `picture` "img/3.png": the GIF file is damaged, no picture is in it: save it again
    3 accounts: 3 failed.
    error: 3 of 3 accounts failed
    "#);
    // Who was removed meanwhile has no key.
    choir.world.ok("flock remove choir --yes");
    choir.world.ok("account remove mastodon:iris@example.social --yes");
    choir.ring("[profile]\nname = \"Again {n}\"");
    assert_snapshot!(choir.said("apply choir", 1), @"
    x:milton FAILED: it cannot be read: this costs $0.01 on X, and flock choir has no `monthly_cap`; write one in its flock.toml and apply it
    mastodon:iris@example.social FAILED: mastodon:iris@example.social has no key here: connect it
    bluesky:apollo.example.com is changed:
      display name: “A sheep” → “Again 3”
    3 accounts: 1 changed, 2 failed.
    error: 2 of 3 accounts failed
    ");
    assert_snapshot!(choir.said("plan choir x:milton --pay nobody", 2), @"error: there is no flock nobody that could pay");
    assert_snapshot!(choir.said("plan choir x:pan", 2), @"error: no sheep of the files of flock choir posts through x:pan");
}

#[test]
fn a_file_that_is_wrong_changes_nothing() {
    let choir = Choir::new();
    let mut said = Vec::new();
    for toml in [
        "",
        "[profile]\n",
        "name = \"a\"",
        "[profil]\nname = \"a\"",
        "[profile]\nnam = \"a\"\ncolour = \"red\"\nbot = \"yes\"\nbio = 3",
        "[profile]\nlink = 1\nlocation = [\"a\"]\npicture = \" \"",
        "[account.\"x:pan\"]\nname = \"a\"",
        "[account.\"x:miltom\"]\nname = \"a\"",
        "[account.milton]\nname = \"a\"",
        "account = 3\nprofile = 4",
        "[profile]\nname = \"a\nbio = \"b\"",
        "[account.\"x:milton\"]\nname = \"a\"\n[account.\"X:milton\"]\nname = \"b\"",
    ] {
        choir.ring(toml);
        let line = choir.said("apply choir", 2);
        said.push(format!("{toml:?}\n{line}"));
    }
    assert_snapshot!(said.join("\n\n"), @r#"
    ""
    error: choir/ring.toml: nothing is wanted in it; write [profile], and under it a name or a bio

    "[profile]\n"
    error: choir/ring.toml: nothing is wanted in it; write [profile], and under it a name or a bio

    "name = \"a\""
    error: choir/ring.toml:1: unknown field `name` at the top level; it goes under [profile] or [account."NETWORK:NAME"]

    "[profil]\nname = \"a\""
    error: choir/ring.toml:1: unknown field `profil` at the top level; did you mean `profile`?

    "[profile]\nnam = \"a\"\ncolour = \"red\"\nbot = \"yes\"\nbio = 3"
    error: choir/ring.toml:2: unknown field `nam`; did you mean `name`?
    choir/ring.toml:3: `colour`: no network has colours in profiles any more; leave it out
    choir/ring.toml:4: `bot` must be true or false
    choir/ring.toml:5: `bio` must be text such as "Book {n} of {count}"

    "[profile]\nlink = 1\nlocation = [\"a\"]\npicture = \" \""
    error: choir/ring.toml:2: unknown field `link`; [profile] takes name, bio, url, location, picture, banner, bot
    choir/ring.toml:3: `location` must be text such as "Eden"
    choir/ring.toml:4: `picture` names no file; a picture can be changed and not taken away: leave it out

    "[account.\"x:pan\"]\nname = \"a\""
    error: choir/ring.toml:1: no sheep of the flock posts through x:pan

    "[account.\"x:miltom\"]\nname = \"a\""
    error: choir/ring.toml:1: no sheep of the flock posts through x:miltom; did you mean `x:milton`?

    "[account.milton]\nname = \"a\""
    error: choir/ring.toml:1: `milton` is no account: `milton` is not an account: write it as network:handle, such as mastodon:apollo@example.social; accounts are tables with their names between quotes: write [account."x:milton"]

    "account = 3\nprofile = 4"
    error: choir/ring.toml:1: accounts are tables with their names between quotes: write [account."x:milton"]
    choir/ring.toml:2: `profile` must be a table: write [profile]

    "[profile]\nname = \"a\nbio = \"b\""
    error: choir/ring.toml:2: this is not TOML: invalid basic string, expected `"`

    "[account.\"x:milton\"]\nname = \"a\"\n[account.\"X:milton\"]\nname = \"b\""
    error: choir/ring.toml:1: x:milton stands there twice, in other letters
    "#);
    std::fs::remove_file(choir.world.path("choir/ring.toml")).unwrap();
    assert_snapshot!(choir.said("plan choir", 2), @"error: choir/ring.toml: it does not exist; what accounts are to show of themselves stands in it");
    let log = choir.world.ok("audit");
    assert!(!log.contains("ring"), "{log}");
    assert_eq!(choir.bluesky.take_requests(), [""; 0]);
}

#[test]
fn what_networks_refuse_is_said_in_their_words() {
    let choir = Choir::new();
    pictures(&choir);
    choir.ring("[profile]\nname = \"Book {n}\"\npicture = \"img/{network}.png\"");
    // X is shut to ordinary tiers; an instance and a server have had enough.
    choir.mastodon.suspend("iris", true);
    choir.bluesky.misbehave("putRecord", BlueskyMisbehave::RateLimited { reset: None });
    assert_snapshot!(choir.said("apply choir", 1), @r#"
    x:milton FAILED (the look cost $0.01): X does not let the app's tier do this: "You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints (e.g. media post, oauth) only. If you need access to this endpoint, you may need a different access level."; see the app's access in X's developer console
      display name: “A sheep” → “Book 1”
      picture: → PNG of 5 × 5, 67 bytes, 709eeea78069
    mastodon:iris@example.social FAILED: it cannot be read: Mastodon at example.social shuts the account out: "Your login is currently disabled"; ask its moderators, or move the sheep to another account
    bluesky:apollo.example.com FAILED: Bluesky has had too many requests: "Rate Limit Exceeded"
      display name: “A sheep” → “Book 3”
      picture: → PNG of 4 × 4, 67 bytes, a4df3a7657a1
    3 accounts: 3 failed. To look cost $0.01, which flock choir has paid.
    error: 3 of 3 accounts failed
    "#);
    choir.mastodon.suspend("iris", false);
    choir.mastodon.allows("token-of-iris", "read write:statuses");
    assert_snapshot!(choir.said("apply choir mastodon:iris@example.social", 1), @r#"
    mastodon:iris@example.social FAILED: Mastodon at example.social does not let the key change profiles: "This action is outside the authorized scopes"; renew the account's key with `write:accounts`
      display name: “iris” → “Book 2”
      picture: → PNG of 3 × 3, 67 bytes, 02c316bc5147
    1 account: 1 failed.
    error: 1 of 1 account failed
    "#);
    choir.mastodon.allows("token-of-iris", "read write:accounts");
    // In the middle: the texts are there, the picture is not.
    choir.world.x.enterprise();
    choir.world.x.misbehave_at(
        Operation::ProfileImage,
        Misbehave::Forbidden("Your account is suspended.".to_owned()),
    );
    assert_snapshot!(choir.said("apply choir x:milton", 1), @r#"
    x:milton FAILED (the look cost $0.01): the display name is changed, the picture is not: X has suspended the account: "Your account is suspended."; appeal at help.x.com
      display name: “A sheep” → “Book 1”
      picture: → PNG of 5 × 5, 67 bytes, 709eeea78069
    1 account: 1 failed. To look cost $0.01, which flock choir has paid.
    error: 1 of 1 account failed
    "#);
    assert_eq!(choir.world.x.profile(MILTON).name, "Book 1");
    assert_eq!(choir.world.x.profile(MILTON).pictures, 0);
    let log = choir.world.ok("audit");
    assert!(
        log.contains(
            "profile of x:milton - failed: the display name is changed, the picture is not: "
        ),
        "{log}"
    );
    // Somebody else's bot is nobody's to unmark, as long as it posts.
    choir.ring("[profile]\nbot = false");
    assert_snapshot!(choir.said("plan choir mastodon:iris@example.social", 1), @"
    mastodon:iris@example.social FAILED: against Mastodon's rule mastodon-unlabelled-bot: An automated account is marked as one in its profile. (https://docs.joinmastodon.org/user/profile/#bot) To do: mark it as automated in its profile and renew the account's key, or have it marked when that is renewed
    1 account: 1 failed.
    error: 1 of 1 account failed
    ");
}

#[test]
fn what_nobody_knows_is_looked_at_again() {
    let choir = Choir::new();
    choir.world.x.enterprise();
    pictures(&choir);
    choir.ring("[profile]\nname = \"Book {n}\"\n");
    choir.bluesky.misbehave("putRecord", BlueskyMisbehave::AcceptThen500);
    choir.mastodon.misbehave_at(Endpoint::Update, MastodonMisbehave::AcceptThen500);
    choir.world.x.misbehave_at(Operation::Profile, Misbehave::AcceptThen500);
    assert_snapshot!(choir.said("apply choir", 0), @r#"
    x:milton is changed (the look cost $0.02):
      display name: “A sheep” → “Book 1”
      (no good answer came (X failed with status 500: "Something is broken. This is usually temporary."), but it is there)
    mastodon:iris@example.social is changed:
      display name: “iris” → “Book 2”
      (no good answer came (Mastodon at example.social failed with status 500), but it is there)
    bluesky:apollo.example.com is changed:
      display name: “A sheep” → “Book 3”
      (no good answer came (Bluesky failed with status 500: "Internal Server Error"), but it is there)
    3 accounts: 3 changed. To look cost $0.02, which flock choir has paid.
    "#);
    assert_eq!(choir.mastodon.profile("iris").display_name, "Book 2");
    // The request came to nothing, or its picture cannot be seen.
    choir.ring("[profile]\nname = \"Again {n}\"\npicture = \"img/{network}.png\"");
    choir.bluesky.misbehave("putRecord", BlueskyMisbehave::Refuse500);
    choir.mastodon.misbehave_at(Endpoint::Update, MastodonMisbehave::AcceptThen500);
    choir.world.x.misbehave_at(Operation::ProfileImage, Misbehave::AcceptThen500);
    assert_snapshot!(choir.said("apply choir", 1), @r#"
    nobody knows of x:milton (the look cost $0.02): the display name is changed, and nobody knows whether the picture is: X failed with status 500: "Something is broken. This is usually temporary."; looked at again, that the picture is there cannot be seen; the rest is as it is wanted
      display name: “Book 1” → “Again 1”
      picture: → PNG of 5 × 5, 67 bytes, 709eeea78069
    nobody knows of mastodon:iris@example.social: Mastodon at example.social failed with status 500; looked at again, that the picture is there cannot be seen; the rest is as it is wanted
      display name: “Book 2” → “Again 2”
      picture: → PNG of 3 × 3, 67 bytes, 02c316bc5147
    nobody knows of bluesky:apollo.example.com: Bluesky failed with status 500: "Internal Server Error"; looked at again, the display name is “Book 3”, that the picture is there cannot be seen
      display name: “Book 3” → “Again 3”
      picture: → PNG of 4 × 4, 67 bytes, a4df3a7657a1
    3 accounts: 3 of which nobody knows. To look cost $0.02, which flock choir has paid.
    error: of 3 of 3 accounts nobody knows
    "#);
    // Who gives the command again has it.
    let again = choir.outcomes("apply choir");
    assert!(again.values().all(|outcome| outcome == "changed"), "{again:?}");
}

/// Whatever a server answers in place of an answer: the account is told of, the others have what is wanted, and so has it afterwards.
#[test]
fn bad_days_of_one_network_are_no_days_of_the_others() {
    let choir = Choir::new();
    choir.world.x.enterprise();
    pictures(&choir);
    let mut number = 0;
    let mut check = |account: &str| {
        number += 1;
        choir.ring(&RING.replace("{corpus title}", &format!("{number} {{n}}")));
        let outcomes = choir.outcomes("apply choir");
        for (other, outcome) in &outcomes {
            let known =
                if other == account { &["failed", "unknown", "changed"][..] } else { &["changed"] };
            assert!(known.contains(&&**outcome), "{number} {account}: {outcomes:?}");
        }
        let again = &choir.outcomes(&format!("apply choir {account}"))[account];
        assert!(["changed", "same"].contains(&&**again), "{number} {account}: {again}");
    };
    for at in [Endpoint::Verify, Endpoint::Update] {
        for misbehave in [
            MastodonMisbehave::Gone,
            MastodonMisbehave::Html,
            MastodonMisbehave::Endless,
            MastodonMisbehave::NotFound,
            MastodonMisbehave::Unauthorized,
            MastodonMisbehave::Unprocessable("Validation failed: Note is odd".to_owned()),
            MastodonMisbehave::RetryAfter("7".to_owned()),
            MastodonMisbehave::Redirect("http://127.0.0.1:1/".to_owned()),
        ] {
            choir.mastodon.misbehave_at(at, misbehave);
            check("mastodon:iris@example.social");
        }
    }
    for method in ["getRecord", "uploadBlob", "putRecord"] {
        for misbehave in [
            BlueskyMisbehave::Html,
            BlueskyMisbehave::Endless,
            BlueskyMisbehave::Unauthorized,
            BlueskyMisbehave::Redirect("http://127.0.0.1:1/".to_owned()),
        ] {
            // A picture is handed over once.
            if method == "uploadBlob" {
                choir.bluesky.profile(DID, &["bot"]);
            }
            choir.bluesky.misbehave(method, misbehave);
            check("bluesky:apollo.example.com");
        }
    }
    for operation in [Operation::User, Operation::Profile, Operation::ProfileImage] {
        for misbehave in [
            Misbehave::Html,
            Misbehave::Endless,
            Misbehave::Unauthorized,
            Misbehave::RateLimitedForHowLong,
            Misbehave::Code88 { reset: None },
        ] {
            choir.world.x.misbehave_at(operation, misbehave);
            check("x:milton");
        }
    }
    assert_eq!((choir.mastodon.unspent(), choir.bluesky.unspent()), (vec![], vec![]));
    assert_eq!(choir.world.x.unspent(), []);
}

/// Where a network wants the mark of a bot, a ring sets it, and the account's sheep may post from then on.
#[test]
fn who_is_marked_by_it_may_post() {
    let choir = Choir::new();
    choir.bluesky.account("pan.example.com", "did:plc:panaaaaaaaaaaaaaaaaaaaaa", PASSWORD);
    let key = json!({ "app_password": PASSWORD, "url": choir.proxies[1].url() });
    choir.world.write("key.json", key.to_string());
    choir.world.ok("account add bluesky:pan.example.com --key key.json --networks-on-loopback");
    let on_bluesky = "network = \"bluesky\"\naccount = \"pan.example.com\"\nline = \"1h\"";
    choir.world.write_flock("pans", &[("pan", "one\n", on_bluesky)]);
    choir.world.write("pans/ring.toml", "[profile]\nname = \"Pan\"\n");
    assert_snapshot!(choir.said("apply pans", 0), @"
    bluesky:pan.example.com is changed:
      display name: nothing → “Pan”
    1 account: 1 changed.
    ");
    let shown = choir.world.ok("account show bluesky:pan.example.com");
    assert!(shown.contains("NOT labelled"), "{shown}");
    choir.world.write("pans/ring.toml", "[profile]\nname = \"Pan\"\nbot = true\n");
    assert_snapshot!(choir.said("apply pans", 0), @"
    bluesky:pan.example.com is changed:
      bot label: nobody's bot → a bot's
    1 account: 1 changed.
    ");
    let shown = choir.world.ok("account show bluesky:pan.example.com");
    assert!(shown.contains("labelled as a bot") && !shown.contains("NOT labelled"), "{shown}");
    // It has been made out of nothing, and by nobody else.
    assert_snapshot!(choir.said("apply pans", 0), @"
    bluesky:pan.example.com is so already
    1 account: 1 so already.
    ");
}

#[test]
fn nothing_is_seen_above_the_cap() {
    let choir = Choir::new();
    choir.ring("[profile]\nname = \"Book {n}\"\n");
    let flock = std::fs::read_to_string(choir.world.path("choir/flock.toml")).unwrap();
    choir.world.write("choir/flock.toml", flock.replace("= 100", "= \"0.005\""));
    choir.world.ok("flock apply choir");
    let said = crate::world::timeless(&choir.said("plan choir x:milton", 1));
    assert_snapshot!(said, @"
    x:milton FAILED: it cannot be read: flock choir has spent $0.00 of the $0.005 it may spend in MONTH, and this costs $0.01; raise `monthly_cap` in its flock.toml and apply it, or wait
    1 account: 1 failed.
    error: 1 of 1 account failed
    ");
    // Nor where no flock is there that pays; another may.
    choir.world.write_flock_with("other", "monthly_cap = 1", &[("o", "one\n", "line = \"1h\"")]);
    choir.world.ok("flock apply other");
    assert_snapshot!(choir.said("plan choir x:milton --pay other", 0), @"
    x:milton would be changed (the look cost $0.01):
      display name: “A sheep” → “Book 1”
      (it can be changed only if X lets the app; it refuses most)
    1 account: 1 would be changed. To look cost $0.01, which flock other has paid.
    ");
    choir.world.ok("flock remove choir --yes");
    assert_snapshot!(choir.said("plan choir x:milton", 1), @"
    x:milton FAILED: it cannot be read: this costs $0.01 on X, and flock choir has no `monthly_cap`; write one in its flock.toml and apply it
    1 account: 1 failed.
    error: 1 of 1 account failed
    ");
    assert_eq!(choir.world.x.billed_micros(MILTON), 10_000);
}

/// Two apply different rings at once: the second writes over nothing that it has not seen.
#[test]
fn of_two_at_once_the_second_is_told() {
    let choir = Choir::new();
    choir.ring("[profile]\nname = \"First\"\n");
    let numbered = choir.runtime.block_on(async { CrashPlan::new(Cut::Never) });
    choir.follow(&numbered);
    choir.said("plan choir bluesky:apollo.example.com", 0);
    let write = numbered.requests().len();
    // A look more, and then it writes.
    let held = CrashPlan::new(Cut::Hold(write + 1));
    choir.follow(&held);
    let arguments = "ring apply choir bluesky:apollo.example.com --networks-on-loopback";
    let first = choir.world.start(arguments);
    choir.runtime.block_on(held.reached());
    choir.bluesky.write(
        DID,
        PROFILE,
        "self",
        json!({ "$type": PROFILE, "displayName": "Second",
        "labels": { "$type": "com.atproto.label.defs#selfLabels", "values": [{ "val": "bot" }] } }),
    );
    held.release();
    let output = first.finish();
    assert_eq!(output.code, Some(1), "{output:?}");
    assert_snapshot!(output.stdout, @"
    bluesky:apollo.example.com FAILED: the profile on Bluesky was changed by somebody else in this very moment; look what is there, and try again
      display name: “A sheep” → “First”
    1 account: 1 failed.
    ");
    assert_eq!(choir.on_bluesky()["displayName"], "Second");
}

/// Killed before and after each request to a network, and then applied again.
#[test]
fn whoever_applies_again_after_a_crash_has_what_is_wanted() {
    for account in ["mastodon:iris@example.social", "bluesky:apollo.example.com", "x:milton"] {
        let mut cells = 0;
        for number in 0.. {
            let mut is_over = false;
            for cut in [Cut::Before(number), Cut::After(number)] {
                let choir = Choir::new();
                choir.world.x.enterprise();
                pictures(&choir);
                choir.ring(RING);
                let plan = CrashPlan::new(cut);
                choir.follow(&plan);
                let arguments = format!("ring apply choir {account} --networks-on-loopback");
                let mut first = Some(choir.world.start(&arguments));
                let died = choir.runtime.block_on(async {
                    let reached = plan.reached();
                    let over = async {
                        loop {
                            if first.as_mut().is_none_or(|first| first.has_ended()) {
                                return;
                            }
                            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                        }
                    };
                    tokio::select! { () = reached => true, () = over => false }
                });
                is_over |= !died;
                if let Some(first) = first.take() {
                    first.kill();
                }
                choir.follow(&CrashPlan::new(Cut::Never));
                let outcomes = choir.outcomes(&format!("apply choir {account}"));
                let outcome = &*outcomes[account];
                assert!(["changed", "same"].contains(&outcome), "{account} {cut:?}: {outcome}");
                check(&choir, account);
                cells += 1;
            }
            if is_over {
                break;
            }
        }
        assert!(4 < cells, "{account}: {cells}");
    }
}

/// That the account shows what [`RING`] says, and has been sent a picture twice at most.
#[track_caller]
fn check(choir: &Choir, account: &str) {
    if account.starts_with("mastodon") {
        let shown = choir.mastodon.profile("iris");
        assert_eq!((&*shown.display_name, shown.bot), ("Book 2", true));
        assert_eq!(shown.note, "Book 2 of 3, iris@example.social of choir");
        assert_eq!(shown.fields, [("Website".to_owned(), "https://example.org/2".to_owned())]);
        assert_eq!(shown.avatar, Some(png(3, 3, 10)));
        assert!(shown.pictures <= 2, "{}", shown.pictures);
    } else if account.starts_with("bluesky") {
        let shown = choir.on_bluesky();
        assert_eq!(shown["displayName"], "Book 1");
        assert_eq!(shown["website"], "https://example.org/3");
        let asked = choir.bluesky.take_requests();
        let number = |of: &str| asked.iter().filter(|asked| *asked == of).count();
        assert!(number("uploadBlob") <= 2 && number("putRecord") <= 2, "{asked:?}");
    } else {
        let shown = choir.world.x.profile(MILTON);
        assert_eq!((&*shown.name, &*shown.location), ("Book 3", "Eden"));
        assert_eq!(shown.image, Some(png(5, 5, 10)));
        assert!(shown.pictures <= 2, "{}", shown.pictures);
    }
}
