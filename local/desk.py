"""Duly's API as a member of staff or a page of ours uses it, over real HTTP."""

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import msgspec


class Refused(Exception):
    """An answer that is not a success: its status and problem."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem}")
        self.status = status
        self.problem = problem


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """One person at one Duly; without a token: the public."""

    site: str
    token: str = ""

    @classmethod
    def sign_in(cls, outputs: Mapping[str, str], email: str, password: str) -> "Desk":
        """The desk of this person, signed in at the user pool."""
        request = urllib.request.Request(
            outputs["EngineUrl"],
            data=json.dumps(
                {
                    "AuthFlow": "USER_PASSWORD_AUTH",
                    "ClientId": outputs["UserPoolClientId"],
                    "AuthParameters": {"USERNAME": email, "PASSWORD": password},
                }
            ).encode(),
            headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
            },
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            token = json.load(answer)["AuthenticationResult"]["IdToken"]
        return cls(site=outputs["SiteOrigin"], token=token)

    def get(self, path: str) -> Any:
        """The answer; `Refused` with the problem if it is not a success."""
        return self._ask("GET", path)

    def post(self, path: str, body: Any = None, *, version: int | None = None) -> Any:
        """As `get`; an Idempotency-Key of its own goes with it."""
        return self._ask("POST", path, body, version)

    def put(self, path: str, body: Any, *, version: int | None = None) -> Any:
        """As `get`."""
        return self._ask("PUT", path, body, version)

    def patch(self, path: str, body: Any, *, version: int | None = None) -> Any:
        """As `get`."""
        return self._ask("PATCH", path, body, version)

    def _ask(self, method: str, path: str, body: Any = None, version: int | None = None) -> Any:
        headers = {"Origin": self.site, "User-Agent": "Duly demonstration"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        request = urllib.request.Request(
            self.site + path, data=data, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raw = error.read()
            try:
                problem = json.loads(raw)
            except ValueError:
                problem = {"code": "unreadable", "message": raw[:200].decode(errors="replace")}
            raise Refused(error.code, problem) from error


def send_form(url: str, fields: Mapping[str, str], name: str, content: bytes) -> None:
    """A presigned form with its file, as a browser sends it; HTTPError where it is refused."""
    boundary = f"duly-{secrets.token_hex(16)}"
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    lines.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {fields['Content-Type']}\r\n\r\n"
    )
    data = "".join(lines).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(url, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def download(url: str) -> bytes:
    """What lies behind a link of five minutes."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        content: bytes = answer.read()
        return content
