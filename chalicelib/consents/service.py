"""Use cases of declarations and their links."""

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from chalicelib.clients import domain as client_domain
from chalicelib.clients import service as client_service
from chalicelib.clients import store as client_store
from chalicelib.clients.domain import Client, DeclarationState, Progress
from chalicelib.consents import domain, offers, sheets, standings, store
from chalicelib.consents.domain import Attached, Decision, Declaration
from chalicelib.consents.standings import Record
from chalicelib.contact import domain as contact
from chalicelib.documents import attachments as files
from chalicelib.documents import codes, papers
from chalicelib.documents import store as file_store
from chalicelib.documents.sheet import Paper
from chalicelib.erasure import domain as erasure
from chalicelib.kernel import ids, tokens
from chalicelib.kernel.change import (
    SYSTEM,
    Actor,
    AlreadyDone,
    Change,
    Held,
    Key,
    Once,
    Origin,
)
from chalicelib.kernel.errors import ChangedMeanwhile, Invalid, NotFound, Unavailable
from chalicelib.kernel.tokens import Claims, LinkExpired, LinkInvalid, Purpose
from chalicelib.letters import service as letters
from chalicelib.letters.senders import link
from chalicelib.organisations import domain as organisation_domain
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House, Member
from chalicelib.policy.packs import load
from chalicelib.ports import Due, Ports

MOST_TRIES = 6
ASKED_AGAIN = timedelta(days=1)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a member of staff ticked for a client."""

    answers: Mapping[str, bool]
    language: str
    attachments: tuple[str, ...] | None


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What is behind a genuine link."""

    house: House
    held: Held[Client]
    declaration: Declaration
    progress: Progress
    claims: Claims


def draft(
    ports: Ports,
    house: House,
    client_id: str,
    wish: Wish,
    *,
    member: Member,
    by: Actor,
    once: Callable[[str], Once],
) -> tuple[Held[Client], Declaration]:
    """A new declaration; the same request again gives the one that it made."""
    org = house.organisation.org
    held = client_store.get(ports, org, client_id)
    declaration = new_declaration(ports, house, held, wish, member)
    change = domain.draft(
        held, declaration, once=once(declaration.declaration_id), by=by, now=ports.now
    )
    declaration_id = declaration.declaration_id
    try:
        ports.ledger.commit(change)
    except AlreadyDone as done:
        declaration_id = done.result
    return store.get(ports, org, client_id, declaration_id)


def redraft(
    ports: Ports,
    house: House,
    client_id: str,
    declaration_id: str,
    version: int,
    wish: Wish,
    *,
    member: Member,
    by: Actor,
) -> tuple[Held[Client], Declaration]:
    """Other answers, language or attachments, while it is a draft."""
    org = house.organisation.org
    held, before = _read_version(ports, org, client_id, declaration_id, version)
    declaration = _declaration(ports, house, held, wish, member, declaration_id, before.code)
    ports.ledger.commit(domain.redraft(held, declaration, by=by, now=ports.now))
    return store.get(ports, org, client_id, declaration_id)


def preview(
    ports: Ports, house: House, client_id: str, declaration_id: str, *, member: Member
) -> tuple[Held[Client], letters.Prepared, tuple[str, ...]]:
    """The very message that sending now would promise, its link dead, and its files (S39-S41)."""
    from chalicelib.consents import correspondence

    held, declaration = store.get(ports, house.organisation.org, client_id, declaration_id)
    if not held.value.identity.email:
        raise client_domain.EmailRequired(field="email")
    paper = _kept_paper(ports, house, held, declaration)
    prepared = correspondence.message(
        ports,
        house,
        held,
        msgspec.structs.replace(declaration, paper=paper),
        member.staff_id,
        ports.now + timedelta(days=house.settings.link_days),
        link(house.settings, correspondence.PAGE, correspondence.DEAD_LINK),
    )
    code, language = declaration.code, declaration.language
    urls = [papers.link(ports, paper, code=code, language=language)]
    for one in declaration.attachments:
        kind = one.content_type
        urls.append(ports.bucket.link(one.object_key, filename=one.name, content_type=kind))
    return held, prepared, tuple(urls)


