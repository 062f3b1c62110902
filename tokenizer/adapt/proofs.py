"""What is proved of an adapted tokenizer, beside its base, on texts that the user gives.

A proof is a sentence, whether it holds, and the figures behind it. `prove` does all of them in one pass over
the texts: a few seconds for 100 MB. What was not done (a runtime that is not installed, too little text) is
said as well, and is no success.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from tokenizer.adapt import idmap, runtimes
from tokenizer.adapt.base import Base
from tokenizer.adapt.condition import Condition, condition
from tokenizer.vocabulary import NO_MERGE

#: Text without Cyrillic that the identity of ids is to be shown on, in bytes.
ENOUGH: Final = 100_000_000
#: Bytes of text whose ids are compared in other runtimes, half of it without Cyrillic.
COMPARED: Final = 4_000_000
#: Texts encoded together, and the longest run of lines taken for one text, in characters.
_BATCH: Final = 2048
_LINES: Final = 2000

#: The string by whose ids llama.cpp's convert_hf_to_gguf.py (MIT) tells pre-tokenizers apart.
CONVERTER_TEXT: Final = (
    "\n \n\n \n\n\n \t \t\t \t\n  \n   \n    \n     \n🚀 (normal) 😶\u200d🌫️ (multiple emojis concatenated) "
    "✅ 🦙🦙 3 33 333 3333 33333 333333 3333333 33333333 3.3 3..3 3...3 កាន់តែពិសេសអាច😁 "
    "?我想在apple工作1314151天～ ------======= нещо на Български ''''''```````\"\"\"\"......!!!!!!?????? "
    "I've been 'told he's there, 'RE you sure? 'M not sure I'll make it, 'D you like some tea? We'Ve a'lL"
)


@dataclass(frozen=True)
class Proof:
    """holds: None where it was not tried."""

    name: str
    holds: bool | None
    says: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Proofs:
    """All proofs, and the state of the tokens before and after (`tokenizer.adapt.condition`)."""

    proofs: tuple[Proof, ...]
    base: Condition
    adapted: Condition

    @property
    def ok(self) -> bool:
        """Nothing that was tried failed."""
        return not any(proof.holds is False for proof in self.proofs)

    def __str__(self) -> str:
        signs = {True: "proved ", False: "FAILED ", None: "not done"}
        return "\n".join(f"{signs[one.holds]} {one.name}: {one.says}" for one in self.proofs)


@dataclass
class _Tally:
    """What passing over the texts found."""

    base: Base
    made: Base
    freed: frozenset[int]
    plain: int = 0
    plain_differ: list[str] = field(default_factory=list)
    given_up: int = 0
    cyrillic: int = 0
    tokens: list[int] = field(default_factory=lambda: [0, 0])
    lost: int = 0
    seen: Any = None
    base_seen: Any = None
    sample: dict[bool, list[str]] = field(default_factory=lambda: {True: [], False: []})
    sampled: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})

    def add(self, texts: list[str], threads: int) -> None:
        """Encode a batch by both and compare."""
        old, old_ends = self.base.encoder.ranks(texts, threads)
        new, new_ends = self.made.encoder.ranks(texts, threads)
        self.seen |= np.bincount(new, minlength=len(self.seen)) > 0
        self.base_seen |= np.bincount(old, minlength=len(self.base_seen)) > 0
        old_ids, new_ids = self.base.to_ids(old), self.made.to_ids(new)
        freed = np.isin(old_ids, np.fromiter(self.freed, dtype=np.int64)) if self.freed else None
        for place, text in enumerate(texts):
            size = len(text.encode())
            before = old_ids[old_ends[place] : old_ends[place + 1]]
            after = new_ids[new_ends[place] : new_ends[place + 1]]
            cyrillic = _has_cyrillic(text)
            self._keep(text, size, cyrillic)
            if cyrillic:
                self.cyrillic += size
                self.tokens[0] += len(before)
                self.tokens[1] += len(after)
            elif freed is not None and freed[old_ends[place] : old_ends[place + 1]].any():
                self.given_up += size
            else:
                self.plain += size
                if not np.array_equal(before, after):
                    self.plain_differ.append(text)

    def _keep(self, text: str, size: int, cyrillic: bool) -> None:
        if self.sampled[cyrillic] < COMPARED // 2:
            self.sampled[cyrillic] += size
            self.sample[cyrillic].append(text)


_CYRILLIC: Final = re.compile("[\u0400-\u04ff]")


def _has_cyrillic(text: str) -> bool:
    return not text.isascii() and _CYRILLIC.search(text) is not None


def prove(base: Base, made: Base, folder: str | Path, texts: Iterable[str], threads: int = 1) -> Proofs:
    """Prove what was written to `folder`. Texts are whole documents of any language; they are cut at line
    ends and passed over once."""
    folder = Path(folder)
    kept = set(made.tokens)
    freed = frozenset(index for token, index in zip(base.tokens, base.ids, strict=True) if token not in kept)
    tally = _Tally(base, made, freed)
    tally.seen = np.zeros(len(made.tokens), dtype=np.bool_)
    tally.base_seen = np.zeros(len(base.tokens), dtype=np.bool_)
    for batch in _batches(_parts(texts)):
        tally.add(batch, threads)
    state = condition(made, np.flatnonzero(tally.seen).tolist())
    before = condition(base, np.flatnonzero(tally.base_seen).tolist())
    proofs = [
        _reached(base, made, state),
        _state(before, state),
        _identity(tally),
        _specials(base, made),
        _map(base, made, folder),
        *_runtimes(made, folder, tally),
        _converter(base, made),
        _russian(tally),
    ]
    return Proofs(tuple(proofs), before, state)


def _parts(texts: Iterable[str]) -> Iterator[str]:
    """Runs of lines with Cyrillic and without: a document in Russian with code in it counts for both."""
    for text in texts:
        run: list[str] = []
        size, cyrillic = 0, False
        for line in text.splitlines(keepends=True):
            now = _has_cyrillic(line)
            if run and (now != cyrillic or size > _LINES):
                yield "".join(run)
                run, size = [], 0
            cyrillic = now
            run.append(line)
            size += len(line)
        if run:
            yield "".join(run)


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    source = iter(texts)
    while batch := list(islice(source, _BATCH)):
        yield batch


def _reached(base: Base, made: Base, state: Condition) -> Proof:
    """Complete, not a sample: a token that merging does not make of its own bytes comes of no text by
    merges."""
    new = [token for token in made.tokens if token not in base.rank_of]
    wrong = [token for token in new if made.merges[made.rank_of[token] - 256] == NO_MERGE]
    dead = [token for token in new if made.ids[made.rank_of[token]] in state.dead]
    says = f"{len(new):,} new tokens, {len(wrong)} of which BPE does not make of their own bytes"
    if dead:
        says += f"; of {len(dead)} no text was found that makes them, such as {dead[0]!r}"
    figures = {"new": len(new), "not made": len(wrong), "no witness": len(dead)}
    return Proof("every new token can be reached", not wrong and not dead, says, figures)


def _state(before: Condition, after: Condition) -> Proof:
    both = {name: (number, after.summary[name]) for name, number in before.summary.items()}
    says = "; ".join(f"{name} {old:,} -> {new:,}" for name, (old, new) in both.items())
    worse = [name for name, (old, new) in both.items() if name != "partial" and new > old]
    return Proof("no token of the base became unreachable", not worse, says, both)


def _identity(tally: _Tally) -> Proof:
    wrong = tally.plain_differ
    says = f"{tally.plain / 1e6:,.1f} MB, {len(wrong)} texts with other ids"
    if tally.given_up:
        says += f"; {tally.given_up / 1e6:,.1f} MB in scripts given up are left out"
    if wrong:
        says += f"; the first is {wrong[0][:60]!r}"
    elif tally.plain < ENOUGH:
        says += f"; give at least {ENOUGH / 1e6:.0f} MB to show it on"
    holds = False if wrong else (True if tally.plain else None)
    figures = {"bytes": tally.plain, "differ": len(wrong), "given up bytes": tally.given_up}
    return Proof("text without Cyrillic keeps its ids", holds, says, figures)


def _specials(base: Base, made: Base) -> Proof:
    moved = [name for name, index in base.special_tokens.items() if made.special_tokens.get(name) != index]
    says = f"{len(base.special_tokens):,} special tokens, {len(moved)} with another id"
    return Proof("special tokens keep their ids", not moved, says, {"moved": moved})


def _map(base: Base, made: Base, folder: Path) -> Proof:
    name = "the id map is right"
    try:
        found = idmap.IdMap.read(folder / idmap.FILE)
    except (OSError, ValueError) as error:
        return Proof(name, False, str(error))
    new, old = found.kept()
    wrong = sum(made.token_of[a] != base.token_of[b] for a, b in zip(new.tolist(), old.tolist(), strict=True))
    ids, pieces = found.new()
    spelled = zip(ids.tolist(), pieces, strict=True)
    wrong += sum(made.token_of[a] != base.encoder.decode_bytes(parts) for a, parts in spelled)
    moved = int((new != old).sum())
    says = (
        f"{len(new) - moved:,} ids stay, {moved:,} move, {len(ids):,} are new, {len(found.freed()):,} tokens "
        f"of the base are gone; {wrong} rows are wrong"
    )
    whole = len(new) + len(ids) == len(made.tokens) + len(made.special_tokens)
    return Proof(name, not wrong and whole and found.base == base.digest, says, {"moved": moved})


def _runtimes(made: Base, folder: Path, tally: _Tally) -> list[Proof]:
    new = [token.decode() for token in made.tokens[256:] if _is_text(token, tally.base)]
    texts = [*tally.sample[False], *tally.sample[True], *new]
    # Taken in turn, so that a runtime that gets a share of them gets of each kind.
    texts = [text for start in range(7) for text in texts[start::7]]
    # Runtimes take what spells a special token for that token, in plain text too.
    names = "|".join(re.escape(name) for name in made.special_tokens) or "(?!)"
    texts = [text for text in texts if not re.search(names, text)]
    proofs = []
    for one in runtimes.compare(folder, made, texts):
        if not one.version:
            proofs.append(Proof(f"equal ids in {one.name}", None, one.why))
            continue
        says = f"version {one.version}, {one.texts:,} texts"
        if one.why:
            says += f"; {one.why}"
        if one.differs:
            says += f"; other ids on {one.differs[:60]!r}"
        figures = {"version": one.version, "texts": one.texts, "differs": one.differs}
        proofs.append(Proof(f"equal ids in {one.name}", one.differs is None, says, figures))
    return proofs


def _is_text(token: bytes, base: Base) -> bool:
    """Whether the token is new and whole characters."""
    if token in base.rank_of:
        return False
    try:
        token.decode()
    except UnicodeDecodeError:
        return False
    return True


def _converter(base: Base, made: Base) -> Proof:
    """No proof of anything that must hold: it says what to do."""
    same = base.encoder.encode(CONVERTER_TEXT) == made.encoder.encode(CONVERTER_TEXT)
    says = (
        "its test string has the ids of the base, so the converter knows the model as before"
        if same
        else "its test string has other ids, so the converter does not know it: take tokenizer.ggml.pre "
        "from vocabulary.gguf"
    )
    return Proof("llama.cpp's converter", True, says, {"same ids": same})


def _russian(tally: _Tally) -> Proof:
    old, new = tally.tokens
    if not old:
        return Proof("Russian takes fewer tokens", None, "the texts hold no Cyrillic")
    says = f"{tally.cyrillic / 1e6:,.1f} MB with Cyrillic: {old:,} -> {new:,} tokens, {new / old - 1:+.1%}"
    return Proof("Russian takes fewer tokens", new <= old, says, {"base": old, "adapted": new})
