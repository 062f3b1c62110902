"""The oracle of the kernel `pii`: telephones."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tests.oracles import pii_numbers as numbers
from tests.oracles.pii_numbers import COMMA, DOT, HYPHEN, ODD, PAREN, SLASH, SPACE

if TYPE_CHECKING:
    from tests.oracles.pii_windows import Verdict, Window


def phone(w: Window) -> Verdict:
    d = w.digits
    if len(d) >= 10 and set(d[-7:]) == {"0"}:
        return None
    if w.groups[0].plus and len(d) >= 11 and not joined_after(w):
        if len(d) == 11 and d[0] == "7" and d[1] in "3456789":
            return office(w, d[1:]), 80
        known = len(d) <= 13 and d.startswith(tuple(numbers.CODES))
        if known or d[0] != "8":
            return ("phone", 78) if known else None
    kind: str
    rank: int | None
    if len(d) <= 10 and any(g.words for g in w.groups):
        said = len(d) == 10 and d[0] == "9" and w.said()
        kind, rank = "phone", mobile(w, 0) if said else read_aloud(w)
    elif len(d) <= 7:
        kind, rank = office(w, ""), local(w)
    else:
        kind, rank = with_code(w, d)
    return (kind, rank) if rank else None


def with_code(w: Window, d: str) -> tuple[str, int | None]:
    offset = int(len(d) == 11)
    if len(d) - offset != 10 or (offset and d[0] not in "78"):
        return "phone", None
    first = d[offset]
    if first == "9":
        return "phone", mobile(w, offset)
    if first in "348":
        return office(w, d[offset:]), landline(w, offset)
    if first == "0" and (d[0] == "8" and d[2] <= "4" if offset else d[1] >= "3"):
        return office(w, ""), abroad(w, offset)
    return "phone", None


def office(w: Window, national: str) -> str:
    free = national.startswith(("800", "804"))
    start, end = w.groups[0].start, w.groups[-1].end
    mobile = len(w.digits) == 10 and w.digits[0] == "9"
    listed = not mobile and numbers.in_directory(w.text, start, end)
    return "phone_office" if free or listed else "phone"


def joined_before(w: Window) -> bool:
    before = w.groups[0].before
    listed = w.follows and before in ({SLASH}, {COMMA}) and (w.marked or w.contiguous)
    return w.tight_before and not listed and not (before == {SLASH} and w.marked)


def joined_after(w: Window) -> bool:
    whole = w.contiguous and w.next >= 10
    return w.tight_after and not (w.list_after and (w.marked or whole))


def measured(w: Window) -> bool:
    """A unit follows digits that spaces alone part: a quantity."""
    if w.between != {SPACE} or any(g.words for g in w.groups):
        return False
    after = w.text[w.groups[-1].end :]
    while after and numbers.space(after[0]):
        after = after[1:]
    letters = "".join(itertools.takewhile(numbers.letter, after[:8]))
    return bool({numbers.lower(letters), after[:1]} & set(numbers.UNITS))


def mobile(w: Window, offset: int) -> int | None:
    joined = joined_before(w) or joined_after(w)
    if w.said() and not joined:
        return 76 if offset else 72
    if joined or w.groups[0].glued_before or w.other():
        return None
    if measured(w):
        return None
    nice = w.usual(offset, 3)
    if not offset:
        return 62 if nice and w.has(HYPHEN, PAREN) and w.ends_at(3) else None
    tails = ([3, 2, 2], [2, 2, 3], [2, 3, 2], [3, 4], [7])
    usual = any(w.lengths[-len(tail) :] == tail for tail in tails)
    marked = w.has(HYPHEN, PAREN, SLASH) or (w.has(DOT, ODD) and (not w.has(SPACE) or usual))
    if nice and (marked or (w.contiguous and not w.assigned) or (w.alone and not w.contiguous)):
        return 70
    words = any(g.words for g in w.groups)
    few = len(w.groups) <= 6
    prose = few and not (w.between == {SPACE} and w.lengths == [2, 3, 3, 3]) and w.in_prose()
    return 65 if w.alone and (w.singles or words or prose) else None


def read_aloud(w: Window) -> int | None:
    if w.digits[0] not in "78" or w.digits[1] != "9" or not w.alone:
        return None
    reached = {0}
    for group in w.groups:
        reached = {a + b for a in reached for b in group.slack}
    return 64 if 11 - len(w.digits) in reached else None


def landline(w: Window, offset: int) -> int | None:
    if joined_before(w) or joined_after(w) or w.groups[0].glued_before:
        return None
    if w.said():
        return 75 if offset else 71
    if w.other() or measured(w):
        return None
    bracketed = any(in_brackets(w, offset + c) for c in (3, 4, 5))
    if w.singles and bracketed and w.alone:
        return 68
    code = any(w.ends_at(offset + c) and w.usual(offset, c) for c in (3, 4, 5))
    if code and bracketed:
        return 68
    hyphens = w.between <= {HYPHEN, SPACE} and w.has(HYPHEN)
    if code and hyphens and len(w.groups) >= 3 + offset and (offset or w.alone):
        return 58
    eight = bool(offset) and w.digits[0] == "8"
    known = eight and w.digits[1:4] in numbers.TOWNS | {"800", "804"}
    spaced = eight and w.lengths == [1, 3, 3, 2, 2]
    usual = spaced or (known and (w.lengths == [1, 3, 7] or w.plain))
    return 56 if usual and w.alone else None


def abroad(w: Window, offset: int) -> int | None:
    marked = w.marked and w.ends_at(offset + 3) and w.usual(offset, 3)
    return 71 if w.said() and marked and w.apart else None


def in_brackets(w: Window, count: int) -> bool:
    places = []
    for n, (before, group) in enumerate(itertools.pairwise(w.groups)):
        if PAREN in group.before:
            closes = bool({")", "]"} & set(w.text[before.end : group.start]))
            places.append((closes, sum(w.lengths[: n + 1])))
    closing = [at for closes, at in places if closes]
    return closing == [count] and places[-1][0]


def alike(w: Window) -> bool:
    count = len(w.groups)
    twos = count == 3 and w.lengths[1:] == [2, 2] and w.lengths[0] <= 3
    same = count <= len(w.earlier) and [len(g.digits) for g in w.earlier[-count:]] == w.lengths
    return count > 1 and (twos or same)


def local(w: Window) -> int | None:
    if w.listed:
        glued = w.groups[0].glued_before or w.groups[-1].glued_after
        apart = not (joined_before(w) or w.tight_after or glued)
        return 54 if apart and w.has(HYPHEN) and alike(w) else None
    near = w.labels.distance <= 10 and spelled_out(w)
    near = w.labels.nearest == "phone" and (near or (w.has(HYPHEN) and of_whom(w)))
    shapes = {7: [[7], [3, 2, 2], [3, 4]], 6: [[2, 2, 2], [3, 3]], 5: [[1, 2, 2]]}
    usual = w.lengths in shapes[len(w.digits)]
    marked = w.contiguous or w.has(HYPHEN) or len(w.digits) == 7
    return 55 if near and usual and marked and w.apart and w.near_before is None else None


def spelled_out(w: Window) -> bool:
    start = w.groups[0].start
    before = w.text[max(0, start - 14) : start]
    end = len(before)
    while end and (numbers.space(before[end - 1]) or before[end - 1] in ".:№(-–—"):
        end -= 1
    begin = end
    while begin and numbers.letter(before[begin - 1]):
        begin -= 1
    word, marks = numbers.lower(before[begin:end]), before[end:]
    if word in ("тел", "т", "факс", "tel", "phone", "fax"):
        return True
    if word in ("звонить", "звоните", "позвонить", "позвоните"):
        return w.has(HYPHEN)
    said = word in ("телефон", "телефоны", "телефону", "телефонам", "ф")
    return said and (w.has(HYPHEN) or any(c in marks for c in ".:№"))


def of_whom(w: Window) -> bool:
    """«тел. дом.», «тел. дежурного врача:»: words between the label and the number say whose it is."""
    start = w.groups[0].start
    before = w.text[max(0, start - 48) : start]
    end = len(before)
    while end and (numbers.space(before[end - 1]) or before[end - 1] in ".:№(-–—"):
        end -= 1
    colon, places = ":" in before[end:], True
    for _ in range(4):
        begin = end
        while begin and numbers.letter(before[begin - 1]):
            begin -= 1
        word = numbers.lower(before[begin:end])
        if word in ("", "т"):
            return word == "т" and places
        if word in ("тел", "телефон", "телефоны", "факс"):
            return places or colon
        places = places and word.startswith(numbers.PLACES)
        if not places and not colon:
            return False
        end = begin
        while end and (numbers.space(before[end - 1]) or before[end - 1] == "."):
            end -= 1
    return False
