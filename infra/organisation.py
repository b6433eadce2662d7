"""Found an organisation and let its people in.

`python -m infra.organisation --stage prod found FILE`

FILE is TOML: `org`, `[settings]` as the API takes them, `[[staff]]` with name, email, role,
department, position, language; the first is the administrator. Each gets a sign-in by e-mail from
the user pool. Safe to repeat: a sign-in that exists is kept, a person of the directory is updated.
Adding people later is the same command with more `[[staff]]`; what an administrator changed in the
settings since is left alone.
"""

import argparse
import json
import os
import sys
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import msgspec

from chalicelib import wiring
from chalicelib.kernel import ids
from chalicelib.kernel.change import SYSTEM
from chalicelib.organisations import domain, service, store
from chalicelib.organisations.domain import Entitlements, House, Member, Role, Settings


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member of staff, as the file names them; answers to clients are signed with `position`."""

    name: str
    email: str
    role: Role
    department: str = ""
    position: str = ""
    language: str = "en"


class Founding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds."""

    org: str
    settings: Settings
    staff: tuple[Person, ...]
    entitlements: Entitlements = Entitlements()


class FoundingRefused(Exception):
    """The file can't be used; the message says why."""


def found(
    founding: Founding, outputs: Mapping[str, str], *, password: str | None = None
) -> dict[str, str]:
    """Make what is missing of the organisation and its people; e-mail address -> sign-in's id.

    With a `password` (demonstrations alone) nobody is invited by e-mail and it counts at once.
    """
    if not ids.is_org(founding.org):
        raise FoundingRefused("org: 3 to 24 of a-z, 0-9 and inner hyphens")
    if not founding.staff or founding.staff[0].role is not Role.ADMIN:
        raise FoundingRefused("staff: the first one is the administrator")
    os.environ["TABLE_NAME"] = outputs["TableName"]
    pool = outputs["UserPoolId"]
    members = [_signed_in(pool, founding.org, one, password) for one in founding.staff]
    house = _house(founding, members[0])
    _move(house, founding.settings)
    for member in members:
        _keep(house.organisation.org, member)
    if founding.entitlements != house.organisation.entitlements:
        _entitle(house.organisation.org, founding.entitlements)
    mailbox = store.fresh_house(wiring.ports(), founding.org).settings.complaints.mailbox
    if mailbox and wiring.setting("STAGE") != wiring.LOCAL:
        bucket, stage = outputs["BucketName"], wiring.setting("STAGE")
        receive_mail(boto3.client("ses"), founding.org, mailbox, stage=stage, bucket=bucket)
    return {one.email: one.staff_id for one in members}


def receive_mail(ses: Any, org: str, mailbox: str, *, stage: str, bucket: str) -> None:
    """Have SES lay the organisation's mail down in the bucket: a rule of receipt of its own.

    In the set that is active, whosever it is, for an account and region have one; the stage's own
    is activated only where none is. Replies come to `r+...` at the mailbox's domain, so no two
    organisations share a domain.
    """
    active = ses.describe_active_receipt_rule_set()
    rules, known = active.get("Metadata", {}).get("Name"), active.get("Rules", [])
    name, domain = f"duly-{stage}-{org}", mailbox.rpartition("@")[2]
    taken = [one["Name"] for one in known if f"r@{domain}" in one.get("Recipients", ())]
    if taken not in ([], [name]):
        raise FoundingRefused(f"complaints.mailbox: {domain} is {', '.join(taken)}'s")
    if rules is None:
        rules = f"duly-{stage}"
        ses.set_active_receipt_rule_set(RuleSetName=rules)
    rule = {
        "Name": name,
        "Enabled": True,
        "ScanEnabled": True,
        # Whoever writes without TLS still has a right to complain.
        "TlsPolicy": "Optional",
        # An address without a label takes in those with one.
        "Recipients": [mailbox, f"r@{domain}"],
        "Actions": [{"S3Action": {"BucketName": bucket, "ObjectKeyPrefix": f"inbound/{org}/"}}],
    }
    try:
        ses.create_receipt_rule(RuleSetName=rules, Rule=rule)
    except ses.exceptions.AlreadyExistsException:
        ses.update_receipt_rule(RuleSetName=rules, Rule=rule)


