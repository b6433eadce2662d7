"""Where else to turn (M108): what the organisation publishes goes before the rules' own phrases.

A phrase that says how to reach a body gives way to what was published of it: nobody is sent to an
address that the organisation has corrected. What names no address, such as the way to a court,
stays. Where nothing was published the pack's phrases say it all, and where it has none, what comes
with Duly does.
"""

from collections.abc import Iterator

from chalicelib.complaints import phrases
from chalicelib.complaints.case import Complaint
from chalicelib.complaints.handling import MOST_ELEMENT
from chalicelib.policy.packs import LetterKind, Pack
from chalicelib.policy.reasons import LANGUAGES
from chalicelib.ports import Body, Elsewhere, Ports

_REFUSAL: LetterKind = "refusal"
_LETTERS: tuple[LetterKind, ...] = ("answer", _REFUSAL)


def told(ports: Ports, org: str, case: Complaint) -> Elsewhere:
    """What is in force today for who has such a case."""
    return ports.elsewhere(ports, org, case.policy.pack)


def bodies(pack: Pack, known: Elsewhere) -> tuple[Body, ...]:
    """For a page or a letter that no officer finishes: whom to turn to, and the whole how.

    Of a body that an officer must think about first, such as an ombudsman for people alone, such a
    letter says nothing.
    """
    ready = {key: one for key, one in _phrases(pack) if all(one.how.values())}
    if not known.own:
        return tuple(ready.values()) or tuple(map(_whole, _nearest_first(pack, known)))
    doubtful = {
        name
        for key in pack.letters.get(_REFUSAL, {})
        for name in phrases.named(pack, _REFUSAL, key)
        if key not in ready
    }
    return (
        *(_whole(one) for one in known.bodies if one.role not in doubtful),
        *(one for key, one in ready.items() if not phrases.named(pack, _REFUSAL, key)),
    )


def phrase(pack: Pack, letter: LetterKind, key: str, language: str, known: Elsewhere) -> str:
    """What an element of an answer begins from, with the published addresses in it."""
    said = phrases.element(pack, letter, key, language, _reached(known, language))
    if len(said) > MOST_ELEMENT:
        return phrases.element(pack, letter, key, language)
    return said


def published(pack: Pack, language: str, known: Elsewhere) -> tuple[str, ...]:
    """Every element of an answer, word for word, that has something published in it."""
    said = [
        (phrase(pack, letter, key, language, known), phrases.element(pack, letter, key, language))
        for letter in _LETTERS
        for key in pack.letters.get(letter, {})
    ]
    return tuple(ours for ours, plain in said if ours != plain)


def _phrases(pack: Pack) -> Iterator[tuple[str, Body]]:
    for key in pack.letters.get(_REFUSAL, {}):
        name = {one: phrases.title(_REFUSAL, key, one) for one in LANGUAGES}
        how = {one: phrases.ready(pack, _REFUSAL, key, one) for one in LANGUAGES}
        yield key, Body(name=name, how=how)


def _nearest_first(pack: Pack, known: Elsewhere) -> list[Body]:
    """First those that an answer under this pack would name: for data, the commissioner."""
    near = {
        name
        for letter in _LETTERS
        for key in pack.letters.get(letter, {})
        for name in phrases.named(pack, letter, key)
    }
    return sorted(known.bodies, key=lambda one: one.role not in near)


def _whole(one: Body) -> Body:
    how = {
        language: "\n".join(part for part in (one.about.get(language), ways) if part)
        for language, ways in one.how.items()
    }
    return Body(name=one.name, how=how, role=one.role)


def _reached(known: Elsewhere, language: str) -> dict[str, str]:
    """How each body is reached that the organisation published, the first of a role; and all."""
    if not known.own or not known.bodies:
        return {}
    ways = {one.role: one.how[language] for one in reversed(known.bodies) if one.role}
    everybody = (f"{one.name[language]}\n{_whole(one).how[language]}" for one in known.bodies)
    return ways | {phrases.EVERYBODY: "\n\n".join(everybody)}
