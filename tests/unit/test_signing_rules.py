"""What a signed paper means: whole, looked at, never over a later decision (S30, S36-S37; D21)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.clients.domain import (
    Client,
    ConsentState,
    DeclarationState,
    Identity,
    Kind,
    Progress,
    Proof,
    Served,
    Standing,
)
from chalicelib.consents import signing, standings
from chalicelib.consents.domain import Answer, Declaration
from chalicelib.consents.signing import KeptPage, PaperState, SignedPaper
from chalicelib.kernel.change import Actor, Change, Held, Key

PRINTED = datetime(2026, 3, 24, 10, 30, tzinfo=UTC)
NOW = PRINTED + timedelta(days=30)
ZONE = "Europe/Warsaw"
DECLARATION = Declaration(
    declaration_id="d1",
    code="CVA8TV7TSD",
    language="pl",
    answers=(
        Answer("notice", "w0", True),
        Answer("marketing", "w1", True),
        Answer("phone", "w2", False),
    ),
    by="s1",
    created=PRINTED - timedelta(hours=1),
)
BY = Actor("staff", "s1")


def a_client(state: DeclarationState = DeclarationState.PRINTED, **standings: Standing) -> Client:
    """A client with one declaration that was printed."""
    progress = Progress(
        id="d1",
        state=state,
        by="s1",
        asks=("marketing",),
        created=DECLARATION.created,
        printed=PRINTED,
    )
    identity = Identity(kind=Kind.PERSON, name="Ż", language="pl", served=Served.DIRECT)
    return Client(
        identity=identity, created=PRINTED, standings=dict(standings), declarations=(progress,)
    )


def a_page(page: int = 1, number: int = 1, **changes: Any) -> KeptPage:
    """A page without any doubt."""
    one = KeptPage(
        page=page, object_key=f"k{number}", sha256=f"s{number}", import_id="i1", number=number
    )
    return replace(one, **changes)


def a_paper(*pages: KeptPage, total: int = 1, signed_on: date | None = None) -> SignedPaper:
    """The paper of these pages."""
    paper = signing.with_pages(None, "d1", total, pages or [a_page()])
    return replace(paper, signed_on=signed_on)


def judged(paper: SignedPaper, client: Client | None = None) -> SignedPaper:
    """What becomes of it."""
    return signing.judged(client or a_client(), DECLARATION, paper, zone=ZONE)


def recorded(client: Client, paper: SignedPaper | None = None) -> Change:
    """The change that a whole paper makes."""
    held = Held(key=Key("agencja", "CLIENT", "c1"), value=client, version=3, head="h")
    whole = judged(paper or a_paper(), client)
    return signing.record(held, DECLARATION, whole, by=BY, now=NOW)


def standing(state: ConsentState, at: datetime, declaration: str = "d0") -> Standing:
    """A decision that was made before."""
    return Standing(state, at, Proof.EMAIL_CLICK, declaration, "w9")


def test_each_consent_stands_as_the_declaration_recorded_it() -> None:
    """S36: given or refused, by signature, as of the printing; the notice is delivered with it."""
    client = recorded(a_client()).root
    assert client.standings["marketing"] == Standing(
        ConsentState.GIVEN, PRINTED, Proof.SIGNATURE, "d1", "w1"
    )
    assert client.standings["phone"].state is ConsentState.REFUSED
    assert client.declaration("d1").state is DeclarationState.CONFIRMED
    assert client.declaration("d1").decided == PRINTED
    assert (client.notice.at, client.notice.how) == (PRINTED, "printed")


@given(st.integers(-400, 400))
def test_a_later_decision_is_never_beaten(minutes: int) -> None:
    """D21: whatever the day of the import, the later of two decisions stands."""
    other = standing(ConsentState.WITHDRAWN, PRINTED + timedelta(minutes=minutes))
    change = recorded(a_client(marketing=other))
    stands = change.root.standings["marketing"]
    if minutes > 0:
        assert stands == other
        assert change.event.body["history"] == ["marketing"]
    else:
        assert stands.state is ConsentState.GIVEN
        assert change.event.body["history"] == []


def with_progress(client: Client, **changes: Any) -> Client:
    """The client, other things known of its declaration."""
    return replace(client, declarations=(replace(client.declarations[0], **changes),))


@pytest.mark.parametrize(
    "known",
    [
        {"printed": None, "sent": PRINTED, "gen": 1},
        {"printed": PRINTED + timedelta(days=5), "sent": PRINTED, "gen": 1},
        {"printed": PRINTED + timedelta(days=5), "sent": PRINTED + timedelta(days=4), "gen": 3},
    ],
)
def test_what_could_be_signed_first_is_the_day_of_the_signature(known: dict[str, Any]) -> None:
    """D21: sent, sent again or printed later, the paper may have been signed at its first day."""
    withdrawn = standing(ConsentState.WITHDRAWN, PRINTED + timedelta(days=2))
    client = with_progress(a_client(marketing=withdrawn), **known)
    assert recorded(client).root.standings["marketing"] == withdrawn


def test_a_term_that_ran_out_is_no_later_decision() -> None:
    """D21, S56: signed before the old consent ran out and scanned after it, the renewal counts."""
    old = standing(ConsentState.GIVEN, PRINTED - timedelta(days=300))
    ran_out = replace(old, expires=PRINTED + timedelta(days=2))
    held = Held(
        key=Key("agencja", "CLIENT", "c1"), value=a_client(marketing=ran_out), version=3, head="h"
    )
    change = standings.attend(held, now=PRINTED + timedelta(days=3))
    assert change is not None
    after = change.root
    assert after.standings["marketing"].state is ConsentState.EXPIRED
    renewed = recorded(after).root.standings["marketing"]
    assert (renewed.state, renewed.at) == (ConsentState.GIVEN, PRINTED)


def test_an_answer_by_e_mail_is_agreed_to_for_the_address_on_the_paper() -> None:
    """M83, D21: printed with the old address, scanned once there is another one."""
    asked = replace(DECLARATION, answers=(Answer("reply_by_email", "w3", True),))
    client = replace(a_client(), email_since=PRINTED + timedelta(days=1))
    paper = signing.judged(client, asked, a_paper(signed_on=date(2026, 3, 30)), zone=ZONE)
    held = Held(key=Key("agencja", "CLIENT", "c1"), value=client, version=3, head="h")
    assert paper.state is PaperState.HISTORY
    change = signing.record(held, asked, paper, by=BY, now=NOW)
    assert "reply_by_email" not in change.root.standings
    before = replace(client, email_since=PRINTED - timedelta(days=1))
    assert signing.judged(before, asked, a_paper(), zone=ZONE).state is PaperState.RECORDED


def test_a_no_after_a_consent_that_ran_out_still_says_that_there_was_one() -> None:
    """D22: who once consented is not erased by itself because they did not renew."""
    old = standing(ConsentState.EXPIRED, PRINTED - timedelta(days=400))
    client = recorded(a_client(phone=old)).root
    assert client.standings["phone"].state is ConsentState.WITHDRAWN
    assert replace(client, standings={"phone": client.standings["phone"]}).ever_consented


def test_a_paper_that_changes_nothing_joins_the_history() -> None:
    """D21: kept as evidence of what once was said."""
    later = PRINTED + timedelta(days=1)
    client = a_client(
        marketing=standing(ConsentState.WITHDRAWN, later),
        phone=standing(ConsentState.GIVEN, later),
    )
    assert judged(a_paper(), client).state is PaperState.HISTORY
    assert recorded(client).root.standings == client.standings


def test_the_same_decision_gets_the_better_proof_and_keeps_its_day() -> None:
    """S30: confirmed by e-mail first, signed later: one decision, its strongest proof."""
    earlier = PRINTED - timedelta(minutes=5)
    client = a_client(
        DeclarationState.CONFIRMED, marketing=standing(ConsentState.GIVEN, earlier, "d1")
    )
    stands = recorded(client).root.standings["marketing"]
    assert (stands.at, stands.proof) == (earlier, Proof.SIGNATURE)


def test_a_no_after_a_yes_is_a_withdrawal() -> None:
    """S36: refused on the paper what was given before."""
    before = standing(ConsentState.GIVEN, PRINTED - timedelta(days=9))
    assert recorded(a_client(phone=before)).root.standings["phone"].state is (
        ConsentState.WITHDRAWN
    )


@pytest.mark.parametrize(
    ("signed_on", "at"),
    [
        (None, PRINTED),
        (date(2026, 3, 24), PRINTED),
        (date(2026, 3, 26), datetime(2026, 3, 25, 23, tzinfo=UTC)),
    ],
)
def test_the_client_decided_on_the_day_of_the_signature(
    signed_on: date | None, at: datetime
) -> None:
    """D21: the day that staff state, from its beginning there, but not before the printing."""
    assert judged(a_paper(signed_on=signed_on)).signed_at == at


def test_a_paper_is_recorded_when_it_is_whole() -> None:
    """S37: missing pages are named; a page that came twice is one."""
    paper = a_paper(a_page(1, 1), a_page(3, 2), total=3)
    assert judged(paper).state is PaperState.INCOMPLETE
    assert paper.missing == (2,)
    whole = signing.with_pages(paper, "d1", 3, [a_page(2, 1, import_id="i2"), a_page(1, 9)])
    assert judged(whole).state is PaperState.RECORDED
    assert [one.page for one in whole.ordered] == [1, 2, 3]


def test_doubts_wait_until_a_person_looked() -> None:
    """S37: one page with words on it keeps the whole paper back."""
    marked = a_page(2, 2, doubts=("marked",))
    paper = judged(a_paper(a_page(1, 1), marked, total=2))
    assert (paper.state, paper.doubts) == (PaperState.WAITING, ("marked",))
    looked = signing.with_pages(paper, "d1", 2, [replace(marked, accepted_by="s2")])
    assert judged(looked).state is PaperState.RECORDED


def test_a_blank_copy_beside_the_signed_one_does_no_harm() -> None:
    """S30: scanned twice, signed once: the signed copy counts; words on either are looked at."""
    blank, signed = a_page(1, 1, doubts=("unsigned",)), a_page(1, 2)
    paper = judged(a_paper(blank, signed))
    assert paper.state is PaperState.RECORDED
    assert [one.number for one in paper.ordered] == [2]
    assert judged(a_paper(blank, a_page(1, 3, doubts=("marked",)))).state is PaperState.WAITING


def test_a_signature_before_the_printing_needs_a_person() -> None:
    """D21: the stated day can't be."""
    paper = judged(a_paper(signed_on=date(2026, 3, 23)))
    assert (paper.state, paper.doubts) == (PaperState.WAITING, ("signed_before_printed",))


