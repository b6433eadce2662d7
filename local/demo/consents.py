"""Consents by e-mail and on paper: settings, declaration, confirmation, history."""

import urllib.request
from typing import Any

from chalicelib.kernel import chain
from local.demo.story import (
    AGENT,
    FOREIGNER,
    OUT,
    NotAsItShouldBe,
    Story,
    check,
    link_token,
    refused,
    say,
    wait,
    where,
)
from local.desk import Refused

AUTHORISATION = b"%PDF-1.4\n% a made-up authorisation\n%%EOF\n"
OWN_TEXT = (
    "Zgadzam się, aby {controller_name} pytała mnie raz w roku o zadowolenie z obsługi. "
    "Zgodę mogę wycofać w każdej chwili, pisząc na {controller_email}."
)


class Consents(Story):
    """From the settings to the history, in Polish."""

    title = "Consents by e-mail and on paper"

    def run(self) -> None:
        """The story from the settings to the history."""
        self.settings()
        self.catalogue()
        client = self.client()
        draft = self.declaration(client)
        self.preview_and_send(draft)
        mail = self.arrived(client["identity"]["email"])
        token = self.read_mail(mail)
        self.robots(token, client)
        self.confirm(token, client)
        self.dispute_remind_expire()
        self.bounce()
        self.paper()
        self.history(client)
        self.walls(client)

    def settings(self) -> None:
        """1. The organisation's settings: validated, versioned."""
        before = self.admin.get("/api/organisation")
        wanted = before["settings"] | {"link_days": 10, "reminder_days": 2}
        path, version = "/api/organisation/settings", before["version"]
        after = self.admin.put(path, wanted, version=version)
        check(after["settings"]["link_days"] == 10, "the link lives ten days")
        mars = wanted | {"time_zone": "Mars"}
        refused("setting_refused", lambda: self.admin.put(path, mars, version=after["version"]))
        refused("changed_meanwhile", lambda: self.admin.put(path, wanted, version=version))
        refused("role_refused", lambda: self.agent.put(path, wanted, version=after["version"]))
        say("1. Settings changed; a wrong zone, a stale version and an agent were refused.")

    def catalogue(self) -> None:
        """2. Purposes: add one's own, edit, hide; used wordings stay."""
        texts = {
            one: {"title": "Badanie zadowolenia", "text": OWN_TEXT} for one in ("pl", "en", "ru")
        }
        added = self.admin.post("/api/catalogue", {"purpose": "survey", "texts": texts})
        survey = added["purposes"][-1]
        words = self.admin.get(f"/api/wordings/{survey['wordings']['pl']}")
        check("Agencja Ubezpieczeniowa Pod Dębem" in words["text"], "the controller is merged in")
        hidden = self.admin.patch(
            "/api/catalogue/purposes/survey", {"hidden": True}, version=added["version"]
        )
        check(hidden["purposes"][-1]["hidden"], "a purpose can be hidden")
        again = self.admin.get(f"/api/wordings/{survey['wordings']['pl']}")
        check(again == words, "a wording never changes")
        say(f"2. Catalogue: {len(hidden['purposes'])} purposes, one of our own, hidden again.")

    def client(self) -> Any:
        """3. A client, before the notice."""
        identity = {
            "kind": "person",
            "name": "Grażyna Brzęczyszczykiewicz",
            "language": "pl",
            "served": "remote",
        }
        refused("email_required", lambda: self.agent.post("/api/clients", identity))
        identity["email"] = "grazyna@klient.duly.example"
        client = self.agent.post("/api/clients", identity)
        client_id, version = client["client_id"], client["version"]
        found = self.agent.get("/api/clients?name=brzecz")["clients"]
        matches = [one["client_id"] for one in found]
        check(matches == [client_id], "found by the surname's beginning")
        may = self.agent.get(f"/api/clients/{client_id}/may/quotation")
        check(not may["allowed"] and may["reason"] == "notice_required", "no quotation yet")
        edited = identity | {"contract": {"state": "active"}}
        refused(
            "notice_required",
            lambda: self.agent.put(f"/api/clients/{client_id}", edited, version=version),
        )
        say("3. A client, before the notice: no contract and no quotation yet.")
        return client

    def declaration(self, client: Any) -> Any:
        """4. What the client said: any consent ticks the notice."""
        path = f"/api/clients/{client['client_id']}"
        files = [self.upload(path, "OFWCA.pdf", AUTHORISATION)]
        answers = {"marketing": True, "email": True, "phone": False}
        draft = self.agent.post(f"{path}/declarations", {"answers": answers, "attachments": files})
        said = {one["purpose"]: one["answer"] for one in draft["answers"]}
        check(said == answers | {"notice": True}, "the notice is ticked with any consent")
        say("4. Declared: marketing yes, e-mail yes, telephone no; the notice was ticked with it.")
        return draft

    def preview_and_send(self, draft: Any) -> None:
        """5. Nothing leaves before the preview was seen and sent."""
        preview = self.agent.get(f"{where(draft)}/preview")
        check(preview["subject"] == "Ubezpieczenie", "the subject is exactly Ubezpieczenie")
        check(f"{self.cloud.site}/c#masked" in preview["text"], "a preview carries a dead link")
        check(len(preview["attachments"]) == 2, "the declaration and the attached file")
        check(not self.cloud.mails(draft["client"]["identity"]["email"]), "nothing was sent yet")
        (OUT / "preview.html").write_text(preview["html"], encoding="utf-8")
        self.agent.post(f"{where(draft)}/send", version=preview["version"])
        say("5. Previewed with a dead link, then sent.")

    def read_mail(self, mail: dict[str, Any]) -> str:
        """6. The e-mail as it arrived."""
        message, raw = self.message(mail)
        (OUT / "1-confirm.eml").write_bytes(raw)
        check(message["Subject"] == "Ubezpieczenie", "the subject is exactly Ubezpieczenie")
        check(AGENT in str(message["Reply-To"]), "answers go to the user who sent it")
        names = [str(part.get_filename()) for part in message.iter_attachments()]
        check("OFWCA.pdf" in names and len(names) == 2, "the paper and the file are attached")
        files = message.iter_attachments()
        paper = next(one for one in files if "OFWCA" not in str(one.get_filename()))
        (OUT / "declaration.pdf").write_bytes(paper.get_content())
        say(f"6. The e-mail arrived, with {names[0]} and {names[1]}.")
        return link_token(message, "c")

    def robots(self, token: str, client: Any) -> None:
        """7a. What only looks changes nothing; what is forged opens nothing."""
        for _ in range(3):
            with urllib.request.urlopen(f"{self.cloud.site}/c", timeout=10) as page:
                page.read()
            self.link("read", token)
        state = self.consents(client)
        check(state["marketing"] == "awaiting_email", "looking confirms nothing")
        refused("link_invalid", lambda: self.link("read", token[:-2] + "AA"))
        refused("invalid", lambda: self.link("act", token))
        say("7. Scanners may look as often as they like; a forged link opens nothing.")

    def confirm(self, token: str, client: Any) -> None:
        """7b, 8. The client confirms; the user is told; the client keeps a receipt."""
        shown = self.link("read", token)
        act = {"decision": "confirm", "digest": shown["digest"]}
        receipt = self.link("act", token, **act)["receipt"]
        again = self.link("act", token, **act)["receipt"]
        check(again == receipt, "the same act, the same receipt")
        check(self.link("read", token)["receipt"] == receipt, "a second visit shows the receipt")
        other = act | {"decision": "dispute"}
        refused("already_confirmed", lambda: self.link("act", token, **other))
        state = self.consents(client)
        check(
            state == {"marketing": "given", "email": "given", "phone": "refused"},
            "each consent stands on its own",
        )
        _, raw = self.message(self.arrived(client["identity"]["email"], 2))
        (OUT / "2-receipt.eml").write_bytes(raw)
        _, raw = self.message(self.arrived(AGENT))
        (OUT / "3-to-the-user.eml").write_bytes(raw)
        may = self.agent.get(f"/api/clients/{client['client_id']}/may/quotation")
        check(may["allowed"], "with the notice delivered a quotation is allowed")
        say(f"8. Confirmed: receipt {receipt['reference']}; the user was told.")

    def dispute_remind_expire(self) -> None:
        """8. A dispute changes nothing and leaves the link alive; one reminder; then it expires."""
        client, token = self.sent_to("Jan Wątpliwy", "jan@klient.duly.example")
        shown = self.link("read", token)
        answer = self.link("act", token, decision="dispute", digest=shown["digest"])
        check(answer["receipt"]["decision"] == "disputed", "a dispute is registered")
        check(self.consents(client)["marketing"] == "awaiting_email", "it changes no consent")
        self.arrived(AGENT, 2)
        check(self.link("read", token)["state"] == "disputed", "the link stays alive")
        address = "ewa@klient.duly.example"
        client, token = self.sent_to("Ewa Milcząca", address)
        self.pass_time(3)
        reminder, raw = self.message(self.arrived(address, 2))
        (OUT / "4-reminder.eml").write_bytes(raw)
        check(reminder["Subject"] == "Ubezpieczenie", "the reminder has the same subject")
        self.cloud.tick()
        check(len(self.cloud.mails(address)) == 2, "one reminder, however often the tick runs")
        self.pass_time(9)
        check(self.consents(client)["marketing"] == "expired", "unanswered, it expires")
        refused("link_expired", lambda: self.link("read", token))
        check(self.link("renew", token) == {"code": "asked"}, "a new link can be asked for")
        self.clock_right()
        say("   Disputed, reminded once, expired: by the agenda, with the clock moved on.")

    def bounce(self) -> None:
        """8. A message that comes back takes the notice with it."""
        client, _ = self.sent_to("Zofia Znikła", "bounce@simulator.amazonses.com")
        wait(lambda: self.read(client)["declarations"][0]["state"] == "undeliverable")
        check(self.read(client)["state"] == "before_notice", "what bounced was not delivered")
        say("   A bounced message: undeliverable, and the notice counts as not given.")

    def paper(self) -> None:
        """9. On paper: no e-mail address is needed."""
        client = self.agent.post(
            "/api/clients",
            {"kind": "person", "name": "Stanisław Papier", "language": "pl", "served": "direct"},
        )
        path = f"/api/clients/{client['client_id']}/declarations"
        draft = self.agent.post(path, {"answers": {"marketing": True, "phone": True}})
        printed = self.agent.post(f"{where(draft)}/print", version=draft["version"])
        with urllib.request.urlopen(printed["url"], timeout=10) as answer:
            pdf = answer.read()
        check(pdf.startswith(b"%PDF-1."), "the paper is a PDF")
        (OUT / "printed.pdf").write_bytes(pdf)
        check(self.read(client)["state"] == "before_notice", "printing alone delivers nothing")
        self.agent.post(f"{where(draft)}/hand-over", version=printed["version"])
        check(self.read(client)["state"] == "active", "handed over, the notice is delivered")
        say(f"9. Printed and handed over: paper {printed['code']}.")

    def history(self, client: Any) -> None:
        """10. Every event, chained; one flipped byte is named."""
        path = f"/api/clients/{client['client_id']}/events"
        events = self.agent.get(path)["events"]
        check(events[0]["version"] == len(events), "newest first")
        exported = self.agent.get(f"{path}/export")["export"]
        (OUT / "history.json").write_text(exported, encoding="utf-8")
        check(chain.verify(exported) == len(events), "the chain stands")
        place = exported.index("confirmed")
        try:
            chain.verify(exported[:place] + "d" + exported[place + 1 :])
        except chain.Broken as broken:
            say(f"10. {len(events)} events, the chain stands; one flipped byte: {broken}.")
            return
        raise NotAsItShouldBe("a flipped byte was not noticed")

    def walls(self, client: Any) -> None:
        """11. Another organisation sees nothing; nobody without a token does."""
        path = f"/api/clients/{client['client_id']}"
        refused("client_unknown", lambda: self.desk(FOREIGNER).get(path))
        try:
            self.public.get(path)
        except Refused as answer:
            check(answer.status == 401, "no token, no answer")
        say("11. Another organisation's staff get a 404, nobody's token a 401.")
