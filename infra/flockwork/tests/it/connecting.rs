//! Accounts that are connected from a terminal: signing in, walking through a folder, taking over old bundles.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    process::{Command, Stdio},
};

use flock_tests::{Bluesky, Person, Shown, X};
use insta::assert_snapshot;
use rustix::termios::{LocalModes, tcgetattr};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::world::{
    CONSUMER_KEY, Output, Running, World, XWorld, eventually, http, mode, set_mode,
};

const PASSWORD: &str = "abcd-efgh-ijkl-mnop";

/// A Bluesky with an account for each name, and where it runs.
fn bluesky(names: &[&str]) -> (Bluesky, Runtime) {
    let runtime = Runtime::new().unwrap();
    let bluesky = runtime.block_on(Bluesky::start());
    for name in names {
        let did = format!("did:plc:{name:a<24}");
        bluesky.account(&format!("{name}.example.com"), &did, PASSWORD);
    }
    (bluesky, runtime)
}

/// How a command ends that is typed to, and the end of the terminal where somebody types.
fn finish(running: Running, keyboard: &mut File) -> (Output, String) {
    let output = running.finish();
    // Where nobody has the other end any more, what is left can be read all the same.
    let mut seen = Vec::new();
    let _ = keyboard.read_to_end(&mut seen);
    (output, String::from_utf8(seen).unwrap())
}

/// Types something once the terminal does not show it.
fn type_unseen(keyboard: &mut File, text: &str) {
    eventually("the terminal shows nothing", || {
        let modes = tcgetattr(&*keyboard).unwrap().local_modes;
        (!modes.contains(LocalModes::ECHO)).then_some(())
    });
    keyboard.write_all(text.as_bytes()).unwrap();
}

#[test]
fn somebody_signs_in_and_touches_no_key() {
    let world = World::new();
    let (bluesky, _runtime) = bluesky(&["apollo"]);
    let url = bluesky.url();
    let connect = |name: &str| {
        format!("account connect bluesky:{name}.example.com --server {url} --networks-on-loopback")
    };
    // What has another form is asked of nobody.
    let (mut running, mut keyboard) =
        world.start_at_terminal(&(connect("apollo") + " --mark-as-bot"));
    type_unseen(&mut keyboard, "correct horse\n");
    running.log_line("An app password has");
    type_unseen(&mut keyboard, &format!("{PASSWORD}\n"));
    let (output, seen) = finish(running, &mut keyboard);
    assert_snapshot!(output.stdout, @"bluesky:apollo.example.com is connected.");
    assert_snapshot!(output.stderr, @"
    Make an app password as apollo.example.com, in its settings, Privacy and security, App passwords:
      https://bsky.app/settings/app-passwords
    App password (not shown): 
    An app password has four times four letters or digits, xxxx-xxxx-xxxx-xxxx; make one in the account's settings, and do not give the account's own password. Try again, `r` for a new link, or `n`.
    App password (not shown):
    ");
    assert!(!seen.contains("abcd") && !seen.contains("horse"), "{seen:?}");
    assert_eq!(bluesky.logins("did:plc:apolloaaaaaaaaaaaaaaaaaa"), 1);
    let shown = world.ok("account show bluesky:apollo.example.com");
    assert!(shown.contains("labelled as a bot"), "{shown}");
    for (path, content) in world.files(".flockwork") {
        let is_there = content.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
        assert!(!is_there, "{}", path.display());
    }

    let audit = world.ok("audit");
    assert!(audit.contains(": account connect bluesky:apollo.example.com - done"), "{audit}");

    assert_snapshot!(world.refused(&connect("apollo")), @"error: bluesky:apollo.example.com is connected already (`flockwork account renew bluesky:apollo.example.com` gives it a new key)");
    // What is not right with it has a sentence, and nothing is stored.
    for (name, typed) in [("pan", "n\n"), ("pan", "\u{4}"), ("pan", "ab\u{3}")] {
        let (running, mut keyboard) = world.start_at_terminal(&connect(name));
        type_unseen(&mut keyboard, typed);
        let output = running.finish();
        // However it ends: what is typed next is seen.
        let modes = tcgetattr(&keyboard).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ECHO | LocalModes::ISIG), "{typed:?}");
        assert_eq!(output.code, Some(2), "{typed:?}");
        assert!(output.stderr.contains("error: bluesky:pan.example.com is not "), "{output:?}");
    }
    // Who has mistyped it may type it again, but not for ever.
    let (mut running, mut keyboard) = world.start_at_terminal(&connect("pan"));
    for time in 0..3 {
        type_unseen(&mut keyboard, "wxyz-wxyz-wxyz-wxyz\n");
        if time < 2 {
            running.log_line("mistyped or was revoked");
        }
    }
    let (output, _) = finish(running, &mut keyboard);
    assert_eq!(output.code, Some(2));
    let said = output.stderr.lines().last().unwrap();
    assert!(said.contains("is not connected: what was typed was wrong 3 times. "), "{said}");
    assert_snapshot!(world.refused("account connect meadow:apollo"), @"error: accounts of the meadow need no key: just name them in a flock");
    assert_eq!(world.json("account list --json").len(), 1);
}

