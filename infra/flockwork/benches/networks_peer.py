"""One tick of posts to X in asyncio Python: what the benchmark `networks` measures sheep-tick against.

It does for every due sheep what sheep-tick does, in the same order, with the same requests to the same table: read the
sheep, read its line, claim it with the intent stored, open the account's key, note who says the text first, reserve the
money, post with OAuth 1.0a, record the post, settle the sheep, close the reservation. It knows only what the benchmark
needs: posts that succeed, a daily rhythm, texts without links in which a character counts as one. Started by awslambdaric,
the runtime of Lambda's own Python.
"""

import asyncio
import base64
import functools
import hashlib
import json
import os
import time
from contextlib import AsyncExitStack

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from oauthlib.oauth1 import Client as Signer

TABLE = os.environ["TABLE_NAME"]
POSTS_URL = os.environ["X_URL"] + "/2/tweets"

CONCURRENCY = 64
PAGE = 500
LEASE_MARGIN_S = 5
DAY_S = 24 * 60 * 60
RETENTION_S = 400 * DAY_S
PRESENCE_S = 10 * 60
TEXT_LIMIT = 280
POST_PRICE = 15_000  # millionths of a dollar, for a post without a link


class App:
    @classmethod
    async def start(cls):
        self = cls()
        self.stack = AsyncExitStack()
        session = get_session()
        async with session.create_client("secretsmanager") as secrets:
            self.x_app = json.loads((await secrets.get_secret_value(SecretId=os.environ["X_SECRET"]))["SecretString"])
            self.keyring = json.loads((await secrets.get_secret_value(SecretId=os.environ["KEYRING_SECRET"]))["SecretString"])
        config = AioConfig(max_pool_connections=CONCURRENCY, parameter_validation=False)
        self.table = await self.stack.enter_async_context(session.create_client("dynamodb", config=config))
        self.http = await self.stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONCURRENCY),
                timeout=aiohttp.ClientTimeout(total=10, connect=3),
                headers={"User-Agent": "flockwork-peer"},
            )
        )
        self.noted = 0
        return self

    # One request to the table each; its units are counted.

    async def ask(self, operation, **parameters):
        answer = await operation(TableName=TABLE, ReturnConsumedCapacity="TOTAL", **parameters)
        return answer, answer["ConsumedCapacity"]["CapacityUnits"]

    async def get(self, pk, sk, consistent=False):
        answer, units = await self.ask(self.table.get_item, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=consistent)
        self.report["read_units"] += units
        return answer.get("Item")

    async def query(self, **parameters):
        answer, units = await self.ask(self.table.query, **parameters)
        self.report["read_units"] += units
        return answer

    async def put(self, item, condition=None, values=None):
        """Whether the condition held."""
        parameters = {"Item": item}
        if condition:
            parameters["ConditionExpression"] = condition
        if values:
            parameters["ExpressionAttributeValues"] = values
        return await self.conditional(self.table.put_item, **parameters) is not None

    async def conditional(self, operation, **parameters):
        """The answer, or None where the condition does not hold."""
        try:
            answer, units = await self.ask(operation, **parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        self.report["write_units"] += units
        return answer

    # The tick.

    async def tick(self, length_s):
        self.report = dict.fromkeys(["posted", "stopped", "lost_races", "put_off", "write_units", "read_units"], 0)
        self.flocks = {}
        control = await self.get("SYSTEM", "CONTROL")
        if control and "stopped" in control:
            return self.report
        now = int(time.time())
        lease_until = now + int(length_s) + LEASE_MARGIN_S
        gate = asyncio.Semaphore(CONCURRENCY)
        async with asyncio.TaskGroup() as sheep:
            async for key in self.due(now):
                await gate.acquire()
                task = sheep.create_task(self.see_to(key, lease_until))
                task.add_done_callback(lambda _: gate.release())
        await self.note(now)
        return self.report

    async def due(self, now):
        start = {}
        while True:
            page = await self.query(
                IndexName="due",
                KeyConditionExpression="due = :shard AND next_at <= :now",
                ExpressionAttributeValues={":shard": {"S": "0"}, ":now": {"N": str(now)}},
                Limit=PAGE,
                **start,
            )
            for item in page["Items"]:
                yield item["pk"]["S"], item["sk"]["S"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def see_to(self, key, lease_until):
        sheep = await self.get(*key)
        now = int(time.time())
        if not sheep or int(sheep.get("lease_until", {"N": "0"})["N"]) > now or int(sheep["next_at"]["N"]) > now:
            return
        flock_name = key[0].removeprefix("FLOCK#")
        name = key[1].removeprefix("SHEEP#")
        text = await self.line(flock_name, sheep["corpus"]["S"], int(sheep["cursor"]["N"]))
        if len(text) > TEXT_LIMIT:
            self.report["stopped"] += 1
            return
        occurrence, at = sheep["occurrence"]["N"], sheep["next_at"]["N"]
        intent = {"occurrence": {"N": occurrence}, "at": {"N": at}, "text": {"S": text}, "sent": {"S": "maybe"}}
        claimed = {**sheep, "intent": {"M": intent}, "lease_until": {"N": str(lease_until)}}
        if not await self.put_sheep(claimed):
            self.report["lost_races"] += 1
            return

        flock = await self.flock(flock_name)
        handle = sheep["handle"]["S"]
        account = await self.get(f"ACCOUNT#x#{handle}", "ACCOUNT")
        key_of_account = self.unseal(account["sealed_key"]["S"], f"x:{handle}")
        # What a network forbids stops the sheep.
        if not account["labelled"]["BOOL"] or not await self.says_first(handle, text, now):
            self.report["stopped"] += 1
            return
        month = time.strftime("%Y-%m", time.gmtime(now))
        bill = {"pk": {"S": f"SPEND#{flock_name}"}, "sk": {"S": month}}, f"post#{name}", occurrence
        if not await self.reserve(*bill, cap=int(flock["monthly_cap"]["N"])):
            self.report["put_off"] += 1
            return
        remote_id = await self.post(text, key_of_account)

        ttl = int(at) + RETENTION_S
        record = {
            "pk": {"S": f"POSTS#{flock_name}#{name}"},
            "sk": {"S": f"POST#{int(occurrence):012}"},
            "v": {"N": "1"},
            "network": {"S": "x"},
            "handle": {"S": handle},
            "at": {"N": at},
            "text": {"S": text},
            "state": {"S": "posted"},
            "remote_id": {"S": remote_id},
            "ttl": {"N": str(ttl)},
        }
        await self.put(record, "attribute_not_exists(pk)")
        slot = str(int(sheep["slot"]["N"]) + DAY_S)
        settled = {
            **claimed,
            "occurrence": {"N": str(int(occurrence) + 1)},
            "cursor": {"N": str((int(sheep["cursor"]["N"]) + 1) % int(sheep["lines"]["N"]))},
            "slot": {"N": slot},
            "next_at": {"N": slot},
            "last_remote": {"S": remote_id},
        }
        del settled["intent"], settled["lease_until"]
        if not await self.put_sheep(settled):
            self.report["lost_races"] += 1
            return
        await self.close(*bill)
        self.report["posted"] += 1

    async def line(self, flock, corpus, index):
        pieces = await self.query(
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :sk",
            ExpressionAttributeValues={
                ":pk": {"S": f"CORPUS#{flock}#{corpus}"},
                ":first": {"S": "LINE#00000000"},
                ":sk": {"S": f"LINE#{index:08}"},
            },
            ScanIndexForward=False,
            Limit=1,
        )
        (piece,) = pieces["Items"]
        return piece["lines"]["L"][index - int(piece["first"]["N"])]["S"]

    async def put_sheep(self, sheep):
        """Writes a changed sheep if it is still at the version before; sets the new one."""
        read = sheep["version"]
        sheep["version"] = {"N": str(int(read["N"]) + 1)}
        return await self.put(sheep, "version = :read", {":read": read})

    async def flock(self, name):
        if name not in self.flocks:
            self.flocks[name] = await self.get("FLOCKS", name, consistent=True)
        return self.flocks[name]

    def unseal(self, sealed, account):
        name, sealed = sealed.split(".")
        sealed = base64.b64decode(sealed)
        return json.loads(cipher(self.keyring[name]).decrypt(sealed[:12], sealed[12:], account.encode()))

    async def says_first(self, handle, text, now):
        said = "".join(filter(str.isalnum, text)).lower()
        fingerprint = hashlib.sha256(b"said\n" + said.encode()).hexdigest()[:32]
        item = {
            "pk": {"S": f"SAID#x#{fingerprint}"},
            "sk": {"S": "SAID"},
            "handle": {"S": handle},
            "ttl": {"N": str(now + RETENTION_S)},
        }
        return await self.put(item, "attribute_not_exists(pk) OR handle = :handle", {":handle": {"S": handle}})

    async def reserve(self, key, slot, occurrence, cap):
        answer = await self.conditional(
            self.table.update_item,
            Key=key,
            UpdateExpression="SET #slot = :id ADD spent :price, #count :count",
            ConditionExpression="(attribute_not_exists(#slot) OR #slot <> :id) AND "
            "(attribute_not_exists(spent) OR spent <= :room)",
            ExpressionAttributeNames={"#slot": slot, "#count": "count#post"},
            ExpressionAttributeValues={
                ":id": {"S": occurrence},
                ":price": {"N": str(POST_PRICE)},
                ":count": {"N": "1"},
                ":room": {"N": str(cap - POST_PRICE)},
            },
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return answer is not None

    async def close(self, key, slot, occurrence):
        await self.conditional(
            self.table.update_item,
            Key=key,
            UpdateExpression="REMOVE #slot",
            ConditionExpression="#slot = :id",
            ExpressionAttributeNames={"#slot": slot},
            ExpressionAttributeValues={":id": {"S": occurrence}},
        )

    async def post(self, text, key):
        signer = Signer(self.x_app["consumer_key"], self.x_app["consumer_secret"], key["token"], key["token_secret"])
        _, headers, _ = signer.sign(POSTS_URL, "POST", headers={"Content-Type": "application/json"})
        async with self.http.post(POSTS_URL, data=json.dumps({"text": text}), headers=headers, allow_redirects=False) as answer:
            if answer.status != 201:
                raise RuntimeError(f"X answered {answer.status}: {await answer.text()}")
            return (await answer.json())["data"]["id"]

    async def note(self, now):
        if now < self.noted + PRESENCE_S:
            return
        self.noted = now
        process = {"function": "networks-peer", "id": str(os.getpid()), "version": "0.1.0"}
        item = {name: {"S": value} for name, value in process.items()}
        item |= {"pk": {"S": "INSTANCES"}, "sk": {"S": f"networks-peer#{os.getpid()}"}}
        item |= {"since": {"N": str(now)}, "seen": {"N": str(now)}, "ttl": {"N": str(now + 3 * PRESENCE_S)}}
        await self.put(item)


@functools.cache
def cipher(secret):
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"flockwork account key v1").derive(secret.encode()))


loop = asyncio.new_event_loop()
app = loop.run_until_complete(App.start())


def handler(event, context):
    return loop.run_until_complete(app.tick(context.get_remaining_time_in_millis() / 1000))
