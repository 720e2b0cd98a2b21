"""X's sign-in as somebody else has built it: oauthlib checks signatures, nonces, PINs, callbacks, PKCE, codes, and that a refresh
token is good once. Beside that there is as little of X as a post takes.

Usage: x_oauth_peer.py PORT [CALLBACK]

Who opens its pages allows everything, after `/person/deny` nothing. `/clock/forward?seconds=N` lets its tokens grow older.
"""

import base64
import os
import secrets
import sys
import time
import types

from flask import Flask, Response, jsonify, redirect, request
from oauthlib import oauth1, oauth2
from oauthlib.common import add_params_to_uri

APP = {"consumer_key": "peer-consumer", "consumer_secret": "peer-hush"}
CLIENT = {"client_id": "peer-client", "client_secret": "peer-client-hush"}
CALLBACK = sys.argv[2] if 2 < len(sys.argv) else "http://127.0.0.1/keys/callback"
USER = {"user_id": "42", "screen_name": "flockbot"}
SCOPES = {"tweet.read", "tweet.write", "users.read", "media.write", "offline.access"}
# X names neither; a code lives half a minute (docs.x.com, "OAuth 2.0 Authorization Code Flow with PKCE", 2026-08).
CODE_SECONDS, TOKEN_SECONDS = 30, 7200

app = Flask(__name__)
person = {"allows": True}
clock = {"ahead": 0.0}
tweets = []


def now():
    return time.time() + clock["ahead"]


class Signatures(oauth1.RequestValidator):
    """OAuth 1.0a."""

    enforce_ssl = False
    allowed_signature_methods = (oauth1.SIGNATURE_HMAC_SHA1,)
    # What X's tokens and keys look like.
    safe_characters = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+/.")
    client_key_length = nonce_length = request_token_length = access_token_length = verifier_length = (5, 90)
    timestamp_lifetime = 300
    realms = [""]
    dummy_client = dummy_request_token = dummy_access_token = "nobody"

    def __init__(self):
        super().__init__()
        self.asked, self.given, self.seen = {}, {}, set()

    def check_realms(self, realms):
        return True

    def validate_client_key(self, client_key, request):
        return client_key == APP["consumer_key"]

    def get_client_secret(self, client_key, request):
        return APP["consumer_secret"]

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, request_token=None, access_token=None):
        this = (timestamp, nonce, request_token, access_token)
        is_new = this not in self.seen
        self.seen.add(this)
        return is_new

    def get_default_realms(self, client_key, request):
        return []

    def get_realms(self, token, request):
        return []

    def validate_requested_realms(self, client_key, realms, request):
        return True

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True

    def validate_redirect_uri(self, client_key, redirect_uri, request):
        return redirect_uri in ("oob", CALLBACK)

    def save_request_token(self, token, request):
        self.asked[token["oauth_token"]] = {"secret": token["oauth_token_secret"], "callback": request.redirect_uri}

    def validate_request_token(self, client_key, token, request):
        return token in self.asked

    def get_request_token_secret(self, client_key, token, request):
        return self.asked.get(token, {}).get("secret", "nobody")

    def validate_verifier(self, client_key, token, verifier, request):
        return secrets.compare_digest(self.asked.get(token, {}).get("verifier", ""), verifier)

    def invalidate_request_token(self, client_key, request_token, request):
        del self.asked[request_token]

    def save_access_token(self, token, request):
        self.given[token["oauth_token"]] = token["oauth_token_secret"]

    def validate_access_token(self, client_key, token, request):
        return token in self.given

    def get_access_token_secret(self, client_key, token, request):
        return self.given.get(token, "nobody")


class Bearers(oauth2.RequestValidator):
    """OAuth 2.0 with PKCE, for an app that keeps a secret."""

    def __init__(self):
        super().__init__()
        self.codes, self.access, self.refresh = {}, {}, {}

    def validate_client_id(self, client_id, request, *args, **kwargs):
        return client_id == CLIENT["client_id"]

    def client_authentication_required(self, request, *args, **kwargs):
        return True

    def authenticate_client(self, request, *args, **kwargs):
        shown = request.headers.get("Authorization", "")
        pair = f"{CLIENT['client_id']}:{CLIENT['client_secret']}"
        ours = f"Basic {base64.b64encode(pair.encode()).decode()}"
        request.client = types.SimpleNamespace(client_id=CLIENT["client_id"])
        return secrets.compare_digest(shown, ours)

    def validate_redirect_uri(self, client_id, redirect_uri, request, *args, **kwargs):
        return redirect_uri == CALLBACK

    def validate_response_type(self, client_id, response_type, client, request, *args, **kwargs):
        return response_type == "code"

    def validate_scopes(self, client_id, scopes, client, request, *args, **kwargs):
        return set(scopes) <= SCOPES

    def get_default_scopes(self, client_id, request, *args, **kwargs):
        return []

    def is_pkce_required(self, client_id, request):
        return True

    def save_authorization_code(self, client_id, code, request, *args, **kwargs):
        self.codes[code["code"]] = {
            "redirect_uri": request.redirect_uri,
            "scopes": request.scopes,
            "challenge": request.code_challenge,
            "method": request.code_challenge_method,
            "ends": now() + CODE_SECONDS,
        }

    def validate_code(self, client_id, code, client, request, *args, **kwargs):
        known = self.codes.get(code)
        if known is None or known["ends"] < now():
            return False
        request.scopes, request.user = known["scopes"], USER["user_id"]
        return True

    def get_code_challenge(self, code, request):
        return self.codes[code]["challenge"]

    def get_code_challenge_method(self, code, request):
        return self.codes[code]["method"]

    def confirm_redirect_uri(self, client_id, code, redirect_uri, client, request, *args, **kwargs):
        return self.codes[code]["redirect_uri"] == redirect_uri

    def validate_grant_type(self, client_id, grant_type, client, request, *args, **kwargs):
        return grant_type in ("authorization_code", "refresh_token")

    def invalidate_authorization_code(self, client_id, code, request, *args, **kwargs):
        del self.codes[code]

    def save_bearer_token(self, token, request, *args, **kwargs):
        self.access[token["access_token"]] = (now() + token["expires_in"], token["scope"].split())
        self.refresh[token["refresh_token"]] = token["scope"]

    def validate_refresh_token(self, refresh_token, client, request, *args, **kwargs):
        # Good once.
        request.was = self.refresh.pop(refresh_token, None)
        return request.was is not None

    def get_original_scopes(self, refresh_token, request, *args, **kwargs):
        return request.was.split()

    def rotate_refresh_token(self, request):
        return True


