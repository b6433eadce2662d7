"""The rules of a client."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.clients import domain
from chalicelib.clients.domain import (
    Client,
    ClientState,
    ConsentState,
    Contract,
    ContractState,
    DeclarationState,
    DeclarationUnknown,
    EmailRequired,
    EndRefused,
    Identity,
    Kind,
    LanguageRefused,
    Notice,
    NoticeRequired,
    Progress,
    Proof,
    Served,
    Standing,
)
from chalicelib.kernel import text
from chalicelib.kernel.change import Actor, Change, Event, Held, Lookup, Once
from chalicelib.kernel.text import EmailRefused, PhoneRefused, TextRefused

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STAFF = Actor("staff", "ewa")
KEY = domain.key("agencja", "abc")
ONCE = Once(digest="d", request="r", result="abc", expires_at=1)
NOTICE = Notice(at=NOW, how="printed", source="x")


def identity(**changes: Any) -> Identity:
    """Who a client is."""
    one = Identity(
        kind=Kind.PERSON,
        name="Łucja Żółć",
        language="pl",
        served=Served.REMOTE,
        email="lucja@klient.example",
        phone="+48600100200",
    )
    return replace(one, **changes)


def progress(state: DeclarationState, **changes: Any) -> Progress:
    """How far a declaration has come that asks for marketing."""
    one = Progress(id=str(state), state=state, by="ewa", asks=("marketing",), gen=1, created=NOW)
    return replace(one, **changes)


def held(**changes: Any) -> Held[Client]:
    """A client as it was read."""
    one = replace(Client(identity=identity(), created=NOW), **changes)
    return Held(key=KEY, value=one, version=3, head="h")


def created(one: Identity) -> Change:
    """The change that creates this client."""
    return domain.create(
        KEY, one, languages=("pl",), digests=Digests(), once=ONCE, by=STAFF, now=NOW
    )


def edited(before: Held[Client], one: Identity, contract: Contract | None = None) -> Change:
    """The change that edits a client."""
    return domain.edit(
        before,
        one,
        contract or before.value.contract,
        languages=("pl", "en"),
        digests=Digests(),
        grace=timedelta(days=30),
        by=STAFF,
        now=NOW,
    )


class Digests(dict[str, str]):
    """The keyed hash of every value but the empty one."""

    def __missing__(self, value: str) -> str:
        return f"hash of {value}"

    def get(self, value: str, default: Any = None) -> Any:
        """As of a dictionary that holds every value."""
        return self[value] if value else default


def test_a_new_client_is_before_the_notice() -> None:
    """S5, S12, D10: identity and contact alone; found by e-mail, telephone and names."""
    change = created(identity(name="  Łucja  Żółć ", email="Lucja@Klient.EXAMPLE"))
    assert change.root == Client(identity=identity(email="Lucja@klient.example"), created=NOW)
    assert change.root.state is ClientState.BEFORE_NOTICE
    assert (change.version, change.head, change.once, change.due_at) == (0, "", ONCE, None)
    assert change.event.kind == "client_created"
    assert [part.rank for part in change.parts] == ["lucja zolc", "zolc lucja"]
    assert tuple(change.lookups) == (
        Lookup(kind="EMAIL", digest="hash of Lucja@klient.example"),
        Lookup(kind="EMAIL", digest="hash of Lucja@klient.example", mark=True),
        Lookup(kind="PHONE", digest="hash of +48600100200"),
        Lookup(kind="PHONE", digest="hash of +48600100200", mark=True),
    )


def test_an_address_is_required_of_who_is_served_from_afar_alone() -> None:
    """S5: remote with it, direct without it too."""
    with pytest.raises(EmailRequired) as refused:
        created(identity(email=""))
    assert refused.value.field == "email"
    direct = created(identity(email="", phone="", served=Served.DIRECT))
    assert direct.root.identity.email == ""
    assert not direct.lookups


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"name": "=?x?="}, TextRefused, "name"),
        ({"name": "x" * 121}, TextRefused, "name"),
        ({"email": "a@b"}, EmailRefused, "email"),
        ({"phone": "12"}, PhoneRefused, "phone"),
        ({"address": "a\x00"}, TextRefused, "address"),
        ({"language": "de"}, LanguageRefused, "language"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named(
    changes: dict[str, str], refusal: type[Exception], field: str
) -> None:
    """Bad input gets a code and a field, when it is created and when it is edited."""
    for act in (created, lambda one: edited(held(), one)):
        with pytest.raises(refusal) as refused:
            act(identity(**changes))
        assert getattr(refused.value, "field", None) == field


@pytest.mark.parametrize(
    "state", [one for one in ContractState if one is not ContractState.UNKNOWN]
)
def test_a_contract_waits_for_the_notice(state: ContractState) -> None:
    """S3, S8, S12: refused before the information is delivered; S14: it needs no more after it."""
    ended = date(2026, 1, 1) if state is ContractState.ENDED else None
    contract = Contract(state=state, ended_on=ended)
    with pytest.raises(NoticeRequired):
        edited(held(), identity(), contract)
    assert edited(held(notice=NOTICE), identity(), contract).root.contract == contract


@pytest.mark.parametrize("state", ContractState)
@pytest.mark.parametrize("ended_on", [None, date(2026, 1, 1)])
def test_a_contract_has_an_end_if_it_ended(state: ContractState, ended_on: date | None) -> None:
    """D22: what is known of a contract holds together."""
    contract = Contract(state=state, ended_on=ended_on)
    before = held(notice=NOTICE, contract=Contract(state=ContractState.ACTIVE))
    if (state is ContractState.ENDED) == (ended_on is not None):
        assert edited(before, identity(), contract).root.contract == contract
        return
    with pytest.raises(EndRefused):
        edited(before, identity(), contract)


def test_identity_and_contact_may_be_corrected_before_the_notice() -> None:
    """S12: these fields, and the look-ups follow them."""
    change = edited(held(), identity(name="Łucja", phone="", language="en"))
    assert change.root.identity.phone == ""
    assert tuple(change.lookups) == (
        Lookup(kind="PHONE", digest="hash of +48600100200", remove=True),
    )
    assert [(part.sk, part.rank, part.data) for part in change.parts] == [
        ("NAME#0", "lucja", {}),
        ("NAME#1", "", None),
    ]
    assert (change.version, change.head) == (3, "h")


def test_what_stays_is_not_written_again() -> None:
    """One write a changed thing: no look-up and no name where none changed."""
    change = edited(held(), identity(address="ul. Długa 1"))
    assert not change.parts
    assert not change.lookups


def test_another_address_kills_what_was_sent_to_the_old_one() -> None:
    """R15: what is out is superseded, and asks for no attention; everything else stays."""
    every = tuple(progress(state, remind=NOW, expires=NOW) for state in DeclarationState)
    same = edited(held(declarations=every), identity(name="Anna"))
    assert same.root.declarations == every
    assert same.due_at == NOW
    change = edited(held(declarations=every), identity(email="nowa@klient.example"))
    for before, after in zip(every, change.root.declarations, strict=True):
        if before.state in domain.OUT:
            assert after.state is DeclarationState.SUPERSEDED
            assert after.remind is after.expires is None
        else:
            assert after == before
    assert change.due_at is None
    assert tuple(change.lookups) == (
        Lookup(kind="EMAIL", digest="hash of lucja@klient.example", remove=True),
        Lookup(kind="EMAIL", digest="hash of nowa@klient.example"),
        Lookup(kind="EMAIL", digest="hash of nowa@klient.example", mark=True),
    )


@pytest.mark.parametrize("state", DeclarationState)
@pytest.mark.parametrize("decided", [None, *["given", "refused", "withdrawn"]])
def test_a_standing_is_what_was_decided_or_what_is_awaited(
    state: DeclarationState, decided: str | None
) -> None:
    """S19, S58: given stays given; else what is out is awaited; else the last decision stands."""
    standings = {}
    if decided is not None:
        standings["marketing"] = Standing(ConsentState(decided), NOW, Proof.ORAL, "d", "w")
    one = held(declarations=(progress(state),), standings=standings).value
    awaited = {
        DeclarationState.SENT: ConsentState.AWAITING_EMAIL,
        DeclarationState.DISPUTED: ConsentState.AWAITING_EMAIL,
        DeclarationState.PRINTED: ConsentState.AWAITING_SIGNATURE,
    }.get(state)
    ran_out = ConsentState.EXPIRED if state is DeclarationState.EXPIRED else ConsentState.NONE
    last = ConsentState(decided) if decided else ran_out
    expected = last if decided == "given" or awaited is None else awaited
    assert one.consent("marketing") is expected
    assert one.consent("email") is ConsentState.NONE


def test_each_purpose_stands_for_itself() -> None:
    """S19: own text, own status; e-mail that is awaited comes before a paper that is awaited."""
    out = progress(DeclarationState.SENT, asks=("email",))
    paper = progress(DeclarationState.PRINTED, asks=("email", "phone"))
    one = held(declarations=(paper, out)).value
    assert one.consent("email") is ConsentState.AWAITING_EMAIL
    assert one.consent("phone") is ConsentState.AWAITING_SIGNATURE
    assert one.consent("marketing") is ConsentState.NONE
    assert one.declaration("sent") is out
    with pytest.raises(DeclarationUnknown):
        one.declaration("other")


@given(st.text(min_size=1, max_size=120))
def test_a_name_is_found_by_each_of_its_words(wild: str) -> None:
    """A client is found by first name and surname; no key is longer than the index takes."""
    try:
        name = text.line(wild, "name", most=120)
    except TextRefused:
        return
    keys = domain.name_keys(name)
    words = text.fold(name).split(" ")
    assert 1 <= len(keys) <= 5
    assert len(set(keys)) == len(keys)
    for word in words[:5]:
        assert any(key.startswith(word[:200]) for key in keys)
    longest = max(len(key.encode()) for key in keys)
    assert longest + len("\0" + "i" * 22 + "\0NAME#0") <= 1024


def test_a_ligature_that_unfolds_makes_no_key_too_long() -> None:
    """U+FDFA unfolds into 18 letters: 120 of them are a name, and still fit the index."""
    (key,) = domain.name_keys("\ufdfa" * 120)[:1]
    assert len(key.encode()) <= 800


@given(
    st.builds(
        Client,
        identity=st.just(identity()),
        created=st.just(NOW),
        declarations=st.lists(
            st.builds(
                progress,
                st.sampled_from(DeclarationState),
                remind=st.none() | st.datetimes(timezones=st.just(UTC)),
                expires=st.none() | st.datetimes(timezones=st.just(UTC)),
            ),
            max_size=5,
        ).map(tuple),
    )
)
def test_a_client_needs_attention_at_its_first_open_moment_and_reads_back(one: Client) -> None:
    """S49: the least reminder or expiry of what is out; and what is stored is what is read."""
    moments = [
        moment
        for each in one.declarations
        if each.state in (DeclarationState.SENT, DeclarationState.DISPUTED)
        for moment in (each.remind, each.expires)
        if moment
    ]
    assert one.due_at == (min(moments) if moments else None)
    assert msgspec.json.decode(msgspec.json.encode(one), type=Client) == one


def test_a_term_runs_for_what_is_given_now_and_for_nothing_else() -> None:
    """S56: a term that the catalogue got later ends no consent because of another purpose."""
    old = Standing(ConsentState.GIVEN, NOW - timedelta(days=800), Proof.SIGNATURE, "d0", "w")
    new = Standing(ConsentState.GIVEN, NOW, Proof.SIGNATURE, "d1", "w")
    before = held(standings={"marketing": old})
    after = replace(before.value, standings={"marketing": old, "phone": new})
    change = domain.change_of(before, after, Event(kind="x", actor=STAFF, at=NOW))
    months = {"marketing": 12, "phone": 12}
    dated = domain.with_validity(change, months, before=before.value).root.standings
    assert dated["marketing"].expires is None
    assert dated["phone"].expires == datetime(2027, 11, 22, 12, tzinfo=UTC)
    renewed = replace(before.value, standings={"marketing": replace(new, expires=None)})
    change = domain.change_of(before, renewed, Event(kind="x", actor=STAFF, at=NOW))
    again = domain.with_validity(change, months, before=before.value)
    assert again.due_at == again.root.standings["marketing"].expires - domain.WARNED_BEFORE


def test_a_paper_that_was_just_printed_is_waited_for_but_not_for_ever() -> None:
    """S15, S31: who is about to sign a consent is not erased on the way to the scanner."""
    ends = NOW + timedelta(days=1)
    printed = progress(DeclarationState.PRINTED, printed=NOW)
    asked = held(erase_at=ends, declarations=(printed,)).value
    assert asked.erasure_due == asked.due_at == NOW + domain.PAPER_AWAITED
    notice_only = held(erase_at=ends, declarations=(replace(printed, asks=()),)).value
    assert notice_only.erasure_due == ends
    old = replace(printed, printed=NOW - timedelta(days=90))
    assert held(erase_at=ends, declarations=(old,)).value.erasure_due == ends


def test_another_address_ends_what_was_given_for_the_old_one_and_forgets_nothing() -> None:
    """M83, D22: run out, not undone: who once consented is not erased by itself."""
    given_ = Standing(ConsentState.GIVEN, NOW - timedelta(days=9), Proof.EMAIL_CLICK, "d0", "w")
    before = held(standings={"reply_by_email": given_, "marketing": given_})
    after = edited(before, identity(email="inna@klient.example")).root
    assert after.standings["marketing"] == given_
    assert after.consent("reply_by_email") is ConsentState.EXPIRED
    assert after.ever_consented
    assert after.in_force("reply_by_email", NOW) is None
