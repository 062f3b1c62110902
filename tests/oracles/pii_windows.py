"""The oracle of the kernel `pii`: what a window of a chain of digit groups is taken for."""

from __future__ import annotations

from dataclasses import dataclass

from tests.oracles import pii_numbers as numbers
from tests.oracles import pii_papers as papers
from tests.oracles import pii_phones as phones
from tests.oracles.pii_numbers import (
    COMMA,
    DOT,
    HYPHEN,
    LINE,
    NUMBER,
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


def begins_phone(groups: list[Group]) -> bool:
    """One group of a telephone's length, or two that a hyphen or bracket joins."""
    joined = len(groups) > 1 and bool(groups[1].before & {HYPHEN, PAREN})
    return len(groups[0].digits) >= 10 or joined


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
    list_after: bool
    next: int
    follows: bool
    earlier: list[Group]
    listed: bool

    @classmethod
    def of(cls, text: str, chain: list[Group], ends: tuple[int, int], follows: bool, listed: bool) -> Window:
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
            list_after=after is not None
            and (after.before == {SLASH} or (after.before == {COMMA} and begins_phone(chain[last + 1 :]))),
            next=len(after.digits) if after else 0,
            follows=first > 0 and follows,
            near_before=near_before,
            near_after=near_after,
            earlier=chain[:first],
            listed=listed,
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
            mobile = mobile and (self.usual(1, 3) or (self.ends_at(1) and self.ends_at(4))) and self.alone
            verdict = phones.phone(self) if prefix or mobile else None
        else:
            number = best([papers.paper(self), papers.register(self), papers.money(self)])
            if number and SLASH in self.between and self.labels.nearest not in CLASSES[number[0]]:
                in_slashes = self.between == {SLASH} and self.lengths == [4, 4, 4, 4]
                number = number if number[0] == "card" and in_slashes else None
            verdict = best([number, None if many and not self.said() else phones.phone(self)])
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
        other = "other" in self.labels.all or self.groups[0].letters or self.assigned
        return self.contiguous and self.apart and not other

    @property
    def assigned(self) -> bool:
        return self.text[: self.groups[0].start].endswith("=")

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

    @property
    def marked(self) -> bool:
        """A slash or a comma may part this telephone from the next."""
        return self.has(HYPHEN, PAREN)

    def said(self) -> bool:
        near = self.labels.nearest
        if self.says("phone") and near in ("phone", "number", "card", "address"):
            return True
        return near == "number" and self.labels.distance <= 3

    def other(self) -> bool:
        return self.labels.nearest == "other" and self.labels.distance <= 12

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
