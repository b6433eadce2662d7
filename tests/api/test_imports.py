"""Lists of old consents: read, tried without effect, applied; whatever is wrong is told by line."""

import csv
import io
import re
import urllib.request
from typing import Any

import pytest

from chalicelib.clients import domain as clients
from chalicelib.clients import store
from chalicelib.consents import list_service, list_work, lists
from chalicelib.erasure import service as erasing
from chalicelib.erasure.domain import Ground
from chalicelib.kernel.change import SYSTEM
from tests.api.test_attachments import sent_form
from tests.duly import ADMIN, AGENT, HEAD, Answer, Duly
from tests.examples import TEXTS
from tests.workbooks import workbook

CSV = "text/csv"
POLISH = (
    "Nr klienta;Imię i nazwisko;E-mail;Telefon;Data informacji;"
    "Zgoda marketing;marketing: data;marketing: źródło;marketing: uwaga\r\n"
)
ONE = (
    "K-1;Żaneta Łęcka;zaneta@klient.example;+48 600 700 800;01.02.2019;"
    "tak;03.02.2019;papier;teczka 7\r\n"
)


def uploaded(duly: Duly, content: bytes, name: str = "zgody.csv", kind: str = CSV) -> str:
    """A list on its way into an import."""
    body = {"name": name, "content_type": kind, "size": len(content)}
    form = duly.staff("POST", "/api/imports", body, by=ADMIN)
    assert form.status == 201, form.json
    assert sent_form(form.json, content) in (200, 204)
    return str(form.json["file_id"])


def again(duly: Duly, import_id: str) -> Any:
    """The import now."""
    answer = duly.staff("GET", f"/api/imports/{import_id}", by=ADMIN)
    assert answer.status == 200, answer.json
    return answer.json


def tried(duly: Duly, content: bytes | str, name: str = "zgody.csv", kind: str = CSV) -> Any:
    """An import after its dry run."""
    raw = content.encode() if isinstance(content, str) else content
    import_id = uploaded(duly, raw, name, kind)
    answer = duly.staff("POST", f"/api/imports/{import_id}/check", {"name": name}, by=ADMIN)
    assert answer.status == 202, answer.json
    duly.heavy_tick()
    return again(duly, import_id)


def applied(duly: Duly, content: bytes | str, **more: str) -> Any:
    """An import that was tried and done."""
    one = tried(duly, content, **more)
    assert one["state"] == "checked", one
    answer = begun(duly, one)
    assert answer.status == 202, answer.json
    duly.heavy_tick()
    return again(duly, one["import_id"])


def begun(duly: Duly, one: Any, by: str = ADMIN) -> Answer:
    """A person wants it done."""
    path = f"/api/imports/{one['import_id']}/apply"
    return duly.staff("POST", path, by=by, version=one["version"])


def counts(found: Any) -> dict[str, int]:
    """How many lines of each result there are."""
    return {name: number for name, number in found.items() if number}


def report(one: Any) -> list[list[str]]:
    """The report as a spreadsheet reads it."""
    with urllib.request.urlopen(one["report_url"], timeout=10) as answer:
        raw: bytes = answer.read()
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def the_client(duly: Duly, name: str) -> Any:
    """The one client whose name begins so."""
    (found,) = duly.staff("GET", f"/api/clients?name={name}").json["clients"]
    return found


def test_old_consents_are_tried_then_done(duly: Duly) -> None:
    """S52-S54: client, notice and decision as the list says, proof and source with them."""
    one = tried(duly, POLISH + ONE)
    assert one["state"] == "checked", one
    assert counts(one["checked"]) == {"created": 1}
    assert duly.staff("GET", "/api/clients?name=zaneta").json["clients"] == []
    assert begun(duly, one).status == 202
    duly.heavy_tick()
    one = again(duly, one["import_id"])
    assert (one["state"], counts(one["applied"])) == ("done", {"created": 1})
    client = the_client(duly, "zaneta")
    assert client["state"] == "active"
    assert client["notice"]["how"] == "recorded"
    assert client["notice"]["at"] == "2019-01-31T23:00:00Z"
    (told,) = [each for each in client["consents"] if each["purpose"] == "marketing"]
    assert (told["state"], told["proof"], told["at"]) == ("given", "record", "2019-02-02T23:00:00Z")
    where = f"/api/clients/{client['client_id']}/records/{told['declaration_id']}"
    record = duly.staff("GET", where).json
    assert (record["source"], record["note"], record["by"]) == ("paper", "teczka 7", ADMIN)


