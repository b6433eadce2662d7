"""A complaint by the form and one by e-mail, each from its arrival to its answer."""

import json
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from io import BytesIO
from typing import Any

from local import form
from local.cases import Case
from local.cloud import Cloud
from local.demo.story import (
    HEAD,
    OFFICER,
    ORG,
    OUT,
    Story,
    body,
    check,
    refused,
    say,
    told,
    wait,
)
from local.desk import download

MAILBOX = "reklamacje@poddebem.duly.example"
SIGNER = {"name": "Zofia Sarna", "position": "specjalistka do spraw reklamacji"}
POLICY = b"%PDF-1.4\n% a made-up policy\n%%EOF\n"
WRITER = {
    "name": "Łucja Źdźbło",
    "city": "Kraków",
    "email": "lucja.zdzblo@klient.duly.example",
    "phone": "+48 601 700 800",
    "postal_address": "ul. Krótka 2/5, 31-002 Kraków",
}
SUBSTANCE = (
    "Zgłosiłam szkodę 3 tygodnie temu i do dziś nie mam odpowiedzi.\n\n"
    "Proszę o wypłatę odszkodowania i o wyjaśnienie zwłoki."
)
ANSWER = (
    "Reklamację uznajemy w całości. Szkodę zarejestrowano z opóźnieniem, za które przepraszamy. "
    "Przyznaliśmy odszkodowanie w kwocie 3 400 zł."
)
POSITION = "Opóźnienie powstało po naszej stronie; § 12 ogólnych warunków daje Pani rację."
PERFORMANCE = "Należną kwotę przekażemy w ciągu 14 dni od dnia tego pisma."
PLAIN = "Dziękujemy za wiadomość. Infolinia jest czynna w dni robocze od godziny 8 do 16."


