//! A function this program does not have: the local run builds it, starts it, and finds it in the template alone.

use std::{
    fs,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::world::{Running, World, eventually, http};

/// Speaks the Lambda Runtime API with nothing but the standard library, and keeps what it gets.
const PROGRAM: &str = r##"
use std::{env, fs::OpenOptions, io::{Read, Write}, net::TcpStream, process};

fn call(method: &str, path: &str, more: &str) -> String {
    let api = env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let (host, prefix) = api.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!("{method} /{prefix}/2018-06-01/runtime/invocation/{path} HTTP/1.1\r\nHost: {host}\r\n");
    stream.write_all(format!("{head}Connection: close\r\n{more}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn main() {
    loop {
        let answer = call("GET", "next", "\r\n");
        let (head, event) = answer.split_once("\r\n\r\n").unwrap();
        let id = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("lambda-runtime-aws-request-id").then(|| value.to_owned())
        });
        let mut variables: Vec<_> = env::vars().map(|(name, value)| format!("{name}={value}")).collect();
        variables.sort();
        let line = format!("{}\t{event}\t{}\n", process::id(), variables.join("\t"));
        let mut file = OpenOptions::new().create(true).append(true).open(env::var("HEARD").unwrap()).unwrap();
        file.write_all(line.as_bytes()).unwrap();
        if event.contains("bad wolf") {
            eprintln!("a wolf has come");
            process::exit(7);
        }
        let answer = match event {
            event if event.contains("/dog/garble") => "{ woof",
            event if event.contains("rawPath") => r#"{"statusCode":201,"headers":{"x-dog":"woof"},"body":"woof"}"#,
            _ => "null",
        };
        let more = format!("Content-Length: {}\r\n\r\n{answer}", answer.len());
        call("POST", &format!("{}/response", id.unwrap()), &more);
    }
}
"##;

const RESOURCE: &str = "
  SheepDog:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: rust-cargolambda
      BuildProperties: { Binary: sheep-dog }
    Properties:
      CodeUri: functions/sheep-dog
      Timeout: 20
      Environment: { Variables: { HEARD: HEARD_FILE } }
      Events:
        Minute:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: rate(1 minute)
            Input: '{\"bark\":1}'
        WolfSeen:
          Type: EventBridgeRule
          Properties:
            EventBusName: !Ref Bus
            Pattern: { source: [flockwork], detail-type: [wolf.seen] }
";

const ROUTE: &str = "
  DogIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { ApiId: !Ref SlackApi, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt SheepDog.Arn, PayloadFormatVersion: '2.0' }
  DogRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref SlackApi, RouteKey: 'ANY /dog/{what}', Target: !Sub 'integrations/${DogIntegration}' }
";

const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// The template with one more function; returns the line it is on.
fn with_function(world: &World, resource: &str) -> usize {
    let heard = world.path("heard");
    let resource = resource.replace("HEARD_FILE", heard.to_str().unwrap());
    let (before, after) = TEMPLATE.split_once("\nResources:\n").unwrap();
    let template = format!("{before}\nResources:\n{resource}{after}");
    world.write("template.yaml", &template);
    1 + template.lines().position(|line| line == "  SheepDog:").unwrap()
}

/// A folder with its package, as CONTRIBUTING.md says.
fn with_package(world: &World, program: &str) {
    world.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"functions/*\"]\n");
    let package = "[package]\nname = \"sheep-dog\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    world.write("functions/sheep-dog/Cargo.toml", package);
    world.write("functions/sheep-dog/src/main.rs", program);
}

/// What the function has heard: its process, the event and its environment.
fn heard(world: &World) -> Vec<(String, Value, Vec<String>)> {
    let text = fs::read_to_string(world.path("heard")).unwrap_or_default();
    let lines = text.lines().map(|line| {
        let mut parts = line.split('\t').map(str::to_owned);
        let (process, event) = (parts.next().unwrap(), parts.next().unwrap());
        (process, serde_json::from_str(&event).unwrap(), parts.collect())
    });
    lines.collect()
}

fn wait_for(world: &World, count: usize) -> Vec<(String, Value, Vec<String>)> {
    eventually("the function has heard it", || {
        let heard = heard(world);
        (count <= heard.len()).then_some(heard)
    })
}

