"""What `links/read` answers, in three languages, with wordings as long as real ones."""

from typing import Any

_NOTICE = {
    "pl": (
        "Przetwarzanie danych – informacja administratora",
        "1. Kto odpowiada za dane. Administratorem Państwa danych osobowych jest Agencja Polisa "
        "sp. z o.o., ul. Długa 5, 00-001 Warszawa.",
        "Dane wykorzystujemy, aby:\n– zbadać wymagania i potrzeby,\n– obliczyć i porównać oferty,\n"
        "– obsługiwać zawarte umowy.",
        "Mają Państwo prawo dostępu do danych, ich sprostowania, usunięcia, ograniczenia "
        "przetwarzania, przenoszenia oraz wniesienia sprzeciwu i skargi do organu nadzorczego.",
    ),
    "en": (
        "Processing of data – information by the controller",
        "1. Who is responsible. The controller of your personal data is Agencja Polisa sp. z o.o., "
        "ul. Długa 5, 00-001 Warsaw.",
        "We use the data:\n– to find out your demands and needs,\n– to quote and compare offers,\n"
        "– to look after the contracts that you concluded.",
        "You have the right of access, rectification, erasure, restriction and portability, and "
        "the right to object and to lodge a complaint with a supervisory authority.",
    ),
    "ru": (
        "Обработка данных – информация оператора",
        "1. Кто отвечает за данные. Оператором ваших персональных данных является АО «Страховая "
        "компания Надёжность», 101000, Москва, Мясницкая улица, 1.",
        "Мы используем данные, чтобы:\n– выяснить ваши требования и потребности,\n– рассчитать и "
        "сравнить предложения,\n– сопровождать заключённые договоры.",
        "Вы вправе получить доступ к данным, исправить и удалить их, ограничить обработку, "
        "возразить против неё и подать жалобу в надзорный орган.",
    ),
}
_CONSENTS = {
    "pl": {
        "marketing": (
            "Marketing",
            "Zgadzam się na przedstawianie mi ofert ubezpieczeń innych niż "
            "te, o które pytam. Zgodę mogę wycofać w każdej chwili.",
        ),
        "email": (
            "E-mail",
            "Zgadzam się na otrzymywanie informacji handlowych na podany adres "
            "poczty elektronicznej. Zgodę mogę wycofać w każdej chwili.",
        ),
        "phone": (
            "SMS i telefon",
            "Zgadzam się na kontakt w celach handlowych pod podanym numerem "
            "telefonu. Zgodę mogę wycofać w każdej chwili.",
        ),
    },
    "en": {
        "marketing": (
            "Marketing",
            "I agree to be shown offers of insurance other than those I ask "
            "about. I may withdraw this consent at any time.",
        ),
        "email": (
            "E-mail",
            "I agree to receive commercial information at the given e-mail "
            "address. I may withdraw this consent at any time.",
        ),
        "phone": (
            "SMS and telephone",
            "I agree to be contacted for commercial purposes at the "
            "given telephone number. I may withdraw this consent at any time.",
        ),
    },
    "ru": {
        "marketing": (
            "Маркетинг",
            "Я согласен(на) получать предложения о страховании помимо тех, "
            "о которых спрашиваю. Согласие можно отозвать в любой момент.",
        ),
        "email": (
            "Электронная почта",
            "Я согласен(на) получать рекламную информацию на указанный "
            "адрес электронной почты. Согласие можно отозвать в любой момент.",
        ),
        "phone": (
            "SMS и телефон",
            "Я согласен(на) на рекламные звонки и сообщения по указанному "
            "номеру телефона. Согласие можно отозвать в любой момент.",
        ),
    },
}
_PARTIES = {
    "pl": ("Agencja Polisa sp. z o.o.", "ul. Długa 5, 00-001 Warszawa", "Jan Żółkiewski"),
    "en": ("Agencja Polisa sp. z o.o.", "ul. Długa 5, 00-001 Warsaw", "Jan Żółkiewski"),
    "ru": (
        "АО «Страховая компания Надёжность»",
        "101000, Москва, Мясницкая улица, 1",
        "Пётр Щербаков",
    ),
}


def a_reading(language: str = "pl", **changes: Any) -> dict[str, Any]:
    """An open declaration: the notice given, e-mail agreed to, marketing and telephone refused."""
    title, first, purposes, rights = _NOTICE[language]
    notice = "\n\n".join((first, purposes, *(f"{n}. {rights}" for n in range(2, 16))))
    controller, address, client = _PARTIES[language]
    answers = [
        {"purpose": "notice", "kind": "notice", "title": title, "text": notice, "answer": True}
    ] + [
        {
            "purpose": purpose,
            "kind": "consent",
            "title": title,
            "text": text,
            "answer": purpose == "email",
        }
        for purpose, (title, text) in _CONSENTS[language].items()
    ]
    return {
        "state": "open",
        "language": language,
        "languages": ["pl", "en", "ru"],
        "controller": {
            "name": controller,
            "address": address,
            "email": "biuro@polisa.example",
            "phone": "+48 22 123 45 67",
        },
        "client_name": client,
        "staff_name": "Анна Новикова" if language == "ru" else "Anna Nowak",
        "answers": answers,
        "digest": "d1",
        "expires_at": "2026-12-06T22:59:00Z",
        "receipt": None,
        **changes,
    }
