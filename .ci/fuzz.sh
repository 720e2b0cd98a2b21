#!/usr/bin/env bash
# Builds every fuzz target and runs each for a while: .ci/fuzz.sh [SECONDS [TARGET...]]. Fails when one finds something.
#
# Does what `cargo fuzz run -s none` does, without it: stable Rust and a C++ compiler are enough. No sanitizer: the code
# under test has no unsafe code.
set -euo pipefail
cd "$(dirname "$0")/../tests/fuzz"
exec </dev/null

seconds=${1:-10}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: .ci/fuzz.sh [SECONDS [TARGET...]]" >&2; exit 2; }
targets=("${@:2}")
if ((${#targets[@]} == 0)); then
  for file in fuzz_targets/*.rs; do
    targets+=("$(basename "$file" .rs)")
  done
fi

# As cargo-fuzz 0.13 passes them, so that the two share what they have built.
flags=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  --cfg fuzzing
  -Cllvm-args=-simplifycfg-branch-fold-threshold=0
  -Cllvm-args=-sanitizer-coverage-stack-depth
  -Cdebug-assertions
  -Ccodegen-units=1
)
# With a target, build scripts and macros are built without the flags.
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="${flags[*]}" cargo build --release --target "$host" --bins
programs=${CARGO_TARGET_DIR:-target}/$host/release

# What targets and the runs write, and what they leave when they die.
TMPDIR=$(mktemp -d)
export TMPDIR
child=
trap '[[ -z $child ]] || kill -- "-$child" 2>/dev/null || true; rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

failed=0
for target in "${targets[@]}"; do
  log=$TMPDIR/$target.log
  mkdir -p "corpus/$target" "artifacts/$target"
  # A run that does not end by itself is ended: seeds and the corpus are read even when the time is over. In a process
  # group of its own, so that a signal to this script is handled at once and reaches all of it.
  set -m
  timeout --kill-after=5 $((seconds + 60)) "$programs/$target" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="artifacts/$target/" \
    "corpus/$target" "seeds/$target" >"$log" 2>&1 &
  child=$!
  set +m
  code=0
  wait "$child" || code=$?
  child=
  stat() { sed -n "s/^stat::$1: *//p" "$log"; }
  runs=$(stat number_of_executed_units)
  printf '%-12s %8s runs/s %10s runs' "$target" "$(stat average_exec_per_sec)" "$runs"
  # A run that could do nothing found nothing either.
  if ((code == 0 && ${runs:-0} > 0)); then
    echo "  ok"
  else
    echo "  FAILED (exit code $code)"
    failed=1
    grep -Ev '^(#|INFO|WARNING|stat::|\s*NEW_FUNC)' "$log" | tail -n 60 | cut -c1-2000 | sed 's/^/  | /'
  fi
done
exit "$failed"
