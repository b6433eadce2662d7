"""What the letters of a case say: stored facts made a letter's.

Each letter to a person from outside has the number of the case, a fresh private link, and a signed
address to which a reply comes back to the case. What officers said is the part `SAID#<id>` that the
letter is about.
"""

from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
from msgspec.structs import replace

from chalicelib.complaints import (
    answers,
    elsewhere,
    phrases,
    receipt,
    service,
    store,
    undoing,
)
from chalicelib.complaints.case import Complaint, Person, Said
from chalicelib.complaints.inbound import reply_address
from chalicelib.complaints.receipt import INSURED, LINK_LIFE, WRITER
from chalicelib.documents.letter import Section
from chalicelib.kernel import tokens
from chalicelib.kernel.change import Change, Held, Letter
from chalicelib.kernel.tokens import Claims, Purpose
from chalicelib.letters import complaint_facts as told
from chalicelib.letters.complaint_facts import ComplaintFacts, ToPerson
from chalicelib.letters.facts import masked
from chalicelib.letters.mime import Address
from chalicelib.letters.senders import controller, controller_address, link, local
from chalicelib.letters.service import Composer, Occasion, Owner, Prepared, Unneeded
from chalicelib.organisations.domain import House
from chalicelib.policy.reasons import why
from chalicelib.ports import Item, Ports

STATUS_PAGE, INSURED_PAGE = "status", "insured"
_WORDS = Path(__file__).parent / "words.toml"
# What the acknowledgement's template says by itself.
_SAID_BY_ITSELF = frozenset({"taken", "missing"})
_said = msgspec.json.Decoder(Said).decode
SubmissionKind = Literal["complaint", "request", "suggestion", "gratitude"]


def status_link(ports: Ports, house: House, case_id: str, who: int, email: str) -> str:
    """The private page of a case; derived when it is needed, at rest nowhere (R17).

    It ends with the address that it was sent to: who reads a wrong mailbox acts for nobody.
    """
    claims = _claims(ports, house, case_id, who, ports.real_now + LINK_LIFE)
    claims = replace(claims, about_id=receipt.mailbox(case_id, email))
    token = tokens.sign(claims, purpose=Purpose.STATUS, stage=ports.stage, keys=ports.link_keys())
    return link(house.settings, STATUS_PAGE, token)


def submission_taken(ports: Ports, occasion: Occasion) -> Prepared:
    """Registered and taken into work; what is missing; the day of the answer (M45-M48)."""
    case: Complaint = occasion.owner.value
    due, registered = case.answer_due, case.registered_at
    if registered is None:
        raise Unneeded("not_registered")
    language = case.language
    missing = _missing(language)
    return _to_person(
        ports,
        occasion,
        told.SubmissionTaken,
        kind=_kind(case),
        received_on=case.day(case.received_at),
        registered_on=case.day(registered),
        missing=tuple(missing[one] for one in case.missing),
        answer_by=due.limit if due else None,
        why=why(due, language) if due else "",
        elements=_acknowledgement(case),
    )


def third_party_taken(ports: Ports, occasion: Occasion) -> Prepared:
    """The fixed text, and not a word of the case (M39)."""
    return _to_person(ports, occasion, told.ThirdPartyTaken)


def gratitude_thanked(ports: Ports, occasion: Occasion) -> Prepared:
    """Thanks for thanks (M27)."""
    return _to_person(ports, occasion, told.GratitudeThanked)


def message_added(ports: Ports, occasion: Occasion) -> Prepared:
    """What came later joined the case."""
    at = local(occasion.letter.promised_at, occasion.house)
    return _to_person(ports, occasion, told.MessageAdded, received_at=at)


def data_requested(ports: Ports, occasion: Occasion) -> Prepared:
    """A request for documents or a permission (M62-M71), as long as it is open."""
    case, said = occasion.owner.value, _words(occasion)
    request = next((one for one in case.requests if one.said == said.said_id), None)
    if request is None or said.until is None:
        raise Unneeded("request_gone")
    due = case.answer_due
    return _to_person(
        ports,
        occasion,
        told.DataRequested,
        n=request.n,
        what=request.ground,
        text=said.text,
        answer_by=said.until,
        may_close=case.policy.suspension is not None,
        due=due.limit if due else None,
    )


