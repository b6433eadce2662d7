"""The public form in a browser, against a fake that answers the contract of its routes."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from bench import pages
from tests.site.fake_complaints import WORDING, FakeComplaints, a_form, a_receipt
from tests.site.fake_duly import Answer, refusal
from tests.site.test_browser_confirm import screen

PDF = {"name": "polisa.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 " * 100}
PICTURE = {"name": "zdjęcie.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff" * 100}
TEXT = "Szkoda nie została rozpatrzona w terminie."


def open_form(page: Page, complaints: FakeComplaints) -> None:
    """Opens the form."""
    page.goto(complaints.address())
    screen(page, "form")


def send(page: Page) -> None:
    """Presses Send."""
    page.click("button[type=submit]")


def attach(page: Page, *files: Any) -> None:
    """Chooses files."""
    page.set_input_files("#files", list(files))


def the_draft(page: Page) -> Any:
    """What the browser keeps."""
    return page.evaluate("JSON.parse(localStorage.getItem('duly.complaint.polisa'))")


def test_a_person_files_a_complaint_with_every_field(
    page: Page, complaints: FakeComplaints
) -> None:
    """M2, M5-M13, M83: everything of the policy's list, and two files, arrive as given."""
    open_form(page, complaints)
    page.check("#kind-complaint")
    page.fill("#substance", TEXT)
    attach(page, PDF, PICTURE)
    page.fill("#contract_number", "AB-123")
    page.fill("#claim_number", "SZK/7")
    page.select_option("#product", "motor_liability")
    page.click("summary")
    page.fill("#employee_department", "Likwidacja szkód")
    page.fill("#employee_position", "Likwidator")
    page.fill("#employee_name", "Nowak Jan")
    page.check("#about-other")
    page.fill("#insured_name", "Zofia Żak")
    page.check("#insured_company")
    page.fill("#insured_email", "zofia@firma.example")
    page.fill("#insured_phone", "22 100 20 30")
    page.fill("#insured_postal_address", "ul. Krótka 2")
    page.check("#claims_authority")
    page.fill("#name", "Łucja Żółć")
    page.check("#audience-legal")
    page.fill("#email", "lucja@klient.example")
    page.fill("#phone", "+48 600 100 200")
    page.fill("#postal_address", "ul. Długa 7")
    page.fill("#city", "Warszawa")
    page.check("#reply-form-electronic")
    page.check("#email_consent")
    send(page)
    screen(page, "sent")
    (sent,) = complaints.submissions()
    proof, seconds = sent.pop("proof"), sent.pop("seconds")
    assert proof
    assert 0 <= seconds < 60
    assert sent == {
        "language": "pl",
        "kind": "complaint",
        "anonymous": False,
        "audience": "legal",
        "scope": "complaint",
        "name": "Łucja Żółć",
        "city": "Warszawa",
        "email": "lucja@klient.example",
        "phone": "+48 600 100 200",
        "postal_address": "ul. Długa 7",
        "about": "other",
        "insured": {
            "name": "Zofia Żak",
            "email": "zofia@firma.example",
            "phone": "22 100 20 30",
            "postal_address": "ul. Krótka 2",
            "company": True,
        },
        "claims_authority": True,
        "contract_number": "AB-123",
        "claim_number": "SZK/7",
        "product": "motor_liability",
        "employee": {
            "department": "Likwidacja szkód",
            "position": "Likwidator",
            "name": "Nowak Jan",
        },
        "substance": TEXT,
        "reply_form": "electronic",
        "email_consent": WORDING,
        "files": [
            {
                "folder": "f" * 32,
                "slot": slot,
                "name": file["name"],
                "content_type": file["mimeType"],
                "size": len(file["buffer"]),
            }
            for slot, file in enumerate((PDF, PICTURE))
        ],
        "website": "",
    }
    assert complaints.uploads == ["quarantine/0", "quarantine/1"]


