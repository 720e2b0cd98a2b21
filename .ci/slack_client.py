"""Slack's side of a conversation, made with Slack's own library, and a Web API that remembers what it is told.

Requests are signed with slack_sdk's SignatureVerifier, and what comes back is read with its Block Kit models: both are
independent of our own code. Knows what Slack sends and accepts, and nothing of where the answers come from.
"""

import contextlib
import http.client
import http.server
import json
import threading
import time
import urllib.parse
from dataclasses import dataclass
from itertools import count

from slack_sdk.models.blocks import Block
from slack_sdk.signature import SignatureVerifier

COMMANDS = "/slack/commands"
EVENTS = "/slack/events"
INTERACTIVITY = "/slack/interactivity"
PATHS = (COMMANDS, EVENTS, INTERACTIVITY)

# Of the stand-in.
RESPONSE = "/response/1"

TEAM = "T0FLOCK"
APP = "A0FLOCK"
BOT = "U0BOT"

# Slack hangs up after three seconds. Ours must answer on a busy machine, too; how fast it is belongs to the benchmark.
TIMEOUT_SECONDS = 30

# https://docs.slack.dev/reference/block-kit: what the library does not check.
MOST_BLOCKS = 50

# What rings everybody, and what we say when something of ours is broken.
NEVER_SAID = ("<!channel", "<!here", "<!everyone", "<!subteam", "went wrong on our side")


@dataclass
class Request:
    """One request, with its signature; sending it again is a repeat."""

    path: str
    body: bytes
    headers: dict


@dataclass
class Reply:
    """What came back."""

    status: int
    body: bytes
    seconds: float

    def __str__(self):
        return f"{self.status} {self.body[:500].decode(errors='replace')!r}"

    def message(self):
        """The message in a 200, or an empty one."""
        try:
            message = json.loads(self.body) if self.status == 200 else {}
        except ValueError:
            message = {}
        return message if isinstance(message, dict) else {}


class Slack:
    """A workspace that has the app installed."""

    def __init__(self, signing_secret):
        self.verifier = SignatureVerifier(signing_secret)
        # Each run of a test has ids of its own.
        self.ids = count(time.time_ns() // 1000)

    def signed(self, path, body, content_type, age_seconds=0):
        body = body.encode()
        timestamp = str(int(time.time()) - age_seconds)
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": self.verifier.generate_signature(timestamp=timestamp, body=body),
        }
        return Request(path, body, headers)

    def command(self, text, user, room, age_seconds=0, **more):
        """`/flock` with these words."""
        form = {
            "token": "not-used",
            "team_id": TEAM,
            "team_domain": "flock",
            "channel_id": room,
            "channel_name": "control-room",
            "user_id": user,
            "user_name": "somebody",
            "command": "/flock",
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": "https://hooks.slack.com/commands/T0FLOCK/1/secret",
            "trigger_id": f"{next(self.ids)}.1.a",
        }
        return self.signed(COMMANDS, urllib.parse.urlencode(form | more), "application/x-www-form-urlencoded", age_seconds)

    def event(self, event, age_seconds=0):
        """An event of a conversation."""
        number = next(self.ids)
        second, micro = divmod(number, 1_000_000)
        body = {
            "token": "not-used",
            "team_id": TEAM,
            "api_app_id": APP,
            "type": "event_callback",
            "event_id": f"Ev{number}",
            "event_time": second,
            "authorizations": [{"enterprise_id": None, "team_id": TEAM, "user_id": BOT, "is_bot": True}],
            "event": {"ts": f"{second}.{micro:06}", "event_ts": f"{second}.{micro:06}"} | event,
        }
        return self.signed(EVENTS, json.dumps(body), "application/json", age_seconds)

    def mention(self, text, user, room, age_seconds=0):
        """The same words said to the bot in a channel."""
        event = {"type": "app_mention", "user": user, "text": f"<@{BOT}> {text}", "team": TEAM, "channel": room}
        return self.event(event, age_seconds)

    def ssl_check(self, path=COMMANDS, **more):
        """What Slack asks of the certificate, as Bolt's SslCheck takes it: a form that nobody has signed."""
        body = urllib.parse.urlencode({"token": "not-used", "ssl_check": "1"} | more).encode()
        return Request(path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def url_verification(self, challenge):
        """What Slack asks when the address is entered."""
        body = {"token": "not-used", "challenge": challenge, "type": "url_verification"}
        return self.signed(EVENTS, json.dumps(body), "application/json")


def send(address, request, host=None, method="POST"):
    """Sends to `host:port`; the Host header may name another."""
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT_SECONDS)
    headers = request.headers | ({"Host": host} if host else {})
    started = time.monotonic()
    try:
        connection.request(method, request.path, request.body, headers)
        response = connection.getresponse()
        return Reply(response.status, response.read(), time.monotonic() - started)
    finally:
        connection.close()