def answer_extended(ports: Ports, occasion: Occasion) -> Prepared:
    """The answer takes longer: why, and until when (M53)."""
    case, said = occasion.owner.value, _words(occasion)
    if said.until is None:
        raise Unneeded("extension_gone")
    return _to_person(
        ports,
        occasion,
        told.AnswerExtended,
        expected_by=said.until,
        wording=said.wording,
        elements=sections(case, "extension", said, case.language),
        text=said.text,
    )


def answer_sent(ports: Ports, occasion: Occasion) -> Prepared:
    """The answer itself (M52, M55), with where to turn next (M108)."""
    case, said = occasion.owner.value, _words(occasion)
    language = said.language or case.language
    return _to_person(
        ports,
        occasion,
        told.AnswerSent,
        language=language,
        addressee=case.addressee.name,
        kind=_kind(case),
        outcome=_outcome(case),
        answered_on=case.day(occasion.letter.promised_at),
        text=said.text,
        elements=sections(case, "answer", said, language),
        elsewhere=sections(case, "refusal", said, language),
        signer_name=said.signer.name,
        signer_position=said.signer.position,
    )


def answer_elsewhere(ports: Ports, occasion: Occasion) -> Prepared:
    """The answer went on paper (M84); when, and by which number to follow it."""
    facts, answer = occasion.letter.facts, occasion.owner.value.answer
    way = "in_person" if facts["channel"] == "in_person" else "post"
    return _to_person(
        ports,
        occasion,
        told.AnswerElsewhere,
        sent_on=date.fromisoformat(facts["on"]),
        way=way,
        tracking=getattr(answer, "tracking", "") if answer else "",
    )


def not_answered(ports: Ports, occasion: Occasion) -> Prepared:
    """Closed without an answer, in the pack's wording (M54-M61), with where to turn (M108)."""
    return _closed(ports, occasion, told.NotAnswered)


def suspended(ports: Ports, occasion: Occasion) -> Prepared:
    """Closed in its ground's wording (M73, M74)."""
    return _closed(ports, occasion, told.Suspended)


def court_returned(ports: Ports, occasion: Occasion) -> Prepared:
    """It contests a court's decision: how that is appealed (M50), and where to turn (M108)."""
    return _to_person(
        ports,
        occasion,
        told.CourtReturned,
        text=_words(occasion).text,
        elsewhere=_elsewhere(ports, occasion),
    )


def routed_out(ports: Ports, occasion: Occasion) -> Prepared:
    """Passed on to the ordinary process (M26, M30)."""
    return _to_person(ports, occasion, told.RoutedOut, text=_words(occasion).text)


def insured_asked(ports: Ports, occasion: Occasion) -> Prepared:
    """Was it sent for you? By a link of this question alone (M38)."""
    case: Complaint = occasion.owner.value
    question, insured = case.question, case.insured
    generation = occasion.letter.facts.get("generation")
    if question is None or insured is None or question.generation != generation:
        raise Unneeded("question_superseded")
    if question.decided_at is not None or not case.is_open:
        raise Unneeded("question_over")
    life = question.expires - ports.now
    claims = _claims(
        ports, occasion.house, occasion.owner.key.id, generation, ports.real_now + life
    )
    token = tokens.sign(claims, purpose=Purpose.INSURED, stage=ports.stage, keys=ports.link_keys())
    return _to_person(
        ports,
        occasion,
        told.InsuredAsked,
        url=link(occasion.house.settings, INSURED_PAGE, token),
        insured_name=insured.name,
        received_on=case.day(case.received_at),
        expires_at=local(question.expires, occasion.house),
    )


COMPOSERS: dict[str, Composer] = {
    "submission_taken": submission_taken,
    "third_party_taken": third_party_taken,
    "gratitude_thanked": gratitude_thanked,
    "message_added": message_added,
    "data_requested": data_requested,
    "answer_extended": answer_extended,
    "answer_sent": answer_sent,
    "answer_elsewhere": answer_elsewhere,
    "not_answered": not_answered,
    "suspended": suspended,
    "court_returned": court_returned,
    "routed_out": routed_out,
    "insured_asked": insured_asked,
}