def test_words_alone_are_enough(page: Page, complaints: FakeComplaints) -> None:
    """D3, M14, D11: nothing else is required, nothing is chosen beforehand."""
    open_form(page, complaints)
    assert page.locator("input:checked").count() == 0
    page.fill("#substance", TEXT)
    send(page)
    screen(page, "sent")
    assert complaints.submissions()[0]["email_consent"] == ""


def test_a_file_alone_is_enough(page: Page, complaints: FakeComplaints) -> None:
    """D3, M13: and sending waits until it has arrived."""
    open_form(page, complaints)
    complaints.delay = 0.5
    attach(page, PDF)
    send(page)
    screen(page, "sent")
    assert [one["name"] for one in complaints.submissions()[0]["files"]] == ["polisa.pdf"]


def test_nothing_at_all_is_not_sent(page: Page, complaints: FakeComplaints) -> None:
    """D3: error summary, focused, linked to the text; nothing leaves the page."""
    open_form(page, complaints)
    send(page)
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    assert page.title().startswith("Błąd: ")
    expect(page.locator("#substance")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#substance")).to_have_attribute(
        "aria-describedby", "substance-error substance-hint"
    )
    summary.get_by_role("link").click()
    expect(page.locator("#substance")).to_be_focused()
    assert complaints.submissions() == []
    page.fill("#substance", TEXT)
    send(page)
    screen(page, "sent")


def test_a_robot_that_only_opens_the_form_sends_nothing(
    page: Page, complaints: FakeComplaints
) -> None:
    """R3: scripts on, nobody there: the form is read, and that is all."""
    open_form(page, complaints)
    page.wait_for_timeout(1_500)
    assert complaints.called() == ["complaints/form"]


def test_the_page_says_what_happens_next(page: Page, complaints: FakeComplaints) -> None:
    """M41-M46: number, day of the register, last day of the answer and why, the private link."""
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    page.fill("#email", "lucja@klient.example")
    send(page)
    screen(page, "sent")
    main = page.locator("main")
    for text in (
        "7K3F-9QXM-2T",
        "27 listopada 2026, godz. 18:05 CET",
        "poniedziałek, 30 listopada 2026",
        "środa, 30 grudnia 2026",
        "na adres lucja@klient.example",
    ):
        expect(main).to_contain_text(text)
    page.click("summary")
    expect(main).to_contain_text("30. dzień śr. 30 grudnia")
    link = page.locator("#link").input_value()
    assert link == f"{complaints.origin}{complaints.receipt['status_link']}"
    expect(page.locator("[data-open]")).to_have_attribute("href", complaints.receipt["status_link"])
    expect(page.locator("[data-unreachable]")).to_be_hidden()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("[data-copy=reference]")
    expect(page.locator("[role=status]").last).to_have_text("Skopiowano.")
    assert page.evaluate("navigator.clipboard.readText()") == "7K3F-9QXM-2T"
    page.click("[data-copy=link]")
    assert page.evaluate("navigator.clipboard.readText()") == link


def test_who_gave_no_address_is_told_to_keep_the_page(
    page: Page, complaints: FakeComplaints
) -> None:
    """M48: no letter will come, so the number and the link are on this page alone."""
    complaints.receipt = a_receipt(acknowledgement="none", answer_by=None, why="")
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    send(page)
    screen(page, "sent")
    expect(page.locator("[data-unreachable]")).to_be_visible()
    expect(page.locator("[data-told=none]")).to_be_visible()
    expect(page.locator("[data-told=email]")).to_be_hidden()
    expect(page.locator("[data-answer]")).to_be_hidden()
    expect(page.locator("[data-why]")).to_be_hidden()


def test_an_anonymous_writer_knows_what_it_means(page: Page, complaints: FakeComplaints) -> None:
    """M33, M34, D2: explained before, nothing of the person sent, no link after."""
    complaints.receipt = a_receipt(status_link="", acknowledgement="none")
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    page.fill("#name", "Łucja Żółć")
    page.fill("#email", "lucja@klient.example")
    page.check("#anonymous")
    expect(page.locator("#anonymous-note")).to_be_visible()
    expect(page.locator("#contact")).to_be_hidden()
    expect(page.locator("#reply")).to_be_hidden()
    send(page)
    screen(page, "sent")
    (sent,) = complaints.submissions()
    assert (sent["anonymous"], sent["name"], sent["email"]) == (True, "", "")
    expect(page.locator("[data-anonymous]")).to_be_visible()
    expect(page.locator("[data-private]")).to_be_hidden()
    expect(page.locator("[data-named]")).to_be_hidden()


