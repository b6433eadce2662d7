"""What clients are told: each line of the source document, found in the words that are shipped."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from chalicelib.information import defaults, domain
from chalicelib.information.domain import (
    SECTIONS,
    AnyBlock,
    Caution,
    Contact,
    Draft,
    Edition,
    Facts,
    Index,
    Order,
    Paragraph,
    Points,
    Site,
    TooManyEditions,
    Words,
)
from chalicelib.kernel.change import Actor, Change
from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.organisations.domain import House
from chalicelib.policy import PACKS
from chalicelib.policy.packs import load
from tests.duly import ADMIN, a_settings
from tests.unit.test_organisation_rules import founded

NOW = datetime(2026, 11, 27, 22, 30, tzinfo=UTC)  # half past eleven at night in Warsaw
TODAY = date(2026, 11, 27)
BY = Actor("staff", ADMIN)
SEED = "ru-medexpress-2019"
PRESENT = "ru-442fz-2024"
RUSSIAN = pytest.mark.parametrize("pack", [SEED, PRESENT])


def shipped(pack: str, section: str) -> Edition:
    """The section that comes with Duly."""
    return defaults.shipped(load(pack))[section]


def of(pack: str, section: str, kind: type[Any]) -> list[Any]:
    """Its blocks of one kind."""
    return [one for one in shipped(pack, section).blocks if isinstance(one, kind)]


def said(pack: str, section: str, language: str = "ru") -> str:
    """Everything that a section says, as one text with plain spaces."""
    found = [words.get(language, "") for words in texts(shipped(pack, section).blocks)]
    return "\n".join(found).replace("\u00a0", " ")


def texts(blocks: tuple[AnyBlock, ...]) -> Iterator[Words]:
    """Every text of every block."""
    kept: list[Words] = []

    def note(_: str, words: Words) -> Words:
        kept.append(words)
        return words

    for block in blocks:
        domain._each(block, note)
    yield from (words for words in kept if words)


def contact(pack: str, named: str) -> Contact:
    """The card of one body."""
    (found,) = [one for one in of(pack, "elsewhere", Contact) if one.name["ru"].startswith(named)]
    assert isinstance(found, Contact)
    return found


def phones(card: Contact) -> list[str]:
    """Its numbers."""
    return [one.number for one in card.phones]


# The lines of the source document


@RUSSIAN
def test_the_channels_and_what_to_tell_us(pack: str) -> None:
    """M1, M2, M5-M14: everybody may write; form, e-mail, post; nine details, none a must."""
    words = said(pack, "submissions")
    for part in ("каждый", "предложением", "форму", "{email}", "{address}", "зарегистрируем"):
        assert part in words
    channels, fields = of(pack, "submissions", Points)[:2]
    assert len(channels.items) == 3
    assert len(fields.items) == 9


def test_the_times_that_are_told_are_those_of_the_pack() -> None:
    """M41-M53: who reads the page is told what the engine counts."""
    seed, present = load(SEED), load(PRESENT)
    assert f"не позднее {seed.rules['answer'].amount}-го дня" in said(SEED, "submissions")
    told = said(PRESENT, "submissions")
    assert f"в течение {present.rules['answer'].amount} рабочих дней" in told
    assert present.extension is not None
    assert f"не более чем на {present.extension.amount} рабочих дней" in told
    for pack in (seed, present):
        words = said(pack.pack, "submissions")
        assert f"после {pack.registration.until:%H:%M}" in words
        assert f"не менее {pack.rules['keep'].amount} лет" in words
        assert f"в течение {pack.rules['hand_over'].amount} рабочего дня" in words


@RUSSIAN
def test_the_reasons_for_no_answer_are_the_six(pack: str) -> None:
    """M56-M61: as many as the pack has."""
    reasons = of(pack, "submissions", Points)[2]
    assert len(reasons.items) == len(load(pack).no_answer) == 6


def test_the_directive_is_named() -> None:
    """M90: that of 2015 in the document of 2019; now the one that replaced it is said to have."""
    assert "от 20.11.2015 № 3854-У" in said(SEED, "cooling_off")
    assert "6109" not in said(SEED, "cooling_off")
    now = said(PRESENT, "cooling_off")
    assert "сейчас установлены Указанием Банка России от 29.03.2022 № 6109-У" in now
    assert "Раньше действовало Указание от 20.11.2015 № 3854-У" in now


@RUSSIAN
def test_cooling_off_is_for_natural_persons(pack: str) -> None:
    """M91."""
    assert "только к договорам с физическими лицами" in said(pack, "cooling_off")
    assert "only to contracts with natural persons" in said(pack, "cooling_off", "en")
    assert "tylko umów zawartych z osobami fizycznymi" in said(pack, "cooling_off", "pl")


@RUSSIAN
def test_the_four_exclusions(pack: str) -> None:
    """M92, M93, M94, M95: compulsory kinds, abroad, in Russia, foreigners at work."""
    (exclusions,) = of(pack, "cooling_off", Points)
    parts = ("обязательные виды", "за рубеж", "по России", "иностранных граждан и лиц без")
    assert len(exclusions.items) == len(parts)
    for words, part in zip(exclusions.items, parts, strict=True):
        assert part in words["ru"]
    names = ("ОСАГО", "Medexpress Travel", "ВИЗИТ", "РАБОТНИК")
    for name in names:
        assert (name in said(pack, "cooling_off")) == (pack == SEED or name == "ОСАГО")


@RUSSIAN
def test_the_warning(pack: str) -> None:
    """M96: a real warning: fourteen days, the contract ends, no obligations, claims included."""
    (warning,) = of(pack, "cooling_off", Caution)
    amount = load(pack).rules["cooling_off"].amount
    for part in (f"{amount} дней", "расторжении", "прекратит действие", "урегулирование убытков"):
        assert part in warning.text["ru"]
    for part in (f"{amount} days", "terminate", "ends", "no obligations", "settlement of claims"):
        assert part in warning.text["en"]
    for part in (f"{amount} dni", "rozwiązanie", "przestanie", "zobowiązań", "likwidacji szkód"):
        assert part in warning.text["pl"]


def test_with_a_loan_there_are_thirty_days() -> None:
    """D12: what is law since."""
    amount = load(PRESENT).rules["cooling_off_with_credit"].amount
    assert f"в течение {amount} календарных дней" in said(PRESENT, "cooling_off")
    assert "кредит" not in said(SEED, "cooling_off")


def test_the_sources_of_rights() -> None:
    """M97: four acts and others; the standard of 2018 is the document's, and was replaced."""
    seed, present = said(SEED, "sources"), said(PRESENT, "sources")
    for words in (seed, present):
        for part in ("Гражданский кодекс", "07.02.1992 № 2300-1", "27.11.1992 № 4015-1", "другие"):
            assert part in words
    assert "утверждённый Комитетом финансового надзора Банка России 09.08.2018" in seed
    assert "от 09.08.2018 заменён новым: его утвердил Банк России 01.10.2024" in present