def act(
    ports: Ports,
    org: str,
    client_id: str,
    declaration_id: str,
    version: int,
    decide: Callable[[Held[Client], Declaration], Change],
) -> tuple[Held[Client], Declaration]:
    """One act of staff on the version that they read: send, cancel, print, hand over."""
    held, declaration = _read_version(ports, org, client_id, declaration_id, version)
    ports.ledger.commit(promised(decide(held, declaration)))
    return store.get(ports, org, client_id, declaration_id)


def print_paper(
    ports: Ports, house: House, client_id: str, declaration_id: str, version: int, *, by: Actor
) -> tuple[Held[Client], Declaration]:
    """The paper made and kept; printed again it is the same paper, byte for byte (S28, S29)."""
    held, declaration = _read_version(
        ports, house.organisation.org, client_id, declaration_id, version
    )
    paper = _kept_paper(ports, house, held, declaration)
    ports.ledger.commit(domain.print_paper(held, declaration, paper=paper, by=by, now=ports.now))
    return store.get(ports, house.organisation.org, client_id, declaration_id)


def promised(change: Change) -> Change:
    """The change of a client, its letters asked of the gate."""
    return letters.promised(change, lambda _: contact.addressee(change.root))


def attend(ports: Ports, key: Key, is_needed: Callable[[Ports, Held[Client]], bool]) -> str:
    """What is due for a client: a reminder, an expiry, a consent's own term, the end of keeping.

    What is due together comes one after the other: the next one is due again at once. While
    something else still needs the data (`is_needed`) no erasure begins; it is asked again later.
    """
    items = ports.ledger.read(key, "ROOT")
    if "ROOT" not in items:
        return "skipped"
    held = client_store.held(items["ROOT"])
    change = domain.attend(held, now=ports.now)
    if change is None:
        change = standings.attend(held, now=ports.now)
    if change is None and _is_over(ports, held):
        if not held.value.erasure and is_needed(ports, held):
            due = Due(key=key, sk="ROOT", due_at=items["ROOT"].due_at)
            ports.ledger.postpone(due, attempts=0, due_at=ports.now + ASKED_AGAIN)
            return "attended"
        change = _leaving(ports, held)
    if change is None:
        return "skipped"
    ports.ledger.commit(promised(change))
    return "attended"


def _is_over(ports: Ports, held: Held[Client]) -> bool:
    """Whether there is no basis left for the client's data, or none for the evidence of them."""
    due = held.value.erasure_due
    return due is not None and due <= ports.now


def _leaving(ports: Ports, held: Held[Client]) -> Change | None:
    """The next step of an erasure: the client leaves, then a job erases, in the background.

    The job is begun by what the client's own record says, so that nobody is erased who did not
    leave; begun twice it is one.
    """
    if held.value.erasure == "done":  # the evidence of a withdrawal has been kept long enough
        return client_service.blank(ports, held, organisations.house(ports, held.key.org))
    if held.value.erasure == "begun":
        asked = held.value.erasure_by
        ground = erasure.Ground.REQUEST if asked else erasure.Ground.NO_BASIS
        by = Actor("staff", asked) if asked else SYSTEM
        return erasure.begin(held.key, ground, by=by, now=ports.now)
    return client_domain.leave(held, by=SYSTEM, now=ports.now)


def record(
    ports: Ports, house: House, client_id: str, version: int, given: Record, *, by: Actor
) -> Held[Client]:
    """A decision that was made elsewhere (S52-S55), on the version that the caller read."""
    held = client_service.read_version(ports, house.organisation.org, client_id, version)
    if given.purpose not in {one.purpose for one in house.catalogue.purposes}:
        raise standings.PurposeUnknownHere(field="purpose")
    if given.file_id and file_store.find_file(ports, held.key, given.file_id) is None:
        raise FileNotThere(field="file_id")
    if given.wording_id:
        _check_wording(ports, house, given)
    if given.decided == "given":
        addresses = client_service.digests(house, held.value.identity).values()
        found = client_service.suppressed(ports, held.key.org, addresses)
        standings.refuse_suppressed((given,), found)
    change = standings.record(held, given, by=by, now=ports.now)
    months = house.catalogue.months
    ports.ledger.commit(client_domain.with_validity(change, months, before=held.value))
    return client_store.get(ports, house.organisation.org, client_id)


