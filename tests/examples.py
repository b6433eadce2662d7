"""A good request for every route: what the tests that walk all routes start from."""

import copy
from typing import Any

import msgspec

from chalicelib.web.blueprint import Spec
from tests import identity
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
        catalogue = duly.staff("GET", "/api/catalogue").json
        files = {"files": [{"file_id": sent["declaration_id"], "name": "skan.pdf"}]}
        scans = duly.staff("POST", "/api/scans", files).json
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
        }
        self.versions = {
            "client": duly.read_client(self.client["client_id"])["version"],
            "organisation": catalogue["version"],
        }
        settings = duly.staff("GET", "/api/organisation").json["settings"]
        self.bodies: dict[str, Any] = {
            "change_settings": settings,
            "add_purpose": {"purpose": "contest", "texts": TEXTS},
            "order_purposes": {"order": ["notice", "phone", "email", "marketing"]},
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
            "assign_scan": {"code": draft["code"], "page": 1},
            "decide_scan": {"decision": "accept"},
            "retry_stuck": {"kind": "CLIENT", "owner": "x", "item": "ROOT", "since": "2026"},
            "read_link": {"token": self.token},
            "act_on_link": {"token": self.token, "decision": "dispute", "digest": read["digest"]},
            "renew_link": {"token": self.token},
        }
        self.all = [self.of(spec) for spec in duly.routes.values()]

    def of(self, spec: Spec, **ids: str) -> Example:
        """The example of this route, with other ids where given."""
        admin = spec.roles is not None and "agent" not in spec.roles
        about = "client" if "{client_id}" in spec.path else "organisation"
        return Example(
            spec=spec,
            where=spec.path.format(**self.ids | ids),
            body=self.bodies.get(spec.name),
            version=self.versions[about],
            by=ADMIN if admin else AGENT,
        )

    def ask(self, example: Example, body: Any = None, **options: Any) -> Answer:
        """Send an example, with another body or other headers where given."""
        headers = example.headers() | options.pop("headers", {})
        where = options.pop("where", example.where)
        if body is None and "raw" not in options:
            body = example.body
        return self.duly.request(example.spec.method, where, body, headers=headers, **options)
