"""Where the local cloud listens and keeps its things; every value can be set from outside.

The folder belongs to the local cloud alone: `make reset` deletes it whole.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
HOST = "127.0.0.1"
REGION = "eu-central-1"
STAGE = "local"


class LocalCloudError(Exception):
    """Something a person can put right; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The four doors of the local cloud, all on the loopback interface."""

    site: int = 8080
    mailbox: int = 8025
    engine: int = 4566
    mail: int = 8026

    @staticmethod
    def variable(name: str) -> str:
        """Which environment variable changes this port."""
        return f"DULY_{name.upper()}_PORT"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Ports:
        ports = cls()
        for field in fields(cls):
            text = environment.get(cls.variable(field.name))
            if text is None:
                continue
            if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
                variable = cls.variable(field.name)
                raise LocalCloudError(f"{variable}={text} is not a port: use a number to 65535.")
            ports = replace(ports, **{field.name: int(text)})
        return ports

    @classmethod
    def free(cls) -> Ports:
        """Four ports that are free now, for an instance beside others."""
        sockets = [socket.socket() for _ in fields(cls)]
        try:
            for each in sockets:
                each.bind((HOST, 0))
            numbers = [each.getsockname()[1] for each in sockets]
        finally:
            for each in sockets:
                each.close()
        return cls(**dict(zip((field.name for field in fields(cls)), numbers, strict=True)))

    def refuse_taken(self) -> None:
        """Refuse to start beside another program on one of the ports, and name the way out.

        Both loopback addresses are tried: a browser that is told `localhost` may take either.
        """
        for field in fields(self):
            port = getattr(self, field.name)
            if _answers(port):
                raise LocalCloudError(
                    f"Port {port} is taken by another program. Stop it, or choose another port: "
                    f"{self.variable(field.name)}={port + 10} make run"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The folder of one local cloud."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def objects(self) -> Path:
        return self.folder / "objects"

    @property
    def mail(self) -> Path:
        return self.folder / "mail"

    @property
    def scratch(self) -> Path:
        """The engine's temporary directory: what it leaves behind goes with the next start."""
        return self.folder / "tmp"

    @property
    def log(self) -> Path:
        return self.folder / "engine.log"

    @property
    def lock(self) -> Path:
        """Held by the process that runs here; holds its number."""
        return self.folder / "run.lock"

    @property
    def outputs(self) -> Path:
        return self.folder / "outputs.json"

    @property
    def edge_secret(self) -> Path:
        return self.folder / "edge-secret"


def default_place() -> Place:
    return Place(folder=BUILD / "local")


def _answers(port: int) -> bool:
    for family, host in ((socket.AF_INET, HOST), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.settimeout(0.5)
                if probe.connect_ex((host, port)) == 0:
                    return True
        except OSError:  # a machine without IPv6
            continue
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except OSError:
        return True
    return False
