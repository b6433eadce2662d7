"""Restore from backup, step by step: `python -m infra.restore --stage prod --at 2026-01-01T00:00Z`.

Point-in-time recovery makes a new table, without stream, expiry, protection, alarms or permissions.
So what it makes is a source to copy from: the table that serves stays the one that CloudFormation
made (or makes anew), with all its settings, and `equip` sees to it. Aggregates are copied whole:
where the live one's chain stands and is as far, it stays; otherwise the restored one takes its
place. Then what was erased since is erased again, letters that may have left since are held, and
only then is anything sent.

Each step may be repeated. What was running is kept in `restore-<stage>.json` until it runs again.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import boto3
import msgspec
import yaml  # type: ignore[import-untyped]
from botocore.exceptions import ClientError

from chalicelib import agenda, wiring
from chalicelib.erasure import service as erasure
from chalicelib.kernel import chain
from chalicelib.kernel.change import Key
from chalicelib.letters import reconcile
from infra.template import INFRA

Json = dict[str, Any]
T = TypeVar("T")
STEPS = ("stop", "restore", "copy", "erasures", "letters", "open", "drop")
# What lives for hours, and is nobody's: counters of an hour, keys of requests that came before.
PASSING = frozenset({"COUNT", "ONCE"})
HOURS = 6  # a large table takes its time


class RestoreError(Exception):
    """Something is not as the next step needs it; the message says what."""


class Stopped(msgspec.Struct, kw_only=True):
    """What was running, to be run again: schedules, streams, and each function's concurrency."""

    rules: list[str] = []
    mappings: list[str] = []
    concurrency: dict[str, int | None] = {}


class Copied(msgspec.Struct, kw_only=True):
    """What the copying did: aggregates taken from the backup, kept as they are, or broken in both.

    `half`: the backup fell between two writes of theirs, and the live table lost them too; a person
    looks at them.
    """

    taken: list[str] = []
    kept: int = 0
    half: list[str] = []
    pointers: int = 0

    @property
    def keys(self) -> frozenset[Key]:
        """The aggregates that were taken."""
        return frozenset(_key(one) for one in self.taken)


# Stop and start


def stop(session: Any, stack: str, known: Stopped) -> Stopped:
    """Nothing writes and nothing is sent: functions get no turn, streams and schedules rest.

    Rules of events stay: what they bring waits for its function for hours, and is not lost.
    """
    client = _clients(session)
    events, functions = client("events"), client("lambda")
    for name, kind in resources(session, stack):
        if kind == "AWS::Events::Rule" and _is_running_schedule(events, name):
            known.rules.append(name)
            events.disable_rule(Name=name)
        elif kind == "AWS::Lambda::EventSourceMapping":
            state = functions.get_event_source_mapping(UUID=name)["State"]
            if state in ("Enabled", "Enabling", "Creating"):
                known.mappings.append(name)
                functions.update_event_source_mapping(UUID=name, Enabled=False)
        elif kind == "AWS::Lambda::Function" and name not in known.concurrency:
            before = functions.get_function_concurrency(FunctionName=name)
            known.concurrency[name] = before.get("ReservedConcurrentExecutions")
            functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    return known


def open_again(session: Any, known: Stopped) -> None:
    """Everything that was running runs: functions first, then what calls them."""
    client = _clients(session)
    events, functions = client("events"), client("lambda")
    for name, before in known.concurrency.items():
        if before is None:
            functions.delete_function_concurrency(FunctionName=name)
        else:
            functions.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=before
            )
    for name in known.mappings:
        functions.update_event_source_mapping(UUID=name, Enabled=True)
    for name in known.rules:
        events.enable_rule(Name=name)


def resources(session: Any, stack: str) -> Iterator[tuple[str, str]]:
    """Physical name and kind of everything in the stack."""
    pages = _clients(session)("cloudformation").get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=stack):
        for one in page["StackResourceSummaries"]:
            yield one["PhysicalResourceId"], one["ResourceType"]


def _is_running_schedule(events: Any, name: str) -> bool:
    rule = events.describe_rule(Name=name)
    return bool(rule.get("ScheduleExpression")) and rule["State"] == "ENABLED"


# The table


def restore_beside(dynamodb: Any, source: str, target: str, at: datetime, *, delay: int) -> None:
    """The table as it was at this moment, under another name; what is there already stays."""
    try:
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=source, TargetTableName=target, RestoreDateTime=at
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("TableAlreadyExistsException", "TableInUse"):
            raise
    dynamodb.get_waiter("table_exists").wait(
        TableName=target, WaiterConfig={"Delay": delay, "MaxAttempts": HOURS * 3600 // delay}
    )


def equip(dynamodb: Any, table: str) -> list[str]:
    """The settings that recovery does not bring, as the template has them; which were missing."""
    wanted = yaml.safe_load((INFRA / "template" / "storage.yaml").read_text())
    properties: Json = wanted["Resources"]["Table"]["Properties"]
    missing = []
    described = dynamodb.describe_table(TableName=table)["Table"]
    stream = {"StreamEnabled": True, **properties["StreamSpecification"]}
    if described.get("StreamSpecification") != stream:
        missing.append("stream")
        dynamodb.update_table(TableName=table, StreamSpecification=stream)
    expiry = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if expiry["TimeToLiveStatus"] in ("DISABLED", "DISABLING"):
        missing.append("expiry")
        specification = properties["TimeToLiveSpecification"]
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        missing.append("recovery")
        dynamodb.update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification=properties["PointInTimeRecoverySpecification"],
        )
    return missing


