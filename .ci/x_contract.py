"""Holds what we send to X, and what our stand-in for X answers, against X's own OpenAPI document.

Usage: X_OPENAPI=DOCUMENT x_contract.py FOLDER, with the exchanges the tests noted there (X_EXCHANGES, see
tests/src/x_stand_in/exchanges.rs). The document, JSON or gzipped JSON, is X's and never part of this repository; without it
this test is skipped. It is read strictly: a field or parameter the document does not list is wrong, whatever it says about
additional ones.
"""

import collections
import copy
import gzip
import json
import os
import re
import sys
import urllib.parse
from pathlib import Path

from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

# What we ask of X. Each must have been seen to work.
USED = ("createPosts", "deletePosts", "repostPost", "getUsersPosts", "mediaUpload", "createMediaMetadata")

# Answers X gives that its document does not have. A code in a list is v1.1's shape, which v2 still answers with; docs.x.com
# shows it for 429 ("Rate limits", 2026-08) and shows `about:blank` ("Response codes and errors", 2026-08); the body for used
# up credits is as people have shown it since 2026-01.
BEYOND = {
    "about:blank": {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "enum": ["about:blank"]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
        "additionalProperties": False,
    },
    "a list of codes": {
        "type": "object",
        "required": ["errors"],
        "properties": {
            "errors": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
                    "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
    },
    "credits": {
        "type": "object",
        "required": ["type", "title", "detail"],
        "properties": {"type": {"type": "string", "enum": ["https://api.x.com/2/problems/credits"]}},
    },
}


class Contract:
    """X's document."""

    def __init__(self, document):
        self.operations = []
        for path, methods in document["paths"].items():
            pattern = re.compile(re.sub(r"\\\{[^}]*\\\}", "([^/]+)", re.escape(path)))
            names = re.findall(r"\{([^}]*)\}", path)
            for method, operation in methods.items():
                self.operations.append((method.upper(), pattern, names, operation))
        # Paths without a parameter are meant first: /2/users/me is no id.
        self.operations.sort(key=lambda operation: len(operation[2]))
        self.document = document
        closed = copy.deepcopy(document)
        close(closed["components"]["schemas"])
        self.registry = Registry().with_resources(
            (name, Resource.from_contents(contents, default_specification=DRAFT4))
            for name, contents in (("urn:x", document), ("urn:x-closed", closed))
        )

    def operation(self, method, path):
        """The operation, and the values in its path."""
        for known, pattern, names, operation in self.operations:
            if known == method and (match := pattern.fullmatch(path)):
                return operation, dict(zip(names, map(urllib.parse.unquote, match.groups())))
        return None, {}

    def resolve(self, item):
        while "$ref" in item:
            item = self.registry.resolver("urn:x").lookup(item["$ref"]).contents
        return item

    def wrong(self, value, schema, closed=False):
        """What is wrong with a value, as sentences. `closed`: nothing may be there that is not listed."""
        base = "urn:x-closed" if closed else "urn:x"
        schema = json.loads(json.dumps(schema).replace('"$ref": "#', f'"$ref": "{base}#'))
        validator = OAS30Validator(schema, registry=self.registry, format_checker=oas30_format_checker)
        return [f"{'/'.join(map(str, error.absolute_path)) or 'it'}: {error.message[:300]}" for error in validator.iter_errors(value)]

    def wrong_parameters(self, operation, in_path, query):
        parameters = {}
        for parameter in map(self.resolve, operation.get("parameters", [])):
            parameters[parameter["in"], parameter["name"]] = parameter
        given = {("path", name): value for name, value in in_path.items()}
        for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)):
            if ("query", name) in given:
                yield f"the parameter {name} is there twice"
            given["query", name] = value
        for key, value in given.items():
            if key not in parameters:
                yield f"the parameter {key[1]} is unknown"
                continue
            schema = self.resolve(parameters[key]["schema"])
            if schema["type"] == "array":
                value = value.split(",")
            elif schema["type"] in ("integer", "number"):
                value = int(value) if re.fullmatch(r"-?\d+", value) else value
            for wrong in self.wrong(value, schema):
                yield f"the parameter {key[1]}: {wrong}"
        for key, parameter in parameters.items():
            if parameter.get("required") and key not in given:
                yield f"the parameter {key[1]} is missing"

    def wrong_request(self, operation, in_path, exchange):
        yield from self.wrong_parameters(operation, in_path, exchange["query"])
        takes = operation.get("requestBody")
        if takes is None:
            if exchange["body"] is not None:
                yield "there is a body"
            return
        content_type = (exchange["content_type"] or "").split(";")[0]
        if content_type not in takes["content"]:
            yield f"the content type {content_type!r} is unknown"
            return
        for wrong in self.wrong(exchange["body"], takes["content"][content_type]["schema"], closed=True):
            yield f"the body: {wrong}"

    def wrong_answer(self, operation, exchange):
        """What is wrong with an answer, and the shape it has that the document does not know."""
        status, answer = exchange["status"], exchange["answer"]
        content_type = (exchange["answer_type"] or "").split(";")[0]
        if status == 400:
            return [f"X would refuse what we sent: {json.dumps(answer)[:300]}"], None
        success = str(status) in operation["responses"]
        described = operation["responses"][str(status) if success else "default"]["content"]
        if not success and status < 400:
            return [f"the status {status} is unknown"], None
        wrong = [f"the content type {content_type!r} is unknown"]
        if content_type in described:
            wrong = self.wrong(answer, described[content_type]["schema"], closed=success)
        if wrong and not success:
            for shape, schema in BEYOND.items():
                if not self.wrong(answer, schema):
                    return [], shape
        return [f"the answer: {problem}" for problem in wrong], None

    def check(self, exchange):
        """What is wrong with an exchange; the operation; and, of answers beyond the document, the shape."""
        operation, in_path = self.operation(exchange["method"], exchange["path"])
        if operation is None:
            return ["there is no such request"], None, None
        wrong = list(self.wrong_request(operation, in_path, exchange))
        shape = None
        # A bad day of X's, or a client that did not wait.
        if not exchange["misbehaved"] and exchange["status"] is not None:
            wrong_answer, shape = self.wrong_answer(operation, exchange)
            wrong += wrong_answer
        return wrong, operation["operationId"], shape


