#!/usr/bin/env bash
# Has the tests note what they say to X, and holds it against X's own document: see x_contract.py.
set -euo pipefail
cd "$(dirname "$0")/.."

X_EXCHANGES=$(mktemp -d)
export X_EXCHANGES
trap 'rm -rf "$X_EXCHANGES"' EXIT

# Without a document there is nothing to run the tests for.
if [[ -n ${X_OPENAPI:-} && -f $X_OPENAPI ]]; then
  # The same packages as all tests, so that nothing is built anew.
  cargo test --workspace --test it -- x:: failures:: acts:: act_for::
fi
python .ci/x_contract.py "$X_EXCHANGES"
