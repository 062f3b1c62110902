"""The slow, readable definition of the signals of rust_ext/crates/quality: what each is, in plain Python.

A text is read by lines (cut at "\\n") and each line by tokens (tests/oracles/signals.py). Sums are of whole
numbers and each signal is one division, so that the compiled kernel agrees to the last bit. A module
`quality_...` a kind of signal.
"""

from __future__ import annotations

from tests.oracles import quality_grammar, quality_lines, quality_repeats, quality_topics, quality_words

#: Bytes of a text that are read.
READ = 1 << 20

neighbours = quality_grammar.neighbours


def signals(text: str, table: bytes) -> dict[str, float]:
    """All signals of one text, by name."""
    data = text.encode()[:READ]
    text = data.decode(errors="ignore")
    lines = quality_lines.lines_of(text)
    quality_lines.shapes(lines)
    every = [w for line in lines for w in line.tokens]
    return {
        **quality_words.words(every),
        **quality_words.runs_of_words(lines),
        **quality_words.marks(lines, every),
        **quality_lines.sentences(lines),
        **quality_lines.line_signals(lines),
        **quality_repeats.repeats(lines, every),
        "compression": quality_repeats.compression(data),
        **quality_grammar.grammar(lines, table),
        **quality_words.roles(every),
        **quality_topics.contacts(lines, every),
        **quality_topics.topics(lines, every),
    }
