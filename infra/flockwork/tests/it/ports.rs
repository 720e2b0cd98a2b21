//! What another user of the machine, or a page in a browser, gets at the ports and in the directory of a run:
//! nothing.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::chown,
    path::Path,
    time::Duration,
};

use insta::assert_snapshot;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::world::{Answer, Running, World, http, mode, set_mode};

const RUN: &str = "run --listen 127.0.0.1:0";

fn choir() -> World {
    let world = World::new();
    let rhythm = "line = \"1h\"\nstart = \"2087-01-01\"";
    world.write_flock("choir", &[("alto", "one\ntwo\n", rhythm)]);
    world.ok("flock apply choir");
    world
}

/// A request of the AWS protocol, with these headers on top.
fn aws(url: &str, target: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
    http(|client| {
        let mut request = client.post(url).header("x-amz-target", target).json(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
    })
}

#[test]
fn table_and_services_are_for_those_who_have_the_token() {
    let world = choir();
    let mut run = world.start(RUN);
    let page = run.url();
    let endpoint = world.endpoint();
    let of = |key: &str| endpoint[key].as_str().unwrap();
    let (dynamodb, services, token) = (of("dynamodb"), of("services"), of("token"));
    let scan = json!({ "TableName": "flockwork" });
    let secret = json!({ "SecretId": "Keyring" });
    let entry = json!({ "Source": "flockwork", "DetailType": "sheep.due", "Detail": "{}" });
    let events = json!({ "Entries": [entry] });
    let requests = [
        (dynamodb, "DynamoDB_20120810.Scan", &scan),
        (services, "secretsmanager.GetSecretValue", &secret),
        (services, "AWSEvents.PutEvents", &events),
    ];
    let credential = |name: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={name}/20261126/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=00"
        )
    };
    let (local, as_id, bearer) =
        (credential("local"), credential(token), format!("Bearer {token}"));
    let key = ("x-amz-security-token", token);
    for (url, target, body) in requests {
        let answer = aws(url, target, body, &[key]);
        assert_eq!((answer.status, answer.shared), (200, false), "{target}: {}", answer.body);
        let port = url.rsplit_once(':').unwrap().1;
        let (foreign, rebound) = ("evil.test".to_owned(), format!("localhost.evil.test:{port}"));
        let in_query = format!("{url}/?X-Amz-Security-Token={token}");
        let strangers: [(&str, &[(&str, &str)]); 11] = [
            (url, &[]),
            (url, &[("authorization", &local)]),
            (url, &[("authorization", &as_id)]),
            (url, &[("authorization", &bearer)]),
            (url, &[("x-amz-security-token", "local")]),
            (&in_query, &[]),
            // Pages, even if they knew it.
            (url, &[key, ("origin", "https://evil.test")]),
            (url, &[key, ("origin", &page)]),
            (url, &[key, ("origin", "null")]),
            (url, &[key, ("host", &foreign)]),
            (url, &[key, ("host", &rebound)]),
        ];
        for (url, headers) in strangers {
            let answer = aws(url, target, body, headers);
            assert_eq!((answer.status, answer.shared), (403, false), "{target}: {headers:?}");
            assert!(answer.body.contains("UnrecognizedClientException"), "{}", answer.body);
        }
        // What browsers ask before, and what is there without a request of the protocol.
        let origin = ("origin", "http://127.0.0.1:3000");
        let asked = http(|client| {
            let request = client.request(reqwest::Method::OPTIONS, url).header(origin.0, origin.1);
            request.header("access-control-request-headers", "x-amz-target")
        });
        assert_eq!((asked.status, asked.shared), (403, false));
        assert_eq!(http(|client| client.get(url)).status, 403);
    }
    // Nobody is kept waiting for a body that is not read.
    let (_, port) = dynamodb.rsplit_once(':').unwrap();
    let begun =
        format!("POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 1048576\r\n\r\n");
    assert_eq!(raw(port, &begun), "403");

    // The desk of the terminal, which may act as anybody.
    let asked = json!({ "user": "U1", "room": "C1", "what": { "Enter": "/flock alive" } });
    let desk = |headers: &[(&str, &str)]| aws(of("slack"), "x", &asked, headers).status;
    assert_eq!(desk(&[("authorization", &bearer)]), 200);
    for stranger in [vec![], vec![("authorization", "Bearer local")], vec![key]] {
        assert_eq!(desk(&stranger), 403, "{stranger:?}");
    }
    // Slack's Web API is at an address that nobody else knows.
    let slack = endpoint["environment"]["SLACK_URL"].as_str().unwrap();
    let call = |url: &str| aws(url, "x", &json!({}), &[("authorization", "Bearer any")]).status;
    assert_eq!(call(&format!("{slack}/users.list")), 200);
    let (host, _) = slack.strip_prefix("http://").unwrap().split_once('/').unwrap();
    assert_eq!(call(&format!("http://{host}/api/users.list")), 403);

    let output = run.interrupt();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    assert!(!output.stdout.contains(token), "it is told to nobody: {}", output.stdout);
}