PEOPLE = {"U0FIRST": "ada", "U0OTHER": "ben"}


class WebApi:
    """Slack's Web API and response URLs on loopback, as far as the app uses them. Remembers what it was told."""

    def __init__(self):
        self.told = []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802 - the name is http.server's
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                is_json = self.headers["Content-Type"].startswith("application/json")
                payload = json.loads(body) if is_json else dict(urllib.parse.parse_qsl(body))
                answer = json.dumps(api.answer(self.path, payload)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        origin = f"http://127.0.0.1:{self.server.server_port}"
        self.url = f"{origin}/api"
        self.response_url = f"{origin}{RESPONSE}"

    def answer(self, path, payload):
        method = path.removeprefix("/api/")
        self.told.append((method, payload))
        people = [{"id": user, "name": name, "deleted": False, "profile": {}} for user, name in PEOPLE.items()]
        match method:
            case "users.list":
                return {"ok": True, "members": people, "response_metadata": {"next_cursor": ""}}
            case "users.info":
                found = [person for person in people if person["id"] == payload["user"]]
                return {"ok": True, "user": found[0]} if found else {"ok": False, "error": "user_not_found"}
            case "conversations.info":
                return {"ok": True, "channel": {"id": payload["channel"], "name": "control-room", "creator": "U0FIRST"}}
            case "chat.postMessage" | "chat.postEphemeral":
                return {"ok": True, "channel": payload["channel"], "ts": "1.000001", "message_ts": "1.000001"}
            case _:
                return {"ok": True}

    def messages(self, method):
        """What was told by this method; RESPONSE is the response URL."""
        return [payload for told, payload in self.told if told == method]

    @contextlib.contextmanager
    def running(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()


def with_wrong_signature(request):
    """The request with the last digit of its signature changed."""
    signature = request.headers["X-Slack-Signature"]
    last = "0" if signature[-1] != "0" else "1"
    return Request(request.path, request.body, request.headers | {"X-Slack-Signature": signature[:-1] + last})


def without(request, header):
    """The request without one of its headers."""
    return Request(request.path, request.body, {name: value for name, value in request.headers.items() if name != header})


def problems(message):
    """What Slack would refuse in a message, or show badly."""
    found = []
    if not isinstance(message.get("text"), str) or not message["text"]:
        found.append("there is no text for notifications and screen readers")
    blocks = message.get("blocks")
    if not isinstance(blocks, list) or not blocks:
        return [*found, "there are no blocks"]
    if len(blocks) > MOST_BLOCKS:
        found.append(f"{len(blocks)} blocks, of at most {MOST_BLOCKS}")
    parsed = Block.parse_all(blocks)
    for given, block in zip(blocks, parsed, strict=True):
        found += _block_problems(given, block)
    for given in _inside(blocks):
        found += _object_problems(given)
    for text in [message.get("text"), *(given.get("text") for given in _inside(blocks))]:
        if isinstance(text, str):
            found += [f"`{said}` in {text[:200]!r}" for said in NEVER_SAID if said in text]
    return found


def _block_problems(given, block):
    kind = given.get("type")
    # An unknown type is no error to the library.
    if block is None or type(block) is Block:
        return [f"`{kind}` is no type of a block"]
    try:
        block.validate_json()
        for element in [*(getattr(block, "elements", None) or []), getattr(block, "accessory", None)]:
            if hasattr(element, "validate_json"):
                element.validate_json()
        again = block.to_dict()
    except Exception as error:  # noqa: BLE001 - whatever the library does not like
        return [f"{kind}: {type(error).__name__}: {error}"]
    return [] if again == given else [f"{kind}: read and written again it is {again}, not {given}"]


def _inside(value):
    """All objects, however deep."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _inside(part)


def _object_problems(given):
    """What the library lets pass and Slack does not."""
    kind = given.get("type")
    found = []
    if kind == "header" and given.get("text", {}).get("type") != "plain_text":
        found.append("a header is plain_text only")
    if kind == "button":
        if not given.get("action_id"):
            found.append("a button has no action_id, so a press could not be told from another")
        if given.get("text", {}).get("type") != "plain_text":
            found.append("the text of a button is plain_text only")
        if given.get("style") not in (None, "primary", "danger"):
            found.append(f"`{given['style']}` is no style of a button")
    if kind in ("plain_text", "mrkdwn") and not given.get("text"):
        found.append(f"an empty {kind}")
    return [f"{problem}: {json.dumps(given)[:200]}" for problem in found]
