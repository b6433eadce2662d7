"""What a client may do alone, and ask for: withdraw, be erased, take everything along."""

import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
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
from local.desk import download

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
        else:
            raise NotAsItShouldBe("a changed word was not noticed")
        found = self._found_by_the_client(where)
        say(f"    The client's own verify.py, from their copy, says so, too: {found}")

    def _found_by_the_client(self, where: str) -> str:
        """What the verifier in the copy says of the same forgery, run as the client runs it."""
        copy = f"{where}/portability/{self.admin.post(f'{where}/portability')['export_id']}"
        self.cloud.heavy_tick()
        wait(lambda: self.admin.get(copy)["state"] == "ready")
        package = zipfile.ZipFile(io.BytesIO(download(self.admin.get(copy)["url"])))
        with tempfile.TemporaryDirectory() as folder:
            package.extractall(folder)
            history = Path(folder, "history.json")
            check(_verified(folder).returncode == 0, "the copy's histories stand")
            history.write_text(history.read_text().replace("withdrawn", "confirmed", 1))
            found = _verified(folder)
        check(found.returncode == 1, "the client's own verifier finds the changed word")
        return found.stdout.splitlines()[0]


def _verified(folder: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", str(Path(folder, "verify.py"))]
    return subprocess.run(command, capture_output=True, text=True, check=False)