def test_the_fields_of_an_insured_open_when_they_are_needed(
    page: Page, complaints: FakeComplaints
) -> None:
    """M9, M36-M40: and say to whom the answer will go."""
    open_form(page, complaints)
    expect(page.locator("#insured")).to_be_hidden()
    page.check("#about-other")
    expect(page.locator("#insured")).to_contain_text("Zapytamy ubezpieczonego")
    page.check("#about-self")
    expect(page.locator("#insured")).to_be_hidden()


def test_a_draft_survives_a_reload_and_is_gone_once_sent(
    page: Page, complaints: FakeComplaints
) -> None:
    """Kept in this browser until sent; said so; files are asked for again."""
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    page.check("#about-other")
    page.fill("#insured_name", "Zofia Żak")
    page.click("summary")
    page.fill("#employee_name", "Nowak Jan")
    attach(page, PDF)
    page.reload()
    screen(page, "form")
    expect(page.locator("[data-restored]")).to_be_visible()
    expect(page.locator("#substance")).to_have_value(TEXT)
    expect(page.locator("#about-other")).to_be_checked()
    expect(page.locator("#insured_name")).to_be_visible()
    expect(page.locator("#insured_name")).to_have_value("Zofia Żak")
    expect(page.locator("#employee_name")).to_be_visible()
    assert page.locator(".attachment").count() == 0
    send(page)
    screen(page, "sent")
    assert the_draft(page) is None
    page.reload()
    screen(page, "form")
    expect(page.locator("#substance")).to_have_value("")
    expect(page.locator("[data-restored]")).to_be_hidden()


def test_a_draft_can_be_deleted(page: Page, complaints: FakeComplaints) -> None:
    """On a shared computer."""
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    attach(page, PDF)
    page.wait_for_timeout(600)
    assert the_draft(page)["fields"]["substance"] == TEXT
    page.locator("[data-forget]").last.click()
    screen(page, "form")
    expect(page.locator("#substance")).to_have_value("")
    assert page.locator(".attachment").count() == 0
    page.wait_for_timeout(600)
    assert the_draft(page) is None
    expect(page.locator("form [role=status]")).to_have_text("Usunięto wersję roboczą.")


def test_without_storage_the_form_works_all_the_same(
    page: Page, complaints: FakeComplaints
) -> None:
    """R25: a browser that keeps nothing."""
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('off') } })"
    )
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    send(page)
    screen(page, "sent")


def test_nothing_is_stored_but_the_draft_and_nobody_else_is_asked(
    page: Page, complaints: FakeComplaints
) -> None:
    """R18: no cookie, no third party, no referrer; the proof and the link are kept nowhere."""
    requests: list[Request] = []

    def record(request: Request) -> None:
        requests.append(request)

    page.on("request", record)
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    attach(page, PDF)
    page.wait_for_timeout(600)
    assert page.evaluate("Object.keys(localStorage)") == ["duly.complaint.polisa"]
    assert set(the_draft(page)) == {"fields", "at"}
    send(page)
    screen(page, "sent")
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert page.context.cookies() == []
    for request in requests:
        assert request.url.startswith(f"{complaints.origin}/")
        assert request.headers.get("referer", "") == ""


