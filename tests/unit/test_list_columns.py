"""Headers and cells of a list of old consents in three languages; nothing is guessed."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from chalicelib.consents import columns, list_work
from chalicelib.consents.columns import ColumnMissing, Columns, ColumnTwice, Line, Reading
from chalicelib.documents.delimited import Row

PURPOSES = {
    "marketing": ["Informacje handlowe", "Commercial information"],
    "email": ["Kontakt przez e-mail"],
}
READING = Reading(languages=("pl", "en", "ru"), time_zone="Europe/Warsaw")
HEADERS = {
    "en": "Client number;Name;E-mail;Telephone;Notice given at;marketing;Date;Source;Note",
    "pl": "Nr klienta;IMIĘ I NAZWISKO;Adres e-mail;Telefon;Data informacji;zgoda marketing;"
    "Data;Źródło;Uwagi",
    "ru": "Номер клиента;ФИО;Эл. почта;Телефон;Дата уведомления;согласие marketing;Дата;"
    "Источник;Примечание",
}
CELLS = {
    "en": "7;Ann;a@x.example;600700800;2019-01-01;yes;2019-02-03;paper;x",
    "pl": "7;Ann;a@x.example;600700800;01.01.2019;Tak;3.02.2019;Papier;x",
    "ru": "7;Ann;a@x.example;600700800;01.01.2019;да;03.02.2019;бумага;x",
}


def found(header: str) -> Columns:
    """What the columns hold."""
    return columns.columns(header.split(";"), PURPOSES)


def read(header: str, cells: str, reading: Reading = READING, **row: Any) -> Line:
    """One row as a line."""
    told = Row(number=2, cells=tuple(cells.split(";")), **row)
    return columns.line(told, found(header), reading)


@pytest.mark.parametrize("language", HEADERS)
def test_headers_and_words_of_each_language_mean_the_same(language: str) -> None:
    """Issue 4, 9; S52: mapped by header, case, accents and punctuation aside."""
    line = read(HEADERS[language], CELLS[language])
    assert line.problem == "", line
    (one,) = line.decisions
    assert (one.purpose, one.decided, one.source, one.note) == ("marketing", "given", "paper", "x")
    assert one.decided_at == datetime(2019, 2, 2, 23, tzinfo=UTC)  # midnight in Warsaw
    assert line.notice_at == datetime(2018, 12, 31, 23, tzinfo=UTC)
    assert line.external_id == "7"


def test_a_consent_is_called_by_its_titles_and_says_more_of_itself() -> None:
    """Issue 4, 9: its own date, source and note go before those of the line."""
    header = (
        "name;id;date;source;Commercial Information;Commercial information - date;"
        "marketing źródło;marketing: note"
    )
    (one,) = read(header, "Ann;7;2018-01-01;sms;no;2019-02-03;paper;own").decisions
    assert (one.decided, one.source, one.note) == ("refused", "paper", "own")
    assert one.decided_at.year == 2019


def test_a_header_that_is_a_field_and_a_consent_means_the_field() -> None:
    """Issue 4, 9: `email` holds addresses; the consent is `consent email`."""
    line = read("name;email;zgoda email;data;źródło", "Ann;a@x.example;tak;2019-02-03;papier")
    assert line.identity is not None
    assert line.identity.email == "a@x.example"
    assert [one.purpose for one in line.decisions] == ["email"]


def test_headers_that_mean_nothing_are_told() -> None:
    """Issue 4, 9: nothing is dropped in silence."""
    assert found("name;id;Ulubiony kolor;;\u202eevil").ignored == ("Ulubiony kolor", "evil")


def test_a_list_without_names_or_with_a_meaning_twice_is_refused() -> None:
    """Issue 4, bad input: the column is named."""
    with pytest.raises(ColumnMissing) as missing:
        found("email;telefon")
    assert missing.value.field == "name"
    with pytest.raises(ColumnTwice) as twice:
        found("name;e-mail;Adres e-mail")
    assert twice.value.field == "email"


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("name", "", "text_refused"),
        ("name", "x" * 200, "text_refused"),
        ("name", "a\x00b", "text_refused"),
        ("name", "=?utf-8?q?x?=", "text_refused"),
        ("email", "a@x.example, b@x.example", "email_refused"),
        ("phone", "zadzwonić", "phone_refused"),
        ("kind", "pies", "word_unknown"),
        ("language", "deutsch", "word_unknown"),
        ("contract", "może", "word_unknown"),
        ("consent:marketing", "maybe", "word_unknown"),
        ("source", "ptaszek", "word_unknown"),
        ("notice_given_at", "03/02/2019", "date_refused"),
        ("notice_given_at", "31.02.2019", "date_refused"),
        ("notice_given_at", "43499", "date_refused"),
        ("notice_given_at", "0001-01-01", "date_refused"),
        ("notice_given_at", "9999-99-99T00:00:00Z", "date_refused"),
        ("decided_at", "wczoraj", "date_refused"),
        ("note", "x" * 1001, "text_refused"),
    ],
)
def test_what_a_cell_may_not_say(column: str, cell: str, code: str) -> None:
    """Issue 4, bad input: refused for this line, by code and column."""
    good = {
        "name": "Ann",
        "email": "a@x.example",
        "phone": "600700800",
        "kind": "osoba",
        "language": "pl",
        "contract": "brak",
        "consent:marketing": "tak",
        "decided_at": "2019-02-03",
        "source": "papier",
        "note": "x",
        "notice_given_at": "2019-01-01",
    }
    told = {**good, column: cell}
    header = [one.replace("consent:", "consent ") for one in told]
    known = columns.columns(header, PURPOSES)
    assert not known.ignored
    row = Row(number=9, cells=tuple(told.values()))
    line = columns.line(row, known, READING)
    assert (line.number, line.problem, line.field) == (9, code, column)


def test_a_decision_without_its_day_or_its_source_proves_nothing() -> None:
    """S52-S54: it is refused, and which of the two is missing is said."""
    for cells, field in (
        ("Ann;7;tak;;papier", "consent:marketing:decided_at"),
        ("Ann;7;tak;2019-02-03;", "consent:marketing:source"),
    ):
        line = read("name;id;marketing;data;źródło", cells)
        assert (line.problem, line.field) == ("decision_incomplete", field)
    assert read("name;id;marketing;data;źródło", "Ann;7;;;").problem == ""


def test_a_line_that_could_not_be_found_again_is_refused() -> None:
    """Issue 4, 9: a number, an address or a telephone, or the same list would make them twice."""
    line = read("name;marketing", "Ann;")
    assert (line.problem, line.field) == ("nothing_to_find_by", "external_id")


def test_a_formula_is_refused_where_it_would_count() -> None:
    """Issue 4, bad input: its column is named; one in a column of no meaning harms nobody."""
    line = read("name;id;marketing", "Ann;7;1", formulas=(2,))
    assert (line.problem, line.field) == ("formula_refused", "consent:marketing")
    assert read("name;id;kolor", "Ann;7;1", formulas=(2,)).problem == ""


def test_a_day_of_a_workbook_is_a_number() -> None:
    """Issue 4, 9: counted from the last days of 1899, or from 1904."""
    header, cells = "name;id;notice", "Ann;7;43499.0"
    for first, day in (
        (list_work.DAY_ONE, date(2019, 2, 3)),
        (list_work.DAY_ONE_1904, date(2023, 2, 4)),
    ):
        reading = Reading(languages=("pl",), time_zone="UTC", first_day=first)
        line = read(header, cells, reading)
        assert line.notice_at is not None
        assert line.notice_at.date() == day


def test_a_cell_that_an_export_of_ours_disarmed_is_what_it_was() -> None:
    """ASVS 1.2.10: `'+48...` of our own table is a telephone number again."""
    line = read("name;phone", "Ann;'+48600700800")
    assert line.identity is not None
    assert line.identity.phone == "+48600700800"


def test_a_moment_with_its_offset_is_that_moment() -> None:
    """D21: where a system kept the very moment, it counts."""
    for said, hour in (("2019-02-03T10:00:00+02:00", 8), ("2019-02-03 10:00", 9)):
        line = read("name;id;notice", f"Ann;7;{said}")
        assert line.notice_at == datetime(2019, 2, 3, hour, tzinfo=UTC)


def test_lines_of_one_person_are_one_group() -> None:
    """Issue 4, 9: joined by number, address or telephone, through each other, in their order."""
    header = "name;id;email;phone"
    told = [
        ("1", "a@x.example", ""),
        ("2", "b@x.example", ""),
        ("3", "", "600700800"),
        ("1", "", "600700800"),
        ("4", "B@x.example", ""),
        ("5", "", ""),
    ]
    known = found(header)
    lines = [
        columns.line(Row(number=n, cells=("Ann", *one)), known, READING)
        for n, one in enumerate(told)
    ]
    groups = list_work.together(lines)
    assert sorted([one.number for one in group] for group in groups) == [[0, 2, 3], [1, 4], [5]]