@RUSSIAN
def test_the_ways_of_protection(pack: str) -> None:
    """M98: own performance; a claim to the postal address, court, the bodies of supervision."""
    (ways,) = of(pack, "elsewhere", Points)
    parts = ("претензию по адресу: {address}", "в суд", "контрольно-надзорные")
    assert len(ways.items) == len(parts)
    for words, part in zip(ways.items, parts, strict=True):
        assert part in words["ru"]
    assert "исполняя свои обязанности" in said(pack, "elsewhere")


@RUSSIAN
def test_the_ten_rights_are_ten(pack: str) -> None:
    """M99."""
    (rights,) = of(pack, "rights", Points)
    parts = (
        "страховых рисках",
        "последствиях неуплаты",
        "франшизах",
        "осмотре",
        "примерном расчёте",
        "возврате премии",
        "сроках рассмотрения",
        "износа",
        "налог",
        "вознаграждения",
    )
    assert rights.numbered
    assert len(rights.items) == len(parts) == 10
    for words, part in zip(rights.items, parts, strict=True):
        assert part in words["ru"]


@RUSSIAN
def test_how_the_information_is_given(pack: str) -> None:
    """M100: in which document, and in which form; by e-mail with consent."""
    words = said(pack, "rights")
    for part in ("правилах", "договоре", "на бумаге", "по ссылке", "с вашего согласия"):
        assert part in words


