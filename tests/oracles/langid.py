"""The language model, slow and readable: words, features and scores of `rust_ext/crates/langid`."""

from __future__ import annotations

import collections
import itertools
import struct
import unicodedata
from dataclasses import dataclass

import numpy as np

CYRILLIC, LATIN = 0, 1
WORD_LETTERS = 24
LONGEST = 5
ASKED_WORDS, PLAIN, LIKELY_WORDS, LIKELY = 4, 6.0, 3, 2.0
#: Letters of the longest word that is not put aside, and words put aside before a line's others are not.
SHORT, ASIDE = 6, 8
#: Words after which a document's language is looked at, until it has shown one and from then on.
SHOWN_WORDS, AGAIN_WORDS, SHOWN = 8, 24, 4.0
#: Times that a word of at most KEPT letters counts in the score of a document.
COUNTED, KEPT = 10, 12
#: The proof that a line is Russian: words looked at, the lead, the divisor of a row's weights, the rivals.
TRIED, PROVED, STEP = 12, 3.5, 4
RIVALS = ["orv", "bg", "uk", "mk", "be", "sr", "cu", "mhr", "mdf", "tg", "koi", "udm", "rsk", "uz-Cyrl"]
RIVALS += ["os", "tt"]
RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюяё"
MASK = 0xFFFFFFFF

SCRIPT_RANGES = [
    (LATIN, [(0x41, 0x2AF), (0x1E00, 0x1EFF), (0xFF21, 0xFF5A)]),
    (2, [(0x370, 0x3FF), (0x1F00, 0x1FFF)]),
    (CYRILLIC, [(0x400, 0x52F), (0x1C80, 0x1C8F), (0xA640, 0xA69F)]),
    (3, [(0x531, 0x58F)]),
    (4, [(0x590, 0x5FF), (0xFB1D, 0xFB4F)]),
    (5, [(0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF)]),
    (6, [(0x900, 0x97F)]),
    (7, [(0x10A0, 0x10FF), (0x1C90, 0x1CBF), (0x2D00, 0x2D2F)]),
    (8, [(0xE00, 0xE7F)]),
    (9, [(0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7FF)]),
    (10, [(0x3040, 0x30FF), (0x31F0, 0x31FF)]),
    (11, [(0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)]),
]
MARKS = [(0x300, 0x36F), (0x483, 0x489), (0xAD, 0xAD), (0x2DE0, 0x2DFF), (0xA66F, 0xA67D), (0x200B, 0x200D)]

CYRILLIC_OF = dict(zip("abcehiïjklmopstxyöäÿüëçăĕæəѐ", "авсеһіїјкӏморѕтхуӧӓӱӱёҫӑӗӕәе", strict=True))
LATIN_OF = dict(zip("авсеһіӏјкморѕтхуӕә", "abcehiijkmopstxyæə", strict=True))
BARE, COMBINING, WHOLE = (
    "иуаееіоуаыиугк",
    "\u0306" * 4 + "\u0308" * 6 + "\u0304" * 2 + "\u0301" * 2,
    "йўӑӗёїӧӱӓӹӣӯѓќ",
)
COMPOSED = {bare + mark: one for bare, mark, one in zip(BARE, COMBINING, WHOLE, strict=True)}


def within(code: int, ranges: list[tuple[int, int]]) -> bool:
    return any(low <= code <= high for low, high in ranges)


def alphabetic(c: str) -> bool:
    """Unicode's property Alphabetic, without the marks that have it too."""
    return unicodedata.category(c)[0] == "L" or unicodedata.category(c) == "Nl"


def script(c: str) -> int | None:
    """The script of a letter, None where it is not one."""
    if within(ord(c), MARKS) or not alphabetic(c) or c == "\u02bc":
        return None
    return next((number for number, ranges in SCRIPT_RANGES if within(ord(c), ranges)), 12)


