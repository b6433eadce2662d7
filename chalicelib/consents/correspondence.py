"""What the letters and papers of a declaration say: stored facts made a letter's or a sheet's."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from chalicelib.clients import store as client_store
from chalicelib.clients.domain import OUT, Client, Progress
from chalicelib.consents import domain, offers, receipts, store
from chalicelib.consents.domain import Declaration, address_generation
from chalicelib.consents.receipts import ConsentRecord
from chalicelib.consents.sheets import sheet, shown
from chalicelib.contact import domain as contact
from chalicelib.documents import codes, papers
from chalicelib.documents.attachments import FileUnknown
from chalicelib.kernel import tokens
from chalicelib.kernel.change import Change, Held, Letter
from chalicelib.kernel.tokens import Claims, Purpose
from chalicelib.letters import facts
from chalicelib.letters.mime import Address, Attachment
from chalicelib.letters.senders import controller, controller_address, link, local
from chalicelib.letters.service import Composer, Occasion, Owner, Prepared, Unneeded
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House
from chalicelib.ports import Item, Ports

DEAD_LINK = "masked"
PAGE, PREFERENCES_PAGE = "c", "p"
OWN_LIFE = timedelta(days=89)  # as long as the key that signs it is sure to verify
MOST_PAPER_BYTES = 10 * 1024 * 1024


def confirm_consents(ports: Ports, occasion: Occasion) -> Prepared:
    """The message by which a client confirms; `Unneeded` once its declaration waits for nobody."""
    client, declaration = occasion.owner, _declaration(occasion)
    progress = client.value.declaration(declaration.declaration_id)
    generation = occasion.letter.facts.get("generation")
    if progress.state not in OUT or progress.gen != generation or progress.expires is None:
        raise Unneeded("declaration_no_longer_out")
    if progress.expires <= ports.now:
        raise Unneeded("declaration_over")
    url = link_of(ports, occasion.house, client, progress)
    reminder = bool(occasion.letter.facts.get("reminder"))
    return message(
        ports,
        occasion.house,
        client,
        declaration,
        progress.by,
        progress.expires,
        url,
        reminder=reminder,
    )


def message(
    ports: Ports,
    house: House,
    client: Held[Client],
    declaration: Declaration,
    by: str,
    expires: datetime,
    url: str,
    *,
    reminder: bool = False,
) -> Prepared:
    """The message with this link; a preview carries a dead one (S39)."""
    sender = house.directory.get(by)
    said = _Saying(ports, house, client.value, declaration)

    def with_links(url: str, preferences: str) -> facts.ConfirmConsents:
        return facts.ConfirmConsents(
            controller=said.controller,
            client_name=client.value.identity.name,
            staff_name=sender.name,
            answers=said.answers,
            link=url,
            expires_at=local(expires, house),
            reminder=reminder,
            preferences=preferences,
        )

    own = preferences_link(ports, house, client)
    return Prepared(
        facts=with_links(url, own),
        masked=with_links(facts.masked(url), facts.masked(own)),
        language=declaration.language,
        to=said.client_address,
        reply_to=Address(name=sender.name, email=sender.email),
        attachments=(
            Attachment(
                filename=papers.filename(declaration.code, declaration.language),
                content_type="application/pdf",
                content=_paper(ports, house, client, declaration),
            ),
            *_files(ports, declaration),
        ),
    )


def receipt(ports: Ports, occasion: Occasion) -> Prepared:
    """What the client keeps of the confirmation (S48)."""
    house, client, declaration = occasion.house, occasion.owner.value, _declaration(occasion)
    progress = client.declaration(declaration.declaration_id)
    sender = house.directory.get(progress.by)
    said = _Saying(ports, house, client, declaration)
    if progress.decided is None:
        raise Unneeded("not_decided")
    own = preferences_link(ports, house, occasion.owner)
    fact = facts.Receipt(
        controller=said.controller,
        client_name=client.identity.name,
        answers=said.answers,
        reference=codes.group(declaration.code),
        decided_at=local(progress.decided, house),
        staff_name=sender.name,
        preferences=own,
    )
    return Prepared(
        facts=fact,
        masked=replace(fact, preferences=facts.masked(own)),
        language=declaration.language,
        to=said.client_address,
        reply_to=Address(name=sender.name, email=sender.email),
        attachments=_copies(ports, house, occasion.owner, declaration, progress.decided),
    )


def consents_withdrawn(ports: Ports, occasion: Occasion) -> Prepared:
    """What the client keeps of a withdrawal (S57)."""
    house, client = occasion.house, occasion.owner.value
    language = _language(client, house)
    own = preferences_link(ports, house, occasion.owner)
    fact = facts.ConsentsWithdrawn(
        controller=controller(house.settings),
        client_name=client.identity.name,
        titles=titles(house, occasion.letter.facts["purposes"], language),
        withdrawn_at=local(occasion.letter.promised_at, house),
        preferences=own,
    )
    return Prepared(
        facts=fact,
        masked=replace(fact, preferences=facts.masked(own)),
        language=language,
        to=Address(name=client.identity.name, email=client.identity.email),
        reply_to=controller_address(house.settings),
    )


def client_withdrew(ports: Ports, occasion: Occasion) -> Prepared:
    """Word to staff that a client withdrew consents alone (S57)."""
    house, told = occasion.house, occasion.letter.facts
    member = house.directory.get(occasion.letter.to.removeprefix("staff:"))
    fact = facts.ClientWithdrew(
        staff_name=member.name,
        client_name=occasion.owner.value.identity.name,
        declared_at=local(datetime.fromisoformat(told["given_at"]), house),
        happened_at=local(occasion.letter.promised_at, house),
        titles=titles(house, told["purposes"], member.language),
    )
    return _to_staff(occasion, fact)


def offer(ports: Ports, occasion: Occasion) -> Prepared:
    """Commercial information: only while the consent that it rests on stands (S16, S17).

    With one act it is the last one: by link, and by the mail program's own button (RFC 8058).
    """
    house, client, words = occasion.house, occasion.owner, offers.words(occasion.part)
    sender = house.directory.get(words.by)
    own = preferences_link(ports, house, client)
    fact = facts.Offer(
        controller=controller(house.settings),
        client_name=client.value.identity.name,
        staff_name=sender.name,
        subject_line=words.subject,
        text=words.text,
        preferences=own,
    )
    return Prepared(
        facts=fact,
        masked=replace(fact, preferences=facts.masked(own)),
        language=_language(client.value, house),
        to=Address(name=client.value.identity.name, email=client.value.identity.email),
        reply_to=Address(name=sender.name, email=sender.email),
        headers={
            "List-Unsubscribe": f"<{unsubscribe_url(ports, house, client)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def note(kind: type[facts.AnyNote]) -> Composer:
    """The composer of a note to a member of staff about a declaration."""

    def composed(ports: Ports, occasion: Occasion) -> Prepared:
        house, client, declaration = occasion.house, occasion.owner.value, _declaration(occasion)
        member = house.directory.get(occasion.letter.to.removeprefix("staff:"))
        asks = (one for one in shown(ports, house, declaration) if one.answer)
        fact = kind(
            staff_name=member.name,
            client_name=client.identity.name,
            declared_at=local(declaration.created, house),
            happened_at=local(occasion.letter.promised_at, house),
            titles=tuple(one.title for one in asks),
        )
        return _to_staff(occasion, fact)

    return composed


COMPOSERS: dict[str, Composer] = {
    "confirm_consents": confirm_consents,
    "receipt": receipt,
    "consents_withdrawn": consents_withdrawn,
    "client_withdrew": client_withdrew,
    "offer": offer,
    "client_confirmed": note(facts.ClientConfirmed),
    "client_disputed": note(facts.ClientDisputed),
    "link_expired": note(facts.LinkExpired),
    "link_requested": note(facts.LinkRequested),
    "undeliverable": note(facts.Undeliverable),
}


def link_of(ports: Ports, house: House, client: Held[Client], progress: Progress) -> str:
    """The link by which the client confirms: derived when it is needed, at rest nowhere (R17).

    It lives by the true clock for as long as the declaration has left by the business's clock.
    """
    if progress.expires is None:
        raise Unneeded("declaration_no_longer_out")
    claims = Claims(
        org=house.organisation.org,
        owner_id=client.key.id,
        about_id=progress.id,
        generation=progress.gen,
        issued=ports.real_now,
        expires=ports.real_now + (progress.expires - ports.now),
    )
    token = tokens.sign(claims, purpose=Purpose.CONFIRM, stage=ports.stage, keys=ports.link_keys())
    return link(house.settings, PAGE, token)


def preferences_link(ports: Ports, house: House, client: Held[Client]) -> str:
    """The client's own page of consents: another e-mail address ends the links before (R15)."""
    return link(house.settings, PREFERENCES_PAGE, _own_token(ports, client, Purpose.PREFERENCES))


