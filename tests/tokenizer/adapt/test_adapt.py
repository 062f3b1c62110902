"""Extending and replacing on small bases of every form: ids in other runtimes are the oracle."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tiktoken
import tokenizers

from tests.oracles.token_ids import bounded
from tests.tokenizer.adapt.bases import ENGLISH, FORMS, OTHER, RUSSIAN
from tokenizer.adapt.arrange import arrange
from tokenizer.adapt.base import HF, Base, holds_cyrillic
from tokenizer.adapt.free import closed, little_used, protected, uses_of
from tokenizer.adapt.idmap import FILE, IdMap
from tokenizer.adapt.learn import Adapted, Settings, base_uses, learn
from tokenizer.adapt.load import load
from tokenizer.adapt.runtimes import RUNTIMES, compare
from tokenizer.adapt.scripts import given_up, named
from tokenizer.adapt.write import write
from tokenizer.baselines import open_baseline
from tokenizer.split import pattern_regex, split
from tokenizer.train import PretokenCounts, TrainParameters, count
from tokenizer.vocabulary import NO_MERGE

SETTINGS = Settings(TrainParameters(penalty=0, min_pair_count=1))
UNSEEN = ["Библиотекари читают законопроекты правительства: ёжик, йод, и\u0306 — «ЧИТАТЕЛЬ» 2025-го."]


@pytest.fixture(params=FORMS)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    return load(FORMS[request.param](tmp_path / "base"))


def counts(base: Base) -> list[PretokenCounts]:
    return [count(base.encoder.normalized(RUSSIAN), base.pattern)]


def extended(base: Base, add: int = 50) -> Adapted:
    return learn(base, counts(base), set(), add, SETTINGS)


def swapped(base: Base, add: int = 20) -> Adapted:
    used = base_uses(base, counts(base), SETTINGS)
    free = closed(base, little_used(base, used, 40))
    assert free
    return learn(base, counts(base), free, add + len(free), SETTINGS)


def replaced(base: Base) -> Adapted:
    free = closed(base, given_up(base, named(["Hangul", "Thai"])))
    assert free
    return learn(base, counts(base), free, len(free), SETTINGS)


WAYS = {"extended": extended, "swapped": swapped, "replaced": replaced}


def test_a_base_encodes_as_the_file_it_came_from(base: Base) -> None:
    texts = ENGLISH[:4] + RUSSIAN[:4] + OTHER + UNSEEN
    if base.form == HF:
        theirs = tokenizers.Tokenizer.from_file(str(base.source / "tokenizer.json"))
        expected = [theirs.encode(text, add_special_tokens=False).ids for text in texts]
    else:
        ranks = dict(zip(base.tokens, range(len(base.tokens)), strict=True))
        regex = pattern_regex(base.pattern)
        other = tiktoken.Encoding("base", pat_str=regex, mergeable_ranks=ranks, special_tokens={})
        expected = [[base.ids[rank] for rank in other.encode_ordinary(text)] for text in texts]
    assert [base.encoder.encode(text) for text in texts] == expected


@pytest.mark.parametrize("before", [None, 3])
@pytest.mark.parametrize("after", [None, 100_000])
def test_a_column_is_the_texts_with_ids_around_each(
    base: Base, before: int | None, after: int | None
) -> None:
    texts = [*ENGLISH[:4], "", *RUSSIAN[:4], *OTHER, *UNSEEN]
    ids, offsets = base.encoder.encode_column(pa.array(texts), before=before, after=after)
    wanted, lengths = bounded(*base.encoder.encode_batch(texts), before, after)
    assert ids.dtype == np.uint32
    assert ids.tolist() == wanted.tolist()
    assert np.diff(offsets).tolist() == lengths.tolist()


@pytest.mark.parametrize("way", WAYS)
def test_what_was_adapted(base: Base, way: str) -> None:
    """Text without Cyrillic (and without what was given up) keeps its ids, Russian takes fewer, each new
    token is the BPE of its own bytes, special tokens stay, and freed ids are what the new tokens got
    first."""
    adapted = WAYS[way](base)
    made = adapted.tokenizer
    kept = ENGLISH[:2] + OTHER[:2] if way == "replaced" else ENGLISH[:4] + OTHER
    assert [made.encoder.encode(text) for text in kept] == [base.encoder.encode(text) for text in kept]
    assert made.encoder.count(RUSSIAN) < base.encoder.count(RUSSIAN)
    for text in RUSSIAN[:4] + UNSEEN + OTHER:
        back = made.encoder.decode_bytes(made.encoder.encode(text)).decode()
        assert [back] == base.encoder.normalized([text])
    assert all(holds_cyrillic(token) for token in adapted.new)
    assert all(made.merges[made.rank_of[token] - 256] != NO_MERGE for token in adapted.new)
    assert dict(made.special_tokens) == dict(base.special_tokens)
    old, new = dict(zip(base.tokens, base.ids, strict=True)), dict(zip(made.tokens, made.ids, strict=True))
    moved = {token for token, index in old.items() if token in new and new[token] != index}
    assert not moved if base.form == HF or way == "extended" else all(holds_cyrillic(one) for one in moved)
    assert not set(adapted.freed) & new.keys()
    assert len(made.tokens) == len(base.tokens) + len(adapted.new) - len(adapted.freed)
    if way == "replaced":
        assert made.rows == base.rows


@pytest.mark.parametrize("way", WAYS)
def test_every_file_gives_the_same_ids(base: Base, way: str, tmp_path: Path) -> None:
    adapted = WAYS[way](base)
    made, out = adapted.tokenizer, tmp_path / "out"
    written = write(adapted, out)
    texts = ENGLISH[:4] + RUSSIAN[:4] + OTHER + UNSEEN
    expected = [made.encoder.encode(text) for text in texts]
    fast = tokenizers.Tokenizer.from_file(str(out / "tokenizer.json"))
    assert [fast.encode(text, add_special_tokens=False).ids for text in texts] == expected
    for name, index in base.special_tokens.items():
        assert fast.token_to_id(name) == index
        assert fast.encode(name, add_special_tokens=False).ids == [index]
    again = load(out)
    assert [again.encoder.encode(text) for text in texts] == expected
    assert again.rows == made.rows
    if base.form != HF:
        ranks = dict(zip(again.tokens, (index - min(again.ids) for index in again.ids), strict=True))
        regex = pattern_regex(again.pattern)
        other = tiktoken.Encoding("made", pat_str=regex, mergeable_ranks=ranks, special_tokens={})
        first = min(again.ids)
        assert [[first + rank for rank in other.encode_ordinary(text)] for text in texts] == expected
    else:
        assert "chat_template" in json.loads((out / "tokenizer_config.json").read_text())
        assert (out / "LICENSE").read_text() == "terms of the base\n"
    assert "vocabulary.gguf" in written or base.pattern == "cl100k"


@pytest.mark.parametrize("way", WAYS)
def test_transformers_opens_the_folder(base: Base, way: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    adapted = WAYS[way](base)
    write(adapted, tmp_path / "out")
    auto = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    texts = ENGLISH[:4] + RUSSIAN[:4] + OTHER + UNSEEN
    expected = [adapted.tokenizer.encoder.encode(text) for text in texts]
    assert [auto.encode(text, add_special_tokens=False) for text in texts] == expected
    if base.form == HF:
        assert auto.apply_chat_template([{"role": "user", "content": "да"}], tokenize=False) == "да"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore")
def test_llama_cpp_opens_the_metadata(base: Base, way: str, tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp")
    adapted = WAYS[way](base)
    if "vocabulary.gguf" not in write(adapted, tmp_path / "out"):
        pytest.skip("llama.cpp has no pre-tokenizer of this pattern")
    made, name = adapted.tokenizer, "llama-cpp-python"
    texts = ENGLISH[:4] + RUSSIAN[:4] + UNSEEN + [token.decode() for token in adapted.new if _is_text(token)]
    (found,) = compare(tmp_path / "out", made, texts * 4, {name: RUNTIMES[name]})
    assert (found.texts, found.differs) == (len(texts), None)
    assert found.version


def _is_text(token: bytes) -> bool:
    return token.decode(errors="ignore").encode() == token


def test_llama_cpp_is_compared_by_its_own_pattern_where_that_cuts_otherwise(tmp_path: Path) -> None:
    base = load(FORMS["tekken"](tmp_path / "base"))
    runs = RUNTIMES["llama-cpp-python"].runs
    assert runs is not None
    theirs = runs(base)
    assert split("по КоАП", base.pattern) == ["по", " Ко", "АП"]
    assert split("по КоАП", theirs.pattern) == ["по", " КоАП"]
    assert runs(load(FORMS["hf"](tmp_path / "other"))).pattern == "qwen2"


@pytest.mark.parametrize("way", WAYS)
def test_the_id_map_says_what_became_of_every_id(base: Base, way: str, tmp_path: Path) -> None:
    adapted = WAYS[way](base)
    write(adapted, tmp_path / "out")
    found = IdMap.read(tmp_path / "out" / FILE)
    made = adapted.tokenizer
    new, old = found.kept()
    for index, before in zip(new.tolist(), old.tolist(), strict=True):
        assert made.token_of[index] == base.token_of[before]
    ids, pieces = found.new()
    assert {made.token_of[index] for index in ids.tolist()} == set(adapted.new)
    for index, parts in zip(ids.tolist(), pieces, strict=True):
        assert base.encoder.decode_bytes(parts) == made.token_of[index]
    assert {base.token_of[index] for index in found.freed().tolist()} == set(adapted.freed)
    assert (found.base_rows, found.rows, found.base) == (base.rows, made.rows, base.digest)


def test_a_token_that_others_are_made_of_is_not_freed(base: Base) -> None:
    wanted = {rank for rank in range(256, len(base.tokens)) if not base.tokens[rank].isascii()}
    some = set(sorted(wanted)[::2])
    free = closed(base, some)
    assert free <= some
    reduced = arrange(base, free).reduced
    for rank, token in enumerate(base.tokens):
        reached = rank < 256 or base.merges[rank - 256] != NO_MERGE
        if rank not in free and reached and base.form == HF:
            assert reduced.encoder.pieces([token]) == [[base.ids[rank]]]


def test_a_neighbour_grows_by_no_more_than_its_bound(base: Base) -> None:
    korean = [text for text in ENGLISH if "안녕" in text]
    uses = uses_of(base, korean)
    free = closed(base, given_up(base, named(["Hangul", "Thai"])))
    held = protected(base, free, {"korean": uses}, 0.02)
    assert held < free
    made = arrange(base, held).reduced
    assert made.encoder.count(korean) <= 1.02 * base.encoder.count(korean)
    assert arrange(base, free).reduced.encoder.count(korean) > 1.02 * base.encoder.count(korean)


def test_a_text_without_cyrillic_and_one_too_small_are_refused(base: Base) -> None:
    with pytest.raises(ValueError, match="no Cyrillic"):
        learn(base, [count(ENGLISH, base.pattern)], set(), 10, SETTINGS)
    with pytest.raises(ValueError, match=r"\d+ tokens could be added, 100000 are wanted"):
        learn(base, counts(base), set(), 100_000, SETTINGS)


@pytest.mark.parametrize("name", ["Klingon", "Latin", "Cyrillic", "", "Han|x"])
def test_a_script_that_cannot_be_given_up_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=r"there is no script|cannot be given up"):
        named([name])


@pytest.mark.parametrize("way", WAYS)
def test_an_adapted_folder_can_be_evaluated(base: Base, way: str, tmp_path: Path) -> None:
    adapted = WAYS[way](base)
    write(adapted, tmp_path / "out")
    baseline = open_baseline(tmp_path / "out")
    ids, offsets = baseline.encode(UNSEEN)
    assert ids.tolist() == adapted.tokenizer.encoder.encode(UNSEEN[0])
    assert offsets.tolist() == [0, len(ids)]
    assert baseline.decode(ids.tolist()) == base.encoder.normalized(UNSEEN)[0]