@dataclass
class Word:
    script: int
    folded: str
    #: Its letters before they are put right: (script, small letter).
    read: list[tuple[int, str]]

    @property
    def mixed(self) -> bool:
        return {CYRILLIC, LATIN} <= {script for script, _ in self.read}

    @property
    def is_alien(self) -> bool:
        """Whether it has a Cyrillic letter that Russian has not, or ends with ъ."""
        alien = any(script == CYRILLIC and c not in RUSSIAN for script, c in self.read)
        return alien or (len(self.read) > 1 and self.read[-1] == (CYRILLIC, "ъ"))


def words(text: str) -> list[tuple[int, str, int, bool]]:
    """(script, folded letters, letters, mixed) of every word."""
    return [(word.script, word.folded, len(word.read), word.mixed) for word in read_words(text)]


def read_words(text: str) -> list[Word]:  # noqa: C901 - the rules of a word, side by side
    found: list[Word] = []
    run: list[str] = []
    letters: list[tuple[int, str]] = []
    apostrophe = small = False

    def close() -> None:
        nonlocal apostrophe, small
        if letters:
            scripts = [script for script, _ in letters]
            cyrillic, latin = scripts.count(CYRILLIC), scripts.count(LATIN)
            kind = CYRILLIC if cyrillic and cyrillic >= latin else LATIN if latin else scripts[-1]
            table = CYRILLIC_OF if kind == CYRILLIC else LATIN_OF
            mixed = cyrillic > 0 and latin > 0
            folded = "".join(table.get(c, c) if mixed else c for c in run[:WORD_LETTERS])
            found.append(Word(kind, folded, letters.copy()))
        run.clear()
        letters.clear()
        apostrophe = small = False

    for at, c in enumerate(text):
        kind = script(c)
        if kind is not None:
            if apostrophe:
                run.append("'")
                apostrophe = False
            lower = c.lower()
            folded = lower if len(lower) == 1 else c
            if kind == CYRILLIC:
                small |= folded == c
            letters.append((kind, folded))
            run.append("l" if kind == LATIN and c == "I" and small else folded)
        elif within(ord(c), MARKS):
            if run and len(run) <= WORD_LETTERS:
                run[-1] = COMPOSED.get(run[-1] + c, run[-1])
            elif len(run) > WORD_LETTERS:
                run[WORD_LETTERS - 1] = COMPOSED.get(run[WORD_LETTERS - 1] + c, run[WORD_LETTERS - 1])
        elif c in "'’ʼ" and letters and not apostrophe:
            apostrophe = True
        elif (
            c == "1"
            and any(script == CYRILLIC for script, _ in letters)
            and not apostrophe
            and at + 1 < len(text)
            and script(text[at + 1]) == CYRILLIC
        ):
            run.append("ӏ")
            letters.append((CYRILLIC, "ӏ"))
        else:
            close()
    close()
    return found


def _step(value: int, letter: int) -> int:
    value = ((value ^ letter) * 0x9E3779B1) & MASK
    return ((value << 13) | (value >> 19)) & MASK


def _finish(value: int) -> int:
    value ^= value >> 15
    value = (value * 0x2C1B3C6D) & MASK
    value ^= value >> 12
    return max(value, 1)


def gram(letters: str) -> int:
    """The feature of an n-gram; a space is the edge of a word."""
    value = 0x811C9DC5
    for letter in map(ord, letters):
        value = _step(value, letter)
    return _finish(value)


def features(word: str) -> list[int]:
    """Hashes of the n-grams of 1 to 5 letters of the word between two edges, and of a long word whole."""
    padded = [0x20, *map(ord, word), 0x20]
    found = []
    for first in range(len(padded) - 1):
        for last in range(first, min(first + LONGEST, len(padded))):
            if last == 0:
                continue
            found.append(gram("".join(map(chr, padded[first : last + 1]))))
    if len(padded) > LONGEST:
        value = 0x811C9DC5
        for letter in map(ord, word):
            value = _step(value, letter)
        found.append(_finish(value ^ 0x5BD1E995))
    return found


