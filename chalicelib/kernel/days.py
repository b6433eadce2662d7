"""Days and months in words, as a letter says them in each language."""

from datetime import date

_MONTHS = {
    "pl": (
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października "
        "listopada grudnia"
    ),
    "en": "January February March April May June July August September October November December",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
}
# Without a day before it, a month stands in the nominative.
_MONTHS_ALONE = {
    "pl": (
        "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik "
        "listopad grudzień"
    ),
    "en": _MONTHS["en"],
    "ru": "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
}
_DAY = {
    "pl": "{day} {month} {year} r.",
    "en": "{day} {month} {year}",
    "ru": "{day} {month} {year} г.",
}


def day(when: date, language: str) -> str:
    """The day in words: `22 November 2026`."""
    return _DAY[language].format(
        day=when.day, month=_MONTHS[language].split()[when.month - 1], year=when.year
    )


def month(when: date, language: str) -> str:
    """The month of this day in words: `November 2026`."""
    return f"{_MONTHS_ALONE[language].split()[when.month - 1]} {when.year}"