def test_a_file_shows_how_far_it_has_come(page: Page, complaints: FakeComplaints) -> None:
    """M13: a bar while it goes, a word when it is there, and it can be taken away again."""
    open_form(page, complaints)
    complaints.delay = 0.7
    attach(page, PDF, PICTURE)
    first, second = page.locator(".attachment").all()
    expect(first.locator("progress")).to_be_visible()
    expect(first).to_contain_text("Wysyłanie")
    expect(second).to_contain_text("Czeka")
    expect(first).to_contain_text("Dołączono")
    expect(first.locator("progress")).to_be_hidden()
    expect(page.locator("[data-attachments-status]")).to_contain_text("Dołączono 2 pliki")
    complaints.delay = 0
    first.locator("[data-remove]").click()
    expect(page.locator(".attachment")).to_have_count(1)
    expect(page.locator("[data-attachments-status]")).to_have_text("Dołączono 1 plik")
    expect(page.locator(".attachment [data-remove]")).to_be_focused()
    page.fill("#substance", TEXT)
    send(page)
    screen(page, "sent")
    assert [one["name"] for one in complaints.submissions()[0]["files"]] == ["zdjęcie.jpg"]


def test_a_file_that_failed_is_sent_again_or_removed(
    page: Page, complaints: FakeComplaints
) -> None:
    """M13: nothing is sent without it behind the person's back."""
    complaints.upload_gets = [403, 403]
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    attach(page, PDF)
    expect(page.locator(".attachment")).to_contain_text("Nie wysłano: proszę spróbować ponownie")
    send(page)
    expect(page.locator(".error-summary")).to_contain_text("Nie wszystkie pliki dotarły")
    expect(page.locator("#files-error")).to_be_visible()
    page.locator("[data-retry]").click()
    expect(page.locator(".attachment")).to_contain_text("Nie wysłano")
    page.locator("[data-retry]").click()
    expect(page.locator(".attachment")).to_contain_text("Dołączono")
    send(page)
    screen(page, "sent")
    assert len(complaints.submissions()[0]["files"]) == 1


def test_a_proof_whose_time_is_over_is_renewed_for_a_file(
    page: Page, complaints: FakeComplaints
) -> None:
    """A long afternoon before the form."""
    complaints.refuse = {"complaints/files": [refusal(410, "proof_expired", field="proof")]}
    open_form(page, complaints)
    attach(page, PDF)
    expect(page.locator(".attachment")).to_contain_text("Dołączono")
    assert complaints.called()[1:] == [
        "complaints/files",
        "complaints/challenge",
        "complaints/files",
    ]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([PDF] * 11, "najwyżej 10 plików"),
        ([{**PDF, "buffer": b""}], "jest pusty"),
    ],
)
def test_files_that_cannot_be_taken_are_told_at_once(
    page: Page, complaints: FakeComplaints, files: list[Any], says: str
) -> None:
    """M13: at most ten, none of them empty."""
    open_form(page, complaints)
    attach(page, *files)
    expect(page.locator("#files-error")).to_contain_text(says)
    assert complaints.uploads == []
    attach(page, PDF)
    expect(page.locator("#files-error")).to_be_hidden()


def test_a_file_that_is_too_large_is_told_at_once(page: Page, complaints: FakeComplaints) -> None:
    complaints.form = a_form(most_file_bytes=100)
    open_form(page, complaints)
    attach(page, PDF)
    expect(page.locator("#files-error")).to_be_visible()
    assert complaints.uploads == []


def test_a_long_text_is_counted_before_it_is_too_long(
    page: Page, complaints: FakeComplaints
) -> None:
    """M6: 20,000 characters."""
    open_form(page, complaints)
    counter = page.locator("#substance-count")
    page.fill("#substance", "ż" * 17_999)
    expect(counter).to_be_hidden()
    page.fill("#substance", "ż" * 19_998)
    expect(counter).to_have_text("Pozostały 2 znaki")
    page.fill("#substance", "ż" * 20_001)
    expect(counter).to_have_text("Tekst jest za długi o 1 znak")
    send(page)
    expect(page.locator(".error-summary")).to_contain_text("skrócić tekst")
    assert complaints.submissions() == []


