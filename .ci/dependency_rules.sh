#!/usr/bin/env bash
# What single crates may depend on: DESIGN.md section 3, one TLS stack, one HTTP client; and what they may say. Prints every rule,
# fails when one is broken.
set -euo pipefail
cd "$(dirname "$0")/.."

broken=0

# The crates that the given packages are built from, one "name version" a line. Tests and build scripts may use more.
crates() {
  cargo tree --locked --edges normal --prefix none --format '{p}' "$@" | sed 's/ v/ /; s/ (.*//' | grep . | sort -u
}

verdict() { # RULE, what breaks it (nothing when it holds)
  if [[ -z $2 ]]; then
    echo "ok    $1"
  else
    broken=$((broken + 1))
    printf 'BROKEN %s:\n       %s\n' "$1" "${2//$'\n'/$'\n'       }"
  fi
}

refuse() { # RULE, pattern of crate names, the crates
  verdict "$1" "$(grep -E "^($2) " <<<"$3" || true)"
}

exactly_one() { # RULE, pattern, the crates
  local found
  found=$(grep -E "^($2) " <<<"$3" || true)
  if [[ $(grep -c . <<<"$found") -eq 1 ]]; then
    verdict "$1 ($found)" ""
  else
    verdict "$1" "${found:-none}"
  fi
}

core=$(crates --package flock-core)
refuse "flock-core does no I/O" \
  'tokio|mio|async-std|smol|futures-.*|aws-.*|lambda_.*|reqwest|hyper|axum|rusqlite|libsqlite3-sys|dynoxide-rs|flock-(aws|net|store|slack)' "$core"

all=$(crates --workspace)
exactly_one "one version of rustls" 'rustls' "$all"
exactly_one "one crypto provider under it" 'ring|aws-lc-rs|aws-lc-fips-sys|rustls-openssl|rustls-graviola' "$all"
refuse "no other TLS stack" 'native-tls|hyper-tls|openssl|openssl-sys|boring|boring-sys|s2n-tls' "$all"
# The SDK's own reads the machine's certificates at every start; see shared/flock-aws/src/https.rs.
refuse "the SDK's requests go through flock-aws's HTTP client" 'aws-smithy-http-client' "$all"

for manifest in functions/*/Cargo.toml; do
  function=$(basename "$(dirname "$manifest")")
  tree=$(crates --package "$function")
  refuse "$function carries no database and no command line" 'dynoxide-rs|rusqlite|libsqlite3-sys|clap|indicatif|flockwork' "$tree"
  refuse "$function knows one calendar, jiff" 'chrono' "$tree"
  # How people log in at AWS is the command's matter; a function is given its credentials.
  refuse "$function carries no logins of people" 'aws-sdk-(sso|ssooidc|signin|sns|cloudformation)|p256' "$tree"
  # The SDK's own types are built on `time`; nobody else may bring it.
  if grep -q '^time ' <<<"$tree"; then
    users=$(cargo tree --locked --edges normal --prefix none --format '{p}' --package "$function" --invert time --depth 1 |
      sed 's/ v.*//' | grep -Ev '^(time|aws-[a-z0-9-]+)$' | sort -u || true)
    verdict "$function uses \`time\` in the AWS SDK only" "$users"
  fi
done

# A function that is linked into the command is handed to AWS on loopback, which knows none.
functions=$(ls functions | paste -sd '|')
refuse "local-cloud knows no function of ours, no Slack and no command line" "$functions|flockwork|local-slack|clap" \
  "$(crates --package local-cloud)"
refuse "local-slack knows no function of ours, no AWS on loopback and no command line" "$functions|flockwork|local-cloud|clap" \
  "$(crates --package local-slack)"
refuse "loopback knows nothing of what is answered" "$functions|flockwork|local-cloud|local-slack|flock-.*" \
  "$(crates --package loopback)"

# What is typed differs by who reads: crates below name the act, and the door that shows it says how it is typed there.
says() { # PATTERN, folders; comments say what they like, and so do tests
  local file
  for file in $(find "${@:2}" -name '*.rs'); do
    awk -v name="$file" -v pattern="$1" \
      '/^#\[cfg\(test\)\]/ { exit } !/^ *\/\// && $0 ~ pattern { print name ":" FNR ": " $0 }' "$file"
  done
}
verdict "what is below the command line names acts, not commands of \`flockwork\`" \
  "$(says '`flockwork |flockwork (account (add|show)|flock (apply|list|plan|remove)|sheep [a-z]+|run) ' shared/*/src functions/*/src infra/lo*/src)"
# The keymaker's pages are read by who came from either door, and say it in the words of that.
verdict "what is below Slack's door names acts, not commands of \`/flock\`" \
  "$(says '/flock ' shared/*/src $(ls -d functions/*/src | grep -Ev '/(slash-command|keymaker)/'))"

if ((broken)); then
  echo "$broken rules broken; \`cargo tree --edges normal --invert CRATE\` shows who brings a crate"
  exit 1
fi
