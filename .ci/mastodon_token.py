"""Logs in to snac as a person at a browser would, and prints an access token: mastodon_token.py URL USER PASSWORD."""

import html
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

# Where the code is shown rather than sent on.
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
SCOPES = "read write follow"


def request(url, form=None):
    data = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=10) as answer:
        return answer.read().decode()


def main(url, user, password):
    form = {"client_name": "flockwork", "redirect_uris": OUT_OF_BAND, "scopes": SCOPES}
    app = json.loads(request(f"{url}/api/v1/apps", form))
    query = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": OUT_OF_BAND,
        "scope": SCOPES,
    }
    page = request(f"{url}/oauth/authorize?{urllib.parse.urlencode(query)}")
    action = html.unescape(re.search(r'<form[^>]* action="([^"]+)"', page).group(1))
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    login = {name: html.unescape(value) for name, value in hidden}
    code = request(urllib.parse.urljoin(url, action), {**login, "login": user, "passwd": password})
    form = {
        "grant_type": "authorization_code",
        "code": code.strip(),
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        "redirect_uri": OUT_OF_BAND,
        "scope": SCOPES,
    }
    print(json.loads(request(f"{url}/oauth/token", form))["access_token"])


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except urllib.error.HTTPError as err:
        sys.exit(f"{err.url} answered {err.code}: {err.read()[:200]}")