def _to_person(
    ports: Ports,
    occasion: Occasion,
    shape: type[ToPerson],
    *,
    url: str | None = None,
    language: str = "",
    **facts: Any,
) -> Prepared:
    """A letter to the writer or the insured, with a fresh link and an address for the reply."""
    house, case = occasion.house, cast(Complaint, occasion.owner.value)
    to, who = _person(case, occasion.letter)
    if url is None:
        url = status_link(ports, house, occasion.owner.key.id, who, to.email)
    plain = {"organisation": controller(house.settings), "reference": case.reference, **facts}
    return Prepared(
        facts=cast(ComplaintFacts, shape(link=url, **plain)),
        masked=cast(ComplaintFacts, shape(link=masked(url), **plain)),
        language=language or case.language,
        to=Address(name=to.name[:80], email=to.email),
        reply_to=_reply_to(ports, house, occasion.owner.key.id),
        masked_reply_to=controller_address(house.settings),
    )


def _closed(ports: Ports, occasion: Occasion, shape: type[ToPerson]) -> Prepared:
    said = _words(occasion)
    return _to_person(
        ports,
        occasion,
        shape,
        wording=said.wording,
        text=said.text,
        elsewhere=_elsewhere(ports, occasion),
    )


def _elsewhere(ports: Ports, occasion: Occasion) -> tuple[Section, ...]:
    """Where else to turn, as it is published on the day on which the letter leaves (M108)."""
    case = occasion.owner.value
    found = elsewhere.bodies(case.policy, elsewhere.told(ports, occasion.owner.key.org, case))
    return tuple(
        Section(title=one.name[case.language], text=one.how[case.language]) for one in found
    )


def _person(case: Complaint, letter: Letter) -> tuple[Person, int]:
    if letter.to == "writer":
        return case.writer, WRITER
    return case.insured or Person(), INSURED


def _reply_to(ports: Ports, house: House, case_id: str) -> Address:
    """Back to the case by a signed address, where the organisation takes complaints by e-mail."""
    mailbox = house.settings.complaints.mailbox
    if not mailbox:
        return controller_address(house.settings)
    domain = mailbox.rpartition("@")[2]
    org, keys = house.organisation.org, ports.link_keys()
    email = reply_address(case_id, org, keys, ports.stage, domain)
    return Address(name=house.settings.sender.name, email=email)


def _claims(ports: Ports, house: House, case_id: str, generation: int, expires: datetime) -> Claims:
    return Claims(
        org=house.organisation.org,
        owner_id=case_id,
        about_id=case_id,
        generation=generation,
        issued=ports.real_now,
        expires=expires,
    )


def _words(occasion: Occasion) -> Said:
    if occasion.part is None:
        raise Unneeded("words_gone")
    return _said(occasion.part.data)


def sections(
    case: Complaint, letter: Literal["answer", "refusal", "extension"], said: Said, language: str
) -> tuple[Section, ...]:
    """What the pack wants said, under its title, in the pack's order."""
    wanted = case.policy.letters.get(letter, {})
    return tuple(
        Section(title=phrases.title(letter, key, language), text=said.elements[key])
        for key in wanted
        if said.elements.get(key)
    )


def _acknowledgement(case: Complaint) -> tuple[Section, ...]:
    wanted = case.policy.letters.get("acknowledgement", {})
    return tuple(
        Section(title="", text=text)
        for key in wanted
        if key not in _SAID_BY_ITSELF
        and (text := phrases.ready(case.policy, "acknowledgement", key, case.language))
    )


def _kind(case: Complaint) -> SubmissionKind:
    return case.kind.value


def _outcome(case: Complaint) -> Any:
    return case.answer.outcome or "" if case.answer else ""


@cache
def _missing(language: str) -> dict[str, str]:
    import tomllib

    words = tomllib.loads(_WORDS.read_text(encoding="utf-8"))
    found: dict[str, str] = words["missing"][language]
    return found


def on_sent(
    held: Held[Complaint], letter: Letter, part: Item | None, house: House, now: datetime
) -> Change | None:
    """An answer that left on a later day than it was promised left on that day."""
    return answers.on_sent(held, letter, house, now=now)


def on_bounced(
    held: Held[Complaint], letter: Letter, part: Item | None, house: House, now: datetime
) -> Change | None:
    """A letter came back, or was never taken: what it told was not told, and somebody is."""
    change = answers.on_bounced(held, letter, house, now=now)
    return change or undoing.on_bounced(held, letter, house, now=now)


OWNER = Owner(
    held=store.held,
    parts=("SAID#",),
    composers=COMPOSERS,
    addressee=service.addressee,
    on_sent=on_sent,
    on_bounced=on_bounced,
)
