"""The rules of an organisation: settings that hold together, used wordings that never change.

A wording is what a client is shown: the purpose's text with the controller merged in, one version,
one language. Its id is the digest of what it says, so it can't be edited: another text is another
wording (S26). Editing a purpose or the controller makes new wordings; the old ones stay.
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import date, datetime, time
from enum import StrEnum
from functools import cache
from typing import Any, Literal

import msgspec
from msgspec.structs import asdict, replace

from chalicelib.kernel import text
from chalicelib.kernel.change import (
    SYSTEM,
    Actor,
    Change,
    Event,
    Held,
    Key,
    Letter,
    Once,
    Origin,
    Part,
)
from chalicelib.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from chalicelib.kernel.workdays import DAY, Override, instant, local
from chalicelib.organisations import defaults
from chalicelib.policy import COUNTRIES, PACKS
from chalicelib.policy.packs import load

LANGUAGES = ("pl", "en", "ru")
NOTICE = "notice"
BUILT_IN = (*defaults.PURPOSES, *defaults.FURTHER)
MOST_PURPOSES = 20
MOST_CATALOGUE = 300_000  # bytes: it is one item of the table, which takes 400 KB
MOST_WORDING = 24_000  # characters, with the controller merged in
MOST_STAFF = 500
MOST_HOST = 49  # with the longest page and token a link has 200 characters at most (R19)
_ORIGIN = re.compile(r"(https?)://([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?")


class Role(StrEnum):
    """What a member of staff may do; `admin` may change settings, catalogue and directory."""

    AGENT = "agent"
    QUALITY = "quality"
    HEAD = "head"
    ADMIN = "admin"


class DataProtectionOfficer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom a client may ask about the data (GDPR Art. 13(1)(b))."""

    name: str
    email: str


