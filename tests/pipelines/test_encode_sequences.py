"""Token ids in sequences: documents packed, cut or whole, and shuffled over all inputs by a seed."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cli import run
from pipelines.tokens.manifest import read_manifest
from pipelines.tokens.packing import Packer
from pipelines.tokens.shards import Documents
from tests.pipelines.stages import contents
from tests.pipelines.token_files import END, FORMS, TEXTS, documents, encoded, expected, home_in
from tests.tokenizer.samples import small_vocabulary


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return home_in(tmp_path)


class TestPacked:
    """Documents in sequences of one length: by the stage, and by the packer over many windows."""

    @pytest.mark.parametrize("packing", ["cut", "whole"])
    def test_sequences_of_long_documents_hold_no_copies_of_their_texts(self, packing: str) -> None:
        lengths, text = [40_000, 7, 40_000], "слово" * 10_000
        texts = pa.array([text, "кратко", text], pa.large_string())
        keys = pa.array([bytes([n]) * 16 for n in range(3)], pa.binary(16))
        given_ids = np.ones(sum(lengths), np.uint32)
        packer = Packer(40, packing, 0)
        list(packer.add(Documents(given_ids, np.array(lengths, np.int64), keys, texts)))
        (found,) = packer.close()
        assert len(found) > 2_000
        assert sum(len(one) for one in found.texts.drop_null().to_pylist()) <= len("кратко")

    @pytest.mark.parametrize("form", FORMS)
    def test_cut_is_the_stream_of_documents(self, home: Path, form: str) -> None:
        end = small_vocabulary().special_tokens[END]
        manifest = encoded(
            home, "--format", form, "--end", END, "--set", "encode.sequence=40", "--set", "encode.packing=cut"
        )
        found = documents(home, manifest)
        assert {len(one) for one in found} == {40}
        wanted: list[int] = []
        padding = 0
        for texts in (TEXTS[:4], TEXTS[4:]):
            stream = list(chain(*expected(home, texts, None, end)))
            padding += -len(stream) % 40
            wanted += stream + [end] * (-len(stream) % 40)
        assert list(chain(*found)) == wanted
        assert manifest.packed["train"].padding == padding
        assert manifest.packed["train"].padding_share == round(padding / len(wanted), 4)
        assert manifest.documents == len(TEXTS)
        assert run(["verify", str(home / "out")]) == 0

    @pytest.mark.parametrize("form", FORMS)
    def test_whole_cuts_no_document_that_fits(self, home: Path, form: str) -> None:
        names = small_vocabulary().special_tokens
        manifest = encoded(
            home,
            "--format",
            form,
            "--end",
            END,
            "--set",
            "encode.sequence=100",
            "--set",
            "encode.pad=<|pad|>",
        )
        found = documents(home, manifest)
        for ids in expected(home, TEXTS, None, names[END]):
            if len(ids) <= 100:
                assert any(one[at : at + len(ids)] == ids for one in found for at in range(101 - len(ids)))
        long = sum(len(ids) > 100 for ids in expected(home, TEXTS, None, names[END]))
        assert manifest.packed["train"].cut == long == 1
        assert manifest.packed["train"].padding == sum(one.count(names["<|pad|>"]) for one in found) > 0
        assert any(entry.samples for entry in manifest.shards)
        assert run(["verify", str(home / "out")]) == 0

    @given(
        lengths=st.lists(st.integers(1, 30), min_size=1, max_size=60),
        length=st.integers(1, 12),
        packing=st.sampled_from(["cut", "whole"]),
        window=st.integers(12, 80),
        batch=st.integers(1, 9),
    )
    def test_every_token_stands_once(
        self, lengths: list[int], length: int, packing: str, window: int, batch: int
    ) -> None:
        """Ids name their document and place; pad is 0."""
        packer = Packer(length, packing, 0, window)
        rows: list[list[int]] = []
        for first in range(0, len(lengths), batch):
            some = lengths[first : first + batch]
            ids = [1000 * (first + n + 1) + place for n, size in enumerate(some) for place in range(size)]
            keys = pa.array([n.to_bytes(16, "big") for n in range(first, first + len(some))], pa.binary(16))
            texts = pa.array([str(n) for n in range(first, first + len(some))], pa.large_string())
            given_ids = np.array(ids, np.uint32)
            for one in packer.add(Documents(given_ids, np.array(some, np.int64), keys, texts)):
                rows += check_sequences(one, length, lengths)
        for one in packer.close():
            rows += check_sequences(one, length, lengths)
        flat = [index for row in rows for index in row]
        tokens = [index for index in flat if index]
        wanted = [1000 * (n + 1) + place for n, size in enumerate(lengths) for place in range(size)]
        assert (tokens if packing == "cut" else sorted(tokens)) == wanted
        homes: dict[int, set[int]] = {}
        for number, row in enumerate(rows):
            for index in filter(None, row):
                homes.setdefault(index // 1000, set()).add(number)
        cut = sum(len(found) > 1 for found in homes.values())
        counts = packer.counts
        assert (counts.documents, counts.cut) == (len(lengths), cut)
        assert (counts.sequences, counts.padding) == (len(rows), len(flat) - len(tokens))
        if packing == "whole":
            assert cut == sum(size > length for size in lengths)
        else:
            assert counts.padding < length


def check_sequences(found: Documents, length: int, lengths: list[int]) -> list[list[int]]:
    """Rows of sequences, after checks of what is said of their first documents."""
    rows = [row.tolist() for row in found.ids.reshape(-1, length)]
    assert found.wholes is not None
    for row, whole, key in zip(rows, found.wholes.tolist(), found.doc_ids.to_pylist(), strict=True):
        number = int.from_bytes(key, "big")
        assert row[0] // 1000 == number + 1
        fits = row[0] % 1000 == 0 and lengths[number] <= length
        assert whole == (lengths[number] if fits and whole else 0)
        if whole:
            assert row[:whole] == [1000 * (number + 1) + place for place in range(whole)]
    return rows


def sequences(found: list[list[int]], length: int = 32) -> list[list[int]]:
    """All ids, cut into sequences."""
    ids = list(chain(*found))
    return [ids[at : at + length] for at in range(0, len(ids), length)]


class TestShuffled:
    def test_holds_every_document_once_in_the_order_of_a_seed(self, home: Path) -> None:
        plain = documents(home, encoded(home, "--end", END, out="plain"), out="plain")
        one = documents(home, encoded(home, "--end", END, "--set", "encode.shuffle=1"))
        two = documents(home, encoded(home, "--end", END, "--set", "encode.shuffle=2", out="two"), out="two")
        assert sorted(one) == sorted(two) == sorted(plain)
        assert len({str(order) for order in (plain, one, two)}) == 3

    def test_is_the_same_bytes_again_and_verified(self, home: Path) -> None:
        for out in ("one", "two"):
            encoded(home, "--end", END, "--set", "encode.shuffle=1", out=out)
            assert run(["verify", str(home / out)]) == 0
        assert contents(home / "one") == contents(home / "two")
        manifest = read_manifest(str(home / "one"))
        assert any(entry.samples for entry in manifest.shards)
        assert manifest.documents == len(TEXTS)
        assert sum(manifest.tokens_by["source"].values()) == manifest.tokens

    @pytest.mark.parametrize("form", FORMS)
    def test_packs_first_and_shuffles_sequences(self, home: Path, form: str) -> None:
        settings = ("--format", form, "--end", END, "--set", "encode.sequence=32")
        plain = documents(home, encoded(home, *settings, out="plain"), out="plain")
        found = documents(home, encoded(home, *settings, "--set", "encode.shuffle=7"))
        if form == "flat":
            plain, found = sequences(plain), sequences(found)
        assert sorted(found) == sorted(plain)
        assert run(["verify", str(home / "out")]) == 0

    def test_many_ranges_and_small_spools_give_the_same_documents(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pipelines.tokens import shuffling

        whole = encoded(home, "--set", "encode.shuffle=1", out="whole")
        monkeypatch.setattr(shuffling, "RANGE_BYTES", 1_000)
        monkeypatch.setattr(shuffling, "SPOOL_BYTES", 100)
        parted = encoded(home, "--set", "encode.shuffle=1", "--set", "encode.validation=0.3")
        assert len(parted.shards) > 3
        found = documents(home, parted) + documents(home, parted, "validation")
        assert sorted(found) == sorted(documents(home, whole, out="whole"))
