"""Talks to a running `flockwork run` as Slack does, with Slack's own Python library.

What we verify was signed by slack_sdk, and what we answer is read by its Block Kit models. The commands are those that
`/flock help` lists, so a new one is tested from the day it is in the table. Slack's Web API is a stand-in that remembers
what it was told. Needs the built `flockwork` command; everything is on loopback.
"""

import contextlib
import html
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

import slack_client

ROOT = Path(__file__).resolve().parent.parent
FLOCKWORK = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "flockwork"

# Who owns the rooms of the local run.
OWNER = "U1"
STRANGER = "U0OTHER"
ROOM = "C0ROOM"
DIRECT = "D0OWNER"

START_SECONDS = 60
LATER_SECONDS = 20


class Results:
    """Counts checks and says how each went."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, name, wrong):
        """`wrong` is what is wrong, or nothing."""
        if wrong:
            self.failed += 1
            print(f"FAIL  {name}: {wrong}", flush=True)
        else:
            self.passed += 1
            print(f"ok    {name}", flush=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(seconds, attempt):
    """What `attempt` returns once that is true, else what it returned last."""
    deadline = time.monotonic() + seconds
    while not (value := attempt()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return value


@contextlib.contextmanager
def local_run(work, web_api):
    """`flockwork run` in a directory of its own, until the block ends. Gives its address and the signing secret."""
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    given = "\n          SLACK_ROOM: !Ref SlackRoom\n"
    if template.count(given) != 1:
        raise RuntimeError("template.yaml has changed: where does this test put SLACK_URL now?")
    (work / "template.yaml").write_text(template.replace(given, f"{given}          SLACK_URL: {web_api.url}\n"), encoding="utf-8")
    data = work / "data"
    address = f"127.0.0.1:{free_port()}"
    command = [FLOCKWORK, "--data", data, "--template", work / "template.yaml", "run", "--listen", address]
    with open(work / "run.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            secret = data / "slack.secret.json"

            def ready():
                if process.poll() is not None:
                    raise RuntimeError(f"`flockwork run` ended with {process.returncode}")
                with contextlib.suppress(OSError):
                    socket.create_connection(tuple(address.split(":")), timeout=1).close()
                    return (data / "endpoint.json").exists() and secret.exists()
                return False

            if not until(START_SECONDS, ready):
                raise RuntimeError(f"`flockwork run` was not ready within {START_SECONDS} s")
            # Listening is not yet answering: the routes are there when the functions are.
            probe = slack_client.Request(slack_client.COMMANDS, b"", {})
            if not until(START_SECONDS, lambda: slack_client.send(address, probe).status == 401):
                raise RuntimeError(f"`flockwork run` refuses nothing at {slack_client.COMMANDS}: is there a route?")
            yield address, json.loads(secret.read_text(encoding="utf-8"))["signing_secret"]
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


class Conversation:
    """Says things to the run, and hears what it says."""

    def __init__(self, address, signing_secret, web_api):
        self.address = address
        self.slack = slack_client.Slack(signing_secret)
        self.web_api = web_api

    def send(self, request):
        return slack_client.send(self.address, request)

    def command(self, words, user=OWNER, **more):
        return self.slack.command(words, user, ROOM, response_url=self.web_api.response_url, **more)

    def heard(self, act):
        """What the Web API was told while `act` was answered, and the answer."""
        before = len(self.web_api.told)
        reply = act()
        said = ("chat.postMessage", "chat.postEphemeral", slack_client.RESPONSE)
        return reply, [payload for method, payload in self.web_api.told[before:] if method in said]

    def by_command(self, words, user=OWNER):
        """The reply and all messages of it, and what is wrong with them."""
        reply, messages = self.heard(lambda: self.send(self.command(words, user)))
        if reply.status != 200 or not reply.message():
            return reply, [], [str(reply)]
        messages.append(reply.message())
        return reply, messages, [problem for message in messages for problem in slack_client.problems(message)]

    def by_event(self, request):
        reply, messages = self.heard(lambda: self.send(request))
        wrong = [problem for message in messages for problem in slack_client.problems(message)]
        if (reply.status, reply.body) != (200, b""):
            wrong.append(str(reply))
        return messages, wrong

    def press(self, button, message):
        """The button of a message is pressed."""
        action = {"type": "button", "block_id": "b1", "action_ts": "1.1"} | button
        payload = {
            "type": "block_actions",
            "team": {"id": slack_client.TEAM, "domain": "flock"},
            "user": {"id": OWNER, "username": "ada", "team_id": slack_client.TEAM},
            "api_app_id": slack_client.APP,
            "token": "not-used",
            "container": {"type": "message", "message_ts": "1.000001", "channel_id": ROOM, "is_ephemeral": True},
            "trigger_id": f"{time.time_ns()}.2.b",
            "channel": {"id": ROOM, "name": "control-room"},
            "message": {"ts": "1.000001", "text": message["text"]},
            "response_url": self.web_api.response_url,
            "actions": [action],
        }
        body = urllib.parse.urlencode({"payload": json.dumps(payload)})
        return self.slack.signed(slack_client.INTERACTIVITY, body, "application/x-www-form-urlencoded")


def text_of(messages):
    return "\n".join(message.get("text", "") for message in messages)


def usages(conversation):
    """Every way to write a command, from the list."""
    _, messages, _ = conversation.by_command("help")
    # What stands in code before the dash, but for how to begin: `/flock` and `@flockwork`.
    before = [line.split(" - ")[0] for line in text_of(messages).splitlines()]
    written = [html.unescape(usage) for line in before for usage in re.findall("`([^`]+)`", line)]
    return [usage for usage in written if not usage.startswith(("/", "@"))]


def name_of(usage):
    """The words before the first argument."""
    return re.split(r" ?(?:<|\.\.\.)", usage)[0]


def examples(conversation):
    """Lines to type: of each command its example, its name alone, and its usages with what there is in the table."""
    written = usages(conversation)
    _, messages, _ = conversation.by_command("sheep")
    known = re.search(r"([a-z0-9-]+)/([a-z0-9-]+)", text_of(messages))
    flock, sheep = known.groups() if known else ("milton", "book-1")
    there_is = {
        "sheep": f"{flock}/{sheep}",
        "sheep|flock": flock,
        "flock": flock,
        "user": f"<@{STRANGER}|ben>",
        "level": "shepherd",
        "name": "elder",
        "rank": "5",
        "count": "3",
        "number": "1",
        "every...": "3h 2d",
        "page": "1",
        "text...": '"Good evening" & <https://example.com|example.com> &lt;!channel&gt;',
        "command...": "grant",
    }
    lines = []
    for usage in written:
        name = name_of(usage)
        _, messages, _ = conversation.by_command(f"help {name}")
        example = re.search(r"For example: `/flock ([^`]+)`", text_of(messages))
        filled = re.sub(r"<([^>]+)>", lambda place: there_is.get(place[1], "something"), usage).replace(" ...", "")
        lines += [html.unescape(example[1]) if example else name, name, filled]
    return written, list(dict.fromkeys(lines))


def check_refusals(results, conversation):
    slack = conversation.slack
    requests = {
        "a command": lambda **more: conversation.command("alive", **more),
        "an event": lambda **more: slack.mention("alive", OWNER, ROOM, **more),
    }
    for name, request in requests.items():
        signed = request()
        other = slack_client.Slack("0" * 32).signed(signed.path, signed.body.decode(), signed.headers["Content-Type"])
        changed = slack_client.Request(signed.path, signed.body + b"&", signed.headers)
        late = signed.headers | {"X-Slack-Request-Timestamp": str(int(signed.headers["X-Slack-Request-Timestamp"]) + 1)}
        cases = {
            "with a wrong signature": slack_client.with_wrong_signature(signed),
            "signed by another app": other,
            "whose body was changed": changed,
            "whose time was changed": slack_client.Request(signed.path, signed.body, late),
            "of 301 s ago": request(age_seconds=301),
            "of the future": request(age_seconds=-310),
            "without a signature": slack_client.without(signed, "X-Slack-Signature"),
            "without a time": slack_client.without(signed, "X-Slack-Request-Timestamp"),
        }
        for case, refused in cases.items():
            reply, messages = conversation.heard(lambda refused=refused: conversation.send(refused))
            wrong = "" if (reply.status, reply.body, messages) == (401, b"", []) else f"{reply}, {messages}"
            results.check(f"{name} {case} is refused without a word", wrong)
    # A second is lost on the way.
    reply = conversation.send(conversation.command("alive", age_seconds=298))
    results.check("a command of 298 s ago is answered", "" if reply.message() else str(reply))
    pressed = conversation.press({"action_id": "cancel", "value": "0" * 32}, {"text": ""})
    reply = conversation.send(slack_client.with_wrong_signature(pressed))
    results.check("a button with a wrong signature is refused", "" if (reply.status, reply.body) == (401, b"") else str(reply))


def check_certificate(results, conversation):
    """As slack_bolt's SslCheck: 200 and empty, before any signature, and nothing is done."""
    slack = conversation.slack
    command = dict(urllib.parse.parse_qsl(conversation.command("level add forged 5").body.decode()))
    cases = {
        "Slack's check of the certificate is answered": (slack.ssl_check(), 200),
        "it is answered where buttons go": (slack.ssl_check(slack_client.INTERACTIVITY), 200),
        "a command that says it is one is none": (slack.ssl_check(**command), 200),
        "it is nothing where events go": (slack.ssl_check(slack_client.EVENTS), 401),
        "another value is none": (slack.ssl_check(ssl_check="0"), 401),
    }
    for name, (request, status) in cases.items():
        reply, messages = conversation.heard(lambda request=request: conversation.send(request))
        wrong = "" if (reply.status, reply.body, messages) == (status, b"", []) else f"{reply}, {messages}"
        results.check(name, wrong)
    _, messages, _ = conversation.by_command("levels")
    results.check("and has changed nothing", text_of(messages) if "forged" in text_of(messages) else "")