def copy_back(dynamodb: Any, source: str, live: str) -> Copied:
    """Whole aggregates that the live table lost or has damaged, and the pointers to them.

    Never a part of one: a chain of two halves would break. A live aggregate that stands and is as
    far as the backup stays, so nothing that was done since is undone.
    """
    done = Copied()
    loose: list[Json] = []
    for pk in _partitions(dynamodb, source):
        if pk.split("#")[2] in PASSING:
            continue
        restored = _items(dynamodb, source, pk)
        if any(one["SK"]["S"] == "ROOT" for one in restored):
            _choose(dynamodb, live, pk, restored, done)
        else:
            loose += restored
    taken = {(key.kind, key.id) for key in done.keys}
    belonging = (one for one in loose if _belongs(one, taken))
    done.pointers = sum(_put_missing(dynamodb, live, one) for one in belonging)
    return done


def _choose(dynamodb: Any, live: str, pk: str, restored: list[Json], done: Copied) -> None:
    """The live aggregate or the restored one, whole."""
    present = _items(dynamodb, live, pk)
    if stands(present) and _version(present) >= _version(restored):
        done.kept += 1
    elif stands(restored):
        _replace(dynamodb, live, present, restored)
        done.taken.append(pk)
    else:
        done.half.append(pk)


def stands(items: list[Json]) -> bool:
    """Whether an aggregate's chain is whole: every event follows the one before, to the root."""
    by_sk = {one["SK"]["S"]: one for one in items}
    if "ROOT" not in by_sk:
        return False
    head, version = chain.GENESIS, 0
    for sk in sorted(sk for sk in by_sk if sk.startswith("EVENT#")):
        event, version = by_sk[sk], version + 1
        envelope = json.loads(event["env"]["S"])
        if (envelope["version"], envelope["previous"]) != (version, head):
            return False
        digest = event["digest"]["S"]
        if (
            "body" in event
            and chain.digest(event["salt"]["S"], event["body"]["S"].encode()) != digest
        ):
            return False
        head = chain.link(envelope, digest)
        if head != event["hash"]["S"]:
            return False
    root = by_sk["ROOT"]
    return (int(root["v"]["N"]), root["head"]["S"]) == (version, head)


def _partitions(dynamodb: Any, table: str) -> list[str]:
    """Every partition key of Duly's own."""
    found = set()
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table, ProjectionExpression="PK", ConsistentRead=True
    )
    for page in pages:
        found |= {one["PK"]["S"] for one in page["Items"]}
    return sorted(pk for pk in found if pk.startswith("O#"))


def _items(dynamodb: Any, table: str, pk: str) -> list[Json]:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="PK = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
        ConsistentRead=True,
    )
    return [item for page in pages for item in page["Items"]]


def _version(items: list[Json]) -> int:
    return next((int(one["v"]["N"]) for one in items if one["SK"]["S"] == "ROOT"), 0)


def _replace(dynamodb: Any, live: str, present: list[Json], restored: list[Json]) -> None:
    """The root last: until it is there, the aggregate does not stand, and is taken once more."""
    kept = {one["SK"]["S"] for one in restored}
    for one in present:
        if one["SK"]["S"] not in kept or one["SK"]["S"] == "ROOT":
            dynamodb.delete_item(TableName=live, Key={"PK": one["PK"], "SK": one["SK"]})
    for one in sorted(restored, key=lambda one: one["SK"]["S"] == "ROOT"):
        dynamodb.put_item(TableName=live, Item=one)


def _belongs(item: Json, taken: set[tuple[str, str]]) -> bool:
    """Whether an item without a root is about an aggregate that was taken: pointer or notice."""
    if "target" in item:
        kind, _, id_ = item["target"]["S"].partition("#")
        return (kind, id_) in taken
    about = item["SK"]["S"].split("#")
    return len(about) > 1 and any(about[1] == id_ for _, id_ in taken)


def _put_missing(dynamodb: Any, live: str, item: Json) -> int:
    try:
        dynamodb.put_item(TableName=live, Item=item, ConditionExpression="attribute_not_exists(PK)")
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return 0
    return 1


# What must happen before anything is sent


def replay_erasures() -> erasure.Replayed:
    """What was erased since the backup is erased again (S15)."""
    return erasure.replay(wiring.ports(), agenda.TARGETS)


