"""The oracle of rust_ext/crates/repair/src/utf8.rs: one layer of UTF-8 read in a single-byte charset.

Characters become bytes again; a line is judged by the UTF-8 sequences among these, each as a reader shows it.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from tests.oracles.repair_single import shown

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
    found = [
        piece
        for run, is_near in zip(runs, near, strict=True)
        for piece in run
        if is_near or piece.worth == PROOF
    ]
    return _with_signs(line, pieces, found) if reader == "cp1251" else found


def _with_signs(line: str, pieces: list[Piece], found: list[Piece]) -> list[Piece]:
    """The signs of Latin-1 in a line in which one is proven, or « stands before »; spaces behind words."""
    signs = [piece.char for piece in pieces if piece.char in "«»"]
    is_pair = "«" in signs and "»" in signs[signs.index("«") :]
    if not is_pair and not any("\u00a1" <= piece.char <= "\u00bf" for piece in found):
        return found
    return [
        piece
        for piece in pieces
        if piece in found
        or "\u00a1" <= piece.char <= "\u00bf"
        or (piece.char in "\u00a0 " and _is_word_end(line[: piece.start][-1:]))
    ]


def _is_word_end(before: str) -> bool:
    return (before.isascii() and before.isdigit()) or before.islower()


def _is_behind_word(before: str) -> bool:
    return _is_word_end(before) or (before != "" and before in '.,!?:;)%…»”"')


def _is_behind_space(before: str) -> bool:
    return before == "" or before.isspace() or before == "("


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
    seen = length
    if later is not None:
        lost = _lost_byte(reader, lead, line[at + later :])
        if lost is None:
            return None
        byte, consumed = lost
        if lead == 0xC2:
            behind = _is_behind_letter(line[:at])
            is_proof = reader == "latin" and behind and at + 2 < len(line)
            return Piece(at, at + 2, " ", PROOF if is_proof else NOTHING)
        data, seen = [*data[:later], byte] + [0] * (length - later - 1), later + consumed
    try:
        char = bytes(data).decode()
    except UnicodeDecodeError:
        return None
    if len(char) != 1:
        return None
    if later is not None:
        return Piece(at, at + seen, char, NOTHING)
    seen = len(line[at : at + length])
    return Piece(at, at + seen, char, _worth(char, line[at + seen - 1], line[:at], reader))


def _lost_byte(reader: str, lead: int, rest: str) -> tuple[int, int] | None:
    """A byte and the characters that stand for it: a no-break space that became a space, and 0x98, which
    windows-1251 leaves undefined and readers show in four ways, one of them nothing."""
    if reader in ("latin", "cp1251") and lead in (0xC2, 0xD0) and rest[:1] == " ":
        return 0xA0, 1
    if reader != "cp1251" or lead != 0xD0:
        return None
    if rest[:1] in ("\ufffd", "?", "˜"):
        return 0x98, 1
    is_next = rest[:1] in ("Р", "С") and 0x80 <= byte_of(reader).get(rest[1:2], 0) <= 0xBF
    return (0x98, 0) if is_next else None


def _is_among_accents(before: str) -> bool:
    """Behind accented letters, among which Â is windows-1251's В, read as Latin-1."""
    letter = next((char for char in reversed(before[-4:]) if char.isalnum()), "")
    return "\u00c0" <= letter <= "\u024f"


def _is_behind_letter(before: str) -> bool:
    has_letter = any(char.isalnum() for char in before[-4:])
    return has_letter and _is_behind_word(before[-1:]) and not _is_among_accents(before)


def _worth(char: str, last: str, before_all: str, reader: str) -> int:
    before = before_all[-1:]
    sign = "\u2010" <= char <= "\u203a" or char in "\ufeff\u20ac\u2116\u2122\u2212"
    usual = re.match("[\u0080-\u07ff\u2000-\u27ff\ufe0f\ufeff\U0001f000-\U0010ffff]", char)
    if (
        reader == "latin"
        and not _is_among_accents(before_all)
        and (
            (char == "\u00a0" and _is_behind_letter(before_all))
            or ("\u00a1" <= char <= "\u00bf" and (_is_behind_word(before) or _is_behind_space(before)))
        )
    ):
        return PROOF
    if reader == "cp1251" and (
        (char == "°" and before.isascii() and before.isdigit())
        or (char == "»" and _is_behind_word(before) and not before.isdigit())
        or (char in "©®§±" and (_is_behind_space(before) or _is_behind_word(before)))
    ):
        return PROOF
    if reader != "latin" and (not usual or (reader == "koi8" and last.isalpha()) or last == "\u00a0"):
        return NOTHING
    return PROOF if sign and reader != "cp866" else EVIDENCE