def _house(founding: Founding, admin: Member) -> House:
    ports = wiring.ports()
    try:
        return store.fresh_house(ports, founding.org)
    except domain.OrganisationUnknown:
        return service.found(ports, founding.org, founding.settings, admin)


def _keep(org: str, member: Member) -> None:
    ports = wiring.ports()
    service.change(
        ports,
        org,
        None,
        lambda house: domain.keep_member(house, _known(house, member), by=SYSTEM, now=ports.now),
    )


def _known(house: House, member: Member) -> Member:
    """The person as the file says, and as the directory has what no file says: hours, files and
    whether they still work there; and a position, where the file leaves it out.
    """
    same = (one for one in house.directory.members if one.staff_id == member.staff_id)
    told = {name: getattr(member, name) for name in Person.__struct_fields__}
    known = next(same, member)
    told["position"] = member.position or known.position
    return msgspec.structs.replace(known, **told)


def _move(house: House, wanted: Settings) -> None:
    """Where links lead, who letters come from and where mail comes in, which staff can't change,
    as the file says.
    """
    ports, known = wiring.ports(), house.settings
    mailbox = wanted.complaints.mailbox
    moved = msgspec.structs.replace(
        known,
        host=wanted.host,
        sender=wanted.sender,
        complaints=msgspec.structs.replace(known.complaints, mailbox=mailbox),
    )
    if moved != known:
        service.change(
            ports,
            house.organisation.org,
            None,
            lambda one: domain.change_settings(one, moved, by=SYSTEM, now=ports.now),
        )


def _entitle(org: str, entitlements: Entitlements) -> None:
    ports = wiring.ports()
    service.change(
        ports,
        org,
        None,
        lambda house: domain.entitle(house, entitlements, by=SYSTEM, now=ports.now),
    )


def _signed_in(pool: str, org: str, person: Person, password: str | None) -> Member:
    """The person with a sign-in of the user pool, made if there is none."""
    cognito = boto3.client("cognito-idp")
    attributes = {
        "email": person.email,
        "email_verified": "true",
        "name": person.name,
        "custom:org": org,
    }
    with suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=person.email,
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
            **({"MessageAction": "SUPPRESS"} if password else {}),
        )
    user = cognito.admin_get_user(UserPoolId=pool, Username=person.email)
    known = {one["Name"]: one["Value"] for one in user["UserAttributes"]}
    if known.get("custom:org") != org:
        raise FoundingRefused(f"{person.email} signs in to another organisation")
    if password:
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=person.email, Password=password, Permanent=True
        )
    who = {"UserPoolId": pool, "Username": person.email}
    for group in cognito.admin_list_groups_for_user(**who)["Groups"]:
        if group["GroupName"] != person.role:
            cognito.admin_remove_user_from_group(**who, GroupName=group["GroupName"])
    cognito.admin_add_user_to_group(**who, GroupName=person.role)
    return Member(staff_id=known["sub"], **msgspec.structs.asdict(person))


def read(path: Path) -> Founding:
    """The file; `FoundingRefused` names what is wrong with it."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Founding)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as error:
        raise FoundingRefused(f"{path}: {error}") from error


def _outputs(stage: str) -> dict[str, str]:
    stacks = boto3.client("cloudformation").describe_stacks(StackName=f"duly-{stage}")["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stacks[0]["Outputs"]}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stage", required=True)
    parser.add_argument("act", choices=["found"])
    parser.add_argument("file", type=Path)
    asked = parser.parse_args()
    os.environ |= {"STAGE": asked.stage, "BUCKET_NAME": "", "LINK_KEYS_SECRET": ""}
    os.environ |= {"MAIL_CONFIGURATION_SET": ""}
    try:
        people = found(read(asked.file), _outputs(asked.stage))
    except FoundingRefused as refused:
        print(refused, file=sys.stderr)
        return 1
    print(json.dumps(people, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
