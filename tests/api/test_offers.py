"""What was offered to a client is none of their declarations, wherever those are read."""

import json
from typing import Any

from tests.api.test_portability import unpacked
from tests.api.test_preferences import consenting
from tests.api.test_scans import again, assigned, imported, pictures, printed_paper, scanned, states
from tests.duly import Duly

OFFERS = 6  # ids are random: whoever stumbles over an offer has met one before the declaration


def offered(duly: Duly) -> Any:
    """A client with a consent and some offers that left."""
    client = consenting(duly)
    path = f"/api/clients/{client['client_id']}/offers"
    for number in range(OFFERS):
        words = {"subject": f"Oferta {number}", "text": "Dzień dobry."}
        assert duly.staff("POST", path, words, once=f"{number}" * 20).status == 202
    duly.tick()
    assert duly.mailbox.subjects().count("Oferta 0") == 1
    return client


def test_a_copy_holds_the_offers_beside_the_declarations(duly: Duly) -> None:
    """S16; issue 4, 7; GDPR Art. 15: what staff wrote to them is theirs to read."""
    client = offered(duly)
    files = unpacked(duly, client)
    offers = [json.loads(files[name]) for name in files if name.startswith("offers/")]
    assert {one["subject"] for one in offers} == {f"Oferta {n}" for n in range(OFFERS)}
    assert len([name for name in files if name.startswith("declarations/")]) == 1


def test_a_signed_paper_of_somebody_with_offers_is_matched(duly: Duly) -> None:
    """S31, S34-S36: and what else is in the file, too."""
    client = offered(duly)
    _, paper = printed_paper(duly, client, phone=True)
    read = imported(duly, scanned(pictures(paper)))
    assert set(states(again(duly, read))) == {"recorded"}
    assert duly.consents(client["client_id"])["phone"] == "given"


def test_a_code_that_is_typed_finds_the_declaration_among_offers(duly: Duly) -> None:
    """S37: a page without a code is given to a declaration by hand; an offer is none."""
    client = offered(duly)
    declared, paper = printed_paper(duly, client, phone=True)
    (first, *_) = pictures(paper)
    first.paste(255, (first.width * 3 // 4, 0, first.width, first.height // 5))
    imported(duly, scanned([first]))
    (page,) = duly.staff("GET", "/api/scans/unmatched").json["pages"]
    answer = assigned(duly, page, code=declared["code"], page=1)
    assert answer.status == 202, answer.json
    offer = next(one[1] for one in duly.table() if "OFFER#" in one[1]).removeprefix("OFFER#")
    path = f"/api/clients/{client['client_id']}/declarations/{offer}"
    assert duly.staff("GET", path).told == (404, "declaration_unknown")
