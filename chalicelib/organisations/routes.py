"""Settings, catalogue and directory of the organisation of who asks."""

from typing import Annotated

import msgspec

from chalicelib.documents import store as files
from chalicelib.kernel import ids
from chalicelib.organisations import domain, service, store
from chalicelib.organisations.defaults import Text
from chalicelib.organisations.domain import (
    Entitlements,
    Hours,
    House,
    Member,
    Role,
    SettingRefused,
    Settings,
)
from chalicelib.web.blueprint import ADMINS, PATHS, ApiBlueprint, Call
from chalicelib.web.staff import RoleRefused

routes = ApiBlueprint(__name__)

PurposeName = Annotated[str, msgspec.Meta(pattern=rf"^{PATHS['purpose'].pattern}\Z")]


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request body may hold: these fields and no others."""


class TextInput(Input, frozen=True, kw_only=True):
    """A purpose's words in one language."""

    title: str
    text: str


class PurposeInput(Input, frozen=True, kw_only=True):
    """Other texts for a purpose, all languages at once; shown or hidden; months it is good for."""

    texts: dict[str, TextInput] | None = None
    hidden: bool | None = None
    months: int | None = None


class NewPurpose(Input, frozen=True, kw_only=True):
    """A consent of the organisation's own."""

    purpose: PurposeName
    texts: dict[str, TextInput]


class PurposeOrder(Input, frozen=True, kw_only=True):
    """Every purpose exactly once, the notice first."""

    order: tuple[str, ...]


class MemberInput(Input, frozen=True, kw_only=True):
    """A person of the directory."""

    name: str
    email: str
    role: Role
    department: str = ""
    position: str = ""
    language: str = "en"
    hours: Hours = Hours()
    active: bool = True


class DefaultAttachments(Input, frozen=True, kw_only=True):
    """Files of the organisation that go with each message of the person."""

    files: Annotated[tuple[str, ...], msgspec.Meta(max_length=10)]


class OrganisationView(msgspec.Struct, frozen=True, kw_only=True):
    """The organisation as its staff see it."""

    org: str
    version: int
    settings: Settings
    entitlements: Entitlements


