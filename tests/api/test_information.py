"""Published information, through the API: what everybody reads, and who may change it."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.information import service
from tests.duly import ADMIN, AGENT, HEAD, Answer, Duly

WORDS = {"pl": "Nasz tekst", "en": "Our text", "ru": "Наш текст"}
SEED = "ru-medexpress-2019"


def day(duly: Duly, **later: int) -> str:
    """A day of the organisation's zone, from today on."""
    now: datetime = duly.ports().now
    return (now.astimezone(ZoneInfo("Europe/Warsaw")).date() + timedelta(**later)).isoformat()


def a_draft(duly: Duly, title: str = "Prawa", **changes: Any) -> dict[str, Any]:
    """A text of the organisation's own, in force from today."""
    return {
        "effective_from": day(duly),
        "order": {"number": "7/2026", "on": day(duly)},
        "titles": WORDS | {"pl": title},
        "blocks": [{"kind": "paragraph", "text": WORDS}],
    } | changes


def overview(duly: Duly) -> Any:
    """What staff see of it all."""
    answer = duly.staff("GET", "/api/information")
    assert answer.status == 200, answer.json
    return answer.json


def publish(duly: Duly, draft: Any, section: str = "rights", **options: Any) -> Answer:
    """The administrator publishes a text."""
    version = options.pop("version", overview(duly)["version"])
    path = f"/api/information/{section}"
    return duly.staff("PUT", path, draft, by=options.pop("by", ADMIN), version=version, **options)


def read(duly: Duly, on: str | None = None, **options: Any) -> Any:
    """What everybody reads."""
    answer = duly.public("/information", {} if on is None else {"on": on}, **options)
    assert answer.status == 200, answer.json
    return answer.json


def sections(found: Any) -> dict[str, Any]:
    """Its sections by their keys."""
    return {one["key"]: one for one in found["sections"]}


def test_everybody_reads_what_comes_with_the_pack(duly: Duly) -> None:
    """M1, M2, M89, M109: before anything was published; with a version, a day, and the form."""
    found = read(duly)
    assert list(sections(found)) == ["submissions", "rights", "sources", "elsewhere"]
    assert (found["version"], found["effective_from"]) == (1, "2026-02-13")
    assert found["on"] == day(duly)
    assert found["complaint"] == "/complaint?org=agencja"
    assert found["languages"] == ["pl", "en", "ru"]
    assert found["organisation"]["name"] == "Agencja Bezpieczna sp. z o.o."
    assert "biuro@agencja.example" in str(sections(found)["submissions"]["blocks"])
    assert (found["membership"], found["agents_register"]) == ({}, "")
    for one in found["sections"]:
        assert (one["version"], one["order"]) == (0, None)
        assert not any("confidence" in block or "source" in block for block in one["blocks"])


def test_the_document_of_2019_is_told_under_its_pack(duly: Duly) -> None:
    """M90-M109: an insurer under that order; cooling-off, and the order's number and date."""
    duly.found("medexpress", "ru", policy_pack=SEED, time_zone="Europe/Moscow")
    found = read(duly, org="medexpress")
    assert list(sections(found)) == ["submissions", "cooling_off", "rights", "sources", "elsewhere"]
    for one in found["sections"]:
        assert one["order"] == {"number": "28", "on": "2019-04-12"}
        assert one["effective_from"] == "2019-04-12"
    (warning,) = [
        one for one in sections(found)["cooling_off"]["blocks"] if one["kind"] == "warning"
    ]
    assert "Agencja Bezpieczna" in warning["text"]["ru"]


def test_an_earlier_day_is_told_as_it_was(duly: Duly) -> None:
    """D20, M109: the pack of that day; the form of Polish answers changed on 13 February 2026."""
    before, after = read(duly, "2026-02-12"), read(duly, "2026-02-13")
    assert "tylko na Państwa wniosek" in str(before)
    assert "tylko na Państwa wniosek" not in str(after)
    assert before["effective_from"] < after["effective_from"]