def test_a_robot_that_fills_in_everything_is_told_nothing(
    page: Page, complaints: FakeComplaints
) -> None:
    """Flagged, never dropped: the trap travels along, and neither eye nor ear nor Tab meets it."""
    open_form(page, complaints)
    trap = page.locator("#website")
    assert trap.evaluate("field => field.closest('[aria-hidden=true]') !== null")
    assert trap.get_attribute("tabindex") == "-1"
    box = page.locator(".elsewhere").bounding_box()
    assert box is not None
    assert box["width"] <= 1
    page.fill("#substance", TEXT)
    trap.evaluate("field => { field.value = 'https://spam.example' }")
    send(page)
    screen(page, "sent")
    assert complaints.submissions()[0]["website"] == "https://spam.example"


def test_an_impatient_person_sends_once(page: Page, complaints: FakeComplaints) -> None:
    """R6: pressing again while it is being sent sends nothing more; waiting is announced."""
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    complaints.delay = 1
    page.locator("button[type=submit]").evaluate("button => { button.click(); button.click() }")
    expect(page.locator("form [role=status]")).to_have_text("Wysyłamy. Proszę nie zamykać strony.")
    screen(page, "sent")
    assert len(complaints.submissions()) == 1


def test_over_the_limit_other_ways_are_named_and_nothing_is_lost(
    page: Page, complaints: FakeComplaints
) -> None:
    """M33: telephone and post; the draft, the files and the way back."""
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    attach(page, PDF)
    expect(page.locator(".attachment")).to_contain_text("Dołączono")
    complaints.refuse = {"complaints": [refusal(429, "too_many_requests")]}
    send(page)
    screen(page, "too_many")
    channels = page.locator(".channels")
    for text in ("+48 22 100 20 30", "ul. Długa 5, 00-001 Warszawa", "reklamacje@polisa.example"):
        expect(channels).to_contain_text(text)
    expect(channels.get_by_role("link", name="+48 22 100 20 30")).to_have_attribute(
        "href", "tel:+48221002030"
    )
    assert the_draft(page)["fields"]["substance"] == TEXT
    page.click("[data-back]")
    screen(page, "form")
    expect(page.locator("#substance")).to_have_value(TEXT)
    expect(page.locator(".attachment")).to_contain_text("Dołączono")
    send(page)
    screen(page, "sent")
    assert len(complaints.submissions()[-1]["files"]) == 1


@pytest.mark.parametrize("code", ["proof_expired", "proof_refused"])
def test_a_proof_that_no_longer_holds_is_renewed_by_itself(
    page: Page, complaints: FakeComplaints, code: str
) -> None:
    """Sent again once, with a new proof and the same words."""
    status = 410 if code == "proof_expired" else 422
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    complaints.refuse = {"complaints": [refusal(status, code, field="proof")]}
    send(page)
    screen(page, "sent")
    first, second = complaints.submissions()
    assert first.pop("proof") != second.pop("proof")
    assert first == second


def test_a_proof_that_never_holds_is_not_tried_for_ever(
    page: Page, complaints: FakeComplaints
) -> None:
    refused = refusal(422, "proof_refused", field="proof")
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    complaints.refuse = {"complaints": [refused, refused]}
    send(page)
    expect(page.locator(".error-summary")).to_contain_text("chroniące przed automatami")
    assert len(complaints.submissions()) == 2


def test_who_still_writes_gets_a_new_challenge_in_time(
    page: Page, complaints: FakeComplaints
) -> None:
    """Renewed before it ends while somebody writes, and left alone while nobody does."""
    page.clock.install()
    open_form(page, complaints)
    page.clock.run_for(520_000)
    assert "complaints/challenge" not in complaints.called()
    page.fill("#substance", TEXT)
    page.clock.run_for(21_000)
    page.wait_for_timeout(300)
    assert complaints.called().count("complaints/challenge") == 1


@pytest.mark.parametrize(
    "answer",
    [refusal(500, "internal"), refusal(503, "unavailable"), refusal(409, "conflict")],
    ids=["500", "503", "409"],
)
def test_a_failed_sending_keeps_everything(
    page: Page, complaints: FakeComplaints, answer: Answer
) -> None:
    """Nothing is lost, and it may be sent again."""
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    complaints.refuse = {"complaints": [answer]}
    send(page)
    expect(page.locator(".error-summary")).to_contain_text("Nie udało się wysłać.")
    expect(page.locator("#substance")).to_have_value(TEXT)
    assert the_draft(page)["fields"]["substance"] == TEXT
    send(page)
    screen(page, "sent")


