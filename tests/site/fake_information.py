"""The public route of published information, answering with what Duly really ships."""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.information import defaults, domain
from chalicelib.information.routes import PublicSection
from chalicelib.policy.packs import load
from tests.duly import a_settings
from tests.site.fake_complaints import an_organisation
from tests.site.fake_duly import Answer, FakeDuly

DAY = date(2026, 11, 27)


def an_information(pack: str = "ru-medexpress-2019", **changes: Any) -> dict[str, Any]:
    """What is in force for this pack, in an organisation whose name is that of the language."""
    language = "ru" if pack.startswith("ru") else "pl"
    known, settings = an_organisation(language), a_settings(language)
    controller = replace(settings.controller, name=known["name"], address=known["address"])
    settings = replace(settings, controller=controller)
    sections = [
        PublicSection(
            key=one.section,
            version=one.number,
            effective_from=one.effective_from,
            order=one.order,
            titles=one.titles,
            blocks=domain.shown(one, settings).blocks,
        )
        for one in defaults.shipped(load(pack)).values()
    ]
    found = {
        "organisation": known,
        "languages": settings.languages,
        "on": DAY,
        "version": 1,
        "effective_from": sections[0].effective_from,
        "sections": sections,
        "membership": {},
        "agents_register": "",
        "complaint": "/complaint?org=polisa",
    }
    plain: dict[str, Any] = json.loads(msgspec.json.encode(found | changes))
    return plain


@dataclass
class FakeInformation(FakeDuly):
    """One organisation's information."""

    reading: dict[str, Any] = field(default_factory=an_information)

    def address(self, lang: str = "ru", **asked: str) -> str:
        """The page's address."""
        more = "".join(f"&{name}={value}" for name, value in asked.items())
        return f"{self.origin}/information?org=polisa&lang={lang}{more}"

    def answer(self, path: str, body: dict[str, Any]) -> Answer | None:
        """What the API says; None breaks off in the middle of it."""
        self.asked.append((path, body))
        if self.refuse.get("information"):
            return self.refuse["information"].pop(0)
        return 200, self.reading
