"""The oracle of rust_ext/crates/repair/src/marks.rs: what is not seen, one rule a line."""

from __future__ import annotations

import re
import unicodedata

CYRILLIC_VOWELS = "аеёиоуыэюяіїєѣѵАЕЁИОУЫЭЮЯІЇЄѢѴ"
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
MEANT_BY_CONTROL = {
    "\x84": "„", "\x85": "…", "\x91": "‘", "\x92": "’", "\x93": "“", "\x94": "”",
    "\x95": "•", "\x96": "–", "\x97": "—", "\x99": "™",
}  # fmt: skip


UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff]")
DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]")


def is_dropped(char: str, before: str, base: str, right_to_left: bool) -> bool:
    return bool(
        (unicodedata.category(char) == "Cc" and char not in "\n\t")
        or char in "\ufff9\ufffa\ufffb\ufffe\uffff\u00ad\ufeff\u2060\u180e"
        or (char == "\u0301" and base in CYRILLIC_VOWELS)
        or (char == "\u200b" and not UNSPACED.match(before))
        or (char in "\u200c\u200d" and before < "\u0590")
        or (DIRECTIONS.match(char) and not right_to_left)
    )


def repair_marks(text: str) -> str:
    """Controls, zero-width characters, soft hyphens, stress marks and NFC, as `repair` does them."""
    right_to_left = RIGHT_TO_LEFT.search(text) is not None
    text = re.sub("\r\n?|[\x0b\x0c\u2028\u2029]", "\n", text)
    out = []
    for at, char in enumerate(text):
        before = text[at - 1] if at and text[at - 1] != "\n" else " "
        base = next((c for c in reversed(text[:at]) if not "\u0300" <= c < "\u0370"), " ")
        if char in MEANT_BY_CONTROL:
            out.append(MEANT_BY_CONTROL[char])
        elif not is_dropped(char, before, base, right_to_left):
            out.append(char)
    return unicodedata.normalize("NFC", "".join(out))
