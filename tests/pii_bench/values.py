"""Random values of each kind of Russian identifier, as the standard that defines it says.

Each function returns a valid value without any separators. Check digits are computed here, from the texts of
the standards, and share no code with any detector.
"""

from __future__ import annotations

import random

#: Codes of the subjects of the federation, which numbers of the tax service and of plates hold.
REGIONS = [f"{n:02d}" for n in (*range(1, 80), 83, 86, 87, 89, 91, 92)]
PLATE_REGIONS = [*REGIONS, "102", "116", "125", "136", "150", "152", "154", "161", "163", "164", "177", "178"]
PLATE_REGIONS += ["190", "196", "197", "198", "199", "750", "763", "777", "790", "797", "799"]
PLATE_LETTERS = "АВЕКМНОРСТУХ"
#: Codes of operators (DEF) and of cities (ABC), by the numbering plan.
MOBILE = ["900", "901", "902", "903", "904", "905", "906", "908", "909", "910", "911", "912", "913", "914"]
MOBILE += ["915", "916", "917", "918", "919", "920", "921", "922", "923", "924", "925", "926", "927", "928"]
MOBILE += ["929", "930", "936", "937", "938", "950", "951", "952", "953", "960", "961", "962", "963", "964"]
MOBILE += ["965", "966", "967", "968", "977", "978", "980", "981", "982", "983", "985", "987", "988", "989"]
MOBILE += ["991", "992", "993", "995", "996", "999"]
CITIES = ["495", "499", "812", "343", "383", "831", "846", "863", "351", "342", "347", "861", "473", "391"]
LONG_CITIES = ["4872", "4912", "4842", "4812", "4852", "8442", "8452", "3452", "3852", "4212", "4232", "8652"]
VILLAGES = ["48762", "49632", "47545", "34365", "86133", "39542", "81370", "83147"]
IINS = [
    "2200",
    "2202",
    "2204",
    "4276",
    "4279",
    "4081",
    "4377",
    "5469",
    "5336",
    "5213",
    "5536",
    "5106",
    "6762",
]
BALANCE = ["40817", "40820", "42301", "42305", "40802", "40702", "40703", "40602", "45507"]


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def _weighted(number: str, weights: list[int]) -> int:
    return sum(int(d) * w for d, w in zip(number, weights, strict=False))


def inn10(rng: random.Random) -> str:
    """Order of the tax service ММВ-7-6/435: four of the inspection, five, one check digit."""
    head = rng.choice(REGIONS) + digits(rng, 7)
    return head + str(_weighted(head, [2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10)


def inn12(rng: random.Random) -> str:
    head = rng.choice(REGIONS) + digits(rng, 8)
    head += str(_weighted(head, [7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10)
    return head + str(_weighted(head, [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10)


def snils(rng: random.Random) -> str:
    head = f"{rng.randrange(1_001_999, 199_999_999):09d}"
    check = _weighted(head, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100
    return f"{head}{check:02d}"


def ogrn(rng: random.Random) -> str:
    head = rng.choice("15") + f"{rng.randrange(2, 25):02d}" + rng.choice(REGIONS) + digits(rng, 7)
    return head + str(int(head) % 11 % 10)


def ogrnip(rng: random.Random) -> str:
    head = "3" + f"{rng.randrange(4, 25):02d}" + rng.choice(REGIONS) + digits(rng, 9)
    return head + str(int(head) % 13 % 10)


def kpp(rng: random.Random) -> str:
    return rng.choice(REGIONS) + f"{rng.randrange(1, 60):02d}" + rng.choice(["01", "43", "45", "50"]) + "001"


def luhn(head: str) -> str:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(head)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return str(-total % 10)


def card(rng: random.Random) -> str:
    head = rng.choice(IINS) + digits(rng, 11)
    return head + luhn(head)


def oms(rng: random.Random) -> str:
    """The single number of the insured (ЕНП), order 79 of the compulsory fund: its rule equals Luhn's."""
    head = rng.choice(REGIONS) + digits(rng, 13)
    return head + luhn(head)


def bik(rng: random.Random) -> str:
    return "04" + rng.choice(REGIONS) + digits(rng, 2) + f"{rng.randrange(50, 1000):03d}"


def account(rng: random.Random, of: str) -> str:
    """Rule of the central bank: weights 7, 1, 3 over the bank's last three digits and the account."""
    head = rng.choice(BALANCE) + rng.choice(["810", "810", "810", "840", "978"])
    tail = digits(rng, 11)
    for key in "0123456789":
        whole = of[-3:] + head + key + tail
        if sum(int(d) * w % 10 for d, w in zip(whole, [7, 1, 3] * 8, strict=False)) % 10 == 0:
            return head + key + tail
    raise AssertionError("one of ten keys fits")


def passport(rng: random.Random) -> str:
    return rng.choice(REGIONS) + f"{rng.randrange(0, 25):02d}" + f"{rng.randrange(100001, 999999):06d}"


def passport_foreign(rng: random.Random) -> str:
    return rng.choice(["51", "53", "60", "61", "63", "64", "65", "70", "71", "72", "75", "76"]) + digits(
        rng, 7
    )


def licence(rng: random.Random) -> str:
    return rng.choice(REGIONS) + rng.choice(["12", "16", "17", "18", "21", "30", "34", "36"]) + digits(rng, 6)


def plate(rng: random.Random) -> tuple[str, str, str, str]:
    letter = rng.choice(PLATE_LETTERS)
    pair = rng.choice(PLATE_LETTERS) + rng.choice(PLATE_LETTERS)
    return letter, f"{rng.randrange(1, 1000):03d}", pair, rng.choice(PLATE_REGIONS)


def mobile(rng: random.Random) -> str:
    return rng.choice(MOBILE) + digits(rng, 7)


def landline(rng: random.Random) -> tuple[str, str]:
    code = rng.choice([*CITIES, *CITIES, *LONG_CITIES, *VILLAGES])
    number = rng.choice("23456789") + digits(rng, 9 - len(code))
    return code, number


def ipv4(rng: random.Random) -> str:
    first = rng.choice([n for n in range(1, 224) if n not in (10, 100, 127, 169, 172, 192, 198, 203)])
    return ".".join(str(n) for n in (first, rng.randrange(256), rng.randrange(256), rng.randrange(1, 255)))


def ipv6(rng: random.Random) -> str:
    groups = [f"{rng.randrange(65536):x}" for _ in range(8)]
    groups[0] = rng.choice(["2001", "2a00", "2a02", "2a03"])
    if rng.random() < 0.4:
        return ":".join(groups[:4]) + "::" + groups[-1]
    return ":".join(groups)
