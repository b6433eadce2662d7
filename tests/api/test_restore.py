"""Restored from backup: whole aggregates, nobody erased comes back, no letter goes twice (S15)."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib import wiring
from chalicelib.aws import clients
from chalicelib.kernel import chain
from infra import restore
from infra.restore import Copied, Stopped
from tests import engine
from tests.duly import ADMIN, Duly

LIVE, BACKUP = "duly", "duly-restored"


def backed_up(duly: Duly) -> datetime:
    """The table as it is now, beside it, as recovery would bring it; and the moment."""
    dynamodb = clients.client("dynamodb")
    dynamodb.create_table(TableName=BACKUP, **engine.table_definition())
    for item in duly.table().values():
        dynamodb.put_item(TableName=BACKUP, Item=item)
    return datetime.now(UTC)


def lost(duly: Duly, *, kinds: tuple[str, ...] = ("CLIENT", "EMAIL", "PHONE", "PAPERCODE")) -> None:
    """Whatever is of these kinds is gone from the live table."""
    for pk, sk in duly.table():
        if pk.split("#")[2] in kinds:
            key = {"PK": {"S": pk}, "SK": {"S": sk}}
            clients.client("dynamodb").delete_item(TableName=LIVE, Key=key)


def copied() -> Copied:
    """The backup is copied back."""
    return restore.copy_back(clients.client("dynamodb"), BACKUP, LIVE)


def verified(duly: Duly, client: Any) -> int:
    """How many events the client's chain has, if it stands."""
    answer = duly.staff("GET", f"/api/clients/{client['client_id']}/events/export")
    assert answer.status == 200, answer.json
    return chain.verify(answer.json["export"])


def client_items(duly: Duly, client: Any) -> dict[str, Any]:
    """Every item of a client, by its key."""
    pk = f"O#agencja#CLIENT#{client['client_id']}"
    return {sk: item for (key, sk), item in duly.table().items() if key == pk}


def test_what_was_lost_comes_back_whole_and_is_found(duly: Duly) -> None:
    """Robustness, PITR: parts, chain, pointers; twice is once."""
    client = duly.client()
    duly.sent(client)
    before = client_items(duly, client)
    backed_up(duly)
    lost(duly)
    done = copied()
    assert done.taken == [f"O#agencja#CLIENT#{client['client_id']}"]
    assert done.pointers >= 3
    assert client_items(duly, client) == before
    assert verified(duly, client) >= 3
    found = duly.staff("GET", "/api/clients?email=lucja@klient.example")
    assert [one["client_id"] for one in found.json["clients"]] == [client["client_id"]]
    again = copied()
    assert (again.taken, again.half, again.pointers) == ([], [], 0)


def test_what_was_done_since_and_stands_is_not_undone(duly: Duly) -> None:
    """Robustness, PITR: a live aggregate that is whole and further on stays."""
    client = duly.client()
    backed_up(duly)
    duly.edit(client, name="Łucja Nowa")
    later = duly.client(email="pozniej@klient.example", phone="")
    done = copied()
    assert done.taken == []
    assert duly.read_client(client["client_id"])["identity"]["name"] == "Łucja Nowa"
    assert verified(duly, later) == 1


def test_a_damaged_aggregate_is_replaced_as_a_whole(duly: Duly) -> None:
    """Robustness, PITR: never half of one and half of the other, or the chain would break."""
    client = duly.client()
    duly.sent(client)
    backed_up(duly)
    duly.edit(client, name="Łucja Nowa")
    pk = f"O#agencja#CLIENT#{client['client_id']}"
    key = {"PK": {"S": pk}, "SK": {"S": "EVENT#0000000002"}}
    clients.client("dynamodb").delete_item(TableName=LIVE, Key=key)
    assert copied().taken == [pk]
    assert duly.read_client(client["client_id"])["identity"]["name"] == "Łucja Żółć"
    assert verified(duly, client) >= 3