def _check_wording(ports: Ports, house: House, given: Record) -> None:
    try:
        found = organisations.wordings(ports, house.organisation.org, (given.wording_id,))
    except KeyError as error:
        raise standings.WordingRefused(field="wording_id") from error
    if found[given.wording_id].purpose != given.purpose:
        raise standings.WordingRefused(field="wording_id")


def withdraw(
    ports: Ports,
    house: House,
    client_id: str,
    version: int,
    purposes: tuple[str, ...],
    note: str,
    *,
    by: Actor,
) -> Held[Client]:
    """Consents withdrawn by staff, at once and without confirmation (S57, S61)."""
    held = client_service.read_version(ports, house.organisation.org, client_id, version)
    change = standings.withdraw(held, purposes, by=by, now=ports.now, note=note)
    if change is None:
        raise standings.NothingToWithdraw(field="purposes")
    ports.ledger.commit(change)
    return client_store.get(ports, house.organisation.org, client_id)


def send_offer(
    ports: Ports,
    house: House,
    client_id: str,
    subject: str,
    body: str,
    *,
    by: Actor,
    once: Callable[[str], Once],
) -> str:
    """Commercial information to one client; the same request again is the same message."""
    held = client_store.get(ports, house.organisation.org, client_id)
    offer_id = ids.new_id()
    change = offers.send(held, subject, body, once=once(offer_id), by=by, now=ports.now)
    try:
        ports.ledger.commit(promised(change))
    except AlreadyDone as done:
        return done.result
    return offer_id


def open_link(ports: Ports, org: str, token: str) -> Opened:
    """What is behind a link, if it lives or was confirmed by it; one read, nothing written (R1).

    `LinkInvalid` before any look-up unless we signed it; then why it is over (R16).
    """
    claims = _authentic(ports, org, token)
    try:
        held, declaration = store.get(ports, org, claims.owner_id, claims.about_id)
        house = organisations.house(ports, org)
    except (NotFound, client_domain.ClientErased) as error:
        raise domain.LinkWithdrawn from error
    progress = domain.open_link(held.value, claims.about_id, claims.generation, now=ports.now)
    if progress.state is not DeclarationState.CONFIRMED and ports.real_now >= claims.expires:
        raise LinkExpired
    return Opened(house=house, held=held, declaration=declaration, progress=progress, claims=claims)


def answer_link(
    ports: Ports, org: str, token: str, decision: Decision, digest: str, origin: Origin
) -> Opened:
    """The client's act; the same again changes nothing (R5), many at once count as one (R6)."""
    for attempt in range(MOST_TRIES):
        opened = open_link(ports, org, token)
        change = domain.decide(
            opened.held,
            opened.declaration,
            decision,
            generation=opened.claims.generation,
            digest=digest,
            origin=opened.house.settings.evidence.kept(origin),
            now=ports.now,
        )
        if change is None:
            return opened
        try:
            months = opened.house.catalogue.months
            dated = client_domain.with_validity(change, months, before=opened.held.value)
            ports.ledger.commit(promised(dated))
        except ChangedMeanwhile:
            _pause(attempt)
            continue
        progress = change.root.declaration(opened.progress.id)
        return msgspec.structs.replace(opened, progress=progress)
    raise Unavailable


def renew_link(ports: Ports, org: str, token: str) -> None:
    """The client asks for a new link: the sender is told, once. The answer tells nothing (R24)."""
    try:
        _ask_again(ports, _authentic(ports, org, token))
    except (LinkInvalid, NotFound, client_domain.ClientErased):
        return


