"""What a client may do alone, and ask for: withdraw, be erased, take everything along."""

import json
from typing import Any

from chalicelib import wiring
from chalicelib.kernel import chain
from chalicelib.kernel.change import Key
from local.demo.story import (
    ORG,
    OUT,
    NotAsItShouldBe,
    Story,
    check,
    link_token,
    refused,
    say,
    told,
    wait,
)

OFFER = {"subject": "Ubezpieczenie domu", "text": "Dzień dobry,\n\nmamy nową ofertę."}


class Rights(Story):
    """Withdrawal, erasure, proof."""

    title = "Rights: a withdrawal, an erasure, an export that was tampered with"

    def run(self) -> None:
        """One client withdraws, one is erased; a forged history is caught."""
        client = self.withdrawn()
        self.erased()
        self.tampered(client)

    def withdrawn(self) -> Any:
        """From the link of an e-mail, with one act; the next offer is refused."""
        address = "teresa@klient.duly.example"
        client, link = self.sent_to("Teresa Zmienna", address)
        self.link("act", link, decision="confirm", digest=self.link("read", link)["digest"])
        self.arrived(address, 2)
        path = f"/api/clients/{client['client_id']}/offers"
        self.agent.post(path, OFFER)
        offer = self.kept_mail(address, "rights-1-offer.eml", 3)
        check(str(offer["Subject"]) == OFFER["subject"], "who consented gets the offer")
        one_click = "List-Unsubscribe=One-Click"
        check(str(offer["List-Unsubscribe-Post"]) == one_click, "and one click ends it")
        own = f"/api/public/{ORG}/preferences"
        token = link_token(offer, "p")
        shown = self.public.post(f"{own}/read", {"token": token})["consents"]
        check(all(one["texts"]["pl"] for one in shown), "the page shows every consent in its words")
        check(self.consents(client)["email"] == "given", "looking withdraws nothing")
        body = {"token": token, "withdraw": ["marketing"]}
        after = self.public.post(f"{own}/act", body)["consents"]
        states = {one["purpose"]: one["state"] for one in after}
        check(states["marketing"] == "withdrawn", "withdrawn with one act")
        refused("consent_missing", lambda: self.agent.post(path, OFFER))
        receipt = self.kept_mail(address, "rights-2-withdrawn.eml", 4)
        check("wycofa" in told(receipt), "the client has it in writing")
        say("13. A client withdrew from an e-mail's link; the next offer is refused.")
        return client

    def erased(self) -> None:
        """Nobody who never consented stays: the words go, the chain of what happened stands."""
        address = "wanda@klient.duly.example"
        known: dict[str, Any] = {"kind": "person", "name": "Wanda Znikająca", "language": "pl"}
        known |= {"served": "remote", "email": address}
        client = self.agent.post("/api/clients", known)
        where = f"/api/clients/{client['client_id']}"
        draft = self.agent.post(f"{where}/declarations", {"answers": {"marketing": False}})
        sent = f"{where}/declarations/{draft['declaration_id']}/send"
        self.agent.post(sent, version=draft["version"])
        self.arrived(address)
        version = self.read(client)["version"]
        ended = known | {"contract": {"state": "none"}}
        version = self.agent.put(where, ended, version=version)["version"]
        self.admin.post(f"{where}/erasure", version=version)
        wait(lambda: self._certificate(where)["finished_at"] is not None)
        certificate = self._certificate(where)
        records = wiring.ports().ledger.events(Key(ORG, "CLIENT", client["client_id"]), most=100)
        head = chain.GENESIS
        for one in reversed(records):
            check(one.body is None, "no event has kept its words")
            check(one.envelope["previous"] == head, "each event hangs on the one before")
            head = chain.link(one.envelope, one.digest)
        check(head == certificate["head"], "and the last one is the certificate's")
        check(address not in str(self.cloud.table.scan()["Items"]), "no item names the client")
        (OUT / "rights-3-certificate.json").write_text(json.dumps(certificate, indent=1))
        refused("client_erased", lambda: self.read(client))
        say(f"14. Erased; the chain of {len(records)} events verifies to {head[:12]}….")

    def _certificate(self, where: str) -> Any:
        self.cloud.tick()
        self.cloud.heavy_tick()
        return self.admin.get(f"{where}/erasure")["certificate"]

    def tampered(self, client: Any) -> None:
        """One word of an exported history changed: the event is named."""
        where = f"/api/clients/{client['client_id']}"
        exported = self.agent.get(f"{where}/events/export")["export"]
        events = chain.verify(exported)
        forged = exported.replace("withdrawn", "confirmed", 1)
        check(forged != exported, "there is something to forge")
        try:
            chain.verify(forged)
        except chain.Broken as broken:
            say(f"15. {events} events verify; with one word changed: {broken}.")
            return
        raise NotAsItShouldBe("a changed word was not noticed")