/// Puts an event on the bus of the run, as a function would.
fn publish(world: &World, detail: &Value) {
    let endpoint = world.endpoint();
    let entry =
        json!({ "Source": "flockwork", "DetailType": "wolf.seen", "Detail": detail.to_string() });
    let answer = http(|client| {
        let request = client.post(endpoint["services"].as_str().unwrap());
        let request = request.header("x-amz-security-token", endpoint["token"].as_str().unwrap());
        request.header("x-amz-target", "AWSEvents.PutEvents").json(&json!({ "Entries": [entry] }))
    });
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn a_function_of_its_own_is_built_started_and_fired_from_the_template() {
    let world = World::new();
    with_function(&world, RESOURCE);
    with_package(&world, PROGRAM);
    let mut command = world.command("run --listen 127.0.0.1:0");
    // As a shell that is about to deploy.
    command.env("AWS_PROFILE", "production").env("AWS_ACCESS_KEY_ID", "real");
    let mut run = Running::spawn(command);
    run.line("Building sheep-dog with cargo");
    run.url();
    let first = wait_for(&world, 1).remove(0);
    assert_eq!(first.1, json!({ "bark": 1 }));
    let has = |variable: &str| first.2.iter().any(|line| line == variable);
    for variable in [
        "TABLE_NAME=flockwork",
        "BUS_NAME=flockwork",
        "AWS_REGION=us-east-1",
        "AWS_ACCESS_KEY_ID=local",
        "FIRST_OWNER=U1",
        "RUST_LOG=info",
    ] {
        assert!(has(variable), "{variable} in {:?}", first.2);
    }
    let begins = |start: &str| first.2.iter().any(|line| line.starts_with(start));
    for address in ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL", "SLACK_URL"] {
        assert!(begins(&format!("{address}=http://127.0.0.1:")), "{:?}", first.2);
    }
    assert!(!begins("AWS_PROFILE="), "{:?}", first.2);
    let token = format!("AWS_SESSION_TOKEN={}", world.endpoint()["token"].as_str().unwrap());
    assert!(has(&token), "{:?}", first.2);

    // Long before the schedule fires again.
    publish(&world, &json!({ "name": "grey wolf" }));
    let second = wait_for(&world, 2).remove(1);
    assert_eq!(second.1["detail"]["name"], "grey wolf");
    assert_eq!(second.0, first.0, "one process");

    publish(&world, &json!({ "name": "bad wolf" }));
    let said = run.line("SheepDog could not handle an event");
    assert!(said.contains("its process has ended (exit status: 7)"), "{said}");
    assert!(run.line("wolf").contains("a wolf has come"));
    publish(&world, &json!({ "name": "tame wolf" }));
    let fourth = wait_for(&world, 4).remove(3);
    assert_eq!(fourth.1["detail"]["name"], "tame wolf");
    assert_ne!(fourth.0, first.0, "a new process");

    let output = run.interrupt();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    eventually("its process ends with the run", || {
        let kill = Command::new("kill").args(["-0", &fourth.0]).output().unwrap();
        (!kill.status.success()).then_some(())
    });
}

