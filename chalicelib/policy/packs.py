"""Policy packs: the dated rules of one jurisdiction, as data with their sources.

A pack is `packs/<name>.toml`, its name beginning with its jurisdiction's letters. A correction is
a new file, `<name>.2.toml`, for a released edition is never edited: a case pins `<name>.<edition>`
when it is received, and keeps it (D20). A pack may inherit from another. What it then does not say
itself is the other's, and, where it says so, flagged: of confidence L, which staff see as
"unverified". `without` names what it leaves behind.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from functools import cache, reduce
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec

from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.workdays import Unit
from chalicelib.policy import PACKS

FOLDER = Path(__file__).parent / "packs"

Confidence = Literal["H", "M", "L"]
Audience = Literal["natural", "legal"]
Scope = Literal["complaint", "data_protection"]
AUDIENCES: tuple[Audience, ...] = get_args(Audience)
SCOPES: tuple[Scope, ...] = get_args(Scope)
Form = Literal["paper", "electronic", "oral"]
Trigger = Literal[
    "received",
    "agent_received",
    "registered",
    "answer_written",
    "final_sent",
    "closed",
    "claim_raised",
    "claim_received",
    "concluded",
]
Kind = Literal["target", "limit", "alarm"]
LetterKind = Literal["acknowledgement", "answer", "refusal", "extension"]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Days = Annotated[int, msgspec.Meta(ge=0)]


class PackUnknown(NotFound):
    """No pack of this name or edition, or none for this audience."""

    code = "pack_unknown"
    sentence = "There is no policy pack of this name."


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a fact was read, and when; without a day it is from memory, and its facts are L."""

    document: Text
    address: str = ""
    verified_on: date | None = None


