"""E-mail into the local cloud: laid down under the organisation whose mail it is, or refused."""

import boto3
import pytest

from chalicelib import wiring
from chalicelib.organisations.domain import ComplaintSettings
from local.delivery import deliver
from tests.duly import Duly


@pytest.mark.parametrize(
    ("to", "org"),
    [
        ("reklamacje@agencja.example", "szybka"),
        ("Reklamacje+2026@Agencja.example", "szybka"),
        ("r+abc.def@agencja.example", "szybka"),
        ("r+abc.def@inna.example", "inna"),
        ("biuro@agencja.example", ""),
        ("reklamacje@obca.example", ""),
        ("", ""),
    ],
)
def test_mail_goes_to_whom_the_address_belongs(duly: Duly, to: str, org: str) -> None:
    """As the rules of receipt have it: the mailbox, and replies at its domain."""
    mailboxes = {"szybka": "reklamacje@agencja.example", "inna": "skargi@inna.example"}
    for one, mailbox in mailboxes.items():
        duly.found(one, complaints=ComplaintSettings(mailbox=mailbox))
    table = boto3.Session().resource("dynamodb").Table("duly")
    bucket = boto3.Session().resource("s3").Bucket(wiring.setting("BUCKET_NAME"))
    assert deliver(table, bucket, b"raw", to) == bool(org)
    laid = [key.split("/")[:2] for key in duly.objects()]
    assert laid == ([["inbound", org]] if org else [])
