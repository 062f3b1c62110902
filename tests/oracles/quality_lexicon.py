"""Words by topic, function words and known words: part of the oracle of rust_ext/crates/quality."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).parents[2] / "corpus" / "assets" / "quality"
TOPICS = (
    *("casino", "betting", "escort", "essay_mill", "loan", "pharmacy", "occult", "earnings"),
    *("shop", "navigation", "service", "reporting", "law", "science", "recipe", "manual", "review"),
    *("question", "encyclopedia", "news"),
)
SPAM = TOPICS[:8]


def read_lexicon() -> tuple[set[str], dict[str, dict[str, int]], dict[tuple[str, str], int]]:
    """Function words; words and stems with the topics they belong to; pairs of patterns with theirs."""
    function: set[str] = set()
    for line in (ASSETS / "function_words_ru.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            function |= {word.replace("ё", "е") for word in line.split()}
    single: dict[str, int] = {}
    pairs: dict[tuple[str, str], int] = {}
    topic, weak = 0, 0
    for line in (ASSETS / "topics_ru.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            place = TOPICS.index(line.strip("[] "))
            topic, weak = 1 << place, 1 << (len(TOPICS) + place)
            continue
        if line.startswith("#"):
            continue
        items = line.split()
        at = 0
        while at < len(items):
            bit = weak if items[at].startswith("?") else topic
            items[at] = items[at].removeprefix("?")
            if at + 2 < len(items) and items[at + 1] == "+":
                pair = (items[at], items[at + 2])
                pairs[pair] = pairs.get(pair, 0) | bit
                at += 3
            else:
                single[items[at]] = single.get(items[at], 0) | bit
                at += 1
    return function, {"single": single}, pairs


FUNCTION, _SINGLE, PAIRS = read_lexicon()
SINGLE = _SINGLE["single"]
PATTERNS = set(SINGLE) | {p for pair in PAIRS for p in pair}


def patterns_of(lower: str) -> list[str]:
    """The patterns of the lists that a word matches: itself, or a beginning with a star."""
    found = [lower] if lower in PATTERNS else []
    return found + [lower[:n] + "*" for n in range(1, len(lower) + 1) if lower[:n] + "*" in PATTERNS]


def fnv(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


KNOWN = (ASSETS / "known_words.bin").read_bytes()


def is_known(lower: str) -> bool:
    """Whether a word, ё as е and without a last ъ, is in the table of known words or too short for it."""
    word = lower.removesuffix("ъ")
    if len(word) < 4:
        return True
    value = fnv(word.encode())
    mixed = ((value ^ (value >> 32)) * 0xD6E8FEB86659FD93) & 0xFFFFFFFFFFFFFFFF
    bits = [(mixed >> (21 * place)) % (8 * len(KNOWN)) for place in range(3)]
    return all(KNOWN[bit // 8] >> (bit % 8) & 1 for bit in bits)
