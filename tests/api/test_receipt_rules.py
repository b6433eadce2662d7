"""The rule of receipt that SES gets for an organisation: its own prefix, nobody else's set."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.organisation import FoundingRefused, receive_mail
from tests.duly import Duly

BOX = "reklamacje@agencja.example"


@pytest.fixture
def ses(duly: Duly) -> Any:
    """An account with the sets of two stages, none of them active."""
    client = boto3.Session().client("ses")
    for name in ("duly-prod", "duly-dev"):
        client.create_receipt_rule_set(RuleSetName=name)
    return client


def active(ses: Any) -> tuple[str, list[Any]]:
    found = ses.describe_active_receipt_rule_set()
    return found["Metadata"]["Name"], found["Rules"]


def test_mail_is_laid_down_under_the_organisations_own_prefix(ses: Any) -> None:
    """M2: the mailbox, and the replies at its domain; scanned, and not only over TLS."""
    receive_mail(ses, "szybka", BOX, stage="prod", bucket="data")
    name, (rule,) = active(ses)
    assert name == "duly-prod"
    assert rule["Name"] == "duly-prod-szybka"
    assert set(rule["Recipients"]) == {BOX, "r@agencja.example"}
    assert rule["ScanEnabled"] is True
    assert rule["TlsPolicy"] == "Optional"
    (action,) = rule["Actions"]
    assert action["S3Action"]["ObjectKeyPrefix"] == "inbound/szybka/"


def test_no_other_stages_set_is_put_out_of_use(ses: Any) -> None:
    """An account and region have one active set: the rule joins it."""
    receive_mail(ses, "szybka", BOX, stage="prod", bucket="data")
    receive_mail(ses, "proba", "skargi@proba.example", stage="dev", bucket="data")
    name, rules = active(ses)
    assert name == "duly-prod"
    assert {one["Name"] for one in rules} == {"duly-prod-szybka", "duly-dev-proba"}


def test_founding_again_moves_the_mailbox() -> None:
    """Safe to repeat, as all of founding is. The engine knows no update: its calls are told."""
    access = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    ses = boto3.Session().client("ses", region_name="eu-central-1", **access)
    rule = {"Name": "duly-prod-szybka", "Recipients": [BOX, "r@agencja.example"]}
    active = {"Metadata": {"Name": "theirs"}, "Rules": [rule]}
    moved = {
        "Name": "duly-prod-szybka",
        "Enabled": True,
        "ScanEnabled": True,
        "TlsPolicy": "Optional",
        "Recipients": ["skargi@agencja.example", "r@agencja.example"],
        "Actions": [{"S3Action": {"BucketName": "data", "ObjectKeyPrefix": "inbound/szybka/"}}],
    }
    asked = {"RuleSetName": "theirs", "Rule": moved}
    with Stubber(ses) as aws:
        aws.add_response("describe_active_receipt_rule_set", active, {})
        aws.add_client_error("create_receipt_rule", "AlreadyExists", expected_params=asked)
        aws.add_response("update_receipt_rule", {}, asked)
        receive_mail(ses, "szybka", "skargi@agencja.example", stage="prod", bucket="data")
        aws.assert_no_pending_responses()


def test_two_organisations_share_no_domain(ses: Any) -> None:
    """A reply would lie in both, and one of them would make a case of another's secret."""
    receive_mail(ses, "szybka", BOX, stage="prod", bucket="data")
    with pytest.raises(FoundingRefused, match=r"agencja\.example is duly-prod-szybka's"):
        receive_mail(ses, "inna", "inna@agencja.example", stage="prod", bucket="data")