signatures, bearers = Signatures(), Bearers()
signed = oauth1.WebApplicationServer(signatures)
coded = oauth2.WebApplicationServer(bearers, token_expires_in=TOKEN_SECONDS)


def asked():
    is_form = request.content_type == "application/x-www-form-urlencoded"
    body = request.get_data(as_text=True) if is_form else None
    return request.url, request.method, body, dict(request.headers)


def answer(headers, body, status):
    return Response(body or "", status=status, headers=headers)


def unauthorized():
    return jsonify(title="Unauthorized", type="about:blank", status=401, detail="Unauthorized"), 401


def may(scope):
    """Whether the request is signed, or shows a token with the scope that has not ended."""
    shown = request.headers.get("Authorization", "")
    if shown.startswith("OAuth "):
        return signed.validate_protected_resource_request(*asked(), realms=[""])[0]
    ends, scopes = bearers.access.get(shown.removeprefix("Bearer "), (0, []))
    return now() < ends and scope in scopes


@app.post("/oauth/request_token")
def request_token():
    headers, body, status = signed.create_request_token_response(*asked())
    if status != 200:
        return jsonify(errors=[{"code": 32, "message": "Could not authenticate you."}]), 401
    return answer(headers, body, status)


@app.get("/oauth/authorize")
def authorize():
    token = request.args["oauth_token"]
    known = signatures.asked.get(token)
    if known is None:
        return "This page is no longer valid.", 403
    if not person["allows"]:
        return redirect(add_params_to_uri(CALLBACK, [("denied", token)]))
    if known["callback"] == "oob":
        known["verifier"] = f"{secrets.randbelow(10**7):07d}"
        return f"<code>{known['verifier']}</code>"
    known["verifier"] = secrets.token_urlsafe(24)
    return redirect(add_params_to_uri(known["callback"], [("oauth_token", token), ("oauth_verifier", known["verifier"])]))


@app.post("/oauth/access_token")
def access_token():
    headers, body, status = signed.create_access_token_response(*asked(), credentials=USER)
    return answer(headers, body, status) if status == 200 else ("Error processing your OAuth request", 401)


@app.get("/i/oauth2/authorize")
def oauth2_authorize():
    scopes, credentials = coded.validate_authorization_request(request.url, "GET", None, dict(request.headers))
    if not person["allows"]:
        denied = [("error", "access_denied"), ("state", credentials["state"])]
        return redirect(add_params_to_uri(credentials["redirect_uri"], denied))
    kept = {name: value for name, value in credentials.items() if name != "request"}
    return answer(*coded.create_authorization_response(request.url, "GET", None, dict(request.headers), scopes, kept))


@app.post("/2/oauth2/token")
def oauth2_token():
    return answer(*coded.create_token_response(*asked()))


@app.get("/2/users/me")
def me():
    if not may("users.read"):
        return unauthorized()
    return jsonify(data={"id": USER["user_id"], "username": USER["screen_name"], "name": "Flock"})


@app.get("/2/users/<user_id>/tweets")
def listing(user_id):
    if not may("tweet.read"):
        return unauthorized()
    return jsonify(meta={"result_count": 0})


@app.post("/2/tweets")
def tweet():
    if not may("tweet.write"):
        return unauthorized()
    tweets.append(request.get_json()["text"])
    return jsonify(data={"id": str(1000 + len(tweets)), "text": tweets[-1], "edit_history_tweet_ids": []}), 201


@app.get("/person/<does>")
def somebody_else(does):
    person["allows"] = does == "allow"
    return jsonify(person)


@app.get("/clock/forward")
def forward():
    clock["ahead"] += float(request.args["seconds"])
    return jsonify(clock)


@app.get("/seen")
def seen():
    return jsonify(tweets)


if __name__ == "__main__":
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    app.run(host="127.0.0.1", port=int(sys.argv[1]))