@RUSSIAN
def test_the_financial_ombudsman(pack: str) -> None:
    """M101."""
    card = contact(pack, "Финансовый")
    assert "04.06.2018 № 123-ФЗ" in card.about["ru"].replace("\u00a0", " ")
    assert [one.address for one in card.sites] == ["https://finombudsman.ru"]
    assert card.address["ru"] == "119017, г. Москва, Старомонетный пер., д. 3"
    assert phones(card) == ["8 (800) 200-00-10"]


@RUSSIAN
def test_the_bank_of_russia(pack: str) -> None:
    """M102, M104."""
    card = contact(pack, "Банк России")
    assert phones(card) == ["8 800 300 30 00", "+7 499 300 30 00"]
    assert card.fax == "+7 495 621 64 65"
    assert [one.address for one in card.sites] == [
        "https://www.cbr.ru/",
        "https://www.cbr.ru/reception/",
    ]


@RUSSIAN
def test_the_reception_of_the_bank_of_russia(pack: str) -> None:
    """M103."""
    card = contact(pack, "Общественная приёмная")
    assert card.address["ru"] == "г. Москва, Сандуновский пер., д. 3, стр. 1"
    for part in ("10:00–16:00", "12:30–13:30", "праздничных"):
        assert part in card.hours["ru"]
    assert phones(card) == ["8 800 300 30 00", "+7 495 771 97 88"]
    assert "цифра «3»" in card.phones[0].note["ru"]


@RUSSIAN
def test_the_union_of_insurers(pack: str) -> None:
    """M105."""
    card = contact(pack, "Всероссийский союз")
    assert "06.12.2016" in card.about["ru"]
    assert card.address["ru"] == "115093, г. Москва, ул. Люсиновская, д. 27, стр. 3"
    assert card.email == "mail@ins-union.ru"
    assert "ins-union.ru" in card.sites[0].address


def test_the_document_names_its_order() -> None:
    """M109: number and date of the order, and the day from which the text is in force."""
    for section in SECTIONS:
        text = shipped(SEED, section)
        assert text.order == Order(number="28", on=date(2019, 4, 12))
        assert text.effective_from == date(2019, 4, 12)
        assert shipped(PRESENT, section).order is None


# What holds for all that is shipped


@pytest.mark.parametrize("pack", PACKS)
def test_whatever_is_shipped_has_its_source_and_speaks_three_languages(pack: str) -> None:
    """D12: each fact with where it was read and how sure it is; what nobody read is unverified."""
    sections = defaults.shipped(load(pack))
    assert {"submissions", "rights", "sources", "elsewhere"} <= set(sections)
    known = defaults.sources(load(pack))
    for text in sections.values():
        for block in text.blocks:
            stated = block.source != ""
            assert stated == (block.confidence != "")
            assert not stated or known[block.source].verified_on or block.unverified
        for words in (text.titles, *texts(text.blocks)):
            assert set(words) == {"pl", "en", "ru"}
            spelt = {one: bool(re.search("[А-яЁё]", plain)) for one, plain in words.items()}
            assert spelt == {"pl": False, "en": False, "ru": True}, words


@pytest.mark.parametrize("pack", PACKS)
def test_whatever_is_shipped_may_be_published_as_it_stands(pack: str) -> None:
    """M109: an administrator starts from it, so it has to pass what is asked of his own texts."""
    for text in defaults.shipped(load(pack)).values():
        changed = publish(founded(), section=text.section, titles=text.titles, blocks=text.blocks)
        assert edition(changed).blocks == text.blocks


def test_contacts_of_2019_are_unverified() -> None:
    """M101-M105: until somebody has made sure of them, staff are told, and no date is shown."""
    cards = of(SEED, "elsewhere", Contact)
    assert len(cards) == 4
    for card in cards:
        assert card.unverified
        assert card.checked_on is None
        assert not replace(card, checked_on=TODAY).unverified
    assert shipped(SEED, "elsewhere").unverified
    assert not shipped(SEED, "rights").unverified
    assert shipped(PRESENT, "rights").unverified  # nobody read whether it still holds


def test_no_fact_holds_markup() -> None:
    """R18: plain blocks; the page makes elements of them."""
    for pack in PACKS:
        for text in defaults.shipped(load(pack)).values():
            for words in texts(text.blocks):
                assert not any(re.search(r"[<>]|&\w+;", one) for one in words.values())


