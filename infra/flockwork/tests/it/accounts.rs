//! Accounts of X and where their keys are, and are not.

use std::fs;

use flock_tests::{Bluesky, BlueskyMisbehave, Endpoint, Mastodon, MastodonMisbehave, Trouble, X};
use insta::assert_snapshot;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::world::{CONSUMER_KEY, World, XWorld, eventually, mode, set_mode};

const TOKEN: &str = "TOKEN-0123456789-abcdefghij";
const TOKEN_SECRET: &str = X::SECRET;
const CONSUMER_SECRET: &str = X::SECRET;

/// The number of the account.
const USER_ID: &str = "1234567890";

/// An X that knows the account.
fn world() -> XWorld {
    let world = XWorld::new();
    world.let_in(TOKEN, USER_ID);
    world
}

/// A key file as X hands it out, and what whoever wrote it says of the account.
fn key_file() -> String {
    format!(
        r#"{{
  "token": "{TOKEN}",
  "token_secret": "{TOKEN_SECRET}",
  "user_id": "{USER_ID}",
  "automated_label": true,
  "consumer_key": "{CONSUMER_KEY}",
  "consumer_secret": "{CONSUMER_SECRET}"
}}
"#
    )
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_key_is_sealed_and_its_file_left_alone() {
    let world = world();
    world.write("key.json", key_file());
    set_mode(&world.path("key.json"), 0o640);
    assert_snapshot!(world.ok("account add x:apollo_bot --key key.json"), @"x:apollo_bot can post now. Delete key.json.");
    assert_eq!(mode(&world.path("key.json")), 0o640);
    assert_eq!(fs::read_to_string(world.path("key.json")).unwrap(), key_file());

    let mut secret_files = 0;
    for (path, content) in world.files(".flockwork") {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!contains(&content, TOKEN), "{name}");
        if name.contains("secret") {
            secret_files += 1;
            assert_eq!(mode(&path), 0o600, "{name}");
        } else {
            // The app's secret has a file of its own, the account's is sealed.
            assert!(!contains(&content, TOKEN_SECRET), "{name}");
        }
    }
    assert_eq!(secret_files, 3, "the keyring and those of the apps");

    // A new key takes the place of the old one, under the same keyring.
    let keyring = fs::read(world.path(".flockwork/keyring.secret.json")).unwrap();
    world.let_in("another-token", USER_ID);
    // As Windows saves UTF-8.
    world.write("key.json", format!("\u{feff}{}", key_file()).replace(TOKEN, "another-token"));
    world.ok("account add x:apollo_bot --key key.json");
    assert_eq!(fs::read(world.path(".flockwork/keyring.secret.json")).unwrap(), keyring);
}

