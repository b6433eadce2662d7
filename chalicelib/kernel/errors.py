"""How Duly says no: a handful of kinds, each refusal with a stable code.

A refusal is part of the interface. `code` never changes once published, `field` names the
offending part of the request, and the message holds ids at most: it ends up in logs.
"""

from typing import ClassVar


class DomainError(Exception):
    """A refusal with a stable `code`; which HTTP status it becomes is `web.problem`'s business."""

    code: ClassVar[str] = "refused"
    sentence: ClassVar[str] = "This is not possible."

    def __init__(self, detail: str = "", *, field: str | None = None) -> None:
        super().__init__(detail or self.sentence)
        self.field = field


class Malformed(DomainError):
    """The request can't be read at all."""

    code = "malformed"
    sentence = "The request could not be read."


class Unauthenticated(DomainError):
    """Nobody we know asks."""

    code = "unauthenticated"
    sentence = "Sign in first."


class Forbidden(DomainError):
    """Somebody we know asks for what is not theirs to ask."""

    code = "forbidden"
    sentence = "Your role does not allow this."


class NotFound(DomainError):
    """There is no such thing, or it belongs to somebody else: the two are told apart nowhere."""

    code = "not_found"
    sentence = "There is no such thing here."


class Conflict(DomainError):
    """What is asked does not fit what is stored now."""

    code = "conflict"
    sentence = "This does not fit what is stored now."


class Gone(DomainError):
    """It was there and is over."""

    code = "gone"
    sentence = "This is over."


class TooLarge(DomainError):
    """More than Duly takes in one request."""

    code = "too_large"
    sentence = "The request is too large."


class Unsupported(DomainError):
    """A media type that Duly does not read here."""

    code = "unsupported_media_type"
    sentence = "Send application/json."


class Invalid(DomainError):
    """Readable, but some field breaks a rule."""

    code = "invalid"
    sentence = "A field breaks a rule."


class TooManyRequests(DomainError):
    """More than one place may send in an hour; another channel is always open."""

    code = "too_many_requests"
    sentence = "Too many requests from here. Try again later, or write, call or come."


class PreconditionRequired(DomainError):
    """A change that does not say which version it changes."""

    code = "if_match_required"
    sentence = "Send If-Match with the version that you read."


class Unavailable(DomainError):
    """Something that Duly needs does not answer; nothing was done; trying again is right."""

    code = "unavailable"
    sentence = "Try again in a moment."


class ChangedMeanwhile(Conflict):
    """Somebody else's change came first (S60: two people at one client)."""

    code = "changed_meanwhile"
    sentence = "This was changed meanwhile. Read it again, then decide."


class Taken(Conflict):
    """Another aggregate already holds this value."""

    code = "taken"
    sentence = "This is already in use."


class IdempotencyKeyReused(Conflict):
    """One Idempotency-Key, two different requests."""

    code = "idempotency_key_reused"
    sentence = "This Idempotency-Key was used for a different request."