def test_a_lost_answer_is_asked_for_again_with_the_same_act(
    page: Page, complaints: FakeComplaints
) -> None:
    """Registered only once: the same proof with the same words gets the first answer."""
    complaints.lost = [True]
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    send(page)
    expect(page.locator(".error-summary")).to_be_focused()
    send(page)
    screen(page, "sent")
    first, second = complaints.submissions()
    assert first == second
    expect(page.locator("[data-note]")).to_be_hidden()


def test_words_changed_after_a_lost_answer_are_said_to_be_missing(
    page: Page, complaints: FakeComplaints
) -> None:
    """409 proof_reused: what arrived is shown, and what did not is kept and said so."""
    complaints.lost = [True]
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    send(page)
    expect(page.locator(".error-summary")).to_be_focused()
    page.fill("#substance", f"{TEXT} I jeszcze coś.")
    send(page)
    screen(page, "sent")
    expect(page.locator("[data-note]")).to_be_visible()
    said = [one["substance"] for one in complaints.submissions()]
    assert said == [TEXT, f"{TEXT} I jeszcze coś.", TEXT]
    assert the_draft(page)["fields"]["substance"] == f"{TEXT} I jeszcze coś."


@pytest.mark.parametrize(
    ("code", "field", "control"),
    [
        ("email_refused", "email", "email"),
        ("phone_refused", "phone", "phone"),
        ("email_refused", "insured.email", "insured_email"),
        ("text_refused", "employee.name", "employee_name"),
        ("submission_refused", "product", "product"),
        ("submission_refused", "claims_authority", "claims_authority"),
        ("nothing_submitted", "substance", "substance"),
    ],
)
def test_a_refused_field_is_named_and_found(
    page: Page, complaints: FakeComplaints, code: str, field: str, control: str
) -> None:
    """Bad input: the sentence stands in the summary and at the field, and leads there."""
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    page.check("#about-other")
    complaints.refuse = {"complaints": [refusal(422, code, field=field)]}
    send(page)
    page.locator(".error-summary").get_by_role("link").click()
    expect(page.locator(f"#{control}")).to_be_focused()
    expect(page.locator(f"#{control}-error")).to_be_visible()


def test_what_the_pack_does_not_offer_is_not_asked(page: Page, complaints: FakeComplaints) -> None:
    complaints.form = a_form(reply_forms=["electronic"])
    open_form(page, complaints)
    expect(page.locator("#reply-form-electronic")).to_be_visible()
    expect(page.locator("#reply-form-paper")).to_be_hidden()
    complaints.form = a_form(reply_forms=[])
    page.reload()
    screen(page, "form")
    expect(page.locator("[data-reply-forms]")).to_be_hidden()


def test_a_complaint_about_data_is_sent_as_one_where_the_rules_know_it(
    page: Page, complaints: FakeComplaints
) -> None:
    """D20, M2: asked of a private person's complaint alone, kept in the draft, and it decides."""
    open_form(page, complaints)
    expect(page.locator("#about-data")).to_be_hidden()
    both = ["complaint", "data_protection"]
    complaints.form = a_form(scopes={"natural": both, "legal": ["complaint"]})
    page.reload()
    screen(page, "form")
    box = page.get_by_label("Chodzi o to, jak postępujemy z danymi osobowymi")
    expect(box).not_to_be_checked()
    box.check()
    page.check("#kind-request")
    expect(box).to_be_hidden()
    page.check("#kind-complaint")
    page.check("#audience-legal")
    expect(box).to_be_hidden()
    page.check("#audience-natural")
    page.fill("#substance", TEXT)
    page.wait_for_timeout(500)
    page.reload()
    screen(page, "form")
    expect(box).to_be_checked()
    send(page)
    screen(page, "sent")
    assert complaints.submissions()[0]["scope"] == "data_protection"


