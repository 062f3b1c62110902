"""The oracle of the kernel `pii`: personal data in a text, found slowly.

The patterns are those of the crate's patterns.txt, matched by Python's `re` at every place where a trigger
stands; numbers, plates and addresses of the internet are written anew.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from dataclasses import dataclass

from rust_ext import PII_KINDS
from tests.oracles import pii_numbers as numbers
from tests.oracles.pii_numbers import CRATE, Find


@dataclass(frozen=True)
class Rule:
    kind: str
    rank: int
    triggers: tuple[str, ...]
    before: re.Pattern[str] | None
    after: re.Pattern[str]
    deny: re.Pattern[str] | None
    reach: int


@functools.cache
def rules() -> tuple[Rule, ...]:
    sections: list[tuple[str, dict[str, str]]] = []
    for line in (CRATE / "patterns.txt").read_text("utf-8").split("\n"):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            sections.append((line[1:-1], {}))
        else:
            key, value = line.split(": ", 1)
            sections[-1][1][key] = value
    (_, macros), *rest = sections

    def pattern(text: str | None) -> re.Pattern[str] | None:
        if text is None:
            return None
        for _ in range(3):
            for name, value in macros.items():
                text = text.replace("{" + name + "}", value)
        return re.compile(text.replace(r"\z", r"\Z"))

    made = []
    for _, section in rest:
        after = pattern(section["after"])
        assert after is not None
        made.append(
            Rule(
                section["kind"],
                int(section["rank"]),
                tuple(t for word in section["triggers"].split(" ") for t in cases(spaces(word))),
                pattern(section.get("before")),
                after,
                pattern(section.get("deny")),
                int(section.get("reach", "400")),
            )
        )
    return tuple(made)


def spaces(word: str) -> str:
    russian = re.search("[а-я]", word) or word in ("_at_", "[_at", "(_at", "{_at", "bearer_", "-----BEGIN_")
    return word.replace("_", " ") if russian else word


def cases(word: str) -> list[str]:
    return [word, word[:1].upper() + word[1:], word.upper()]


def fold(text: str) -> str:
    """ASCII capitals as small letters, all else as it is."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def by_patterns(text: str) -> list[Find]:
    folded = fold(text)
    found = []
    for rule in rules():
        hits = set()
        for trigger in {fold(t) for t in rule.triggers}:
            at = folded.find(trigger)
            while at >= 0:
                hits.add((at + len(trigger), at))
                at = folded.find(trigger, at + 1)
        done = 0
        for _, at in sorted(hits):
            if at >= done and (find := match(rule, text, at)):
                done = find[1]
                if not (rule.deny and rule.deny.search(text[find[0] : find[1]])):
                    found.append(find)
    return found


def match(rule: Rule, text: str, at: int) -> Find | None:
    rest = text[at : at + rule.reach]
    hit = rule.after.match(rest)
    if hit is None:
        return None
    if rule.after.groups:
        start, end = hit.span(1) if hit[1] is not None else hit.span()
    else:
        start, end = hit.span()
        last = rest[end - 1]
        if not (numbers.letter(last) or last in "0123456789."):
            end -= 1
    start, end = at + start, at + end
    if rule.before:
        from_ = max(0, at - 96)
        head = rule.before.search(text[from_:at])
        if head is None:
            return None
        if rule.before.groups:
            start = from_ + head.start(1) if head[1] is not None else at
    return start, end, rule.kind, rule.rank


def by_numbers(text: str) -> list[Find]:
    words = {fold(v) for word in [*numbers.NUMERALS, "плюс"] for v in cases(word)}
    starts = {n for n, c in enumerate(text) if numbers.digit(c)}
    folded = fold(text)
    for word in words:
        at = folded.find(word)
        while at >= 0:
            starts.add(at)
            at = folded.find(word, at + 1)
    found: list[Find] = []
    at = 0
    for hit in sorted(starts):
        if hit < at:
            continue
        chain, resume = numbers.chain_from(text, numbers.run_start(text, hit, at))
        at = max(resume, hit + 1)
        if sum(len(g.digits) for g in chain) >= 5:
            phones = [f for f in found if f[2].startswith("phone")]
            found += numbers.windows(text, chain, phones[-1][1] if phones else None)
    return found


