"""A good request for every route: what the tests that walk all routes start from."""

import copy
import re
from datetime import timedelta
from typing import Any

import msgspec

from chalicelib.web.blueprint import Spec
from tests import identity, public_form
from tests.clock import ZONE
from tests.duly import ADMIN, AGENT, SITE, Answer, Duly

STAFF_ADDED = "a5555555-5555-4555-8555-555555555555"
PERSON = {
    "kind": "person",
    "name": "Jan Nowak",
    "language": "pl",
    "served": "remote",
    "email": "jan@klient.example",
    "phone": "+48600100201",
    "address": "ul. Krótka 2, 00-002 Warszawa",
}
TEXTS = {
    language: {"title": "Konkurs", "text": "Zgadzam się na udział."}
    for language in ("pl", "en", "ru")
}
FILE = {"name": "dystrybutor.pdf", "content_type": "application/pdf"}
PDF = b"%PDF-1.7\n%%EOF\n"


PAST, LATER = "2026-01-05", "2030-01-05"
COMPLAINT = {
    "channel": "post",
    "received_at": "2026-01-05T10:00:00Z",
    "writer": {"name": "Jan Nowak", "email": "jan@klient.example"},
    "insured": {"name": "Maria Nowak", "email": "maria@klient.example"},
    "contract_number": "AB-1",
    "substance": "Szkoda czeka od miesiąca.",
}
# A good body for each act on a case; whether the case allows it is another matter.
ACTS: dict[str, Any] = {
    "enter_complaint": COMPLAINT | {"channel": "in_person", "received_at": None},
    "upload_case_file": {"content_type": "application/pdf"},
    "add_case_message": {"channel": "in_person", "text": "Jeszcze jedno."},
    "assign_case": {"assignee": ADMIN},
    "note_on_case": {"text": "Notatka."},
    "log_contact": {
        "kind": "call_out",
        "whom": "insured",
        "at": "2026-01-05T10:00:00Z",
        "text": "Nie odebrano.",
    },
    "classify_case": {"kind": "complaint", "product": "travel", "cause": "delay"},
    "set_case_rules": {"audience": "legal", "reason": "pisze spółka"},
    "correct_case": {"contract_number": "AB-2"},
    "record_case_authority": {"document": "pełnomocnictwo z 5 stycznia"},
    "insured_asked_by_post": {"on": PAST},
    "record_insured_answer": {"decision": "mine", "how": "telefon"},
    "prove_insured_address": {"how": "z umowy"},
    "acknowledge_on_request": {"channel": "email"},
    "record_stage_outside": {"body": "ombudsman", "stage": "opened", "on": PAST},
    "record_case_redress": {"redress": "100 zł"},
    "record_case_performed": {"on": PAST, "how": "przelew"},
    "hold_case": {"reason": "spór sądowy"},
    "release_case_file": {"reason": "obejrzany"},
    "request_from_client": {"ground": "documents", "text": "Prosimy o kopię.", "answer_by": LATER},
    "keep_request_open": {"n": 1, "reason": "inny dokument"},
    "set_request_interval": {"least": 5, "most": 20, "document": "pismo klienta"},
    "record_own_request": {"document": "pismo klienta", "on": PAST},
    "suspend_case": {"ground": "documents", "obtainable": False},
    "extend_case": {"to": LATER, "reason": "complex"},
    "leave_case_unanswered": {"reason": "unreadable"},
    "route_case_out": {"note": "do likwidacji szkód"},
    "return_case_to_court": {"text": "Apelację wnosi się do sądu okręgowego."},
    "reopen_case": {"channel": "in_person", "substance": "Nowe dowody."},
    "draft_answer": {"outcome": "upheld", "language": "pl"},
    "redraft_answer": {
        "outcome": "upheld",
        "text": "Uznajemy reklamację.",
        "elements": {"position": "Uznajemy ją w całości."},
        "signer": {"name": "Anna Admin", "position": "specjalistka"},
    },
    "review_answer": {
        "removed": [{"start": 0, "end": 5, "kind": "money", "rule": "sum"}],
        "added": [{"start": 0, "end": 5, "kind": "health"}],
        "reason": "przykład",
    },
    "return_answer": {"reason": "za krótko"},
    "send_answer": {"channel": "registered_post", "informational": False},
    "answer_posted": {"posted_on": PAST, "tracking": "RR 123 456 789 PL"},
    "answer_handed_over": {"document": "dowód osobisty", "seen_by": ADMIN, "on": PAST},
}


