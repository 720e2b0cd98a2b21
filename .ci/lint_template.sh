#!/usr/bin/env bash
# Checks without AWS: template.yaml as SAM source, and as the CloudFormation that SAM makes of it; the pipeline example.
set -euo pipefail
cd "$(dirname "$0")/.."

# Any region will do; nothing is asked of it.
export AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true SAM_CLI_TELEMETRY=0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "sam validate --lint"
sam validate --lint

accepted=(
  CKV_AWS_26  # Topic under a KMS key: alarms cannot publish to one under the key that AWS manages, and the mails hold no secret.
  CKV_AWS_27  # Queue under a KMS key: it is under SQS's own, which this check does not know.
  CKV_AWS_115 # Reserved concurrency: it would take from the account's limit, and the lease makes two ticks at once safe.
  CKV_AWS_116 # Dead-letter queue on the function: the on-failure destination in its EventInvokeConfig is the newer form.
  CKV_AWS_117 # VPC: it would need a paid gateway to reach the networks, and there is nothing private to reach.
  CKV_AWS_119 # Table under a key of our own: $1 a month and nothing won; the account keys in it are sealed by the keyring.
  CKV_AWS_149 # Secrets likewise.
  CKV_AWS_158 # Logs likewise; no secret is logged.
  CKV_AWS_173 # Function's environment likewise: it holds names only.
)

# Of a template as it is once SAM's part is done, where roles, rules and permissions are spelled out.
lint_cloudformation() { # FILE
  # W2001: a parameter that is used by SAM alone is used no more. tests/tests/it/template.rs looks for those used by nobody.
  cfn-lint --ignore-checks W2001 --template "$1"
  checkov --file "$1" --framework cloudformation --skip-download --compact --quiet \
    --skip-check "$(IFS=,; echo "${accepted[*]}")"
}

echo "transform, then cfn-lint and checkov; what they miss is in infra/local-cloud/src/exposure.rs, run by the tests"
for given in "" GradualDeployment=true; do
  echo "with ${given:-the defaults}"
  # shellcheck disable=SC2086 # nothing, or one word
  python .ci/transform.py template.yaml $given >"$work/cloudformation.json"
  lint_cloudformation "$work/cloudformation.json"
done

echo "infra/pipeline: its roles, and its workflow where GitHub looks for it"
lint_cloudformation infra/pipeline/roles.yaml
mkdir -p "$work/repository/.github/workflows"
cp infra/pipeline/deploy.yml "$work/repository/.github/workflows/"
checkov --directory "$work/repository" --framework github_actions --skip-download --compact --quiet
