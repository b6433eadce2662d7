"""From the desk's button to the receipt, in the browser and over the deployed stack."""

import json
import re
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from local.desk import Desk, Refused
from tests.e2e.conftest import Whole, wait

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

PARTS = {
    "pl": ("Ubezpieczenie", "Zarejestrowano"),
    "en": ("Insurance", "Registered"),
    "ru": ("Страхование", "Зарегистрировано"),
}
SCANNER = "Mozilla/5.0 (compatible; SafeLinks)"


def from_mailbox(page: Page, whole: Whole, number: str) -> str:
    """The button's address in the message, as the mailbox page shows it."""
    page.goto(f"{whole.cloud.mailbox}/{number}")
    frames = [frame for frame in page.frames if frame is not page.main_frame]
    assert frames, "the mailbox shows the message in a frame of its own"
    link = frames[0].locator("a[href*='/c#']").first
    address = link.get_attribute("href")
    assert address is not None
    return address


@pytest.mark.parametrize("language", ["pl", "en", "ru"])
def test_a_client_confirms_in_the_browser(whole: Whole, browser: Browser, language: str) -> None:
    """S38, S43-S49, D13, D14: sent, opened from the mailbox, confirmed; a receipt twice."""
    subject, registered = PARTS[language]
    address = f"story-{language}@klient.duly.example"
    client = whole.client("Klara Żądło", address, language)
    whole.send(client)
    mail = whole.mail(address)
    assert mail["subject"] == subject
    page = browser.new_page(viewport={"width": 360, "height": 800})
    link = from_mailbox(page, whole, mail["number"])
    page.goto(link)
    expect(page.locator("#decision-confirm")).to_be_visible()
    assert "#" not in page.url, "the token leaves the address at once (R18)"
    page.locator("#decision-confirm").check()
    page.locator("button[type=submit]").click()
    expect(page.locator("h1")).to_have_text(registered)
    assert whole.consents(client)["marketing"] == "given"
    receipt = whole.message(whole.mail(address, 2))
    reference = page.locator("[data-fact=reference]").inner_text()
    part = receipt.get_body(("plain",))
    assert part is not None
    assert reference in part.get_content()
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("[data-fact=reference]")).to_have_text(reference)
    page.close()