def close(schema):
    """Forbids what schemas do not list."""
    if isinstance(schema, list):
        for item in schema:
            close(item)
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            schema.setdefault("additionalProperties", False)
        for item in schema.values():
            close(item)


def worked(exchange):
    return exchange["status"] in (200, 201) and not exchange["misbehaved"]


def tampered(exchanges):
    """Exchanges that are wrong, each in one way; what was done to them; and in which words that is to be noticed."""

    def one(operation_path, method, change, named, words):
        like = (e for e in exchanges if worked(e) and e["method"] == method and re.fullmatch(operation_path, e["path"]))
        exchange = copy.deepcopy(next(like, None))
        if exchange is None:
            raise LookupError(f"no {method} {operation_path} was seen to work")
        change(exchange)
        return named, words, exchange

    post, listing = ("/2/tweets", "POST"), (r"/2/users/\d+/tweets", "GET")
    yield one(*post, lambda e: e["body"].update(status="Baa"), "an unknown field", "'status' was unexpected")
    yield one(*post, lambda e: e["body"].update(text=7), "a text that is a number", "not of type 'string'")
    yield one(*post, lambda e: e["body"].update(media={"media_ids": []}), "no media ids", "non-empty")
    yield one(*post, lambda e: e.update(content_type="text/plain"), "another content type", "'text/plain' is unknown")
    yield one(*post, lambda e: e["answer"]["data"].pop("id"), "an answer without an id", "'id' is a required property")
    yield one(*post, lambda e: e["answer"]["data"].update(no=1), "an answer with more", "'no' was unexpected")
    yield one(*post, lambda e: e.update(status=400), "an answer of 400", "X would refuse")
    yield one(*post, lambda e: e.update(path="/2/tweet"), "another path", "no such request")
    yield one(*listing, lambda e: e.update(query="tweet.fields=entities"), "an unknown parameter", "tweet.fields is unknown")
    yield one(*listing, lambda e: e.update(query="max_results=4"), "a page that is too small", "less than the minimum")
    metadata = ("/2/media/metadata", "POST")
    yield one(*metadata, lambda e: e["body"].update(alt_text="Baa"), "a field in the wrong place", "'alt_text' was unexpected")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    document = os.environ.get("X_OPENAPI", "")
    if not document or not Path(document).is_file():
        print("X contract: skipped, X_OPENAPI names no document")
        return 0
    raw = Path(document).read_bytes()
    contract = Contract(json.loads(gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw))
    print(f"X contract: {contract.document['info']['title']} {contract.document['info']['version']}")
    exchanges = []
    for file in sorted(Path(sys.argv[1]).glob("*.jsonl")):
        exchanges += map(json.loads, file.read_text(encoding="utf-8").splitlines())

    failures = 0
    checked, answered, beyond = collections.Counter(), collections.Counter(), collections.Counter()
    for exchange in exchanges:
        wrong, operation, shape = contract.check(exchange)
        checked[operation] += 1
        answered[operation] += worked(exchange)
        beyond[shape] += shape is not None
        for problem in wrong:
            failures += 1
            if failures <= 20:
                print(f"FAIL  {exchange['method']} {exchange['path']}?{exchange['query']}: {problem}")
    for operation in sorted(filter(None, checked)):
        print(f"{checked[operation]:6} requests of {operation}, {answered[operation]} of them successful")
    for shape in sorted(filter(None, beyond)):
        print(f"{beyond[shape]:6} answers of a shape that is X's but not in its document: {shape}")
    for operation in USED:
        if not answered[operation]:
            failures += 1
            print(f"FAIL  {operation} was never seen to work")
    try:
        for named, words, exchange in tampered(exchanges):
            wrong, _, _ = contract.check(exchange)
            noticed = len(wrong) == 1 and words in wrong[0]
            failures += not noticed
            print(f"{'ok  ' if noticed else 'FAIL'}  {named} is noticed: {'; '.join(wrong) or 'it is not'}")
    except LookupError as error:
        failures += 1
        print(f"FAIL  nothing to tamper with: {error}")
    print(f"X contract: {len(exchanges)} exchanges, {failures} violations")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