def unsubscribe_url(ports: Ports, house: House, client: Held[Client]) -> str:
    """Where a mail program posts its one click (RFC 8058): good for commerce by e-mail alone."""
    token = _own_token(ports, client, Purpose.UNSUBSCRIBE)
    return f"{house.settings.host}/api/public/{client.key.org}/unsubscribe/{token}"


def titles(house: House, purposes: Iterable[str], language: str) -> tuple[str, ...]:
    """What purposes are called now."""
    known = {one.purpose: one.texts for one in house.catalogue.purposes}
    found = (known.get(one, {}) for one in purposes)
    return tuple(text[language].title for text in found if language in text)


def _own_token(ports: Ports, client: Held[Client], purpose: Purpose) -> str:
    claims = Claims(
        org=client.key.org,
        owner_id=client.key.id,
        about_id=client.key.id,
        generation=address_generation(client.value),
        issued=ports.real_now,
        expires=ports.real_now + OWN_LIFE,
    )
    return tokens.sign(claims, purpose=purpose, stage=ports.stage, keys=ports.link_keys())


def _language(client: Client, house: House) -> str:
    return house.settings.spoken(client.identity.language)


def _to_staff(occasion: Occasion, fact: facts.AnyNote) -> Prepared:
    """A note to a member of staff; who has left is not written to, the controller is."""
    house = occasion.house
    member = house.directory.get(occasion.letter.to.removeprefix("staff:"))
    address = Address(name=member.name, email=member.email)
    if not member.active:
        address = controller_address(house.settings)
    return Prepared(
        facts=fact,
        masked=fact,
        language=member.language,
        to=address,
        reply_to=controller_address(house.settings),
    )