NOTED = "Nr klienta;Nazwa;E-mail;Telefon;Data informacji;zgoda marketing;data;źródło\r\n"


def listed(*lines: str, header: str = NOTED) -> bytes:
    """A list of these lines."""
    return (header + "".join(f"{one}\r\n" for one in lines)).encode()


def problems(one: Any) -> list[tuple[int, str, str]]:
    """What is told of each refused line."""
    return [(each["line"], each["code"], each["field"]) for each in one["problems"]]


def stored(duly: Duly) -> dict[tuple[str, str], Any]:
    """All items but those of imports, which tell of themselves alone."""
    return {key: one for key, one in duly.table().items() if "#CONSENTS#" not in key[0]}


def of_marketing(client: Any) -> tuple[str, str]:
    """How the client stands on marketing, and since when."""
    (told,) = [one for one in client["consents"] if one["purpose"] == "marketing"]
    return told["state"], told["at"]


def test_the_dry_run_writes_nothing_but_its_result(duly: Duly) -> None:
    """Issue 4, 9: no client, no pointer, no event of anybody's."""
    before = stored(duly)
    one = tried(duly, POLISH + ONE)
    assert counts(one["checked"]) == {"created": 1}
    assert stored(duly) == before


def test_the_same_list_again_changes_nothing(duly: Duly) -> None:
    """Issue 4, 9: whatever form it has the second time; not an item differs."""
    applied(duly, POLISH + ONE)
    before = stored(duly)
    assert counts(applied(duly, POLISH + ONE)["applied"]) == {"unchanged": 1}
    assert counts(applied(duly, (POLISH + ONE).encode("cp1250"))["applied"]) == {"unchanged": 1}
    rows = [one.split(";") for one in (POLISH + ONE).splitlines()]
    again_as = applied(duly, workbook(rows), name="zgody.xlsx", kind=list_service.XLSX)
    assert counts(again_as["applied"]) == {"unchanged": 1}
    assert again_as["written_in"] == "xlsx"
    assert stored(duly) == before


@pytest.mark.parametrize(
    ("header", "line", "written_in"),
    [
        ("ФИО;Номер клиента;Эл. почта", "Щукин Пётр;7;p@klient.example", "cp1251"),
        ("Nazwa\tNr klienta\tE-mail", "Łucja Żółw\t7\tl@klient.example", "cp1250"),
        ("Name,Client number,E-mail", '"Ünal, Ann",7,a@klient.example', "utf-16"),
        ("Name,Client number,E-mail", "Ann Łoś,7,a@klient.example", "utf-8-sig"),
    ],
)
def test_offices_have_lists_of_all_alphabets(
    duly: Duly, header: str, line: str, written_in: str
) -> None:
    """Issue 4, 9: the name is the client's own, letter by letter."""
    one = applied(duly, f"{header}\r\n{line}\r\n".encode(written_in))
    assert (one["written_in"], counts(one["applied"])) == (written_in, {"created": 1})
    address = re.split("[;,\t]", line)[-1]
    (client,) = duly.staff("GET", f"/api/clients?email={address}").json["clients"]
    assert client["identity"]["name"] in line


def test_days_and_numbers_of_a_workbook(duly: Duly) -> None:
    """Issue 4, 9: a day is a number, a telephone too; texts stand in the cell or elsewhere."""
    rows: list[list[Any]] = [
        NOTED.strip().split(";"),
        ["7", "Ann", None, 48600700800, 43467, "tak", 43499, "papier"],
    ]
    one = applied(duly, workbook(rows, shared=False), name="z.xlsx", kind=list_service.XLSX)
    assert counts(one["applied"]) == {"created": 1}, one
    client = the_client(duly, "ann")
    assert client["identity"]["phone"] == "48600700800"
    assert client["notice"]["at"] == "2019-01-01T23:00:00Z"
    assert of_marketing(client) == ("given", "2019-02-02T23:00:00Z")


