"""Numbers of persons and their documents that prove themselves by a check digit.

Sources of the sums: PESEL, Act on population register of 24 September 2010, art. 15; NIP, Act of
13 October 1995; Polish identity card and passport, ICAO Doc 9303 weights 7-3-1 with the letters
counted from A = 10; SNILS and INN, as the Pension Fund and the Federal Tax Service of Russia
publish them.
"""

from collections.abc import Iterable, Sequence
from itertools import cycle

# Where a number begins and ends: no part of a longer one, and none after a dash or a slash.
START, END = r"(?<![\w+])(?<!\d[-/.])", r"(?!\w)(?![-/]\d)"
_CENTURY_STEPS = (0, 20, 40, 60, 80)  # added to the month of birth: 1900s, 2000s ... 1800s
_SNILS_FIRST_CHECKED = 1_001_998


def pesel(digits: str) -> bool:
    """Eleven digits with a day of birth and a right check digit."""
    if len(digits) != 11:
        return False
    month, day = int(digits[2:4]), int(digits[4:6])
    dated = any(1 <= month - step <= 12 for step in _CENTURY_STEPS) and 1 <= day <= 31
    return dated and _sum(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def snils(digits: str) -> bool:
    """Nine digits and their two; numbers up to 001-001-998 have no check and are never taken."""
    if len(digits) != 11 or int(digits[:9]) < _SNILS_FIRST_CHECKED:
        return False
    return _sum(digits[:9], range(9, 0, -1)) % 101 % 100 == int(digits[9:])


def inn_of_person(digits: str) -> bool:
    """Twelve digits, the last two of them checks; a company has ten."""
    if len(digits) != 12 or not digits.strip("0"):
        return False
    first = _sum(digits, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    second = _sum(digits, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    return digits[10:] == f"{first}{second}"


def nip(digits: str) -> bool:
    """Ten digits; a sum of ten has no digit, such numbers are not given."""
    return len(digits) == 10 and _sum(digits, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(digits[9])


def polish_document(number: str) -> bool:
    """An identity card (three letters, six digits) or a passport (two letters, seven digits)."""
    letters = len(number) - len(number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    if len(number) != 9 or letters not in (2, 3) or not number[letters:].isdecimal():
        return False
    values = [int(sign, 36) for sign in number]
    check = values.pop(letters)
    return sum(a * b for a, b in zip(values, cycle((7, 3, 1)), strict=False)) % 10 == check


def _sum(digits: Sequence[str], weights: Iterable[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))
