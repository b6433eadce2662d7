"""Statistics and the register's table through the API."""

import csv
import io
from datetime import timedelta

import pypdfium2
import pytest
from msgspec.structs import replace

from chalicelib import wiring
from chalicelib.aws import clients
from chalicelib.complaints import acts, chapters, correspondence
from chalicelib.complaints.attention import keep_until
from chalicelib.complaints.case import (
    Channel,
    Closed,
    Employee,
    Kind,
    Outcome,
    Person,
    State,
)
from chalicelib.kernel.change import SYSTEM
from chalicelib.organisations.domain import ComplaintSettings
from chalicelib.statistics import service
from tests import cases, clock, identity
from tests.api.test_escalation import OFFICER, staffed
from tests.duly import ADMIN, AGENT, HEAD, OTHER, Answer, Duly


def ask(duly: Duly, path: str, by: str = HEAD) -> Answer:
    """A request of somebody with their own role."""
    role = {ADMIN: "admin", HEAD: "head", OTHER: "quality"}.get(by, "agent")
    return duly.request("GET", path, token=identity.id_token(by, "agencja", role))


def test_the_months_are_counted(duly: Duly) -> None:
    """M86, M24: by kind, channel, product and month; by the month of receipt."""
    clock.at(duly, "2027-01-29 10:00")
    cases.registered(duly, channel=Channel.EMAIL)
    clock.at(duly, "2027-02-01 10:00")
    cases.registered(duly, product="medical")
    cases.registered(duly, writer=Person(), contract_number="")
    answer = ask(duly, "/api/statistics?from=2027-01&to=2027-02")
    assert answer.status == 200
    assert (answer.json["from"], answer.json["to"]) == ("2027-01", "2027-02")
    found = answer.json["statistics"]
    assert found["total"]["received"] == 3
    assert found["total"]["open"] == 2
    assert found["anonymous"] == 1
    months = [(one["label"], one["received"]) for one in found["by_month"]]
    assert months == [("2027-01", 1), ("2027-02", 2)]
    channels = [(one["label"], one["received"]) for one in found["by_channel"]]
    assert channels == [("email", 1), ("form", 2)]
    only = ask(duly, "/api/statistics?from=2027-02&to=2027-02").json["statistics"]
    assert only["total"]["received"] == 2


def test_without_months_the_last_twelve_are_counted(duly: Duly) -> None:
    """M86: the present month and the eleven before it."""
    clock.at(duly, "2027-02-01 10:00")
    cases.registered(duly)
    answer = ask(duly, "/api/statistics")
    assert (answer.json["from"], answer.json["to"]) == ("2026-03", "2027-02")
    assert answer.json["statistics"]["total"]["received"] == 1


@pytest.mark.parametrize("by", [AGENT])
@pytest.mark.parametrize("path", ["/api/statistics", "/api/statistics/export"])
def test_who_sells_does_not_count(duly: Duly, path: str, by: str) -> None:
    """M87: for quality, heads and administrators."""
    assert ask(duly, path, by).told == (403, "role_refused")
    staffed(duly, OFFICER)
    wiring._cache.clear()
    for other in (HEAD, ADMIN, OTHER):
        assert ask(duly, path, other).status == 200


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("from=2027-13", (422, "invalid")),
        ("from=2027-1", (422, "invalid")),
        ("from=2027-01%0A", (422, "invalid")),
        ("from=0000-01", (422, "invalid")),
        ("to=0000-01", (422, "invalid")),
        ("since=2027-01", (422, "invalid")),
        ("from=2027-02&to=2027-01", (422, "range_refused")),
        ("from=2000-01&to=2027-01", (422, "range_refused")),
        ("from=2027-02&to=1999-01", (422, "range_refused")),
    ],
)
def test_months_that_are_none_are_refused(duly: Duly, query: str, told: tuple[int, str]) -> None:
    """Issue 3, bad input: a documented refusal, whatever is asked."""
    for path in ("/api/statistics", "/api/statistics/export"):
        assert ask(duly, f"{path}?{query}").told == told


def test_another_organisation_is_not_counted(duly: Duly) -> None:
    """R20: every list begins with the organisation."""
    clock.at(duly, "2027-02-01 10:00")
    cases.registered(duly)
    duly.found("inna")
    token = identity.id_token(ADMIN, "inna", "admin")
    answer = duly.request("GET", "/api/statistics", token=token)
    assert answer.json["statistics"]["total"]["received"] == 0