def test_a_published_text_is_in_force_from_its_day(duly: Duly) -> None:
    """M109: until then the earlier one is told, by the organisation's clock; then the new one."""
    start = day(duly, days=2)
    answer = publish(duly, a_draft(duly, effective_from=start))
    assert answer.status == 200, answer.json
    assert sections(read(duly))["rights"]["version"] == 0
    assert sections(read(duly, start))["rights"]["version"] == 1
    duly.wait(days=2)
    now = sections(read(duly))["rights"]
    assert (now["version"], now["effective_from"]) == (1, start)
    assert now["order"]["number"] == "7/2026"
    assert now["titles"]["pl"] == "Prawa"
    assert read(duly)["version"] == 2
    assert read(duly)["effective_from"] == start
    assert sections(read(duly, day(duly, days=-1)))["rights"]["version"] == 0


def test_what_was_published_is_never_edited(duly: Duly) -> None:
    """M109: each save is another version; the old ones stay readable, whatever comes after."""
    assert publish(duly, a_draft(duly, "Pierwszy")).status == 200
    first = duly.staff("GET", "/api/information/rights/1").json
    assert publish(duly, a_draft(duly, "Drugi")).status == 200
    assert duly.staff("GET", "/api/information/rights/1").json == first
    assert (first["titles"]["pl"], first["published_by"]) == ("Pierwszy", ADMIN)
    assert duly.staff("GET", "/api/information/rights/2").json["titles"]["pl"] == "Drugi"
    assert sections(read(duly))["rights"]["titles"]["pl"] == "Drugi"
    (known,) = [one for one in overview(duly)["sections"] if one["key"] == "rights"]
    states = [(one["number"], one["state"]) for one in known["versions"]]
    assert states == [(0, "past"), (1, "past"), (2, "in_force")]
    assert known["in_force"] == 2


def test_staff_see_what_nobody_has_checked(duly: Duly) -> None:
    """M101-M105: by section and by block, with the source; everybody else sees none of it."""
    known = {one["key"]: one["unverified"] for one in overview(duly)["sections"]}
    assert known["elsewhere"]
    assert not known["rights"]
    assert known["cooling_off"] is False
    text = duly.staff("GET", "/api/information/elsewhere/0").json
    doubted = [text["blocks"][number] for number in text["unverified"]]
    assert {one["kind"] for one in doubted} == {"contact"}
    assert set(text["sources"]) >= {one["source"] for one in doubted}
    checked = [one | {"checked_on": day(duly), "confidence": "H"} for one in doubted]
    answer = publish(duly, a_draft(duly, blocks=checked), "elsewhere")
    assert answer.status == 200, answer.json
    assert not {one["key"]: one for one in answer.json["sections"]}["elsewhere"]["unverified"]
    shown = sections(read(duly))["elsewhere"]["blocks"]
    assert {one["checked_on"] for one in shown} == {day(duly)}


def test_a_section_of_its_own_where_none_is_shipped(duly: Duly) -> None:
    """M90: Poland has no chapter on cooling-off until the organisation publishes one."""
    nothing = duly.staff("GET", "/api/information/cooling_off/0")
    assert nothing.told == (404, "edition_unknown")
    blocks = [{"kind": "warning", "text": WORDS}]
    assert publish(duly, a_draft(duly, blocks=blocks), "cooling_off").status == 200
    assert list(sections(read(duly)))[1] == "cooling_off"


def test_only_an_administrator_publishes_and_only_on_what_was_read(duly: Duly) -> None:
    """R8, R22: role, If-Match, and of two who publish at once one is told."""
    draft, version = a_draft(duly), overview(duly)["version"]
    for by in (AGENT, HEAD):
        assert publish(duly, draft, by=by).told == (403, "role_refused")
    assert publish(duly, draft, version=None).told == (428, "if_match_required")
    with duly.meanwhile(lambda: publish(duly, draft)) as done:
        late = publish(duly, draft, version=version)
    assert done
    assert late.told == (409, "changed_meanwhile")
    assert publish(duly, draft, version=version).told == (409, "changed_meanwhile")
    (known,) = [one for one in overview(duly)["sections"] if one["key"] == "rights"]
    assert [one["number"] for one in known["versions"]] == [0, 1]


