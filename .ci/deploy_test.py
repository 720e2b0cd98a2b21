"""Deploys template.yaml into ministack on this machine, watches it post and talks to it as Slack does.

A first deployment fails and is rolled back, the next one works; then it is deleted, and another stack goes on with its table
and its keyring. The functions are the real x86_64 ones; the schedule, the rules, the API and the dead-letter queue are those of
the template. What ministack cannot do is not looked at here: it has no CodeDeploy, puts no metric filter to work, logs as text
whatever a function's LoggingConfig says, and sends nothing to a dead-letter queue that failed by way of an alias. Needs sam,
cargo-lambda and ministack on the PATH and the built `flockwork` command. Everything is on loopback, nothing is asked of AWS.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import botocore.exceptions

import slack_client

ROOT = Path(__file__).resolve().parent.parent
FLOCKWORK = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "flockwork"
TICK = json.loads((ROOT / "infra/events/sheep-tick-scheduled.json").read_text(encoding="utf-8"))
SHARD_DUE = json.loads((ROOT / "infra/events/sheep-tick-shard-due.json").read_text(encoding="utf-8"))
COMMAND_DEFERRED = json.loads((ROOT / "infra/events/slash-command-deferred.json").read_text(encoding="utf-8"))
STACK = "flockwork-ci"
FIRST_OWNER = "U0FIRST"
STRANGER = "U0OTHER"
ROOM = "C0ROOM"
CONTROL_ROOM = "C0CONTROL"
PARAMETERS = ["--parameter-overrides", f"FirstOwner={FIRST_OWNER}", f"SlackRoom={CONTROL_ROOM}"]
# What events start, and what a deployment moves to a new version.
ALIAS = "live"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SHARDS = 3
SHEEP_STOPPED = {
    "source": "flockwork",
    "detail-type": "sheep.stopped",
    "detail": {"sheep": "milton/book-1", "occurrence": 7, "why": "the network is gone"},
}
UNREADABLE = {"detail-type": "sheep.shorn", "source": "flockwork", "detail": {}}

# The schedule starts a tick a minute after the deployment; two more minutes are for a busy machine.
FIRST_POST_SECONDS = 180
DELIVERY_SECONDS = 20


class Results:
    """Counts checks and says how each went."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, name, holds, detail=""):
        if holds:
            self.passed += 1
            print(f"ok    {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL  {name}{': ' if detail else ''}{detail}", flush=True)
        return holds


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(seconds, attempt):
    """What `attempt` returns once that is true, else what it returned last."""
    deadline = time.monotonic() + seconds
    while not (value := attempt()) and time.monotonic() < deadline:
        time.sleep(1)
    return value


