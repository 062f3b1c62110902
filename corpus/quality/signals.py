"""Quality signals as columns: what Gopher, C4 and FineWeb measure of a document, and what knows about genres.

No verdicts here. The second half, from `letter_word_ratio` on, is this project's own: shapes of lines,
topics, word classes. rust_ext/crates/quality measures it; tests/oracles/quality.py is its definition.

Formulas are datatrove's (release 0.10), checked against it in tests/bench/bench_signals.py; two things
differ. Tokens are this project's (rust_ext/crates/text/src/words.rs), not spaCy's; and duplicated n-grams are
compared word by word, not as glued strings. tests/oracles/signals.py is its oracle.

Lengths are in characters (code points). A ratio with nothing below the line is 0.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from corpus.quality.meaning import OWN
from rust_ext import QUALITY_NAMES, SIGNAL_NAMES, QualitySignals
from rust_ext.arrow import text_buffers

ASSETS: Final = Path(__file__).parent.parent / "assets"
QUALITY: Final = ASSETS / "quality"

#: Signals that are counts; the others are ratios.
COUNTS: Final = frozenset(
    {
        "chars",
        "tokens",
        "words",
        "lines",
        "stop_words",
        "c4_lorem_ipsum",
        "c4_curly_brackets",
        "c4_javascript_lines",
        "c4_policy_lines",
    }
)

#: What each signal is, in the order of the columns.
MEANING: Final[dict[str, str]] = {
    "chars": "characters",
    "tokens": "words and symbols",
    "words": "tokens with a letter or digit",
    "lines": "lines that are not blank",
    "mean_word_length": "characters a word",
    "hash_ratio": "'#' a token (Gopher)",
    "ellipsis_ratio": "'...' and '…' a token (Gopher)",
    "bullet_line_ratio": "share of lines that begin with • or - (Gopher)",
    "ellipsis_line_ratio": "share of lines that end in '...' or '…' (Gopher)",
    "alpha_word_ratio": "share of tokens with a letter (Gopher)",
    "stop_words": "different stop words met (Gopher)",
    "dup_line_frac": "share of lines that repeat an earlier one (Gopher)",
    "dup_line_char_frac": "share of characters in lines that repeat an earlier one (Gopher)",
    "dup_para_frac": "share of paragraphs that repeat an earlier one (Gopher)",
    "dup_para_char_frac": "share of characters in paragraphs that repeat an earlier one (Gopher)",
    "top_2_gram_frac": "share of characters in the most frequent 2-gram (Gopher)",
    "top_3_gram_frac": "share of characters in the most frequent 3-gram (Gopher)",
    "top_4_gram_frac": "share of characters in the most frequent 4-gram (Gopher)",
    "dup_5_gram_frac": "share of characters in repeated 5-grams (Gopher)",
    "dup_6_gram_frac": "share of characters in repeated 6-grams (Gopher)",
    "dup_7_gram_frac": "share of characters in repeated 7-grams (Gopher)",
    "dup_8_gram_frac": "share of characters in repeated 8-grams (Gopher)",
    "dup_9_gram_frac": "share of characters in repeated 9-grams (Gopher)",
    "dup_10_gram_frac": "share of characters in repeated 10-grams (Gopher)",
    "line_punct_ratio": "share of lines that end a sentence (FineWeb)",
    "short_line_ratio": "share of lines of at most 30 characters (FineWeb)",
    "char_dup_ratio": "share of characters in lines that repeat an earlier one (FineWeb)",
    "newline_ratio": "line ends a token (FineWeb)",
    "c4_terminal_line_ratio": "share of lines that end in . ! ? \" ' but not in '...' (C4)",
    "c4_lorem_ipsum": "occurrences of 'lorem ipsum' (C4)",
    "c4_curly_brackets": "occurrences of '{' (C4)",
    "c4_javascript_lines": "lines with 'javascript' (C4)",
    "c4_policy_lines": "lines with an English policy or cookie phrase (C4)",
    **OWN,
}

#: Columns of the signals, all without nulls.
SIGNALS: Final = pa.schema(
    [pa.field(name, pa.int64() if name in COUNTS else pa.float64()) for name in SIGNAL_NAMES]
    + [pa.field(name, pa.float32()) for name in QUALITY_NAMES]
)


def measure(
    column: pa.ChunkedArray | pa.Array, stop_words: Sequence[str], own: QualitySignals | None = None
) -> dict[str, pa.Array]:
    """Signals of each text of a string column, by name in the order of `SIGNALS`. A null is an empty text.

    `stop_words` are met in any case of letters. `own` is what `quality_signals` returns; given, it remembers
    words from call to call. In Rust, with the interpreter's lock released.
    """
    matrix = (own or quality_signals()).measure_all(text_buffers(column), list(stop_words))
    return {
        field.name: pa.array(row.astype(field.type.to_pandas_dtype()), field.type)
        for field, row in zip(SIGNALS, matrix, strict=True)
    }


def quality_signals() -> QualitySignals:
    """The kernel of the project's own signals with its lists and its tables."""
    tables = ((QUALITY / name).read_bytes() for name in ("neighbours.bin", "known_words.bin"))
    return QualitySignals(function_words(), topics(), *tables)


def function_words() -> str:
    """The list of Russian function words, as it stands in its file."""
    return (QUALITY / "function_words_ru.txt").read_text(encoding="utf-8")


def topics() -> str:
    """The lists of words by topic, as they stand in their file."""
    return (QUALITY / "topics_ru.txt").read_text(encoding="utf-8")


@functools.cache
def russian_stop_words() -> tuple[str, ...]:
    """The project's list of Russian stop words (assets/stop_words_ru.txt)."""
    return read_list(ASSETS / "stop_words_ru.txt")


def read_list(path: Path) -> tuple[str, ...]:
    """Lines of a UTF-8 word list, without blanks and comments (#)."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