def test_a_bad_line_stops_nobody_else(duly: Duly) -> None:
    """Issue 4, bad input: each refused line with code and column; the rest is done."""
    content = listed(
        "1;Ann;ann@klient.example;;01.01.2019;tak;03.02.2019;papier",
        "2;Bob;bob@klient,example;;01.01.2019;tak;03.02.2019;papier",
        "3;=HYPERLINK(1);c@klient.example;;01.01.2019;tak;03.02.2019;papier",
        "4;Dan;dan@klient.example;;;tak;03.02.2019;papier",
        "5;Eve;eve@klient.example;;01.01.2019;może;03.02.2019;papier",
        "6;Fay;fay@klient.example;;01.01.2019;tak;03.02.2919;papier",
        "7;Gus;ewa@agencja.example;;01.01.2019;tak;03.02.2019;papier",
        ";Hal;;;01.01.2019;tak;03.02.2019;papier",
        "9;Ida;ida@klient.example;;01.01.2919;;;",
        "10;Jan;jan@klient.example;;01.01.2019;nie;03.02.2019;papier",
    )
    one = applied(duly, content)
    expected = [
        (3, "email_refused", "email"),
        (4, "formula_refused", "name"),
        (5, "notice_required", "notice_given_at"),
        (6, "word_unknown", "consent:marketing"),
        (7, "decided_at_refused", "decided_at"),
        (8, "email_of_staff", "email"),
        (9, "nothing_to_find_by", "external_id"),
        (10, "date_refused", "notice_given_at"),
    ]
    assert problems(one) == expected
    assert counts(one["applied"]) == counts(one["checked"]) == {"created": 2, "refused": 8}
    rows = report(one)
    assert rows[0] == ["line", "result", "code", "field", "client_id"]
    told = [(int(row[0]), row[2], row[3]) for row in rows[1:] if row[1] == "refused"]
    assert told == expected
    assert [row[0] for row in rows[1:]] == [str(n) for n in range(2, 12)]
    assert "klient.example" not in str(rows)
    assert duly.staff("GET", "/api/clients?name=dan").json["clients"] == []


def test_without_a_recorded_notice_there_is_the_bare_identity(duly: Duly) -> None:
    """S8, D10: such a client stays before the notice; with a decision or contract it is refused."""
    header = "id;nazwa;e-mail;umowa;zgoda marketing;data;źródło\r\n"
    content = listed(
        "1;Ann;ann@klient.example;;;;",
        "2;Bob;bob@klient.example;;tak;03.02.2019;papier",
        "3;Cyd;cyd@klient.example;aktywna;;;",
        header=header,
    )
    one = applied(duly, content)
    assert problems(one) == [(n, "notice_required", "notice_given_at") for n in (3, 4)]
    assert the_client(duly, "ann")["state"] == "before_notice"


def test_a_later_decision_stands_over_an_old_list(duly: Duly) -> None:
    """D21: what the list says joins the history; a newer word of it changes the standing."""
    applied(duly, listed("1;Ann;ann@klient.example;;01.01.2019;tak;03.02.2019;papier"))
    client = the_client(duly, "ann")
    path = f"/api/clients/{client['client_id']}/withdraw"
    body = {"purposes": ["marketing"]}
    assert duly.staff("POST", path, body, version=client["version"]).status == 200
    since = of_marketing(the_client(duly, "ann"))
    old = applied(duly, listed("1;Ann;ann@klient.example;;01.01.2019;tak;05.05.2020;papier"))
    assert counts(old["applied"]) == counts(old["checked"]) == {"history": 1}
    assert of_marketing(the_client(duly, "ann")) == since
    assert duly.events(client["client_id"]).count("client_imported") == 2
    duly.wait(days=3)
    day = duly.ports().now.date().isoformat()
    new = applied(duly, listed(f"1;Ann;ann@klient.example;;01.01.2019;tak;{day};papier"))
    assert counts(new["applied"]) == {"updated": 1}
    assert of_marketing(the_client(duly, "ann"))[0] == "given"