def test_the_register_is_downloaded_as_a_table(duly: Duly) -> None:
    """M86: a link of five minutes to a file in the bucket; no body of the gateway's own."""
    clock.at(duly, "2027-02-01 10:00")
    held = cases.registered(duly)
    answer = ask(duly, "/api/statistics/export?from=2027-02&to=2027-02")
    assert (answer.status, answer.json["lines"]) == (200, 1)
    assert "register-2027-02-2027-02.csv" in answer.json["url"]
    ((key, content),) = [
        (key, found) for key, found in duly.objects().items() if key.startswith("exports/")
    ]
    assert key.startswith("exports/agencja/")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0]["reference"] == held.value.reference
    assert rows[0]["received_on"] == "2027-02-01"
    for one in (cases.WRITER.name, cases.WRITER.email, cases.SUBSTANCE, "AB-123"):
        assert one not in content.decode()
    head = clients.client("s3").head_object(Bucket=wiring.setting("BUCKET_NAME"), Key=key)
    assert head["ContentType"] == "text/csv; charset=utf-8"


def test_more_than_a_page_is_counted(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> None:
    """M86: pages are followed; and beyond what can be counted in time it is said."""
    clock.at(duly, "2027-02-01 10:00")
    for _ in range(7):
        cases.received(duly)
    monkeypatch.setattr(service, "PAGE", 3)
    path = "/api/statistics?from=2027-02&to=2027-02"
    assert ask(duly, path).json["statistics"]["total"]["received"] == 7
    monkeypatch.setattr(service, "MOST_LINES", 6)
    assert ask(duly, path).told == (422, "too_many_lines")


def test_an_erased_case_is_counted_as_it_ended(duly: Duly) -> None:
    """M35, M85, M86: its line outlives it."""
    clock.at(duly, "2027-02-01 10:00")
    held = cases.registered(duly)
    ports, house = duly.ports(), cases.house(duly)
    ended = Closed(state=State.ANSWERED, at=ports.now, outcome=Outcome.UPHELD)
    case = replace(held.value, closed=ended, cause="delay")
    ports.ledger.commit(acts.done(held, case, house, "answered", by=SYSTEM, now=ports.now))
    path = "/api/statistics?from=2027-02&to=2027-02"
    before = ask(duly, path).json
    clock.at(duly, "2030-03-01 10:00")
    duly.tick()
    duly.heavy_tick()
    assert cases.case_of(duly, held.key.id).value.erasure == "done"
    after = ask(duly, path).json["statistics"] | {"on": before["statistics"]["on"]}
    assert after == before["statistics"]
    assert before["statistics"]["by_cause"][0]["label"] == "delay"


def test_an_overdue_case_that_ends_without_an_answer_is_late(duly: Duly) -> None:
    """M22, M86: passed on or returned past its limit, it is counted, by how it ended."""
    clock.at(duly, "2027-02-01 10:00")  # due on 3 March
    keys = [cases.registered(duly).key for _ in range(3)]
    clock.at(duly, "2027-03-10 10:00")
    before = ask(duly, "/api/statistics").json["statistics"]
    assert (before["total"]["overdue"], before["total"]["late"]) == (3, 0)
    ports, house = duly.ports(), cases.house(duly)
    for key, state in zip(keys, (State.ROUTED_OUT, State.RETURNED, State.RETURNED), strict=True):
        held = cases.case_of(duly, key.id)
        case = replace(held.value, closed=Closed(state=state, at=ports.now))
        ports.ledger.commit(acts.done(held, case, house, "ended", by=SYSTEM, now=ports.now))
    after = ask(duly, "/api/statistics").json["statistics"]
    assert [after["total"][one] for one in ("overdue", "late", "late_unanswered")] == [0, 3, 3]
    assert after["ended_late"] == [
        {"label": "returned", "number": 2},
        {"label": "routed_out", "number": 1},
    ]
    assert ask(duly, "/api/statistics/export").status == 200
    (content,) = [raw for at, raw in duly.objects().items() if at.startswith("exports/")]
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [one["late"] for one in rows] == ["yes"] * 3


# A case on paper


@pytest.mark.parametrize("language", ["pl", "en", "ru"])
def test_a_case_is_printed_whole(duly: Duly, language: str) -> None:
    """Item 10: facts, words, the date of the answer with its reasons, what happened, by a link."""
    staffed(duly, replace(OFFICER, language=language))
    wiring._cache.clear()
    clock.at(duly, "2027-02-01 10:00")
    held = cases.registered(duly)
    answer = ask(duly, f"/api/complaints/{held.key.id}/pdf", OTHER)
    assert answer.status == 200
    assert f"{held.value.reference}.pdf" in answer.json["url"]
    ((key, content),) = [
        (key, found) for key, found in duly.objects().items() if key.startswith("exports/")
    ]
    assert key.startswith(f"exports/agencja/{held.key.id}/")
    with pypdfium2.PdfDocument(content) as document:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    said = " ".join(" ".join(pages).split())
    for one in (held.value.reference, cases.WRITER.name, "AB-123", "2027"):
        assert one in said
    assert cases.SUBSTANCE.split()[0] in said
    words = chapters.words(language)
    assert words["events"]["complaint_received"] in said
    assert words["dates"]["answer"] in said
    assert words["letters"]["submission_taken"] in said


@pytest.mark.parametrize(("years", "own"), [(5, True), (1, False)])
def test_the_paper_says_how_long_a_case_is_kept(duly: Duly, years: int, own: bool) -> None:
    """M85, D8: the longer of the rules' term and the organisation's; a hold has no end."""
    held = cases.registered(duly)
    ports, house = duly.ports(), cases.house(duly)
    root = house.organisation
    settings = replace(root.settings, complaints=ComplaintSettings(keep_years=years))
    house = replace(house, held=replace(house.held, value=replace(root, settings=settings)))
    ended = Closed(state=State.ANSWERED, at=ports.now, outcome=Outcome.UPHELD)
    closed = replace(held.value, closed=ended)
    words = chapters.words("pl")["dates"]
    voice = chapters.voice(closed, house, "pl")
    (kept,) = [one for one in chapters.dates(closed, house, voice) if one.value == words["keep"]]
    end = keep_until(closed, settings.complaints)
    assert end is not None and kept.label == voice.on(closed.day(end) - timedelta(days=1))
    assert (kept.more == words["keep_own"]) is own
    for still in (held.value, replace(closed, hold="spór")):
        titles = [one.value for one in chapters.dates(still, house, voice)]
        assert words["keep"] not in titles


@pytest.mark.parametrize(
    ("address", "city", "said"),
    [
        ("ul. Krótka 2, 00-002 Warszawa", "warszawa", "ul. Krótka 2, 00-002 Warszawa"),
        ("ul. Krótka 2", "Warszawa", "ul. Krótka 2, Warszawa"),
        ("ul. Warszawska 2", "Warszaw", "ul. Warszawska 2, Warszaw"),
        ("ul. Krótka 2", "", "ul. Krótka 2"),
    ],
)
def test_the_paper_names_a_city_once(address: str, city: str, said: str) -> None:
    """Item 10: many write the city into their address, and are asked for it besides (M7)."""
    assert chapters._person(Person(postal_address=address, city=city)) == said


def test_every_event_and_letter_of_a_case_has_its_words_on_paper() -> None:
    """Item 10: in three languages, the same keys; every value of a class among them."""
    polish = chapters.words("pl")
    for language in ("en", "ru"):
        words = chapters.words(language)
        assert words.keys() == polish.keys()
        for group, known in polish.items():
            assert words[group].keys() == known.keys()
            assert all(words[group].values())
    for one in (*Kind, *Channel, *State, *Outcome):
        assert one in polish["values"]
    templates = set(correspondence.COMPOSERS) - set(polish["letters"])
    assert templates == set()


def test_who_may_not_handle_cases_prints_none(duly: Duly) -> None:
    """Item 10: an agent reads their own case, and does not carry it away; no other's exists."""
    clock.at(duly, "2027-02-01 10:00")
    held = cases.registered(duly)
    assert ask(duly, f"/api/complaints/{held.key.id}/pdf", AGENT).told == (403, "role_refused")
    unknown = "A" * len(held.key.id)
    assert ask(duly, f"/api/complaints/{unknown}/pdf", HEAD).told == (404, "complaint_unknown")


@pytest.mark.parametrize(("said", "kept"), [("majątek ", "Majątek"), ("Jan z okienka", "")])
def test_what_a_stranger_calls_a_department_stays_out_of_the_register(
    duly: Duly, said: str, kept: str
) -> None:
    """M12, M35: the register outlives the case, so it holds the organisation's own names alone."""
    staffed(duly, replace(OFFICER, department="Majątek"))
    held = cases.registered(duly, employee=Employee(department=said))
    assert held.value.department == kept
    assert held.value.employee.department == said.strip()
    line = duly.ports().ledger.read(held.key, "REGISTER")["REGISTER"].data.decode()
    assert "okienka" not in line
