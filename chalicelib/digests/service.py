"""Notices made letters, and the routine of each day: a sign of life outside, a month in numbers."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from chalicelib import log
from chalicelib.complaints import receipt, register
from chalicelib.complaints.products import products
from chalicelib.complaints.register import Entry
from chalicelib.contact.domain import Addressee
from chalicelib.digests import domain
from chalicelib.digests.domain import Desk, Waiting
from chalicelib.kernel.change import Change, Held, Key, Letter, Notice
from chalicelib.kernel.errors import ChangedMeanwhile
from chalicelib.kernel.workdays import DAY, local
from chalicelib.letters import complaint_facts as told
from chalicelib.letters import senders
from chalicelib.letters.complaint_facts import DigestItem, Tally
from chalicelib.letters.mime import Address
from chalicelib.letters.service import Composer, Occasion, Owner, Prepared, Unneeded
from chalicelib.organisations import domain as organisation
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House, Member, Organisation, Role
from chalicelib.policy.calendars import calendar
from chalicelib.policy.packs import load
from chalicelib.ports import Due, Item, Ports
from chalicelib.statistics import domain as counts
from chalicelib.statistics import service as statistics
from chalicelib.statistics.domain import Counted, Group, Month, Repeat
from chalicelib.statistics.service import TooManyLines

# What is due a moment later goes with what is due now: the notices of one run are one letter.
TOGETHER = timedelta(minutes=3)
MOST_STUCK = 100
MOST_MONTHS = 3  # told after an outage; older ones are in the statistics
MONTHS_READ = 12  # of receipt: what came before and ended only now is in the statistics
MOST_READERS = 25
MOST_TALLIES = 12
_WORDS = Path(__file__).parent / "words.toml"
_desk = msgspec.json.Decoder(Desk).decode
_notice = msgspec.json.Decoder(Notice).decode
_organisation = msgspec.json.Decoder(Organisation).decode


# One person's notices


def attend(ports: Ports, key: Key) -> str:
    """All notices of one person that are due, as one letter; of one who left, to who remains.

    Two reads and a transaction; at once with another tick one of the two is `ChangedMeanwhile`.
    """
    due = _due(ports, key)
    if not due:
        return "skipped"
    root = ports.ledger.read(key, "ROOT").get("ROOT")
    held = desk(root) if root else domain.untold(key)
    house = organisations.house(ports, key.org)
    member = _member(house, key.id)
    heirs = [one.staff_id for one in house.directory.members if one.active and _is_admin(one)]
    if member is None and heirs:
        ports.ledger.commit(domain.hand_on(held, due, heirs, now=ports.now))
        return "handed_on"
    language = member.language if member else house.settings.languages[0]
    ports.ledger.commit(domain.digest(held, due, language=language, now=ports.now))
    return "digested"


def _due(ports: Ports, key: Key) -> list[Waiting]:
    """What is due within a moment, oldest first; nothing unless something is due now."""
    waiting = [one for one in ports.ledger.parts(key, "NOTICE#") if one.due_at]
    moments = {one.sk: datetime.fromisoformat(one.due_at) for one in waiting}
    if not any(at <= ports.now for at in moments.values()):
        return []
    due = [one for one in waiting if moments[one.sk] <= ports.now + TOGETHER]
    due.sort(key=lambda one: (one.due_at, one.sk))
    return [Waiting(sk=one.sk, notice=_notice(one.data)) for one in due]


def desk(item: Item) -> Held[Desk]:
    """The person's root that an item holds."""
    return Held(key=item.key, value=_desk(item.data), version=item.version, head=item.head)


def case_digest(ports: Ports, occasion: Occasion) -> Prepared:
    """One letter of all that was due together.

    To the controller, if the person left meanwhile, or the letter to them came back.
    """
    house, facts = occasion.house, occasion.letter.facts
    today = local(ports.now, house.settings.time_zone).date()
    items = told.most_urgent_first(_item(one, today) for one in facts["items"])
    member = None if facts.get("instead") else _member(house, occasion.owner.key.id)
    return _to_staff(
        house,
        member,
        told.CaseDigest(
            staff_name=_name(house, member), items=items, left_out=facts.get("left_out", 0)
        ),
    )


