"""Use cases of an answer: its case and words read together, the client asked about, papers made."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import cast

import msgspec

from chalicelib.clients import store as clients
from chalicelib.clients.domain import Client, ClientErased, ClientUnknown
from chalicelib.complaints import answers, elements, elsewhere, phrases, service, store
from chalicelib.complaints import case as cases
from chalicelib.complaints.answers import AnswerDrafted, Sending, Words
from chalicelib.complaints.case import AnswerUnknown, Complaint, Kind, Outcome, Said, Signer
from chalicelib.complaints.privacy import Channel
from chalicelib.contact import domain as contact
from chalicelib.contact.domain import Reply
from chalicelib.documents.sheet import Language, Paper
from chalicelib.kernel import ids
from chalicelib.kernel.change import Actor, AlreadyDone, Change, Held, Key, Once
from chalicelib.kernel.errors import ChangedMeanwhile
from chalicelib.letters.senders import controller
from chalicelib.organisations.domain import House, Member
from chalicelib.ports import Elsewhere, Ports

PDF = "application/pdf"
LAYOUT = "letter-1"
# What a letter on paper is about, by what it answers.
SUBJECTS: Mapping[str, Mapping[Kind, str]] = {
    "pl": {
        Kind.COMPLAINT: "Odpowiedź na reklamację",
        Kind.REQUEST: "Odpowiedź na zapytanie",
        Kind.SUGGESTION: "Odpowiedź na sugestię",
        Kind.GRATITUDE: "Odpowiedź na podziękowanie",
    },
    "en": {
        Kind.COMPLAINT: "Answer to your complaint",
        Kind.REQUEST: "Answer to your request",
        Kind.SUGGESTION: "Answer to your suggestion",
        Kind.GRATITUDE: "Answer to your words of thanks",
    },
    "ru": {
        Kind.COMPLAINT: "Ответ на претензию",
        Kind.REQUEST: "Ответ на запрос",
        Kind.SUGGESTION: "Ответ на предложение",
        Kind.GRATITUDE: "Ответ на благодарность",
    },
}
_NAMES = {"pl": "Odpowiedz", "en": "Answer", "ru": "Otvet"}

Decide = Callable[[Held[Complaint], Said], Change]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of who is answered: the way to them, and what they agreed to."""

    reply: Reply
    postal_address: str


def read(ports: Ports, org: str, case_id: str, answer_id: str) -> tuple[Held[Complaint], Said]:
    """The case and the words of its answer, with no write between them; `AnswerUnknown`."""
    sk = f"SAID#{answer_id}"
    items = ports.ledger.read_whole(cases.key(org, case_id), "ROOT", sk)
    if "ROOT" not in items:
        raise cases.ComplaintUnknown
    held = store.held(items["ROOT"])
    held.value.answer_of(answer_id)
    if sk not in items:
        raise AnswerUnknown
    return held, store.said(items[sk])


def draft(
    ports: Ports,
    house: House,
    case_id: str,
    outcome: Outcome | None,
    language: str,
    *,
    member: Member,
    by: Actor,
    once: Callable[[str], Once],
) -> tuple[Held[Complaint], Said]:
    """A new draft, from its template; the same request again gets the draft that it made."""
    org, answer_id = house.organisation.org, ids.new_id()

    def decide(held: Held[Complaint]) -> Change:
        case = held.value
        spoken = language or case.language
        cases.refuse(spoken in house.settings.languages, "language")
        told = elsewhere.told(ports, org, case)
        words = Words(
            outcome=outcome,
            text=_template(case, outcome, spoken),
            elements=_phrases(case, outcome, spoken, told),
            signer=Signer(name=member.name, position=member.position),
        )
        return answers.draft(
            held,
            answer_id,
            words,
            spoken,
            house,
            by=by,
            now=ports.now,
            once=once(answer_id),
            published=elsewhere.published(case.policy, spoken, told),
        )

    try:
        service.act(ports, house, case_id, None, decide, member=member)
    except AlreadyDone as done:
        answer_id = done.result
    except AnswerDrafted:
        if not ports.ledger.was_done(org, once(answer_id)):
            raise
        there = store.get(ports, org, case_id).value.answer
        answer_id = there.answer_id if there else answer_id
    return read(ports, org, case_id, answer_id)


def act(
    ports: Ports,
    house: House,
    case_id: str,
    answer_id: str,
    version: int,
    decide: Decide,
) -> tuple[Held[Complaint], Said]:
    """One act on an answer, on the version of the case that its reader saw."""
    held, said = read_version(ports, house, case_id, answer_id, version)
    return _committed(ports, decide(held, said), said)


