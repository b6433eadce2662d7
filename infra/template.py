"""The CloudFormation template: what is composed before Chalice's, and what is finished after it.

`compose` makes one template of template/*.yaml and headers.json, for `chalice package
--merge-template`. `finish` adds to the merged one what follows from its routes and functions, and
pins its stage. Chalice merges dictionaries and replaces lists, so nothing here relies on a list
of Chalice's.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

Json = dict[str, Any]

INFRA = Path(__file__).parent
PUBLIC = "/api/public/"
AUTHORIZER = "staff"
PAGES_CODE_LIMIT = 10_000  # CloudFront's own limit on a function
METHODS = frozenset({"get", "post", "put", "patch", "delete", "head"})
FUNCTION = "AWS::Serverless::Function"

# Both spellings of the bucket's address, and no other bucket of that endpoint.
UPLOAD_ORIGIN: Json = {
    "Fn::Sub": "https://${DataBucket.RegionalDomainName}"
    " https://s3.${AWS::Region}.${AWS::URLSuffix}/${DataBucket}"
}


class TemplateError(Exception):
    """The template would not be what Duly promises; the message says what to change."""


def headers() -> dict[str, dict[str, str]]:
    """The sets for `pages`, `assets` and `api`: one source for edge, gateway and tests (R18)."""
    sets: dict[str, dict[str, str]] = json.loads((INFRA / "headers.json").read_text())
    return sets


def pages(site: Path) -> dict[str, str]:
    """Address -> file, for every page of the site: `/` and `/c` are index.html and c.html."""
    found: dict[str, str] = {}
    for file in sorted(site.rglob("*.html")):
        address = "/" + file.relative_to(site).as_posix()
        found[address] = address
        found[address.removesuffix(".html")] = address
        if file.name == "index.html":
            found[address.removesuffix("index.html")] = address
    return found


def compose(site: Path) -> Json:
    """The template to be merged into Chalice's."""
    merged: Json = {}
    for piece in sorted((INFRA / "template").glob("*.yaml")):
        for section, content in yaml.safe_load(piece.read_text()).items():
            _join(merged.setdefault(section, {}), content, piece.name)
    dashboard, refusals = merged.pop("x-dashboard"), merged.pop("x-refusals")
    merged.pop("x-throttles")
    resources = merged["Resources"]
    resources["Dashboard"]["Properties"]["DashboardBody"] = {"Fn::Sub": json.dumps(dashboard)}
    resources["RestAPI"]["Properties"]["GatewayResponses"] = _gateway_responses(refusals)
    resources["Pages"]["Properties"]["FunctionCode"] = _pages_code(site)
    resources |= {f"{kind.title()}Headers": _headers_policy(kind) for kind in headers()}
    return merged


def finish(merged: Json, *, stage: str) -> Json:
    """The template to deploy, for this stage and no other."""
    resources = merged["Resources"]
    for name, resource in resources.items():
        if "Type" not in resource:
            message = f"infra/template adds to {name}, but app.py has no such handler."
            raise TemplateError(message)
    # A package made for production can't be deployed as `local`, where the clock can be moved.
    merged["Parameters"]["Stage"] = {"Type": "String", "Default": stage, "AllowedValues": [stage]}
    # The rules in template/mail.yaml take the place of Chalice's, which passes addresses on.
    del resources["MailEvents"]["Properties"]["Events"]
    for name in [name for name, made in resources.items() if made["Type"] == FUNCTION]:
        _watch(resources, name)
    _guard(resources["RestAPI"]["Properties"])
    return merged


def throttles() -> dict[str, tuple[int, int]]:
    """Requests a second and burst, for each method of `staff` and each `public` one."""
    return dict(yaml.safe_load((INFRA / "template" / "api.yaml").read_text())["x-throttles"])


def _join(section: Json, content: Json, piece: str) -> None:
    twice = section.keys() & content.keys()
    if twice:
        message = f"{piece} repeats {', '.join(sorted(twice))}."
        raise TemplateError(message)
    section |= content


def _gateway_responses(refusals: dict[str, tuple[int | None, str, str]]) -> Json:
    """What API Gateway says when Duly is not asked: in Duly's form, with the API's headers."""
    fixed: Json = {name: f"'{value}'" for name, value in headers()["api"].items()}
    fixed["Access-Control-Allow-Origin"] = {"Fn::Sub": "'${SiteOrigin}'"}
    fixed["Vary"] = "'Origin'"
    responses: Json = {}
    for kind, (status, code, message) in refusals.items():
        retry = {"Retry-After": "'5'"} if status in {429, 503, 504} else {}
        responses[kind] = {
            "ResponseParameters": {"Headers": fixed | retry},
            "ResponseTemplates": {
                "application/json": json.dumps({"code": code, "message": message})
            },
        }
        if status:
            responses[kind]["StatusCode"] = status
    return responses


