"""May one act for this client?"""

from chalicelib.clients import store
from chalicelib.clients.routes import May
from chalicelib.contact import domain
from chalicelib.web.blueprint import ApiBlueprint, Call

routes = ApiBlueprint(__name__)


@routes.staff("GET", "/api/clients/{client_id}/may/quotation", gives=May)
def may_quote(call: Call, client_id: str) -> May:
    """Whether an offer may be calculated: the notice is needed and nothing else (S8, S14)."""
    verdict = domain.may_quote(store.get(call.ports, call.org, client_id).value)
    return May(allowed=verdict.allowed, reason=verdict.reason, proofs=verdict.proofs)
