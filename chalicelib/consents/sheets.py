"""A declaration with its words: as a page shows it, and as it is printed."""

from typing import cast

from chalicelib.clients.domain import NOTICE, Client
from chalicelib.consents.domain import Declaration
from chalicelib.documents.sheet import DeclarationSheet, Language, SheetAnswer
from chalicelib.kernel.change import Held
from chalicelib.letters.senders import controller, local
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House
from chalicelib.ports import Ports


def shown(ports: Ports, house: House, declaration: Declaration) -> tuple[SheetAnswer, ...]:
    """Each answer with the words that the client is shown."""
    org, wanted = house.organisation.org, [one.wording_id for one in declaration.answers]
    words = organisations.wordings(ports, org, wanted)
    return tuple(
        SheetAnswer(
            title=words[one.wording_id].title,
            text=words[one.wording_id].text,
            answer=one.answer,
            kind="notice" if one.purpose == NOTICE else "consent",
        )
        for one in declaration.answers
    )


def sheet(
    ports: Ports, house: House, held: Held[Client], declaration: Declaration
) -> DeclarationSheet:
    """The declaration as it is printed."""
    identity = held.value.identity
    return DeclarationSheet(
        org=house.organisation.org,
        code=declaration.code,
        language=cast(Language, declaration.language),
        controller=controller(house.settings),
        client_name=identity.name,
        client_address=identity.address or None,
        client_email=identity.email or None,
        client_phone=identity.phone or None,
        declared_on=local(declaration.created, house).date(),
        answers=shown(ports, house, declaration),
    )
