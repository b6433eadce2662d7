"""Worklists and look-ups: who sees what, in which order, at what price."""

import pytest

from chalicelib.complaints import service
from chalicelib.kernel.change import Actor
from chalicelib.organisations import store as organisations
from tests.cases import a_submission
from tests.casework import COMPLAINT, Office
from tests.duly import ADMIN, AGENT, HEAD, Duly


@pytest.fixture
def office(duly: Duly) -> Office:
    """An insurer's office on a Monday morning."""
    return Office(duly)


def received(office: Office, many: int) -> None:
    """So many cases of one moment, straight through the use case."""
    ports = office.duly.ports()
    house = organisations.house(ports, office.org)
    for n in range(many):
        given = a_submission(ports.now, contract_number=f"N-{n}")
        service.receive(ports, house, given, by=Actor("client"))


def ids(office: Office, query: str, by: str = HEAD) -> list[str]:
    """The cases of a whole list, page by page."""
    found: list[str] = []
    cursor = ""
    while True:
        where = f"/api/complaints?{query}" + (f"&cursor={cursor}" if cursor else "")
        answer = office.ask("GET", where, by=by)
        assert answer.status == 200, answer.json
        assert len(answer.json["cases"]) <= 25
        found += [one["case_id"] for one in answer.json["cases"]]
        cursor = answer.json["cursor"]
        if not cursor:
            return found


def test_a_page_is_one_query_and_one_read(office: Office) -> None:
    """Issue 3, `worklist_queries`: 25 cases, whatever the number of all cases."""
    received(office, 30)
    office.ask("GET", "/api/complaints?list=open")
    with office.duly.calls() as made:
        answer = office.ask("GET", "/api/complaints?list=open")
    assert len(answer.json["cases"]) == 25
    assert made == ["dynamodb.Query", "dynamodb.BatchGetItem"]


def test_pages_show_each_case_once(office: Office) -> None:
    """All of one moment and one due date, and still none is lost between two pages."""
    received(office, 60)
    found = ids(office, "list=open")
    assert len(found) == len(set(found)) == 60


def test_the_most_urgent_case_comes_first(office: Office) -> None:
    """Issue 3, 9: in the order of the legal limit."""
    later = office.case()
    office.duly.wait(days=2)
    newest = office.case()
    earlier = office.case(
        channel="post", received_at=(office.duly.ports().now.isoformat()[:10] + "T04:00:00Z")
    )
    assert ids(office, "list=open")[0] == later["case_id"]
    assert set(ids(office, "list=open")) == {one["case_id"] for one in (later, newest, earlier)}


def test_a_case_moves_from_list_to_list(office: Office) -> None:
    """Unassigned, somebody's, closed in its month: each act moves it, none shows it twice."""
    case = office.case()
    assert ids(office, "list=unassigned") == [case["case_id"]]
    department = office.department("Урегулирование")
    office.done(case, "assign", {"assignee": ADMIN, "department": department})
    assert ids(office, "list=unassigned") == []
    assert ids(office, "list=mine", by=ADMIN) == [case["case_id"]]
    assert ids(office, "list=mine") == []
    office.done(case, "no-answer", {"reason": "not_needed"})
    month = office.today()[:7]
    assert ids(office, "list=closed") == ids(office, f"list=closed&month={month}")
    assert ids(office, "list=closed") == [case["case_id"]]
    assert ids(office, "list=closed&month=2020-02") == []
    assert ids(office, "list=open") == ids(office, "list=mine", by=ADMIN) == []


def test_an_agent_lists_their_own_alone(office: Office) -> None:
    """Agents see what they received, entered or handle; everybody's lists are refused."""
    theirs, other = office.case(by=AGENT), office.case()
    for wanted in ("open", "unassigned", "closed"):
        answer = office.ask("GET", f"/api/complaints?list={wanted}", by=AGENT)
        assert answer.told == (403, "role_refused")
    assert ids(office, "list=mine", by=AGENT) == []
    assert ids(office, "email=pavel@writer.example", by=AGENT) == [theirs["case_id"]]
    assert len(ids(office, "email=pavel@writer.example")) == 2
    hidden = office.ask("GET", f"/api/complaints/{other['case_id']}", by=AGENT)
    assert hidden.told == (404, "complaint_unknown")


def test_a_number_is_found_however_it_is_typed(office: Office) -> None:
    """M32: with hyphens, in small letters, with a letter O for a zero."""
    case = office.case()
    number = case["reference"]
    typed = f"{number[:4]}-{number[4:8]}-{number[8:]}".lower().replace("0", "o")
    assert ids(office, f"reference={typed}") == [case["case_id"]]
    for wrong in ("AAAAAAAAAA", "1", "x" * 500, "%00"):
        answer = office.ask("GET", f"/api/complaints?reference={wrong}")
        assert answer.told == (422, "reference_refused")
    assert ids(office, f"reference={number}") == [case["case_id"]]


def test_found_by_address_and_contract(office: Office) -> None:
    """M8, M10: exact look-ups over keyed hashes, of contract and claim alike; they follow."""
    case = office.case()
    for query in ("email=pavel@writer.example", "contract=ДМС-77-001", "contract=У-5512"):
        assert ids(office, query) == [case["case_id"]]
    office.done(case, "correct", {"contract_number": "ДМС-77-002"})
    assert ids(office, "contract=ДМС-77-001") == []
    assert ids(office, "contract=ДМС-77-002") == [case["case_id"]]
    for wrong, field in (("email=x", "email"), ("contract=%00", "contract")):
        answer = office.ask("GET", f"/api/complaints?{wrong}")
        assert (answer.status, answer.json["field"]) == (422, field)


def test_a_search_asks_for_one_thing(office: Office) -> None:
    """Exactly one of list, reference, email, contract; a cursor of its own query and reader."""
    for query in ("", "list=open&email=a@x.example", "list=all", "list=closed&month=2026-13"):
        answer = office.ask("GET", f"/api/complaints?{query}")
        assert answer.status == 422, answer.json
    received(office, 26)
    cursor = office.ask("GET", "/api/complaints?list=open").json["cursor"]
    for query, by in (("list=unassigned", HEAD), ("list=open", ADMIN)):
        answer = office.ask("GET", f"/api/complaints?{query}&cursor={cursor}", by=by)
        assert answer.told == (422, "cursor_refused")


def test_another_organisations_cases_are_not_there(office: Office) -> None:
    """Issue 2, 11: not in lists, not by number, not by id."""
    case = office.case()
    other = Office(office.duly, "inna")
    assert ids(other, "list=open") == []
    for query in (f"reference={case['reference']}", "email=pavel@writer.example"):
        assert ids(other, query) == []
    answer = other.ask("GET", f"/api/complaints/{case['case_id']}")
    assert answer.told == (404, "complaint_unknown")
    assert str(COMPLAINT["substance"]) not in str(answer.json)