def check_repeats(results, conversation):
    command = conversation.command("alive")
    first, second = conversation.send(command), conversation.send(command)
    wrong = "" if first.message() and (second.status, second.body) == (200, b"") else f"{first}, then {second}"
    results.check("a command is answered once, however often it comes", wrong)

    # Slack sends a mention twice: as one, and as a message.
    mention = {"user": OWNER, "text": f"<@{slack_client.BOT}> alive", "channel": ROOM, "ts": "1700000000.000100"}
    messages, wrong = conversation.by_event(conversation.slack.event({"type": "app_mention"} | mention))
    again, more = conversation.by_event(conversation.slack.event({"type": "message"} | mention))
    if wrong := wrong + more or (len(messages) != 1 or again) and f"{messages}, then {again}":
        wrong = str(wrong)
    results.check("a mention that comes as two events is answered once", wrong)


def check_others(results, conversation):
    def said(name, event, expected):
        messages, wrong = conversation.by_event(conversation.slack.event({"type": "message", "user": OWNER, "channel": ROOM} | event))
        if expected != [message["text"] for message in messages]:
            wrong.append(f"Slack was told {messages}")
        results.check(name, "; ".join(wrong))

    said("the beginning of the name is enough", {"text": "@flo alive"}, ["Yes."])
    said("other words are not for us", {"text": "is flockwork alive?"}, [])
    said("in a direct conversation everything is for us", {"text": "alive", "channel": DIRECT, "channel_type": "im"}, ["Yes."])
    said("a bot is not answered", {"text": "@flo alive", "bot_id": "B1"}, [])
    said("the app does not answer itself", {"text": f"<@{slack_client.BOT}> alive", "user": slack_client.BOT}, [])
    said("an edit is not answered", {"text": "@flo alive", "subtype": "message_changed"}, [])
    reply = conversation.send(conversation.slack.url_verification("3eZbrw1aBm2rZgRNFdxV"))
    wrong = "" if reply.status == 200 and b"3eZbrw1aBm2rZgRNFdxV" in reply.body else str(reply)
    results.check("Slack's question whether the address is ours is answered", wrong)