class Cited(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact: the pack's key of its source, and how sure it is. L is "unverified" to staff."""

    source: Text
    confidence: Confidence
    inherited_from: str = ""

    @property
    def unverified(self) -> bool:
        """Whether staff must see that nobody has checked it."""
        return self.confidence == "L"


class Worded(Cited, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact with its words, our own, in the three languages."""

    pl: Text
    en: Text
    ru: Text


class Element(Worded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a letter must hold; `when` says under which outcome."""

    when: Literal["always", "unless_granted", "if_granted", "if_incomplete"] = "always"


class Rule(Cited, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A term: so much after an event, counted and rolled so, kept by sending, delivery or an event.

    A `limit` is the law's, a `target` is what is aimed at, an `alarm` is the outer edge at which
    somebody must be woken.
    """

    trigger: Trigger
    amount: Days
    unit: Unit
    start: Literal["same_day", "next_day"] = "next_day"
    roll: Literal["none", "next_working", "next_not_sat_hol"] = "none"
    satisfied_by: Literal["sent", "delivered", "event"]
    kind: Kind
    who: Literal["agent", "quality", "handler", "system", "client", "organisation"]
    reckoning: str = ""


class Registration(Cited, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an arrival is registered: that day, or the next working one after `until` (M41-M43)."""

    opens: time
    until: time


class Acknowledgement(Cited, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To whom receipt is confirmed without being asked (M48)."""

    electronic: Literal["always", "on_request", "never"]
    paper: Literal["always", "on_request", "never"]


class ReplyForm(Cited, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form of the answer by the form of the complaint, and what the client may ask for."""

    paper: Literal["paper", "electronic"]
    electronic: Literal["paper", "electronic"]
    oral: Literal["paper", "electronic"]
    client_may_choose: tuple[Literal["paper", "electronic"], ...] = ()

    def of(self, complaint: Form, asked: str = "") -> Literal["paper", "electronic"]:
        """The form of the answer to a complaint of this form, when the client asked for that."""
        for choice in self.client_may_choose:
            if choice == asked:
                return choice
        form: Literal["paper", "electronic"] = getattr(self, complaint)
        return form


class Intake(Cited, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The forms in which complaints must be taken."""

    forms: tuple[Form, ...]


class Extension(Cited, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a rule may be extended: in all from its trigger, or beyond its limit.

    Without an amount there is no upper limit (D6). `reasons` are the only lawful ones, if the
    source names any.
    """

    rule: str
    amount: Days | None = None
    unit: Unit = "calendar_day"
    beyond: Literal["trigger", "limit"] = "trigger"
    reasons: dict[str, Worded] = {}


class Ground(Worded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why consideration may be suspended, in the wording of its closing letter (M73).

    `counted` grounds need the requests, the wait, and that the organisation can't get what it
    asks for by itself.
    """

    counted: bool


class Suspension(Cited, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Three requests, five to ten days apart, and thirty days after the last (M62-M73)."""

    requests: Annotated[int, msgspec.Meta(ge=1)]
    gap_least: Days
    gap_most: Days
    wait: Days
    grounds: dict[str, Ground]


class DataConsent(Cited, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The client's consent to the processing of data, as an answer by e-mail needs it (M82).

    `proofs` are those that will do; `separate_since`: from that day on it is a document of its
    own, not merged with another.
    """

    proofs: tuple[Literal["signature", "email_click", "record", "oral"], ...]
    separate_since: date | None = None


class Pack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All rules that apply to what is received from `effective_from` to `effective_to`.

    `calendar` is the country whose working days are meant, empty where the organisation's own is.
    `email_reserve`, `post_reserve`, `delivery_reserve`: open days kept in hand before a target by
    who sends an e-mail, posts a letter, or must have it delivered: the house's caution, not law.
    """

    pack: str
    edition: Annotated[int, msgspec.Meta(ge=1)] = 1
    title: Text
    jurisdiction: Text
    audience: tuple[Audience, ...]
    scope: Scope = "complaint"
    calendar: str = ""
    effective_from: date
    effective_to: date = date.max
    superseded_by: str = ""
    inherits: str = ""
    email_reserve: Days = 0
    post_reserve: Days = 1
    delivery_reserve: Days = 5
    sources: dict[str, Source]
    registration: Registration
    acknowledgement: Acknowledgement
    intake: Intake
    reply_form: ReplyForm
    data_consent: DataConsent | None = None
    rules: dict[str, Rule]
    reckonings: dict[str, Worded] = {}
    letters: dict[LetterKind, dict[str, Element]] = {}
    no_answer: dict[str, Worded] = {}
    extension: Extension | None = None
    suspension: Suspension | None = None
    remarks: dict[str, Worded] = {}

    @property
    def pin(self) -> str:
        """What a case keeps: this pack in this edition."""
        return f"{self.pack}.{self.edition}"

    def in_force(self, day: date) -> bool:
        """Whether it governs what is received that day."""
        return self.effective_from <= day <= self.effective_to

    def facts(self) -> Iterable[tuple[str, Cited]]:
        """Every fact with its path, such as `rules.answer`."""
        return _facts(self, "")


def _facts(value: Any, path: str) -> Iterable[tuple[str, Cited]]:
    if isinstance(value, Cited):
        yield path, value
    if isinstance(value, Mapping):
        inner: Iterable[tuple[str, Any]] = value.items()
    elif isinstance(value, msgspec.Struct):
        inner = ((name, getattr(value, name)) for name in value.__struct_fields__)
    else:
        return
    for name, each in inner:
        yield from _facts(each, f"{path}.{name}".lstrip("."))


@cache
def load(name: str, folder: Path = FOLDER) -> Pack:
    """The pack of this name in its newest edition, or of this pin in its own; `PackUnknown`.

    `ValueError` names what does not hold together, which a test makes sure of before a release.
    """
    file = _file(name, folder)
    try:
        pack = msgspec.convert(
            _merged(file, folder), Pack, strict=True, builtin_types=(date, datetime, time)
        )
    except msgspec.ValidationError as error:
        raise ValueError(f"{file.name}: {error}") from error
    _check(pack, file)
    return pack


def choose(name: str, *, audience: Audience, received_on: date, scope: Scope | None = None) -> Pack:
    """The pack for what was received on this day of the organisation's zone (D20).

    It is the settings' own one where that fits; else, of its jurisdiction, the one then in force
    for the audience and scope. Nothing is refused for want of a pack: where none was in force yet,
    the oldest one counts, and where none is for this audience, one for the other.
    """
    named = load(name)
    wanted = scope or named.scope
    family = [pack for pack in _kin(name) if pack.scope == wanted] or [named]
    fitting = [pack for pack in family if audience in pack.audience] or family
    if named in fitting and named.in_force(received_on):
        return named
    in_force = [pack for pack in fitting if pack.in_force(received_on)]
    if in_force:
        return max(in_force, key=_since)
    earlier = [pack for pack in fitting if pack.effective_from <= received_on]
    return max(earlier, key=_since) if earlier else min(fitting, key=_since)


def scopes(name: str, *, audience: Audience, received_on: date) -> tuple[Scope, ...]:
    """What this audience could complain of that day under rules of its own; a complaint always."""
    own = {
        pack.scope
        for pack in _kin(name)
        if audience in pack.audience and pack.in_force(received_on)
    }
    return tuple(one for one in SCOPES if one == "complaint" or one in own)


def digests(folder: Path = FOLDER) -> dict[str, str]:
    """The SHA-256 of every pack's file: what has been released stays as it was."""
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.glob("*.toml"))
    }


def _kin(name: str) -> Iterable[Pack]:
    """The packs of its jurisdiction in their newest editions; no other file is read."""
    return (load(each) for each in PACKS if _prefix(each) == _prefix(name))


def _prefix(name: str) -> str:
    return name.partition("-")[0]


def _since(pack: Pack) -> date:
    return pack.effective_from


def _file(name: str, folder: Path) -> Path:
    stem, _, edition = name.partition(".")
    editions = {_edition(file): file for file in folder.glob(f"{stem}.*") if file.suffix == ".toml"}
    if not editions or (edition and edition not in map(str, editions)):
        raise PackUnknown(name)
    return editions[int(edition) if edition else max(editions)]


def _edition(file: Path) -> int:
    return int(file.stem.partition(".")[2] or 1)


def _merged(file: Path, folder: Path) -> dict[str, Any]:
    import tomllib

    own = tomllib.loads(file.read_text(encoding="utf-8"))
    flagged, without = own.pop("inherited_is_unverified", False), own.pop("without", [])
    if not (parent := own.get("inherits")):
        return own
    base = _merged(_file(parent, folder), folder)
    for name in ("edition", "effective_to", "superseded_by"):
        base.pop(name, None)
    for path in without:
        *outer, last = path.split(".")
        del reduce(dict.__getitem__, outer, base)[last]
    _mark(base, parent, flagged)
    merged: dict[str, Any] = _over(base, own)
    return merged


def _mark(table: dict[str, Any], parent: str, flagged: bool) -> None:
    if "confidence" in table:
        table["inherited_from"] = parent
        if flagged:
            table["confidence"] = "L"
    for inner in table.values():
        if isinstance(inner, dict):
            _mark(inner, parent, flagged)


def _over(base: Any, own: Any) -> Any:
    """Tables are merged key by key; a fact that the pack states with its source stands alone."""
    if not (isinstance(base, dict) and isinstance(own, dict)) or "source" in own:
        return own
    merged: dict[str, Any] = {name: _over(base.get(name), each) for name, each in own.items()}
    return base | merged


def _check(pack: Pack, file: Path) -> None:
    named = (file.stem.partition(".")[0], _edition(file))
    wrong = [
        f"{path}: no source {fact.source}"
        for path, fact in pack.facts()
        if fact.source not in pack.sources
        or (pack.sources[fact.source].verified_on is None and not fact.unverified)
    ]
    wrong += [
        f"rules.{name}: no reckoning {rule.reckoning}"
        for name, rule in pack.rules.items()
        if rule.reckoning and rule.reckoning not in pack.reckonings
    ]
    holds = {
        "the file's name": (pack.pack, pack.edition) == named,
        "effective dates": pack.effective_from <= pack.effective_to,
        "an audience": bool(pack.audience),
        "the office's day": pack.registration.opens < pack.registration.until,
        "the extended rule": pack.extension is None or pack.extension.rule in pack.rules,
        "the gaps": pack.suspension is None
        or pack.suspension.gap_least <= pack.suspension.gap_most,
    }
    wrong += [f"{what} does not hold" for what, right in holds.items() if not right]
    if wrong:
        raise ValueError(f"{file.name}: {'; '.join(wrong)}")