def _item(said: dict[str, Any], today: date) -> DigestItem:
    """One step as it stands on the day on which it is read."""
    on, due, kind = _day(said.get("on")), _day(said.get("due")), str(said.get("kind", ""))
    days = int(said.get("days", 0))
    if on is not None and kind in ("answer_due", "answer_limit", "answer_overdue"):
        if due is not None and due < today:  # it may have passed meanwhile
            kind, on = "answer_overdue", due
        days = abs((on - today).days)
    reference, why = str(said.get("reference", "")), str(said.get("why", ""))
    return DigestItem(reference=reference, kind=kind, on=on, days=days, due=due, why=why)


# An organisation's day


def begin_day(ports: Ports, key: Key) -> str:
    """Once a day when the office opens, weekends too: a sign of life, and once a month the month.

    After days of outage the sign of life comes once, now; no month is lost. A case that was put
    aside after many failures is tried again each day: its deadlines go on.
    """
    house = organisations.fresh_house(ports, key.org)
    routine = house.organisation.routine
    if routine is None or routine.next_at > ports.now:
        return "skipped"
    stuck = ports.ledger.stuck(key.org, most=MOST_STUCK)
    letters, months = [], _months_to_tell(ports, house, routine.month)
    if house.settings.complaints.watch_email:
        letters.append(_alive(ports, house, len(stuck)))
    letters += _months_told(ports, house, months)
    month = months[-1] if months else routine.month
    body = {"letters": [one.template for one in letters], "stuck": len(stuck)}
    ports.ledger.commit(
        organisation.day_begun(house, told=month, letters=tuple(letters), body=body, now=ports.now)
    )
    organisations.forget(ports, key.org)
    _try_again(ports, stuck)
    return "begun"


def _alive(ports: Ports, house: House, stuck: int) -> Letter:
    """The counts of this morning, from the worklists' index alone."""
    org, today = house.organisation.org, _today(ports, house)
    day, tomorrow = today.isoformat(), (today + DAY).isoformat()
    before = (today - DAY).isoformat()
    cases, registered = f"O#{org}#{register.OPEN}", f"O#{org}#{register.month_list(before[:7])}"
    overdue = ports.ledger.count(cases, first="0", before=day)
    # No day has a sign after it that sorts as high: so the page begins with today.
    ahead = ports.ledger.worklist(cases, prefix="", after=f"{before}\U0010fffe", most=1)
    next_due = ahead.after[:10]
    facts = {
        "day": day,
        "open": overdue + ports.ledger.count(cases, first=day, before=":"),
        "received": ports.ledger.count(registered, first=before, before=day),
        "due_today": ports.ledger.count(cases, first=day, before=tomorrow),
        "overdue": overdue,
        "stuck": stuck,
        "next_due": next_due if next_due and not next_due.startswith("9999") else "",
    }
    return Letter(template="alive_report", to="outside", facts=facts, promised_at=ports.now)


def alive_report(ports: Ports, occasion: Occasion) -> Prepared:
    """Its absence is the alarm: to the address outside, as long as there is one."""
    house, facts = occasion.house, occasion.letter.facts
    to = house.settings.complaints.watch_email
    if not to:
        raise Unneeded("nobody_watches")
    fact = told.AliveReport(
        organisation_name=house.settings.controller.name,
        day=date.fromisoformat(facts["day"]),
        made_at=senders.local(occasion.letter.promised_at, house),
        open=facts["open"],
        received=facts["received"],
        due_today=facts["due_today"],
        overdue=facts["overdue"],
        stuck=facts["stuck"],
        next_due=_day(facts["next_due"]),
    )
    return Prepared(
        facts=fact,
        masked=fact,
        language=house.settings.languages[0],
        to=Address(name="", email=to),
        reply_to=senders.controller_address(house.settings),
    )


def _try_again(ports: Ports, stuck: Iterable[Due]) -> None:
    for one in stuck:
        if one.key.kind == "COMPLAINT" and one.sk == "ROOT":
            try:
                ports.ledger.recall(one, now=ports.now)
            except ChangedMeanwhile:  # staff were first
                continue


# A month