/// The status that is answered to what no client sends.
#[track_caller]
fn raw(port: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    // Only a test that fails takes as long.
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().to_owned()
}

/// A request as it is written: where to, and whatever else shows that it may be asked.
struct Asks<'a> {
    method: &'a str,
    url: &'a str,
    path: String,
    headers: Vec<String>,
    body: &'a str,
}

impl Asks<'_> {
    fn port(&self) -> &str {
        self.url.rsplit_once(':').unwrap().1
    }

    /// The status for it, sent to `target`, with `more` headers before its own.
    #[track_caller]
    fn status(&self, target: &str, more: &[&str]) -> String {
        let own = self.headers.iter().map(String::as_str);
        let headers: Vec<_> = more.iter().copied().chain(own).collect();
        let headers = headers.join("\r\n");
        let (method, body) = (self.method, self.body);
        let length = body.len();
        raw(
            self.port(),
            &format!(
                "{method} {target} HTTP/1.1\r\n{headers}\r\nConnection: close\r\nContent-Length: \
                 {length}\r\n\r\n{body}"
            ),
        )
    }
}

/// Something at every port of the run, with what is answered to whoever may ask it and to whoever may not.
fn at_every_port<'a>(
    page: &'a str,
    try_token: &str,
    endpoint: &'a Value,
    slack: (&'a str, &str),
) -> [(Asks<'a>, &'static str, &'static str); 8] {
    let of = |key: &str| endpoint[key].as_str().unwrap();
    let session = |target: &str| {
        vec![
            format!("X-Amz-Security-Token: {}", of("token")),
            format!("X-Amz-Target: {target}"),
            "Content-Type: application/json".to_owned(),
        ]
    };
    let bearer = |token: &str| {
        vec![format!("Authorization: Bearer {token}"), "Content-Type: application/json".to_owned()]
    };
    let get = |path: &str| Asks {
        method: "GET",
        url: page,
        path: path.to_owned(),
        headers: Vec::new(),
        body: "",
    };
    let post = |url: &'a str, path: &str, headers: Vec<String>, body: &'a str| Asks {
        method: "POST",
        url,
        path: path.to_owned(),
        headers,
        body,
    };
    let scan = r#"{"TableName":"flockwork"}"#;
    let secret = r#"{"SecretId":"Keyring"}"#;
    let enter = r#"{"user":"U1","room":"C1","what":{"Enter":"/flock alive"}}"#;
    let (table, services) =
        (session("DynamoDB_20120810.Scan"), session("secretsmanager.GetSecretValue"));
    [
        (get("/"), "200", "403"),
        (get("/feed"), "200", "403"),
        (get("/page.css"), "200", "403"),
        (get(&format!("/try?token={try_token}")), "303", "403"),
        (post(of("dynamodb"), "/", table, scan), "200", "403"),
        (post(of("services"), "/", services, secret), "200", "403"),
        (post(of("slack").trim_end_matches('/'), "/", bearer(of("token")), enter), "200", "403"),
        (post(slack.0, slack.1, bearer("xoxb"), "{}"), "200", "403"),
    ]
}

/// The other way to name another machine: in the first line, which goes before `Host` (RFC 9112, 3.2.2). And what is
/// said twice, so that one reads what another does not.
#[test]
fn whom_a_request_is_for_and_what_it_shows_is_said_once() {
    let world = choir();
    let mut run = world.start(RUN);
    let page = run.url();
    let link = run.line("Try Slack commands at ");
    let (_, try_token) = link.split_once("token=").unwrap();
    let try_token = try_token.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap();
    let endpoint = world.endpoint();
    let slack = endpoint["environment"]["SLACK_URL"].as_str().unwrap();
    let (slack_host, slack_path) = slack.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let slack = (format!("http://{slack_host}"), format!("/{slack_path}/users.list"));
    let token = endpoint["token"].as_str().unwrap();
    for (asks, good, closed) in at_every_port(&page, try_token, &endpoint, (&slack.0, &slack.1)) {
        let (port, path, url) = (asks.port(), &asks.path, asks.url);
        let own: &str = &format!("Host: 127.0.0.1:{port}");
        let foreign = "Host: evil.example";
        assert_eq!(asks.status(path, &[own]), good, "{url}{path}");
        assert_eq!(asks.status(path, &[foreign]), closed, "{url}{path}");
        // An address in the first line is as good as the other way, whatever `Host` says.
        let whole = format!("{url}{path}");
        for host in [own, foreign] {
            assert_eq!(asks.status(&whole, &[host]), good, "{whole} {host}");
        }
        for other in [
            "http://evil.example".to_owned(),
            format!("http://evil.example:{port}"),
            format!("http://127.0.0.1.evil.example:{port}"),
            format!("http://evil.example@127.0.0.1:{port}"),
            format!("http://127.0.0.1@evil.example:{port}"),
            "https://evil.example".to_owned(),
        ] {
            let whole = format!("{other}{path}");
            assert_eq!(asks.status(&whole, &[own]), closed, "{whole} at {url}");
        }
        for twice in [[own, own], [own, foreign], [foreign, own]] {
            assert_eq!(asks.status(path, &twice), "400", "{url}{path} {twice:?}");
            assert_eq!(asks.status(&whole, &twice), "400", "{whole} {twice:?}");
        }
        let origin: &str = &format!("Origin: http://127.0.0.1:{port}");
        let other = "Origin: http://evil.example";
        for [first, second] in [[origin, other], [other, origin], [origin, origin]] {
            let status = asks.status(path, &[own, first, second]);
            assert_eq!(status, closed, "{url}{path} {first} {second}");
        }
        // The token, with another of its kind before or after it.
        let Some(shown) = asks.headers.iter().find(|header| header.contains(token)) else {
            continue;
        };
        for again in [shown.clone(), shown.replace(token, "guess")] {
            assert_eq!(asks.status(path, &[own, &again]), "403", "{url}{path}, first");
            let mut headers = asks.headers.clone();
            headers.push(again);
            let after = Asks { headers, path: path.clone(), ..asks };
            assert_eq!(after.status(path, &[own]), "403", "{url}{path}, last");
        }
    }
}

/// Whatever is logged.
#[test]
fn the_token_is_not_logged() {
    let world = choir();
    let mut command = world.command(RUN);
    command.env("RUST_LOG", "trace");
    let mut run = Running::spawn(command);
    run.url();
    let endpoint = world.endpoint();
    run.line("Try Slack commands at ");
    world.ok("sheep list --json");
    let output = run.interrupt();
    assert_eq!(output.code, Some(0));
    assert!(output.stderr.len() > 1_000, "something was logged");
    assert!(!output.stderr.contains(endpoint["token"].as_str().unwrap()));
}

#[test]
fn the_page_is_for_its_own_origin_alone() {
    let world = choir();
    let mut run = world.start(RUN);
    let url = run.url();
    let (_, port) = url.rsplit_once(':').unwrap();
    let by_name = format!("http://localhost:{port}");
    let get = |path: &str, headers: &[(&str, &str)]| {
        http(|client| {
            let mut request = client.get(format!("{url}{path}"));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            request
        })
    };
    let localhost = format!("localhost:{port}");
    for path in ["/", "/feed", "/page.js", "/try.css"] {
        for own in [
            vec![],
            vec![("origin", url.as_str())],
            vec![("host", localhost.as_str()), ("origin", by_name.as_str())],
        ] {
            let answer = get(path, &own);
            assert_eq!((answer.status, answer.shared), (200, false), "{path} {own:?}");
        }
        for foreign in [
            vec![("origin", "https://evil.test")],
            vec![("origin", "null")],
            vec![("origin", by_name.as_str())],
            vec![("origin", "http://127.0.0.1:1")],
            vec![("host", "evil.test")],
            vec![("host", "evil.test"), ("origin", "http://evil.test")],
        ] {
            let answer = get(path, &foreign);
            assert_eq!((answer.status, answer.shared), (403, false), "{path} {foreign:?}");
            assert!(answer.body.contains(&url), "it says where: {}", answer.body);
        }
    }
}

#[test]
fn the_environment_leads_to_the_run_that_is_up() {
    let world = choir();
    assert_snapshot!(world.refused("env"), @"error: no `flockwork run` is up in .flockwork; start one in another terminal, or name its directory with --data");
    assert_snapshot!(world.refused("env --aws --table x"), @"error: this is about the run on this machine; leave out --aws");
    let mut run = world.start(RUN);
    run.url();
    let text = world.ok("env");
    let environment: BTreeMap<&str, &str> =
        text.lines().map(|line| line.split_once('=').unwrap()).collect();
    let shown: Vec<_> = environment
        .iter()
        .map(|(key, value)| match *key {
            "AWS_SESSION_TOKEN" => format!("{key}=TOKEN"),
            _ if value.starts_with("http://127.0.0.1:") => format!("{key}=ADDRESS"),
            _ => format!("{key}={value}"),
        })
        .collect();
    assert_snapshot!(shown.join("\n"), @"
    AWS_ACCESS_KEY_ID=local
    AWS_DEFAULT_REGION=us-east-1
    AWS_EC2_METADATA_DISABLED=true
    AWS_ENDPOINT_URL=ADDRESS
    AWS_ENDPOINT_URL_DYNAMODB=ADDRESS
    AWS_ENDPOINT_URL_EVENTBRIDGE=ADDRESS
    AWS_ENDPOINT_URL_SECRETS_MANAGER=ADDRESS
    AWS_REGION=us-east-1
    AWS_SECRET_ACCESS_KEY=local
    AWS_SESSION_TOKEN=TOKEN
    BUS_NAME=flockwork
    DUE_SHARDS=1
    FIRST_OWNER=U1
    KEYRING_SECRET=Keyring
    KEYS_URL=ADDRESS
    RUST_LOG=info
    SLACK_ROOM=C1
    SLACK_SECRET=Slack
    SLACK_URL=ADDRESS
    TABLE_NAME=flockwork
    X_SECRET=XApp
    ");

    // As any program would that takes it from there.
    let [dynamodb, services] = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"]
        .map(|variable| environment[variable].to_owned());
    let token = SecretString::from(environment["AWS_SESSION_TOKEN"]);
    let config = flock_aws::local(dynamodb, services, &token);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let table = runtime.block_on(async {
        let client = aws_sdk_dynamodb::Client::new(&config);
        client.describe_table().table_name(environment["TABLE_NAME"]).send().await.unwrap()
    });
    assert_eq!(table.table().unwrap().table_name(), Some("flockwork"));

    // For a shell, which gets the same.
    let script = format!("{}env", world.ok("env --export"));
    let output =
        std::process::Command::new("/bin/sh").args(["-c", &script]).env_clear().output().unwrap();
    let there = String::from_utf8(output.stdout).unwrap();
    for line in text.lines() {
        assert!(there.lines().any(|there| there == line), "{line} in {there}");
    }
    run.kill();
    // What a run leaves that was killed leads nowhere.
    assert!(world.path(".flockwork/endpoint.json").exists());
    world.refused("env");
}

#[track_caller]
fn check_closed(world: &World, names: &[&str]) {
    assert_eq!(mode(&world.path(".flockwork")), 0o700);
    let mut there: Vec<_> = fs::read_dir(world.path(".flockwork"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort_unstable();
    assert_eq!(there, names);
    for name in there {
        assert_eq!(mode(&world.path(&format!(".flockwork/{name}"))), 0o600, "{name}");
    }
}

const FILES: [&str; 8] = [
    "endpoint.json",
    "flock.db",
    "flock.db-shm",
    "flock.db-wal",
    "keyring.secret.json",
    "lock",
    "slack.secret.json",
    "xapp.secret.json",
];

#[test]
fn nobody_else_reads_the_directory() {
    let world = World::new();
    // As most people's shells have it.
    let shell = |world: &World| {
        let mut command = std::process::Command::new("/bin/sh");
        let binary = world.command("").get_program().to_owned();
        command.args(["-c", &format!("umask 000; exec {} {RUN}", binary.display())]);
        command.current_dir(world.path("")).env_clear();
        command
    };
    let mut run = Running::spawn(shell(&world));
    run.url();
    run.line("Try Slack");
    check_closed(&world, &FILES);
    run.kill();

    // An older version left it open.
    set_mode(&world.path(".flockwork"), 0o755);
    for name in FILES {
        let path = world.path(&format!(".flockwork/{name}"));
        // The last command took the log away that was in it.
        if path.exists() {
            set_mode(&path, 0o644);
        }
    }
    let mut run = Running::spawn(shell(&world));
    run.url();
    run.line("Try Slack");
    check_closed(&world, &FILES);
    run.kill();
}

/// A directory with other things in it is somebody's for more than us.
#[test]
fn a_directory_with_other_things_stays_as_it_is() {
    let world = World::new();
    world.write("home/letter.txt", "dear");
    set_mode(&world.path("home"), 0o755);
    set_mode(&world.path("home/letter.txt"), 0o644);
    world.begin("--data home");
    assert_eq!(mode(&world.path("home")), 0o755);
    assert_eq!(mode(&world.path("home/letter.txt")), 0o644);
    for name in ["flock.db", "lock", "keyring.secret.json"] {
        assert_eq!(mode(&world.path(&format!("home/{name}"))), 0o600, "{name}");
    }
    for open in [0o775, 0o757, 0o1777] {
        set_mode(&world.path("home"), open);
        let said = world.refused("posts --json --data home");
        assert!(said.contains("others may write to home, so"), "{said}");
        assert!(said.contains("chmod go-w home"), "{said}");
        assert_eq!(mode(&world.path("home")), open & 0o777);
    }
    // One that was made for it is closed, and those above it are not.
    fs::create_dir(world.path("made")).unwrap();
    set_mode(&world.path("made"), 0o777);
    world.begin("--data made");
    assert_eq!(mode(&world.path("made")), 0o700);
    world.begin("--data above/below");
    assert_eq!(mode(&world.path("above/below")), 0o700);
    assert_ne!(mode(&world.path("above")), 0o700);
}

/// Gives a path to another user; only root can.
fn give_away(path: &Path) -> bool {
    chown(path, Some(12_345), None).is_ok()
}

#[test]
fn what_another_user_owns_is_not_used() {
    let world = World::new();
    world.begin("");
    if !give_away(&world.path(".flockwork/flock.db")) {
        // Nobody but root owns this one.
        let said = world.refused("posts --data /etc");
        assert!(said.contains("/etc belongs to another user"), "{said}");
        return;
    }
    let said = world.refused("posts --json");
    assert!(said.contains(".flockwork/flock.db belongs to another user of this machine"), "{said}");
    assert!(give_away(&world.path(".flockwork")));
    for arguments in ["posts --json", RUN] {
        assert!(world.refused(arguments).contains("error: .flockwork belongs to another"));
    }
}
