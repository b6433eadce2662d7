"""The copy's summary, to be read by a person: in the client's language, PDF/A-2u."""

from functools import cache
from pathlib import Path
from typing import Any, cast

import msgspec

from chalicelib.documents.dossier import Chapter, Dossier, Line
from chalicelib.documents.sheet import Language
from chalicelib.kernel.days import day
from chalicelib.letters.senders import local
from chalicelib.portability.contents import Known

_WORDS = Path(__file__).parent / "words.toml"
_MOMENT = {"pl": "{:%d.%m.%Y %H:%M}", "en": "{:%Y-%m-%d %H:%M}", "ru": "{:%d.%m.%Y %H:%M}"}
Words = dict[str, Any]


@cache
def words(language: str) -> Words:
    """One language's words of the copy."""
    found: dict[str, Words] = msgspec.toml.decode(_WORDS.read_bytes())
    return found[language]


def readme(told: Known) -> str:
    """What lies where, and how to check it."""
    return str(words(told.language)["readme"]["text"]).lstrip()


def rendered(told: Known, *, made: Any) -> bytes:
    """The summary's PDF; `made`: the moment of the copy."""
    from chalicelib.documents import dossier

    return dossier.render(summary(told, made=made))


def summary(told: Known, *, made: Any) -> Dossier:
    """The summary; the same for the same facts."""
    said = words(told.language)
    on = local(made, told.house).date()
    return Dossier(
        language=cast(Language, told.language),
        title=said["title"],
        subtitle=said["subtitle"],
        made=f"{said['made_on']}: {day(on, told.language)}",
        made_on=on,
        reference=told.held.key.id,
        page=said["page"],
        continued=said["continued"],
        chapters=(
            _identity(told, said),
            _controller(told, said),
            _consents(told, said),
            _declarations(told, said),
            _complaints(told, said),
            _letters(told, said),
            _rights(told, said),
        ),
    )


def _identity(told: Known, said: Words) -> Chapter:
    client, identity = told.held.value, told.held.value.identity
    contract = said["contracts"][client.contract.state]
    if client.contract.ended_on:
        contract = f"{contract}, {day(client.contract.ended_on, told.language)}"
    facts = {
        "name": identity.name,
        "email": identity.email,
        "phone": identity.phone,
        "address": identity.address,
        "language": said["languages"].get(identity.language, identity.language),
        "since": _at(told, client.created),
        "contract": contract,
        "notice": _at(told, client.notice.at) if client.notice else said["none"],
    }
    lines = (Line(label=said[name], value=value) for name, value in facts.items() if value)
    return Chapter(title=said["identity"], lines=tuple(lines))


def _controller(told: Known, said: Words) -> Chapter:
    one = told.house.settings.controller
    lines = [
        Line(label=said["name"], value=one.name, more=f"{one.address}\n{one.registry_number}"),
        Line(label=said["email"], value=one.email),
        Line(label=said["phone"], value=one.phone),
    ]
    if one.dpo_line:
        lines.append(Line(label=said["dpo"], value=one.dpo_line))
    return Chapter(title=said["controller"], lines=tuple(lines))


def _consents(told: Known, said: Words) -> Chapter:
    """Each standing with the very words that it rests on."""
    known = {one.purpose: one.texts for one in told.house.catalogue.purposes}
    lines = []
    for purpose, one in told.held.value.standings.items():
        texts = known.get(purpose, {})
        title = texts[told.language].title if told.language in texts else purpose
        wording = told.wordings.get(one.wording_id)
        how = f"{_at(told, one.at)}, {said['proofs'][one.proof]}"
        more = f"{how}\n{wording.text}" if wording else how
        state = said["states"].get(one.state, one.state)
        lines.append(Line(label=title, value=state, more=more))
    return Chapter(title=said["consents"], lines=tuple(lines))


def _declarations(told: Known, said: Words) -> Chapter:
    lines = []
    for one in told.declarations:
        progress = told.held.value.declaration(one.declaration_id)
        state = said["progress"][progress.state]
        if progress.decided:
            state = f"{state}, {_at(told, progress.decided)}"
        lines.append(Line(label=_at(told, one.created), value=one.code, more=state))
    return Chapter(title=said["declarations"], lines=tuple(lines))


def _complaints(told: Known, said: Words) -> Chapter:
    lines = (
        Line(label=_at(told, one.value.received_at), value=one.value.reference)
        for one in told.cases
    )
    return Chapter(title=said["complaints"], lines=tuple(lines))


def _letters(told: Known, said: Words) -> Chapter:
    lines = (
        Line(
            label=_at(told, one.sent_at),
            value=said["templates"].get(one.template, one.template),
            more=f"{one.letter_id}.eml",
        )
        for one in told.letters
        if one.sent_at
    )
    return Chapter(title=said["letters"], lines=tuple(lines))


def _rights(told: Known, said: Words) -> Chapter:
    settings = told.house.settings
    text = said["rights"].format(
        page=f"{settings.host}/p",
        email=settings.controller.email,
        phone=settings.controller.phone,
    )
    return Chapter(title=said["rights_title"], lines=(Line(label="", value="", more=text),))


def _at(told: Known, moment: Any) -> str:
    return _MOMENT[told.language].format(local(moment, told.house))
