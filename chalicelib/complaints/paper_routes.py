"""A case on paper, for who handles cases."""

import msgspec

from chalicelib.complaints import case as cases
from chalicelib.complaints import store
from chalicelib.complaints.handling import HANDLERS
from chalicelib.web.blueprint import ApiBlueprint, Call

routes = ApiBlueprint(__name__)


class CasePaperView(msgspec.Struct, frozen=True, kw_only=True):
    """The case as a PDF to download, for five minutes."""

    url: str


@routes.staff("GET", "/api/complaints/{case_id}/pdf", gives=CasePaperView, roles=HANDLERS)
def print_case(call: Call, case_id: str) -> CasePaperView:
    """The whole case on paper: facts, words, dates with their reasons, what happened, letters."""
    from chalicelib.complaints import on_paper

    held, items = store.read(call.ports, cases.key(call.org, case_id), "STATEMENT")
    url = on_paper.printed(call.ports, held, items, call.house, call.member.language)
    return CasePaperView(url=url)
