"""The policy packs: whole, sourced, dated, and chosen by the day of receipt."""

import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest

from chalicelib.policy import COUNTRIES, PACKS, packs
from chalicelib.policy.packs import (
    Audience,
    Form,
    Pack,
    PackUnknown,
    Worded,
    choose,
    load,
    scopes,
)

RELEASED = packs.FOLDER / "released.sha256"
SEED = "ru-medexpress-2019"

# The table of deadlines of the source document, line by line.
SEED_TABLE = {
    "hand_over": ("agent_received", 1, "working_day", "agent"),  # M49
    "register_alarm": ("received", 3, "working_day", "quality"),  # M44
    "acknowledge": ("registered", 0, "calendar_day", "system"),  # M47
    "answer": ("registered", 30, "calendar_day", "handler"),  # M51, M52
    "no_answer": ("registered", 30, "calendar_day", "handler"),  # M54
    "keep": ("closed", 2, "year", "system"),  # M85
    "cooling_off": ("concluded", 14, "calendar_day", "client"),  # M96
}
# Each pack's answer: amount, unit, trigger, and how far it may be extended.
ANSWERS = {
    SEED: (30, "calendar_day", "registered", None),
    "ru-442fz-2024": (15, "working_day", "registered", (10, "working_day", "limit")),
    "pl-nat-2015": (30, "calendar_day", "received", (60, "calendar_day", "trigger")),
    "pl-nat-2026-02-13": (30, "calendar_day", "received", (60, "calendar_day", "trigger")),
    "pl-legal-2018": (30, "calendar_day", "received", (60, "calendar_day", "trigger")),
    "uk-disp-2026": (8, "week", "received", None),
}


@pytest.fixture(params=PACKS)
def pack(request: pytest.FixtureRequest) -> Pack:
    """Each pack that is shipped."""
    return load(request.param)


def test_every_pack_holds_together(pack: Pack) -> None:
    """D12: every fact has a source that is there, and what nobody read is "unverified"."""
    assert pack.pin == f"{pack.pack}.{pack.edition}"
    assert pack.calendar == "" or pack.calendar in COUNTRIES
    assert pack.superseded_by == "" or pack.superseded_by in PACKS
    for path, fact in pack.facts():
        assert pack.sources[fact.source].verified_on or fact.unverified, path
        if isinstance(fact, Worded):
            assert len({fact.pl, fact.en, fact.ru}) == 3, path


def test_every_pack_names_what_its_letters_must_hold(pack: Pack) -> None:
    """M45, M52, M53: acknowledgement and answer everywhere; an extension where it can be."""
    assert {"acknowledgement", "answer"} <= set(pack.letters)
    assert pack.extension is None or "extension" in pack.letters
    assert "keep" in pack.rules
    assert pack.rules["register_alarm"].amount == 3


def test_the_names_of_the_packs_are_known_without_reading_them() -> None:
    """Settings name a pack; a function that checks them reads no file of rules."""
    script = "import sys, chalicelib.policy; print({'tomllib', 'msgspec'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
    assert len(PACKS) == 8


def test_a_jurisdiction_has_one_prefix_of_names() -> None:
    """The choice by the day of receipt reads no other files."""
    pairs = {(load(name).jurisdiction, name.partition("-")[0]) for name in PACKS}
    assert len({first for first, _ in pairs}) == len({second for _, second in pairs}) == len(pairs)


def test_the_packs_of_the_source_are_its_table() -> None:
    """M44, M47, M49, M51, M52, M54, M85, M96: the table of deadlines, as data."""
    rules = load(SEED).rules
    assert {
        name: (rule.trigger, rule.amount, rule.unit, rule.who) for name, rule in rules.items()
    } == SEED_TABLE
    assert load(SEED).registration.until.isoformat() == "18:00:00"  # M43
    assert (load(SEED).acknowledgement.electronic, load(SEED).acknowledgement.paper) == (
        "always",
        "on_request",
    )  # M48


@pytest.mark.parametrize("name", ANSWERS)
def test_the_time_to_answer_is_the_laws(name: str) -> None:
    """M51-M53, D6: each pack has its own time and its own limit of extension, or none."""
    pack = load(name)
    assert pack.extension
    rule, extended = pack.rules["answer"], pack.extension
    more = (extended.amount, extended.unit, extended.beyond) if extended.amount else None
    assert (rule.amount, rule.unit, rule.trigger, more) == ANSWERS[name]
    assert rule.satisfied_by == "sent"