ASCII = "0123456789"
LETTER = "[АВЕКМНОРСТУХавекмнорстухABEKMHOPCTYXabekmhopctyx]"
WIDTHLESS = "[\xad\u200b-\u200f\u2060\ufeff\ufe0f\u20e3]*"
GAP = r"[ \t\xa0\u202f\u205f\u3000\u2000-\u200a_.-]"
GAPS = rf"((?:{GAP}{WIDTHLESS}){{0,2}})"
PLATE = re.compile(
    rf"([0-9ОO]{{3}}){WIDTHLESS}{GAPS}({LETTER}{{2}})"
    rf"(?:(\n)|{WIDTHLESS}{GAPS}(?:([/|(]){WIDTHLESS}{GAPS})?)([0-9]{{2,3}})(?![0-9])"
)
COUNTRY = re.compile(rf"{WIDTHLESS}{GAPS}[Rr][Uu][Ss](?![A-Za-zÀ-ÖØ-öø-ɏͰ-ϿЀ-ԯ])")


IGNORED = dict.fromkeys(map(ord, "\xad\u2060\ufeff\ufe0f\u20e3" + "".join(map(chr, range(0x200B, 0x2010)))))


def goes_on(c: str) -> bool:
    return bool(c) and (c in ASCII + "_" or numbers.letter(c))


def plate(text: str, at: int) -> Find | None:
    """The plate whose digits begin with the one at `at`, or with an О right before it."""
    head = [n for n in range(at) if not numbers.ignorable(text[n])]
    gaps = [n for n in head[-2:] if re.fullmatch(f"(?:{GAP})*", text[n:at].translate(IGNORED))]
    parted = bool(gaps)
    head = head[: len(head) - len(gaps)]
    if not head:
        return None
    start = head.pop()
    before = text[head[-1]] if head else ""
    if text[start] in "ОO" and not parted and re.fullmatch(LETTER, before):
        at, start = start, head.pop()
        if head and goes_on(text[head[-1]]):
            return None
    elif not re.fullmatch(LETTER, text[start]) or goes_on(before):
        return None
    hit = PLATE.match(text, at)
    if not hit or (hit[4] and (parted or hit[2])):
        return None
    number, pair, code = hit[1], hit[3], hit[8]
    end = country.end() if (country := COUNTRY.match(text, hit.end())) else hit.end()
    if goes_on(text[end : end + 1]) or not set(number) - set("0ОO"):
        return None
    real = sum(c in ASCII for c in number)
    known = code[-2:] != "00" and (len(code) == 2 or code[0] in "1234579")
    labels = numbers.labels(text, start)
    letters = text[start] + pair
    numbered = bool(labels.all & {"plate", "number"})
    joined = not parted and not hit[2]
    parted = not joined or bool(hit[5] or hit[6])
    plain = (joined and numbered) or (not parted and not set(letters) & LATIN and real == 3)
    small = any(c.islower() for c in letters) and "plate" not in labels.all
    if real < 2 or not known or (small and not plain):
        return None
    return start, end, "plate", 63 if numbered else 50


LATIN = set("ABEKMHOPCTYXabekmhopctyx")


def plates(text: str) -> list[Find]:
    found = []
    for at, c in enumerate(text):
        if c in ASCII and (at == 0 or text[at - 1] not in ASCII):
            run = re.match("[0-9]{1,4}", text[at:])
            if run and len(run[0]) <= 3 and (find := plate(text, at)):
                found.append(find)
    return found