def test_a_dispute_after_the_signature_needs_a_person() -> None:
    """D13, D21: the client said since then that this was not what they declared."""
    client = a_client(DeclarationState.DISPUTED)
    later = replace(client.declarations[0], decided=PRINTED + timedelta(days=1))
    paper = judged(a_paper(), replace(client, declarations=(later,)))
    assert (paper.state, paper.doubts) == (PaperState.WAITING, ("disputed_later",))


def test_after_a_rejection_a_paper_starts_anew() -> None:
    """S37: what was rejected does not come back with the next scan."""
    rejected = replace(a_paper(a_page(1, 1, doubts=("marked",))), state=PaperState.REJECTED)
    again = signing.with_pages(rejected, "d1", 1, [a_page(1, 7)])
    assert [one.number for one in again.pages] == [7]
    assert judged(again).state is PaperState.RECORDED


def undated(state: PaperState = PaperState.HISTORY, **changes: Any) -> SignedPaper:
    """A paper that was recorded ten days after its printing; nobody said when it was signed."""
    paper = replace(judged(a_paper()), state=state, recorded=PRINTED + timedelta(days=10))
    return replace(paper, object_key="paper.pdf", sha256="p", **changes)


def dated(
    days: int, *, said: int = 1, paper: SignedPaper | None = None, page: KeptPage | None = None
) -> SignedPaper | None:
    """It comes once more with a day, so long after its printing; a no by telephone stands."""
    no = standing(ConsentState.REFUSED, PRINTED + timedelta(days=said))
    day = (PRINTED + timedelta(days=days)).date()
    phone = Standing(ConsentState.REFUSED, PRINTED, Proof.SIGNATURE, "d1", "w2")
    client = a_client(DeclarationState.CONFIRMED, marketing=no, phone=phone)
    pages = [page or a_page(number=9, import_id="i9")]
    return signing.dated(client, DECLARATION, paper or undated(), pages, day, zone=ZONE)


