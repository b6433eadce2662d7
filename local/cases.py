"""A case in an officer's hands: read, acted on, answered."""

from typing import Any

from local.desk import Desk


class Case:
    """One case, always acted on as it is now."""

    def __init__(self, desk: Desk, case_id: str) -> None:
        self.desk, self.case_id = desk, case_id
        self.where = f"/api/complaints/{case_id}"
        self.answer_id = ""

    @classmethod
    def find(cls, desk: Desk, reference: str) -> "Case":
        """The case of this number."""
        (found,) = desk.get(f"/api/complaints?reference={reference}")["cases"]
        return cls(desk, found["case_id"])

    @property
    def answer(self) -> str:
        """The address of the answer that is being written."""
        return f"{self.where}/answers/{self.answer_id}"

    def read(self) -> Any:
        """The whole case now."""
        return self.desk.get(self.where)

    def act(self, verb: str, body: Any = None, *, by: Desk | None = None) -> Any:
        """An act on the case as it is now."""
        return (by or self.desk).post(f"{self.where}/{verb}", body, version=self.read()["version"])

    def events(self) -> list[Any]:
        """What happened, oldest first."""
        return list(reversed(self.desk.get(f"{self.where}/events")["events"]))

    # The answer

    def draft(self, outcome: str | None) -> Any:
        """A draft from the template of its outcome."""
        version = self.read()["version"]
        made = self.desk.post(f"{self.where}/answers", {"outcome": outcome}, version=version)
        self.answer_id = made["answer_id"]
        return made

    def write(self, text: str, elements: dict[str, str], signer: dict[str, str]) -> Any:
        """Other words for the draft; its outcome stays."""
        now = self.desk.get(self.answer)
        words = {"outcome": now["outcome"], "text": text, "elements": elements, "signer": signer}
        return self.desk.put(self.answer, words, version=now["version"])

    def check(self, *, informational: bool = False) -> Any:
        """What stands between the answer and its sending."""
        return self.desk.get(f"{self.answer}/check?informational={str(informational).lower()}")

    def answering(self, verb: str, body: Any = None, *, by: Desk | None = None) -> Any:
        """An act on the answer as it is now."""
        version = self.desk.get(self.answer)["version"]
        return (by or self.desk).post(f"{self.answer}/{verb}", body, version=version)

    def approve(self, second: Desk) -> Any:
        """A second person looks at it and approves."""
        self.answering("submit")
        return self.answering("approve", by=second)