def test_known_clients_are_found_by_number_address_or_telephone(duly: Duly) -> None:
    """Issue 4, 9: each time it is this one; an address needs the name, a number any of them."""
    client = duly.client(name="Łucja Żółć", email="lucja@klient.example", phone="+48600100200")
    duly.sent(client)
    for n, line in enumerate(
        (
            ";lucja zolc;LUCJA@klient.example;;;tak;01.02.2019;papier",
            ";ŁUCJA ŻÓŁĆ;;+48 600-100-200;;tak;02.02.2019;papier",
            "K-9;Łucja Żółć;lucja@klient.example;;;tak;03.02.2019;papier",
            "K-9;Łucja Po Ślubie;Lucja@klient.example;;;tak;04.02.2019;papier",
            "K-9;Łucja Po Ślubie;inna@klient.example;+48600100200;;tak;05.02.2019;papier",
            "K-9;lucja zolc;inna@klient.example;;;tak;06.02.2019;papier",
            "K-9;Lucja Zolc;;;;tak;07.02.2019;papier",
        )
    ):
        if n == 0:  # a mailbox may tell capitals apart, a look-up does not
            assert "LUCJA" in line
        one = applied(duly, listed(line))
        assert counts(one["applied"]) == {"updated": 1}, (line, one)
        assert report(one)[1][4] == client["client_id"]
    known = duly.read_client(client["client_id"])
    assert known["identity"] == client["identity"]
    assert of_marketing(known) == ("given", "2019-02-06T23:00:00Z")
    other = applied(duly, listed(";Łukasz Żółć;lucja@klient.example;;01.01.2019;;;"))
    assert counts(other["applied"]) == {"created": 1}


@pytest.mark.parametrize(
    "line",
    [
        "1;Piotr Zych;piotr@inny.example;+48600900900;01.01.2019;tak;04.02.2019;papier",
        "1;Piotr Zych;;;01.01.2019;tak;04.02.2019;papier",
    ],
)
def test_a_number_alone_makes_nobody_another(duly: Duly, line: str) -> None:
    """Issue 4, 9; GDPR Art. 7(1): two systems both count from one; a refusal stays a refusal."""
    applied(duly, listed("1;Anna Nowak;anna@klient.example;;01.01.2019;nie;03.02.2019;papier"))
    before = stored(duly)
    one = tried(duly, listed(line))
    assert problems(one) == [(2, "client_ambiguous", "name")]
    assert begun(duly, one).status == 202
    duly.heavy_tick()
    assert problems(again(duly, one["import_id"])) == [(2, "client_ambiguous", "name")]
    assert of_marketing(the_client(duly, "anna"))[0] == "refused"
    assert stored(duly) == before


def test_a_line_that_could_be_two_people_is_nobodys(duly: Duly) -> None:
    """Issue 4, 9: never the wrong client; nor is one client given two numbers."""
    for _ in range(2):
        duly.client(name="Jan Kowalski", email="jan@klient.example")
    line = "{};Jan Kowalski;jan@klient.example;;01.01.2019;tak;03.02.2019;papier"
    one = applied(duly, listed(line.format("")))
    assert problems(one) == [(2, "client_ambiguous", "name")]
    applied(duly, listed("K-1;Ann;ann@klient.example;;01.01.2019;;;"))
    one = applied(duly, listed("K-2;Ann;ann@klient.example;;01.01.2019;;;"))
    assert problems(one) == [(2, "client_ambiguous", "external_id")]


def test_several_lines_of_one_person_make_one_client(duly: Duly) -> None:
    """Issue 4, 9: one row for each consent is how other systems write; worked off in order."""
    header = "id;nazwa;e-mail;data informacji;zgoda marketing;zgoda phone;data;źródło\r\n"
    lines = [
        "1;Ann;ann@klient.example;01.01.2019;tak;;03.02.2019;papier",
        "1;Ann;ann@klient.example;01.01.2019;;nie;04.02.2019;sms",
        "1;Ann;ann@klient.example;01.01.2019;wycofana;;03.03.2019;e-mail",
        "1;Ann;ann@klient.example;01.01.2019;;nie;04.02.2019;sms",
    ]
    one = applied(duly, listed(*lines, header=header))
    assert counts(one["applied"]) == {"created": 1, "updated": 2, "unchanged": 1}
    client = the_client(duly, "ann")
    assert of_marketing(client) == ("withdrawn", "2019-03-02T23:00:00Z")