def test_the_form_takes_a_keyboard_and_nothing_else(page: Page, complaints: FakeComplaints) -> None:
    """R25: every control in the order of the page, the trap never; sent by Enter."""
    open_form(page, complaints)
    met: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        met.append(page.evaluate("document.activeElement.id || document.activeElement.type"))
        if met[-1] == "substance":
            page.keyboard.type(TEXT)
        if met[-1] == "about-self":
            page.keyboard.press("ArrowDown")
            page.keyboard.press("ArrowUp")
        if met[-1] == "submit":
            break
    wanted = ["kind-complaint", "substance", "files", "product", "about-self", "name", "submit"]
    assert [one for one in met if one in wanted] == wanted
    assert "website" not in met
    page.keyboard.press("Enter")
    screen(page, "sent")


def test_the_language_can_change_while_one_writes(page: Page, complaints: FakeComplaints) -> None:
    """Texts, classes and consent follow; what was written stays, and the language is sent."""
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    page.check("#kind-request")
    page.get_by_role("button", name="Русский").click()
    expect(page.locator("h1")).to_have_text("Жалоба или другое обращение")
    expect(page.locator("#product option").nth(2)).to_have_text("ОСАГО")
    expect(page.locator("[data-consent-text]")).to_contain_text("персональные данные")
    expect(page.locator("#substance")).to_have_value(TEXT)
    expect(page.locator("#kind-request")).to_be_checked()
    send(page)
    screen(page, "sent")
    assert complaints.submissions()[0]["language"] == "ru"
    expect(page.locator("main")).to_contain_text("понедельник, 30 ноября 2026")


def test_a_language_of_the_organisation_is_sent(page: Page, complaints: FakeComplaints) -> None:
    complaints.form = a_form(languages=["en"])
    page.goto(complaints.address(lang="ru"))
    screen(page, "form")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    page.fill("#substance", TEXT)
    send(page)
    screen(page, "sent")
    assert complaints.submissions()[0]["language"] == "en"


@pytest.mark.parametrize("org", ["", "Polisa!", "a"])
def test_an_address_without_an_organisation_says_so(
    page: Page, complaints: FakeComplaints, org: str
) -> None:
    page.goto(f"{complaints.origin}/complaint?org={org}")
    screen(page, "unknown")
    assert complaints.asked == []


def test_an_organisation_that_is_unknown_says_so(page: Page, complaints: FakeComplaints) -> None:
    complaints.refuse = {"complaints/form": [refusal(404, "organisation_unknown")]}
    page.goto(complaints.address())
    screen(page, "unknown")


@pytest.mark.parametrize("answer", [None, refusal(503, "unavailable")])
def test_a_form_that_did_not_open_can_be_tried_again(
    page: Page, complaints: FakeComplaints, answer: Answer | None
) -> None:
    """R25: a bad connection."""
    complaints.refuse = {"complaints/form": [answer]}
    page.goto(complaints.address())
    screen(page, "again")
    page.click("[data-again]")
    screen(page, "form")


def test_a_form_over_the_limit_names_other_ways(page: Page, complaints: FakeComplaints) -> None:
    """M33: what clients are told of their rights names them; that route has a limit of its own."""
    complaints.refuse = {"complaints/form": [refusal(429, "too_many_requests")] * 2}
    page.goto(complaints.address())
    screen(page, "again")
    expect(page.locator("main")).to_contain_text("Proszę odczekać minutę")
    channels = page.locator(".channels")
    for text in ("+48 22 100 20 30", "ul. Długa 5, 00-001 Warszawa", "reklamacje@polisa.example"):
        expect(channels).to_contain_text(text)
    expect(page.get_by_role("link", name="+48 22 100 20 30").first).to_have_attribute(
        "href", "tel:+48221002030"
    )
    expect(page.locator(".brand")).to_have_text("Agencja Polisa sp. z o.o.")
    page.click("[data-again]")
    screen(page, "again")
    page.get_by_role("button", name="English").click()
    expect(page.locator("main")).to_contain_text("If you do not want to wait, call us or write")
    expect(channels).to_be_visible()
    page.click("[data-again]")
    screen(page, "form")
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


