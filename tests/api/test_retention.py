"""The end of keeping: what is erased, what stays, and that it can be proven (M35, M85)."""

from datetime import date, timedelta

from msgspec.structs import replace

from chalicelib.complaints import acts, handling, retention, store
from chalicelib.complaints.case import Closed, Ombudsman, Outcome, State
from chalicelib.erasure import domain as erasures
from chalicelib.erasure import service as erasure
from chalicelib.kernel import chain
from chalicelib.kernel.change import SYSTEM, Key
from tests import cases
from tests.duly import ADMIN, Duly, moment


def closed(duly: Duly, **changes: object) -> Key:
    """A registered case that was answered."""
    held = cases.registered(duly)
    ports, house = duly.ports(), cases.house(duly)
    ended = Closed(state=State.ANSWERED, at=ports.now, outcome=Outcome.UPHELD)
    case = replace(held.value, closed=ended, **changes)
    ports.ledger.commit(acts.done(held, case, house, "answered", by=SYSTEM, now=ports.now))
    return held.key


def test_a_closed_case_is_erased_when_its_time_is_over(duly: Duly) -> None:
    """M85: three years after closing nothing in table or bucket names anybody; the chain stands."""
    key = closed(duly)
    before = cases.case_of(duly, key.id)
    duly.wait(days=365 * 3 - 5)
    duly.tick()
    assert cases.case_of(duly, key.id).value.erasure == ""
    duly.wait(days=10)
    duly.tick()
    duly.heavy_tick()
    after = cases.case_of(duly, key.id)
    assert after.value.erasure == "done"
    stored = str(duly.table()) + str(duly.objects())
    for told in (cases.WRITER.name, cases.WRITER.email, cases.SUBSTANCE, "AB-123"):
        assert told not in stored
    records = list(reversed(duly.ports().ledger.events(key)))
    assert all(one.body is None for one in records)
    head = chain.GENESIS
    for one in records:
        assert one.envelope["previous"] == head
        head = chain.link(one.envelope, one.digest)
        assert head == one.hash
    certificate = erasure.get(duly.ports(), key).value
    assert certificate.head == head == after.head
    assert certificate.bodies >= before.version
    assert certificate.finished_at is not None


def test_an_erased_case_is_still_counted(duly: Duly) -> None:
    """M35, M86: its line of the register stays as it was when it was closed."""
    key = closed(duly, cause="delay")
    duly.wait(days=365 * 3 + 5)
    duly.tick()
    duly.heavy_tick()
    items = duly.ports().ledger.read(key, *retention.KEPT)
    line = store.entry(items["REGISTER"])
    assert (line.state, line.outcome, line.cause) == ("answered", "upheld", "delay")
    assert line.product == "motor_liability"


def test_a_legal_hold_keeps_a_case(duly: Duly) -> None:
    """M85: at least, not at most: while a court may ask, nothing goes."""
    key = closed(duly, hold="proces przed sądem")
    duly.wait(days=365 * 4)
    duly.tick()
    duly.heavy_tick()
    assert cases.case_of(duly, key.id).value.erasure == ""


def test_nothing_that_came_after_the_end_is_erased_unread(duly: Duly) -> None:
    """M74, M85: what waits for an officer keeps its case; once they looked, its time is over."""
    key = closed(duly)
    duly.wait(days=365 * 3 - 5)
    where = f"/api/complaints/{key.id}"
    news = {"channel": "phone", "text": "Są nowe dokumenty."}
    assert duly.staff("POST", f"{where}/messages", news, by=ADMIN).status == 201
    duly.wait(days=30)
    duly.tick()
    duly.heavy_tick()
    waits = duly.staff("GET", where, by=ADMIN).json
    assert not waits["erased"]
    assert moment(waits["keep_until"]) > duly.ports().now
    note = {"text": "Nic nowego."}
    looked = duly.staff("POST", f"{where}/note", note, by=ADMIN, version=waits["version"])
    assert looked.status == 200
    duly.wait(days=31)
    duly.tick()
    duly.heavy_tick()
    assert duly.staff("GET", where, by=ADMIN).json["erased"]


