"""The oracle of rust_ext/crates/repair/src/utf8.rs: one layer of UTF-8 read in a single-byte charset.

Characters become bytes again; a line is judged by the UTF-8 sequences among these, each as a reader shows it.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from corpus.clean.reference_single import shown

#: Charsets in which somebody read; a later one overrides an earlier one. Ties go to the first reader.
READERS = {
    "latin": ("latin-1", "cp1252"),
    "cp1251": ("cp1251",),
    "koi8": ("koi8_u", "koi8_r"),
    "cp866": ("cp866",),
}
LENGTHS = [(range(0xC2, 0xE0), 2), (range(0xE0, 0xF0), 3), (range(0xF0, 0xF5), 4)]
NOTHING, EVIDENCE, PROOF = range(3)


@functools.cache
def byte_of(reader: str) -> dict[str, int]:
    """The byte that a reader shows as a character."""
    return {shown(byte, charset): byte for charset in READERS[reader] for byte in range(0x80, 0x100)}


@dataclass
class Piece:
    """A sequence in a line: where it stands, for which character, and what it proves."""

    start: int
    end: int
    char: str
    worth: int


def undo_utf8(text: str) -> str | None:
    """The text with one layer undone in the lines that are broken, None where none proves to be."""
    lines = text.split("\n")
    evidence = {reader: sum(len(taken(line, reader, False)) for line in lines) for reader in READERS}
    if not any(evidence.values()):
        return None
    out = []
    for line in lines:
        by_reader = [taken(line, reader, evidence[reader] >= 8) for reader in READERS]
        pieces = max(by_reader, key=len)  # the first of equals
        for piece in reversed(pieces):
            line = line[: piece.start] + piece.char + line[piece.end :]
        out.append(line)
    return "\n".join(out) if out != lines else None


def taken(line: str, reader: str, much_evidence: bool) -> list[Piece]:
    """The sequences to undo, if the reader is the one that broke the line."""
    pieces, stray = pieces_of(line, reader)
    evidence = sum(piece.worth > NOTHING for piece in pieces)
    if evidence >= 4 and stray * 20 <= evidence and len(pieces) <= evidence * 2:
        return pieces
    if much_evidence and evidence and stray * 3 <= len(pieces):
        return pieces
    runs: list[list[Piece]] = []
    for piece in pieces:
        if runs and runs[-1][-1].end == piece.start:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    believed = [sum(piece.worth > NOTHING for piece in run) >= 4 for run in runs]
    # What only ASCII separates from a long run is believed with it, to the right and to the left.
    near = list(believed)
    for order in (range(1, len(runs)), range(len(runs) - 2, -1, -1)):
        reach = list(believed)
        for at in order:
            other = at - order.step
            gap = line[runs[min(at, other)][-1].end : runs[max(at, other)][0].start]
            reach[at] |= reach[other] and gap.isascii()
        near = [one or two for one, two in zip(near, reach, strict=True)]
    return [
        piece
        for run, is_near in zip(runs, near, strict=True)
        for piece in run
        if is_near or piece.worth == PROOF
    ]


def pieces_of(line: str, reader: str) -> tuple[list[Piece], int]:
    """The sequences from left to right, and how many of the reader's characters belong to none."""
    pieces, stray, at = [], 0, 0
    while at < len(line):
        piece = sequence(line, at, reader)
        if piece:
            pieces.append(piece)
        elif line[at] in byte_of(reader):
            stray += 1
        at = piece.end if piece else at + 1
    return pieces, stray


def sequence(line: str, at: int, reader: str) -> Piece | None:
    """The sequence that begins at a place; a last byte that was lost on the way is inferred."""
    bytes_of = byte_of(reader)
    lead = bytes_of.get(line[at], 0)
    length = next((length for leads, length in LENGTHS if lead in leads), 0)
    if not length:
        return None
    data = [bytes_of.get(char, 0) for char in line[at : at + length]]
    later = next((n for n in range(1, len(data)) if not 0x80 <= data[n] <= 0xBF), None)
    if later is not None:
        lost = _lost_byte(reader, lead, line[at + later])
        if lost is None:
            return None
        data = [*data[:later], lost] + [0] * (length - later - 1)
    try:
        char = bytes(data).decode()
    except UnicodeDecodeError:
        return None
    if len(char) != 1:
        return None
    seen = line[at : at + length]
    return Piece(at, at + len(seen), char, NOTHING if later is not None else _worth(char, seen[-1], reader))


def _lost_byte(reader: str, lead: int, instead: str) -> int | None:
    """A no-break space that became a space, and 0x98, which windows-1251 leaves undefined."""
    if reader in ("latin", "cp1251") and lead in (0xC2, 0xD0) and instead == " ":
        return 0xA0
    return 0x98 if reader == "cp1251" and lead == 0xD0 and instead == "\ufffd" else None


def _worth(char: str, last: str, reader: str) -> int:
    punctuation = "\u2010" <= char <= "\u203a" or char == "\ufeff"
    usual = re.match("[\u0080-\u07ff\u2000-\u27ff\ufe0f\ufeff\U0001f000-\U0010ffff]", char)
    if reader != "latin" and (not usual or (reader == "koi8" and last.isalpha()) or last == "\u00a0"):
        return NOTHING
    return PROOF if punctuation and reader != "cp866" else EVIDENCE
