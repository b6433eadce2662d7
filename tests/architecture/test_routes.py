"""Every route is registered through `ApiBlueprint`, so none lacks its checks or its refusals."""

import app as application
from chalicelib.organisations.domain import Role
from chalicelib.web.blueprint import EVERYONE, ApiBlueprint, Nothing, Spec

SPECS: list[Spec] = [spec for one in application.BLUEPRINTS for spec in one.specs]


def test_every_route_goes_through_our_blueprint() -> None:
    """What Chalice serves is what the specs state, method by method; nothing beside them."""
    served = {
        (method, path) for path, methods in application.app.routes.items() for method in methods
    }
    assert served == {(spec.method, spec.path) for spec in SPECS}
    assert all(isinstance(one, ApiBlueprint) for one in application.BLUEPRINTS)
    assert len({spec.name for spec in SPECS}) == len(SPECS)


def test_a_route_is_for_staff_or_public_by_its_path() -> None:
    """`/api/public/{org}/...` is for everybody; all else names the roles that may."""
    for spec in SPECS:
        assert spec.path.startswith("/api/public/{org}/") == (spec.roles is None), spec.name
        assert spec.roles is None or (spec.roles and spec.roles <= EVERYONE), spec.name
        assert spec.roles is None or Role.ADMIN in spec.roles, spec.name


def test_a_read_takes_nothing_and_a_change_names_its_version() -> None:
    """GET has no body; a change needs If-Match, what creates an Idempotency-Key."""
    for spec in SPECS:
        if spec.method == "GET":
            assert spec.takes is Nothing, spec.name
            assert not spec.changes, spec.name
            assert not spec.creates, spec.name
        assert not (spec.changes and spec.creates), spec.name
    unguarded = {
        spec.name
        for spec in SPECS
        if spec.method != "GET" and spec.roles and not (spec.changes or spec.creates)
    }
    # Uploads store nothing until they are kept, keeping is idempotent by the file's id, what is
    # stuck is named by the moment since which it is, a scanned page is decided once, a list is
    # tried under the id of its upload, and what may be asked about many at once is only asked.
    assert unguarded == {
        "upload_client_file",
        "upload_organisation_file",
        "keep_client_file",
        "keep_organisation_file",
        "retry_stuck",
        "may_contact_many",
        "upload_case_file",
        "upload_scan",
        "upload_consents",
        "check_import",
        "assign_scan",
        "decide_scan",
    }


def test_every_body_and_query_refuses_what_it_does_not_know() -> None:
    """An unknown field is a mistake of the caller's, to be told and not to be dropped."""
    for spec in SPECS:
        for shape in (spec.takes, spec.query):
            assert shape.__struct_config__.forbid_unknown_fields, (spec.name, shape)


def test_debugging_answers_are_off() -> None:
    """Chalice's debug mode returns stack traces."""
    assert application.app.debug is False
