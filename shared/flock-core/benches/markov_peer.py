"""What the benchmark `markov` measures chains against: markovify, trained on the same lines.

`corpus FILE BYTES` writes the lines of chitchat-dataset (Will Myers and others, MIT) until there are so many bytes;
`train FILE TEXTS NUMBER` trains, draws so many texts in two ways, and prints what that took.
"""

import json
import resource
import sys
import time


def corpus(file, size):
    from chitchat_dataset import Dataset

    lines = (
        " ".join(message["text"].split())
        for conversation in Dataset().values()
        for turn in conversation["messages"]
        for message in turn
    )
    with open(file, "w", encoding="utf-8") as out:
        written = 0
        for line in lines:
            if not line or not line.isprintable() or len(line.encode()) > 3_700:
                continue
            written += len(line.encode()) + 1
            if written > size:
                return
            out.write(line + "\n")
    raise SystemExit(f"the data set has {written} bytes, and {size} are wanted")


def train(file, texts, number):
    with open(file, encoding="utf-8") as source:
        lines = source.read().splitlines()
    import random

    import markovify

    random.seed(1)
    started = time.perf_counter()
    # Sentences are lines, divided at their ends: what a chain of ours takes for them.
    chain = markovify.Text(lines, state_size=2)
    train_seconds = time.perf_counter() - started
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    print(json.dumps({"train_seconds": train_seconds, "peak_kb": peak_kb, **draw(chain, texts, number, {})}))
    # Its rule as near to ours as it goes, and a chain made ready for drawing, which is not counted.
    held = draw(chain.compile(), texts + ".held", number, {"max_overlap_ratio": 1.0, "max_overlap_total": 6})
    print(json.dumps({"train_seconds": train_seconds, "peak_kb": peak_kb, **held}))


def draw(chain, file, number, rules):
    drawn, failed = [], 0
    started = time.perf_counter()
    while len(drawn) < number:
        text = chain.make_sentence(**rules)
        if text is None:
            failed += 1
        else:
            drawn.append(text)
    draw_seconds = time.perf_counter() - started
    with open(file, "w", encoding="utf-8") as out:
        out.write("\n".join(drawn))
    return {"draw_seconds": draw_seconds, "failed": failed}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["corpus", file, size]:
            corpus(file, int(size))
        case ["train", file, texts, number]:
            train(file, texts, int(number))
        case _:
            raise SystemExit(__doc__)
