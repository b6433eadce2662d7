"""Papers that come back: printed, "signed", spoilt as scanners and telephones do, imported."""

from collections.abc import Sequence
from typing import Any

from chalicelib.documents.scans import printed
from local.demo.story import FOREIGNER, OUT, Story, check, say, where
from local.desk import Desk, download, send_form
from tests.scans import generator
from tests.scans.generator import Spoil

PDF, JPEG = "application/pdf", "image/jpeg"
SAID = {"marketing": True, "email": True, "phone": False}
NEVER = {"marketing": "none", "email": "none", "phone": "none"}
DAMAGED = b"%PDF-1.4\n% the rest was lost on the way\n"


class Papers(Story):
    """Six files of one morning, one batch."""

    title = "Scans: signed papers come back in one batch"

    def run(self) -> None:
        """Printed, signed, spoilt, imported, and each consent as its paper says."""
        photographed, fed, unsigned = (
            self.printed_for(name)
            for name in ("Halina Foto", "Ignacy Podajnik", "Janina Niepodpisana")
        )
        flat = self.printed_for("Kazimierz Skaner", marketing=False, email=False)
        foreign = self.printed_for("Антон Чужой", by=self.desk(FOREIGNER), language="ru")
        files = {
            ("telefon.pdf", PDF): spoilt(photographed[1], generator.photo, seed=11),
            ("podajnik.pdf", PDF): spoilt(fed[1], generator.skewed, seed=12),
            ("skaner.pdf", PDF): spoilt(flat[1], generator.flat, seed=13),
            ("bez-podpisu.pdf", PDF): spoilt(unsigned[1], generator.flat, seed=14, sign=False),
            ("obcy.pdf", PDF): spoilt(foreign[1], generator.flat, seed=15),
            ("uszkodzony.pdf", PDF): DAMAGED,
        }
        (OUT / "scan-photo.pdf").write_bytes(files["telefon.pdf", PDF])
        scans = self.imported(files)
        self.standings(scans, (photographed[0], fed[0]), flat[0], unsigned[0])

    def printed_for(
        self, name: str, *, by: Desk | None = None, language: str = "pl", **said: bool
    ) -> tuple[Any, bytes]:
        """A client's declaration, printed at the desk; nobody has an e-mail address here."""
        desk = by or self.agent
        known = {"kind": "person", "name": name, "language": language, "served": "direct"}
        client = desk.post("/api/clients", known)
        path = f"/api/clients/{client['client_id']}/declarations"
        draft = desk.post(path, {"answers": SAID | said})
        paper = desk.post(f"{where(draft)}/print", version=draft["version"])
        return client, download(paper["url"])

    def imported(self, files: dict[tuple[str, str], bytes]) -> Any:
        """One import of all the files, read by the function for what is heavy."""
        named = []
        for (name, kind), content in files.items():
            body = {"name": name, "content_type": kind, "size": len(content)}
            form = self.agent.post("/api/scans/uploads", body)
            send_form(form["url"], form["fields"], name, content)
            named.append({"file_id": form["file_id"], "name": name})
        scans = self.agent.post("/api/scans", {"files": named})
        for _ in range(10):
            self.cloud.heavy_tick()
            scans = self.agent.get(f"/api/scans/{scans['import_id']}")
            if scans["state"] == "done":
                break
        check(scans["state"] == "done", "every file was read")
        return scans

    def standings(self, scans: Any, signed: Sequence[Any], flat: Any, unsigned: Any) -> None:
        """What became of each file, and of each client."""
        states = {one["name"]: one["state"] for one in scans["files"]}
        check(states["uszkodzony.pdf"] not in ("read", "waiting"), "a damaged file says so")
        found = {
            file["name"]: {one["state"] for one in scans["pages"] if one["file"] == number}
            for number, file in enumerate(scans["files"])
        }
        for name in ("telefon.pdf", "podajnik.pdf", "skaner.pdf"):
            check(found[name] == {"recorded"}, f"{name} is recorded, not {found[name]}")
        check("waiting" in found["bez-podpisu.pdf"], "without a signature a person decides")
        check(found["obcy.pdf"] == {"unmatched"}, "another organisation's paper is nobody's here")
        for client in signed:
            given = {"marketing": "given", "email": "given", "phone": "refused"}
            check(self.consents(client) == given, "as the signed paper says")
        proofs = {one["proof"] for one in self.read(signed[0])["consents"]}
        check(proofs == {"signature"}, "proved by a signature")
        check(set(self.consents(flat).values()) == {"refused"}, "a signed no is a no")
        check(self.consents(unsigned)["marketing"] != "given", "what nobody signed changes nothing")
        told = {name: "/".join(sorted(one)) or states[name] for name, one in found.items()}
        say("12. " + "; ".join(f"{name}: {state}" for name, state in told.items()) + ".")


def spoilt(pdf: bytes, how: Any, *, seed: int, sign: bool = True) -> bytes:
    """The paper signed by hand, and then as a machine delivers it."""
    chance = generator.chance_of(seed)
    spoil: Spoil = how(chance)
    pictures = []
    for number, picture in enumerate(generator.printed(pdf, spoil.dpi), 1):
        page = printed.page(pdf, number, printed.count(pdf))
        signature = page.fields.get("signature") if page and sign else None
        generator.with_signature(picture, signature, spoil.dpi, chance)
        pictures.append(generator.spoilt(picture, spoil, chance))
    return generator.pdf_of(pictures, spoil.dpi, spoil.jpeg or 90)