def check_commands(results, conversation):
    written, lines = examples(conversation)
    names = sorted({name_of(usage) for usage in written})
    results.check(f"`/flock help` lists commands: {', '.join(names)}", "" if len(names) > 20 else "too few")
    for line in lines:
        _, messages, wrong = conversation.by_command(line)
        results.check(f"/flock {line}", "; ".join(wrong))
        for message in messages:
            check_buttons(results, conversation, line, message)
        messages, wrong = conversation.by_event(conversation.slack.mention(line, OWNER, ROOM))
        if not messages:
            wrong.append("nothing was said")
        results.check(f"@flockwork {line}", "; ".join(wrong))
    for line in ("", "hlep", "level", '"unclosed', "`code` <!channel> *bold*", "x" * 3000, "\N{SHEEP} \N{NO-BREAK SPACE}"):
        _, _, wrong = conversation.by_command(line)
        results.check(f"/flock {line[:40]}", "; ".join(wrong))
    _, messages, wrong = conversation.by_command("stop", STRANGER)
    if "needs" not in text_of(messages):
        wrong.append(text_of(messages))
    results.check("who may not is told what is needed", "; ".join(wrong))


def check_buttons(results, conversation, line, message):
    """Presses what there is, once each, and lets things go on when they were stopped."""
    blocks = [block for block in message.get("blocks", []) if block["type"] == "actions"]
    for button in [element for block in blocks for element in block["elements"]]:
        label = button["text"]["text"]
        messages, wrong = conversation.by_event(conversation.press(button, message))
        # A question is deleted when it is answered; everything else is a message.
        said = [told for told in messages if not told.get("delete_original")]
        wrong = [problem for told in said for problem in slack_client.problems(told)]
        if not said:
            wrong.append(f"nothing was said: {messages}")
        results.check(f"the button `{label}` of `{line}`", "; ".join(wrong))
    if blocks:
        conversation.by_command("start")