def test_a_robot_confirms_nothing(whole: Whole, browser: Browser) -> None:
    """R1, R3, R4: HEAD, GET, GET with scripts for a minute, every button pressed once."""
    address = "robot@klient.duly.example"
    client = whole.client("Robert Robot", address)
    whole.send(client)
    link = whole.link(whole.mail(address))
    page_address = link.partition("#")[0]
    for method in ("HEAD", "GET", "OPTIONS"):
        request = urllib.request.Request(
            page_address, method=method, headers={"User-Agent": SCANNER}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()
        except urllib.error.HTTPError as refused:
            assert refused.code < 500
    asked: list[str] = []
    page = browser.new_page(user_agent=SCANNER)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(link)
    expect(page.locator("#decision-confirm")).to_be_visible()
    page.wait_for_timeout(60_000)
    assert [url for url in asked if "/links/" in url] == [
        f"{whole.cloud.site}/api/public/agencja-pod-debem/links/read"
    ]
    buttons = page.locator("button:visible")
    for number in range(buttons.count()):
        buttons.nth(number).click()
    page.wait_for_timeout(2_000)
    assert not [url for url in asked if url.endswith("/links/act")]
    assert whole.consents(client)["marketing"] == "awaiting_email"
    assert all(url.startswith((whole.cloud.site, "data:")) for url in asked)
    page.close()


def test_fifty_at_once_make_one_event(whole: Whole) -> None:
    """R6: fifty confirmations, four at a time, through the real gateway: one event, one mail."""
    address = "fifty@klient.duly.example"
    client = whole.client("Pięćdziesiąt Razy", address)
    whole.send(client)
    token = whole.link(whole.mail(address)).partition("#")[2]
    path = "/api/public/agencja-pod-debem/links"
    shown = whole.public.post(f"{path}/read", {"token": token})
    body = {"token": token, "decision": "confirm", "digest": shown["digest"]}

    def act(_: int) -> str:
        for _attempt in range(5):
            try:
                return json.dumps(whole.public.post(f"{path}/act", body))
            except Refused as refused:
                assert refused.status in (429, 503), refused
        return ""

    with ThreadPoolExecutor(4) as people:  # the local engine starts a process for each
        receipts = set(people.map(act, range(50))) - {""}
    assert len(receipts) == 1
    assert whole.events(client).count("declaration_confirmed") == 1
    whole.mail(address, 2)
    assert len(whole.cloud.mails(address)) == 2


def test_the_tick_alone_sends_what_the_stream_did_not(whole: Whole) -> None:
    """M45's rule for letters, here S44: a letter that no stream record announces still leaves."""
    table = whole.cloud.table
    address = "tick@klient.duly.example"
    client = whole.client("Tytus Tik", address)
    sent = whole.send(client)
    whole.mail(address)
    where = f"O#agencja-pod-debem#CLIENT#{client['client_id']}"
    prefix = f"LETTER#{sent['declaration_id']}#"
    wait(lambda: '"delivered"' in _letters(table, where, prefix)[0]["data"])
    letter = _letters(table, where, prefix)[0]
    data = json.loads(letter["data"]) | {"state": "promised", "lease_until": None}
    table.update_item(
        Key={"PK": letter["PK"], "SK": letter["SK"]},
        UpdateExpression="SET #d = :d, #s = :s, due_at = :t",
        ExpressionAttributeNames={"#d": "data", "#s": "shard"},
        ExpressionAttributeValues={
            ":d": json.dumps(data),
            ":s": "due#0",
            ":t": "2026-01-01T00:00:00.000000Z",
        },
    )
    whole.cloud.tick()
    assert len(whole.cloud.mails(address)) == 2
    assert _letters(table, where, prefix)[0].get("shard") is None


def test_no_usable_token_lies_anywhere(whole: Whole) -> None:
    """R17: neither in the table, the bucket, the logs, nor in what staff are shown."""
    address = "secret@klient.duly.example"
    client = whole.client("Sekret Skryty", address)
    whole.send(client)
    token = whole.link(whole.mail(address)).partition("#")[2]
    whole.public.post("/api/public/agencja-pod-debem/links/read", {"token": token})
    mac = token.rpartition(".")[2]
    places = {
        "table": json.dumps(_everything(whole.cloud.table), default=str),
        "logs": "\n".join(whole.cloud.logs()),
        "letters": json.dumps(whole.agent.get(f"/api/clients/{client['client_id']}/letters")),
    }
    s3, bucket = whole.cloud.client("s3"), whole.cloud.outputs["BucketName"]
    for found in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        content = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
        places[found["Key"]] = content.decode("latin-1")
    assert [name for name, content in places.items() if mac in content] == []
    assert address not in places["logs"]
    assert "Skryty" not in places["logs"]
    assert re.search(r'"route": ?"read_link"', places["logs"]), "the logs were really read"


def test_a_foreign_page_can_not_act(whole: Whole) -> None:
    """R2: another site's page is refused, whatever it sends."""
    foreign = Desk(site=whole.cloud.site)
    request = urllib.request.Request(
        f"{foreign.site}/api/public/agencja-pod-debem/links/read",
        data=b'{"token": "x"}',
        headers={"Content-Type": "application/json", "Origin": "https://evil.example"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    with refused.value as answer:
        assert answer.code == 403
        assert json.load(answer)["code"] == "origin_refused"


def _letters(table: Any, where: str, prefix: str) -> list[dict[str, Any]]:
    from boto3.dynamodb.conditions import Key

    condition = Key("PK").eq(where) & Key("SK").begins_with(prefix)
    found: list[dict[str, Any]] = table.query(
        KeyConditionExpression=condition, ConsistentRead=True
    )["Items"]
    return found


def _everything(table: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    asked: dict[str, Any] = {}
    while True:
        page = table.scan(**asked)
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            return items
        asked = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
