"""Other rules for an open case: who complains, or of what, was not known when it came.

An e-mail says neither, so it is taken in as a natural person's complaint. Staff set it right: the
pack is chosen anew by the day of receipt, never by today (D20), and every date follows at once. So
does what somebody ought to have been told by now.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.complaints import acts, attention, escalation, handling, receipt
from chalicelib.complaints.attention import Step
from chalicelib.complaints.case import Complaint, Flag, require_open
from chalicelib.complaints.closing import require_unanswered
from chalicelib.kernel import text
from chalicelib.kernel.change import Actor, Change, Held, Letter, Notice
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.kernel.workdays import Calendar
from chalicelib.organisations.domain import ComplaintSettings, House, Settings
from chalicelib.policy import engine
from chalicelib.policy.calendars import calendar
from chalicelib.policy.engine import Deadline, ExtensionRefused, ExtensionTooLate
from chalicelib.policy.packs import Audience, Pack, Scope, choose, load

MOST_REASON = 500
_WHY_NOT = {
    "reason": "These rules do not extend the answer for the reason that the client was told.",
    "to": "These rules do not extend the answer to the day that the client was told.",
}


class RulesUnknown(Invalid):
    """No pack of the jurisdiction was in force that day for this; `field` says for which."""

    code = "rules_unknown"
    sentence = "On the day of receipt there were no rules for this."


class RulesUnchanged(Conflict):
    code = "rules_unchanged"
    sentence = "The case is handled as this already."


class RulesForbidExtension(Conflict):
    """What the client was told of the time for the answer would not be true any more (M53)."""

    code = "rules_forbid_extension"
    sentence = "These rules do not extend the answer, and the client was told that it takes longer."


class CaseRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who complains and of what, as far as it was mistaken, and how that came to be known."""

    audience: Audience | None = None
    scope: Scope | None = None
    reason: str


def set_rules(
    held: Held[Complaint], given: CaseRules, house: House, *, by: Actor, now: datetime
) -> Change:
    """Another audience or scope, with the pack that was in force for it on the day of receipt.

    `RulesUnchanged`, `RulesUnknown`, `RulesForbidExtension`; `AnswerLeaves` once an answer is out.
    An answer that waits for a second person, or has their approval, goes back to who wrote it: it
    was held to other rules. More time is never given in silence: the event tells both limits.
    """
    case, settings = held.value, house.settings
    require_open(case)
    require_unanswered(case)
    reason = text.line(given.reason, "reason", most=MOST_REASON)
    audience, scope = given.audience or case.audience, given.scope or case.scope
    if (audience, scope) == (case.audience, case.scope):
        raise RulesUnchanged
    pack = chosen(case, audience, scope)
    changed = replace(
        case,
        audience=audience,
        scope=scope,
        pack=pack.pin,
        calendar=calendar_of(case, pack, settings),
    )
    require_extension(case, changed)
    changed = _answer_taken_back(changed, reason)
    before, after = _told(case), _told(changed)
    changes = {name: [before[name], after[name]] for name in before}
    return acts.done(
        held,
        changed,
        house,
        "rules_set",
        by=by,
        now=now,
        body={"reason": reason, **changes},
        letters=told_late(case, changed, now),
        notices=word(held, changed, house, by=by, now=now),
    )


def chosen(case: Complaint, audience: Audience, scope: Scope) -> Pack:
    """The pack of the day of receipt, of the case's own jurisdiction; `RulesUnknown`.

    Where it is the one that the case has, it stays so in its edition.
    """
    own, day = load(case.pack), case.day(case.received_at)
    found = choose(own.pack, audience=audience, received_on=day, scope=scope)
    if found.scope != scope:
        raise RulesUnknown(field="scope")
    if audience not in found.audience:
        raise RulesUnknown(field="audience")
    if found.pack == own.pack:
        return own
    if not found.in_force(day):
        raise RulesUnknown(field="audience" if scope == case.scope else "scope")
    return found


def calendar_of(case: Complaint, pack: Pack, settings: Settings) -> Calendar:
    """That of the day of receipt, as the case keeps it, unless another country's counts."""
    country = receipt.country_of(pack, settings)
    if country == receipt.country_of(case.policy, settings):
        return case.calendar
    return calendar(country, case.day(case.received_at), settings.complaints.days)


def require_extension(before: Complaint, after: Complaint) -> None:
    """Whether an extension that the client was told is one by the other rules, too.

    It may have been entered after the letter was posted: no later than the limit of then.
    """
    told = before.extension
    if told is None:
        return
    was = replace(before, extension=None).answer_due
    on = before.day(told.at)
    plain = replace(after, extension=None)
    try:
        engine.check_extension(
            plain.policy,
            plain.facts,
            plain.calendar,
            to=told.to,
            reason=told.reason,
            on=min(on, was.limit) if was else on,
        )
    except ExtensionTooLate as error:
        raise RulesForbidExtension("By these rules the client was told too late.") from error
    except ExtensionRefused as error:
        raise RulesForbidExtension(_WHY_NOT.get(error.field or "", "")) from error


def told_late(before: Complaint, after: Complaint, now: datetime) -> tuple[Letter, ...]:
    """Word of the receipt, where only the other rules want it without being asked (M48)."""
    new = after.acknowledges and not before.acknowledges and after.acknowledged_on is None
    if not new or after.third_party or not after.writer.email or Flag.SPAM_SUSPECT in after.flags:
        return ()
    return (receipt.acknowledgement(after, now),)


def missed(before: Complaint, after: Complaint, settings: ComplaintSettings) -> list[Step]:
    """The steps that nobody would look for any more: they lie before the mark, and are new.

    Of the answer only where it is due earlier than before: where it is due later, what was told
    stands, and the next step tells the new day.
    """
    mark = before.attended_until
    if mark is None:
        return []
    taken = {one.name for one in attention.steps(before, settings) if one.at <= mark}
    new = (one for one in attention.steps(after, settings) if one.at <= mark)
    earlier = _is_earlier(after.answer_due, before.answer_due)
    return [
        one
        for one in new
        if one.name not in taken and (earlier or not one.kind.startswith("answer_"))
    ]


def word(
    held: Held[Complaint], after: Complaint, house: House, *, by: Actor, now: datetime
) -> tuple[Notice, ...]:
    """Word of what was missed, of a receipt that is owed on paper now, of a draft sent back."""
    before, case_id = held.value, held.key.id
    steps = missed(before, after, house.settings.complaints)
    found = tuple(escalation.word(case_id, after, steps, house, now))
    if after.receipt_to_post and not before.receipt_to_post:
        found += acts.notices(case_id, after, house, "receipt_by_post", "officer", now=now)
    return found + handling.tell_authors(held, after, house, by=by, now=now)


def _is_earlier(one: Deadline | None, other: Deadline | None) -> bool:
    if one is None or other is None:
        return one is not None
    return (one.limit, one.target) < (other.limit, other.target)


def _answer_taken_back(case: Complaint, reason: str) -> Complaint:
    answer = case.answer
    if answer is None or answer.submitted_at is None:
        return case
    return replace(case, answer=replace(answer.taken_back, returned=reason))


def _told(case: Complaint) -> dict[str, Any]:
    """What the event tells of both sides."""
    due = case.answer_due
    return {
        "audience": case.audience,
        "scope": case.scope,
        "pack": case.pack,
        "limit": due.limit.isoformat() if due else None,
    }