def aws_environment(endpoint):
    """Dummy credentials and the endpoint, without whatever AWS settings this machine has."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
    return ours | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
    }


@contextlib.contextmanager
def ministack(work, port, environment):
    """Runs ministack, and with it the functions it starts, until the block ends."""
    # Functions inherit this environment, so it is short: the endpoint that keeps them off AWS, and what a process needs.
    inherited = {name: environment[name] for name in environment if name.startswith("AWS_") or name in ("PATH", "HOME", "LANG")}
    inherited |= {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        # Its MQTT broker binds every interface, whatever BIND_HOST says.
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(work),
        "STATE_DIR": str(work / "state"),
    }
    with open(work / "ministack.log", "w", encoding="utf-8") as log:
        # A session of its own: its process group is ministack and the functions, and nothing else.
        process = subprocess.Popen(
            ["ministack"], env=inherited, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:

            def healthy():
                if process.poll() is not None:
                    raise RuntimeError(f"ministack ended with {process.returncode}")
                with contextlib.suppress(OSError):
                    return urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=5).status == 200
                return False

            if not until(30, healthy):
                raise RuntimeError("ministack did not start within 30 s")
            yield
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            # Whatever it has not ended itself.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def clients(environment):
    """What makes a client of a service."""
    session = boto3.Session("test", "test", region_name="us-east-1")
    return lambda service: session.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"])


class Deployment:
    """The deployed stack, seen from outside."""

    def __init__(self, environment):
        self.environment = environment
        self.client = clients(environment)
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        self.status = stack["StackStatus"]
        self.tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        self.table = outputs["TableName"]
        self.keyring = outputs["KeyringName"]
        self.bus = outputs["BusName"]
        self.dead_letters_url = outputs["DeadLettersUrl"]
        self.function = outputs["SheepTickName"]
        self.slash_command = outputs["SlashCommandName"]
        self.slack_secret = outputs["SlackAppName"]
        self.slack_url = outputs["SlackUrl"]
        self.slack_manifest = outputs["SlackManifest"]

    def flockwork(self, *arguments):
        command = [FLOCKWORK, "--aws", "--table", self.table, *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
        )
        if done.returncode != 0:
            raise RuntimeError(f"`flockwork {' '.join(map(str, arguments))}` ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def posts(self):
        return [json.loads(line) for line in self.flockwork("posts", "--json", "--limit", "1000").splitlines()]

    def posted(self):
        return [post for post in self.posts() if post["state"] == "posted"]

    def invoke(self, event, kind="RequestResponse", qualifier=ALIAS):
        answer = self.client("lambda").invoke(
            FunctionName=self.function, Qualifier=qualifier, InvocationType=kind, Payload=json.dumps(event)
        )
        return answer.get("FunctionError"), answer["Payload"].read().decode()

    def dead_letters(self):
        """Takes what is in the queue, so that the next look finds only what came since."""
        queue = self.client("sqs")
        letters = queue.receive_message(QueueUrl=self.dead_letters_url, MaxNumberOfMessages=10).get("Messages", [])
        for letter in letters:
            queue.delete_message(QueueUrl=self.dead_letters_url, ReceiptHandle=letter["ReceiptHandle"])
        return [json.loads(letter["Body"]) for letter in letters]

    def from_slack(self, request):
        """Sends it through the deployed API: its host is a name that means nothing here."""
        address = self.environment["AWS_ENDPOINT_URL"].removeprefix("http://")
        return slack_client.send(address, request, host=self.slack_url.split("://")[1])

    def put_event(self, event):
        entry = {"EventBusName": self.bus, "Source": event["source"], "DetailType": event["detail-type"]}
        answer = self.client("events").put_events(Entries=[entry | {"Detail": json.dumps(event["detail"])}])
        if answer["FailedEntryCount"]:
            raise RuntimeError(f"the bus refused {event}: {answer}")

    def log(self, function=None):
        logs = self.client("logs")
        name = f"/aws/lambda/{function or self.function}"
        streams = [stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=name)["logStreams"]]
        events = [
            event
            for stream in streams
            for event in logs.get_log_events(logGroupName=name, logStreamName=stream)["events"]
        ]
        return [event["message"].rstrip() for event in sorted(events, key=lambda event: event["timestamp"])]

    def invocations(self, function=None):
        return sum(line.startswith("START RequestId") for line in self.log(function))


def doubled(posts):
    seen = [(post["flock"], post["sheep"], post["occurrence"]) for post in posts]
    return sorted({key for key in seen if seen.count(key) > 1})


def run(command, environment):
    print(f"$ {' '.join(map(str, command))}", flush=True)
    done = subprocess.run(
        command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"`{' '.join(map(str, command[:2]))}` ended with {done.returncode}:\n{done.stdout}")


def build(work, environment):
    # ministack runs the functions here. The rest of the template is as it is deployed.
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    arm64, x86_64 = "    Architectures: [arm64]\n", "    Architectures: [x86_64]\n"
    if text.count(arm64) != 1:
        raise RuntimeError(f"template.yaml does not say `{arm64.strip()}` once")
    template = work / "template.yaml"
    template.write_text(text.replace(arm64, x86_64), encoding="utf-8")
    # Not .aws-sam: a person's next `sam deploy` would take this x86_64 build for theirs.
    run(
        ["sam", "build", "--template-file", template, "--base-dir", ROOT, "--build-dir", work / "build"]
        + ["--config-file", ROOT / "samconfig.toml"],
        environment,
    )


def deploy(work, environment, *more_parameters, template="template.yaml"):
    template = work / "build" / template
    run(
        ["sam", "deploy", "--template-file", template, "--config-file", ROOT / "samconfig.toml", "--stack-name", STACK]
        + ["--no-confirm-changeset", "--no-progressbar", *PARAMETERS, *more_parameters],
        environment,
    )
    return Deployment(environment)


def delete(environment):
    """As a person does, whatever state the stack is in."""
    run(
        ["sam", "delete", "--no-prompts", "--stack-name", STACK, "--region", "us-east-1"]
        + ["--config-file", ROOT / "samconfig.toml"],
        environment,
    )


def names(environment):
    """The tables and the secrets that are there, whoever has made them."""
    client = clients(environment)
    tables = client("dynamodb").list_tables()["TableNames"]
    secrets = [secret["Name"] for secret in client("secretsmanager").list_secrets()["SecretList"]]
    return sorted(tables), sorted(secrets)


def check_failed_creation(results, work, environment):
    """A stack whose last part cannot be made, because its name is taken, must be possible to make once it can."""
    client = clients(environment)
    taken = {"Type": "AWS::Events::EventBus", "DependsOn": ["Keyring", "SheepTick"], "Properties": {"Name": "taken"}}
    text = (work / "build" / "template.yaml").read_text(encoding="utf-8")
    with_taken = text.replace("\nResources:\n", f"\nResources:\n  Taken: {json.dumps(taken)}\n", 1)
    (work / "build" / "taken.yaml").write_text(with_taken, encoding="utf-8")
    client("events").create_event_bus(Name="taken")
    try:
        deploy(work, environment, template="taken.yaml")
        results.check("a deployment that cannot be made fails", False, "it was made")
    except RuntimeError:
        stack = client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
        results.check("a deployment that cannot be made is rolled back", stack == "ROLLBACK_COMPLETE", stack)
    pages = client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=STACK)
    events = [event for page in pages for event in page["StackEvents"]]
    of_keyring = [event["ResourceStatus"] for event in events if event["LogicalResourceId"] == "Keyring"]
    results.check("the keyring had been made", "CREATE_COMPLETE" in of_keyring, f"{of_keyring}")
    _, secrets = names(environment)
    results.check("no secret is left that the next try would be refused for", not secrets, f"{secrets}")
    delete(environment)
    # The table is not deleted while it is protected, as it would be refused to be, and its name is in nobody's way.
    database = client("dynamodb")
    for table in names(environment)[0]:
        database.update_table(TableName=table, DeletionProtectionEnabled=False)
        database.delete_table(TableName=table)


def check_what_is_deployed(results, deployment):
    results.check("the deployment is created at the second try", deployment.status == "CREATE_COMPLETE", deployment.status)
    tags = {"application": "flockwork", "environment": "production"}
    results.check("it has the tags of samconfig.toml", deployment.tags == tags, f"{deployment.tags}")
    groups = [f"/aws/lambda/{function}" for function in (deployment.function, deployment.slash_command)]
    metrics = [
        (transformation["metricNamespace"], transformation["metricName"])
        for group in groups
        for found in deployment.client("logs").describe_metric_filters(logGroupName=group)["metricFilters"]
        for transformation in found["metricTransformations"]
    ]
    expected = {(f"Flockwork/{STACK}", name) for name in ("Trouble", "OldestDueSeconds")}
    results.check("metrics are made of what the functions log", set(metrics) == expected and len(metrics) == 3, f"{metrics}")
    alarms = deployment.client("cloudwatch").describe_alarms()["MetricAlarms"]
    results.check("there are ten alarms, all that cost nothing", len(alarms) == 10, f"{len(alarms)}")


def check_posting(results, deployment):
    deployment.flockwork("flock", "apply", "infra/sample-flock")
    results.check("a flock is applied to the deployed table, and nothing is posted by that", not deployment.posted())
    [entry] = [json.loads(line) for line in deployment.flockwork("audit", "--json").splitlines()]
    by = entry["door"], (entry["arn"] or "").split(":")[0], entry["outcome"]
    results.check("the audit log says as whom AWS knows who did that", by == ("command line", "arn", "done"), f"{entry}")

    posted = until(FIRST_POST_SECONDS, deployment.posted)
    results.check(
        f"the schedule starts the function, and {len(posted)} lines are posted",
        posted,
        f"no line was posted within {FIRST_POST_SECONDS} s; the posts are {deployment.posts()}",
    )

    before = deployment.invocations()
    deployment.put_event(SHARD_DUE)
    results.check("a shard.due event starts the function", until(DELIVERY_SECONDS, lambda: deployment.invocations() > before))

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: deployment.invoke(TICK), range(4)))
    errors = [payload for error, payload in answers if error]
    results.check("four ticks at once succeed", not errors, "; ".join(errors))

    posts = deployment.posts()
    results.check("no line is posted twice", not doubled(posts), f"{doubled(posts)}")
    unfinished = [post for post in posts if post["state"] != "posted"]
    results.check("no line is in any other state than posted", not unfinished, f"{unfinished}")
    dead = deployment.dead_letters()
    results.check("nothing is in the dead-letter queue", not dead, f"{dead}")


def check_failure(results, deployment):
    error, payload = deployment.invoke(UNREADABLE)
    results.check("an unreadable event is an error of the function", error, payload)
    results.check("the error names the event", UNREADABLE["detail-type"] in payload, payload)

    functions = deployment.client("lambda")
    of_alias = functions.get_function_event_invoke_config(FunctionName=deployment.function, Qualifier=ALIAS)
    given = {key: of_alias[key] for key in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")}
    tries = given["MaximumRetryAttempts"], given["MaximumEventAgeInSeconds"]
    results.check("what events start is tried once, within six minutes", tries == (0, 360), f"{tries}")
    # ministack keeps to them where $LATEST is invoked, and nowhere else. It is what the alias leads to.
    functions.put_function_event_invoke_config(FunctionName=deployment.function, **given)
    deployment.invoke(UNREADABLE, kind="Event", qualifier="$LATEST")
    dead = until(DELIVERY_SECONDS, deployment.dead_letters)
    results.check(
        "an unreadable event ends in the dead-letter queue",
        [letter.get("requestPayload") for letter in dead] == [UNREADABLE],
        f"it holds {dead}",
    )
    error, payload = deployment.invoke(TICK)
    results.check("the next tick succeeds", not error, payload)


def check_slack(results, deployment, web_api):
    deployment.client("secretsmanager").put_secret_value(
        SecretId=deployment.slack_secret,
        SecretString=json.dumps({"signing_secret": SIGNING_SECRET, "bot_token": "xoxb-not-used"}),
    )
    # The one thing that is not as deployed: answers go to a Slack on this machine.
    functions = deployment.client("lambda")
    config = functions.get_function_configuration(FunctionName=deployment.slash_command, Qualifier=ALIAS)
    variables = config["Environment"]["Variables"]
    given = (variables.get("FIRST_OWNER"), variables.get("SLACK_ROOM"))
    results.check("the functions know the first owner and the control room", given == (FIRST_OWNER, CONTROL_ROOM), f"{given}")
    functions.update_function_configuration(
        FunctionName=deployment.slash_command, Environment={"Variables": variables | {"SLACK_URL": web_api.url}}
    )
    version = functions.publish_version(FunctionName=deployment.slash_command)["Version"]
    functions.update_alias(FunctionName=deployment.slash_command, Name=ALIAS, FunctionVersion=version)
    slack = slack_client.Slack(SIGNING_SECRET)

    def command(words, user=FIRST_OWNER, **more):
        return slack.command(words, user, ROOM, response_url=web_api.response_url, **more)

    def answers(words, expected, user=FIRST_OWNER):
        reply = deployment.from_slack(command(words, user))
        message = reply.message()
        wrong = [str(reply)] if reply.status != 200 else slack_client.problems(message)
        if expected not in message.get("text", ""):
            wrong.append(f"{message} says nothing of `{expected}`")
        results.check(f"`/flock {words}` is answered, with blocks that Slack takes", not wrong, "; ".join(wrong))

    def is_refused(name, request):
        reply = deployment.from_slack(request)
        results.check(f"{name} is refused without a word", (reply.status, reply.body) == (401, b""), str(reply))

    answers("alive", "Yes.")
    answers("help", "`alive`")
    answers("whoami", "owner")
    answers("level add elder 5", "can grant it", user=STRANGER)

    request = command("alive")
    is_refused("a wrong signature", slack_client.with_wrong_signature(request))
    is_refused("a request without a signature", slack_client.without(request, "X-Slack-Signature"))
    is_refused("a request of 301 s ago", command("alive", age_seconds=301))
    is_refused("another app's secret", slack_client.Slack("0" * 32).command("alive", FIRST_OWNER, ROOM))

    first, second = deployment.from_slack(request), deployment.from_slack(request)
    results.check("a command is answered once", first.status == 200 and first.body, str(first))
    results.check("the same bytes again change and say nothing", (second.status, second.body) == (200, b""), str(second))

    # The forms above came as base64, as from API Gateway; JSON comes as text.
    reply = deployment.from_slack(slack.url_verification("3eZbrw1aBm2rZgRNFdxV"))
    results.check("Slack's question whether the address is ours is answered", b"3eZbrw1aBm2rZgRNFdxV" in reply.body, str(reply))

    lost = command("alive")
    lost.path = "/slack/nowhere"
    reply = deployment.from_slack(lost)
    results.check("an unknown path is 404", reply.status == 404, str(reply))

    # The emulator speaks no TLS, and Slack calls nothing else.
    url = deployment.slack_url.replace("http://", "https://")
    command_line = deployment.slack_manifest.replace("http://", "https://").split()
    manifest = subprocess.run(
        [FLOCKWORK, *command_line[1:]], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )
    missing = [path for path in slack_client.PATHS if f"url: {url}{path}\n" not in manifest.stdout]
    results.check(
        "the output SlackManifest prints the app with the address of the deployment",
        manifest.returncode == 0 and not missing,
        f"{missing} of {manifest.stdout}{manifest.stderr}",
    )

    def told(method):
        return until(DELIVERY_SECONDS, lambda: web_api.messages(method)) or []

    deployment.from_slack(slack.mention("alive", FIRST_OWNER, ROOM))
    # Only who asked sees it.
    texts = [message["text"] for message in told("chat.postEphemeral")]
    results.check("a mention is answered in its room", texts == ["Yes."], f"{texts}; Slack was told {web_api.told}")

    # Looking up a name takes longer than Slack waits: the rest goes over the bus.
    answers("grant @ben shepherd", "ben")
    late = told(slack_client.RESPONSE)
    wrong = [problem for message in late for problem in slack_client.problems(message)]
    if not any(f"<@{STRANGER}>" in message["text"] for message in late):
        wrong.append(f"Slack was told {web_api.told}")
    results.check("a deferred command goes on over the bus and answers later", not wrong, "; ".join(wrong))
    answers("whoami", "shepherd", user=STRANGER)

    deployment.put_event(SHEEP_STOPPED)
    notices = [message for message in told("chat.postMessage") if message["channel"] == CONTROL_ROOM]
    wrong = [problem for message in notices for problem in slack_client.problems(message)]
    if not any("milton/book-1" in message["text"] for message in notices):
        wrong.append(f"Slack was told {web_api.told}")
    results.check("the control room is told of a sheep that stopped", not wrong, "; ".join(wrong))

    before = deployment.invocations(deployment.slash_command)
    deployment.put_event(COMMAND_DEFERRED)
    reached = until(DELIVERY_SECONDS, lambda: deployment.invocations(deployment.slash_command) > before)
    results.check("a deferred command that is done is left alone", reached)
    dead = deployment.dead_letters()
    results.check("no event of all this is in the dead-letter queue", not dead, f"{dead}")


def check_shards(results, deployment):
    results.check("the stack is updated to more shards", deployment.status == "UPDATE_COMPLETE", deployment.status)
    # A version of a function keeps the environment it was published with.
    config = deployment.client("lambda").get_function_configuration(FunctionName=deployment.function, Qualifier=ALIAS)
    shards = config["Environment"]["Variables"]["DUE_SHARDS"]
    results.check("a parameter that is changed alone reaches what events start", shards == f"{SHARDS}", f"{shards} shards")
    before = deployment.invocations()
    error, payload = deployment.invoke(TICK)
    results.check(
        "a tick starts one invocation per shard",
        not error and until(DELIVERY_SECONDS, lambda: deployment.invocations() >= before + 1 + SHARDS),
        f"{deployment.invocations() - before} invocations; the tick answered {payload}",
    )
    results.check("still no line is posted twice", not doubled(deployment.posts()), f"{doubled(deployment.posts())}")
    dead = deployment.dead_letters()
    results.check("still nothing is in the dead-letter queue", not dead, f"{dead}")


def check_another_stack(results, work, environment, old):
    """Deleted by mistake, or restored from a backup: the table and the keyring are there, and a stack is to work on them."""
    posts = old.posts()
    delete(environment)
    kept = names(environment)
    results.check("the table and the keyring outlive the stack", kept == ([old.table], [old.keyring]), f"{kept}")

    given = [f"ExistingTable={old.table}", f"ExistingKeyring={old.keyring}"]
    new = deploy(work, environment, *given)
    results.check("another stack is deployed over them", new.status == "CREATE_COMPLETE", new.status)
    results.check("its outputs name them", (new.table, new.keyring) == (old.table, old.keyring), f"{new.table}, {new.keyring}")
    tables, secrets = names(environment)
    results.check("it has made no table of its own", tables == [old.table], f"{tables}")
    results.check("it has made no keyring of its own", len(secrets) == 3, f"{secrets}")
    error, payload = new.invoke(TICK)
    results.check("its ticks work on that table", not error, payload)
    gone_on = until(FIRST_POST_SECONDS, lambda: len(new.posts()) > len(posts))
    now = new.posts()
    results.check("the flock goes on where it was", gone_on and now[: len(posts)] == posts, f"{len(posts)} posts, then {len(now)}")
    results.check("and posts nothing twice", not doubled(now), f"{doubled(now)}")

    delete(environment)
    kept = names(environment)
    results.check("they outlive this one, too", kept == ([old.table], [old.keyring]), f"{kept}")


def main():
    # The block that runs ministack ends it: a signal must lead there.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    results = Results()
    with tempfile.TemporaryDirectory(prefix="flockwork-deploy-") as work:
        work = Path(work)
        port = free_port()
        environment = aws_environment(f"http://127.0.0.1:{port}")
        deployment = None
        try:
            if not FLOCKWORK.exists():
                raise RuntimeError(f"{FLOCKWORK} is missing; `cargo build` makes it")
            with slack_client.WebApi().running() as web_api, ministack(work, port, environment):
                try:
                    build(work, environment)
                    check_failed_creation(results, work, environment)
                    deployment = deploy(work, environment)
                    check_what_is_deployed(results, deployment)
                    check_posting(results, deployment)
                    check_slack(results, deployment, web_api)
                    check_failure(results, deployment)
                    deployment = deploy(work, environment, f"DueShards={SHARDS}")
                    check_shards(results, deployment)
                    check_another_stack(results, work, environment, deployment)
                finally:
                    if deployment and (results.failed or sys.exc_info()[0]):
                        # They are gone where the stack is.
                        with contextlib.suppress(botocore.exceptions.ClientError):
                            for function in (deployment.function, deployment.slash_command):
                                print(f"--- log of {function}\n" + "\n".join(deployment.log(function)[-60:]))
        except Exception as error:  # noqa: BLE001 - whatever went wrong, it is one failed check and a last line
            results.check("the test runs to its end", False, f"{type(error).__name__}: {error}")
        if results.failed and (log := work / "ministack.log").exists():
            lines = [line for line in log.read_text(encoding="utf-8").splitlines() if re.search("ERROR|WARN|Traceback", line)]
            print("--- warnings of ministack\n" + "\n".join(lines[-30:]))
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