#[test]
fn on_x_a_pin_is_typed_and_the_app_is_asked_for_once() {
    let world = XWorld::new();
    world.x.called("7", "milton");
    world.x.called("8", "mallory");
    world.x.person(Person::Allows("7".to_owned()));
    let connect = "account connect x:milton --automated-label";
    let (mut running, mut keyboard) = world.start_at_terminal(connect);
    keyboard.write_all(format!("{CONSUMER_KEY}\n").as_bytes()).unwrap();
    type_unseen(&mut keyboard, &format!("{}\n", X::SECRET));
    let page = running.log_line("  http");
    keyboard.write_all(b"12\n0000000\nr\n").unwrap();
    // The PIN of a page that was left for another is good no more.
    let Shown::Pin(old) = world.x.visit(page.trim()) else { panic!("X shows no PIN") };
    let page = running.log_line("  http");
    let Shown::Pin(pin) = world.x.visit(page.trim()) else { panic!("X shows no PIN") };
    keyboard.write_all(format!("{old}\n{pin}\n").as_bytes()).unwrap();
    let (output, seen) = finish(running, &mut keyboard);
    assert!(!seen.contains(X::SECRET), "{seen}");
    assert_snapshot!(output.stdout, @"x:milton is connected.");
    let mut said = output.stderr;
    for page in said.clone().lines().filter(|line| line.starts_with("  http")) {
        said = said.replace(page, "  PAGE");
    }
    assert_snapshot!(said, @r#"
    X wants an app, which is not known here yet. Make one at https://developer.x.com with read and write permission; its page "Keys and tokens" has the API key and its secret.
    API key: API key secret (not shown): 
    Open this page, sign in as milton - a private window asks for it -, and allow it:
      PAGE
    PIN: A PIN of X has 7 digits; type the one that X shows after "Authorize app". Try again, `r` for a new link, or `n`.
    PIN: X does not take this PIN; type the one that it shows, and if that is not taken, begin again. Try again, `r` for a new link, or `n`.
    PIN: Open this page, sign in as milton - a private window asks for it -, and allow it:
      PAGE
    PIN: X does not take this PIN; type the one that it shows, and if that is not taken, begin again. Try again, `r` for a new link, or `n`.
    PIN:
    "#);
    assert_snapshot!(world.refused(connect), @"error: x:milton is connected already (`flockwork account renew x:milton` gives it a new key)");

    // The app is known now; who signs in as somebody else is told so, and the key stays.
    let renew = |person: &str| {
        world.x.person(Person::Allows(person.to_owned()));
        let (mut running, mut keyboard) = world.start_at_terminal("account renew x:milton");
        let page = running.log_line("  http");
        let Shown::Pin(pin) = world.x.visit(page.trim()) else { panic!("X shows no PIN") };
        keyboard.write_all(format!("{pin}\n").as_bytes()).unwrap();
        finish(running, &mut keyboard).0
    };
    let other = renew("8");
    assert_eq!(other.code, Some(2));
    assert_snapshot!(other.stderr.lines().last().unwrap(), @"PIN: error: x:milton has no new key: the key is that of mallory, not of milton; sign out there, or open the page in a private window, and sign in as the account that is to have it");
    assert_snapshot!(renew("7").stdout, @"x:milton has a new key.");
    // What would be ignored is refused.
    assert_snapshot!(world.refused("account renew x:milton --server https://x.example"), @"error: x:milton keeps its server when it is given a new key; leave --server out");
    assert_snapshot!(world.refused("account renew x:milton --mark-as-bot"), @r#"error: --mark-as-bot is for Mastodon and Bluesky: X has no request for it. Set the label in the account's settings (Your account, Automation), and say that it is there: --automated-label, or "automated_label": true in a key file"#);
    assert_snapshot!(world.refused("account connect bluesky:a.example --automated-label"), @"error: --automated-label is about X's label; on Bluesky say --mark-as-bot");
    assert_snapshot!(world.refused("account renew x:pan"), @"error: the account x:pan was never added (`flockwork account connect x:pan`)");
    assert_snapshot!(world.ok("account list"), @"x:milton                                 0 sheep      can post");
}

#[test]
fn where_a_run_is_up_there_is_a_link() {
    let world = World::new();
    let connect = "account connect mastodon:iris@example.social";
    assert_snapshot!(world.refused(&format!("{connect} --keys-url https://a.example/keys")), @"error: --keys-url is the address of a deployed stack: say --aws --table NAME, too");
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    assert_snapshot!(world.refused("account connect x:milton"), @"error: X wants an app, which the `flockwork run` that is up does not know: end the run, give this command again, which asks for the app then, and start the run again");
    assert_snapshot!(world.refused("account connect x:milton --here"), @"error: X wants an app, which the `flockwork run` that is up does not know: end the run, give this command again, which asks for the app then, and start the run again");
    assert_snapshot!(world.refused(&format!("{connect} --mark-as-bot")), @"error: --mark-as-bot is for signing in at this terminal: the page that a link opens asks for it; leave it out, or say --here instead");
    let output = world.flockwork(connect);
    assert_snapshot!(output.stderr, @"Whoever opens it and signs in as iris@example.social connects mastodon:iris@example.social. It works once, for 10 minutes; `--here` signs in at this terminal.");
    let link = output.stdout.trim();
    let address = url.trim_end_matches('/');
    assert!(link.starts_with(&format!("{address}/keys/connect/")), "{link}");
    for _ in 0..2 {
        // Whoever looks at it does not use it up.
        let page = http(|client| client.get(link));
        assert_eq!((page.status, page.kind.as_str()), (200, "text/html; charset=utf-8"));
        assert!(page.body.contains("mastodon:iris@example.social"), "{}", page.body);
        assert!(page.policy.starts_with("default-src 'none'"), "{}", page.policy);
    }
    assert_eq!(http(|client| client.get(format!("{address}/keys/connect/x"))).status, 404);
    // A Host that is none reaches no function.
    for host in ["a:99999999", "[::1", "a b"] {
        let page =
            http(|client| client.get(format!("{address}/keys/callback")).header("host", host));
        assert_eq!(page.status, 400, "{host}: {}", page.body);
    }
    let token = link.rsplit('/').next().unwrap();
    for (path, content) in world.files(".flockwork") {
        let is_there = content.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!is_there, "{}", path.display());
    }
}

#[test]
fn a_walk_ends_with_accounts_and_sheep() {
    let world = World::new();
    let (bluesky, _runtime) = bluesky(&["book-1", "book-2", "milton"]);
    for (file, text) in [("Book 1", "one\ntwo\n"), ("Book 2", "three\n"), ("Book 10", "ten\n")] {
        world.write(&format!("paradise/{file}.txt"), text);
    }
    world.write("paradise/.hidden.txt", "no\n");
    world.write("paradise/notes.md", "no\n");
    let url = bluesky.url();
    let walk = format!(
        "account walk paradise --network bluesky --account {{name}}.example.com --mark-as-bot --server {url} \
         --networks-on-loopback"
    );
    // One, not the second, another name for the third; then it goes on where it was left.
    let (mut running, mut keyboard) = world.start_at_terminal(&walk);
    keyboard.write_all(b"perhaps\ny\n").unwrap();
    type_unseen(&mut keyboard, &format!("{PASSWORD}\n"));
    running.log_line("is connected.");
    keyboard.write_all(b"n\nmilton.example.com\n").unwrap();
    type_unseen(&mut keyboard, &format!("{PASSWORD}\n"));
    let (output, _) = finish(running, &mut keyboard);
    assert_snapshot!(output.stdout, @"
    2 accounts connected, 2 sheep added to paradise/flock.toml; 1 text left out.
    `flockwork flock plan paradise` shows what the flock will be, `flockwork preview paradise` its next posts, and `flockwork flock apply paradise` lets it post.
    ");
    assert_snapshot!(output.stderr.replace(&url, "URL"), @"
    1 of 3: Book 1.txt
    Connect bluesky:book-1.example.com? [y]es, [n]o, [s]kip the rest, or another name: `perhaps` is not an account of Bluesky: they are written like `apollo.bsky.social`.
    Connect bluesky:book-1.example.com? [y]es, [n]o, [s]kip the rest, or another name: Make an app password as book-1.example.com, in its settings, Privacy and security, App passwords:
      https://bsky.app/settings/app-passwords
    App password (not shown): 
    bluesky:book-1.example.com is connected.
    2 of 3: Book 2.txt
    Connect bluesky:book-2.example.com? [y]es, [n]o, [s]kip the rest, or another name: 3 of 3: Book 10.txt
    Connect bluesky:book-10.example.com? [y]es, [n]o, [s]kip the rest, or another name: Make an app password as milton.example.com, in its settings, Privacy and security, App passwords:
      https://bsky.app/settings/app-passwords
    App password (not shown): 
    bluesky:milton.example.com is connected.
    ");
    assert_snapshot!(std::fs::read_to_string(world.path("paradise/flock.toml")).unwrap(), @r#"
    name = "paradise"
    time_zone = "UTC"

    # From one line to the next, and from the last until the first comes again.
    [defaults]
    line = "1h"
    stanza = "1d"

    [[sheep]]
    name = "book-1"
    behaviour = "poem"
    corpus = "Book 1.txt"
    network = "bluesky"
    account = "book-1.example.com"

    [[sheep]]
    name = "book-10"
    behaviour = "poem"
    corpus = "Book 10.txt"
    network = "bluesky"
    account = "milton.example.com"
    "#);
    world.ok("flock plan paradise");

    // Who is somebody else, or gives a wrong password, is asked again.
    let (mut running, mut keyboard) = world.start_at_terminal(&walk);
    keyboard.write_all(b"yes\n").unwrap();
    type_unseen(&mut keyboard, "wxyz-wxyz-wxyz-wxyz\n");
    running.log_line("does not accept");
    type_unseen(&mut keyboard, &format!("{PASSWORD}\n"));
    let (output, _) = finish(running, &mut keyboard);
    assert_snapshot!(output.stderr.replace(&url, "URL"), @r#"
    3 of 3: Book 2.txt
    Connect bluesky:book-2.example.com? [y]es, [n]o, [s]kip the rest, or another name: Make an app password as book-2.example.com, in its settings, Privacy and security, App passwords:
      https://bsky.app/settings/app-passwords
    App password (not shown): 
    bluesky:book-2.example.com is not added: Bluesky does not accept the account's app password: "Invalid identifier or password"; it is mistyped or was revoked, or the account was taken down: look in its settings, and give a new one. Try again, `r` for a new link, or `n`.
    App password (not shown): 
    bluesky:book-2.example.com is connected.
    "#);
    let applied = world.ok("flock apply paradise");
    assert!(applied.contains("+ create book-2: poem of 1 line"), "{applied}");
    assert_eq!(world.json("account list --json").len(), 3);
    let audit = world.ok("audit");
    assert_eq!(audit.matches(".example.com - done").count(), 3, "{audit}");
    // A third time there is nobody left to ask about.
    assert_snapshot!(world.ok(&walk), @"
    0 accounts connected, 0 sheep added to paradise/flock.toml.
    `flockwork flock plan paradise` shows what the flock will be, `flockwork preview paradise` its next posts, and `flockwork flock apply paradise` lets it post.
    ");
}

#[test]
fn a_walk_is_for_texts() {
    let world = World::new();
    assert_snapshot!(world.refused("account walk nowhere --network x"), @"error: cannot read nowhere: it does not exist");
    world.write("empty/readme.md", "no\n");
    assert_snapshot!(world.refused("account walk empty --network x"), @"error: empty has no .txt files, and no sheep that posts anywhere but on the meadow");
    assert_snapshot!(world.refused("account walk empty --network meadow"), @"error: accounts of the meadow need no key; write the flock without a walk");
    world.write("odd/a.txt", "no\n");
    world.write("odd/A.txt", "no\n");
    assert_snapshot!(world.refused("account walk odd --network x"), @"error: odd/a.txt: there is a sheep a already; give the file another name");
    // What plan refuses makes no key; a name that is not written in Latin letters gives a sheep one that says nothing.
    world.write("verse/empty.txt", "");
    std::fs::create_dir(world.path("verse/folder.txt")).unwrap();
    world.write("verse/詩.txt", "床前明月光\n");
    let walk = "account walk verse --network bluesky --account {name}.example.com";
    let said = world.answered(walk, "y\nn\ny\nn\nn\n");
    assert_snapshot!(said.stderr, @r#"
    1 of 3: empty.txt
    Connect bluesky:empty.example.com? [y]es, [n]o, [s]kip the rest, or another name: verse/empty.txt: there is no line to post in it
    Connect bluesky:empty.example.com? [y]es, [n]o, [s]kip the rest, or another name: 2 of 3: folder.txt
    Connect bluesky:folder.example.com? [y]es, [n]o, [s]kip the rest, or another name: verse/flock.toml:12: `folder.txt` is a directory; for the texts in it give `files`, such as "poems/*.txt"
    Connect bluesky:folder.example.com? [y]es, [n]o, [s]kip the rest, or another name: 3 of 3: 詩.txt
    No account of Bluesky is called like it. Its name, [n]o, or [s]kip the rest:
    "#);
    assert_snapshot!(said.stdout, @"0 accounts connected, no flock.toml written; 3 texts left out.");
    // X charges, so that there has to be a cap before anybody signs in.
    world.write("milton/book.txt", "no\n");
    let said = world.answered("account walk milton --network x", "plenty\n5\ns\n");
    assert_snapshot!(said.stderr, @"
    X charges $0.015 for a post. The most that the flock may cost in a month, in dollars: `plenty` is not an amount of dollars: write it as 10 or 2.50.
    X charges $0.015 for a post. The most that the flock may cost in a month, in dollars: 1 of 1: book.txt
    Connect x:book? [y]es, [n]o, [s]kip the rest, or another name:
    ");
    assert_eq!((said.code, world.files("milton").len()), (Some(0), 1));
}

/// What a walk through `paradise` says that finds its answers in a file, behind commands of the shell.
fn walk_behind(world: &World, url: &str, commands: &str, answers: &str) -> (Option<i32>, String) {
    world.write("answers", answers);
    let script = format!(
        "{commands} exec {} account walk paradise --network bluesky --account '{{name}}.example.com' --mark-as-bot \
         --server {url} --networks-on-loopback",
        env!("CARGO_BIN_EXE_flockwork")
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(world.path("")).env_clear();
    let stdin = File::open(world.path("answers")).unwrap();
    let output = command.stdin(stdin).stdout(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

fn last(said: &str) -> &str {
    said.lines().last().unwrap_or_default()
}

/// As on a full disk, or where somebody may not write.
#[test]
fn a_flock_that_cannot_be_written_is_as_it_was() {
    let world = World::new();
    let (bluesky, _runtime) = bluesky(&["book"]);
    let url = bluesky.url();
    // It has the table, whose files grow.
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    world.write("paradise/a.txt", "one\n");
    world.write("paradise/book.txt", "one\n");
    let limit = "trap '' XFSZ; ulimit -f 1;";
    let answers = format!("y\n{PASSWORD}\n");
    let flock = |length: usize| {
        let begins = "name = \"paradise\"\n[defaults]\nline = \"1h\"\nstanza = \"1d\"\n\n[[sheep]]\nname = \"a\"\n\
                      behaviour = \"poem\"\ncorpus = \"a.txt\"\nnetwork = \"meadow\"\n#";
        format!("{begins:.<length$}\n")
    };
    let check = |length: usize| {
        let (code, said) = walk_behind(&world, &url, limit, &answers);
        let there = fs::read_to_string(world.path("paradise/flock.toml")).unwrap();
        assert_eq!(there, flock(length));
        assert_eq!(world.files("paradise").len(), 3);
        (code, said)
    };
    // What cannot be written at all is found before there is a key.
    world.write("paradise/flock.toml", flock(2_000));
    let (code, said) = check(2_000);
    assert_eq!(code, Some(2));
    assert_snapshot!(last(&said), @"error: cannot write paradise/flock.toml: no file may grow so large in this shell; see `ulimit -f`, and give the command again");
    assert_eq!(world.json("account list --json").len(), 0);
    set_mode(&world.path("paradise/flock.toml"), 0o440);
    // Root may write all the same.
    if !rustix::process::geteuid().is_root() {
        let (code, said) = walk_behind(&world, &url, "", "s\n");
        assert_eq!(code, Some(2));
        assert_snapshot!(last(&said), @"error: cannot write paradise/flock.toml: you may not write there; see to its permissions");
    }
    set_mode(&world.path("paradise/flock.toml"), 0o640);
    // There is room for what is there, in a block of 512 bytes, and none for the sheep.
    world.write("paradise/flock.toml", flock(500));
    let (code, said) = check(500);
    assert_eq!(code, Some(1));
    assert_snapshot!(last(&said), @"error: bluesky:book.example.com is connected, but has no sheep yet: paradise/flock.toml, which is as it was, cannot be written: no file may grow so large in this shell; see `ulimit -f`, and give the command again");
    // With room it goes on.
    let (code, said) = walk_behind(&world, &url, "", "y\n");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(mode(&world.path("paradise/flock.toml")), 0o640);
    world.ok("flock plan paradise");
}

#[test]
fn two_walks_make_no_sheep_twice() {
    let world = World::new();
    let (bluesky, _runtime) = bluesky(&["book", "milton"]);
    world.write("paradise/book.txt", "one\n");
    let walk = format!(
        "account walk paradise --network bluesky --account {{name}}.example.com --server {} --networks-on-loopback",
        bluesky.url()
    );
    let (first, mut keyboard) = world.start_at_terminal(&walk);
    keyboard.write_all(b"milton.example.com\n").unwrap();
    type_unseen(&mut keyboard, "\n");
    let (second, mut other) = world.start_at_terminal(&walk);
    other.write_all(b"y\n").unwrap();
    type_unseen(&mut other, &format!("{PASSWORD}\n"));
    let (output, _) = finish(second, &mut other);
    assert!(output.stdout.contains("1 account connected, 1 sheep added"), "{output:?}");
    let flock = || fs::read_to_string(world.path("paradise/flock.toml")).unwrap();
    let before = flock();
    type_unseen(&mut keyboard, &format!("{PASSWORD}\n"));
    let (output, _) = finish(first, &mut keyboard);
    let said: Vec<_> = output.stderr.lines().collect();
    assert_snapshot!(said[said.len() - 2..].join("\n"), @"
    paradise/flock.toml:17: the sheep name `book` is used twice: in line 10 and in line 17
    bluesky:milton.example.com is connected, but the flock was changed meanwhile, and so no sheep was made of it.
    ");
    assert!(output.stdout.contains("1 account connected, 0 sheep added"), "{output:?}");
    assert_eq!(flock(), before);
}

#[test]
fn a_name_with_a_line_break_is_one_line() {
    let world = XWorld::new();
    world.write("verse/new\nline.txt", "one\n");
    world.write("verse/new\nkey.json", "{}");
    let walk = "account walk verse --network bluesky --account {name}.example.com";
    let said = world.answered(walk, "s\n");
    assert_snapshot!(said.stderr.lines().next().unwrap(), @r"1 of 1: new\nline.txt");
    let said = world.flockwork("account import verse");
    assert!(said.stdout.starts_with("new\\nkey.json: not taken over: "), "{said:?}");
    assert_eq!(said.stdout.trim_end().lines().count(), 1, "{said:?}");
}

#[test]
fn an_answer_that_is_too_long_answers_nothing_else() {
    let world = World::new();
    let (bluesky, _runtime) = bluesky(&["book"]);
    world.write("paradise/book.txt", "one\n");
    let long = "x".repeat(9_000);
    let walk = |answers: &str| walk_behind(&world, &bluesky.url(), "", answers);
    // The sign-in is left, and the question before it asked again.
    let (code, said) = walk(&format!("y\n{long}\ns\n"));
    assert_snapshot!(said, @"
    1 of 1: book.txt
    Connect bluesky:book.example.com? [y]es, [n]o, [s]kip the rest, or another name: Make an app password as book.example.com, in its settings, Privacy and security, App passwords:
      https://bsky.app/settings/app-passwords
    App password (not shown): 
    What was typed is longer than any key, PIN or name (4000 bytes are the most), and was not taken.
    Connect bluesky:book.example.com? [y]es, [n]o, [s]kip the rest, or another name:
    ");
    assert_eq!(code, Some(0));
    let (code, said) = walk(&format!("{long}\n"));
    assert_snapshot!(last(&said), @"Connect bluesky:book.example.com? [y]es, [n]o, [s]kip the rest, or another name: error: what was typed is longer than any key, PIN or name (4000 bytes are the most), and was not taken");
    assert_eq!(code, Some(2));
    let (code, said) = walk(&format!("y\n{}", long.repeat(1_000)));
    assert_snapshot!(last(&said), @"App password (not shown): error: what is typed has no end: no line break in 1048576 bytes");
    assert_eq!(code, Some(1));
    assert_eq!(bluesky.logins("did:plc:bookaaaaaaaaaaaaaaaaaaaa"), 0);
}

#[test]
fn old_bundles_are_taken_over_with_the_app_they_were_made_with() {
    let world = XWorld::new();
    let bundle = |name: &str, number: &str, consumer: &str| {
        json!({
            "consumer_token": consumer,
            "consumer_token_secret": X::SECRET,
            "oauth_token": format!("{number}-token"),
            "oauth_token_secret": X::SECRET,
            "screen_name": name,
            "file": "text/book.txt",
        })
        .to_string()
    };
    for (number, name) in [("1", "milton_book1"), ("2", "Milton_Second"), ("4", "mallory")] {
        world.let_in(&format!("{number}-token"), number);
        world.x.called(number, name);
    }
    // Its app is not X's, and so is not kept for the others.
    world.write("keys/book0.json", bundle("milton_book0", "0", "app-of-old"));
    world.write("keys/book4.json", bundle("milton_book4", "4", CONSUMER_KEY));
    world.write("keys/book1.json", bundle("milton_book1", "1", CONSUMER_KEY));
    world.write("keys/book2.json", bundle("milton_book2", "2", CONSUMER_KEY));
    world.write("keys/book3.json", bundle("milton_book3", "3", "another-app"));
    world.write("keys/book2-old.json", bundle("Milton_Second", "2", CONSUMER_KEY));
    world.write("keys/book10.json", bundle("milton_book10", "10", CONSUMER_KEY));
    world.write("keys/broken.json", "{\"consumer_token\": \"hush\"}");
    world.write("keys/notes.txt", "no");
    let output = world.flockwork("account import keys --automated-label");
    assert_eq!(output.code, Some(1), "{output:?}");
    assert_snapshot!(output.stdout, @r#"
    book0.json: not taken over: x:milton_book0 is not added: X does not accept the account's key: "Unauthorized"; renew the account's key
    book1.json: x:milton_book1 is connected
    book2-old.json: x:Milton_Second is connected
    book2.json: not taken over: x:milton_book2 is not added: the key is that of Milton_Second, not of milton_book2; if the account is called so by now, write that as the bundle's `screen_name`; else it is the key of another
    book3.json: not taken over: it needs the app it was made with, and the X app here is another: `consumer_token` and `consumer_token_secret` are not its consumer_key and consumer_secret
    book4.json: not taken over: x:milton_book4 is not added: the key is that of mallory, not of milton_book4; if the account is called so by now, write that as the bundle's `screen_name`; else it is the key of another
    book10.json: not taken over: x:milton_book10 is not added: X does not accept the account's key: "Unauthorized"; renew the account's key
    broken.json: not taken over: `consumer_token_secret` is missing; a key file has `consumer_token`, `consumer_token_secret`, `oauth_token`, `oauth_token_secret` and `screen_name`
    "#);
    assert_snapshot!(output.stderr, @"error: 6 of 8 bundles were not taken over");
    assert_snapshot!(world.ok("account list"), @"
    x:Milton_Second                          0 sheep      can post
    x:milton_book1                           0 sheep      can post
    ");
    let audit = world.ok("audit");
    assert_eq!(audit.matches(": account import x:milton_book").count(), 1, "{audit}");
    // Once more it changes nothing.
    let again = world.flockwork("account import keys");
    assert_snapshot!(again.stdout, @r#"
    book0.json: not taken over: it needs the app it was made with, and the X app here is another: `consumer_token` and `consumer_token_secret` are not its consumer_key and consumer_secret
    book1.json: x:milton_book1 is here already, and is left as it is
    book2-old.json: x:Milton_Second is here already, and is left as it is
    book2.json: not taken over: x:milton_book2 is not added: the key is that of Milton_Second, not of milton_book2; if the account is called so by now, write that as the bundle's `screen_name`; else it is the key of another
    book3.json: not taken over: it needs the app it was made with, and the X app here is another: `consumer_token` and `consumer_token_secret` are not its consumer_key and consumer_secret
    book4.json: not taken over: x:milton_book4 is not added: the key is that of mallory, not of milton_book4; if the account is called so by now, write that as the bundle's `screen_name`; else it is the key of another
    book10.json: not taken over: x:milton_book10 is not added: X does not accept the account's key: "Unauthorized"; renew the account's key
    broken.json: not taken over: `consumer_token_secret` is missing; a key file has `consumer_token`, `consumer_token_secret`, `oauth_token`, `oauth_token_secret` and `screen_name`
    "#);
    assert_snapshot!(world.refused("account import nowhere"), @"error: cannot read nowhere: it does not exist");
    world.write("none/a.txt", "no");
    assert_snapshot!(world.refused("account import none"), @"error: none has no .json files; a keymaker puts its bundles into a directory such as keys/");
    world.write("bad/a.json", "[]");
    let bad = world.flockwork("account import bad");
    assert_eq!(bad.code, Some(2));
    for (path, content) in world.files(".flockwork") {
        let has = |text: &[u8]| content.windows(text.len()).any(|window| window == text);
        assert!(!has(b"1-token"), "{}", path.display());
    }
}
