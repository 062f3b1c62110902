"""The oracle of the kernel `pii`: numbers of papers, registers and banks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.oracles import pii_checks as checks
from tests.oracles import pii_numbers as numbers
from tests.oracles.pii_numbers import HYPHEN, NUMBER, PAREN, SLASH

if TYPE_CHECKING:
    from tests.oracles.pii_windows import Verdict, Window


def issued(w: Window) -> bool:
    """«выдан» follows, with at most three marks or spaces between."""
    after = numbers.lower("".join(c for c in w.text[w.groups[-1].end :][:60] if not numbers.ignorable(c)))
    gap = 0
    while gap < min(3, len(after)) and (numbers.space(after[gap]) or after[gap] in ",;(\n"):
        gap += 1
    return after[gap:].startswith("выдан")


def paper(w: Window) -> Verdict:
    if w.other() or w.date():
        return None
    whole = w.contiguous or w.singles
    region = checks.region(w.digits)
    if len(w.digits) == 9:
        close = w.contiguous and w.labels.nearest == "passport" and w.labels.distance <= 12
        foreign = w.says("foreign") or (w.says("passport") and w.lengths == [2, 7]) or close
        follows = w.near_after is not None and (not w.singles or len(w.near_after.digits) == 1)
        ended = w.lengths == [2, 7] or w.contiguous or not follows
        if foreign and (whole or w.ends_at(2)) and ended and not w.tight_after:
            return "passport_foreign", w.ranked(72, "foreign", "passport")
        own = w.contiguous or w.labels.nearest == "kpp"
        slash = w.tight_before and w.groups[0].before == {SLASH}
        own = own and (not slash or (bool(w.earlier) and len(w.earlier[-1].digits) == 10))
        if w.says("kpp") and region and not w.tight_after and own:
            return "kpp", w.ranked(70, "kpp")
    if len(w.digits) == 10 and (whole or w.ends_at(4) or w.ends_at(2)):
        if w.tight_after or w.has(PAREN) or not region:
            return None
        near, distance = w.labels.nearest, w.labels.distance
        if w.says("licence") or (near == "rights" and distance <= 6):
            return "licence", w.ranked(71, "licence", "rights", "series")
        series = near == "series" and (w.has(NUMBER) or w.lengths == [4, 6])
        series = series or (near == "number" and distance <= 3 and w.says("series") and w.lengths == [4, 6])
        if w.says("passport") or series or (w.lengths in ([4, 6], [2, 2, 6]) and issued(w)):
            return "passport", w.ranked(70, "passport", "series")
    return None


def register(w: Window) -> Verdict:
    d = w.digits
    usual = w.lengths == [3, 3, 3, 2] and w.apart and (w.has(HYPHEN) or w.alone)
    if checks.snils(d) and usual and not w.says("snils"):
        return "snils", 76
    phone = d[0] in "78" and d[1] == "9"
    rows = [
        (checks.inn10(d), "inn", "inn", 0),
        (checks.inn12(d), "inn", "inn", 62),
        (checks.ogrn(d), "ogrn", "ogrn", 62),
        (checks.ogrnip(d), "ogrnip", "ogrn", 62),
        (checks.snils(d), "snils", "snils", 0 if phone or len(set(d[2:9])) == 1 else 60),
        (len(d) == 16 and checks.luhn(d) and checks.region(d) and w.says("oms"), "oms", "oms", 0),
    ]
    for ok, kind, label, rank in rows:
        if not ok:
            continue
        if w.says(label) and not (w.tight_before and w.groups[0].before - {SLASH}):
            return kind, w.ranked(80, label)
        shapes = [[4, 6, 2], [1, 2, 2, len(d) - 5]]
        usual = w.lengths in shapes and w.alone and not w.says("other")
        if kind != "oms":
            return (kind, rank) if rank and (w.plain or usual) else None
    if len(d) == 16 and w.labels.nearest == "oms" and w.labels.distance <= 24 and w.apart:
        return "oms", 71
    return None


def money(w: Window) -> Verdict:
    d = w.digits
    free = not w.tight_before and not w.tight_after
    if len(d) in (15, 16, 18, 19) and checks.issuer(d) and checks.luhn(d):
        if w.says("card") and free:
            return "card", w.ranked(78, "card")
        table = any(len(g.digits) == 4 for g in w.beside)
        if w.lengths in ([4, 4, 4, 4], [4, 6, 5]) and w.apart and not table:
            return "card", 70
        return ("card", 64) if w.plain else None
    if checks.account(d) and free:
        if bank_fits(w):
            return "account", 84
        if w.says("account"):
            return "account", w.ranked(74, "account")
        return ("account", 66) if w.plain else None
    return None


def bank_fits(w: Window) -> bool:
    start, end = w.groups[0].start, w.groups[-1].end
    for part in (w.text[max(0, start - 160) : start], w.text[end : end + 160]):
        for run in "".join(numbers.digit(c) or " " for c in part).split(" "):
            if run.startswith("04") and checks.account_at(w.digits, run):
                return True
    return False
