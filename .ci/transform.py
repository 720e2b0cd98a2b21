"""Writes the CloudFormation JSON that SAM makes of a template, without AWS.

cfn-lint and checkov find far more there than in the SAM source: generated roles, rules and permissions are spelled out.

Usage: transform.py template.yaml [PARAMETER=VALUE...] > cloudformation.json
"""

import json
import sys

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        template = yaml_parse(file)
    # A function with a role of its own needs no managed policies; AWS would be asked for their names.
    session = boto3.session.Session(region_name="us-east-1")
    translator = Translator({}, Parser(), boto_session=session)
    # SAM wants an address for the code; `sam package` would put the uploaded one here.
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/code.zip"
    parameters = dict(argument.split("=", 1) for argument in sys.argv[2:])
    json.dump(translator.translate(template, parameter_values=parameters), sys.stdout, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