/// What happens to one request happens to it alone.
#[test]
fn a_function_of_its_own_answers_requests() {
    let world = World::new();
    with_function(&world, &format!("{RESOURCE}{ROUTE}"));
    with_package(&world, PROGRAM);
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    let ask = |what: &str| {
        let answer = http(|client| client.put(format!("{url}/dog/{what}?loud=1")).body("bone"));
        (answer.status, answer.body)
    };
    let (woof, failed) =
        ((201, "woof".to_owned()), (500, r#"{"message":"Internal Server Error"}"#.to_owned()));
    // All at once: its one process answers one after the other.
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..10).map(|_| scope.spawn(|| ask("sit"))).collect();
        for answered in asking {
            assert_eq!(answered.join().unwrap(), woof);
        }
    });
    let requests: Vec<_> =
        heard(&world).into_iter().filter(|(_, event, _)| event["bark"].is_null()).collect();
    assert_eq!(requests.len(), 10, "each came once");
    let (process, event, _) = &requests[0];
    assert!(requests.iter().all(|(other, ..)| other == process), "{requests:?}");
    assert_eq!(event["routeKey"], "ANY /dog/{what}");
    assert_eq!(event["pathParameters"], json!({ "what": "sit" }));
    assert_eq!(event["queryStringParameters"], json!({ "loud": "1" }));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("Ym9uZQ=="), &json!(true)));

    assert_eq!(ask("bad%20wolf"), failed);
    let said = run.line("SheepDog could not handle an event");
    assert!(said.contains("its process has ended (exit status: 7)"), "{said}");
    assert_eq!(ask("sit"), woof, "a new process");
    assert_eq!(ask("garble"), failed);
    let said = run.line("SheepDog could not handle an event");
    assert!(said.contains(r#"it returned what is not JSON: "{ woof""#), "{said}");
    assert_eq!(ask("sit"), woof);
    assert_eq!(run.interrupt().code, Some(0));
}

/// Takes an event, and never answers.
const DEAF: &str = r#"
fn main() {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let (host, prefix) = api.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let next = format!("GET /{prefix}/2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {host}\r\n\r\n");
    std::io::Write::write_all(&mut stream, next.as_bytes()).unwrap();
    loop {
        std::thread::park();
    }
}
"#;

#[test]
fn a_function_that_does_not_answer_in_time_is_ended() {
    let world = World::new();
    let resource = RESOURCE.replace("Timeout: 20", "Timeout: 1");
    with_function(&world, &format!("{resource}{ROUTE}"));
    with_package(&world, DEAF);
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    // The event of its schedule comes first.
    for _ in 0..2 {
        let answer = http(|client| client.get(format!("{url}/dog/sit")));
        let said = (answer.status, answer.body.as_str());
        assert_eq!(said, (500, r#"{"message":"Internal Server Error"}"#));
        let said = run.line("SheepDog could not handle an event");
        assert!(said.contains("it did not answer within 1 s, so its process was ended"), "{said}");
    }
    assert_eq!(run.interrupt().code, Some(0));
}

#[test]
fn a_function_that_cannot_be_built_is_refused_with_its_line_and_what_cargo_says() {
    let world = World::new();
    let line = with_function(&world, RESOURCE);
    with_package(&world, "fn main() { let sheep: u8 = \"wool\"; }");
    let output = world.flockwork("run --listen 127.0.0.1:0");
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(
        output.stderr.starts_with(&format!("error: template.yaml:{line}: SheepDog ")),
        "{output:?}"
    );
    assert!(output.stderr.contains("mismatched types"), "{output:?}");
    assert!(!world.path(".flockwork").exists(), "nothing was begun");

    with_package(&world, "");
    let package =
        "[package]\nname = \"sheep-dog\"\nversion = \"0.1.0\"\n[[bin]]\nname = \"wolf\"\n";
    world.write("functions/sheep-dog/Cargo.toml", format!("{package}path = \"src/main.rs\"\n"));
    world.write("functions/sheep-dog/src/main.rs", "fn main() {}");
    let output = world.flockwork("run --listen 127.0.0.1:0");
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.stderr.contains("no program called sheep-dog"), "{output:?}");
}

#[test]
fn what_a_function_of_its_own_cannot_have_is_refused() {
    let world = World::new();
    let line = with_function(&world, RESOURCE);
    with_package(&world, PROGRAM);
    let said = world.refused("run --listen 127.0.0.1:0 --speed 2");
    assert!(said.contains(&format!("template.yaml:{line}: SheepDog")), "{said}");
    assert!(said.contains("sees the clock on the wall"), "{said}");

    let route = ROUTE.replace("ANY /dog/{what}", "GET /feed");
    with_function(&world, &format!("{RESOURCE}{route}"));
    let said = world.refused("run --listen 127.0.0.1:0");
    assert!(said.contains("/feed has a page of the local run; choose another path"), "{said}");

    fs::remove_dir_all(world.path("functions")).unwrap();
    with_function(&world, RESOURCE);
    let said = world.refused("run --listen 127.0.0.1:0");
    assert!(said.contains("no package functions/sheep-dog"), "{said}");
    assert!(!world.path(".flockwork").exists());
}

/// Writes more than anybody reads, and never answers.
const CHATTERBOX: &str = r#"
fn main() {
    std::fs::write(std::env::var("HEARD").unwrap(), std::process::id().to_string()).unwrap();
    loop {
        println!("and another thing");
    }
}
"#;

#[test]
fn a_program_dies_with_its_run() {
    let world = World::new();
    with_function(&world, RESOURCE);
    with_package(&world, CHATTERBOX);
    let mut command = world.command("--template template.yaml run --listen 127.0.0.1:0");
    // The terminal gets what it writes, and takes none of it.
    command.env("RUST_LOG", "info").stdin(Stdio::null()).stdout(Stdio::null());
    let mut run = command.stderr(Stdio::piped()).spawn().unwrap();
    let process = eventually("it has started", || {
        fs::read_to_string(world.path("heard")).ok().filter(|text| !text.is_empty())
    });
    // Nobody else waits for whoever does not read that.
    assert_eq!(world.ok("sheep list --json"), "");
    let interrupt = format!("kill -INT {}", run.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    let status = eventually("the run ends", || run.try_wait().unwrap());
    assert_eq!(status.code(), Some(0), "by itself");
    eventually("its program has ended", || {
        // One that nobody has waited for yet has a state of its own.
        let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        (state.is_empty() || state.contains(") Z ")).then_some(())
    });
}
