"""What is deployed: the merged template, held to all that Chalice leaves out or gets wrong."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra import template
from infra.package import ROOT, chalice_package

Json = dict[str, Any]

FUNCTIONS = {
    "APIHandler": "policy-api.json",
    "HeavyTick": "policy-heavy_tick.json",
    "InboundMail": "policy-inbound_mail.json",
    "Letters": "policy-letters.json",
    "MailEvents": "policy-mail_events.json",
    "Roots": "policy-roots.json",
    "RotateLinkKeys": "policy-rotate_link_keys.json",
    "SealRoots": "policy-seal_roots.json",
    "Tick": "policy-tick.json",
}
STAGES = ("local", "dev", "prod")
KEPT = ("Table", "DataBucket", "LinkKeys", "UserPool", "RootsBucket", "RootsKey")


@cache
def packaged(stage: str) -> Json:
    """The template as `make package` makes it; the libraries would change nothing in it."""
    with tempfile.TemporaryDirectory() as scratch:
        return chalice_package(stage, ROOT, Path(scratch))


@pytest.fixture
def stack() -> Json:
    return packaged("prod")


@pytest.fixture
def resources(stack: Json) -> Json:
    found: Json = stack["Resources"]
    return found


def properties(resources: Json, name: str) -> Json:
    found: Json = resources[name].get("Properties", {})
    return found


def of_type(resources: Json, kind: str) -> dict[str, Json]:
    return {
        name: resource.get("Properties", {})
        for name, resource in resources.items()
        if resource["Type"] == kind
    }


def statements(policy: Json) -> Iterator[Json]:
    yield from policy["Statement"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_cfn_lint_finds_no_fault(stack: Json, tmp_path: Path) -> None:
    """Of what goes to AWS; the local stage is the same with half of its conditions out of reach."""
    file = tmp_path / "template.json"
    file.write_text(json.dumps(stack))
    command = [sys.executable, "-c", "from cfnlint.runner.cli import main; main()", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_package_is_for_one_stage_alone() -> None:
    """R8: what was made for production can't be deployed as `local`, where the clock moves."""
    for stage in ("local", "prod"):
        pinned = packaged(stage)["Parameters"]["Stage"]
        assert pinned == {"Type": "String", "Default": stage, "AllowedValues": [stage]}


