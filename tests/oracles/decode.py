"""The oracle of how rust_ext/crates/decode distinguishes the single-byte Cyrillic charsets."""

from __future__ import annotations

from pathlib import Path

from scripts.fit.letters import CLASSES, classes_of

PAIRS = Path(__file__).parents[2] / "rust_ext/crates/letters/src/pairs.txt"
# Commonest first: the order breaks ties.
CHARSETS = {
    "windows-1251": "cp1251",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "iso-8859-5": "iso-8859-5",
    "cp866": "cp866",
    "mac-cyrillic": "mac_cyrillic",
}


def cost_tables() -> tuple[list[list[int]], list[list[int]]]:
    lines = PAIRS.read_text(encoding="utf-8").splitlines()
    rows = [[int(cost) for cost in line.split()] for line in lines if not line.startswith("#")]
    return rows[:CLASSES], rows[CLASSES:]


OF_CLASS, OF_CASE = cost_tables()


def decode_as(body: bytes, codec: str) -> str:
    """Like browsers: a byte that the charset leaves undefined becomes the control of the same number."""
    if codec == "cp1251":
        return "".join(bytes([byte]).decode("cp1251") if byte != 0x98 else "\x98" for byte in body)
    return body.decode(codec)


def cost(text: str) -> int:
    """-log of the probability of the text's pairs of neighbours that are not both ASCII, tenths of a nat."""
    text = " " + text
    classes, cases = classes_of(text)
    total = 0
    for at in range(1, len(text)):
        if text[at - 1].isascii() and text[at].isascii():
            continue
        total += OF_CLASS[classes[at - 1]][classes[at]]
        if cases[at] > 0:
            total += OF_CASE[cases[at - 1]][cases[at]]
    return total


def best_text(body: bytes) -> str:
    """The body in the Cyrillic charset in which it reads best."""
    return min((decode_as(body, codec) for codec in CHARSETS.values()), key=cost)
