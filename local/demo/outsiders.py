"""Who writes for somebody else, and who names nobody."""

import json

from local import form
from local.cases import Case
from local.cloud import Cloud
from local.demo.complaints import PERFORMANCE, POSITION, SIGNER
from local.demo.story import (
    HEAD,
    OFFICER,
    ORG,
    Story,
    check,
    link_token,
    refused,
    say,
    told,
    wait,
)

NEIGHBOUR = "sasiad@inny.duly.example"
INSURED = "genowefa@klient.duly.example"
SUBSTANCE = "Sąsiadce odmówiono wypłaty po zalaniu mieszkania przy Lipowej 8."
FIXED = "Odpowiedź na to zgłoszenie otrzyma bezpośrednio ubezpieczony."
PLAIN = "Reklamację uznajemy. Sprawę ponownie rozpatrzył zespół szkód i zmienił decyzję."


class Outsiders(Story):
    """A neighbour writes for the insured; somebody writes without a name."""

    title = "Third parties and anonymous writers"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.officer, self.head = self.desk(OFFICER), self.desk(HEAD)

    def run(self) -> None:
        """Each is registered; neither learns anything of anybody."""
        self.to_working_day()
        self.third_party()
        self.anonymous()
        self.clock_right()

    def third_party(self) -> None:
        """The fixed text to the writer, the question to the insured, the answer to her alone."""
        sent = form.file(
            self.public,
            ORG,
            language="pl",
            name="Sąsiad Uczynny",
            email=NEIGHBOUR,
            about="other",
            insured={"name": "Genowefa Zalana", "email": INSURED},
            substance=SUBSTANCE,
        )
        self.cloud.tick()
        check(sent["answer_by"] is None, "the writer learns no date of the answer")
        taken = self.kept_mail(NEIGHBOUR, "outsider-1-fixed-text.eml")
        check(FIXED in told(taken), "the writer gets the fixed text")
        for fact in ("Lipowej", "Genowefa", "zalani"):
            check(fact not in told(taken), "and no fact of the case")
        asked = self.kept_mail(INSURED, "outsider-2-question.eml")
        case = Case.find(self.officer, sent["reference"])
        case.draft("upheld")
        elements = {"position": POSITION, "performance": PERFORMANCE}
        case.write(PLAIN, elements, SIGNER)
        case.answering("review", {})
        case.approve(self.head)
        by_email = {"channel": "email", "informational": True}
        refused("insured_undecided", lambda: case.answering("send", by_email))
        token = link_token(asked, "insured")
        own = f"/api/public/{ORG}/complaints/insured"
        check(self.public.post(f"{own}/read", {"token": token})["state"] == "open", "she is asked")
        self.public.post(f"{own}/act", {"token": token, "decision": "mine"})
        refused("address_unproven", lambda: case.answering("send", by_email))
        case.act("insured-address", {"how": "adres z umowy"})
        case.answering("send", by_email)
        answer = self.kept_mail(INSURED, "outsider-3-answer.eml", 2)
        check(PLAIN in told(answer), "the answer goes to the insured")
        check(len(self.cloud.mails(NEIGHBOUR)) == 1, "and to nobody else")
        status = sent["status_link"].removeprefix("/status#")
        shown = self.public.post(f"/api/public/{ORG}/complaints/status", {"token": status})
        check("Genowefa" not in json.dumps(shown, ensure_ascii=False), "nor does the page tell")
        say("18. The writer got the fixed text, the insured the question and the answer.")

    def anonymous(self) -> None:
        """Registered, closed at once, counted."""
        sent = form.file(
            self.public, ORG, language="pl", anonymous=True, substance="W biurze nikt nie odbiera."
        )
        check((sent["status_link"], sent["acknowledgement"]) == ("", "none"), "nobody to tell")
        self.cloud.tick()
        case = Case.find(self.officer, sent["reference"])
        wait(lambda: case.read()["state"] == "closed_anonymous")
        say("19. What nobody signed was registered, closed and counted.")
