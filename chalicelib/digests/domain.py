"""What one person is told together: their due notices become one letter, once.

The notices of a person hang on an aggregate of their own, `O#<org>#PERSON#<staff id>`, whose root
has a version and nothing else of importance: a letter is written, and its notices are deleted, on
condition of it. So two ticks at once write one letter.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from chalicelib.kernel.change import SYSTEM, Change, Event, Held, Key, Letter, Notice, Part
from chalicelib.organisations.domain import Organisation
from chalicelib.policy.reasons import LANGUAGES

KIND = "PERSON"
MOST_NOTICES = 90  # each is a delete of the transaction, which has a hundred places
MOST_HEIRS = 3


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """The root: how many letters were written."""

    digests: int = 0


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that is due, and where it is kept."""

    sk: str
    notice: Notice


def untold(key: Key) -> Held[Desk]:
    """A person who was never told anything: the first letter creates the root."""
    return Held(key=key, value=Desk(), version=0, head="")


def digest(held: Held[Desk], due: Sequence[Waiting], *, language: str, now: datetime) -> Change:
    """One letter of all that is due, ninety notices at most; the rest comes with the next one."""
    taken = due[:MOST_NOTICES]
    facts = {
        "items": [_told(one.notice.data, language) for one in taken],
        "left_out": len(due) - len(taken),
    }
    letter = Letter(template="case_digest", to=f"staff:{held.key.id}", facts=facts, promised_at=now)
    return _change(
        held,
        "digest_promised",
        now,
        taken,
        Desk(digests=held.value.digests + 1),
        letters=(letter,),
    )


def came_back(held: Held[Desk], letter: Letter, *, now: datetime) -> Change | None:
    """A letter that its reader did not get goes to the controller, who knows where they are.

    None for one that went there already.
    """
    if letter.facts.get("instead"):
        return None
    again = _instead(letter, now)
    return _change(held, "digest_bounced", now, (), held.value, letters=(again,))


def month_came_back(held: Held[Organisation], letter: Letter, *, now: datetime) -> Change | None:
    """A month that its reader was not told goes to the controller, once (M87).

    None for the sign of life: who watches outside misses it, which is the alarm. The organisation's
    next day is due when it was.
    """
    if letter.template != "monthly_digest" or letter.facts.get("instead"):
        return None
    event = Event(kind="digest_bounced", actor=SYSTEM, at=now, body={"letter": letter.letter_id})
    return Change.of(
        held, held.value, event, letters=(_instead(letter, now),), due_at=held.value.due_at
    )


def _instead(letter: Letter, now: datetime) -> Letter:
    return Letter(
        template=letter.template,
        to=letter.to,
        facts=letter.facts | {"instead": True},
        promised_at=now,
    )


def hand_on(
    held: Held[Desk], due: Sequence[Waiting], heirs: Sequence[str], *, now: datetime
) -> Change:
    """The notices of somebody who left go to others, who are told next."""
    heirs = heirs[:MOST_HEIRS]
    taken = due[: MOST_NOTICES // (1 + len(heirs))]
    notices = tuple(
        msgspec.structs.replace(one.notice, person=heir, due_at=now)
        for one in taken
        for heir in heirs
    )
    return _change(held, "notices_handed_on", now, taken, held.value, notices=notices)


def _told(data: dict[str, Any], language: str) -> dict[str, Any]:
    """What a letter keeps of a notice: its reasons in the reader's language alone."""
    why = data.get("why") or {}
    spoken = language if language in LANGUAGES else LANGUAGES[0]
    return data | {"why": why.get(spoken, "") if isinstance(why, dict) else str(why)}


def _change(
    held: Held[Desk],
    kind: str,
    now: datetime,
    taken: Iterable[Waiting],
    root: Desk,
    *,
    letters: Sequence[Letter] = (),
    notices: Sequence[Notice] = (),
) -> Change:
    gone = [one.sk for one in taken]
    return Change.of(
        held,
        root,
        Event(kind=kind, actor=SYSTEM, at=now, body={"notices": gone}),
        parts=tuple(Part(sk=sk, data=None) for sk in gone),
        letters=letters,
        notices=notices,
    )