def hold_letters(copied: Copied, since: datetime) -> list[str]:
    """What may have left since the backup is held for a person; which, by ids alone."""
    held = reconcile.hold_perhaps_sent(wiring.ports(), copied.keys, since=since)
    return [f"{one.key} {one.sk}" for one in held]


# The command


class Run:
    """One restore: where it is, and what it knows so far."""

    def __init__(self, stage: str, at: datetime, folder: Path) -> None:
        self.session = boto3.session.Session()
        self.stack, self.at = f"duly-{stage}", at
        self.notes = folder / f"restore-{stage}.json"
        self.outputs = self._outputs()
        self.live = self.outputs["TableName"]
        self.source = f"{self.live}-restored"
        self.dynamodb = _clients(self.session)("dynamodb")
        self._environment(stage)

    def stop(self) -> str:
        """Nothing writes, nothing is sent."""
        stopped = stop(self.session, self.stack, self._note("stopped", Stopped))
        self._keep("stopped", stopped)
        return f"{len(stopped.concurrency)} functions, {len(stopped.mappings)} streams stopped"

    def restore(self) -> str:
        """The backup beside the live table, which gets every setting that it lacks."""
        restore_beside(self.dynamodb, self.live, self.source, self.at, delay=20)
        missing = equip(self.dynamodb, self.live)
        return f"{self.source} is there; the live table lacked: {', '.join(missing) or 'nothing'}"

    def copy(self) -> str:
        """Whole aggregates, back to where they were lost; repeated, the earlier ones count."""
        before = self._note("copied", Copied)
        copied = copy_back(self.dynamodb, self.source, self.live)
        copied.taken = sorted({*before.taken, *copied.taken})
        self._keep("copied", copied)
        said = f"{len(copied.taken)} taken, {copied.kept} kept, {copied.pointers} pointers"
        return "\n".join([said, *(f"HALF, look at it: {one}" for one in copied.half)])

    def erasures(self) -> str:
        """Erased is erased."""
        done = replay_erasures()
        return f"{done.read} erasures read, {done.again} done again"

    def letters(self) -> str:
        """Held rather than sent twice."""
        held = hold_letters(self._note("copied", Copied), self.at)
        return "\n".join([f"{len(held)} letters held", *held])

    def open(self) -> str:
        """Sending begins again."""
        open_again(self.session, self._note("stopped", Stopped))
        return "everything runs"

    def drop(self) -> str:
        """The copy beside holds personal data: it goes, and so do the notes."""
        self.dynamodb.delete_table(TableName=self.source)
        self.notes.unlink(missing_ok=True)
        return f"{self.source} is gone"

    def _outputs(self) -> Mapping[str, str]:
        stacks = _clients(self.session)("cloudformation").describe_stacks(StackName=self.stack)
        outputs = stacks["Stacks"][0]["Outputs"]
        return {one["OutputKey"]: one["OutputValue"] for one in outputs}

    def _environment(self, stage: str) -> None:
        """What the use cases read, as the functions have it."""
        os.environ |= {
            "STAGE": stage,
            "TABLE_NAME": self.live,
            "BUCKET_NAME": self.outputs["BucketName"],
            "LINK_KEYS_SECRET": self.outputs["LinkKeysSecret"],
            "MAIL_CONFIGURATION_SET": "",
        }

    def _note(self, name: str, kind: type[T]) -> T:
        known = json.loads(self.notes.read_text()) if self.notes.exists() else {}
        return msgspec.convert(known.get(name, {}), kind)

    def _keep(self, name: str, value: Any) -> None:
        known = json.loads(self.notes.read_text()) if self.notes.exists() else {}
        known[name] = msgspec.to_builtins(value)
        self.notes.write_text(json.dumps(known, indent=1))


def _clients(session: Any) -> Any:
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    return lambda name: session.client(name, endpoint_url=endpoint)


def _key(pk: str) -> Key:
    _, org, kind, id_ = pk.split("#", 3)
    return Key(org, kind, id_)


def main() -> None:
    """Every step in order, or from the one named on."""
    parser = argparse.ArgumentParser(prog="python -m infra.restore", description=__doc__)
    parser.add_argument("--stage", required=True, choices=["local", "dev", "prod"])
    parser.add_argument("--at", required=True, type=datetime.fromisoformat)
    parser.add_argument("--begin", default="stop", choices=STEPS, help="the first step")
    parser.add_argument("--end", default="letters", choices=STEPS, help="the last step")
    options = parser.parse_args()
    if options.at.tzinfo is None or options.at > datetime.now(UTC):
        sys.exit("--at is a moment of the past with its zone, such as 2026-01-01T00:00:00Z")
    run = Run(options.stage, options.at, Path.cwd())
    for step in STEPS[STEPS.index(options.begin) : STEPS.index(options.end) + 1]:
        print(f"{step}: {getattr(run, step)()}")


if __name__ == "__main__":
    main()