def check_later(results, conversation):
    """What commands had to tell later."""
    web_api = conversation.web_api
    conversation.by_command("grant @ben shepherd")

    def told():
        return [message for message in web_api.messages(slack_client.RESPONSE) if STRANGER in message.get("text", "")]

    wrong = [] if until(LATER_SECONDS, told) else [f"Slack was told {web_api.told[-5:]}"]
    results.check("a deferred command is answered later", "; ".join(wrong))
    said = [message for method, message in web_api.told if method.startswith("chat.") or method == slack_client.RESPONSE]
    said = [message for message in said if not message.get("delete_original")]
    wrong = [problem for message in said for problem in slack_client.problems(message)]
    results.check(f"all {len(said)} messages to Slack have blocks that it takes", "; ".join(wrong))


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    results = Results()
    with tempfile.TemporaryDirectory(prefix="flockwork-slack-") as work:
        work = Path(work)
        try:
            if not FLOCKWORK.exists():
                raise RuntimeError(f"{FLOCKWORK} is missing; `cargo build` makes it")
            with slack_client.WebApi().running() as web_api, local_run(work, web_api) as (address, signing_secret):
                conversation = Conversation(address, signing_secret, web_api)
                check_refusals(results, conversation)
                check_certificate(results, conversation)
                check_repeats(results, conversation)
                check_others(results, conversation)
                check_commands(results, conversation)
                check_later(results, conversation)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, it is one failed check and a last line
            results.check("the test runs to its end", f"{type(error).__name__}: {error}")
        if results.failed and (log := work / "run.log").exists():
            print("--- log of the run\n" + "\n".join(log.read_text(encoding="utf-8").splitlines()[-40:]))
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
