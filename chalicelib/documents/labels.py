"""The printed declaration's own words in each language; the rest is the organisation's."""

from datetime import date

import msgspec

from chalicelib.documents.sheet import Kind, Language


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """One language's words. `page` and `day` have a place for what they are about."""

    title: str
    prepared_on: str
    controller: str
    client: str
    registry_number: str
    email: str
    phone: str
    dpo: str
    code: str
    page: str
    continued: str
    answers: dict[tuple[Kind, bool], str]
    confirmation: str
    place: str
    date: str
    signature: str
    day: str = "{day:%d.%m.%Y}"


LABELS: dict[Language, Labels] = {
    "pl": Labels(
        title="Oświadczenie klienta o zgodach",
        prepared_on="Data sporządzenia",
        controller="Administrator danych osobowych",
        client="Klient",
        registry_number="Numer w rejestrze",
        email="E-mail",
        phone="Telefon",
        dpo="Inspektor ochrony danych",
        code="Kod dokumentu",
        page="Strona {page} z {pages}",
        continued="(ciąg dalszy)",
        answers={
            ("notice", True): "Tak, przekazano klientowi",
            ("notice", False): "Nie, nie przekazano klientowi",
            ("consent", True): "Tak, wyrażam zgodę",
            ("consent", False): "Nie, nie wyrażam zgody",
        },
        confirmation="Potwierdzam, że powyższe odpowiedzi są zgodne z moją wolą.",
        place="Miejscowość",
        date="Data",
        signature="Podpis klienta",
    ),
    "en": Labels(
        title="Client's declaration of consents",
        prepared_on="Prepared on",
        controller="Data controller",
        client="Client",
        registry_number="Registry number",
        email="E-mail",
        phone="Telephone",
        dpo="Data protection officer",
        code="Document code",
        page="Page {page} of {pages}",
        continued="(continued)",
        answers={
            ("notice", True): "Yes, handed to the client",
            ("notice", False): "No, not handed to the client",
            ("consent", True): "Yes, I consent",
            ("consent", False): "No, I do not consent",
        },
        confirmation="I confirm that the answers above are what I decided.",
        place="Place",
        date="Date",
        signature="Client's signature",
        day="{day:%Y-%m-%d}",  # 03/04 is two days in English; this is one
    ),
    "ru": Labels(
        title="Заявление клиента о согласиях",
        prepared_on="Дата составления",
        controller="Оператор персональных данных",
        client="Клиент",
        registry_number="Регистрационный номер",
        email="Эл. почта",
        phone="Телефон",
        dpo="Ответственный за обработку персональных данных",
        code="Код документа",
        page="Страница {page} из {pages}",
        continued="(продолжение)",
        answers={
            ("notice", True): "Да, вручено клиенту",
            ("notice", False): "Нет, не вручено клиенту",
            ("consent", True): "Да, даю согласие",
            ("consent", False): "Нет, не даю согласия",
        },
        confirmation="Подтверждаю, что приведённые выше ответы отражают моё решение.",
        place="Место",
        date="Дата",
        signature="Подпись клиента",
    ),
}


def written_day(labels: Labels, day: date) -> str:
    """A day as this language writes it in a form."""
    return labels.day.format(day=day)