def test_a_case_is_kept_while_a_newer_one_rests_on_it(duly: Duly) -> None:
    """M74, M85: what was registered anew is about the old file; a month later it is asked again."""
    key = closed(duly)
    duly.wait(days=365 * 3 - 5)
    where = f"/api/complaints/{key.id}"
    news = {"channel": "in_person", "substance": "Są nowe dokumenty."}
    anew = duly.staff("POST", f"{where}/reopen", news, by=ADMIN)
    assert anew.status == 201
    duly.wait(days=30)
    duly.tick()
    duly.heavy_tick()
    kept = duly.staff("GET", where, by=ADMIN).json
    assert not kept["erased"]
    later = moment(kept["keep_until"]) - duly.ports().now
    assert retention.KEPT_LONGER - timedelta(minutes=5) < later <= retention.KEPT_LONGER
    duly.wait(days=365 * 4)
    other = cases.case_of(duly, anew.json["case_id"])
    ended = Closed(state=State.ANSWERED, at=duly.ports().now, outcome=Outcome.UPHELD)
    case = replace(other.value, closed=ended, registered_at=duly.ports().now)
    done = acts.done(other, case, cases.house(duly), "answered", by=SYSTEM, now=duly.ports().now)
    duly.ports().ledger.commit(done)
    for days in (365 * 4, 40, 40):
        duly.wait(days=days)
        duly.tick()
        duly.heavy_tick()
    assert [cases.case_of(duly, one).value.erasure for one in (other.key.id, key.id)] == [
        *("done", "done")
    ]


def test_a_case_that_is_before_a_court_is_kept_and_staff_are_asked(duly: Duly) -> None:
    """M74, M85: the file is needed; but nothing is kept for ever because nobody said it is over."""
    opened = Ombudsman(body="court", stage="opened", on=date(2026, 11, 6))
    key = closed(duly, outside=(opened,))
    duly.wait(days=365 * 3 + 30)
    duly.tick()
    duly.heavy_tick()
    assert cases.case_of(duly, key.id).value.erasure == ""
    duly.wait(days=4)  # over any weekend
    duly.tick()
    duly.tick()
    assert any("postępowanie zewnętrzne" in one.text for one in duly.mailbox.sent)
    held = cases.case_of(duly, key.id)
    over = replace(held.value, outside=(opened, replace(opened, stage="withdrawn")))
    done = acts.done(held, over, cases.house(duly), "x", by=SYSTEM, now=duly.ports().now)
    duly.ports().ledger.commit(done)
    duly.wait(days=31)
    duly.tick()
    duly.heavy_tick()
    assert cases.case_of(duly, key.id).value.erasure == "done"


def test_a_hold_on_the_client_keeps_their_cases(duly: Duly) -> None:
    """M85, S15: staff were told that the data are kept; once the hold is over, so is the time."""
    client = duly.client()
    key = closed(duly, client_id=client["client_id"])
    where = f"/api/clients/{client['client_id']}"
    held = duly.staff("PUT", f"{where}/hold", {"reason": "proces"}, by=ADMIN, version=1)
    assert held.status == 200, held.json
    duly.wait(days=365 * 3 + 5)
    duly.tick()
    duly.heavy_tick()
    assert cases.case_of(duly, key.id).value.erasure == ""
    version = duly.staff("GET", where, by=ADMIN).json["version"]
    duly.staff("PUT", f"{where}/hold", {"reason": ""}, by=ADMIN, version=version)
    duly.wait(days=31)
    duly.tick()
    duly.heavy_tick()
    assert cases.case_of(duly, key.id).value.erasure == "done"


def test_a_hold_that_comes_at_the_last_moment_keeps_a_case(duly: Duly) -> None:
    """M85: the erasure was begun, the case not yet told to leave: an officer was quicker."""
    key = closed(duly)
    duly.wait(days=365 * 3 + 5)
    ports, house = duly.ports(), cases.house(duly)

    def held_now() -> None:
        held = cases.case_of(duly, key.id)
        change = handling.hold(held, "proces", house, by=SYSTEM, now=ports.now)
        ports.ledger.commit(change)

    erasure.begin(ports, key, erasures.Ground.RETENTION, by=SYSTEM)
    with duly.meanwhile(held_now):
        duly.tick()
    duly.heavy_tick()
    case = cases.case_of(duly, key.id).value
    assert (case.hold, case.erasure, case.writer) == ("proces", "", cases.WRITER)
    assert "STATEMENT" in ports.ledger.read(key, "STATEMENT")
    assert erasure.get(ports, key).value.finished_at is None


def test_an_erasure_that_broke_off_goes_on(duly: Duly) -> None:
    """M85: whatever was done already is not there to do again; it ends the same."""
    key = closed(duly)
    duly.wait(days=365 * 3 + 5)
    ports = duly.ports()
    held, house = cases.case_of(duly, key.id), cases.house(duly)
    ports.ledger.commit(retention.leave(held, house, now=ports.now))
    erasure.begin(ports, key, erasures.Ground.RETENTION, by=SYSTEM)
    erasure.begin(ports, key, erasures.Ground.RETENTION, by=SYSTEM)
    ports.ledger.strip(key, keep=("ROOT", "REGISTER"))
    duly.heavy_tick()
    assert cases.case_of(duly, key.id).value.erasure == "done"