class PurposeView(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the catalogue with the wordings that clients are shown now."""

    purpose: str
    hidden: bool
    months: int
    texts: dict[str, Text]
    wordings: dict[str, str]


class CatalogueView(msgspec.Struct, frozen=True, kw_only=True):
    """The purposes in the order in which they are shown."""

    version: int
    purposes: tuple[PurposeView, ...]


class WordingView(msgspec.Struct, frozen=True, kw_only=True):
    """A wording: what a client is or was shown; never edited."""

    wording_id: str
    purpose: str
    language: str
    title: str
    text: str


class DirectoryView(msgspec.Struct, frozen=True, kw_only=True):
    """The people of the organisation."""

    version: int
    members: tuple[Member, ...]


@routes.staff("GET", "/api/organisation", gives=OrganisationView)
def read_organisation(call: Call) -> OrganisationView:
    """Settings and plan."""
    return _organisation(store.fresh_house(call.ports, call.org))


@routes.staff(
    "PUT",
    "/api/organisation/settings",
    takes=Settings,
    gives=OrganisationView,
    roles=ADMINS,
    changes=True,
)
def change_settings(call: Call) -> OrganisationView:
    """New settings, whole; wordings that name the controller follow."""
    return _organisation(
        service.change(
            call.ports,
            call.org,
            call.version,
            lambda house: domain.change_settings(
                house, call.body, by=call.actor, now=call.ports.now
            ),
        )
    )


@routes.staff("GET", "/api/catalogue", gives=CatalogueView)
def read_catalogue(call: Call) -> CatalogueView:
    """The purposes with their texts and the wordings shown now."""
    return _catalogue(store.fresh_house(call.ports, call.org))


@routes.staff(
    "POST",
    "/api/catalogue",
    takes=NewPurpose,
    gives=CatalogueView,
    roles=ADMINS,
    status=201,
    creates=True,
)
def add_purpose(call: Call) -> CatalogueView:
    """A consent of the organisation's own (S23)."""
    return _catalogue(
        service.add_purpose(
            call.ports,
            call.org,
            call.body.purpose,
            _texts(call.body.texts),
            once=call.once_for(call.body.purpose),
            by=call.actor,
        )
    )


@routes.staff(
    "PUT",
    "/api/catalogue/order",
    takes=PurposeOrder,
    gives=CatalogueView,
    roles=ADMINS,
    changes=True,
)
def order_purposes(call: Call) -> CatalogueView:
    """The purposes in another order."""
    return _catalogue(
        service.change(
            call.ports,
            call.org,
            call.version,
            lambda house: domain.order_purposes(
                house, call.body.order, by=call.actor, now=call.ports.now
            ),
        )
    )


@routes.staff(
    "PATCH",
    "/api/catalogue/purposes/{purpose}",
    takes=PurposeInput,
    gives=CatalogueView,
    roles=ADMINS,
    changes=True,
)
def edit_purpose(call: Call, purpose: str) -> CatalogueView:
    """Other texts, shown or hidden (S22, S24)."""
    return _catalogue(
        service.change(
            call.ports,
            call.org,
            call.version,
            lambda house: domain.edit_purpose(
                house,
                purpose,
                texts=None if call.body.texts is None else _texts(call.body.texts),
                hidden=call.body.hidden,
                months=call.body.months,
                by=call.actor,
                now=call.ports.now,
            ),
        )
    )


@routes.staff("GET", "/api/wordings/{wording_id}", gives=WordingView)
def read_wording(call: Call, wording_id: str) -> WordingView:
    """The words behind a wording's id, as clients were shown them."""
    wording = store.wording(call.ports, call.org, wording_id)
    return msgspec.convert(wording, WordingView, from_attributes=True)


@routes.staff("GET", "/api/staff", gives=DirectoryView)
def read_directory(call: Call) -> DirectoryView:
    """The people of the organisation."""
    return _directory(store.fresh_house(call.ports, call.org))


@routes.staff(
    "PUT",
    "/api/staff/{staff_id}",
    takes=MemberInput,
    gives=DirectoryView,
    roles=ADMINS,
    changes=True,
)
def keep_member(call: Call, staff_id: str) -> DirectoryView:
    """A person added or changed; `staff_id` is the subject of their sign-in."""
    return _directory(
        service.change(
            call.ports,
            call.org,
            call.version,
            lambda house: domain.keep_member(
                house, _member(house, staff_id, call.body), by=call.actor, now=call.ports.now
            ),
        )
    )


@routes.staff(
    "PUT",
    "/api/staff/{staff_id}/default-attachments",
    takes=DefaultAttachments,
    gives=DirectoryView,
    changes=True,
)
def set_default_attachments(call: Call, staff_id: str) -> DirectoryView:
    """The files with each message of the person (S42): their own, or anybody's for an admin."""
    if staff_id != call.member.staff_id and call.member.role is not Role.ADMIN:
        raise RoleRefused
    for file_id in call.body.files:
        if not ids.is_id(file_id) or not files.find_file(call.ports, domain.key(call.org), file_id):
            raise SettingRefused("There is no such file.", field="files")
    return _directory(
        service.change(
            call.ports,
            call.org,
            call.version,
            lambda house: domain.set_default_attachments(
                house, staff_id, call.body.files, by=call.actor, now=call.ports.now
            ),
        )
    )


def _member(house: House, staff_id: str, given: MemberInput) -> Member:
    known = {one.staff_id: one for one in house.directory.members}.get(staff_id)
    return Member(
        staff_id=staff_id,
        default_attachments=known.default_attachments if known else (),
        **msgspec.structs.asdict(given),
    )


def _texts(given: dict[str, TextInput]) -> dict[str, Text]:
    return {language: Text(title=one.title, text=one.text) for language, one in given.items()}


def _organisation(house: House) -> OrganisationView:
    root = house.organisation
    return OrganisationView(
        org=root.org,
        version=house.held.version,
        settings=root.settings,
        entitlements=root.entitlements,
    )


def _catalogue(house: House) -> CatalogueView:
    purposes = tuple(
        msgspec.convert(one, PurposeView, from_attributes=True) for one in house.catalogue.purposes
    )
    return CatalogueView(version=house.held.version, purposes=purposes)


def _directory(house: House) -> DirectoryView:
    return DirectoryView(version=house.held.version, members=house.directory.members)