def test_where_no_number_of_days_was_found_there_is_none() -> None:
    """EIOPA and the data-protection complaint: without undue delay, and no invented date."""
    assert "answer" not in load("eu-eiopa").rules
    assert "answer" not in load("uk-dp-2026-06-19").rules


def test_six_reasons_and_no_other_leave_a_case_without_an_answer() -> None:
    """M56-M61: the closed list of the source; no list was found in Poland and Britain."""
    assert set(load(SEED).no_answer) == {
        "unidentified",
        "unreadable",
        "repeated",
        "abusive",
        "advertising",
        "not_needed",
    }
    assert "new arguments" in load(SEED).no_answer["repeated"].en  # M58: the text governs
    assert not load("pl-nat-2026-02-13").no_answer


def test_the_grounds_of_suspension_have_three_wordings() -> None:
    """M62, M66, M72, M73: two grounds with counters, one without; each closes in its own words."""
    suspension = load(SEED).suspension
    assert suspension
    numbers = (suspension.requests, suspension.gap_least, suspension.gap_most, suspension.wait)
    assert numbers == (3, 5, 10, 30)
    assert {name: each.counted for name, each in suspension.grounds.items()} == {
        "permission": True,
        "documents": True,
        "own_request": False,
    }
    for language in ("pl", "en", "ru"):
        assert len({getattr(each, language) for each in suspension.grounds.values()}) == 3


def test_what_todays_russian_law_inherits_is_flagged() -> None:
    """D12: its own figures stand, the order's of 2019 are there and "unverified"."""
    law = load("ru-442fz-2024")
    assert not law.rules["answer"].unverified
    assert law.rules["keep"].amount == 2
    inherited = [fact for _, fact in law.facts() if fact.inherited_from]
    assert len(inherited) > 10
    assert all(fact.unverified for fact in inherited)
    assert {fact.inherited_from for fact in inherited} == {f"{SEED}.1"}
    assert not any(fact.unverified for _, fact in load(SEED).facts())


@pytest.mark.parametrize(
    ("name", "audience", "received_on", "chosen"),
    [
        ("pl-nat-2026-02-13", "natural", date(2026, 2, 12), "pl-nat-2015"),
        ("pl-nat-2026-02-13", "natural", date(2026, 2, 13), "pl-nat-2026-02-13"),
        ("pl-nat-2015", "natural", date(2026, 2, 13), "pl-nat-2026-02-13"),
        ("pl-nat-2026-02-13", "legal", date(2026, 2, 13), "pl-legal-2018"),
        ("pl-legal-2018", "natural", date(2026, 11, 6), "pl-nat-2026-02-13"),
        ("pl-nat-2015", "natural", date(2010, 1, 1), "pl-nat-2015"),
        ("ru-442fz-2024", "natural", date(2024, 6, 30), SEED),
        ("ru-442fz-2024", "legal", date(2024, 7, 1), "ru-442fz-2024"),
        (SEED, "natural", date(2026, 11, 6), SEED),
        ("uk-disp-2026", "legal", date(2026, 6, 30), "uk-disp-2026"),
        ("uk-disp-2026", "natural", date(2026, 5, 31), "uk-disp-2026"),
        ("uk-dp-2026-06-19", "legal", date(2026, 6, 30), "uk-dp-2026-06-19"),
        ("eu-eiopa", "natural", date(2026, 6, 30), "eu-eiopa"),
    ],
)
def test_the_day_of_receipt_chooses_the_pack(
    name: str, audience: Audience, received_on: date, chosen: str
) -> None:
    """D12, D20: of the settings' jurisdiction, for the audience, in force that day."""
    assert choose(name, audience=audience, received_on=received_on).pack == chosen


def test_a_complaint_about_data_has_a_pack_of_its_own() -> None:
    received = date(2026, 6, 19)
    found = choose(
        "uk-disp-2026", audience="natural", received_on=received, scope="data_protection"
    )
    assert found.pack == "uk-dp-2026-06-19"