def test_bad_texts_are_refused_with_their_field(duly: Duly) -> None:
    """Issue 3, bad input: a 422 names what does not hold; nothing is kept."""
    before = overview(duly)
    paragraph: dict[str, Any] = {"kind": "paragraph", "text": WORDS}
    for changes, field in (
        ({"effective_from": day(duly, days=-1)}, "effective_from"),
        ({"effective_from": "soon"}, "effective_from"),
        ({"order": {"number": "", "on": day(duly)}}, "order.number"),
        ({"titles": {"pl": "Prawa"}}, "titles"),
        ({"blocks": []}, "blocks"),
        ({"blocks": [paragraph | {"html": "<b>"}]}, "blocks[0].html"),
        ({"blocks": [paragraph | {"kind": "script"}]}, "blocks[0].kind"),
        ({"blocks": [paragraph | {"text": WORDS | {"ru": "\u202e"}}]}, "blocks[0].text.ru"),
    ):
        answer = publish(duly, a_draft(duly, **changes))
        assert (answer.status, answer.json.get("field")) == (422, field), answer.json
    assert publish(duly, a_draft(duly), "weather").told == (404, "section_unknown")
    assert duly.staff("GET", "/api/information/weather/0").told == (404, "section_unknown")
    assert duly.staff("GET", "/api/information/rights/1").told == (404, "edition_unknown")
    assert duly.public("/information", {"on": "soon"}).json["field"] == "on"
    assert duly.public("/information", {}, org="nobody").told == (404, "organisation_unknown")
    assert overview(duly) == before


@pytest.mark.parametrize("on", ["0001-01-01", "1999-12-31", "9999-12-31"])
def test_any_day_of_the_calendar_has_an_answer(duly: Duly, on: str) -> None:
    """Issue 3, bad input: nothing falls over at the ends of the calendar."""
    assert read(duly, on)["on"] == on


def test_the_organisation_states_its_own_facts(duly: Duly) -> None:
    """M106, M107: membership and the register of agents are shown where they were given."""
    facts = {"membership": WORDS, "agents_register": "https://agencja.example/agenci"}
    version, path = overview(duly)["version"], "/api/organisation/facts"
    assert duly.staff("PUT", path, facts, version=version).told == (403, "role_refused")
    answer = duly.staff("PUT", path, facts, by=ADMIN, version=version)
    assert answer.status == 200, answer.json
    assert answer.json["facts"] == facts
    found = read(duly)
    assert (found["membership"], found["agents_register"]) == (WORDS, facts["agents_register"])
    wrong = facts | {"agents_register": "javascript:alert(1)"}
    answer = duly.staff("PUT", path, wrong, by=ADMIN, version=answer.json["version"])
    assert (answer.status, answer.json["field"]) == (422, "agents_register")
    assert publish(duly, a_draft(duly)).status == 200
    assert overview(duly)["facts"] == facts


def test_reading_again_asks_the_table_nothing(duly: Duly) -> None:
    """Issue 3, figures: settings, index and texts are kept; a page read twice costs nothing."""
    assert publish(duly, a_draft(duly)).status == 200
    first = read(duly)
    with duly.calls() as calls:
        assert read(duly) == first
    assert calls == []


def test_letters_and_status_pages_can_name_the_bodies(duly: Duly) -> None:
    """M108: whom to turn to after a negative outcome, as it is published."""
    pack = "pl-nat-2026-02-13"
    shipped = service.elsewhere(duly.ports(), "agencja", pack)
    names = [one.name["pl"] for one in shipped.bodies]
    assert (shipped.own, names) == (False, ["Rzecznik Finansowy", "Komisja Nadzoru Finansowego"])
    card = {"kind": "contact", "name": WORDS, "phones": [{"number": "22 100 20 30"}]}
    assert publish(duly, a_draft(duly, blocks=[card]), "elsewhere").status == 200
    found = service.elsewhere(duly.ports(), "agencja", pack)
    duly.ports().cache.pop(("information", "agencja"))
    for read in (["dynamodb.GetItem"], []):
        with duly.calls() as calls:
            assert service.elsewhere(duly.ports(), "agencja", pack) == found
        assert calls == read
    with duly.calls() as calls:
        assert duly.ports().elsewhere(duly.ports(), "agencja", pack) == found
    assert calls == []
    (own,) = found.bodies
    assert (found.own, own.name, own.how["pl"]) == (True, WORDS, "tel. 22 100 20 30")
