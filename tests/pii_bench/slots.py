"""Lines of tests/data/pii with their slots filled: texts, and what of each has to be masked."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.pii_bench import values

FOLDER: Final = Path(__file__).parent.parent / "data" / "pii"
_SLOT: Final = re.compile(r"\{(\w+)(?:\|(\w+))?(?: ([^}{]*(?:\{#+\}[^}{]*)*))?\}")
_ALIKE: Final = str.maketrans("0134", "ОІЗЧ")
_WIDE: Final = str.maketrans("0123456789", "０１２３４５６７８９")
_LATIN: Final = str.maketrans("АВЕКМНОРСТУХ", "ABEKMHOPCTYX")


def sections(name: str) -> dict[str, list[str]]:
    """Section -> its lines, of a file of tests/data/pii."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (FOLDER / name).read_text("utf-8").split("\n"):
        if line.startswith("[") and re.fullmatch(r"\[[a-z_]+\]", line):
            lines = found.setdefault(line[1:-1], [])
        elif line.strip() and not line.startswith("# "):
            lines.append(re.sub(r"\\(\\n|n|r|u[0-9a-f]{4})", _escape, line))
    return found


def _escape(hit: re.Match[str]) -> str:
    code = hit[1]
    return {"n": "\n", "r": "\r", "\\n": "\\n"}.get(code) or chr(int(code[1:], 16))


def fill(line: str, rng: random.Random) -> tuple[str, list[tuple[int, int]]]:
    """The line as a text, and the characters start to end of each part that stood between ⟦ and ⟧."""
    bik = values.bik(rng)
    text = _SLOT.sub(lambda hit: _value(hit, rng, bik), line)
    spans = []
    while (start := text.find("⟦")) >= 0:
        end = text.index("⟧") - 1
        text = text.replace("⟦", "", 1).replace("⟧", "", 1)
        spans.append((start, end))
    return text, spans


def _value(hit: re.Match[str], rng: random.Random, bik: str) -> str:
    kind, way, pattern = hit.groups()
    made = _draw(kind, rng, bik, pattern or "")
    if made is None:
        return hit[0]
    if kind == "plate":
        return _plate(made, way, pattern)
    if kind not in ("ip", "ip6") and pattern and "#" in pattern:
        digits = iter(made)
        made = re.sub("#", lambda _: next(digits), pattern)
        assert next(digits, None) is None, hit[0]
    return _written(made, way)


def _written(made: str, way: str | None) -> str:
    if way == "disguise":
        return made.translate(_ALIKE)
    if way == "wide":
        return made.translate(_WIDE)
    if way == "keycaps":
        return "".join(c + "\ufe0f\u20e3" if c.isdigit() else c for c in "8" + made)
    if way == "defang":
        return made.replace(".", "[.]")
    if way == "spaced":
        return made.replace(".", " . ")
    return made.upper() if way == "upper" else made


def _plate(made: str, way: str | None, pattern: str) -> str:
    head, number, pair, region = made.split()
    if way == "latin":
        head, pair = head.translate(_LATIN), pair.translate(_LATIN)
    if way == "letters":
        number = number.replace("0", "О")
    letters, digits = iter(head + pair), iter(number)
    out = pattern.replace("%", region)
    out = re.sub("@", lambda _: next(letters), out)
    out = re.sub("#", lambda _: next(digits), out)
    return out.lower() if way == "small" else out


def _draw(kind: str, rng: random.Random, bik: str, pattern: str) -> str | None:  # noqa: C901 - one case a kind
    alphabets = {
        "hex": "0123456789abcdef",
        "hexupper": "0123456789ABCDEF",
        "alnum": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "dig": "123456789",
    }
    if kind in alphabets:
        return "".join(rng.choice(alphabets[kind]) for _ in range(int(pattern)))
    match kind:
        case "b64":
            return base64.b64encode(rng.randbytes(int(pattern))).decode()[: int(pattern)]
        case "mob":
            return values.mobile(rng)
        case "city3" | "city4" | "city5":
            codes = {"3": values.CITIES, "4": values.LONG_CITIES, "5": values.VILLAGES}[kind[-1]]
            code = rng.choice(codes)
            return code + rng.choice("23456789") + values.digits(rng, 9 - len(code))
        case "local5" | "local6" | "local7":
            return rng.choice("23456789") + values.digits(rng, int(kind[-1]) - 1)
        case "free":
            return rng.choice("23456") + values.digits(rng, 6)
        case "inn":
            return values.inn10(rng)
        case "acc":
            return values.account(rng, bik)
        case "bik":
            return bik
        case "pass":
            return values.passport(rng)
        case "zagran":
            return values.passport_foreign(rng)
        case "lic":
            return values.licence(rng)
        case "card19" | "card18" | "amex":
            head = {"card19": "639002" + values.digits(rng, 12), "card18": "676195" + values.digits(rng, 11)}
            chosen = head.get(kind) or "37" + values.digits(rng, 12)
            return chosen + values.luhn(chosen)
        case "plate":
            return " ".join(values.plate(rng))
        case "ip":
            return values.ipv4(rng)
        case "ip6":
            return values.ipv6(rng)
        case "inn12" | "snils" | "ogrn" | "ogrnip" | "kpp" | "card" | "oms":
            return str(getattr(values, kind)(rng))
    return None


def filled(name: str, seed: int, times: int) -> Iterator[tuple[str, str, str, list[tuple[int, int]]]]:
    """(section, line, text, spans) of each line of a file, `times` times with other values."""
    for section, lines in sections(name).items():
        for number, line in enumerate(lines):
            for turn in range(times):
                rng = random.Random(f"{seed}/{section}/{number}/{turn}")
                yield section, line, *fill(line, rng)