ZERO = "[\xad\u200b-\u200f\u2060\ufeff\ufe0f\u20e3]*"
NUMBER = rf"([0-9](?:{ZERO}[0-9])*)"
JOINT = rf"{ZERO}(\.|\[\.\]|\(\.\)| \. ){ZERO}"
V4 = re.compile(NUMBER + JOINT + NUMBER + JOINT + NUMBER + JOINT + NUMBER)
KNOWN = {"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "77.88.8.8", "77.88.8.1", "1.2.3.4"}
SECTIONS = {"п", "пункт", "пункта", "пункте", "раздел", "раздела", "глава", "рис", "табл", "ст", "гост", "пп"}
SECTIONS |= {"v", "подпункт"}


def v4(text: str, at: int) -> Find | None:
    before = text[at - 1] if at else "\n"
    hit = V4.match(text, at)
    if not hit or before in ASCII + ".,_-" or numbers.letter(before):
        return None
    parts = [re.sub(ZERO, "", hit[n]) for n in (1, 3, 5, 7)]
    if any(len(p) > 3 or int(p) > 255 or (len(p) > 1 and int(p) < 10) for p in parts):
        return None
    rest = text[hit.end() : hit.end() + 2]
    if rest and (rest[0] in ASCII + "_" or numbers.letter(rest[0])):
        return None
    if len(rest) == 2 and rest[0] == "." and rest[1] in ASCII:
        return None
    address = ipaddress.IPv4Address(".".join(str(int(p)) for p in parts))
    octets = address.packed
    nets = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")
    nets += ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    special = any(address in ipaddress.IPv4Network(n) for n in nets) or str(address) in KNOWN
    if special or not 1 <= octets[0] < 240 or octets[3] == 0:
        return None
    labels = numbers.labels(text, at)
    window = text[max(0, at - 12) : at]
    while window and (numbers.space(window[-1]) or window[-1] == "."):
        window = window[:-1]
    word = re.search(r"[A-Za-zÀ-ÖØ-öø-ɏͰ-ϿЀ-ԯ]*\Z", window)
    product = labels.nearest == "product" and labels.distance <= 3
    version = labels.nearest == "version" and labels.distance <= 20
    other = labels.nearest == "other" and labels.distance <= 12
    numbering = all(o < 32 for o in octets) or version or product or other
    numbering = numbering or bool(word and numbers.lower(word[0]) in SECTIONS)
    if all(o < 32 for o in octets) and before == "\n" and text[hit.end() : hit.end() + 2] == ". ":
        return None  # a heading: 12.2.1.1. Как вести себя
    parted = any(hit[n] == " . " for n in (2, 4, 6))
    if (numbering or parted) and ("address" not in labels.all or labels.nearest == "version"):
        return None
    return at, hit.end(), "ip", 68


def v6(text: str, at: int) -> Find | None:
    hexadecimal = set("0123456789abcdefABCDEF:")
    start, end = at, at
    while start > 0 and at - start < 46:
        if text[start - 1] not in hexadecimal:
            if numbers.letter(text[start - 1]) or numbers.digit(text[start - 1]) or text[start - 1] == "_":
                return None
            break
        start -= 1
    while end < len(text) and end - at < 46:
        if text[end] not in hexadecimal:
            if numbers.letter(text[end]) or numbers.digit(text[end]) or text[end] == "_":
                return None
            break
        end += 1
    whole = text[start:end].rstrip(":")
    if len(whole) < 8 or whole.count(":") < 3:
        return None
    try:
        groups = [int(g, 16) for g in ipaddress.IPv6Address(whole).exploded.split(":")]
    except ValueError:
        return None
    local = groups[0] == 0 or groups[0] & 0xFE00 == 0xFC00 or groups[0] & 0xFF00 == 0xFF00
    if local or groups[0] & 0xFFC0 == 0xFE80 or groups[:2] == [0x2001, 0xDB8]:
        return None
    return start, start + len(whole), "ip", 68


def addresses(text: str) -> list[Find]:
    found = []
    for at, c in enumerate(text):
        if c in ASCII and (at == 0 or text[at - 1] not in ASCII):
            run = re.match("[0-9]{1,5}", text[at:])
            if run and len(run[0]) <= 4 and (find := v4(text, at) or v6(text, at)):
                found.append(find)
    return found


def settle(text: str, found: list[Find]) -> list[Find]:
    order = {kind: n for n, kind in enumerate(PII_KINDS)}
    kept: list[Find] = []
    for find in sorted(found, key=lambda f: (-f[3], -len(text[f[0] : f[1]].encode()), f[0], order[f[2]])):
        if find[0] < find[1] and all(k[1] <= find[0] or k[0] >= find[1] for k in kept):
            kept.append(find)
    return sorted(kept)


def find(text: str) -> list[Find]:
    """(start, end, kind, rank) of all personal data in a text, in characters."""
    return settle(text, [*by_patterns(text), *by_numbers(text), *plates(text), *addresses(text)])