@pytest.mark.parametrize("answer", [refusal(429, "too_many_requests"), None])
def test_where_everything_is_over_the_limit_the_policy_is_named(
    page: Page, complaints: FakeComplaints, answer: Answer | None
) -> None:
    """M33: where the page can know nothing, it says where the number and the address are."""
    complaints.refuse = {
        "complaints/form": [refusal(429, "too_many_requests")],
        "information": [answer],
    }
    page.goto(complaints.address())
    screen(page, "again")
    expect(page.locator("main")).to_contain_text("są też na polisie")
    expect(page.locator(".channels")).to_be_hidden()
    assert complaints.called() == ["complaints/form", "information"]
    page.click("[data-again]")
    screen(page, "form")


def test_what_others_wrote_is_text_and_nothing_else(page: Page, complaints: FakeComplaints) -> None:
    """R18: markup in a name or a title is shown, not obeyed."""
    evil = "<img src=x onerror=alert(1)>"
    complaints.form = a_form()
    complaints.form["organisation"]["name"] = evil
    complaints.form["email_consent"]["texts"]["pl"] = {"title": evil, "text": evil}
    complaints.form["products"][0]["titles"]["pl"] = evil
    open_form(page, complaints)
    attach(page, {**PDF, "name": "<img src=x onerror=alert(1)>.pdf"})
    expect(page.locator(".file-name")).to_have_text(f"{evil}.pdf")
    assert page.locator("main img").count() == 0
    expect(page.locator(".brand")).to_have_text(evil)


def test_the_bench_weighs_what_a_browser_loads(page: Page, complaints: FakeComplaints) -> None:
    """form_kb: every file, none too few, none too many, whichever the language."""
    asked: list[str] = []

    def record(request: Request) -> None:
        asked.append(request.url.removeprefix(complaints.origin))

    page.on("request", record)
    page.goto(complaints.address(lang="ru"))
    screen(page, "form")
    page.fill("#substance", TEXT)
    send(page)
    screen(page, "sent")
    weighed = {f"/{file.relative_to(pages.SITE).as_posix()}" for file in pages.loaded()}
    # Without scripts there is one sheet more; the page itself has its short address.
    loaded = {one for one in asked if not one.startswith(("/api/", "/complaint?"))}
    assert loaded | {"/complaint.html", "/css/noscript.css", "/img/icon.svg"} == weighed
    (figure,) = pages.figures()
    assert figure.ok, figure


def test_without_scripts_the_form_names_another_way(
    browser: Browser, complaints: FakeComplaints
) -> None:
    """R25, M2: telephone and post, in three languages."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(complaints.address())
        for word in ("telefonicznie", "by telephone", "по телефону"):
            expect(page.locator("noscript p", has_text=re.compile(word))).to_be_visible()
        expect(page.locator("#screen")).to_be_hidden()
    assert complaints.asked == []


def test_the_worker_does_the_work_of_the_real_challenge(
    page: Page, complaints: FakeComplaints
) -> None:
    """M1, R18: under the production policy, and what it finds is what Duly takes."""
    from datetime import UTC, datetime

    from chalicelib.complaints import proof_of_work
    from chalicelib.kernel.tokens import KeyRing

    keys, now = KeyRing(signing="k1", keys={"k1": b"k" * 64}), datetime.now(UTC)
    challenge = proof_of_work.challenge("polisa", "complaint", keys, now=now)
    answer = {"challenge": challenge, "challenge_seconds": 600}
    complaints.refuse = {"complaints/form": [(200, a_form() | answer)]}
    open_form(page, complaints)
    page.fill("#substance", TEXT)
    send(page)
    screen(page, "sent")
    proof = complaints.submissions()[0]["proof"]
    assert len(proof) <= proof_of_work.MOST_CHARACTERS
    assert proof_of_work.verify(proof, "polisa", "complaint", keys, now=now)
