"""Files of clients and of the organisation: upload, keep, list."""

from chalicelib.clients import store as clients
from chalicelib.documents import routes as shapes
from chalicelib.documents.routes import FilesView, FileView, NewFile, Upload, UploadedFile
from chalicelib.organisations import domain as organisation_domain
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import NotInPlan
from chalicelib.web.blueprint import ApiBlueprint, Call

routes = ApiBlueprint(__name__)


@routes.staff("POST", "/api/clients/{client_id}/files", takes=NewFile, gives=Upload, status=201)
def upload_client_file(call: Call, client_id: str) -> Upload:
    """A form for one file of a client, such as what the IDD asks for (S41)."""
    return shapes.promise_upload(call, clients.get(call.ports, call.org, client_id).key)


@routes.staff("PUT", "/api/clients/{client_id}/files/{file_id}", takes=UploadedFile, gives=FileView)
def keep_client_file(call: Call, client_id: str, file_id: str) -> FileView:
    """The uploaded file, checked and kept."""
    held = clients.get(call.ports, call.org, client_id)
    return shapes.keep(call, held, file_id, held.value.due_at)


@routes.staff("GET", "/api/clients/{client_id}/files", gives=FilesView)
def read_client_files(call: Call, client_id: str) -> FilesView:
    """The files of a client."""
    return shapes.listed(call.ports, clients.get(call.ports, call.org, client_id).key)


@routes.staff("POST", "/api/organisation/files", takes=NewFile, gives=Upload, status=201)
def upload_organisation_file(call: Call) -> Upload:
    """A form for one file that can go with every message (S42)."""
    if not call.house.organisation.entitlements.default_attachments:
        raise NotInPlan
    return shapes.promise_upload(call, organisation_domain.key(call.org))


@routes.staff("PUT", "/api/organisation/files/{file_id}", takes=UploadedFile, gives=FileView)
def keep_organisation_file(call: Call, file_id: str) -> FileView:
    """The uploaded file, checked and kept."""
    held = organisations.fresh_house(call.ports, call.org).held
    kept = shapes.keep(call, held, file_id, held.value.due_at)
    organisations.forget(call.ports, call.org)
    return kept


@routes.staff("GET", "/api/organisation/files", gives=FilesView)
def read_organisation_files(call: Call) -> FilesView:
    """The files of the organisation."""
    return shapes.listed(call.ports, organisation_domain.key(call.org))
