"""The privacy gate: by which channels a letter may leave, for what it holds (M75-M84).

The detectors propose, an officer confirms or corrects with a reason, and the gate decides from
what is left, what the client signed and whether his address is known to be his.
"""

import hashlib
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from chalicelib.complaints.detectors import Finding, Kind, Rule, findings
from chalicelib.documents.sheet import Language
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.kernel.text import block

__all__ = [
    "Channel",
    "ChannelRefused",
    "CorrectionNeedsReason",
    "CorrectionRefused",
    "Finding",
    "Ground",
    "Kind",
    "Language",
    "Review",
    "ReviewOutdated",
    "Rule",
    "Verdict",
    "Why",
    "channels",
    "confirmed",
    "corrected",
    "digest",
    "findings",
    "language_of",
    "reviewed",
]


class CorrectionNeedsReason(Invalid):
    """A finding taken away or added without saying why."""

    code = "correction_needs_reason"
    sentence = "Say why you correct what was found in the letter."


class CorrectionRefused(Invalid):
    """Takes away what was not found, or adds a stretch that is not in the letter."""

    code = "correction_refused"
    sentence = "The correction does not fit the letter."


class ReviewOutdated(Conflict):
    """The letter was changed after it was looked at."""

    code = "review_outdated"
    sentence = "The letter has changed since it was checked for private data. Check it again."


class ChannelRefused(Conflict):
    """What the letter holds may not go by e-mail to this address (M76-M84)."""

    code = "channel_refused"
    sentence = "For what it holds, this may not go by e-mail: by post or in person."


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What an officer made of the findings of one text, known by its digest.

    Nothing removed and nothing added confirms them; a correction needs its reason.
    """

    text_digest: str
    removed: tuple[Finding, ...] = ()
    added: tuple[Finding, ...] = ()
    reason: str = ""


def confirmed(text: str) -> Review:
    """The officer agrees with what was found in this text."""
    return Review(text_digest=digest(text))


def corrected(
    text: str,
    found: tuple[Finding, ...],
    *,
    removed: Iterable[Finding] = (),
    added: Iterable[tuple[int, int, Kind]] = (),
    reason: str,
) -> Review:
    """The officer knows better, and says why; `CorrectionNeedsReason`, `CorrectionRefused`."""
    taken, new = tuple(removed), tuple(added)
    if not reason.strip():
        raise CorrectionNeedsReason(field="reason")
    if not set(taken) <= set(found) or not (taken or new):
        raise CorrectionRefused(field="removed")
    if not all(0 <= start < end <= len(text) for start, end, _ in new):
        raise CorrectionRefused(field="added")
    return Review(
        text_digest=digest(text),
        removed=taken,
        added=tuple(
            Finding(start=start, end=end, kind=kind, reason=Rule.OFFICER)
            for start, end, kind in new
        ),
        reason=block(reason, "reason", most=1000),
    )


def reviewed(text: str, found: tuple[Finding, ...], review: Review) -> tuple[Finding, ...]:
    """What counts once the officer has looked; `ReviewOutdated` for a text changed since."""
    if review.text_digest != digest(text):
        raise ReviewOutdated
    return tuple(sorted([*(one for one in found if one not in review.removed), *review.added]))


def language_of(language: str) -> Language:
    """Whose detectors read a letter in this language."""
    known: dict[str, Language] = {"pl": "pl", "en": "en", "ru": "ru"}
    return known.get(language, "en")


def digest(text: str) -> str:
    """How an event, or a review, names words that are kept elsewhere."""
    return hashlib.sha256(text.encode()).hexdigest()


class Channel(StrEnum):
    """How an answer may leave."""

    EMAIL = "email"
    REGISTERED_POST = "registered_post"
    IN_PERSON = "in_person"


class Why(StrEnum):
    """A ground for or against a channel."""

    NOTHING_PRIVATE = "nothing_private"
    EMAIL_IDENTIFIED = "email_identified"
    CONSENT_TO_ADDRESS = "consent_to_address"
    OFFICIAL_LETTER = "official_letter"
    CLIENT_IDENTIFIED = "client_identified"
    HOLDS_PRIVATE = "holds_private"
    NOT_INFORMATIONAL = "not_informational"
    EMAIL_NOT_IDENTIFIED = "email_not_identified"
    DATA_CONSENT_MISSING = "data_consent_missing"
    CONSENT_TO_ADDRESS_MISSING = "consent_to_address_missing"


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """A ground with the line that it rests on, and the kind that it speaks of."""

    why: Why
    line: str
    kind: Kind | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """For each allowed channel its grounds; why e-mail is not among them, where it is not.

    In person always means with the identification recorded first (M80, M84).
    """

    allowed: dict[Channel, tuple[Ground, ...]]
    against_email: tuple[Ground, ...] = ()

    @property
    def needs_identification(self) -> frozenset[Channel]:
        """Channels that are open only once the identification of the client is recorded."""
        return frozenset({Channel.IN_PERSON})


def channels(
    found: Iterable[Finding],
    *,
    identified_email: bool,
    data_consent: bool,
    written_consent_to_address: bool,
    informational: bool,
) -> Verdict:
    """Which channels are open to a letter that holds this.

    E-mail is, for a plain piece of information that holds nothing private (M76-M80), to the address
    identified for this client who signed the consent to data processing (M81, M82), or to the one
    that he consented to in writing (M83). Post and in person always are (M84).
    """
    against = _against(found, informational=informational)
    grounds = tuple(
        _exceptions(identified_email and data_consent, written_consent_to_address)
        if against
        else [Ground(why=Why.NOTHING_PRIVATE, line="M76")]
    )
    allowed: dict[Channel, tuple[Ground, ...]] = {
        Channel.REGISTERED_POST: (Ground(why=Why.OFFICIAL_LETTER, line="M84"),),
        Channel.IN_PERSON: (Ground(why=Why.CLIENT_IDENTIFIED, line="M84"),),
    }
    if grounds:
        return Verdict(allowed={Channel.EMAIL: grounds, **allowed})
    missing = (
        Ground(why=Why.DATA_CONSENT_MISSING, line="M82")
        if identified_email
        else Ground(why=Why.EMAIL_NOT_IDENTIFIED, line="M81")
    )
    consent = Ground(why=Why.CONSENT_TO_ADDRESS_MISSING, line="M83")
    return Verdict(allowed=allowed, against_email=(*against, missing, consent))


def _against(found: Iterable[Finding], *, informational: bool) -> tuple[Ground, ...]:
    held = {one.kind for one in found}
    against = [
        Ground(why=Why.HOLDS_PRIVATE, line=kind.forbidden_by, kind=kind)
        for kind in Kind
        if kind in held
    ]
    if not informational:
        against.append(Ground(why=Why.NOT_INFORMATIONAL, line="M77"))
    return tuple(against)


def _exceptions(identified: bool, consented: bool) -> Iterator[Ground]:
    if identified:
        yield Ground(why=Why.EMAIL_IDENTIFIED, line="M81")
    if consented:
        yield Ground(why=Why.CONSENT_TO_ADDRESS, line="M83")