class _Saying:
    """What every letter about a declaration says."""

    def __init__(
        self,
        ports: Ports,
        house: House,
        client: Client,
        declaration: Declaration,
    ) -> None:
        self.controller = controller(house.settings)
        self.answers = shown(ports, house, declaration)
        self.client_address = Address(name=client.identity.name, email=client.identity.email)


def _declaration(occasion: Occasion) -> Declaration:
    if occasion.part is None:
        raise Unneeded("declaration_gone")
    return store.declaration(occasion.part)


def _paper(ports: Ports, house: House, client: Held[Client], declaration: Declaration) -> bytes:
    """The paper as it was printed; if none was, as it would be."""
    if declaration.paper is not None:
        kept = ports.bucket.get(declaration.paper.object_key, most=MOST_PAPER_BYTES)
        if kept is not None:
            return kept
    return papers.rendered(sheet(ports, house, client, declaration))


def consent_record(
    ports: Ports, house: House, client: Held[Client], declaration: Declaration
) -> ConsentRecord:
    """The record of a declaration (ISO/IEC TS 27560), as its consents stand now."""
    wanted = [one.wording_id for one in declaration.answers]
    words = organisations.wordings(ports, client.key.org, wanted)
    return receipts.of_declaration(client.key.id, client.value, declaration, words, house.settings)


def _copies(
    ports: Ports,
    house: House,
    client: Held[Client],
    declaration: Declaration,
    decided: datetime,
) -> tuple[Attachment, ...]:
    """What was confirmed, for the client to keep: for a machine, and for a person with that in it.

    No link that acts is in either (R17), so the archive keeps them as they were sent.
    """
    record = consent_record(ports, house, client, declaration)
    copy = receipts.receipt(record, receipt_id=declaration.declaration_id, issued=decided)
    written = receipts.written(copy)
    paper = papers.confirmed(
        sheet(ports, house, client, declaration),
        filename=receipts.FILENAME,
        says=receipts.SCHEMA,
        record=written,
    )
    return (
        Attachment(
            filename=papers.filename(declaration.code, declaration.language),
            content_type=papers.PDF,
            content=paper,
        ),
        Attachment(filename=receipts.FILENAME, content_type=receipts.CONTENT_TYPE, content=written),
    )


def _files(ports: Ports, declaration: Declaration) -> Iterable[Attachment]:
    for one in declaration.attachments:
        content = ports.bucket.get(one.object_key, most=one.size)
        if content is None:
            raise FileUnknown
        yield Attachment(filename=one.name, content_type=one.content_type, content=content)


def _on_sent(
    held: Held[Client], letter: Letter, part: Item | None, house: House, now: datetime
) -> Change | None:
    if part is None or letter.template != "confirm_consents":
        return None
    return domain.on_sent(held, letter, store.declaration(part).gives_notice, now=now)


OWNER = Owner(
    held=client_store.held,
    parts=("DECL#", "OFFER#"),
    composers=COMPOSERS,
    addressee=lambda client, _: contact.addressee(client),
    on_sent=_on_sent,
    on_bounced=lambda held, letter, _, __, now: domain.on_bounced(held, letter, now=now),
    on_complained=lambda held, letter, _, __, now: domain.on_complained(held, letter, now=now),
)