def _authentic(ports: Ports, org: str, token: str) -> Claims:
    """What a link of ours says, be it expired; `LinkInvalid` without any look-up if it is not."""
    return tokens.authentic(
        token,
        org=org,
        purpose=Purpose.CONFIRM,
        stage=ports.stage,
        keys=ports.link_keys(),
        now=ports.real_now,
    )


def _ask_again(ports: Ports, claims: Claims) -> None:
    for attempt in range(MOST_TRIES):
        held = client_store.get(ports, claims.org, claims.owner_id)
        change = domain.ask_again(held, claims.about_id, claims.generation, now=ports.now)
        if change is None:
            return
        try:
            ports.ledger.commit(promised(change))
        except ChangedMeanwhile:
            _pause(attempt)
            continue
        return
    raise Unavailable


def _pause(attempt: int) -> None:
    """A moment's chance, longer each time, so that those who collided do not meet again."""
    time.sleep(secrets.randbelow(50) / 1000 * (attempt + 1))


def _kept_paper(ports: Ports, house: House, held: Held[Client], declaration: Declaration) -> Paper:
    """The paper in the bucket: the printed one, or as it is now."""
    if declaration.paper is not None:
        return declaration.paper
    sheet = sheets.sheet(ports, house, held, declaration)
    return papers.keep(ports, held.key, declaration.declaration_id, sheet)


def _read_version(
    ports: Ports, org: str, client_id: str, declaration_id: str, version: int
) -> tuple[Held[Client], Declaration]:
    held, declaration = store.get(ports, org, client_id, declaration_id)
    if held.version != version:
        raise ChangedMeanwhile
    return held, declaration


def new_declaration(
    ports: Ports, house: House, held: Held[Client], wish: Wish, member: Member
) -> Declaration:
    """What a client says, in the words of today, with an id and a code of its own."""
    code = codes.new_code(secrets.token_bytes(8))
    return _declaration(ports, house, held, wish, member, ids.new_id(), code)


def _declaration(
    ports: Ports,
    house: House,
    held: Held[Client],
    wish: Wish,
    member: Member,
    declaration_id: str,
    code: str,
) -> Declaration:
    language = wish.language or held.value.identity.language
    if language not in house.settings.languages:
        raise client_domain.LanguageRefused(field="language")
    words = {one.purpose: one.wordings[language] for one in house.catalogue.visible}
    wanted = wish.attachments
    if wanted is None:
        entitled = house.organisation.entitlements.default_attachments
        wanted = member.default_attachments if entitled else ()
    return Declaration(
        declaration_id=declaration_id,
        code=code,
        language=language,
        answers=domain.answers(
            held.value, wish.answers, words, separate=is_separate(house, ports.now)
        ),
        attachments=_attached(ports, house, held, wanted),
        by=member.staff_id,
        created=ports.now,
    )


def is_separate(house: House, now: datetime) -> bool:
    """Whether consent to the processing of data is now a document of its own here."""
    rule = load(house.settings.policy_pack).data_consent
    since = rule.separate_since if rule else None
    return since is not None and now.date() >= since


def _attached(
    ports: Ports, house: House, held: Held[Client], wanted: tuple[str, ...]
) -> tuple[Attached, ...]:
    """The files of these ids, the client's own or the organisation's (S41, S42)."""
    if len(wanted) > domain.MOST_ATTACHMENTS or len(set(wanted)) != len(wanted):
        raise files.FileSizeRefused(field="attachments")
    owners = (held.key, organisation_domain.key(house.organisation.org))
    found = []
    for file_id in wanted:
        kept = None
        if ids.is_id(file_id):
            kept = next(
                filter(None, (file_store.find_file(ports, one, file_id) for one in owners)), None
            )
        if kept is None:
            raise FileNotThere(field="attachments")
        found.append(
            Attached(
                kept.file_id, kept.name, kept.content_type, kept.size, kept.sha256, kept.object_key
            )
        )
    if sum(one.size for one in found) > files.MOST_BYTES_TOGETHER:
        raise files.FileSizeRefused(field="attachments")
    return tuple(found)


class FileNotThere(Invalid):
    code = "attachment_unknown"
    sentence = "There is no such file."