def _headers_policy(kind: str) -> Json:
    """CloudFront takes the security headers by name, and refuses them among the custom ones."""
    chosen = headers()[kind]
    security: Json = {}
    custom: list[Json] = []
    for name, value in chosen.items():
        match name:
            case "Content-Security-Policy":
                security["ContentSecurityPolicy"] = {
                    "ContentSecurityPolicy": _with_upload_origin(value),
                    "Override": True,
                }
            case "Strict-Transport-Security":
                age, _, rest = value.partition(";")
                security["StrictTransportSecurity"] = {
                    "AccessControlMaxAgeSec": int(age.removeprefix("max-age=")),
                    "IncludeSubdomains": "includeSubDomains" in rest,
                    "Override": True,
                }
            case "X-Content-Type-Options":
                security["ContentTypeOptions"] = {"Override": True}
            case "X-Frame-Options":
                security["FrameOptions"] = {"FrameOption": value, "Override": True}
            case "Referrer-Policy":
                security["ReferrerPolicy"] = {"ReferrerPolicy": value, "Override": True}
            case _:
                custom.append({"Header": name, "Value": value, "Override": True})
    return {
        "Type": "AWS::CloudFront::ResponseHeadersPolicy",
        "Condition": "IsCloud",
        "Properties": {
            "ResponseHeadersPolicyConfig": {
                "Name": {"Fn::Sub": f"duly-${{Stage}}-{kind}"},
                "SecurityHeadersConfig": security,
                "CustomHeadersConfig": {"Items": custom},
            }
        },
    }


def _with_upload_origin(value: str) -> Json | str:
    if "${" not in value:
        return value
    return {"Fn::Sub": [value, {"UploadOrigin": UPLOAD_ORIGIN}]}


def _pages_code(site: Path) -> str:
    """infra/pages.js with its two constants. An unknown page gets 404.html, as a 404."""
    page = site / "404.html"
    body = page.read_text(encoding="utf-8") if page.exists() else "There is no such page."
    named = headers()["pages"] | {
        "Content-Type": f"text/{'html' if page.exists() else 'plain'}; charset=utf-8"
    }
    answer = {
        "statusCode": 404,
        "statusDescription": "Not Found",
        "headers": {
            name.lower(): {"value": value.replace(" ${UploadOrigin}", "")}
            for name, value in named.items()
        },
        "body": {"encoding": "text", "data": body},
    }
    code = (
        f"var PAGES = {json.dumps(pages(site))};\nvar NOT_FOUND = {json.dumps(answer)};\n"
        + (INFRA / "pages.js").read_text()
    )
    if len(code.encode()) > PAGES_CODE_LIMIT:
        message = f"404.html is too long: Pages has {len(code.encode())} bytes, 10,000 fit."
        raise TemplateError(message)
    return code


def _watch(resources: Json, name: str) -> None:
    """A log group that ends, made before the function, and alarms for its errors and throttles."""
    properties = resources[name]["Properties"]
    resources[f"{name}Log"] = {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {
            "LogGroupName": {"Fn::Sub": f"/duly/${{Stage}}/{name}"},
            "RetentionInDays": {"Ref": "LogDays"},
        },
    }
    properties["LoggingConfig"] = {"LogGroup": {"Ref": f"{name}Log"}, "LogFormat": "JSON"}
    # A stream is polled again when it meets the one sender at work: that is no alarm, its age is.
    for metric in ("Errors",) if name == "Letters" else ("Errors", "Throttles"):
        resources[f"{name}{metric}Alarm"] = {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmDescription": f"{name}: {metric}. Runbook: function {metric.lower()}.",
                "AlarmActions": [{"Ref": "WatchTopic"}],
                "OKActions": [{"Ref": "WatchTopic"}],
                "Namespace": "AWS/Lambda",
                "MetricName": metric,
                "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": name}}],
                "Statistic": "Sum",
                "Period": 300,
                "EvaluationPeriods": 1,
                "Threshold": 0,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "notBreaching",
            },
        }


def _guard(api: Json) -> None:
    """A Cognito authorizer on every method that is not public, a throttle on every one that is."""
    body = api["DefinitionBody"]
    # Metrics and alarms go by this name: two stages of one account are two names.
    body["info"]["title"] = {"Fn::Sub": "duly-${Stage}"}
    body.setdefault("securityDefinitions", {})[AUTHORIZER] = {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "x-amazon-apigateway-authtype": "cognito_user_pools",
        "x-amazon-apigateway-authorizer": {
            "type": "cognito_user_pools",
            "providerARNs": [{"Fn::GetAtt": ["UserPool", "Arn"]}],
        },
    }
    limits = throttles()
    settings = [_method_setting("/*", "*", limits["staff"])]
    for path, method, operation in _operations(body):
        if path.startswith(PUBLIC):
            encoded = "/" + path.replace("/", "~1")
            settings.append(_method_setting(encoded, method.upper(), limits["public"]))
        else:
            operation["security"] = [{AUTHORIZER: []}]
    api["MethodSettings"] = settings


def _operations(body: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield path, method, operation


def _method_setting(path: str, method: str, limit: tuple[int, int]) -> Json:
    rate, burst = limit
    return {
        "ResourcePath": path,
        "HttpMethod": method,
        "ThrottlingRateLimit": rate,
        "ThrottlingBurstLimit": burst,
        # Execution logs would hold bodies, and so tokens.
        "DataTraceEnabled": False,
        "LoggingLevel": "OFF",
    }
