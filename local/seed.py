"""The demonstration: two organisations, their people and some clients, made by Duly's own doors."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from infra import organisation
from local.desk import Desk

FOLDER = Path(__file__).parent / "demonstration"
PASSWORD = "Demonstration-1"  # noqa: S105  of made-up people on this machine

CLIENTS: dict[str, tuple[dict[str, Any], ...]] = {
    "agencja-pod-debem": (
        {"kind": "person", "name": "Łucja Żółkiewska", "email": "lucja@klient.duly.example"},
        {"kind": "person", "name": "Wojciech Świerczyński", "phone": "+48 601 234 567"},
        {"kind": "company", "name": "Piekarnia Źdźbło s.c.", "email": "biuro@zdzblo.duly.example"},
        {"kind": "person", "name": "Ольга Петренко", "email": "olga@klient.duly.example"},
    ),
    "sever-garant": (
        {"kind": "person", "name": "Дмитрий Щукин", "email": "shchukin@klient.duly.example"},
        {"kind": "company", "name": "ООО «Ёлочка»", "email": "mail@yolochka.duly.example"},
    ),
}


def seed(outputs: Mapping[str, str]) -> Iterator[str]:
    """Make the demonstration; a line for each sign-in."""
    as_operator(outputs)
    for path in sorted(FOLDER.glob("*.toml")):
        founding = organisation.read(path)
        host = outputs["SiteOrigin"]
        settings = msgspec.structs.replace(founding.settings, host=host)
        founding = msgspec.structs.replace(founding, settings=settings)
        organisation.found(founding, outputs, password=PASSWORD)
        agent = next(one for one in founding.staff if one.role == "agent")
        desk = Desk.sign_in(outputs, agent.email, PASSWORD)
        for given in CLIENTS[founding.org]:
            served = "remote" if "email" in given else "direct"
            first = {"language": founding.settings.languages[0], "served": served}
            desk.post("/api/clients", first | given)
        for person in founding.staff:
            house = founding.settings.controller.name
            yield f"{person.email}  {PASSWORD}  ({person.role}, {house})"


def as_operator(outputs: Mapping[str, str]) -> None:
    """Act as whoever runs the local cloud: its account, its addresses."""
    os.environ |= {
        "STAGE": "local",
        "AWS_ENDPOINT_URL": outputs["EngineUrl"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "BUCKET_NAME": outputs["BucketName"],
        "LINK_KEYS_SECRET": outputs["LinkKeysSecret"],
        "MAIL_CONFIGURATION_SET": outputs["MailConfigurationSetName"],
    }