def read_version(
    ports: Ports, house: House, case_id: str, answer_id: str, version: int
) -> tuple[Held[Complaint], Said]:
    """As `read`, if the case is still of this version; `ChangedMeanwhile` if not."""
    held, said = read(ports, house.organisation.org, case_id, answer_id)
    if held.version != version:
        raise ChangedMeanwhile
    return held, said


def send(
    ports: Ports,
    house: House,
    case_id: str,
    answer_id: str,
    version: int,
    channel: Channel,
    *,
    informational: bool,
    by: Actor,
) -> tuple[Held[Complaint], Said]:
    """By e-mail at once; else the official letter is made and kept, to be posted or handed over."""
    held, said = read_version(ports, house, case_id, answer_id, version)
    about = known(ports, held)
    sending = Sending(
        channel=channel,
        informational=informational,
        reply=about.reply,
        postal_address=about.postal_address,
    )
    if channel is Channel.EMAIL:
        change = answers.send_email(held, said, sending, house, by=by, now=ports.now)
        return _committed(ports, change, said)
    answers.require_sendable(held, said, sending, house)
    paper = keep(ports, house, held, said, about.postal_address)
    change = answers.send_paper(held, said, paper, sending, house, by=by, now=ports.now)
    return _committed(ports, change, said)


def known(ports: Ports, held: Held[Complaint]) -> Known:
    """What the linked client signed, and whether the address of who is answered is theirs.

    What the writer agreed to on the form is for the writer's own address (M83). A proof counts that
    the pack accepts; where it names none, the client's own act.
    """
    case = held.value
    client = _client(ports, held.key.org, case.client_id)
    rule = case.policy.data_consent
    reply = contact.may_reply(
        client,
        case.addressee.email,
        at=ports.now,
        proofs=rule.proofs if rule else contact.WRITTEN,
        written=bool(case.email_consent) and case.addressed_as == "writer",
    )
    address = case.addressee.postal_address
    if not address and client is not None and case.insured is None:
        address = client.identity.address
    return Known(reply=reply, postal_address=address)


def keep(
    ports: Ports, house: House, held: Held[Complaint], said: Said, postal_address: str
) -> Paper:
    """The official letter, rendered and kept under a key that follows from its bytes."""
    from chalicelib.complaints.correspondence import sections
    from chalicelib.documents import letter

    case, language = held.value, cast(Language, said.language)
    recipient = [case.addressee.name, *postal_address.split(", ")]
    content = letter.render(
        letter.OfficialLetter(
            language=language,
            organisation=controller(house.settings),
            recipient="\n".join(line for line in recipient if line),
            on=case.day(ports.now),
            reference=case.reference,
            subject=SUBJECTS[language][case.kind],
            text=said.text,
            elements=sections(case, "answer", said, language),
            elsewhere=sections(case, "refusal", said, language),
            signer_name=said.signer.name,
            signer_position=said.signer.position,
        )
    )
    digest = hashlib.sha256(content).hexdigest()
    key = _paper_key(held.key, said.said_id, digest)
    ports.bucket.put(key, content, content_type=PDF, sha256=digest)
    return Paper(key, digest, LAYOUT)


def link(ports: Ports, case: Complaint, said: Said) -> str:
    """A presigned address of the paper, for five minutes; none before it is made."""
    if said.paper is None:
        return ""
    name = f"{_NAMES[said.language]}-{case.reference}.pdf"
    return ports.bucket.link(said.paper.object_key, filename=name, content_type=PDF)


def _committed(ports: Ports, change: Change, said: Said) -> tuple[Held[Complaint], Said]:
    held = service.commit(ports, change)
    sk = f"SAID#{said.said_id}"
    return held, next((part.data for part in change.parts if part.sk == sk), said)


def _template(case: Complaint, outcome: Outcome | None, language: str) -> str:
    """What the answer to a complaint begins from; any other is short, and begins empty."""
    if case.kind is not Kind.COMPLAINT or outcome is None:
        return ""
    return phrases.template(outcome, language)


def _phrases(
    case: Complaint, outcome: Outcome | None, language: str, told: Elsewhere
) -> dict[str, str]:
    return {
        one.key: elsewhere.phrase(case.policy, one.letter, one.key, language, told)
        for one in elements.wanted(case, outcome)
        if one.key != elements.SIGNATORY
    }


def _client(ports: Ports, org: str, client_id: str) -> Client | None:
    if not client_id:
        return None
    with suppress(ClientUnknown, ClientErased):
        return clients.get(ports, org, client_id).value
    return None


def _paper_key(owner: Key, answer_id: str, digest: str) -> str:
    return f"papers/{owner.org}/{owner.id}/{answer_id}-{digest[:16]}.pdf"