def test_what_the_backup_has_by_half_is_named_and_left_to_a_person(duly: Duly) -> None:
    """Robustness, rule 1: a backup may fall into a transaction."""
    client = duly.client()
    duly.sent(client)
    backed_up(duly)
    pk = f"O#agencja#CLIENT#{client['client_id']}"
    key = {"PK": {"S": pk}, "SK": {"S": "EVENT#0000000002"}}
    clients.client("dynamodb").delete_item(TableName=BACKUP, Key=key)
    lost(duly)
    done = copied()
    assert (done.half, done.taken) == ([pk], [])


def test_who_was_erased_since_is_erased_again_before_anything_is_sent(duly: Duly) -> None:
    """S15: the log lies beside the table; the pointer, the parts and the words go again."""
    client = duly.client()
    other = duly.client(name="Jan Nowak", email="inny@klient.example", phone="")
    backed_up(duly)
    path = f"/api/clients/{client['client_id']}"
    version = duly.read_client(client["client_id"])["version"]
    assert duly.staff("POST", f"{path}/erasure", by=ADMIN, version=version).status == 202
    duly.heavy_tick()
    lost(duly, kinds=("CLIENT", "EMAIL", "PHONE", "ERASURE"))
    assert len(copied().taken) == 2
    wiring._cache.clear()
    assert "lucja@klient.example" in json.dumps([*duly.table().values()])
    done = restore.replay_erasures()
    assert (done.read, done.again) == (1, 1)
    left = json.dumps([*duly.table().values()], ensure_ascii=False)
    assert "lucja@klient.example" not in left
    assert "Łucja" not in left
    assert "Jan Nowak" in left
    assert duly.staff("GET", path).told == (410, "client_erased")
    assert duly.read_client(other["client_id"])["state"] == "before_notice"
    certificate = duly.staff("GET", f"{path}/erasure", by=ADMIN).json["certificate"]
    assert certificate["finished_at"]
    assert restore.replay_erasures().again == 0


def test_an_erasure_that_was_only_asked_for_is_not_forgotten(duly: Duly) -> None:
    """S15: asked for after the backup, not yet done when the table was lost."""
    client = duly.client()
    backed_up(duly)
    path = f"/api/clients/{client['client_id']}"
    version = duly.read_client(client["client_id"])["version"]
    assert duly.staff("POST", f"{path}/erasure", by=ADMIN, version=version).status == 202
    lost(duly, kinds=("CLIENT", "EMAIL", "PHONE", "ERASURE"))
    copied()
    assert restore.replay_erasures().again == 1
    assert duly.staff("GET", path).told == (410, "client_erased")


def test_a_letter_that_left_since_is_held_and_one_that_did_not_goes_out(duly: Duly) -> None:
    """Robustness, PITR: sent after the backup means an archive that is younger than it."""
    first = duly.client()
    second = duly.client(email="drugi@klient.example", phone="")
    for one in (first, second):
        assert duly.act(duly.declared(one), "send").status == 202
    at = backed_up(duly)
    duly.tick()
    assert len(duly.mailbox.sent) == 2
    keys = [key for key in duly.objects() if second["client_id"] in key and key.endswith(".eml")]
    clients.client("s3").delete_object(Bucket=wiring.setting("BUCKET_NAME"), Key=keys[0])
    lost(duly)
    done = copied()
    held = restore.hold_letters(done, at)
    assert len(held) == 1
    assert first["client_id"] in held[0]
    duly.tick()
    assert [one.to for one in duly.mailbox.sent[2:]] == ["drugi@klient.example"]
    letters = duly.staff("GET", f"/api/clients/{first['client_id']}/letters").json["letters"]
    (letter,) = letters
    assert (letter["state"], letter["reason"]) == ("held", "perhaps_sent_before_restore")


def test_letters_of_what_was_not_taken_go_their_way(duly: Duly) -> None:
    """Only a letter that went back in time is doubtful."""
    client = duly.client()
    assert duly.act(duly.declared(client), "send").status == 202
    assert restore.hold_letters(Copied(), datetime.now(UTC) - timedelta(days=1)) == []
    duly.tick()
    assert len(duly.mailbox.sent) == 1