WORDS = {"pl": "Treść.", "en": "Words.", "ru": "Слова."}
QUERIES = {"may_contact": "?purpose=marketing&channel=email"}
RECORD = {"decided": "given", "source": "paper", "note": "karta z 2025 r."}


def reversed_consents(catalogue: Any) -> list[str]:
    """The purposes in another order, the notice first."""
    notice, *consents = [one["purpose"] for one in catalogue["purposes"]]
    return [notice, *reversed(consents)]


def entered(duly: Duly, **changes: Any) -> Any:
    """A case that the agent entered days after it came, and that is registered by now."""
    arrived = (duly.ports().now - timedelta(days=6)).isoformat()
    body = COMPLAINT | {"received_at": arrived} | changes
    answer = duly.staff("POST", "/api/complaints", body)
    assert answer.status == 201, answer.json
    for _ in range(2):  # registered, then written to
        duly.tick()
    case = duly.staff("GET", f"/api/complaints/{answer.json['case_id']}")
    assert case.json["registered_at"], case.json
    return case.json


def linked(duly: Duly, address: str, page: str) -> str:
    """The token of the newest link to this page in a mailbox."""
    said = "\n".join(one.text for one in duly.mailbox.to(address))
    found: list[str] = re.findall(rf"^https?://\S+/{page}#(\S+)\r?$", said, re.MULTILINE)
    return found[-1]


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A request that its route would grant, at `where`."""

    spec: Spec
    where: str
    body: Any
    version: int
    by: str

    def changed(self, **fields: Any) -> Any:
        """The body with other fields; `a__b` is the field b in a."""
        body = copy.deepcopy(self.body)
        for name, value in fields.items():
            *way, last = name.split("__")
            place = body
            for step in way:
                place = place[step]
            place[last] = value
        return body

    def headers(self, org: str = "agencja") -> dict[str, str]:
        """All headers that the route needs."""
        if self.spec.roles is None:
            return {"Origin": SITE}
        role = "admin" if self.by == ADMIN else "agent"
        found = {"Authorization": f"Bearer {identity.id_token(self.by, org, role)}"}
        if self.spec.changes:
            found["If-Match"] = f'"{self.version}"'
        if self.spec.creates:
            found["Idempotency-Key"] = "example-of-an-idempotency-key"
        return found


class Examples:
    """One organisation's worth of things, and an example of every route over them."""

    def __init__(self, duly: Duly) -> None:
        self.duly = duly
        self.client = duly.client(phone="")
        sent, self.token = duly.sent(self.client)
        read = duly.public("/links/read", {"token": self.token}).json
        draft = duly.declared(self.client)
        where = f"/api/clients/{self.client['client_id']}/consents/marketing"
        version = duly.read_client(self.client["client_id"])["version"]
        recorded = duly.staff("PUT", where, RECORD, version=version).json
        record = next(one for one in recorded["consents"] if one["purpose"] == "marketing")
        catalogue = duly.staff("GET", "/api/catalogue").json
        files = {"files": [{"file_id": sent["declaration_id"], "name": "skan.pdf"}]}
        scans = duly.staff("POST", "/api/scans", files).json
        case = entered(duly)
        asked = f"/api/clients/{self.client['client_id']}/portability"
        export = duly.staff("POST", asked, by=ADMIN).json
        answers = f"/api/complaints/{case['case_id']}/answers"
        answer = duly.staff("POST", answers, {"outcome": "rejected"}, by=ADMIN).json
        self.ids = {
            "org": "agencja",
            "client_id": self.client["client_id"],
            "declaration_id": draft["declaration_id"],
            "staff_id": AGENT,
            "file_id": sent["declaration_id"],
            "wording_id": catalogue["purposes"][0]["wordings"]["pl"],
            "purpose": "marketing",
            "import_id": scans["import_id"],
            "page": "1",
            "case_id": case["case_id"],
            "answer_id": answer["answer_id"],
            "record_id": record["declaration_id"],
            "export_id": export["export_id"],
            "token": self.token,
            "section": "rights",
            "number": "0",
        }
        self.versions = {
            "client": duly.read_client(self.client["client_id"])["version"],
            "organisation": catalogue["version"],
            "case": answer["version"],
        }
        settings = duly.staff("GET", "/api/organisation").json["settings"]
        today = duly.ports().now.astimezone(ZONE).date().isoformat()
        self.bodies: dict[str, Any] = {
            "change_settings": settings,
            "add_purpose": {"purpose": "contest", "texts": TEXTS},
            "order_purposes": {"order": [*reversed_consents(catalogue)]},
            "edit_purpose": {"texts": TEXTS, "hidden": False},
            "keep_member": {
                "name": "Nina Nowa",
                "email": "nina@agencja.example",
                "role": "agent",
                "department": "Majątek",
                "language": "pl",
                "hours": {"days": [1, 2, 3], "start": "09:00", "end": "17:00"},
                "active": True,
            },
            "set_default_attachments": {"files": []},
            "create_client": PERSON,
            "edit_client": PERSON | {"contract": {"state": "unknown"}},
            "draft_declaration": {"answers": {"marketing": True}, "language": "pl"},
            "redraft_declaration": {"answers": {"marketing": True}, "language": "pl"},
            "upload_client_file": FILE | {"size": len(PDF)},
            "upload_organisation_file": FILE | {"size": len(PDF)},
            "keep_client_file": FILE,
            "keep_organisation_file": FILE,
            "upload_scan": FILE | {"size": len(PDF)},
            "import_scans": files | {"signed_on": None},
            "upload_consents": {"name": "zgody.csv", "content_type": "text/csv", "size": 100},
            "check_import": {"name": "zgody.csv"},
            "begin_export": {"what": "clients", "format": "csv"},
            "assign_scan": {"code": draft["code"], "page": 1},
            "decide_scan": {"decision": "accept"},
            "retry_stuck": {"kind": "CLIENT", "owner": "x", "item": "ROOT", "since": "2026"},
            "read_link": {"token": self.token},
            "act_on_link": {"token": self.token, "decision": "dispute", "digest": read["digest"]},
            "renew_link": {"token": self.token},
            "record_consent": RECORD,
            "withdraw_consents": {"purposes": ["marketing"], "note": "telefon"},
            "send_offer": {"subject": "Oferta", "text": "Dzień dobry."},
            "may_contact_many": {
                "purpose": "marketing",
                "channel": "email",
                "clients": [self.client["client_id"]],
            },
            "read_public_information": {"on": today},
            "publish_information": {
                "effective_from": today,
                "order": {"number": "7", "on": today},
                "titles": WORDS,
                "blocks": [{"kind": "paragraph", "text": WORDS}],
            },
            "state_facts": {
                "membership": WORDS,
                "agents_register": "https://agencja.example/agenci",
            },
            "hold_client": {"reason": "spór sądowy"},
            "read_preferences": {"token": self.own_token()},
            "act_on_preferences": {"token": self.own_token(), "withdraw": ["email"], "add": []},
        }
        self.bodies |= self._public_of_cases()
        self.bodies |= ACTS | {"close_case_as_duplicate": {"of": case["case_id"]}}
        self.all = [self.of(spec) for spec in duly.routes.values()]

    def own_token(self) -> str:
        """The token of the client's own page of consents."""
        return linked(self.duly, self.client["identity"]["email"], "p")

    def _public_of_cases(self) -> dict[str, Any]:
        """The form, and the links that the case's letters brought to writer and insured."""
        status = linked(self.duly, "jan@klient.example", "status")
        question = linked(self.duly, "maria@klient.example", "insured")
        proof = public_form.a_proof(self.duly)
        file = {"slot": 0, "name": "skan.pdf", "content_type": "application/pdf", "size": 5}
        return {
            "open_form": {},
            "renew_challenge": {},
            "upload_form_file": file | {"proof": proof},
            "submit_form": public_form.filled(proof),
            "read_status": {"token": status},
            "upload_status_file": file | {"token": status},
            "add_to_case": {"token": status, "text": "Jeszcze jedno.", "files": []},
            "read_question": {"token": question},
            "answer_question": {"token": question, "decision": "mine"},
        }

    def of(self, spec: Spec, **ids: str) -> Example:
        """The example of this route, with other ids where given."""
        admin = spec.roles is not None and "agent" not in spec.roles
        about = "client" if "{client_id}" in spec.path else "organisation"
        about = "case" if "{case_id}" in spec.path else about
        return Example(
            spec=spec,
            where=spec.path.format(**self.ids | ids) + QUERIES.get(spec.name, ""),
            body=self.bodies.get(spec.name),
            version=self.versions[about],
            by=ADMIN if admin else AGENT,
        )

    def ask(self, example: Example, body: Any = None, **options: Any) -> Answer:
        """Send an example, with another body or other headers where given."""
        headers = example.headers() | options.pop("headers", {})
        if example.spec.one_click and body is None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            options.setdefault("raw", "List-Unsubscribe=One-Click")
        where = options.pop("where", example.where)
        if body is None and "raw" not in options:
            body = example.body
        return self.duly.request(example.spec.method, where, body, headers=headers, **options)
