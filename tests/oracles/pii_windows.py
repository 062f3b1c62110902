"""The oracle of the kernel `pii`: what a window of a chain of digit groups is taken for."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from tests.oracles import pii_numbers as numbers
from tests.oracles import pii_papers as papers
from tests.oracles.pii_numbers import (
    COMMA,
    DOT,
    HYPHEN,
    LINE,
    NUMBER,
    ODD,
    PAREN,
    PLUS,
    SLASH,
    SPACE,
    Find,
    Group,
    Labels,
)  # fmt: skip

Verdict = tuple[str, int] | None
#: The labels that name a kind.
CLASSES = {
    "inn": {"inn"},
    "snils": {"snils"},
    "ogrn": {"ogrn"},
    "ogrnip": {"ogrn"},
    "kpp": {"kpp"},
    "card": {"card"},
    "account": {"account"},
    "oms": {"oms"},
    "passport": {"passport", "series"},
    "passport_foreign": {"passport", "foreign"},
    "licence": {"licence", "rights", "series"},
}


def tight(before: frozenset[str]) -> bool:
    return not before & {SPACE, LINE, PLUS, NUMBER}


def sentence_end(before: frozenset[str]) -> bool:
    return DOT in before and NUMBER not in before and bool(before & {SPACE, LINE})


def best(verdicts: list[Verdict]) -> Verdict:
    """The verdict of the highest rank, the last of equal ones."""
    found = None
    for verdict in verdicts:
        if verdict and (found is None or verdict[1] >= found[1]):
            found = verdict
    return found


@dataclass
class Window:
    text: str
    groups: list[Group]
    digits: str
    between: frozenset[str]
    labels: Labels
    tight_before: bool
    tight_after: bool
    near_before: Group | None
    near_after: Group | None
    slash_after: bool
    earlier: list[Group]
    listed: bool

    @classmethod
    def of(cls, text: str, chain: list[Group], ends: tuple[int, int], phone_ends: int) -> Window:
        first, last = ends
        between: frozenset[str] = frozenset().union(*(g.before for g in chain[first + 1 : last + 1]))
        groups = chain[first : last + 1]
        words = any(g.words for g in groups)
        before = chain[first - 1] if first else None
        after = chain[last + 1] if last + 1 < len(chain) else None
        near_before, near_after = before, after
        if before and (before.is_letters() or before.words != words or sentence_end(groups[0].before)):
            near_before = None
        if after and (after.plus or after.is_letters() or after.words != words or sentence_end(after.before)):
            near_after = None
        return cls(
            text=text,
            groups=groups,
            digits="".join(g.digits for g in groups),
            between=between,
            labels=numbers.labels(text, groups[0].start),
            tight_before=first > 0 and tight(groups[0].before),
            tight_after=after is not None and tight(after.before),
            slash_after=after is not None and after.before == {SLASH},
            near_before=near_before,
            near_after=near_after,
            earlier=chain[:first],
            listed=first > 0 and phone_ends == first and COMMA in groups[0].before,
        )

    def find(self) -> Find | None:
        verdict = self.judge()
        if verdict is None:
            return None
        kind, rank = verdict
        start, end = self.groups[0].start, self.groups[-1].end
        if kind.startswith("phone"):
            start = self.with_plus(start)
        return start, end, kind, rank

    def with_plus(self, start: int) -> int:
        for at in range(start - 1, max(-1, start - 5), -1):
            c = self.text[at]
            if c in "+\uff0b":
                return at
            if c == "(" and PAREN in self.between:
                start = at
            elif not (c in " \xa0" and self.groups[0].plus):
                break
        return start

    def judge(self) -> Verdict:
        first, last = self.groups[0], self.groups[-1]
        values = [int(g.digits) for g in self.groups]
        if len(values) >= 5 and values == list(range(values[0], values[0] + len(values))):
            return None
        letters = sum(g.letters for g in self.groups)
        if letters * 5 > len(self.digits) * 4:
            return None
        many = letters * 2 > len(self.digits)
        if first.glued_before and self.labels.distance > 1 and not self.labels.all:
            return None
        if any(g.words != first.words for g in self.groups):
            prefix = len(first.digits) == 1 and all(g.words != first.words for g in self.groups[1:])
            mobile = len(self.digits) == 11 and self.digits[0] in "78" and self.digits[1] == "9"
            mobile = mobile and self.usual(1, 3) and self.alone
            verdict = self.phone() if prefix or mobile else None
        else:
            number = best([papers.paper(self), papers.register(self), papers.money(self)])
            if number and SLASH in self.between and self.labels.nearest not in CLASSES[number[0]]:
                number = None
            verdict = best([number, None if many and not self.said() else self.phone()])
        if verdict is None:
            return None
        edge = first.is_letters() or last.is_letters()
        return verdict[0], verdict[1] - 3 * edge

    @property
    def lengths(self) -> list[int]:
        return [len(g.digits) for g in self.groups]

    @property
    def contiguous(self) -> bool:
        return len(self.groups) == 1

    @property
    def singles(self) -> bool:
        return set(self.lengths) == {1}

    @property
    def apart(self) -> bool:
        glued = self.groups[0].glued_before or self.groups[-1].glued_after
        return not (self.tight_before or self.tight_after or glued)

    @property
    def alone(self) -> bool:
        return self.apart and not self.beside

    @property
    def beside(self) -> list[Group]:
        """The numbers before and after, unless another kind of separator parts them from the window."""
        sides = [(self.near_before, self.groups[0].before)]
        sides += [(self.near_after, self.near_after.before)] if self.near_after else []
        found = []
        for group, before in sides:
            parted = self.between == {HYPHEN} and before <= {SPACE, LINE}
            if group and not parted and not (PAREN in before and PAREN not in self.between):
                found.append(group)
        return found

    @property
    def plain(self) -> bool:
        other = "other" in self.labels.all or self.groups[0].letters
        return self.contiguous and self.apart and not other

    def has(self, *kinds: str) -> bool:
        return bool(self.between & set(kinds))

    def says(self, *kinds: str) -> bool:
        return bool(self.labels.all & set(kinds))

    def ends_at(self, count: int) -> bool:
        return any(sum(self.lengths[: n + 1]) == count for n in range(len(self.groups)))

    def ranked(self, rank: int, *kinds: str) -> int:
        return rank + 8 * (self.labels.nearest in kinds)

    def date(self) -> bool:
        """A date stands at the window's start, or the window begins within one."""
        if self.tight_before and self.groups[0].before == {DOT}:
            return True
        if len(self.groups) < 3 or any(g.before != {DOT} for g in self.groups[1:3]):
            return False
        day, month, year = (g.digits for g in self.groups[:3])
        real = 1 <= int(day) <= 31 and 1 <= int(month) <= 12 and 1900 <= int(year) <= 2099
        return real and len(day) <= 2 and len(month) == 2 and len(year) == 4

    def phone(self) -> Verdict:
        d = self.digits
        if len(d) >= 10 and set(d[-7:]) == {"0"}:
            return None
        if self.groups[0].plus and len(d) >= 11 and not self.joined_after:
            if len(d) == 11 and d[0] == "7" and d[1] in "3456789":
                return self.office(d[1:]), 80
            known = len(d) <= 13 and d.startswith(tuple(numbers.CODES))
            if known or d[0] != "8":
                return ("phone", 78) if known else None
        kind: str
        rank: int | None
        if len(d) <= 10 and any(g.words for g in self.groups):
            said = len(d) == 10 and d[0] == "9" and self.said()
            kind, rank = "phone", self.mobile(0) if said else self.read_aloud()
        elif len(d) <= 7:
            kind, rank = self.office(""), self.local()
        else:
            kind, rank = self.with_code(d)
        return (kind, rank) if rank else None

    def with_code(self, d: str) -> tuple[str, int | None]:
        offset = int(len(d) == 11)
        if len(d) - offset != 10 or (offset and d[0] not in "78"):
            return "phone", None
        first = d[offset]
        if first == "9":
            return "phone", self.mobile(offset)
        if first in "348":
            return self.office(d[offset:]), self.landline(offset)
        if not offset and first == "0" and d[1] >= "3":
            return self.office(""), self.ukrainian()
        return "phone", None

    def office(self, national: str) -> str:
        free = national.startswith(("800", "804"))
        start, end = self.groups[0].start, self.groups[-1].end
        mobile = len(self.digits) == 10 and self.digits[0] == "9"
        listed = not mobile and numbers.in_directory(self.text, start, end)
        return "phone_office" if free or listed else "phone"

    @property
    def slashed(self) -> bool:
        """A slash may part this telephone from the next."""
        return self.has(HYPHEN, PAREN)

    @property
    def joined_before(self) -> bool:
        return self.tight_before and not (self.groups[0].before == {SLASH} and self.slashed)

    @property
    def joined_after(self) -> bool:
        return self.tight_after and not (self.slash_after and self.slashed)

    def said(self) -> bool:
        near = self.labels.nearest
        if self.says("phone") and near in ("phone", "number", "card", "address"):
            return True
        return near == "number" and self.labels.distance <= 3

    def other(self) -> bool:
        return self.labels.nearest == "other" and self.labels.distance <= 12

    def mobile(self, offset: int) -> int | None:
        joined = self.joined_before or self.joined_after
        if self.said() and not joined:
            return 76 if offset else 72
        if joined or self.groups[0].glued_before or self.other():
            return None
        nice = self.usual(offset, 3)
        if not offset:
            return 62 if nice and self.has(HYPHEN, PAREN) and self.ends_at(3) else None
        tails = ([3, 2, 2], [2, 2, 3], [2, 3, 2], [3, 4], [7])
        usual = any(self.lengths[-len(tail) :] == tail for tail in tails)
        marked = self.has(HYPHEN, PAREN, SLASH) or (self.has(DOT, ODD) and (not self.has(SPACE) or usual))
        assigned = self.text[: self.groups[0].start].endswith("=")
        if nice and (marked or (self.contiguous and not assigned) or (self.alone and not self.contiguous)):
            return 70
        words = any(g.words for g in self.groups)
        few = len(self.groups) <= 6
        return 65 if self.alone and (self.singles or words or (few and self.in_prose())) else None

    def read_aloud(self) -> int | None:
        if self.digits[0] not in "78" or self.digits[1] != "9" or not self.alone:
            return None
        reached = {0}
        for group in self.groups:
            reached = {a + b for a in reached for b in group.slack}
        return 64 if 11 - len(self.digits) in reached else None

    def landline(self, offset: int) -> int | None:
        if self.joined_before or self.joined_after or self.groups[0].glued_before:
            return None
        if self.said():
            return 75 if offset else 71
        if self.other():
            return None
        code = any(self.ends_at(offset + c) and self.usual(offset, c) for c in (3, 4, 5))
        if code and any(self.in_brackets(offset + c) for c in (3, 4, 5)):
            return 68
        hyphens = self.between <= {HYPHEN, SPACE} and self.has(HYPHEN)
        if code and hyphens and len(self.groups) >= 3 + offset and (offset or self.alone):
            return 58
        eight = bool(offset) and self.digits[0] == "8"
        known = eight and self.digits[1:4] in numbers.TOWNS | {"800", "804"}
        spaced = eight and self.lengths == [1, 3, 3, 2, 2]
        usual = spaced or (known and (self.lengths == [1, 3, 7] or self.plain))
        return 56 if usual and self.alone else None

    def ukrainian(self) -> int | None:
        marked = self.has(PAREN, HYPHEN) and self.ends_at(3) and self.usual(0, 3)
        return 71 if self.said() and marked and self.apart else None

    def in_brackets(self, count: int) -> bool:
        places = []
        for n, (before, group) in enumerate(itertools.pairwise(self.groups)):
            if PAREN in group.before:
                closes = bool({")", "]"} & set(self.text[before.end : group.start]))
                places.append((closes, sum(self.lengths[: n + 1])))
        closing = [at for closes, at in places if closes]
        return closing == [count] and places[-1][0]

    def alike(self) -> bool:
        count = len(self.groups)
        twos = count == 3 and self.lengths[1:] == [2, 2] and self.lengths[0] <= 3
        same = count <= len(self.earlier) and [len(g.digits) for g in self.earlier[-count:]] == self.lengths
        return count > 1 and (twos or same)

    def local(self) -> int | None:
        if self.listed:
            return 54 if self.apart and self.has(HYPHEN) and self.alike() else None
        near = self.labels.nearest == "phone" and self.labels.distance <= 10 and self.spelled_out()
        shapes = {7: [[7], [3, 2, 2], [3, 4]], 6: [[2, 2, 2], [3, 3]], 5: [[1, 2, 2]]}
        usual = self.lengths in shapes[len(self.digits)]
        marked = self.contiguous or self.has(HYPHEN) or len(self.digits) == 7
        return 55 if near and usual and marked and self.apart and self.near_before is None else None

    def spelled_out(self) -> bool:
        start = self.groups[0].start
        before = self.text[max(0, start - 14) : start]
        end = len(before)
        while end and (numbers.space(before[end - 1]) or before[end - 1] in ".:№(-–—"):
            end -= 1
        begin = end
        while begin and numbers.letter(before[begin - 1]):
            begin -= 1
        word, marks = numbers.lower(before[begin:end]), before[end:]
        if word in ("тел", "т", "факс", "tel", "phone", "fax"):
            return True
        said = word in ("телефон", "телефоны", "телефону", "ф")
        return said and any(c in marks for c in ".:№")

    def usual(self, offset: int, code: int) -> bool:
        total = later = 0
        has_code = False
        for length in self.lengths:
            total += length
            if total == offset:
                continue
            if total < offset + code:
                return False
            if total == offset + code:
                has_code = True
                continue
            later += 1
            if later > 1 and not has_code and total != len(self.digits):
                return False
        whole = later == 1 and len(self.groups) == 2 and self.lengths[0] == offset
        return later <= 4 and (has_code or self.contiguous or whole)

    def in_prose(self) -> bool:
        start, end = self.groups[0].start, self.groups[-1].end

        def small(part: str) -> bool:
            left = [c for c in part if not (numbers.space(c) or c in ",():–—-«».;+")]
            return bool(left) and ("а" <= left[0] <= "я" or left[0] == "ё")

        return small(self.text[max(0, start - 4) : start][::-1]) and small(self.text[end : end + 4])