def test_a_day_that_is_stated_later_makes_a_paper_count() -> None:
    """Issue 4, D21: signed after what was said by telephone; its pages are those it has."""
    paper = dated(3)
    assert paper is not None
    assert (paper.state, paper.signed_on) == (PaperState.RECORDED, date(2026, 3, 27))
    assert (paper.pages, paper.object_key) == (undated().pages, "paper.pdf")


@pytest.mark.parametrize(
    ("days", "said", "paper"),
    [
        (3, 5, undated()),  # a later decision stands
        (20, 15, undated()),  # signed after it was here: it cannot be
        (3, 1, undated(signed_on=date(2026, 3, 24))),  # its day was stated
        (3, 1, undated(PaperState.WAITING)),
    ],
)
def test_a_day_that_is_stated_later_beats_no_later_decision(
    days: int, said: int, paper: SignedPaper
) -> None:
    """D21, S37: a scan seen before changes nothing but what its day changes."""
    assert dated(days, said=said, paper=paper) is None


def test_what_is_seen_on_the_later_scan_waits_for_a_person() -> None:
    """Issue 4, S37: words by hand that the first scan did not show."""
    page = a_page(number=9, import_id="i9", doubts=("marked",))
    paper = dated(3, page=page)
    assert paper is not None
    assert (paper.state, paper.doubts) == (PaperState.WAITING, ("marked",))
    paper = dated(3, page=replace(page, accepted_by="s2"))
    assert paper is not None
    assert paper.state is PaperState.RECORDED