#[test]
fn a_bad_key_file_is_refused_without_a_word_of_it() {
    let world = World::new();
    let good = key_file();
    for (content, expected) in [
        (good.replace(&format!("\"{TOKEN}\""), TOKEN), "line 2, column 12: a value is missing"),
        (good.replace(&format!("\"{TOKEN}\""), &format!("[\"{TOKEN}\"]")), "`token` must be text"),
        (good.replace("\"token\":", &format!("\"{TOKEN}\":")), "field 1 of it has a name"),
        (good.replace("user_id", "userid"), "did you mean `user_id`?"),
        (good.replace('}', ""), "the file ends too early; close it with }"),
        (TOKEN.to_owned(), "line 1, column 1: "),
        (String::new(), "it is empty; a key file is JSON"),
        (good.replace(USER_ID, TOKEN_SECRET), "`user_id` is the account's number, digits only"),
        (good.replace(USER_ID, ""), "`user_id` is empty"),
    ] {
        world.write("key.json", &content);
        let said = world.refused("account add x:apollo --key key.json");
        assert!(said.starts_with("error: key.json"), "{said}");
        assert!(said.contains(expected), "{content}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        for secret in [TOKEN, TOKEN_SECRET, CONSUMER_KEY, CONSUMER_SECRET] {
            assert!(!said.contains(secret), "{said}");
        }
    }
    let said = world.refused("account add x:apollo --key nowhere.json");
    assert_snapshot!(said, @"error: cannot read the key file nowhere.json: it does not exist");
    // As Windows saves "Unicode".
    let utf16: Vec<u8> =
        format!("\u{feff}{good}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    world.write("key.json", utf16);
    assert_snapshot!(world.refused("account add x:apollo --key key.json"), @"error: cannot read the key file key.json: it is no text: line 1 is not UTF-8 but, as it seems, UTF-16; convert the file: iconv -f UTF-16 -t UTF-8 old.txt > new.txt");
    world.write("key.json", &good);
    assert!(world.refused("account add x:not/a/handle --key key.json").contains("not/a/handle"));

    // None of these may post now.
    let sheep = [("apollo", "one\n", "network = \"x\"\nline = \"1h\"")];
    world.write_flock_with("choir", "monthly_cap = 1", &sheep);
    assert_snapshot!(world.refused("flock apply choir"), @"error: choir/apollo: the account x:apollo was never added; connect it (`flockwork account connect x:apollo`)");
    assert_eq!(world.ok("flock list --json"), "");
}

/// As editors and people leave them: with a byte order mark, a comma after the last value, spaces around what was pasted, and
/// a number as a number.
#[test]
fn a_key_file_is_read_as_it_is_meant() {
    let world = world();
    let loose = key_file()
        .replace(&format!("\"{USER_ID}\""), USER_ID)
        .replace(TOKEN, &format!(" {TOKEN}\\n"))
        .replace("\n}", ",\n}");
    world.write("key.json", format!("\u{FEFF}{loose}"));
    assert_snapshot!(world.ok("account add x:apollo_bot --key key.json"), @"x:apollo_bot can post now. Delete key.json.");
}

/// The key file without the app's credentials, for the account `x:iris_bot`.
fn without_app() -> String {
    let file = key_file();
    let lines: Vec<_> = file.lines().filter(|line| !line.contains("consumer")).collect();
    lines.join("\n").replace("true,", "true")
}

#[test]
fn an_account_is_added_while_everything_runs() {
    let world = world();
    world.write("key.json", key_file());
    world.ok("account add x:apollo_bot --key key.json");
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    // The app is known to the run; a new account of it is sealed with the keyring the run has.
    world.ok("account add x:apollo_bot --key key.json");
    world.let_in("iris-token", "99");
    let iris = without_app().replace(TOKEN, "iris-token").replace(USER_ID, "99");
    world.write("key.json", iris);
    world.ok("account add x:iris_bot --key key.json");
    // The same user is not added under a second name, which would say everything twice.
    assert_snapshot!(world.refused("account add x:iris_old --key key.json"), @"error: x:iris_old is not added: it is connected already, as x:iris_bot");
    // Another app is another matter.
    world.write("key.json", key_file().replace(CONSUMER_KEY, "ANOTHER-APP"));
    assert_snapshot!(world.refused("account add x:pan_bot --key key.json"), @"error: the app's consumer_key and consumer_secret are new here, and a running `flockwork run` keeps to those it started with: stop it, add the account and start it again");
    let iris = "network = \"x\"\nline = \"1h\"\naccount = \"iris_bot\"";
    world.write_flock_with("choir", "monthly_cap = 1", &[("iris", "one\n", iris)]);
    world.ok("flock apply choir");
    run.interrupt();
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    eventually("a run opens what was sealed beside another", || {
        (world.posts("posts").len() == 1).then_some(())
    });
    for (path, _) in world.files(".flockwork") {
        if path.to_str().unwrap().contains("secret") {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}

#[test]
fn what_is_missing_or_cannot_be_is_said_before_anything_is_stored() {
    let world = world();
    world.write("key.json", without_app());
    assert_snapshot!(world.refused("account add x:apollo_bot --key key.json"), @"error: X is asked about the account in the app's name, which is not known here: write its consumer_key and consumer_secret into the key file; later accounts need not");
    world.write("key.json", key_file().replace("true", "false"));
    world.trouble(Trouble::Revoked);
    assert_snapshot!(world.refused("account add x:apollo_bot --key key.json"), @r#"error: x:apollo_bot is not added: X does not accept the account's key: "Invalid or expired token."; renew the account's key"#);
    assert_snapshot!(world.refused("account show x:apollo_bot"), @"error: the account x:apollo_bot was never added; connect it (`flockwork account connect x:apollo_bot`)");
    assert_snapshot!(world.refused("account add meadow:apollo --key key.json"), @"error: key.json: accounts of the meadow need no key: just name them");
    let said = world.refused("account add x:not-x --key key.json");
    assert!(
        said.contains("`not-x` is not an account of X: they are written like `apollo_bot`"),
        "{said}"
    );
}

/// X says whose a token is, by its beginning, and with each answer whether it may write.
#[test]
fn a_key_is_checked_for_nothing_and_may_not_only_read() {
    let world = XWorld::new();
    let token = format!("{USER_ID}-abcdefghij");
    world.let_in(&token, USER_ID);
    world.write("key.json", key_file().replace(TOKEN, &token));
    world.x.only_reads(true);
    let add = "account add x:apollo_bot --key key.json";
    assert_snapshot!(world.refused(add), @r#"error: x:apollo_bot is not added: X lets the key only read; set "Read and write" in X's developer console (console.x.com, "User authentication settings"), then sign in again: an older key keeps the old right"#);
    world.x.only_reads(false);
    world.ok(add);
    let checked = world.ok("account check");
    assert!(checked.starts_with("x:apollo_bot works, as the user 1234567890; "), "{checked}");
    world.x.only_reads(true);
    let checked: serde_json::Value =
        serde_json::from_str(&world.flockwork("account check --json").stdout).unwrap();
    assert_eq!((&checked["works"], &checked["user"]), (&json!(false), &json!(null)));
    assert_eq!(world.x.billed_micros(USER_ID), 0);
}

/// Networks do not tell capitals apart, and what is stored keeps those it was added with.
#[test]
fn an_account_with_other_capitals_is_named_as_it_is_written() {
    let world = XWorld::new();
    world.add("Apollo");
    let mut said = Vec::new();
    for act in ["connect", "connect --here", "renew", "show", "check", "remove --yes"] {
        let (act, words) = act.split_once(' ').unwrap_or((act, ""));
        said.push(world.refused(&format!("account {act} x:apollo {words}")));
    }
    let on_x = "network = \"x\"\naccount = \"apollo\"\nline = \"2h\"";
    world.write_flock_with("choir", "monthly_cap = 100", &[("a", "one\n", on_x)]);
    said.push(world.refused("flock plan choir"));
    world.write_flock_with("choir", "monthly_cap = 100", &[("a", "one\n", "line = \"2h\"")]);
    world.ok("flock apply choir");
    said.push(world.refused("sheep move a x:apollo"));
    assert_snapshot!(said.concat(), @"
    error: x:apollo is connected already, as x:Apollo: write it so (`flockwork account renew x:Apollo` gives it a new key)
    error: x:apollo is connected already, as x:Apollo: write it so (`flockwork account renew x:Apollo` gives it a new key)
    error: the account x:apollo was never added; x:Apollo is: write it so
    error: the account x:apollo was never added; x:Apollo is: write it so
    error: the account x:apollo was never added; x:Apollo is: write it so
    error: the account x:apollo was never added; x:Apollo is: write it so
    error: choir/a: the account x:apollo was never added; x:Apollo is: write it so
    error: choir/a: the account x:apollo was never added; x:Apollo is: write it so
    ");
    // What is not there at all can be connected.
    assert_snapshot!(world.refused("account show x:apollo2"), @"error: the account x:apollo2 was never added; connect it (`flockwork account connect x:apollo2`)");
}

const ADD: &str = "account add mastodon:apollo@example.social --key key.json";

#[test]
fn an_instance_is_asked_before_anything_is_stored() {
    let world = World::new();
    let runtime = Runtime::new().unwrap();
    let mastodon = runtime.block_on(Mastodon::start());
    mastodon.account("token-of-apollo", "apollo");
    let key = |token: &str, url: &str| {
        world.write("key.json", json!({ "access_token": token, "url": url }).to_string());
    };
    key("token-of-apollo", &mastodon.url());
    // Whoever names a server does not choose what is asked in our name.
    let said = world.refused(ADD).replace(&mastodon.url(), "URL");
    assert_snapshot!(said, @"error: mastodon:apollo@example.social is not added: 127.0.0.1 is called over https alone");
    key("token-of-apollo", "https://169.254.169.254");
    assert_snapshot!(world.refused(ADD), @"error: mastodon:apollo@example.social is not added: 169.254.169.254 is at an address inside a private network, which is not called");
    let local = format!("{ADD} --networks-on-loopback");
    assert_snapshot!(world.refused(&local), @"error: mastodon:apollo@example.social is not added: 169.254.169.254 is at an address inside a private network, which is not called");
    key("another-token", &mastodon.url());
    assert_snapshot!(world.refused(&local), @r#"error: mastodon:apollo@example.social is not added: Mastodon at example.social does not accept the account's key: "The access token is invalid"; renew the account's key"#);
    key("token-of-apollo", &mastodon.url());
    let iris = local.replace("apollo@", "iris@");
    assert_snapshot!(world.refused(&iris), @"error: mastodon:iris@example.social is not added: the key is that of apollo, not of iris@example.social; give the right key, or the right name");
    mastodon.allows("token-of-apollo", "read");
    assert_snapshot!(world.refused(&local), @"error: mastodon:apollo@example.social is not added: the key of Mastodon at example.social cannot post: it lacks `write:statuses`; sign in again, or allow that to the application (in the account's settings there, Development), make its access token anew, and renew the account's key");
    mastodon.allows("token-of-apollo", "read write");
    for (misbehave, expected) in [
        (MastodonMisbehave::Html, "a page"),
        (MastodonMisbehave::Redirect("http://169.254.169.254/".to_owned()), "169.254.169.254"),
        (MastodonMisbehave::Huge, "no end"),
        (MastodonMisbehave::Suspended, "shuts the account out"),
        (MastodonMisbehave::Gone, ""),
        (MastodonMisbehave::Refuse500, "500"),
    ] {
        mastodon.misbehave_at(Endpoint::Verify, misbehave);
        let said = world.refused(&local);
        assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
        assert!(said.contains("mastodon:apollo@example.social is not added: "), "{said}");
    }
    assert!(world.refused("account show mastodon:apollo@example.social").contains("never added"));
    assert_eq!(mastodon.unspent(), []);

    mastodon.bot("apollo", false);
    mastodon.most_characters(20);
    assert_snapshot!(world.ok(&local), @"
    mastodon:apollo@example.social is added. Delete key.json. But it must not post yet:
      against Mastodon's rule mastodon-unlabelled-bot: An automated account is marked as one in its profile. (https://docs.joinmastodon.org/user/profile/#bot) To do: mark it as automated in its profile and renew the account's key, or have it marked when that is renewed
      `flockwork account add mastodon:apollo@example.social --key key.json --mark-as-bot` has it marked.
    ");
    let said = world.ok(&format!("{local} --mark-as-bot"));
    assert_snapshot!(said, @"mastodon:apollo@example.social can post now. Delete key.json.");
    let shown = world.ok("account show mastodon:apollo@example.social");
    assert!(shown.contains("label         labelled as a bot\n"), "{shown}");
    assert!(shown.contains("longest post  20 characters\n"), "{shown}");

    // Whether a key works is open where its server does not say it.
    mastodon.misbehave_at(Endpoint::Verify, MastodonMisbehave::Refuse500);
    let open = world.flockwork("account check --networks-on-loopback");
    assert_eq!(open.code, Some(1), "{open:?}");
    assert_snapshot!(open.stdout, @"nobody knows whether mastodon:apollo@example.social works: Mastodon at example.social failed with status 500; try again later");
    assert_snapshot!(open.stderr, @"error: nobody knows whether 1 of 1 account can be posted through");

    // What it told of itself holds from then on.
    let sheep = "network = \"mastodon\"\naccount = \"apollo@example.social\"\nline = \"1h\"";
    let long = "short\nlonger than this instance takes\n";
    world.write_flock("choir", &[("apollo", long, sheep)]);
    assert_snapshot!(world.refused("flock plan choir"), @"error: choir/apollo.txt:2: the text is 31 characters long by mastodon's counting; mastodon takes 20; write split = true to make a thread of it, which cuts no link");
    let marked = format!("{sheep}\nmade_with_ai = true");
    world.write_flock("choir", &[("apollo", "short\n", &marked)]);
    assert_snapshot!(world.refused("flock plan choir"), @"error: choir/apollo (mastodon:apollo@example.social): Mastodon cannot mark posts as made with AI: it has no such mark; write made_with_ai = false for it");
    world.write_flock("choir", &[("apollo", "short\n", "line = \"1h\"")]);
    let plan = world.ok("flock apply choir");
    assert!(!plan.contains('$'), "{plan}");
    world.ok("sheep move apollo mastodon:apollo@example.social");
    let mut run = world.start("run --listen 127.0.0.1:0 --networks-on-loopback");
    run.url();
    eventually("it is posted there", || (mastodon.posts("apollo").len() == 1).then_some(()));
}

#[test]
fn an_account_of_bluesky_is_marked_on_the_way() {
    let world = World::new();
    let runtime = Runtime::new().unwrap();
    let bluesky = runtime.block_on(Bluesky::start());
    bluesky.account(
        "apollo.example.com",
        "did:plc:apolloapolloapolloapollo",
        "abcd-efgh-ijkl-mnop",
    );
    let key = json!({ "app_password": "abcd-efgh-ijkl-mnop", "url": bluesky.url() });
    world.write("key.json", key.to_string());
    let add = "account add bluesky:apollo.example.com --key key.json --networks-on-loopback";
    assert_snapshot!(world.ok(add), @"
    bluesky:apollo.example.com is added. Delete key.json. But it must not post yet:
      against Bluesky's rule bluesky-unlabelled-bot: An automated account carries the label `bot`. (https://docs.bsky.app/docs/starter-templates/bots) To do: renew the account's key and have it marked as a bot
      `flockwork account add bluesky:apollo.example.com --key key.json --mark-as-bot` has it marked.
    ");
    // Added all the same, so that this is no refusal.
    bluesky.misbehave("putRecord", BlueskyMisbehave::Refuse500);
    let failed = world.flockwork(&format!("{add} --mark-as-bot"));
    assert_eq!((failed.code, failed.stdout.as_str()), (Some(1), ""));
    let said = &failed.stderr;
    assert!(
        said.starts_with(
            "error: bluesky:apollo.example.com is added, but could not be marked as a bot: "
        ),
        "{said}"
    );
    assert!(
        said.ends_with("; mark it in its settings on the network, then renew its key\n"),
        "{said}"
    );
    assert_snapshot!(world.ok(&format!("{add} --mark-as-bot")), @"bluesky:apollo.example.com can post now. Delete key.json.");
    let shown = world.ok("account show bluesky:apollo.example.com");
    assert!(shown.contains("label         labelled as a bot\n"), "{shown}");
    bluesky.own_password("did:plc:apolloapolloapolloapollo", "correct horse");
    let own = json!({ "app_password": "correct horse", "url": bluesky.url() });
    world.write("own.json", own.to_string());
    assert_snapshot!(world.refused(&add.replace("key.json", "own.json")), @"error: bluesky:apollo.example.com is not added: Bluesky wants a code by mail, which it asks for with the account's own password; make an app password in its settings (Privacy and security, App passwords), and give that");
    bluesky.revoke_app_password("did:plc:apolloapolloapolloapollo");
    let refused = world.refused(add);
    assert!(refused.contains("bluesky:apollo.example.com is not added: "), "{refused}");
    for (path, content) in world.files(".flockwork") {
        assert!(!contains(&content, "abcd-efgh-ijkl-mnop"), "{}", path.display());
    }
}

#[test]
fn accounts_are_listed_and_removed_once_nobody_posts_through_them() {
    let world = XWorld::new();
    let said = world.flockwork("account list");
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), ""));
    assert_snapshot!(said.stderr, @"There is no account yet; `flockwork account connect ACCOUNT` adds one. On the meadow none is needed.");
    world.add("apollo");
    world.add("pan");
    let on_x = "network = \"x\"\naccount = \"apollo\"\nline = \"2h\"";
    let sheep = [("a", "one\n", on_x), ("b", "two\n", on_x), ("c", "three\n", "line = \"1h\"")];
    world.write_flock_with("choir", "monthly_cap = 100", &sheep);
    world.ok("flock apply choir");
    assert_snapshot!(world.ok("account list"), @"
    x:apollo                                 2 sheep      can post
    x:pan                                    0 sheep      can post
    ");
    assert_snapshot!(world.ok("account list --json"), @r#"
    {"account":"x:apollo","sheep":2,"added":true,"must_not_post":[]}
    {"account":"x:pan","sheep":0,"added":true,"must_not_post":[]}
    "#);
    let page = &world.json("account show x:apollo --json")[0];
    assert_eq!(page["labelled"], true);
    assert!(page["can"].as_array().unwrap().contains(&json!("post")), "{page}");

    assert_snapshot!(world.refused("account remove x:apollo --yes"), @"error: choir/a and choir/b would have no account; move or remove them first (`flockwork sheep list` shows them)");
    assert_snapshot!(world.refused("account remove x:nobody --yes"), @"error: the account x:nobody was never added");
    assert_snapshot!(world.refused("account remove x:pan"), @"error: this removes x:pan with its key, and there is nobody to ask here; nothing was changed; add --yes if it is meant");
    assert_eq!(world.answered("account remove x:pan", "no\n").code, Some(2));
    assert_eq!(world.json("account list --json").len(), 2);
    let said = world.answered("account remove x:pan", "yes\n");
    assert_snapshot!(said.stdout, @"Removed x:pan with its key. On the network the key still works, until it is revoked there.");
    assert_snapshot!(said.stderr, @"Remove x:pan with its key? What was posted through it stays. Type yes to go on:");
    assert_eq!(world.json("account list --json").len(), 1);
    world.refused("account show x:pan");

    // Once the sheep are gone their account can go, and come again.
    world.add("pan");
    world.ok("flock remove choir --yes");
    world.ok("account remove x:apollo --yes");
    world.refused("flock apply choir");
    world.ok("account remove x:pan --yes");
    assert!(world.json("account list --json").is_empty());
}

#[test]
fn keys_are_sealed_anew_with_a_new_key_beside_the_old() {
    let world = world();
    world.write("key.json", key_file());
    world.ok("account add x:apollo_bot --key key.json");
    assert_snapshot!(world.ok("account rotate"), @"The keys of 1 account are sealed with k1 now.");
    assert_snapshot!(world.ok("account rotate --new-key"), @"
    The keyring has the new key k2, which is current.
    The keys of 1 account are sealed with k2 now.
    The key k1 of the keyring seals nothing any more.
    ");
    let path = world.path(".flockwork/keyring.secret.json");
    let keyring = || {
        let text = fs::read_to_string(world.path(".flockwork/keyring.secret.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    assert_eq!((keyring()["current"].as_str(), mode(&path)), (Some("k2"), 0o600));
    assert_eq!(keyring()["k2"].as_str().unwrap().len(), 64);
    assert!(keyring()["k1"].is_string());
    // In a run it is the run that keeps it, and goes on with the job when it may.
    world.ok("stop");
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    assert_snapshot!(world.ok("account rotate --new-key"), @"
    The keyring has the new key k3, which is current.
    Everything is stopped, and so the rotation waits until `flockwork start`.
    ");
    assert_eq!((keyring()["current"].as_str(), mode(&path)), (Some("k3"), 0o600));
    let refused = world.refused("account rotate --new-key");
    assert!(refused.contains("are being sealed anew already"), "{refused}");
    run.interrupt();
    assert_snapshot!(world.ok("account rotate"), @"
    The keys of 1 account are sealed with k3 now.
    The keys k1 and k2 of the keyring seal nothing any more.
    ");
    assert_snapshot!(world.refused("account rotate --keyring k"), @"error: --keyring names a secret of a deployed stack: say --aws --table NAME, too");
}
