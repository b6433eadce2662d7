"""The heads of all chains, laid down by the stream, sealed by day, checked by anybody (R23)."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import app as application
from chalicelib import wiring
from chalicelib.aws import clients
from chalicelib.kernel import chain
from chalicelib.kernel.change import Key
from chalicelib.roots import domain, service
from chalicelib.roots.domain import Root, Sealed, Unsound
from infra import roots
from tests.duly import Context, Duly


@pytest.fixture
def vault(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A locked bucket and a key that signs, as infra/ makes them."""
    bucket = f"roots-{wiring.setting('BUCKET_NAME')}"
    clients.client("s3").create_bucket(
        Bucket=bucket,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    made = clients.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    monkeypatch.setenv("ROOTS_BUCKET_NAME", bucket)
    monkeypatch.setenv("ROOTS_KEY", made["KeyMetadata"]["KeyId"])
    yield bucket


def streamed(duly: Duly) -> dict[str, Any]:
    """What the table's stream says of every item: keys alone."""
    keys = [{"PK": {"S": pk}, "SK": {"S": sk}} for pk, sk in duly.table()]
    return {"Records": [{"eventName": "INSERT", "dynamodb": {"Keys": one}} for one in keys]}


def laid_down(duly: Duly, *, seal: bool = True) -> None:
    """The stream is heard, and a day later the day is sealed."""
    application.lay_down_roots(streamed(duly), Context())
    if seal:
        tomorrow = wiring.real_now().date() + timedelta(days=1)
        service.seal_days(wiring.vault(), today=tomorrow)


def fetched(folder: Path) -> list[Path]:
    """The seals as an auditor has them."""
    place = (wiring.setting("ROOTS_BUCKET_NAME"), wiring.setting("ROOTS_KEY"))
    roots.fetch(*place, "agencja", folder)
    return sorted(folder.glob("*.json"))


def exported(duly: Duly, client: Any, folder: Path) -> Path:
    """The client's history as a file."""
    answer = duly.staff("GET", f"/api/clients/{client['client_id']}/events/export")
    file = folder.parent / "history.json"
    file.write_text(answer.json["export"], encoding="utf-8")
    return file


def test_a_day_is_sealed_with_the_head_of_every_chain(
    duly: Duly, vault: str, tmp_path: Path
) -> None:
    """R23: each aggregate that grew, at its last version; signed; nothing personal."""
    client = duly.client()
    duly.sent(client)
    laid_down(duly)
    (sealed,) = service.seals(wiring.vault(), "agencja")
    key = f"O#agencja#CLIENT#{client['client_id']}"
    item = duly.table()[key, "ROOT"]
    assert sealed.seal.heads[key] == (int(item["v"]["N"]), item["head"]["S"])
    grown = {pk for pk, sk in duly.table() if sk.startswith("EVENT#")}
    assert sealed.seal.heads.keys() == grown
    fetched(tmp_path / "seals")
    history = exported(duly, client, tmp_path / "seals")
    said = roots.check(tmp_path / "seals", [history])
    assert "1 seals say the same" in said[1]
    s3 = clients.client("s3")
    for one in s3.list_objects_v2(Bucket=vault)["Contents"]:
        content = s3.get_object(Bucket=vault, Key=one["Key"])["Body"].read()
        assert "lucja" not in content.decode().lower()


def test_a_chain_that_was_written_anew_is_found_out(duly: Duly, vault: str, tmp_path: Path) -> None:
    """R23: it verifies by itself; the seal says otherwise, and names the day."""
    client = duly.client()
    duly.sent(client)
    laid_down(duly)
    fetched(tmp_path / "seals")
    history = exported(duly, client, tmp_path / "seals")
    whole, head, forged = json.loads(history.read_text()), chain.GENESIS, []
    for event in whole["events"]:
        envelope = event["envelope"] | {"previous": head, "at": "2020-01-01T00:00:00.000000Z"}
        head = chain.link(envelope, event["digest"])
        forged.append(event | {"envelope": envelope, "hash": head})
    history.write_text(chain.export(whole["aggregate"], head, forged))
    assert chain.verify(history.read_text())
    with pytest.raises(Unsound, match="is not the one that was sealed"):
        roots.check(tmp_path / "seals", [history])


def test_a_seal_that_was_touched_lost_or_signed_by_another_is_named(
    duly: Duly, vault: str, tmp_path: Path
) -> None:
    """R23: the seals are a chain of their own, under a key that is no table's."""
    client = duly.client()
    duly.sent(client)
    today = wiring.real_now().date()
    laid_down(duly)
    again = service._seal(wiring.vault(), "agencja", today + timedelta(days=1), [])
    assert again == 1
    folder = tmp_path / "seals"
    first, second = fetched(folder)
    assert roots.check(folder, [])[0].startswith("2 seals")
    content = first.read_bytes()
    first.unlink()
    with pytest.raises(Unsound, match=str(today + timedelta(days=1))):
        roots.check(folder, [])
    sealed = msgspec.json.decode(content, type=Sealed)
    changed = msgspec.structs.replace(sealed.seal, parts=())
    first.write_bytes(msgspec.json.encode(msgspec.structs.replace(sealed, seal=changed)))
    with pytest.raises(Unsound, match="not signed by the key"):
        roots.check(folder, [])
    first.write_bytes(content)
    other = clients.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    roots.fetch(vault, other["KeyMetadata"]["KeyId"], "agencja", folder)
    with pytest.raises(Unsound, match="not signed by the key"):
        roots.check(folder, [])
    assert second.exists()


def test_twice_or_late_is_the_same(duly: Duly, vault: str) -> None:
    """R23: a batch that is retried, a schedule that fires twice, a day that was missed."""
    duly.client()
    laid_down(duly, seal=False)
    today = wiring.real_now().date()
    assert service.seal_days(wiring.vault(), today=today) == 0  # not over yet
    assert service.seal_days(wiring.vault(), today=today + timedelta(days=5)) == 1
    assert service.seal_days(wiring.vault(), today=today + timedelta(days=5)) == 0
    laid_down(duly)
    assert len(service.seals(wiring.vault(), "agencja")) == 1


def test_laying_down_costs_the_table_no_write(duly: Duly, vault: str) -> None:
    """One batch read for a hundred heads, one object for an organisation."""
    duly.client()
    event = streamed(duly)
    with duly.calls() as made:
        application.lay_down_roots(event, Context())
    assert made == ["dynamodb.BatchGetItem", "s3.PutObject"]


def test_what_is_laid_down_can_be_neither_changed_nor_deleted_before_its_time(
    duly: Duly, vault: str
) -> None:
    """R23: a locked version stays, whoever deletes it."""
    s3 = clients.client("s3")
    s3.put_object_lock_configuration(
        Bucket=vault,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
        },
    )
    duly.client()
    laid_down(duly, seal=False)
    (one,) = s3.list_object_versions(Bucket=vault)["Versions"]
    with pytest.raises(s3.exceptions.ClientError):
        s3.delete_object(Bucket=vault, Key=one["Key"], VersionId=one["VersionId"])


def test_heads_of_one_batch_are_the_newest_of_each_chain() -> None:
    """R23: pure; in whatever order the stream brings them."""
    first, second = Key("a", "CLIENT", "1"), Key("b", "CLIENT", "1")
    found = [Root(first, 2, "two"), Root(first, 1, "one"), Root(second, 1, "other")]
    one, other = domain.parts(found)
    assert (one.org, one.heads) == ("a", {"O#a#CLIENT#1": (2, "two")})
    assert (other.org, other.heads) == ("b", {"O#b#CLIENT#1": (1, "other")})
    contents = [msgspec.json.encode(one)]
    assert domain.seal("a", date(2026, 1, 2), contents, previous="").heads == one.heads
    with pytest.raises(Unsound, match="another organisation"):
        domain.seal("a", date(2026, 1, 2), [msgspec.json.encode(other)], previous="")