def test_contracts_come_with_the_list(duly: Duly) -> None:
    """Issue 4, 9; S15, D22: what is known here stays; without a contract the days of grace run."""
    header = "id;nazwa;e-mail;data informacji;umowa;koniec umowy\r\n"
    lines = [
        "1;Ann;ann@klient.example;01.01.2019;brak;",
        "2;Bob;bob@klient.example;01.01.2019;zakończona;31.12.2020",
        "3;Cyd;cyd@klient.example;01.01.2019;zakończona;",
        "4;Dan;dan@klient.example;01.01.2019;aktywna;31.12.2020",
    ]
    one = applied(duly, listed(*lines, header=header))
    assert problems(one) == [(n, "ended_on_refused", "contract_ended_on") for n in (4, 5)]
    assert the_client(duly, "bob")["contract"] == {"state": "ended", "ended_on": "2020-12-31"}
    assert the_client(duly, "bob")["external_id"] == "2"
    other = applied(duly, listed("2;Bob;bob@klient.example;01.01.2019;aktywna;", header=header))
    assert counts(other["applied"]) == {"unchanged": 1}
    ann = the_client(duly, "ann")
    duly.wait(days=31)
    for _ in range(2):
        duly.tick()
        duly.heavy_tick()
    assert duly.staff("GET", f"/api/clients/{ann['client_id']}").told == (410, "client_erased")
    assert "ann@" not in str(duly.table())
    one = applied(duly, listed("1;Ann;ann@klient.example;01.01.2019;;", header=header))
    assert counts(one["applied"]) == {"created": 1}  # the number is free again


def test_word_of_mouth_is_weak_proof(duly: Duly) -> None:
    """S53, S54: imported or not, it is listed until there is a better one."""
    applied(duly, listed("1;Ann;ann@klient.example;;01.01.2019;tak;03.02.2019;sms"))
    weak = duly.staff("GET", "/api/consents/weak").json["clients"]
    assert [one["identity"]["name"] for one in weak] == ["Ann"]


def test_a_consent_runs_out_as_any_other(duly: Duly) -> None:
    """Issue 4, 5: a term counts from the decision, so an old one may be over at once."""
    version = duly.staff("GET", "/api/catalogue").json["version"]
    body = {"texts": TEXTS, "hidden": False, "months": 12}
    answer = duly.staff(
        "PATCH", "/api/catalogue/purposes/marketing", body, by=ADMIN, version=version
    )
    assert answer.status == 200, answer.json
    applied(duly, listed("1;Ann;ann@klient.example;;01.01.2019;tak;03.02.2019;papier"))
    duly.tick()
    assert of_marketing(the_client(duly, "ann"))[0] == "expired"


def test_who_withdrew_and_was_erased_stays_so(duly: Duly) -> None:
    """S15: an old list does not bring them back; a consent given after the withdrawal does."""
    applied(duly, listed("1;Ann;ann@klient.example;;01.01.2019;wycofana;03.02.2020;papier"))
    client = the_client(duly, "ann")
    erased(duly, client)
    table = str(duly.table())
    assert "ann@" not in table
    line = "{};Ann;ann@klient.example;;01.01.2019;tak;{};papier"
    one = applied(duly, listed(line.format(1, "05.05.2019")))
    assert problems(one) == [(2, "withdrawn_and_erased", "email")]
    one = applied(duly, listed(line.format(2, "05.05.2021")))
    assert counts(one["applied"]) == {"created": 1}


def test_who_is_erased_between_dry_run_and_applying_stays_so(duly: Duly) -> None:
    """S15, GDPR Art. 17: a list that lay ready does not make them anew; the others' lines go on."""
    ann, bob = (f"{n};{n}nn;{n}@klient.example;;01.01.2019;nie;03.02.2019;papier" for n in "ab")
    applied(duly, listed(ann))
    client = the_client(duly, "ann")
    one = tried(duly, listed(ann.replace("03.02", "04.02"), bob))
    assert counts(one["checked"]) == {"updated": 1, "created": 1}
    erased(duly, client)
    assert begun(duly, one).status == 202
    duly.heavy_tick()
    one = again(duly, one["import_id"])
    assert counts(one["applied"]) == {"refused": 1, "created": 1}
    assert problems(one) == [(2, "client_erased", "")]
    assert duly.staff("GET", "/api/clients?name=ann").json["clients"] == []
    assert "a@klient.example" not in str(duly.table())


