"""The public form as tests need it: work done on a challenge, and a form that was filled in."""

import base64
import json
import re
from typing import Any

from altcha import Challenge, solve_challenge

from tests.duly import Answer, Duly

WRITER = {
    "name": "Łucja Żółć",
    "city": "Warszawa",
    "email": "lucja@klient.example",
    "phone": "+48 600 100 200",
    "postal_address": "ul. Krótka 2, 00-002 Warszawa",
}
SUBSTANCE = "Szkoda nie została rozpatrzona w terminie, proszę o wyjaśnienie."
INSURED = {"name": "Jan Ubezpieczony", "email": "jan@ubezpieczony.example"}
CLIENT_FACTS = (*WRITER.values(), SUBSTANCE, *INSURED.values(), "AB-123")


def worked(challenge: Any) -> str:
    """The proof of somebody who did the work."""
    found = solve_challenge(Challenge.from_dict(challenge))
    assert found is not None
    payload = {"challenge": challenge, "solution": found.to_dict()}
    return base64.b64encode(json.dumps(payload).encode()).decode()


def a_proof(duly: Duly, org: str = "agencja") -> str:
    """A proof for one submission."""
    return worked(duly.public("/complaints/challenge", {}, org).json["challenge"])


def filled(proof: str, **changes: Any) -> dict[str, Any]:
    """A complaint of a client about a claim."""
    return {
        "proof": proof,
        "language": "pl",
        "kind": "complaint",
        **WRITER,
        "contract_number": "AB-123",
        "product": "motor_liability",
        "substance": SUBSTANCE,
        "seconds": 90,
        **changes,
    }


def sent(duly: Duly, **changes: Any) -> Answer:
    """A form that was filled in and sent."""
    return duly.public("/complaints", filled(a_proof(duly), **changes))


def for_insured(duly: Duly, **changes: Any) -> Answer:
    """A form that somebody sent for an insured, without authority."""
    return sent(duly, about="other", insured=INSURED, **changes)


def token_of(answer: Answer) -> str:
    """The token of the private link that the sender is shown."""
    link: str = answer.json["status_link"]
    assert link.startswith("/status#")
    return link.removeprefix("/status#")


def insured_token(duly: Duly) -> str:
    """The token of the newest question in the insured's mailbox."""
    said = duly.mailbox.to(INSURED["email"])[-1].text
    found = re.search(r"^https?://\S+/insured#(\S+)\r?$", said, re.MULTILINE)
    assert found is not None, said
    return found[1]
