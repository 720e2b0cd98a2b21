"""Draws as many texts by PyPI's library, twice, and prints the milliseconds of the second time: grammar_peer.py FOLDER GRAMMAR COUNT."""

import json
import sys
import time

import tracery
from tracery.modifiers import base_english

_, _, file, count = sys.argv
with open(file, encoding="utf-8") as source:
    grammar = tracery.Grammar(json.load(source))
grammar.add_modifiers(base_english)


def draw():
    start = time.perf_counter()
    for _ in range(int(count)):
        if not grammar.flatten("#origin#"):
            raise ValueError("nothing was drawn")
    return (time.perf_counter() - start) * 1_000


draw()
print(draw())
