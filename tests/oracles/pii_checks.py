"""Check digits of Russian identifiers over strings of digits, written from the standards' texts."""

from __future__ import annotations


def _sum(number: str, weights: list[int]) -> int:
    return sum(int(d) * w for d, w in zip(number, weights, strict=False))


def region(number: str) -> bool:
    return number[:2] != "00"


def inn10(n: str) -> bool:
    return len(n) == 10 and region(n) and _sum(n, [2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == int(n[9])


def inn12(n: str) -> bool:
    if len(n) != 12 or not region(n):
        return False
    first = _sum(n, [7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10
    second = _sum(n, [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10
    return (first, second) == (int(n[10]), int(n[11]))


def snils(n: str) -> bool:
    if len(n) != 11 or int(n[:9]) <= 1001998:
        return False
    return _sum(n, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100 == int(n[9:])


def ogrn(n: str) -> bool:
    return (
        len(n) == 13
        and n[0] in "125"
        and int(n[1:3]) <= 39
        and region(n[3:])
        and int(n[:12]) % 11 % 10 == int(n[12])
    )


def ogrnip(n: str) -> bool:
    return (
        len(n) == 15
        and n[0] in "34"
        and int(n[1:3]) <= 39
        and region(n[3:])
        and int(n[:14]) % 13 % 10 == int(n[14])
    )


def luhn(n: str) -> bool:
    total = 0
    for place, d in enumerate(reversed(n)):
        total += sum(map(int, str(int(d) * 2))) if place % 2 else int(d)
    return total % 10 == 0 and len(set(n)) > 1


def issuer(n: str) -> bool:
    two, four = int(n[:2]), int(n[:4])
    maestro = two == 50 or 56 <= two <= 58 or 60 <= two <= 69
    mir = 2200 <= four <= 2204
    if len(n) == 15:
        return two in (34, 37)
    if len(n) == 16:
        return n[0] == "4" or 50 <= two <= 58 or 60 <= two <= 69 or mir or 2221 <= four <= 2720
    return len(n) in (18, 19) and (maestro or mir)


def account(n: str) -> bool:
    if len(n) != 20:
        return False
    three = int(n[:3])
    of_plan = [(301, 303), (401, 408), (410, 426), (428, 440), (441, 457), (474, 474)]
    currency = {"810", "643", "840", "978", "156", "826", "756", "398", "974", "933", "980", "392"}
    return any(a <= three <= b for a, b in of_plan) and n[5:8] in currency


def account_at(n: str, bik: str) -> bool:
    if len(n) != 20 or len(bik) != 9:
        return False
    heads = [bik[6:], "0" + bik[4:6]]
    return any(
        sum(int(d) * w % 10 for d, w in zip(h + n, [7, 1, 3] * 8, strict=False)) % 10 == 0 for h in heads
    )
