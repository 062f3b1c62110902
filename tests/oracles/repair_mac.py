"""The slow oracle of `mac.rs` (rust_ext/crates/repair): windows-1251 read as MacCyrillic, and the reverse."""

from __future__ import annotations

from collections.abc import Iterator

from tests.oracles.repair_single import Mistake, read, shown

#: (read as, written in)
PAIRS = (("mac_cyrillic", "cp1251"), ("cp1251", "mac_cyrillic"))
PROOF, RESTORED, BETTER, READS_AS_TEXT = 200, 3, 20, 36
_ODD = {"€", "Я", "ƒ", "≈", "∆", "√", "¬", *map(chr, range(0x402, 0x410)), *map(chr, range(0x452, 0x460))}


def _mistakes() -> Iterator[Mistake]:
    for read_as, written_in in PAIRS:
        back = {shown(byte, read_as): shown(byte, written_in) for byte in range(0x80, 0x100)}
        yield Mistake(back, frozenset(back))


def undo_mac(text: str) -> str | None:
    """The text with the mistake undone where a line does not read worse then; None where it is not proven."""
    beside_small = 0
    for at, char in enumerate(text):
        beside = text[max(0, at - 1) : at] + text[at + 1 : at + 2]
        beside_small += char in _ODD and any("а" <= other <= "ю" for other in beside)
    if beside_small < RESTORED:
        return None
    lines = text.split("\n")
    best: tuple[int, list[str]] | None = None
    for mistake in _mistakes():
        gains = [_gain(line, mistake) for line in lines]
        better = [
            (line, gain)
            for line, gain in zip(lines, gains, strict=True)
            if gain >= BETTER and _reads_well(line, mistake)
        ]
        total = sum(gain for _, gain in better)
        if _is_proof(total, [line for line, _ in better], mistake) and (best is None or total > best[0]):
            undone = [
                mistake.undo(line) if gain > -BETTER else line
                for line, gain in zip(lines, gains, strict=True)
            ]
            best = total, undone
    return "\n".join(best[1]) if best else None


def _gain(line: str, mistake: Mistake) -> int:
    return -BETTER if mistake.undo(line) == line else read(line, None).cost - read(line, mistake).cost


def _reads_well(line: str, mistake: Mistake) -> bool:
    undone = read(line, mistake)
    return undone.cost <= READS_AS_TEXT * undone.pairs


def _is_proof(gain: int, lines: list[str], mistake: Mistake) -> bool:
    restored = [pair for line in lines for pair in _restored(line, mistake)]
    changed = sum(old != new for line in lines for old, new in zip(line, mistake.undo(line), strict=True))
    beside = sum(count > 0 for _, count in restored)
    between = sum(count == 2 for _, count in restored)
    several = len({char for char, _ in restored}) > 1
    return (
        gain >= PROOF
        and changed <= 2 * len(restored)
        and len(restored) >= RESTORED
        and beside * 10 >= len(restored) * 6
        and between >= (1 if several else 2)
    )


def _restored(line: str, mistake: Mistake) -> Iterator[tuple[str, int]]:
    """Each character that becomes a letter, and how many letters that stay it is beside."""
    undone = mistake.undo(line)
    stays = [
        old == new and "\u0400" <= new < "\u0530" and new.isalpha()
        for old, new in zip(line, undone, strict=True)
    ]
    for at, (old, new) in enumerate(zip(line, undone, strict=True)):
        if old != new and "\u0400" <= new < "\u0530" and new.isalpha():
            yield old, sum(stays[max(0, at - 1) : at]) + sum(stays[at + 1 : at + 2])
