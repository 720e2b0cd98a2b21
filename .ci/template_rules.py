"""Rules of our own for the CloudFormation JSON that transform.py writes: what cfn-lint and checkov do not notice.

Usage: template_rules.py cloudformation.json
"""

import json
import re
import sys

# EventBridge accepts nothing else, and says so only when the stack is deployed.
SCHEDULE = re.compile(
    r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)"
    r"|cron\((\S+ ){5}\S+\)"
    r"|at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)"
)
ROUTE = re.compile(r"\$default|(ANY|GET|HEAD|OPTIONS|PATCH|POST|PUT|DELETE) (/[^/\s]*)+")
EVENT_FIELDS = {"source", "detail-type", "detail", "account", "region", "resources", "time", "id", "version"}


def as_list(value):
    return value if isinstance(value, list) else [value]


def policy_problems(policy):
    for statement in as_list(policy["Statement"]):
        if statement["Effect"] != "Allow":
            continue
        for key in ("NotAction", "NotResource", "NotPrincipal"):
            if key in statement:
                yield f"{key} allows whatever it does not name"
        for action in as_list(statement.get("Action", [])):
            if "*" in action:
                yield f"the action {action} is not one action"
        for resource in as_list(statement.get("Resource", [])):
            if "*" in json.dumps(resource):
                yield f"the resource {resource} is not one resource"
        if statement.get("Principal") in ("*", {"AWS": "*"}):
            yield "it lets everybody in"


def delivery_problems(target):
    if "RetryPolicy" not in target:
        yield "a target has no RetryPolicy: EventBridge would try for a day"
    if "DeadLetterConfig" not in target:
        yield "a target has no DeadLetterConfig: what is not delivered would be lost"


def schedule_problems(expression):
    if not SCHEDULE.fullmatch(expression):
        yield f"EventBridge refuses the schedule {expression!r}"


def problems(resource):
    properties = resource.get("Properties", {})
    match resource["Type"]:
        case "AWS::IAM::Role" | "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy":
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            if "PolicyDocument" in properties:
                documents.append(properties["PolicyDocument"])
            for document in documents:
                yield from policy_problems(document)
            for arn in properties.get("ManagedPolicyArns", []):
                yield f"the managed policy {arn} allows more than is needed"
        case "AWS::SQS::QueuePolicy" | "AWS::SNS::TopicPolicy":
            yield from policy_problems(properties["PolicyDocument"])
        case "AWS::Scheduler::Schedule":
            yield from schedule_problems(properties["ScheduleExpression"])
            yield from delivery_problems(properties["Target"])
        case "AWS::Events::Rule":
            if "ScheduleExpression" in properties:
                yield from schedule_problems(properties["ScheduleExpression"])
            for field in set(properties.get("EventPattern", {})) - EVENT_FIELDS:
                yield f"no event has a field {field!r}: the rule would match nothing"
            for target in properties.get("Targets", []):
                yield from delivery_problems(target)
        case "AWS::ApiGatewayV2::Route":
            if not ROUTE.fullmatch(properties["RouteKey"]):
                yield f"{properties['RouteKey']!r} is not a method and a path"
        case "AWS::ApiGatewayV2::Api" if "Body" in properties:
            for path in properties["Body"].get("paths", {}):
                if not path.startswith("/") and path != "$default":
                    yield f"the path {path!r} does not start with a slash"


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        resources = json.load(file)["Resources"]
    found = [f"{name}: {problem}" for name, resource in resources.items() for problem in problems(resource)]
    print("\n".join(found) or f"{len(resources)} resources, nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