def test_polish_answers_take_the_form_of_the_complaint_since_2026() -> None:
    """D20: what was received earlier keeps the earlier rules."""
    assert "W takiej, w jakiej" in said("pl-nat-2026-02-13", "submissions", "pl")
    assert "tylko na Państwa wniosek" in said("pl-nat-2015", "submissions", "pl")


# Versions


def a_draft(**changes: Any) -> Draft:
    """A text of the organisation's own."""
    words = {"pl": "Tekst", "en": "A text", "ru": "Текст"}
    draft = Draft(
        effective_from=TODAY,
        order=Order(number="7/2026", on=TODAY),
        titles=words,
        blocks=(Paragraph(text=words),),
    )
    return replace(draft, **changes)


def publish(
    house: House, index: Index | None = None, section: str = "rights", **changes: Any
) -> Change:
    """Publish it."""
    draft = a_draft(**changes)
    return domain.publish(house, index or Index(), section, draft, by=BY, now=NOW)


def edition(change: Change) -> Edition:
    """The version that a change keeps."""
    (found,) = [part.data for part in change.parts if "#" in part.sk]
    assert isinstance(found, Edition)
    return found


def indexed(change: Change) -> Index:
    """The index after it."""
    (found,) = [part.data for part in change.parts if part.sk == "INFORMATION"]
    assert isinstance(found, Index)
    return found


def refused(**changes: Any) -> str | None:
    """The field to which a text is refused."""
    with pytest.raises(Invalid) as told:
        publish(founded(), **changes)
    return told.value.field


def test_each_text_is_a_version_of_its_own() -> None:
    """M109: created, never written over; the event says which order, day and digest."""
    first = publish(founded())
    second = publish(founded(), indexed(first))
    assert [part.sk for part in first.parts] == ["INFORMATION", "INFORMATION#rights#0001"]
    assert [part.sk for part in second.parts] == ["INFORMATION", "INFORMATION#rights#0002"]
    assert [part.create for part in second.parts] == [False, True]
    assert [one.number for one in indexed(second).of("rights")] == [1, 2]
    assert second.event.kind == "information_published"
    assert second.event.body["order"] == {"number": "7/2026", "on": "2026-11-27"}
    assert second.event.body["digest"] == domain.digest(edition(second))


def test_the_version_in_force_is_the_one_of_the_latest_day() -> None:
    """M109: what comes later does not count yet; of one day, the last word counts."""
    later, house = date(2026, 12, 24), founded()
    index = indexed(publish(house, effective_from=later))
    index = indexed(publish(house, index))
    index = indexed(publish(house, index))
    assert index.in_force("rights", date(2026, 11, 26)) == 0
    assert index.in_force("rights", TODAY) == 3
    assert index.in_force("rights", date(2026, 12, 23)) == 3
    assert index.in_force("rights", later) == 1
    assert index.in_force("sources", later) == 0


def test_no_text_is_in_force_before_today() -> None:
    """M109: today by the organisation's clock, where it is not midnight yet."""
    assert refused(effective_from=date(2026, 11, 26)) == "effective_from"
    assert edition(publish(founded())).effective_from == TODAY
    moscow = founded(time_zone="Europe/Moscow")
    with pytest.raises(Invalid):
        publish(moscow)  # there it is the 28th already


def test_an_order_comes_before_its_text() -> None:
    """M109."""
    assert refused(order=Order(number="7", on=date(2026, 11, 28))) == "order.on"
    assert refused(order=Order(number=" ", on=TODAY)) == "order.number"


def test_a_text_is_there_in_each_language_of_the_organisation() -> None:
    """R26: no reader meets a gap."""
    polish = {"pl": "Tekst"}
    assert refused(titles=polish) == "titles"
    assert refused(blocks=(Paragraph(text=polish),)) == "blocks[0].text"
    assert refused(blocks=(Points(items=(polish,)),)) == "blocks[0].items[0]"
    only = founded(languages=("pl",))
    assert edition(publish(only, titles=polish, blocks=(Paragraph(text=polish),))).titles == polish
    other = {"pl": "Tekst", "de": "Text"}
    with pytest.raises(Invalid):
        publish(only, titles=polish, blocks=(Paragraph(text=other),))