def test_the_settings_that_recovery_does_not_bring_are_set(duly: Duly) -> None:
    """Robustness, PITR: stream, expiry and recovery itself; then nothing is missing."""
    dynamodb = clients.client("dynamodb")
    bare = {k: v for k, v in engine.table_definition().items() if k != "StreamSpecification"}
    dynamodb.create_table(TableName="bare", **bare)
    assert restore.equip(dynamodb, "bare") == ["stream", "expiry", "recovery"]
    table = dynamodb.describe_table(TableName="bare")["Table"]
    assert table["StreamSpecification"]["StreamViewType"] == "KEYS_ONLY"
    assert restore.equip(dynamodb, "bare") == []


def test_the_engine_restores_beside_and_again_is_no_error(duly: Duly) -> None:
    """Robustness, PITR: a table of its own, under the name that was asked for."""
    duly.client()
    dynamodb = clients.client("dynamodb")
    restore.equip(dynamodb, LIVE)
    for _ in range(2):
        restore.restore_beside(dynamodb, LIVE, BACKUP, datetime.now(UTC), delay=1)
    found = dynamodb.scan(TableName=BACKUP)["Items"]
    assert {(one["PK"]["S"], one["SK"]["S"]) for one in found} == set(duly.table())


STACK: dict[str, Any] = {
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                }
            },
        },
        "Letters": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": "def handler(event, context):\n    return {}\n"},
            },
        },
        "Minute": {
            "Type": "AWS::Events::Rule",
            "Properties": {"ScheduleExpression": "rate(1 minute)", "State": "ENABLED"},
        },
        "Mail": {
            "Type": "AWS::Events::Rule",
            "Properties": {"EventPattern": {"source": ["aws.ses"]}, "State": "ENABLED"},
        },
    }
}


def test_nothing_runs_meanwhile_and_all_that_ran_runs_again(duly: Duly) -> None:
    """Robustness, PITR: the sender opens last; stopped twice, it is known what ran."""
    session = boto3.session.Session()
    stacks, functions, events = (session.client(n) for n in ("cloudformation", "lambda", "events"))
    stream = clients.client("dynamodb").describe_table(TableName=LIVE)["Table"]["LatestStreamArn"]
    mapping = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {
            "EventSourceArn": stream,
            "FunctionName": {"Ref": "Letters"},
            "StartingPosition": "TRIM_HORIZON",
        },
    }
    template = {"Resources": {**STACK["Resources"], "LetterStream": mapping}}
    stacks.create_stack(StackName="duly-test", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(
        StackName="duly-test", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    known = {kind: name for name, kind in restore.resources(session, "duly-test")}
    name = known["AWS::Lambda::Function"]
    stopped = restore.stop(session, "duly-test", Stopped())
    stopped = restore.stop(session, "duly-test", stopped)
    assert stopped.concurrency == {name: None}
    assert stopped.mappings == [known["AWS::Lambda::EventSourceMapping"]]
    assert _mapping(functions, stopped) == "Disabled"
    assert len(stopped.rules) == 1
    assert _concurrency(functions, name) == 0
    states = {one["Name"]: one["State"] for one in events.list_rules()["Rules"]}
    assert sorted(states.values()) == ["DISABLED", "ENABLED"]
    assert states[stopped.rules[0]] == "DISABLED"
    restore.open_again(session, stopped)
    assert _concurrency(functions, name) is None
    assert _mapping(functions, stopped) == "Enabled"
    assert {one["State"] for one in events.list_rules()["Rules"]} == {"ENABLED"}


def _mapping(functions: Any, stopped: Stopped) -> str:
    return str(functions.get_event_source_mapping(UUID=stopped.mappings[0])["State"])


def _concurrency(functions: Any, name: str) -> int | None:
    found = functions.get_function_concurrency(FunctionName=name)
    reserved: int | None = found.get("ReservedConcurrentExecutions")
    return reserved


@pytest.mark.parametrize("at", ["2026-01-01T00:00:00", "2999-01-01T00:00:00Z", "gestern"])
def test_a_moment_that_can_be_no_backup_is_refused(
    at: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without a zone, of the future, or no moment at all: nothing is touched."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["restore", "--stage", "dev", "--at", at])
    with pytest.raises(SystemExit):
        restore.main()
    assert list(tmp_path.iterdir()) == []