def _months_to_tell(ports: Ports, house: House, last: str) -> list[str]:
    """The months since the last one told that are over, from the first working day of the next."""
    today = _today(ports, house)
    this = today.isoformat()[:7]
    over = counts.months_before(this, 1)
    rules = house.settings.complaints
    pack = load(house.settings.policy_pack)
    days = calendar(receipt.country_of(pack, house.settings), today, rules.days)
    if today < days.next_working(today.replace(day=1)):
        over = counts.months_before(this, 2)
    found = [counts.months_before(over, n) for n in range(MOST_MONTHS)]
    return sorted(one for one in found if one > last)


def _months_told(ports: Ports, house: House, months: list[str]) -> list[Letter]:
    """The letters of these months, from one reading of the register however many there are.

    A month of receipt is a list of its own: a query and a batch read for each hundred lines of the
    last twelve. Nothing of a month that has more than one run can count: the sign of life must not
    wait for it.
    """
    if not months:
        return []
    org, most = house.organisation.org, MONTHS_READ + len(months) - 1
    try:
        lines, since = statistics.recent(ports, org, months[-1], most=most)
    except TooManyLines as error:
        log.error("month_not_told", error, month=months[-1])
        return []
    told = [one for one in months if since <= one]
    return [letter for one in told for letter in _month_letters(ports, house, lines, one, since)]


def _month_letters(
    ports: Ports, house: House, lines: list[Entry], month: str, since: str
) -> list[Letter]:
    """The month in numbers for every head, and without heads for every administrator (M24, M87).

    None where nothing was received, ended or is open: who keeps consents alone is not written to.
    """
    counted = counts.month_told(lines, month)
    if not (counted.received or counted.ended.closed or counted.open):
        return []
    earlier = counts.months_before(month, 1)
    before = counts.ended_in(lines, earlier)
    least = house.settings.complaints.repeats
    alarms = counts.repeats(counts.ended_in(lines, month), before, least=least)
    facts = {
        "month": counts.last_day(month).isoformat(),
        "since": f"{since}-01",
        "told": msgspec.to_builtins(_short(counted)),
        "before": msgspec.to_builtins(counts.month_told(lines, earlier).ended),
        "alarms": msgspec.to_builtins(alarms[:MOST_TALLIES]),
    }
    members = [one for one in house.directory.members if one.active]
    heads = [one for one in members if one.role is Role.HEAD] or list(filter(_is_admin, members))
    return [
        Letter(
            template="monthly_digest",
            to=f"staff:{one.staff_id}",
            facts=facts,
            promised_at=ports.now,
        )
        for one in heads[:MOST_READERS]
    ]


def _short(counted: Month) -> Month:
    """As much of it as a letter says: there may be any number of causes."""
    return msgspec.structs.replace(
        counted,
        **{
            name: tuple(_often(getattr(counted, name)))
            for name in ("by_kind", "by_product", "by_cause", "by_department")
        },
    )


def monthly_digest(ports: Ports, occasion: Occasion) -> Prepared:
    """The month as its reader's language tells it; to the controller if it came back from them."""
    house, facts = occasion.house, occasion.letter.facts
    staff_id = occasion.letter.to.removeprefix("staff:")
    member = None if facts.get("instead") else _member(house, staff_id)
    language = member.language if member else house.settings.languages[0]
    counted, before = msgspec.convert(facts["told"], Month), msgspec.convert(facts["before"], Group)
    alarms = msgspec.convert(facts["alarms"], tuple[Repeat, ...])
    ended = counted.ended
    names = {one.code: getattr(one, language) for one in products()}
    return _to_staff(
        house,
        member,
        told.MonthlyDigest(
            staff_name=_name(house, member),
            month=date.fromisoformat(facts["month"]),
            since=date.fromisoformat(facts["since"]),
            received=counted.received,
            closed=ended.closed,
            answered=ended.answered,
            late=ended.late,
            late_unanswered=ended.late_unanswered,
            open=counted.open,
            overdue=counted.overdue,
            on_time_percent=_on_time(ended),
            median_days=_whole(ended.median_days),
            p90_days=_whole(ended.p90_days),
            before_closed=before.closed,
            before_late=before.late,
            before_on_time_percent=_on_time(before),
            by_kind=_tallies(counted.by_kind, str),
            by_product=_tallies(counted.by_product, lambda code: names.get(code, code)),
            by_cause=_tallies(counted.by_cause, str),
            by_department=_tallies(counted.by_department, str),
            open_by_age=_ages(counted, language),
            alarms=tuple(_alarm(one, names, language) for one in alarms),
        ),
    )