def test_no_function_can_be_told_another_time(stack: Json) -> None:
    """The clock's offset hangs on STAGE alone, and STAGE on what was packaged (design, "Clock")."""
    variables = stack["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["STAGE"] == {"Ref": "Stage"}
    assert not [name for name in variables if re.search("CLOCK|OFFSET|TIME|NOW", name)]
    for function in of_type(stack["Resources"], "AWS::Serverless::Function").values():
        assert "Environment" not in function


def test_no_key_is_in_the_template(stack: Json) -> None:
    """R12: functions learn the secret's name; its value is drawn where it is kept."""
    variables = stack["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["LINK_KEYS_SECRET"] == {"Ref": "LinkKeys"}
    drawn = properties(stack["Resources"], "LinkKeys")["GenerateSecretString"]
    assert json.loads(drawn["SecretStringTemplate"]) == {"signing": drawn["GenerateStringKey"]}
    assert drawn["PasswordLength"] == 64
    assert drawn["ExcludePunctuation"] is True
    assert stack["Parameters"]["EdgeSecret"]["NoEcho"] is True
    assert "Default" not in stack["Parameters"]["EdgeSecret"]


def test_functions_are_the_ones_of_the_architecture(resources: Json) -> None:
    assert of_type(resources, "AWS::Serverless::Function").keys() == FUNCTIONS.keys()


def test_every_function_has_a_role_of_its_own_with_its_own_policy(resources: Json) -> None:
    """Chalice would share one role, and merging would drop a list (robustness, Chalice 6 and 7)."""
    roles = set()
    for name, policy in FUNCTIONS.items():
        role = properties(resources, name)["Role"]["Fn::GetAtt"][0]
        roles.add(role)
        (attached,) = properties(resources, role)["Policies"]
        assert attached["PolicyDocument"] == json.loads((ROOT / ".chalice" / policy).read_text())
        assert "ManagedPolicyArns" not in properties(resources, role)
    assert len(roles) == len(FUNCTIONS)


@pytest.mark.parametrize("policy", FUNCTIONS.values())
def test_no_policy_reaches_beyond_its_function(policy: str) -> None:
    """Least privilege: named actions on named resources, without exception on AWS."""
    document = json.loads((ROOT / ".chalice" / policy).read_text())
    for statement in statements(document):
        assert statement["Effect"] == "Allow"
        for action in statement["Action"]:
            assert "*" not in action
        reached = statement["Resource"]
        if isinstance(reached, dict):
            # The local engine checks SES on `*` only; everywhere else the second branch holds.
            condition, _, reached = reached["Fn::If"]
            assert condition == "IsLocal"
        for resource in listed(reached):
            assert isinstance(resource, dict), resource
            (text,) = resource.values() if "Fn::Sub" in resource else [""]
            assert text.count("*") <= 1
            assert not text.startswith("*")


DELETE = "dynamodb:DeleteItem"
SEARCHES = ("dynamodb:Query", "dynamodb:Scan")


@pytest.mark.parametrize(
    ("policy", "forbidden"),
    [
        ("policy-api.json", ("ses:", "secretsmanager:Put", "dynamodb:Scan", "cognito")),
        ("policy-tick.json", ("secretsmanager:Put", "s3:Delete", "dynamodb:Scan")),
        ("policy-heavy_tick.json", ("ses:", "secretsmanager:", "dynamodb:Scan")),
        ("policy-letters.json", ("secretsmanager:Put", "s3:Delete", *SEARCHES, DELETE)),
        ("policy-mail_events.json", ("ses:", "secretsmanager:", "s3:", *SEARCHES, DELETE)),
        ("policy-inbound_mail.json", ("ses:", "secretsmanager:Put", *SEARCHES, DELETE)),
        ("policy-rotate_link_keys.json", ("ses:", "s3:", "dynamodb:")),
        (
            "policy-roots.json",
            ("ses:", "secretsmanager:", "kms:", "s3:Get", "s3:Delete", *SEARCHES),
        ),
        ("policy-seal_roots.json", ("ses:", "secretsmanager:", "dynamodb:", "s3:Delete")),
    ],
)
def test_a_function_lacks_what_it_does_not_need(policy: str, forbidden: tuple[str, ...]) -> None:
    """R12, R17: who can't send can't send, who can't sign can't change the keys."""
    document = json.loads((ROOT / ".chalice" / policy).read_text())
    actions = [action for statement in statements(document) for action in statement["Action"]]
    assert not [action for action in actions if action.startswith(forbidden)]


@pytest.mark.parametrize(
    ("policy", "needed"),
    [
        ("policy-api.json", {"held/*": "s3:GetObject"}),
        (
            "policy-tick.json",
            {
                "quarantine/*": "s3:GetObjectVersion",
                "files/*": "s3:PutObject",
                "held/*": "s3:PutObject",
            },
        ),
    ],
)
def test_a_function_may_do_what_becomes_of_files(policy: str, needed: dict[str, str]) -> None:
    """M13: out of quarantine by the tick; a link to what was released is signed by the API."""
    document = json.loads((ROOT / ".chalice" / policy).read_text())
    granted = {
        (one["Fn::Sub"].partition("/")[2], action)
        for statement in statements(document)
        for one in listed(statement["Resource"])
        if "Fn::Sub" in one
        for action in statement["Action"]
    }
    assert granted >= set(needed.items())


def test_the_tick_may_ask_what_was_uploaded_first() -> None:
    """Issue 3: of what waits in quarantine, and of nothing else in the bucket."""
    document = json.loads((ROOT / ".chalice" / "policy-tick.json").read_text())
    (asked,) = [one for one in statements(document) if "s3:ListBucketVersions" in one["Action"]]
    assert asked["Condition"] == {"StringLike": {"s3:prefix": "quarantine/*"}}


@pytest.mark.parametrize(
    "policy", ["policy-api.json", "policy-tick.json", "policy-heavy_tick.json"]
)
def test_who_moves_a_case_or_tells_of_it_may_delete_items(policy: str) -> None:
    """Item 9: a place in a worklist and a notice that was told are removed by the change itself."""
    document = json.loads((ROOT / ".chalice" / policy).read_text())
    allowed = [
        statement["Resource"]
        for statement in statements(document)
        if "dynamodb:DeleteItem" in statement["Action"]
    ]
    assert any({"Fn::GetAtt": ["Table", "Arn"]} in listed(one) for one in allowed)


def test_the_three_stages_are_configured_alike() -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    assert set(config["stages"]) == set(STAGES)
    assert config["autogen_policy"] is False
    first, *others = config["stages"].values()
    assert all(other == first for other in others)


def test_sizes_and_limits_are_chosen(resources: Json) -> None:
    """Chalice 11: by default 128 MB, 60 s and EDGE, while the gateway gives up after 29 s."""
    for name, function in of_type(resources, "AWS::Serverless::Function").items():
        assert function["MemorySize"] >= 512
        assert function["Timeout"] <= (25 if name == "APIHandler" else 55)
        assert function["Runtime"] == f"python3.{sys.version_info.minor}"
        assert function["Architectures"] == ["x86_64"]
    assert properties(resources, "RestAPI")["EndpointConfiguration"] == "REGIONAL"


def test_every_log_ends_and_is_written_to_by_its_function_alone(resources: Json) -> None:
    """Chalice keeps logs for ever, or names the group wrongly (its issue 2079)."""
    for group in of_type(resources, "AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] == {"Ref": "LogDays"}
    for name, function in of_type(resources, "AWS::Serverless::Function").items():
        assert function["LoggingConfig"]["LogGroup"] == {"Ref": f"{name}Log"}
        role = properties(resources, function["Role"]["Fn::GetAtt"][0])
        (log,) = [
            statement
            for statement in statements(role["Policies"][0]["PolicyDocument"])
            if statement["Sid"] == "Log"
        ]
        assert log["Resource"] == [{"Fn::GetAtt": [f"{name}Log", "Arn"]}]


def test_two_senders_at_most(resources: Json) -> None:
    """One by stream, one by tick: pacing at half the rate, they keep to the account's."""
    for name in ("Tick", "Letters"):
        reserved = properties(resources, name)["ReservedConcurrentExecutions"]
        assert reserved["Fn::If"][:2] == ["ReservesConcurrency", 1]


def test_events_come_from_where_the_architecture_says(resources: Json) -> None:
    def schedule(name: str) -> str:
        (event,) = properties(resources, name)["Events"].values()
        found: str = event["Properties"]["Schedule"]
        return found

    assert schedule("Tick") in {"rate(1 minute)", "rate(1 minutes)"}
    assert schedule("HeavyTick") == schedule("Tick")
    assert schedule("RotateLinkKeys") == "rate(90 days)"
    assert schedule("SealRoots") == "cron(30 0 * * ? *)"
    for name in ("APIHandler", "InboundMail", "Letters", "MailEvents", "Roots"):
        assert "Events" not in properties(resources, name)


def test_promised_letters_leave_by_the_stream(resources: Json) -> None:
    """R17 and Chalice 3: keys only, letters only, half a bad batch, an end to retries."""
    mapping = properties(resources, "LetterStream")
    assert mapping["FunctionName"] == {"Ref": "Letters"}
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["MaximumBatchingWindowInSeconds"] == 0
    assert 0 < mapping["MaximumRetryAttempts"] <= 5
    assert 60 <= mapping["MaximumRecordAgeInSeconds"] <= 3600
    failed = mapping["DestinationConfig"]["OnFailure"]["Destination"]
    assert failed == {"Fn::GetAtt": ["StreamDeadLetters", "Arn"]}
    (wanted,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(wanted["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"SK": {"S": [{"prefix": "LETTER#"}]}}},
    }
    stream = properties(resources, "Table")["StreamSpecification"]
    assert stream == {"StreamViewType": "KEYS_ONLY"}


def test_the_heads_of_chains_are_laid_down_where_nobody_changes_them(resources: Json) -> None:
    """R17, R23: keys alone come by the stream; what is laid down is locked, and a key seals it."""
    mapping = properties(resources, "RootsStream")
    assert mapping["FunctionName"] == {"Ref": "Roots"}
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRecordAgeInSeconds"] == 24 * 3600
    (wanted,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(wanted["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"SK": {"S": [{"prefix": "EVENT#"}]}}},
    }
    bucket = properties(resources, "RootsBucket")
    assert bucket["ObjectLockEnabled"] is True
    retention = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert retention == {"Mode": {"Ref": "RootsLockMode"}, "Days": {"Ref": "RootsLockDays"}}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert not [one for one in rules if "ExpirationInDays" in one]
    key = properties(resources, "RootsKey")
    assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")


def test_who_lays_down_reads_hashes_alone(resources: Json) -> None:
    """R17: of what an event says, nothing comes near the function; and it can seal nothing."""
    document = json.loads((ROOT / ".chalice" / "policy-roots.json").read_text())
    (read,) = [one for one in statements(document) if "dynamodb:BatchGetItem" in one["Action"]]
    allowed = read["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    assert allowed == ["PK", "SK", "hash"]
    # The local engine does not see the projection of a batch; everywhere else the second holds.
    select = read["Condition"]["StringEqualsIfExists"]["dynamodb:Select"]["Fn::If"]
    assert (select[0], select[2]) == ("IsLocal", ["SPECIFIC_ATTRIBUTES"])


def test_what_failed_for_good_is_kept(resources: Json) -> None:
    for name in ("Tick", "HeavyTick", "MailEvents", "InboundMail", "RotateLinkKeys", "SealRoots"):
        queue = properties(resources, name)["DeadLetterQueue"]["TargetArn"]
        assert queue == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    for queue in of_type(resources, "AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True


def test_mail_events_arrive_without_addresses(resources: Json) -> None:
    """R17: neither Lambda's retries nor the dead letters hold a recipient."""
    kinds: list[str] = []
    for name, rule in of_type(resources, "AWS::Events::Rule").items():
        pattern = rule.get("EventPattern", {})
        if pattern.get("source") != ["aws.ses"]:
            continue
        kinds += pattern["detail"]["eventType"]
        tags = pattern["detail"]["mail"]["tags"]
        assert tags == {"ses:configuration-set": [{"Ref": "MailConfigurationSet"}]}
        (target,) = rule["Targets"]
        passed = target["InputTransformer"]["InputPathsMap"]
        allowed = (
            r"\$\.(id|time|detail-type|account|region)"
            r"|\$\.detail\.(eventType|mail\.(messageId|tags)|bounce\.bounce(Sub)?Type)"
        )
        assert all(re.fullmatch(allowed, path) for path in passed.values())
        written = target["InputTransformer"]["InputTemplate"]
        assert set(re.findall(r"<(\w+)>", written)) == set(passed)
        assert json.loads(re.sub(r"<\w+>", "0", written))["source"] == "aws.ses"
        permission = properties(resources, f"{name}Permission")
        assert permission["SourceArn"] == {"Fn::GetAtt": [name, "Arn"]}
    assert sorted(kinds) == ["Bounce", "Complaint", "Delivery", "Reject", "Send"]


def test_mail_that_comes_in_is_told_of_and_looked_for(resources: Json) -> None:
    """M2, M3: the bucket's event, and a schedule that finds what an event did not bring."""
    bucket = properties(resources, "DataBucket")
    told = bucket["NotificationConfiguration"]["EventBridgeConfiguration"]
    assert told == {"EventBridgeEnabled": True}
    arrived = properties(resources, "InboundArrived")
    assert arrived["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [{"Ref": "DataBucket"}]},
            "object": {"key": [{"prefix": "inbound/"}]},
        },
    }
    (target,) = arrived["Targets"]
    assert target["InputTransformer"]["InputPathsMap"] == {"key": "$.detail.object.key"}
    assert properties(resources, "InboundWaiting")["ScheduleExpression"] == "rate(15 minutes)"
    for name in ("InboundArrived", "InboundWaiting"):
        (target,) = properties(resources, name)["Targets"]
        assert target["Arn"] == {"Fn::GetAtt": ["InboundMail", "Arn"]}
        permission = properties(resources, f"{name}Permission")
        assert permission["SourceArn"] == {"Fn::GetAtt": [name, "Arn"]}
    expiring = [
        one["Prefix"]
        for one in bucket["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in one
    ]
    assert not [one for one in expiring if one.startswith(("inbound", "unread", "mail"))]


def test_ses_alone_lays_mail_down_and_only_for_this_stage(resources: Json) -> None:
    """No other account, no other stage, no other place in the bucket."""
    policy = properties(resources, "DataBucketPolicy")["PolicyDocument"]
    (put,) = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
    assert put["Principal"] == {"Service": "ses.amazonaws.com"}
    assert put["Action"] == "s3:PutObject"
    assert put["Resource"] == {"Fn::Sub": "${DataBucket.Arn}/inbound/*"}
    assert put["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    rule = put["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"]
    assert rule.endswith(":receipt-rule-set/*:receipt-rule/duly-${Stage}-*")


def test_no_letter_is_tracked(resources: Json) -> None:
    """R19: neither opens nor clicks are asked for, so SES adds no pixel and rewrites no link."""
    destination = properties(resources, "MailEventDestination")["EventDestination"]
    asked = destination["MatchingEventTypes"]
    assert sorted(asked) == ["bounce", "complaint", "delivery", "reject", "send"]
    assert "TrackingOptions" not in properties(resources, "MailConfigurationSet")


def test_data_outlives_the_stack(resources: Json) -> None:
    for name in KEPT:
        assert resources[name]["DeletionPolicy"] == "Retain"
        assert resources[name]["UpdateReplacePolicy"] == "Retain"


def test_the_table_is_as_in_the_architecture(resources: Json) -> None:
    table = properties(resources, "Table")
    keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    assert keys == {"HASH": "PK", "RANGE": "SK"}
    indexes = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert indexes == {"agenda": ["shard", "due_at"], "worklist": ["list", "rank"]}
    for index in table["GlobalSecondaryIndexes"]:
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["IsLocal", False, True]}


def test_buckets_are_closed_and_speak_tls(resources: Json) -> None:
    for name, bucket in of_type(resources, "AWS::S3::Bucket").items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket["BucketEncryption"]
        policy = properties(resources, f"{name}Policy")["PolicyDocument"]
        (tls,) = [one for one in policy["Statement"] if one["Sid"] == "TlsOnly"]
        assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", "*", "s3:*")
        assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert resources[f"{name}Policy"]["Condition"] == "IsCloud"


def test_uploads_that_nobody_kept_vanish(resources: Json) -> None:
    """M13: not before the tick had time to look at what was acknowledged, whatever failed."""
    bucket = properties(resources, "DataBucket")
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert rules["unfinished-uploads"]["AbortIncompleteMultipartUpload"]
    assert rules["quarantine"]["Prefix"] == "quarantine/"
    assert rules["quarantine"]["ExpirationInDays"] == 14
    (cors,) = bucket["CorsConfiguration"]["CorsRules"]
    assert cors["AllowedOrigins"] == [{"Ref": "SiteOrigin"}]
    assert cors["AllowedMethods"] == ["POST"]


def test_staff_are_made_by_administrators_and_keep_their_organisation(resources: Json) -> None:
    """Issue 2, 11: no self sign-up; nobody writes their own organisation."""
    pool = properties(resources, "UserPool")
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    (organisation,) = pool["Schema"]
    assert (organisation["Name"], organisation["Mutable"]) == ("org", False)
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] >= 12
    client = properties(resources, "UserPoolClient")
    assert client["WriteAttributes"] == ["name"]
    assert client["GenerateSecret"] is False
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert (client["IdTokenValidity"], client["AccessTokenValidity"]) == (15, 15)
    assert client["TokenValidityUnits"]["IdToken"] == "minutes"
    condition, local, cloud = client["ExplicitAuthFlows"]["Fn::If"]
    assert condition == "IsLocal"
    assert "ALLOW_USER_PASSWORD_AUTH" in local
    assert sorted(cloud) == ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"]
    groups = of_type(resources, "AWS::Cognito::UserPoolGroup").values()
    assert sorted(group["GroupName"] for group in groups) == ["admin", "agent", "head", "quality"]


def operations(resources: Json) -> Iterator[tuple[str, str, Json]]:
    body = properties(resources, "RestAPI")["DefinitionBody"]
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_route_that_is_not_public_asks_who_is_there(resources: Json) -> None:
    """Chalice 1: the gateway's authorizer stands before Duly's own check."""
    body = properties(resources, "RestAPI")["DefinitionBody"]
    authorizer = body["securityDefinitions"][template.AUTHORIZER]
    assert authorizer["x-amazon-apigateway-authorizer"] == {
        "type": "cognito_user_pools",
        "providerARNs": [{"Fn::GetAtt": ["UserPool", "Arn"]}],
    }
    seen = set()
    for path, method, operation in operations(resources):
        assert path.startswith("/api/")
        public = path.startswith(template.PUBLIC)
        seen.add(public)
        expected: Any = None if public or method == "options" else [{template.AUTHORIZER: []}]
        assert operation.get("security") == expected, (method, path)
    assert seen == {True, False}


def test_public_routes_have_a_share_of_their_own(resources: Json) -> None:
    """R21: what floods them leaves the rest alone, and takes a lot to shut the clients out; and no
    log of bodies is ever kept."""
    settings = properties(resources, "RestAPI")["MethodSettings"]
    limits = template.throttles()
    throttled = {
        (one["ResourcePath"], one["HttpMethod"]): one["ThrottlingRateLimit"] for one in settings
    }
    assert throttled.pop(("/*", "*")) == limits["staff"][0]
    public = {
        ("/" + path.replace("/", "~1"), method.upper())
        for path, method, _ in operations(resources)
        if path.startswith(template.PUBLIC) and method != "options"
    }
    assert throttled == dict.fromkeys(public, limits["public"][0])
    assert all(wide >= 5 * own for wide, own in zip(limits["public"], limits["staff"], strict=True))
    assert not any(one["DataTraceEnabled"] for one in settings)


def test_the_access_log_holds_nothing_personal(resources: Json) -> None:
    """R17: the resource path; no path, address, user agent, caller or query."""
    condition, log, _ = properties(resources, "RestAPI")["AccessLogSetting"]["Fn::If"]
    assert condition == "IsCloud"
    assert set(re.findall(r"\$context\.([\w.]+)", log["Format"])) == {
        "requestTimeEpoch",
        "requestId",
        "httpMethod",
        "resourcePath",
        "status",
        "responseLatency",
        "integrationLatency",
        "error.responseType",
    }
    assert json.loads(log["Format"])["resource"] == "$context.resourcePath"
    assert log["DestinationArn"] == {"Fn::GetAtt": ["AccessLog", "Arn"]}
    (tag,) = properties(resources, "AccessLog")["Tags"]
    assert {"Ref": "GatewayAccount"} in tag["Value"]["Fn::If"]  # made before the stage


def test_the_gateway_refuses_as_duly_does(resources: Json) -> None:
    """Chalice 2: its own 401, 403, 404, 413, 415, 429 and 504 have Duly's body and header set."""
    responses = properties(resources, "RestAPI")["GatewayResponses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(responses)
    statuses = {response.get("StatusCode") for response in responses.values()}
    assert {401, 403, 404, 413, 415, 429, 504} <= statuses
    for response in responses.values():
        sent = response["ResponseParameters"]["Headers"]
        for name, value in template.headers()["api"].items():
            assert sent[name] == f"'{value}'"
        assert sent["Access-Control-Allow-Origin"] == {"Fn::Sub": "'${SiteOrigin}'"}
        assert set(json.loads(response["ResponseTemplates"]["application/json"])) == {
            "code",
            "message",
        }


def test_pages_and_api_have_one_origin(resources: Json) -> None:
    """Design, "API": /api/* behind the same name, never kept, marked by the edge."""
    distribution = properties(resources, "Distribution")["DistributionConfig"]
    origins = {origin["Id"]: origin for origin in distribution["Origins"]}
    assert origins["api"]["OriginCustomHeaders"] == [
        {"HeaderName": "X-Duly-Edge", "HeaderValue": {"Ref": "EdgeSecret"}}
    ]
    stage = properties(resources, "RestAPI")["StageName"]
    assert origins["api"]["OriginPath"] == f"/{stage}"
    api, *rest = distribution["CacheBehaviors"]
    assert api["PathPattern"] == "/api/*"
    assert api["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    behaviours = [distribution["DefaultCacheBehavior"], *rest]
    assert {behaviour["TargetOriginId"] for behaviour in behaviours} == {"site"}
    # They would hold for the API's answers, too.
    assert "CustomErrorResponses" not in distribution


def test_the_edge_sends_the_header_set(resources: Json) -> None:
    """R18: one source for what browsers are told, here and locally."""
    sets = template.headers()
    assert set(sets) == {"pages", "assets", "api"}
    for kind, wanted in sets.items():
        policy = properties(resources, f"{kind.title()}Headers")["ResponseHeadersPolicyConfig"]
        custom = {one["Header"]: one["Value"] for one in policy["CustomHeadersConfig"]["Items"]}
        security = policy["SecurityHeadersConfig"]
        told = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
        text = told if isinstance(told, str) else told["Fn::Sub"][0]
        assert text == wanted["Content-Security-Policy"]
        assert security["ReferrerPolicy"]["ReferrerPolicy"] == wanted["Referrer-Policy"]
        assert security["FrameOptions"]["FrameOption"] == wanted["X-Frame-Options"]
        assert security["StrictTransportSecurity"]["IncludeSubdomains"] is True
        assert security["ContentTypeOptions"] == {"Override": True}
        assert custom["Cache-Control"] == wanted["Cache-Control"]
        assert len(custom) + len(security) == len(wanted)


def test_a_page_may_load_its_own_and_nothing_else() -> None:
    """R18: no third party, no inline script, no frame; uploads go to our bucket alone."""
    policy = template.headers()["pages"]["Content-Security-Policy"]
    rules = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == "'self' ${UploadOrigin}"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert template.headers()["pages"]["Cache-Control"] == "no-store"
    assert template.headers()["pages"]["Referrer-Policy"] == "no-referrer"


def test_every_page_has_an_address_without_its_ending(resources: Json, tmp_path: Path) -> None:
    (tmp_path / "help").mkdir()
    for name in ("index.html", "c.html", "help/index.html"):
        (tmp_path / name).touch()
    pages = template.pages(tmp_path)
    assert pages["/"] == pages["/index.html"] == "/index.html"
    assert pages["/c"] == "/c.html"
    assert pages["/help/"] == "/help/index.html"
    assert "/d" not in pages
    code = properties(resources, "Pages")["FunctionCode"]
    named = json.loads(code.removeprefix("var PAGES = ").partition(";\n")[0])
    assert named == template.pages(ROOT / "static_site")


def test_somebody_hears_of_what_goes_wrong(resources: Json) -> None:
    """No deadline passes in silence: each alarm reaches the topic, a silent tick is an alarm."""
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == [{"Ref": "WatchTopic"}]
        assert alarm["AlarmDescription"]
    for name in FUNCTIONS:
        assert f"{name}ErrorsAlarm" in alarms
    assert alarms["TickSilentAlarm"]["TreatMissingData"] == "breaching"
    own = {alarm["MetricName"] for alarm in alarms.values() if alarm["Namespace"] == "Duly"}
    watched = {"stuck_items", "mail_quota_exceeded", "mail_delayed", "mail_failed", "mail_unread"}
    assert own == watched
    watched = {alarm["MetricName"] for alarm in alarms.values()}
    assert {
        "ApproximateNumberOfMessagesVisible",
        "IteratorAge",
        "5XXError",
        "Reputation.BounceRate",
        "Reputation.ComplaintRate",
    } <= watched


def test_stages_of_one_account_stay_apart(stack: Json) -> None:
    """Metrics carry the stage that alarms ask for, and so does the API's name."""
    resources = stack["Resources"]
    name = {"Fn::Sub": "duly-${Stage}"}
    variables = stack["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_SERVICE_NAME"] == name
    for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values():
        if alarm["Namespace"] == "Duly":
            assert alarm["Dimensions"] == [{"Name": "service", "Value": name}]
    assert properties(resources, "RestAPI")["DefinitionBody"]["info"]["title"] == name


def test_a_handler_that_is_missing_is_named() -> None:
    """Chalice would leave half a resource behind."""
    with pytest.raises(template.TemplateError, match="Tick"):
        template.finish({"Resources": {"Tick": {"Properties": {}}}}, stage="prod")