@dataclass
class Section:
    labels: list[str]
    weights: dict[int, np.ndarray]
    bias: np.ndarray
    scale: float
    length: float
    sharpness: float
    slope: float


def sections(data: bytes) -> list[Section]:
    """The sections of a model file."""
    head, rest = data.split(b"\n\n", 1)
    lines = head.decode().split("\n")
    found = []
    for line, labels in itertools.pairwise(lines):
        if line.startswith("section "):
            _, _, rows, *numbers = line.split(" ")
            names, count = labels.split(" ")[1:], int(rows)
            keys = struct.unpack(f"<{count}I", rest[: 4 * count])
            rest = rest[4 * count :]
            bias = np.frombuffer(rest[: 4 * len(names)], "<f4")
            rest = rest[4 * len(names) :]
            matrix = np.frombuffer(rest[: count * len(names)], np.int8).reshape(count, len(names))
            rest = rest[count * len(names) :]
            weights = dict(zip(keys, matrix.astype(np.int64), strict=True))
            found.append(Section(names, weights, bias, *map(float, numbers)))
    return found


def _scores(part: Section, sums: np.ndarray, count: int) -> np.ndarray:
    scores = sums * part.scale / max(count, 1) ** part.length + part.bias
    return scores * np.exp(part.sharpness + part.slope * np.log(min(max(count, 1), 64)))


def _lead(scores: np.ndarray) -> tuple[int, float]:
    best = int(np.argmax(scores))
    return best, float(scores[best] - np.delete(scores, best).max())


@dataclass
class Line:
    """A line's words as they are scored, until its language is plain."""

    part: Section
    #: The label that the document has shown so far.
    shown: int | None
    seen: collections.Counter[str]
    count: int = 0
    plain: bool = False
    #: Sums and words as the document counts them: a word that was scored ten times counts no more.
    counted: int = 0

    def __post_init__(self) -> None:
        self.sums = np.zeros(len(self.part.labels), np.int64)
        self.own = np.zeros(len(self.part.labels), np.int64)

    def score(self, word: str) -> None:
        if self.plain:
            return
        weights = np.zeros_like(self.sums)
        for feature in features(word):
            weights = weights + self.part.weights.get(feature, 0)
        self.sums = self.sums + weights
        self.count += 1
        self.seen[word] += 1
        if self.seen[word] <= COUNTED or len(word) > KEPT:
            self.own, self.counted = self.own + weights, self.counted + 1
        best, lead = _lead(_scores(self.part, self.sums, self.count))
        likely = best == self.shown and self.count >= LIKELY_WORDS and lead >= LIKELY
        self.plain = likely or (self.count % ASKED_WORDS == 0 and lead >= PLAIN)

    def read(self, mine: list[str]) -> None:
        """Scores words; once the document has shown a language, long ones only where they are needed."""
        aside: list[str] = []
        full = False
        for word in mine:
            if self.plain:
                return
            if self.shown is None or len(word) <= SHORT or full:
                self.score(word)
                continue
            aside.append(word)
            if len(aside) == ASIDE:
                full = True
                for one in aside:
                    self.score(one)
                aside = []
        for one in aside:
            self.score(one)