def _on_time(ended: Group) -> int | None:
    """How many per cent had their answer in time, of all that were to have one and ended."""
    due = ended.on_time + ended.late
    return ended.on_time * 100 // due if due else None


def _ages(counted: Month, language: str) -> tuple[Tally, ...]:
    """How old the open cases are, each step in words; nothing where none is open."""
    if not counted.open:
        return ()
    words, first = _words()[language], 0
    found = []
    for at_most, one in zip((*counts.AGES, None), counted.open_by_age, strict=True):
        said = words["older"] if at_most is None else words["age"]
        label = said.format(first=first, last=at_most or counts.AGES[-1])
        found.append(Tally(label=label, number=one.number))
        first = (at_most or 0) + 1
    return tuple(found)


def _alarm(one: Repeat, names: dict[str, str], language: str) -> str:
    words = _words()[language]
    product = names.get(one.product, one.product)
    said = words["of_product"] if product else words["of_any"]
    return said.format(cause=one.cause, product=product, number=one.number, before=one.before)


def _tallies(found: Iterable[Counted], name: Callable[[str], str]) -> tuple[Tally, ...]:
    return tuple(Tally(label=name(one.label), number=one.number) for one in _often(found))


def _often(found: Iterable[Counted]) -> list[Counted]:
    return sorted(found, key=lambda one: (-one.number, one.label))[:MOST_TALLIES]


def _whole(days: float | None) -> int | None:
    """Days as people say them; half a day more is a day more."""
    return None if days is None else int(days + 0.5)


# Who reads


def _to_staff(
    house: House, member: Member | None, facts: told.CaseDigest | told.MonthlyDigest
) -> Prepared:
    address = senders.controller_address(house.settings)
    return Prepared(
        facts=facts,
        masked=facts,
        language=member.language if member else house.settings.languages[0],
        to=Address(name=member.name, email=member.email) if member else address,
        reply_to=address,
    )


def _member(house: House, staff_id: str) -> Member | None:
    """The person, as long as they work there."""
    known = (one for one in house.directory.members if one.staff_id == staff_id and one.active)
    return next(known, None)


def _name(house: House, member: Member | None) -> str:
    return member.name if member else house.settings.controller.name


def _is_admin(member: Member) -> bool:
    return member.role is Role.ADMIN


def _today(ports: Ports, house: House) -> date:
    return local(ports.now, house.settings.time_zone).date()


def _day(said: Any) -> date | None:
    return date.fromisoformat(said) if isinstance(said, str) and said else None


def _words() -> dict[str, dict[str, str]]:
    return msgspec.toml.decode(_WORDS.read_bytes(), type=dict[str, dict[str, str]])


def _held(item: Item) -> Held[Organisation]:
    return Held(key=item.key, value=_organisation(item.data), version=item.version, head=item.head)


def _nobody_outside(value: Any, letter: Letter) -> Addressee:
    """These letters go to staff and to who watches: the gate is not asked."""
    return Addressee(email="")


def _came_back(
    held: Held[Any], letter: Letter, part: Item | None, house: House, now: datetime
) -> Change | None:
    return domain.came_back(held, letter, now=now)


def _month_came_back(
    held: Held[Any], letter: Letter, part: Item | None, house: House, now: datetime
) -> Change | None:
    return domain.month_came_back(held, letter, now=now)


_OF_A_PERSON: dict[str, Composer] = {"case_digest": case_digest}
_OF_A_DAY: dict[str, Composer] = {"alive_report": alive_report, "monthly_digest": monthly_digest}
PERSON = Owner(
    held=desk,
    parts=(),
    composers=_OF_A_PERSON,
    addressee=_nobody_outside,
    on_bounced=_came_back,
)
ORGANISATION = Owner(
    held=_held,
    parts=(),
    composers=_OF_A_DAY,
    addressee=_nobody_outside,
    on_bounced=_month_came_back,
)