@pytest.mark.parametrize(
    ("blocks", "field"),
    [
        ((), "blocks"),
        ((Paragraph(text=dict.fromkeys(("pl", "en", "ru"), "x")),) * 101, "blocks"),
        ((Points(items=()),), "blocks[0].items"),
        ((Paragraph(text={"pl": "x" * 4001, "en": "x", "ru": "x"}),), "blocks[0].text.pl"),
        ((Paragraph(text={"pl": "\u202ex", "en": "x", "ru": "x"}),), "blocks[0].text.pl"),
        ((Paragraph(text={"pl": "{adres}", "en": "x", "ru": "x"}),), "blocks[0].text.pl"),
        ((Paragraph(text=dict.fromkeys(("pl", "en", "ru"), "ж" * 4000)),) * 6, "blocks"),
    ],
)
def test_a_text_that_does_not_hold_is_refused(blocks: tuple[AnyBlock, ...], field: str) -> None:
    """Issue 3, bad input: the field is named; a version stays an item that the table takes."""
    assert refused(blocks=blocks) == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sites": (Site(address="javascript:alert(1)"),)}, "blocks[0].sites[0].address"),
        ({"sites": (Site(address="https://"),)}, "blocks[0].sites[0].address"),
        ({"email": "a@b.example, c@d.example"}, "blocks[0].email"),
        ({"fax": "none"}, "blocks[0].fax"),
        ({"name": {}}, "blocks[0].name"),
        ({"hours": {"pl": "9-17"}}, "blocks[0].hours"),
        ({"source": "x" * 301}, "blocks[0].source"),
    ],
)
def test_a_contact_that_leads_nowhere_is_refused(change: dict[str, Any], field: str) -> None:
    """R18, M101-M105: links of the web alone, one address, numbers that can be dialled."""
    good = contact(SEED, "Банк России")
    assert edition(publish(founded(), blocks=(good,))).blocks == (good,)
    assert refused(blocks=(replace(good, **change),)) == field


def test_a_section_keeps_a_bounded_number_of_versions() -> None:
    """Issue 3, 11: the index of all stays a small item."""
    entry = indexed(publish(founded())).of("rights")[0]
    full = Index(entries=dict.fromkeys(SECTIONS, (entry,) * domain.MOST_VERSIONS))
    with pytest.raises(TooManyEditions):
        publish(founded(), full)
    assert len(msgspec.json.encode(full)) < 200_000


def test_an_unknown_section_is_not_found() -> None:
    """Issue 3, bad input."""
    with pytest.raises(NotFound):
        publish(founded(), section="weather")


def test_everybody_sees_the_organisation_merged_in_and_nothing_of_staff() -> None:
    """M98: the address follows the settings; where a fact was read is for staff."""
    settings = a_settings()
    for section in SECTIONS:
        blocks = domain.shown(shipped(PRESENT, section), settings).blocks
        plain = msgspec.json.encode(blocks).decode()
        for hidden in ("{organisation}", "{address}", "{email}", '"source"', '"confidence"'):
            assert hidden not in plain
    merged = msgspec.json.encode(domain.shown(shipped(PRESENT, "elsewhere"), settings)).decode()
    assert settings.controller.name in merged
    assert settings.controller.address in merged


def test_the_mailbox_of_complaints_is_told_where_there_is_one() -> None:
    """M2: e-mail goes where complaints are taken in."""
    settings = a_settings()
    mailbox = replace(settings.complaints, mailbox="skargi@agencja.example")
    for changed, address in (
        (settings, settings.controller.email),
        (replace(settings, complaints=mailbox), "skargi@agencja.example"),
    ):
        shown = domain.shown(shipped(SEED, "submissions"), changed)
        assert address in msgspec.json.encode(shown).decode()


def test_the_facts_of_an_organisation() -> None:
    """M106, M107: membership and the register of agents, in the index; a link of the web alone."""
    words = {"pl": "Członek", "en": "A member", "ru": "Член"}
    facts = Facts(membership=words, agents_register="https://agencja.example/agenci")
    change = domain.state_facts(founded(), Index(), facts, by=BY, now=NOW)
    assert indexed(change).facts == facts
    assert domain.state_facts(founded(), Index(), Facts(), by=BY, now=NOW).parts[0].data == Index()
    for wrong, field in (
        (Facts(agents_register="javascript:alert(1)"), "agents_register"),
        (Facts(membership={"pl": "Członek"}), "membership"),
    ):
        with pytest.raises(Invalid) as told:
            domain.state_facts(founded(), Index(), wrong, by=BY, now=NOW)
        assert told.value.field == field