class Controller(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who decides about the data: usually the agency itself (S4)."""

    name: str
    address: str
    registry_number: str
    email: str
    phone: str
    dpo: DataProtectionOfficer | None = None

    @property
    def dpo_line(self) -> str | None:
        """How to reach the data-protection officer, on one line."""
        return f"{self.dpo.name}, {self.dpo.email}" if self.dpo else None


class Sender(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name and the verified address that letters come from."""

    name: str
    email: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of where an act came from (R23)."""

    address: bool = True
    user_agent: bool = True

    def kept(self, origin: Origin) -> Origin:
        """As much of where an act came from as the organisation keeps."""
        return Origin(
            address=origin.address if self.address else "",
            agent=origin.agent if self.user_agent else "",
        )


class Entitlements(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the organisation's plan includes (S25, S42, D16)."""

    edit_catalogue: bool = True
    default_attachments: bool = True


class Hours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Working hours, local time `HH:MM`; weekdays 1 (Monday) to 7."""

    days: tuple[int, ...] = (1, 2, 3, 4, 5)
    start: str = "09:00"
    end: str = "17:00"


class Rung(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rung of the ladder: whom to warn, how many days before the target or after the limit.

    `daily`: again on every working day from then on.
    """

    to: Literal["officer", "head", "management"]
    of: Literal["target", "limit"] = "target"
    before: int = 0
    daily: bool = False


LADDER = (
    Rung(to="officer", before=10),
    Rung(to="officer", before=5),
    Rung(to="officer", before=2),
    Rung(to="head", before=1),
    Rung(to="head"),
    Rung(to="management", of="limit"),
    Rung(to="management", of="limit", before=-1, daily=True),
)


class ComplaintSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How complaints are taken in and watched over.

    `country`: whose holidays count where the pack names none; `days`: what the organisation knows
    better than the table. `mailbox` takes complaints in, `watch_email` gets the daily sign of life,
    and belongs outside. `management` are staff ids; without any, the administrators. `keep_years`
    where the pack says nothing of keeping, or less. `hourly_most`: submissions of one address.
    """

    country: str = ""
    days: tuple[Override, ...] = ()
    hours: Hours = Hours()
    mailbox: str = ""
    watch_email: str = ""
    ladder: tuple[Rung, ...] = LADDER
    approval: bool = False
    management: tuple[str, ...] = ()
    keep_years: int = 3
    hourly_most: int = 10
    repeats: int = 5


class Keeping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long clients are kept without a basis, and the evidence of a withdrawal (S15, D22).

    `unmatched_days`: how long a scanned page waits for somebody who knows whose it is (S37).
    """

    grace_days: int = 30
    unmatched_days: int = 90
    evidence_years: int = 6


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an administrator sets.

    `languages`: the first is the default. `link_days`, `reminder_days`: whole days from sending;
    the reminder comes before the link's end.
    """

    controller: Controller
    sender: Sender
    host: str
    languages: tuple[str, ...]
    time_zone: str
    policy_pack: str
    link_days: int = 14
    reminder_days: int = 3
    evidence: Evidence = Evidence()
    help_link: str = ""
    complaints: ComplaintSettings = ComplaintSettings()
    keeping: Keeping = Keeping()

    def spoken(self, wanted: str) -> str:
        """This language, as far as the organisation speaks it; else its own."""
        return wanted if wanted in self.languages else self.languages[0]


class Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the catalogue: its texts by language, and the wordings now shown.

    `months`: how long a consent to it is good for; 0 for good.
    """

    purpose: str
    texts: dict[str, defaults.Text]
    wordings: dict[str, str] = {}
    hidden: bool = False
    months: int = 0


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """What a client is shown of one purpose in one language. Never edited: the id is its digest."""

    wording_id: str
    purpose: str
    language: str
    title: str
    text: str


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the directory; `staff_id` is the subject of their sign-in."""

    staff_id: str
    name: str
    email: str
    role: Role
    department: str = ""
    position: str = ""
    language: str = "en"
    hours: Hours = Hours()
    active: bool = True
    default_attachments: tuple[str, ...] = ()


class Routine(msgspec.Struct, frozen=True, kw_only=True):
    """What an organisation does by itself each day when the office opens, weekends too.

    `next_at` is when it is due; `month` the last one (`2026-11`) that heads were told of.
    """

    next_at: datetime
    month: str


class Organisation(msgspec.Struct, frozen=True, kw_only=True):
    """The root: what every request needs. Catalogue and directory are parts of their own.

    `routine` is begun by the founding, or by the next change of who was founded before there was
    one.
    """

    org: str
    settings: Settings
    entitlements: Entitlements
    lookup_salt: str
    created_at: datetime
    routine: Routine | None = None

    @property
    def due_at(self) -> datetime | None:
        """When the agenda has the organisation next; every change of it says so anew."""
        return self.routine.next_at if self.routine else None


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """The purposes in the order in which they are shown."""

    purposes: tuple[Purpose, ...]

    def get(self, purpose: str) -> Purpose:
        """The entry; `PurposeUnknown` where there is none."""
        for entry in self.purposes:
            if entry.purpose == purpose:
                return entry
        raise PurposeUnknown

    @property
    def months(self) -> dict[str, int]:
        """How long a consent to each purpose is good for, where it is not for good."""
        return {entry.purpose: entry.months for entry in self.purposes if entry.months}

    @property
    def visible(self) -> tuple[Purpose, ...]:
        """What is asked of clients now (S22)."""
        return tuple(entry for entry in self.purposes if not entry.hidden)


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """The people of the organisation."""

    members: tuple[Member, ...] = ()

    def get(self, staff_id: str) -> Member:
        """The person; `MemberUnknown` where there is none."""
        for member in self.members:
            if member.staff_id == staff_id:
                return member
        raise MemberUnknown


class House(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation as most use cases need it: root, catalogue, directory, read in one call."""

    held: Held[Organisation]
    catalogue: Catalogue
    directory: Directory

    @property
    def organisation(self) -> Organisation:
        """The root's value."""
        return self.held.value

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.held.value.settings


class OrganisationUnknown(NotFound):
    code = "organisation_unknown"
    sentence = "There is no such organisation."


class PurposeUnknown(NotFound):
    code = "purpose_unknown"
    sentence = "The catalogue has no such purpose."


class WordingUnknown(NotFound):
    code = "wording_unknown"
    sentence = "There is no such wording."


class PurposeExists(Conflict):
    code = "purpose_exists"
    sentence = "The catalogue already has a purpose of this name."


class MemberUnknown(NotFound):
    code = "member_unknown"
    sentence = "The directory has no such person."


class AddressElsewhere(Conflict):
    code = "address_elsewhere"
    sentence = "Whoever runs Duly changes the host of links, the sender's domain and the mailbox."


class LastAdministrator(Conflict):
    code = "last_administrator"
    sentence = "Somebody has to remain who may change this."


class RoleElsewhere(Conflict):
    code = "role_elsewhere"
    sentence = "Whoever runs Duly changes a role, together with the sign-in."


class NotInPlan(Forbidden):
    code = "not_in_plan"
    sentence = "The organisation's plan does not include this."


class NoticeStays(Conflict):
    code = "notice_stays"
    sentence = "The notice is a legal duty: it can't be hidden."


class SettingRefused(Invalid):
    code = "setting_refused"
    sentence = "This value is not possible here."


class TooManyPurposes(Conflict):
    """Too many, or too long all together."""

    code = "too_many_purposes"
    sentence = "The catalogue is full."


class OrderRefused(Invalid):
    code = "order_refused"
    sentence = "Name every purpose of the catalogue exactly once."


def found(
    org: str, settings: Settings, lookup_salt: str, admin: Member, *, now: datetime
) -> Change:
    """A new organisation with the default catalogue and its first administrator."""
    settings = checked(settings)
    needed = needed_purposes(settings)
    blank = Catalogue(
        purposes=tuple(
            Purpose(
                purpose=purpose,
                texts=dict(texts),
                hidden=purpose in defaults.FURTHER and purpose not in needed,
            )
            for purpose, texts in defaults.default_texts().items()
        )
    )
    catalogue, wordings = _worded(blank, settings)
    root = Organisation(
        org=org,
        settings=settings,
        entitlements=Entitlements(),
        lookup_salt=lookup_salt,
        created_at=now,
        routine=_routine(settings, now),
    )
    return Change(
        key=key(org),
        version=0,
        head="",
        root=root,
        due_at=root.due_at,
        event=Event(kind="organisation_founded", actor=Actor("system"), at=now, body={}),
        parts=(
            Part(sk="CATALOGUE", data=catalogue, create=True),
            Part(sk="STAFF", data=Directory(members=(_checked_member(admin),)), create=True),
            *wordings,
        ),
    )


def needed_purposes(settings: Settings) -> tuple[str, ...]:
    """The purposes beside the usual ones that the policy pack builds on (M82)."""
    return ("data_processing",) if load(settings.policy_pack).data_consent else ()


def key(org: str) -> Key:
    """Where an organisation is kept."""
    return Key(org, "ORGANISATION", org)


def change_settings(house: House, settings: Settings, *, by: Actor, now: datetime) -> Change:
    """New settings; what clients are shown follows, as new wordings, where it names the controller.

    A language is added once every purpose has its text in it. `AddressElsewhere` when staff change
    where links lead, the domain that letters come from or the mailbox: whoever runs Duly sets them
    up; another's host would be handed working links, another's domain would be written from, and
    mail to another's box would not come here.
    """
    settings = checked(settings)
    before = house.settings
    if by.kind == "staff" and settings.host != before.host:
        raise AddressElsewhere(field="host")
    if by.kind == "staff" and _domain(settings.sender) != _domain(before.sender):
        raise AddressElsewhere(field="sender.email")
    if by.kind == "staff" and settings.complaints.mailbox != before.complaints.mailbox:
        raise AddressElsewhere(field="complaints.mailbox")
    spoken = set(settings.languages)
    _require(all(spoken <= set(one.texts) for one in house.catalogue.purposes), "languages")
    catalogue, wordings = _worded(house.catalogue, settings)
    return _changed(
        house,
        replace(house.organisation, settings=settings),
        Event(kind="settings_changed", actor=by, at=now, body=msgspec.to_builtins(settings)),
        parts=(Part(sk="CATALOGUE", data=catalogue), *wordings),
    )


def edit_purpose(
    house: House,
    purpose: str,
    *,
    by: Actor,
    now: datetime,
    texts: dict[str, defaults.Text] | None = None,
    hidden: bool | None = None,
    months: int | None = None,
) -> Change:
    """Other texts for a purpose, or shown and hidden (S22, S24); `NotInPlan` if not entitled.

    `months`: how long a consent that is given from now on is good for; 0 for good.
    """
    _entitled(house)
    entry = house.catalogue.get(purpose)
    if hidden and purpose == NOTICE:
        raise NoticeStays
    _require(months is None or (0 <= months <= 120 and purpose != NOTICE), "months")
    changed = replace(
        entry,
        texts=entry.texts if texts is None else _checked_texts(texts, house.settings),
        hidden=entry.hidden if hidden is None else hidden,
        months=entry.months if months is None else months,
    )
    purposes = [changed if one.purpose == purpose else one for one in house.catalogue.purposes]
    return _recatalogued(house, purposes, "purpose_edited", purpose, by=by, now=now)


def add_purpose(
    house: House,
    purpose: str,
    texts: dict[str, defaults.Text],
    *,
    once: Once,
    by: Actor,
    now: datetime,
) -> Change:
    """A consent of the organisation's own (S23)."""
    _entitled(house)
    if any(one.purpose == purpose for one in house.catalogue.purposes):
        raise PurposeExists
    if len(house.catalogue.purposes) >= MOST_PURPOSES:
        raise TooManyPurposes
    added = Purpose(purpose=purpose, texts=_checked_texts(texts, house.settings))
    purposes = [*house.catalogue.purposes, added]
    change = _recatalogued(house, purposes, "purpose_added", purpose, by=by, now=now)
    return replace(change, once=once)


def order_purposes(house: House, order: Iterable[str], *, by: Actor, now: datetime) -> Change:
    """The purposes in another order; the notice stays first: it comes before any consent (S7)."""
    _entitled(house)
    names = list(order)
    if names[:1] != [NOTICE] or sorted(names) != sorted(
        one.purpose for one in house.catalogue.purposes
    ):
        raise OrderRefused(field="order")
    purposes = [house.catalogue.get(name) for name in names]
    return _recatalogued(house, purposes, "purposes_ordered", "", by=by, now=now)


def keep_member(house: House, member: Member, *, by: Actor, now: datetime) -> Change:
    """A person added to the directory, or changed in it.

    `RoleElsewhere` for another role: a role counts only where the sign-in's group says the same, so
    whoever runs Duly changes both at once (`infra.organisation`).
    """
    member = _checked_member(member)
    others = tuple(one for one in house.directory.members if one.staff_id != member.staff_id)
    known = [one for one in house.directory.members if one.staff_id == member.staff_id]
    if by.kind == "staff" and known and known[0].role is not member.role:
        raise RoleElsewhere(field="role")
    if len(others) >= MOST_STAFF:
        raise SettingRefused(field="staff_id")
    left = any(one.active and one.role is Role.ADMIN for one in (*others, member))
    if by.kind == "staff" and not left:
        raise LastAdministrator(field="active")
    return _restaffed(house, (*others, member), "member_kept", member.staff_id, by=by, now=now)


def set_default_attachments(
    house: House, staff_id: str, files: tuple[str, ...], *, by: Actor, now: datetime
) -> Change:
    """The files that go with each message of one person (S42); `NotInPlan` if not entitled."""
    if not house.organisation.entitlements.default_attachments:
        raise NotInPlan
    member = replace(house.directory.get(staff_id), default_attachments=files)
    members = tuple(member if one.staff_id == staff_id else one for one in house.directory.members)
    return _restaffed(house, members, "default_attachments_set", staff_id, by=by, now=now)


def entitle(house: House, entitlements: Entitlements, *, by: Actor, now: datetime) -> Change:
    """Another plan: set by whoever runs Duly, not by the organisation itself."""
    return _changed(
        house,
        replace(house.organisation, entitlements=entitlements),
        Event(kind="entitled", actor=by, at=now, body=asdict(entitlements)),
    )


def day_begun(
    house: House, *, told: str, letters: tuple[Letter, ...], body: dict[str, Any], now: datetime
) -> Change:
    """The day's routine is done: due again when the office opens next; `told`: the last month."""
    routine = replace(_routine(house.settings, now), month=told)
    return Change.of(
        house.held,
        replace(house.organisation, routine=routine),
        Event(kind="day_begun", actor=SYSTEM, at=now, body=body),
        letters=letters,
        due_at=routine.next_at,
    )


def wording_of(purpose: str, language: str, title: str, body: str) -> Wording:
    """The wording of these words: its id is the digest of purpose, language, title and text."""
    raw = "\0".join((purpose, language, title, body)).encode()
    digest = urlsafe_b64encode(hashlib.sha256(raw).digest()[:18]).decode()
    return Wording(wording_id=digest, purpose=purpose, language=language, title=title, text=body)


def checked(settings: Settings) -> Settings:
    """The settings, normalised; `Invalid` names the field that does not hold."""
    controller, sender = settings.controller, settings.sender
    dpo = controller.dpo and DataProtectionOfficer(
        name=text.line(controller.dpo.name, "controller.dpo.name"),
        email=text.email(controller.dpo.email, "controller.dpo.email"),
    )
    _require(zoneinfo_known(settings.time_zone), "time_zone")
    _require(settings.policy_pack in PACKS, "policy_pack")
    _require(0 < len(settings.languages) == len(set(settings.languages)), "languages")
    _require(set(settings.languages) <= set(LANGUAGES), "languages")
    _require(1 <= settings.link_days <= 60, "link_days")
    _require(0 <= settings.reminder_days < settings.link_days, "reminder_days")
    _require(_is_origin(settings.host), "host")
    _require(0 <= settings.keeping.grace_days <= 365, "keeping.grace_days")
    _require(1 <= settings.keeping.unmatched_days <= 365, "keeping.unmatched_days")
    _require(1 <= settings.keeping.evidence_years <= 30, "keeping.evidence_years")
    _require(settings.help_link == "" or _is_link(settings.help_link), "help_link")
    return replace(
        settings,
        complaints=_checked_complaints(settings.complaints),
        controller=Controller(
            name=text.line(controller.name, "controller.name", most=120),
            address=text.line(controller.address, "controller.address"),
            registry_number=text.line(controller.registry_number, "controller.registry_number"),
            email=text.email(controller.email, "controller.email"),
            phone=text.phone(controller.phone, "controller.phone"),
            dpo=dpo,
        ),
        sender=Sender(
            name=text.line(sender.name, "sender.name", most=80),
            email=text.email(sender.email, "sender.email"),
        ),
    )


def _checked_complaints(given: ComplaintSettings) -> ComplaintSettings:
    _require(given.country == "" or given.country in COUNTRIES, "complaints.country")
    _require(_is_hours(given.hours), "complaints.hours")
    _require(1 <= len(given.ladder) <= 20, "complaints.ladder")
    _require(all(-30 <= rung.before <= 90 for rung in given.ladder), "complaints.ladder")
    _require(_warns(given.ladder), "complaints.ladder")
    _require(len(given.days) <= 200, "complaints.days")
    ends = ((one.until or one.on) - one.on for one in given.days)
    _require(all(0 <= one.days <= 60 for one in ends), "complaints.days")
    _require(len(given.management) <= 20, "complaints.management")
    _require(1 <= given.keep_years <= 30, "complaints.keep_years")
    _require(1 <= given.hourly_most <= 1000, "complaints.hourly_most")
    _require(2 <= given.repeats <= 1000, "complaints.repeats")
    return replace(
        given,
        mailbox=given.mailbox and text.email(given.mailbox, "complaints.mailbox"),
        watch_email=given.watch_email and text.email(given.watch_email, "complaints.watch_email"),
    )


def _warns(ladder: tuple[Rung, ...]) -> bool:
    """No deadline passes in silence: somebody is told before the limit, and somebody at it."""
    before = any(rung.before > 0 for rung in ladder)
    return before and any(rung.of == "limit" and rung.before == 0 for rung in ladder)


def _is_hours(hours: Hours) -> bool:
    times = _is_time(hours.start) and _is_time(hours.end) and hours.start < hours.end
    return times and bool(hours.days) and set(hours.days) <= set(range(1, 8))


def zoneinfo_known(name: str) -> bool:
    """Whether the name is a time zone of the tz database."""
    return name in _zones()


@cache
def _zones() -> frozenset[str]:
    """Their names, looked for once a process: they are six hundred files."""
    import zoneinfo

    return frozenset(zoneinfo.available_timezones())


def _is_origin(host: str) -> bool:
    """One plain origin in ASCII spelling, for every link in a letter begins with it (R19)."""
    shape = _ORIGIN.fullmatch(host) if len(host) <= MOST_HOST else None
    return shape is not None and (shape[1] == "https" or shape[2] in ("localhost", "127.0.0.1"))


def _is_link(link: str) -> bool:
    return re.fullmatch(r"https://[!-~]{1,190}", link) is not None


def _require(holds: bool, field: str) -> None:
    if not holds:
        raise SettingRefused(field=field)


def _domain(sender: Sender) -> str:
    return sender.email.rpartition("@")[2]


def _entitled(house: House) -> None:
    if not house.organisation.entitlements.edit_catalogue:
        raise NotInPlan


def _checked_texts(texts: dict[str, defaults.Text], settings: Settings) -> dict[str, defaults.Text]:
    """Every language of the organisation, and maybe one to come; placeholders can be merged."""
    if not set(settings.languages) <= set(texts) <= set(LANGUAGES):
        raise SettingRefused("Give the text in each language of the organisation.", field="texts")
    kept = {}
    for language, one in texts.items():
        body = text.block(one.text, f"texts.{language}.text", most=12_000)
        try:
            _merged(body, language, settings)
        except ValueError as error:
            raise SettingRefused(str(error), field=f"texts.{language}.text") from error
        title = text.line(one.title, f"texts.{language}.title", most=100)
        kept[language] = defaults.Text(title=title, text=body)
    return kept


def _checked_member(member: Member) -> Member:
    _require(_is_hours(member.hours), "hours")
    _require(member.language in LANGUAGES, "language")
    return replace(
        member,
        name=text.line(member.name, "name", most=80),
        email=text.email(member.email, "email"),
        department=member.department and text.line(member.department, "department"),
        position=member.position and text.line(member.position, "position"),
    )


def _is_time(moment: str) -> bool:
    hours, _, minutes = moment.partition(":")
    digits = len(moment) == 5 and hours.isdecimal() and minutes.isdecimal() and moment.isascii()
    return digits and int(hours) < 24 and int(minutes) < 60


def _recatalogued(
    house: House, purposes: Iterable[Purpose], kind: str, purpose: str, *, by: Actor, now: datetime
) -> Change:
    catalogue, wordings = _worded(Catalogue(purposes=tuple(purposes)), house.settings)
    shown = {one.purpose: one.wordings for one in catalogue.purposes}
    order = [one.purpose for one in catalogue.purposes]
    hidden = [one.purpose for one in catalogue.purposes if one.hidden]
    body = {
        "purpose": purpose,
        "order": order,
        "hidden": hidden,
        "wordings": shown.get(purpose, {}),
    }
    return _changed(
        house,
        house.organisation,
        Event(kind=kind, actor=by, at=now, body=body),
        parts=(Part(sk="CATALOGUE", data=catalogue), *wordings),
    )


def _restaffed(
    house: House, members: tuple[Member, ...], kind: str, staff_id: str, *, by: Actor, now: datetime
) -> Change:
    directory = Directory(members=members)
    person: dict[str, Any] = msgspec.to_builtins(directory.get(staff_id))
    return _changed(
        house,
        house.organisation,
        Event(kind=kind, actor=by, at=now, body=person),
        parts=(Part(sk="STAFF", data=directory),),
    )


def _changed(
    house: House, root: Organisation, event: Event, parts: tuple[Part, ...] = ()
) -> Change:
    """The change of an organisation, its routine begun if it has none yet; other hours move it."""
    routine = root.routine or _routine(root.settings, event.at)
    if root.settings != house.settings and routine is root.routine:
        day = local(routine.next_at, house.settings.time_zone).date()
        routine = replace(routine, next_at=_opening(root.settings, day))
    root = replace(root, routine=routine)
    return Change.of(house.held, root, event, parts=parts, due_at=root.due_at)


def _routine(settings: Settings, now: datetime) -> Routine:
    """The routine from the next opening on; of the months gone by nothing is to be told."""
    today = local(now, settings.time_zone).date()
    at = _opening(settings, today)
    past = (today.replace(day=1) - DAY).isoformat()[:7]
    return Routine(next_at=at if at > now else _opening(settings, today + DAY), month=past)


def _opening(settings: Settings, day: date) -> datetime:
    start = time.fromisoformat(settings.complaints.hours.start)
    return instant(day, start, settings.time_zone)


def _merged(body: str, language: str, settings: Settings) -> str:
    controller = settings.controller
    return defaults.merge(
        body,
        controller_name=controller.name,
        controller_address=controller.address,
        controller_registry_number=controller.registry_number,
        controller_email=controller.email,
        controller_phone=controller.phone,
        dpo=controller.dpo_line,
        language=language,
    )


def _worded(catalogue: Catalogue, settings: Settings) -> tuple[Catalogue, tuple[Part, ...]]:
    """The catalogue with the wordings that its texts make, and those that are new, to be kept.

    `TooManyPurposes` or `SettingRefused` where they are longer than the table takes.
    """
    purposes, parts = [], []
    for entry in catalogue.purposes:
        shown = {}
        for language, one in entry.texts.items():
            body = _merged(one.text, language, settings)
            if len(body) > MOST_WORDING:
                raise SettingRefused("With the controller merged in, a text is too long.")
            wording = wording_of(entry.purpose, language, one.title, body)
            shown[language] = wording.wording_id
            if entry.wordings.get(language) != wording.wording_id:
                parts.append(Part(sk=f"WORDING#{wording.wording_id}", data=wording))
        purposes.append(replace(entry, wordings=shown))
    made = Catalogue(purposes=tuple(purposes))
    if len(msgspec.json.encode(made)) > MOST_CATALOGUE:
        raise TooManyPurposes
    return made, tuple(parts)