def test_suppressions_beyond_memory_are_asked_for_line_by_line(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S15: however many were erased, the answer is the same."""
    monkeypatch.setattr(list_work, "MOST_SUPPRESSED", 0)
    test_who_withdrew_and_was_erased_stays_so(duly)


def test_a_crash_repeats_nothing(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 4, 9: the process dies after the lines, before it is written down; one client each."""
    lines = [f"{n};Ann{n};a{n}@klient.example;;01.01.2019;tak;03.02.2019;papier" for n in range(5)]
    monkeypatch.setattr(lists, "PART", 2)
    one = tried(duly, listed(*lines))
    assert begun(duly, one).status == 202
    true = lists.went_on

    def dies(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the process dies here")

    monkeypatch.setattr(lists, "went_on", dies)
    assert duly.heavy_tick().failed == 1
    monkeypatch.setattr(lists, "went_on", true)
    after = {key for key in stored(duly) if "#CLIENT#" in key[0]}
    duly.wait(minutes=11)
    duly.heavy_tick()
    one = again(duly, one["import_id"])
    assert (one["state"], one["done"]) == ("done", 5)
    assert counts(one["applied"]) == {"unchanged": 2, "created": 3}
    assert after <= {key for key in stored(duly) if "#CLIENT#" in key[0]}
    assert len(duly.staff("GET", "/api/clients?name=ann").json["clients"]) == 5


def test_an_outage_is_no_fault_of_the_lines(duly: Duly) -> None:
    """Robustness: what could not be written is tried again, and refused to nobody."""
    one = tried(duly, POLISH + ONE)
    begun(duly, one)
    from chalicelib.kernel.errors import Unavailable

    ledger = duly.ports().ledger
    true = type(ledger).commit

    def out(self: Any, change: Any, **more: Any) -> int:
        if change.key.kind == "CLIENT":
            raise Unavailable
        return true(self, change, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(ledger), "commit", out)
        assert duly.heavy_tick().failed == 1
    duly.wait(minutes=11)
    duly.heavy_tick()
    assert counts(again(duly, one["import_id"])["applied"]) == {"created": 1}


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (b"\x81\x83\x98\xff", "not_text"),
        (b"PK\x03\x04zzz", "damaged"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "encrypted"),
        (b"email;telefon\r\na@x.example;1\r\n", "column_missing"),
        (b"name;e-mail;email\r\nAnn;a@x.example;b@x.example\r\n", "column_twice"),
        (b"name;id\r\n", "empty"),
        (b"\r\n \r\n", "empty"),
        (b'name;id\r\n"Ann;7\r\n' + b"Bob;8\r\n" * 99, "quotes_open"),
    ],
)
def test_a_list_that_cannot_be_read_does_nothing(duly: Duly, content: bytes, trouble: str) -> None:
    """Issue 4, bad input: told at once for the whole file; nothing half done, nothing kept."""
    before = stored(duly)
    one = tried(duly, content)
    assert (one["state"], one["trouble"]) == ("refused", trouble)
    assert begun(duly, one).told == (409, "import_not_checked")
    assert stored(duly) == before
    assert not [key for key in duly.objects() if key.startswith(("quarantine/", "imports/"))]


