"""`/flock alive` served by Slack's own framework for Python: what the benchmark `slash` measures slash-command against.

It does what slash-command does for this command, with the libraries AWS and Slack give: reads the signing secret at start,
verifies the signature, remembers the delivery on condition that it is new, reads the room and the control item, and answers
with the same text in blocks. Started by awslambdaric, the runtime of Lambda's own Python.
"""

import json
import os
import time

import boto3
from botocore.exceptions import ClientError
from slack_bolt import App
from slack_bolt.adapter.aws_lambda import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult

TABLE = os.environ["TABLE_NAME"]
FIRST_OWNER = os.environ["FIRST_OWNER"]
REPLY = os.environ["REPLY"]
DAY_SECONDS = 24 * 60 * 60

secret = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["SLACK_SECRET"])
slack = json.loads(secret["SecretString"])
table = boto3.client("dynamodb")


def authorize(enterprise_id, team_id):
    # Without it the framework would ask Slack who it is, at every start.
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=slack["bot_token"])


# What the framework's documentation asks for on Lambda: the answer is the response, and nothing runs after it.
app = App(signing_secret=slack["signing_secret"], authorize=authorize, process_before_response=True)


def is_new(delivery):
    now = int(time.time())
    try:
        table.put_item(
            TableName=TABLE,
            Item={"pk": {"S": f"DELIVERY#{delivery}"}, "sk": {"S": "DELIVERY"}, "ttl": {"N": str(now + DAY_SECONDS)}},
            ConditionExpression="attribute_not_exists(pk) OR #ttl < :now",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={":now": {"N": str(now)}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def item(pk, sk, consistent):
    return table.get_item(TableName=TABLE, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=consistent).get("Item")


@app.command("/flock")
def flock(ack, command):
    if not is_new(command["trigger_id"]):
        return ack()
    room = item(f"ROOM#{command['channel_id']}", "ROOM", consistent=True)
    control = item("SYSTEM", "CONTROL", consistent=False)
    members = (room["members"]["M"] if room else {}) | {FIRST_OWNER: {"S": "owner"}}
    if command["user_id"] not in members or (control and "stopped" in control):
        return ack("no")
    section = {"type": "section", "text": {"type": "mrkdwn", "text": REPLY, "verbatim": True}}
    return ack(response_type="ephemeral", text=REPLY, blocks=[section])


requests = SlackRequestHandler(app)


def handler(event, context):
    return requests.handle(event, context)