@dataclass
class Proof:
    """Leads of Russian over its rivals, by n-grams of at most three letters."""

    part: Section

    def row(self, three: str) -> np.ndarray:
        """Leads by the n-grams that end with the last letter; an edge is a space, a word begins with two."""
        known = {three.removeprefix(" ") if three[1] == " " else three, three[1:], three[2:]} - {" "}
        leads = np.zeros(len(RIVALS))
        for letters in known:
            weights = self.part.weights.get(gram(letters))
            if weights is not None:
                for at, rival in enumerate(RIVALS):
                    leads[at] += (
                        weights[self.part.labels.index("ru")] - weights[self.part.labels.index(rival)]
                    )
        return np.clip(np.sign(leads) * np.floor(np.abs(leads) / STEP + 0.5), -128, 127)

    def needed(self, count: int) -> np.ndarray:
        bias = np.array([self.part.bias[self.part.labels.index(name)] for name in ("ru", *RIVALS)])
        biases = (bias[0] - bias[1:]) * count**self.part.length
        return np.ceil((PROVED - biases) / self.part.scale / STEP)

    def looked_at(self, mine: list[Word]) -> tuple[list[Word], bool]:
        """The first words, as far as it takes to prove the line Russian, and whether they do."""
        leads = np.zeros(len(RIVALS))
        for at, word in enumerate(mine[:TRIED]):
            if word.folded.endswith("ъ") or not set(word.folded) <= set(RUSSIAN):
                break
            padded = f"  {word.folded} "
            for end in range(3, len(padded) + 1):
                leads = np.clip(leads + self.row(padded[end - 3 : end]), -(2**15), 2**15 - 1)
            if (leads >= self.needed(at + 1)).all():
                return mine[: at + 1], True
        return [], False


@dataclass
class Document:
    """A section's sums of a document: of all words that count, and of lines that showed it to be Russian."""

    part: Section
    proof: Proof | None

    def __post_init__(self) -> None:
        self.sums = np.zeros(len(self.part.labels), np.int64)
        self.own = np.zeros(len(self.part.labels), np.int64)
        self.count = self.own_count = self.proved = 0
        self.shown: int | None = None
        self.seen: collections.Counter[str] = collections.Counter()

    def scores(self) -> np.ndarray:
        sums = self.sums
        if self.proved:
            sums = sums + np.trunc(self.own * (self.proved / self.own_count)).astype(np.int64)
        return _scores(self.part, sums, self.count)

    def prove(self, line: list[Word], kind: int) -> tuple[list[Word], bool]:
        """The words of the line that are scored, or those that prove it Russian, and whether they do."""
        mine = [word for word in line if word.script == kind]
        if self.proof is None or self.shown != self.part.labels.index("ru") or self.own_count == 0:
            return mine, False
        alien = next((at for at, word in enumerate(line) if word.is_alien), len(line))
        before = [word for word in line[:alien] if word.script == kind]
        looked, proved = self.proof.looked_at(before)
        if not proved:
            return mine, False
        return looked + [word for word in line[alien:] if word.script == kind], alien == len(line)

    def read(self, line: list[Word], kind: int) -> None:
        mine, proved = self.prove(line, kind)
        before = self.count
        if proved:
            for word in mine:
                self.seen[word.folded] += 1
                if self.seen[word.folded] <= COUNTED or len(word.folded) > KEPT:
                    self.proved, self.count = self.proved + 1, self.count + 1
        else:
            read = Line(self.part, self.shown if before >= AGAIN_WORDS else None, self.seen)
            read.read([word.folded for word in mine])
            scripts = collections.Counter(script for word in line for script, _ in word.read)
            most = min(scripts, key=lambda script: (-scripts[script], script))
            best = int(np.argmax(_scores(self.part, read.sums, read.count)))
            if self.proof and self.shown is None and most == kind and self.part.labels[best] == "ru":
                self.own, self.own_count = self.own + read.own, self.own_count + read.counted
            self.sums, self.count = self.sums + read.own, self.count + read.counted
        step = SHOWN_WORDS if self.shown is None else AGAIN_WORDS
        if self.count // step != before // step:
            best, lead = _lead(self.scores())
            self.shown = best if lead >= SHOWN else None


def chances(parts: list[Section], text: str, kind: int) -> dict[str, float]:
    """The probabilities of a section's labels from the text's words in its script.

    The text's lines have less than 150 letters each: every one is a unit.
    """
    document = Document(parts[kind], Proof(parts[kind]) if kind == CYRILLIC else None)
    for line in map(read_words, text.split("\n")):
        if line:
            document.read(line, kind)
    scores = document.scores()
    parts_of_one = np.exp(scores - scores.max())
    return dict(zip(parts[kind].labels, (parts_of_one / parts_of_one.sum()).tolist(), strict=True))