@pytest.mark.parametrize(
    ("name", "audience", "day", "more"),
    [
        ("uk-disp-2026", "natural", date(2026, 6, 19), ("data_protection",)),
        ("uk-dp-2026-06-19", "natural", date(2026, 6, 19), ("data_protection",)),
        ("uk-disp-2026", "natural", date(2026, 6, 18), ()),
        ("uk-disp-2026", "legal", date(2026, 6, 19), ()),
        ("pl-nat-2026-02-13", "natural", date(2026, 6, 19), ()),
        ("pl-nat-2015", "natural", date(2010, 1, 1), ()),
    ],
)
def test_what_can_be_complained_of_under_rules_of_its_own(
    name: str, audience: Audience, day: date, more: tuple[str, ...]
) -> None:
    """D20: whom the pack is made for, from the day on which it is in force."""
    assert scopes(name, audience=audience, received_on=day) == ("complaint", *more)


@pytest.mark.parametrize(
    ("complaint", "asked", "before", "since"),
    [
        ("electronic", "", "paper", "electronic"),
        ("electronic", "electronic", "electronic", "electronic"),
        ("electronic", "paper", "paper", "paper"),
        ("paper", "", "paper", "paper"),
        ("paper", "electronic", "electronic", "electronic"),
        ("oral", "", "paper", "paper"),
    ],
)
def test_one_day_in_february_changes_the_form_of_the_answer(
    complaint: Form, asked: str, before: str, since: str
) -> None:
    """D20: received on the 12th and on the 13th of February 2026 in Poland."""
    forms = [
        choose("pl-nat-2026-02-13", audience="natural", received_on=date(2026, 2, day)).reply_form
        for day in (12, 13)
    ]
    assert [form.of(complaint, asked) for form in forms] == [before, since]


def test_a_released_pack_is_never_edited() -> None:
    """D20: a case pins name and edition. A correction is `<name>.2.toml`, a new pack a new line."""
    lines = (line.split() for line in RELEASED.read_text(encoding="utf-8").splitlines())
    released = {name: digest for digest, name in lines}
    assert packs.digests() == released, f"add an edition, then its line to {RELEASED.name}"


def test_a_new_edition_leaves_pinned_cases_alone(tmp_path: Path) -> None:
    """D20: new cases get the second edition, one that was pinned before keeps the first."""
    first = (packs.FOLDER / "eu-eiopa.toml").read_text(encoding="utf-8")
    corrected = first.replace('amount = 3\nunit = "year"', 'amount = 5\nunit = "year"')
    (tmp_path / "eu-eiopa.toml").write_text(first, encoding="utf-8")
    (tmp_path / "eu-eiopa.2.toml").write_text("edition = 2\n" + corrected, encoding="utf-8")
    assert load("eu-eiopa", tmp_path).pin == "eu-eiopa.2"
    assert load("eu-eiopa", tmp_path).rules["keep"].amount == 5
    assert load("eu-eiopa.1", tmp_path).rules["keep"].amount == 3


@pytest.mark.parametrize("name", ["none", "eu-eiopa.2", "eu-eiopa.x", "", "../packs"])
def test_a_pack_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(PackUnknown):
        load(name)


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ('trigger = "closed"', 'trigger = "shut"', "shut"),
        ("amount = 3\n", "amount = -3\n", "amount"),
        ("amount = 3\n", 'amount = "3"\n', "amount"),
        ('unit = "year"', 'unit = "yaer"', "yaer"),
        ('jurisdiction = "EU"\n', "", "jurisdiction"),
        ('jurisdiction = "EU"', 'jurisdiction = "EU"\ncolour = "red"', "colour"),
        ('confidence = "H"', 'confidence = "X"', "X"),
        ('confidence = "H"', 'confidence = "H"\nnote = "x"', "note"),
        ('pack = "eu-eiopa"', 'pack = "eu"', "name"),
        ("until = 18:00:00", "until = 08:00:00", "office"),
        ('source = "eiopa"', 'source = "nobody"', "nobody"),
        ("verified_on = 2026-11-22", "", "source"),
        ("effective_from = 2012-06-14", "effective_from = 2012-06-31", "2012-06-31"),
    ],
)
def test_a_pack_that_does_not_hold_together_is_refused(
    tmp_path: Path, written: str, instead: str, told: str
) -> None:
    whole = (packs.FOLDER / "eu-eiopa.toml").read_text(encoding="utf-8")
    assert written in whole
    (tmp_path / "eu-eiopa.toml").write_text(whole.replace(written, instead), encoding="utf-8")
    with pytest.raises((ValueError, tomllib.TOMLDecodeError)) as refused:
        load("eu-eiopa", tmp_path)
    if not isinstance(refused.value, tomllib.TOMLDecodeError):
        assert told in str(refused.value)