def test_more_lines_than_a_list_may_have(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 4, 9: the limit is told with the line that is one too many."""
    monkeypatch.setattr(lists, "MOST_LINES", 2)
    one = tried(duly, "name;id\r\n" + "".join(f"Ann;{n}\r\n" for n in range(3)))
    assert (one["trouble"], one["trouble_line"]) == ("too_large", 4)


def test_a_million_empty_rows_are_none(duly: Duly) -> None:
    """Issue 4, bad input: formulas are refused by line, empty rows are passed over."""
    rows = [["name", "id"], ["Ann", "7"], ["=A1", "8"]]
    tail = "".join(f'<row r="{n}"/>' for n in range(4, 1_000_001))
    one = tried(duly, workbook(rows, tail=tail), name="z.xlsx", kind=list_service.XLSX)
    assert one["lines"] == 2
    assert problems(one) == [(3, "formula_refused", "name")]


def test_what_is_no_list_is_not_even_uploaded(duly: Duly) -> None:
    """Issue 4, bad input: by type, by name, by size."""
    for body, told in (
        ({"name": "a.pdf", "content_type": "application/pdf", "size": 5}, "list_type_refused"),
        ({"name": "a.xls", "content_type": list_service.XLSX, "size": 5}, "list_type_refused"),
        ({"name": "a.csv", "content_type": CSV, "size": 0}, "list_size_refused"),
        ({"name": "a.csv", "content_type": CSV, "size": 60 * 1024**2}, "list_size_refused"),
    ):
        assert duly.staff("POST", "/api/imports", body, by=ADMIN).told == (422, told)


def test_a_list_that_never_came(duly: Duly) -> None:
    """Issue 4, bad input: checked without an upload, it is refused as a file."""
    body = {"name": "zgody.csv"}
    answer = duly.staff("POST", f"/api/imports/{'A' * 22}/check", body, by=ADMIN)
    assert answer.status == 202
    duly.heavy_tick()
    assert again(duly, "A" * 22)["trouble"] == "not_uploaded"


def test_an_import_is_applied_once_as_it_was_seen(duly: Duly) -> None:
    """Issue 4, 9: not before the dry run, not twice, not another version."""
    import_id = uploaded(duly, (POLISH + ONE).encode())
    path = f"/api/imports/{import_id}"
    first = duly.staff("POST", f"{path}/check", {"name": "a.csv"}, by=ADMIN).json
    assert begun(duly, first).told == (409, "import_not_checked")
    duly.heavy_tick()
    second = duly.staff("POST", f"{path}/check", {"name": "b.csv"}, by=ADMIN).json
    assert (second["state"], second["lines"]) == ("checked", 1)  # asked again it is the same
    assert begun(duly, first).told == (409, "changed_meanwhile")
    assert begun(duly, second, by=HEAD).status == 202
    assert begun(duly, second).told == (409, "changed_meanwhile")
    duly.heavy_tick()
    client = the_client(duly, "zaneta")
    key = f"/api/clients/{client['client_id']}/events"
    (told,) = duly.staff("GET", key).json["events"]
    assert (told["kind"], told["actor"]["id"]) == ("client_imported", HEAD)
    assert (told["body"]["import"], told["body"]["line"]) == (import_id, 2)


def test_nobody_else_imports(duly: Duly) -> None:
    """Issue 4, 9: administrators and heads, of this organisation."""
    one = tried(duly, POLISH + ONE)
    assert begun(duly, one, by=AGENT).told == (403, "role_refused")
    duly.found("inna")
    where = f"/api/imports/{one['import_id']}"
    answer = duly.staff("GET", where, by=ADMIN, org="inna")
    assert answer.told == (404, "consent_import_unknown")


def test_the_lines_of_a_list_do_not_stay(duly: Duly) -> None:
    """S15: what was applied is cleared at once, what was not after a week, and the name with it."""
    done = applied(duly, POLISH + ONE)
    assert "lines-" not in str(list(duly.objects()))
    one = tried(duly, POLISH + ONE)
    assert "lines-" in str(list(duly.objects()))
    duly.wait(days=7, minutes=1)
    duly.heavy_tick()
    assert "lines-" not in str(list(duly.objects()))
    over = again(duly, one["import_id"])
    assert (over["state"], over["report_url"]) == ("over", "")
    assert begun(duly, over).told == (409, "import_not_checked")
    assert again(duly, done["import_id"])["report_url"] == ""
    named = [each for key, each in duly.table().items() if "#CONSENTS#" in key[0]]
    assert "zgody.csv" not in str(named)


def test_a_list_that_kills_its_readers_is_given_up(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Robustness: after several attempts it has a result of its own."""

    def dies(*_: Any, **__: Any) -> Any:
        raise RuntimeError("out of memory")

    import_id = uploaded(duly, (POLISH + ONE).encode())
    monkeypatch.setattr(list_work, "_opened", dies)
    duly.staff("POST", f"/api/imports/{import_id}/check", {"name": "a.csv"}, by=ADMIN)
    for _ in range(list_work.MOST_ATTEMPTS + 1):
        duly.heavy_tick()
        duly.wait(hours=2)
    assert again(duly, import_id)["trouble"] == "took_too_long"


def erased(duly: Duly, client: Any) -> None:
    """The client's data go, at once."""
    ports = duly.ports()
    key = clients.key("agencja", client["client_id"])
    erasing.begin(ports, key, Ground.REQUEST, by=SYSTEM)
    ports.ledger.commit(
        clients.leave(store.get(ports, "agencja", client["client_id"]), by=SYSTEM, now=ports.now)
    )
    duly.heavy_tick()
