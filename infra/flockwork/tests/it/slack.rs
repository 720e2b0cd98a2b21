//! Slack as it is tried on this machine: in the terminal and in the browser.

use insta::assert_snapshot;

use crate::world::{Answer, Running, World, eventually, http};

/// `flockwork slack`, whose words have blanks in them.
#[track_caller]
fn slack(world: &World, arguments: &[&str]) -> String {
    let mut command = world.command("slack");
    command.args(arguments);
    let output = Running::spawn(command).finish();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{arguments:?}: {output:#?}");
    output.stdout
}

fn choir() -> World {
    let world = World::new();
    let rhythm = "line = \"1h\"\nstart = \"2087-01-01\"";
    world.write_flock("choir", &[("alto", "one\ntwo\n", rhythm)]);
    world.ok("flock apply choir");
    world
}

/// What a person enters and what is answered. Without a run, each command is a Slack of its own.
fn conversation(world: &World) -> String {
    let entered: [&[&str]; 12] = [
        &["/flock alive"],
        // The same again is not a repeated delivery.
        &["/flock", "alive"],
        &["@flockwork alive"],
        &["@flo alive", "--as", "U7", "--room", "G7"],
        &["@flora alive"],
        &["/flock pause alto", "--as", "U2"],
        &["/flock grant @ben shepherd"],
        // Slack is asked who that is, which takes longer than Slack waits.
        &["/flock grant cyd shepherd"],
        &["/flock stop", "--press", "cancel"],
        &["/flock pause choir", "--press", "Pause the flock"],
        &["/flock level add elder 5"],
        &["/flock level remove elder", "--press", "Remove the level"],
    ];
    let said = entered.map(|words| {
        let answers = sorted(&slack(world, words));
        format!("$ {}\n{answers}", words.join(" "))
    });
    said.join("\n")
}

/// The answers in the order of their texts, where no button was pressed: what is deferred may be done before the
/// first answer is shown.
fn sorted(said: &str) -> String {
    if said.contains("\n> [") {
        return said.to_owned();
    }
    let mut answers: Vec<String> = Vec::new();
    for line in said.split_inclusive('\n') {
        match answers.last_mut() {
            Some(last) if line.starts_with("  ") => last.push_str(line),
            _ => answers.push(line.to_owned()),
        }
    }
    answers.sort();
    answers.concat()
}

#[test]
fn one_talks_to_the_bot_in_the_terminal_with_a_run_and_without() {
    let without = conversation(&choir());
    let world = choir();
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    run.line("Try Slack commands at http://127.0.0.1:");
    assert!(!slack(&world, &["link"]).is_empty());
    assert_eq!(conversation(&world), without);
    let output = run.interrupt();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    assert_snapshot!(without, @"
    $ /flock alive
    flockwork (only visible to you):
      Yes.

    $ /flock alive
    flockwork (only visible to you):
      Yes.

    $ @flockwork alive
    flockwork (only visible to you):
      Yes.

    $ @flo alive --as U7 --room G7
    flockwork (only visible to you):
      Yes.

    $ @flora alive
    Nobody answers.

    $ /flock pause alto --as U2
    flockwork (only visible to you):
      `pause` needs at least `shepherd` (rank 1); you have no level here. @ada can grant it.

    $ /flock grant @ben shepherd
    flockwork:
      @ben is `shepherd` in this room now.

    $ /flock grant cyd shepherd
    flockwork (only visible to you):
      I am asking Slack who `cyd` is.
    flockwork:
      @cyd is `shepherd` in this room now.

    $ /flock stop --press cancel
    flockwork (only visible to you):
      This stops everything: 1 sheep, and 0 posts planned for the next 24 hours. For what is due while everything is stopped, each sheep makes up as its `catch_up` says: with one post, unless that says otherwise.
      The button works for 5 minutes.
      [Stop everything] [Cancel]
    > [Cancel]
    flockwork took a message back.
    flockwork (only visible to you):
      Nothing was done.

    $ /flock pause choir --press Pause the flock
    flockwork (only visible to you):
      This pauses the flock choir, 1 sheep. While a sheep is paused it posts nothing, and what is due then is left out; resumed, it goes on in its text where it was.
      The button works for 5 minutes.
      [Pause the flock] [Cancel]
    > [Pause the flock]
    flockwork took a message back.
    flockwork:
      Paused the flock choir, 1 sheep.

    $ /flock level add elder 5
    flockwork:
      This room has a level `elder` now, with rank 5. It is the highest, so those who had the highest have it.

    $ /flock level remove elder --press Remove the level
    flockwork (only visible to you):
      This removes the level `elder` (rank 5) from this room. @ada falls to `owner` (rank 2).
      The button works for 5 minutes.
      [Remove the level] [Cancel]
    > [Remove the level]
    flockwork took a message back.
    flockwork:
      This room has no level `elder` any more. @ada falls to `owner` (rank 2).
    ");
}

/// What would be posted is shown as before, and that it is not.
#[test]
fn what_slack_has_stopped_is_said_everywhere() {
    let world = choir();
    let before = ["sheep list", "sheep show alto", "preview --flock choir --count 2"];
    let before = before.map(|arguments| (arguments, world.ok(arguments)));
    slack(&world, &["/flock stop", "--press", "Stop everything"]);
    let (line, until) = (
        "Everything is stopped since ",
        "; nothing is posted until `flockwork start`, or `/flock start` in Slack.\n",
    );
    let is_said = |said: &str| said.starts_with(line) && said.ends_with(until);
    for (arguments, shown) in &before {
        let output = world.flockwork(arguments);
        assert_eq!((output.code, &output.stdout), (Some(0), shown), "{arguments}");
        assert!(is_said(&output.stderr), "{arguments}: {}", output.stderr);
    }
    for arguments in ["sheep pause alto", "sheep resume alto", "flock apply choir"] {
        let output = world.flockwork(arguments);
        assert!(output.code == Some(0) && is_said(&output.stderr), "{arguments}: {output:#?}");
    }
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    let page = http(|client| client.get(&url)).body;
    assert!(page.contains(line) && page.contains("Nothing has been posted yet.<"), "{page}");
    slack(&world, &["/flock start"]);
    assert!(!http(|client| client.get(&url)).body.contains(line));
    for arguments in ["sheep list", "sheep pause alto", "sheep resume alto", "flock apply choir"] {
        world.ok(arguments);
    }
}

#[test]
fn a_button_that_is_not_there_is_not_pressed() {
    let world = choir();
    let mut command = world.command("slack");
    command.args(["/flock stop", "--press", "Start"]);
    let output = Running::spawn(command).finish();
    assert_eq!(output.code, Some(1));
    assert_snapshot!(output.stderr, @"error: there is no button [Start] to press; there is [Stop everything] [Cancel]");
}

#[test]
fn what_is_not_for_the_bot_is_refused() {
    let world = World::new();
    assert_snapshot!(world.refused("slack hello"), @r#"error: `hello` is not for the bot: begin with /flock, as in "/flock help", or with its name, as in "@flockwork help""#);
    assert_snapshot!(world.refused("slack /flocks"), @r#"error: `/flocks` is not for the bot: begin with /flock, as in "/flock help", or with its name, as in "@flockwork help""#);
    assert_snapshot!(world.refused("slack /flock --aws --table x"), @"error: `slack` is for this machine; what is deployed is spoken to in Slack itself");
    for wrong in ["slack", "slack /flock --as ben", "slack /flock --room general"] {
        assert_eq!(world.flockwork(wrong).code, Some(2), "{wrong}");
    }
    assert!(world.files("").is_empty());
}

#[test]
fn the_manifest_is_for_a_deployment() {
    let world = World::new();
    let output =
        world.flockwork("slack manifest --url https://abc.execute-api.eu-west-1.amazonaws.com/");
    assert_eq!(output.code, Some(0));
    assert_snapshot!(output.stdout, @r##"
    # The Slack app, to paste into api.slack.com/apps: Create New App, From a manifest. `flockwork slack manifest --url URL`
    # prints it with the address of a deployment (its output SlackUrl) in the place of the REPLACE host.
    display_information:
      name: Flockwork
      description: Flocks of social bots, run from here
      long_description: >-
        Flockwork runs flocks of social bots: what they post and when, which account they post through, and what happens when a
        post goes wrong. This app is the control room. Ask with /flock help what can be said, and with /flock alive whether it is
        there; the same words work in a mention. Whoever may not do something is told who can grant it, and every change is kept
        with who made it, where and when.
      background_color: "#2f4f3a"
    features:
      app_home:
        home_tab_enabled: false
        messages_tab_enabled: true
        messages_tab_read_only_enabled: false
      bot_user:
        display_name: flockwork
        always_online: true
      slash_commands:
        - command: /flock
          url: https://abc.execute-api.eu-west-1.amazonaws.com/slack/commands
          description: Run the flock
          usage_hint: help [command]
          # People and channels arrive as <@U123|name> and <#C123|name>, not as names that somebody else may have too.
          should_escape: true
    oauth_config:
      scopes:
        bot:
          - commands
          # To hear what is said to it, in channels it is in and in its own conversation; and to look in a channel's history
          # whether a message of ours, whose answer was lost, is there.
          - app_mentions:read
          - channels:history
          - groups:history
          - im:history
          # To answer, and to know rooms and people by name.
          - chat:write
          - channels:read
          - groups:read
          - users:read
    settings:
      event_subscriptions:
        request_url: https://abc.execute-api.eu-west-1.amazonaws.com/slack/events
        bot_events:
          - app_mention
          - message.channels
          - message.groups
          - message.im
      interactivity:
        is_enabled: true
        request_url: https://abc.execute-api.eu-west-1.amazonaws.com/slack/interactivity
      org_deploy_enabled: false
      socket_mode_enabled: false
      token_rotation_enabled: false
    "##);
    let link = output.stderr.lines().last().unwrap();
    let pasted = link.strip_prefix("https://api.slack.com/apps?new_app=1&manifest_yaml=").unwrap();
    assert!(
        pasted.contains("https%3A%2F%2Fabc.execute-api.eu-west-1.amazonaws.com%2Fslack%2Fevents")
    );
    assert!(pasted.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%-_.*".contains(&byte)));
    assert_snapshot!(world.refused("slack manifest --url http://a.test"), @"error: --url http://a.test is not the address of a deployment: Slack calls https only; give the output `SlackUrl` of the stack, as in https://REPLACE.execute-api.us-east-1.amazonaws.com");
    assert_snapshot!(world.refused("slack manifest --url a.test"), @"error: --url a.test is not the address of a deployment: relative URL without a base; give the output `SlackUrl` of the stack, as in https://REPLACE.execute-api.us-east-1.amazonaws.com");
}

/// A browser on the page.
#[derive(Clone)]
struct Browser {
    url: String,
    origin: Option<String>,
    host: Option<String>,
    cookie: String,
    /// The path of the pages, with a slash at its end.
    door: String,
}

impl Browser {
    /// One that has followed the link the run has printed.
    #[track_caller]
    fn by_link(run: &mut Running, url: &str) -> Self {
        let said = run.line("Try Slack commands at ");
        let link = said.strip_prefix("Try Slack commands at ").unwrap();
        assert!(link.starts_with(&format!("{url}/try?token=")), "{link}");
        let Answer { status, location, cookie, .. } = http(|client| client.get(link));
        assert_eq!(status, 303);
        let door = location.strip_prefix("/try/").unwrap().strip_suffix('/').unwrap();
        assert!(!link.contains(door), "the token leaves the address");
        let (cookie, more) = cookie.split_once("; ").unwrap();
        // Every port of this machine gets what has its path: so nobody guesses that.
        assert_eq!(more, format!("Path=/try/{door}; HttpOnly; SameSite=Strict"));
        let (url, origin) = (url.to_owned(), Some(url.to_owned()));
        Self { url, origin, host: None, cookie: cookie.to_owned(), door: location }
    }

    fn get(&self, path: &str) -> Answer {
        http(|client| {
            let request = client.get(format!("{}{path}", self.url));
            request.header("cookie", format!("theme=dark; {}", self.cookie))
        })
    }

    fn room(&self, user: &str, room: &str) -> Answer {
        http(|client| {
            let request =
                client.get(format!("{}{}room?as={user}&room={room}", self.url, self.door));
            self.as_from(request)
        })
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        http(|client| {
            let request = client.post(format!("{}{path}", self.url)).body(body);
            self.as_from(request.header("content-type", "application/x-www-form-urlencoded"))
        })
    }

    fn enter(&self, user: &str, room: &str, text: &str) -> Answer {
        self.post(&format!("{}enter", self.door), &[("as", user), ("room", room), ("text", text)])
    }

    fn as_from(&self, mut request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        if let Some(origin) = &self.origin {
            request = request.header("origin", origin);
        }
        if let Some(host) = &self.host {
            request = request.header("host", host);
        }
        request.header("cookie", &self.cookie)
    }
}

/// Each mark looks for its end, and there is none.
#[test]
fn a_message_of_nothing_but_marks_is_shown() {
    let world = World::new();
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    let browser = Browser::by_link(&mut run, &url);
    let text = "*a ".repeat(13_000);
    assert_eq!(browser.enter("U1", "C1", &text).status, 303);
    assert!(browser.room("U1", "C1").body.contains(text.trim()));
    let output = run.interrupt();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
}

/// The hidden fields of the first form whose button is called `label`.
fn button(page: &str, label: &str) -> Vec<(String, String)> {
    let forms = page.split("<form").skip(1);
    let mut forms = forms.map(|form| form.split_once("</form>").unwrap().0);
    let form = forms.find(|form| form.contains(&format!(">{label}</"))).unwrap();
    let fields = form.split("<input ").skip(1).map(|input| {
        let attribute = |name: &str| {
            let (_, rest) = input.split_once(&format!("{name}=\"")).unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        };
        (attribute("name"), attribute("value"))
    });
    fields.collect()
}

#[test]
fn one_talks_to_the_bot_in_the_browser() {
    let world = choir();
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    let browser = Browser::by_link(&mut run, &url);
    let page = browser.get(&format!("{}?as=U2&room=C2", browser.door));
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.policy.contains("default-src 'none'"), "{}", page.policy);
    assert!(page.body.contains("Message #random as ben"), "{}", page.body);
    let main = http(|client| client.get(&url));
    assert!(main.body.contains("href=\"/try\""), "{}", main.body);
    for file in ["/try.css", "/try.js", "/try_door.js"] {
        assert_eq!(http(|client| client.get(format!("{url}{file}"))).status, 200);
    }

    assert_eq!(browser.enter("U1", "C1", "/flock alive").status, 303);
    let seen = browser.room("U1", "C1").body;
    assert!(seen.contains("<p>Yes.</p>") && seen.contains("Only visible to you"), "{seen}");
    assert!(!browser.room("U2", "C1").body.contains("Yes."), "only ada sees it");
    assert!(!browser.room("U1", "C2").body.contains("Yes."), "only in this room");

    // What everybody sees, and nothing of what it is written with.
    browser.enter("U3", "C1", "*look* <script>alert(1)</script> at https://a.test/?b&c");
    let seen = browser.room("U2", "C1").body;
    assert!(seen.contains("<strong>look</strong> &lt;script&gt;alert(1)&lt;/script&gt;"), "{seen}");
    assert!(seen.contains("<a href=\"https://a.test/?b&amp;c\""), "{seen}");
    assert!(!seen.contains("<script>"), "{seen}");

    browser.enter("U1", "C1", "@flockwork show alto");
    let seen = browser.room("U1", "C1").body;
    let fields = button(&seen, "Pause");
    let fields: Vec<_> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let press = format!("{}press", browser.door);
    let as_somebody_else: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, if *name == "as" { "U2" } else { value }))
        .collect();
    assert_eq!(browser.post(&press, &as_somebody_else).status, 404, "ben does not see it");
    assert_eq!(browser.post(&press, &fields).status, 303);
    assert!(world.ok("sheep list").contains("paused since"));
    let seen = browser.room("U1", "C1").body;
    assert!(seen.contains("choir/alto"), "{seen}");

    // The terminal is in the same room.
    slack(&world, &["/flock version"]);
    let seen = browser.room("U1", "C1").body;
    assert!(seen.contains("/flock version"), "{seen}");
    assert_eq!(browser.enter("ben", "C1", "/flock alive").status, 400);
    assert_eq!(run.interrupt().code, Some(0));
}

#[test]
fn nobody_elses_page_acts_in_the_room() {
    let world = choir();
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    let (_, port) = url.rsplit_once(':').unwrap();
    let browser = Browser::by_link(&mut run, &url);
    let own = || browser.clone();
    let foreign = [
        Browser { origin: Some("https://evil.test".to_owned()), ..own() },
        Browser { origin: Some("null".to_owned()), ..own() },
        Browser { origin: None, ..own() },
        Browser { origin: Some("http://127.0.0.1:1".to_owned()), ..own() },
        // A name that was pointed to this machine.
        Browser {
            host: Some(format!("evil.test:{port}")),
            origin: Some(format!("http://evil.test:{port}")),
            ..own()
        },
    ];
    for browser in foreign {
        let answer = browser.enter("U1", "C1", "/flock alive");
        assert!(matches!(answer.status, 403 | 404) && !answer.shared, "{}", answer.status);
    }
    let renamed = Browser { host: Some("evil.test".to_owned()), ..own() };
    assert_eq!(renamed.room("U1", "C1").status, 403);
    assert!(!own().room("U1", "C1").body.contains("alive"));

    // The desk of the terminal is not for browsers at all.
    let endpoint = world.endpoint();
    let asked =
        serde_json::json!({ "user": "U1", "room": "C1", "what": { "Enter": "/flock alive" } });
    let desk = |name: &str, value: &str| {
        let desk = endpoint["slack"].as_str().unwrap();
        let token = endpoint["token"].as_str().unwrap();
        http(|client| client.post(desk).bearer_auth(token).header(name, value).json(&asked)).status
    };
    assert_eq!(desk("origin", &url), 403);
    assert_eq!(desk("host", "evil.test"), 403);
    assert_eq!(desk("x-any", "thing"), 200);
}

#[test]
fn without_the_link_one_is_told_where_it_is() {
    let world = choir();
    assert_snapshot!(world.refused("slack link"), @"error: no `flockwork run` is up in .flockwork; start one in another terminal, or name its directory with --data");
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    let browser = Browser::by_link(&mut run, &url);
    let link = slack(&world, &["link"]);
    let link = link.trim_end();
    let (_, token) = link.split_once("?token=").unwrap();
    assert!(!browser.cookie.contains(token));

    // What else was asked for stays, and the token goes.
    let answer = http(|client| client.get(format!("{link}&as=U2&room=C2")));
    assert_eq!(
        (answer.status, answer.location.as_str()),
        (303, format!("{}?as=U2&room=C2", browser.door).as_str())
    );

    let wrong = format!("{}0", browser.cookie);
    for stranger in ["", "flockwork=x", wrong.as_str()].map(str::to_owned) {
        let stranger = Browser { cookie: stranger, ..browser.clone() };
        let paths = [
            "/try",
            "/try?token=",
            "/try?token=00",
            &format!("/try?token={token}0"),
            &browser.door,
            "/try/door-of-an-earlier-run/",
        ];
        for path in paths {
            let page = stranger.get(path);
            assert_eq!((page.status, page.cookie.as_str()), (403, ""), "{path}");
            assert!(page.body.contains("<code>flockwork slack link</code>"), "{}", page.body);
            assert!(!page.body.contains("Rooms") && !page.body.contains(token), "{}", page.body);
        }
        let denied = "the link to this page is of an earlier run. Open the one that `flockwork run` has \
                      printed, or that `flockwork slack link` prints.";
        for answer in [
            stranger.room("U1", "C1"),
            stranger.enter("U1", "C1", "/flock alive"),
            stranger.post(&format!("{}press", stranger.door), &[]),
        ] {
            assert_eq!((answer.status, answer.body.as_str()), (403, denied));
        }
    }
    assert!(!browser.room("U1", "C1").body.contains("alive"), "nothing was said");
    assert_eq!(run.interrupt().code, Some(0));

    // The next run has a link of its own.
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    assert_ne!(Browser::by_link(&mut run, &url).cookie, browser.cookie);
}

/// Exactly the template's routes, answered as API Gateway does.
#[test]
fn requests_go_where_the_template_says() {
    let world = choir();
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    let post = |path: &str| http(|client| client.post(format!("{url}{path}")).body("text=x"));
    for path in ["/slack/commands", "/slack/interactivity", "/slack/events"] {
        assert_eq!(post(path).status, 401, "{path} is not signed");
        let get = http(|client| client.get(format!("{url}{path}")));
        assert_eq!((get.status, get.body.as_str()), (404, r#"{"message":"Not Found"}"#));
    }
    for path in ["/slack", "/slack/commands/", "/slack/other", "/Slack/commands"] {
        assert_eq!(post(path).body, r#"{"message":"Not Found"}"#, "{path}");
    }
    eventually("it is still there", || (post("/slack/events").status == 401).then_some(()));
}

/// A page takes the place of the one before, in the terminal of Slack as in Slack.
#[test]
fn a_long_list_is_turned_by_its_buttons() {
    let world = World::new();
    let rhythm = "line = \"1h\"\nstart = \"2087-01-01\"";
    let names: Vec<_> = (1..=25).map(|number| format!("s{number:02}")).collect();
    let sheep: Vec<_> = names.iter().map(|name| (name.as_str(), "one\n", rhythm)).collect();
    world.write_flock("choir", &sheep);
    world.ok("flock apply choir");
    let said = slack(&world, &["/flock sheep", "--press", "More"]);
    let (first, second) = said.split_once("> [More]\n").unwrap();
    assert!(first.contains("choir/s20 on ") && !first.contains("choir/s21"), "{first}");
    assert!(first.contains("  1-20 of 25. More: `/flock sheep 2`\n  [More]\n"), "{first}");
    let until = second.split_once(":00, in ").unwrap().1.split_once('\n').unwrap().0;
    assert!(until.ends_with(" days"), "{until}");
    assert_snapshot!(second.replace(until, "N days"), @"
    flockwork (only visible to you, in the place of a message):
      Times are in UTC.
      choir/s21 on meadow:s21, next 2087-01-01 00:00:00, in N days
      choir/s22 on meadow:s22, next 2087-01-01 00:00:00, in N days
      choir/s23 on meadow:s23, next 2087-01-01 00:00:00, in N days
      choir/s24 on meadow:s24, next 2087-01-01 00:00:00, in N days
      choir/s25 on meadow:s25, next 2087-01-01 00:00:00, in N days
      21-25 of 25. Back: `/flock sheep 1`
      [Back]
    ");
}