class Complaints(Story):
    """From the form, and from the mailbox, to the answer."""

    title = "Complaints: from the form and from an e-mail to the answer"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.officer, self.head = self.desk(OFFICER), self.desk(HEAD)

    def run(self) -> None:
        """Two complaints, each to its answer."""
        self.to_working_day()
        case, status = self.filed()
        self.acknowledged(case, status)
        self.asked_and_replied(case)
        self.drafted(case)
        self.gate(case)
        self.posted(case, status)
        self.mailed()
        self.clock_right()

    def filed(self) -> tuple[Case, str]:
        """The form: a challenge worked on, two files uploaded, sent once."""
        files = {
            ("polisa.pdf", "application/pdf"): POLICY,
            ("zdjęcie szkody.jpg", "image/jpeg"): a_photo(),
        }
        answers = {
            "language": "pl",
            "kind": "complaint",
            **WRITER,
            "contract_number": "OC-77/2026",
            "product": "motor_liability",
            "substance": SUBSTANCE,
        }
        sent = form.file(self.public, ORG, files, **answers)
        (OUT / "form-sent.json").write_text(json.dumps(sent, ensure_ascii=False, indent=1))
        check(sent["acknowledgement"] == "email", "an acknowledgement by e-mail is promised")
        check(bool(sent["answer_by"] and sent["why"]), "the page says by which day, and why")
        refused("proof_refused", lambda: self.public.post(f"/api/public/{ORG}/complaints", NO_WORK))
        case = Case.find(self.officer, sent["reference"])
        self.cloud.tick()
        wait(lambda: {one["state"] for one in case.read()["files"]} == {"kept"})
        first = case.read()["files"][0]
        check(download(first["url"]) in files.values(), "a file comes back as it was sent")
        say(f"16. The form was sent with two files: {sent['reference']}. {sent['why']}")
        return case, sent["status_link"].removeprefix("/status#")

    def acknowledged(self, case: Case, status: str) -> None:
        """Registered at once in office hours, acknowledged; a page tells how far it is."""
        wait(lambda: case.read()["state"] == "registered")
        mail = self.kept_mail(WRITER["email"], "complaint-1-taken.eml")
        number = case.read()["reference"]
        check(number in str(mail["Subject"]), "the acknowledgement names the number")
        shown = self.status(status)
        check((shown["stage"], shown["reference"]) == ("registered", number), "the page says so")
        hidden = json.dumps(shown, ensure_ascii=False)
        check(WRITER["name"] not in hidden and "OC-77" not in hidden, "and no fact of the case")
        assigned = case.act("assign", {"assignee": self.id_of(OFFICER), "department": "Jakość"})
        check(assigned["state"] == "in_review", "an officer has it")
        say(f"    Registered and acknowledged; the status page says when: {shown['next']['date']}.")

    def asked_and_replied(self, case: Case) -> None:
        """Documents are asked for; the client's reply by e-mail joins the case by its address."""
        by = (self.now() + timedelta(days=7)).date().isoformat()
        ask = {
            "ground": "documents",
            "text": "Prosimy o przesłanie rachunku z warsztatu.",
            "answer_by": by,
        }
        waiting = case.act("request", ask)
        check(waiting["state"] == "awaiting_information", "the case waits for the client")
        asked = self.kept_mail(WRITER["email"], "complaint-2-asked.eml", 2)
        reply_to = str(asked["Reply-To"].addresses[0].addr_spec)
        check(reply_to.startswith("r+"), "a reply has an address of its own")
        raw = a_mail(
            "Rachunek w załączniku.\n\n> Prosimy o przesłanie rachunku z warsztatu.\n",
            to=reply_to,
            subject=f"Re: {asked['Subject']}",
            files={"rachunek.pdf": POLICY},
        )
        check(self.cloud.receive_mail(raw, reply_to), "the mailbox takes the reply")
        wait(lambda: len(case.read()["messages"]) == 1)
        read = case.read()
        (message,) = read["messages"]
        check(message["sender"] == "writer", "the reply is the writer's")
        check(len(message["files"]) == 1 and len(read["files"]) == 3, "with its document")
        check(read["state"] == "in_review", "nobody waits any more")
        say(
            "    Documents were asked for; the reply by e-mail joined the case with its attachment."
        )

    def drafted(self, case: Case) -> None:
        """The draft of the answer, and what it still lacks, with where that is written."""
        draft = case.draft("upheld")
        gaps = case.check()["gaps"]
        check(bool(gaps), "a template alone is no answer")
        gap = next(one for one in gaps if one["field"].startswith("elements."))
        check(bool(gap["sentence"] and gap["document"]), "a gap names its rule and its source")
        refused("answer_incomplete", lambda: case.answering("submit"))
        say(f"    A draft lacks {len(gaps)} things, such as: {gap['sentence']} ({gap['rule']}).")
        wanted = {one["key"] for one in draft["elements"]} - {"signatory"}
        check({"position", "performance"} == wanted, "what the act wants of an answer")
        case.write(ANSWER, {"position": POSITION, "performance": PERFORMANCE}, SIGNER)
        check(case.check()["gaps"] == [], "filled in, nothing is missing")

    def gate(self, case: Case) -> None:
        """A sum of money closes e-mail; the house wants a second person."""
        found = case.check(informational=True)
        check("payout" in {one["kind"] for one in found["findings"]}, "the sum is found")
        email, post = (found["channels"][one] for one in ("email", "registered_post"))
        check(not email["open"] and post["open"], "it may go by post, not by e-mail")
        case.answering("review", {})
        letter = {"channel": "registered_post"}
        refused("approval_needed", lambda: case.answering("send", letter))
        case.answering("submit")
        refused("approval_by_another", lambda: case.answering("approve"))
        case.answering("approve", by=self.head)
        refused("channel_refused", lambda: case.answering("send", {"channel": "email"}))
        why = {one["line"] for one in email["against"]}
        stretches = ", ".join(f"«{one['stretch']}»" for one in found["findings"])
        check("3 400" in stretches, "the sum is shown where it stands")
        say(f"    Privacy gate: {stretches} bar e-mail ({', '.join(sorted(why))}).")

    def posted(self, case: Case, status: str) -> None:
        """The official letter as PDF; with the stamp of the post the case is answered."""
        sent = case.answering("send", {"channel": "registered_post"})
        pdf = download(sent["paper_url"])
        check(pdf.startswith(b"%PDF-1."), "the letter is a PDF")
        (OUT / "complaint-3-answer.pdf").write_bytes(pdf)
        today = self.now().date().isoformat()
        done = case.answering("posted", {"posted_on": today, "tracking": "RR123456785PL"})
        check((done["state"], done["late"]) == ("answered", False), "answered, and in time")
        mail = self.kept_mail(WRITER["email"], "complaint-4-on-its-way.eml", 4)
        check("RR123456785PL" in body(mail), "the client learns that the letter is on its way")
        check("3 400" not in told(mail), "and no sum of money")
        check(self.status(status)["stage"] == "answered", "the status page says answered")
        say("    The official letter was printed, posted and followed; the case is answered.")

    def mailed(self) -> None:
        """An e-mail to the mailbox is a complaint as good as any."""
        address = "wojciech@klient.duly.example"
        raw = a_mail(
            "Składam reklamację: nie mogłem się dodzwonić na infolinię.\n",
            sender=f"Wojciech Żuraw <{address}>",
            files={"bilingi.pdf": POLICY},
        )
        check(self.cloud.receive_mail(raw, MAILBOX), "the mailbox takes it")
        wait(lambda: self.unassigned() != [])
        self.cloud.tick()
        (row,) = self.unassigned()
        case = Case(self.officer, row["case_id"])
        wait(lambda: case.read()["state"] == "registered")
        read = case.read()
        check(read["writer"]["email"] == address, "its sender is the writer")
        check([one["state"] for one in read["files"]] == ["kept"], "the attachment is kept")
        taken = self.kept_mail(address, "complaint-5-mailed-taken.eml")
        check(read["reference"] in str(taken["Subject"]), "it is acknowledged")
        classes = {"cause": "hotline", "department": "Jakość", "product": "other"}
        case.act("classify", classes)
        case.draft("upheld")
        case.write(
            PLAIN, {"position": PLAIN, "performance": "Nie dotyczy: nie ma roszczenia."}, SIGNER
        )
        case.answering("review", {})
        case.approve(self.head)
        case.answering("send", {"channel": "email", "informational": True})
        answer = self.kept_mail(address, "complaint-6-mailed-answer.eml", 2)
        check(PLAIN in told(answer), "the answer arrives by e-mail")
        self.no_loop(address)
        number = read["reference"]
        say(f"17. An e-mail became case {number} and was answered by e-mail.")

    def no_loop(self, address: str) -> None:
        """A machine that answers gets no answer."""
        before = len(self.cloud.mails(address))
        raw = a_mail("Jestem na urlopie.", sender=f"Wojciech Żuraw <{address}>", machine=True)
        self.cloud.receive_mail(raw, MAILBOX)
        self.cloud.tick()
        check(self.unassigned() == [], "an automatic reply is no case")
        check(len(self.cloud.mails(address)) == before, "and is never answered")

    def unassigned(self) -> list[Any]:
        """The cases that are nobody's yet."""
        found: list[Any] = self.officer.get("/api/complaints?list=unassigned")["cases"]
        return found

    def status(self, token: str) -> Any:
        """What the private page says."""
        return self.public.post(f"/api/public/{ORG}/complaints/status", {"token": token})

    def id_of(self, address: str) -> str:
        """The id of a member of staff."""
        people = self.admin.get("/api/staff")["members"]
        return str(next(one["staff_id"] for one in people if one["email"] == address))


NO_WORK = {"proof": "e30=", "substance": "Bez pracy.", "seconds": 1}


def a_mail(
    text: str,
    *,
    sender: str = f"Łucja Źdźbło <{WRITER['email']}>",
    to: str = MAILBOX,
    subject: str = "Reklamacja",
    files: dict[str, bytes] | None = None,
    machine: bool = False,
) -> bytes:
    """An e-mail of a client, or of their program that answers by itself."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    if machine:
        message["Auto-Submitted"] = "auto-replied"
    message.set_content(text)
    for name, content in (files or {}).items():
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return bytes(message)


def a_photo() -> bytes:
    """A picture of a telephone."""
    from PIL import Image

    out = BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((640, 480)).save(out, "JPEG", quality=80)
    return out.getvalue()
