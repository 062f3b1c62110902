"""Documents as token ids: exact ids, formats as their readers read them, bounds, splits, manifest, verify."""

from __future__ import annotations

import base64
import json
import re
import struct
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from corpus import table
from pipelines import registry
from pipelines.cli import run
from pipelines.encode import Encode
from pipelines.publish import split_fraction
from pipelines.tokens.coder import open_coder
from pipelines.tokens.formats import type_of
from pipelines.tokens.manifest import Manifest, read_manifest
from pipelines.tokens.packing import Packer
from pipelines.tokens.shards import Documents
from tests.pipelines.stages import contents
from tests.tokenizer.samples import TEXT, out_of_order, small_vocabulary
from tokenizer.split import pattern_regex

START, END = "<|begin_of_text|>", "<|end_of_text|>"
#: Documents: lines of the sample, one that spells a special token, one of many lines, odd characters.
TEXTS = [*filter(None, TEXT.splitlines()), f"до {END} после", TEXT * 3, "🦊\u0000\u0301", " "]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two shards of documents, and a tokenizer."""
    small_vocabulary().save(tmp_path / "tokenizer")
    (tmp_path / "in").mkdir()
    for name, texts in {"a": TEXTS[:4], "b": TEXTS[4:]}.items():
        write(tmp_path / f"in/{name}.parquet", texts)
    return tmp_path


def write(path: Path, texts: list[str | None], **more: list[Any]) -> None:
    ids = pa.array([table.doc_id(f"{path.stem}:{n}") for n in range(len(texts))], pa.binary(16))
    pq.write_table(pa.table({"doc_id": ids, "text": pa.array(texts, pa.string()), **more}), path)


def encode(home: Path, *arguments: str, out: str = "out", tokenizer: str = "tokenizer") -> int:
    base = ["encode", str(home / "in"), "--tokenizer", str(home / tokenizer), "--out", str(home / out)]
    return run([*base, "--executor", "inline", "--quiet", *arguments])


def encoded(home: Path, *arguments: str, out: str = "out", tokenizer: str = "tokenizer") -> Manifest:
    assert encode(home, *arguments, out=out, tokenizer=tokenizer) == 0
    return read_manifest(str(home / out))


def library(home: Path, tokenizer: str = "tokenizer") -> tokenizers.Tokenizer:
    theirs = tokenizers.Tokenizer.from_file(str(home / tokenizer / "tokenizer.json"))
    theirs.encode_special_tokens = True  # text that spells a special token is ordinary text
    return theirs


def expected(
    home: Path, texts: list[str], start: int | None = None, end: int | None = None
) -> list[list[int]]:
    """The ids of documents by the tokenizers library."""
    theirs = library(home)
    around = ([] if start is None else [start], [] if end is None else [end])
    return [around[0] + theirs.encode(text, add_special_tokens=False).ids + around[1] for text in texts]


def read_flat(stem: Path, kind: str) -> list[list[int]]:
    """Documents of a flat file, as a training loop reads them."""
    offsets = np.load(stem.with_name(stem.name + ".npy"))
    assert offsets.dtype == np.uint64
    ids = np.memmap(stem.with_name(stem.name + ".bin"), dtype=kind, mode="r")
    return [ids[int(a) : int(b)].tolist() for a, b in pairwise(offsets)]


def read_megatron(stem: Path) -> list[list[int]]:
    """Documents of an indexed dataset, read slowly by the definition of its bytes."""
    index = stem.with_name(stem.name + ".idx").read_bytes()
    data = stem.with_name(stem.name + ".bin").read_bytes()
    assert index[:9] == b"MMIDIDX\x00\x00"
    version, code, sequences, documents = struct.unpack_from("<QBQQ", index, 9)
    letter = {4: "i", 8: "H"}[code]
    width = struct.calcsize(letter)
    at = 34
    sizes = struct.unpack_from(f"<{sequences}i", index, at)
    pointers = struct.unpack_from(f"<{sequences}q", index, at + 4 * sequences)
    bounds = struct.unpack_from(f"<{documents}q", index, at + 12 * sequences)
    assert version == 1
    assert at + 12 * sequences + 8 * documents == len(index)
    found = [list(struct.unpack_from(f"<{n}{letter}", data, p)) for n, p in zip(sizes, pointers, strict=True)]
    assert sum(sizes) * width == len(data)
    return [list(chain(*found[a:b])) for a, b in pairwise(bounds)]


def read_columns(stem: Path) -> list[list[int]]:
    rows = pq.read_table(stem.with_name(stem.name + ".parquet"))
    assert rows.schema.field("ids").type == pa.list_(pa.uint32())
    assert rows["length"].to_pylist() == [len(ids) for ids in rows["ids"].to_pylist()]
    return rows["ids"].to_pylist()


def read_mds(stem: Path, kind: str) -> list[list[int]]:
    """Samples of a shard of MosaicML streaming, read slowly by the definition of its bytes."""
    data = stem.with_name(stem.name + ".mds").read_bytes()
    samples = struct.unpack_from("<I", data)[0]
    offsets = struct.unpack_from(f"<{samples + 1}I", data, 4)
    about = json.loads(data[4 * (samples + 2) : offsets[0]])
    assert about["column_encodings"] == [f"ndarray:{kind}"]
    assert offsets[-1] == len(data)
    letter = {"uint16": "H", "uint32": "I"}[kind]
    found = []
    for start, end in pairwise(offsets):
        size, shape, length = struct.unpack_from("<IBI", data, start)
        assert (size, shape) == (end - start - 4, 1 << 2 | 2)  # one axis, its length in a uint32
        found.append(list(struct.unpack_from(f"<{length}{letter}", data, start + 9)))
    return found


def documents(home: Path, manifest: Manifest, split: str = "train", out: str = "out") -> list[list[int]]:
    """All documents of a split, by its format's reader."""
    found: list[list[int]] = []
    for entry in manifest.shards:
        if entry.split == split:
            stem = home / out / entry.name
            match manifest.format:
                case "flat":
                    found += read_flat(stem, manifest.dtype)
                case "megatron":
                    found += read_megatron(stem)
                case "mds":
                    found += read_mds(stem, manifest.dtype)
                case _:
                    found += read_columns(stem)
    return found


@pytest.mark.parametrize("form", ["flat", "megatron", "parquet", "mds"])
class TestEveryFormat:
    def test_holds_the_ids_of_the_library(self, home: Path, form: str) -> None:
        manifest = encoded(home, "--format", form)
        assert documents(home, manifest) == expected(home, TEXTS)
        assert manifest.tokens == sum(map(len, expected(home, TEXTS)))
        assert manifest.documents == len(TEXTS)
        assert manifest.dtype == ("uint32" if form == "parquet" else "uint16")

    def test_puts_named_tokens_around_documents(self, home: Path, form: str) -> None:
        names = small_vocabulary().special_tokens
        manifest = encoded(home, "--format", form, "--start", START, "--end", END)
        assert documents(home, manifest) == expected(home, TEXTS, names[START], names[END])
        only_end = encoded(home, "--format", form, "--end", END, out="end")
        assert documents(home, only_end, out="end") == expected(home, TEXTS, None, names[END])

    def test_begins_a_new_file_at_a_document(self, home: Path, form: str) -> None:
        longest = max(map(len, expected(home, TEXTS)))
        manifest = encoded(home, "--format", form, "--set", f"encode.shard_tokens={longest}")
        assert documents(home, manifest) == expected(home, TEXTS)
        assert len(manifest.shards) > 2
        assert max(entry.tokens for entry in manifest.shards) == longest
        assert run(["verify", str(home / "out")]) == 0

    def test_is_the_same_bytes_again(self, home: Path, form: str) -> None:
        encoded(home, "--format", form, out="one")
        encoded(home, "--format", form, out="two")
        assert contents(home / "one") == contents(home / "two")

    def test_is_verified_and_damage_is_found(
        self, home: Path, form: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        manifest = encoded(home, "--format", form, "--end", END)
        assert run(["verify", str(home / "out")]) == 0
        assert "documents decoded" in capsys.readouterr().out
        first = manifest.shards[0]
        for ending in first.files:
            path = home / "out" / f"{first.name}{ending}"
            whole = path.read_bytes()
            path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
            assert run(["verify", str(home / "out")]) == 1
            assert f"{first.name}{ending}: content differs" in capsys.readouterr().out
            path.unlink()
            assert run(["verify", str(home / "out")]) == 1
            assert f"{first.name}{ending}: missing" in capsys.readouterr().out
            path.write_bytes(whole)
        (home / "out/train/more.bin").write_bytes(b"")
        assert run(["verify", str(home / "out")]) == 1
        assert "train/more.bin: not in the manifest" in capsys.readouterr().out


def test_the_megatron_index_byte_by_byte(home: Path) -> None:
    manifest = encoded(home, "--format", "megatron", "--set", "encode.dtype=int32")
    entry = next(e for e in manifest.shards if "/a-" in e.name)
    sizes = [len(ids) for ids in expected(home, TEXTS[:4])]
    starts = [4 * sum(sizes[:n]) for n in range(4)]
    index = b"MMIDIDX\x00\x00" + struct.pack("<QBQQ", 1, 4, 4, 5)
    index += struct.pack("<4i", *sizes) + struct.pack("<4q", *starts) + struct.pack("<5q", *range(5))
    assert (home / "out" / f"{entry.name}.idx").read_bytes() == index
    ids = list(chain(*expected(home, TEXTS[:4])))
    assert (home / "out" / f"{entry.name}.bin").read_bytes() == struct.pack(f"<{len(ids)}i", *ids)


def test_verify_decodes_what_checksums_can_not_know(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A manifest and files that agree with each other, of ids that are not those of the documents."""
    encoded(home)
    path = home / "out/manifest.json"
    about = json.loads(path.read_text())
    about["shards"][0]["samples"][0][0] += 1
    path.write_text(json.dumps(about))
    assert run(["verify", str(home / "out")]) == 1
    assert "do not decode to the document" in capsys.readouterr().out


def foreign(home: Path, kind: str) -> None:
    """A tokenizer that is no folder of ours, made of our sample."""
    folder = home / kind
    folder.mkdir()
    if kind == "ranks":
        for name in ("ranks.tiktoken", "tiktoken.json"):
            (folder / name).write_bytes((home / "tokenizer" / name).read_bytes())
    elif kind == "tekken":
        vocabulary = small_vocabulary()
        entries = [
            {"rank": rank, "token_bytes": base64.b64encode(token).decode()}
            for rank, token in enumerate(vocabulary.tokens)
        ]
        config = {
            "pattern": pattern_regex(vocabulary.pattern),
            "default_num_special_tokens": 20,
            "default_vocab_size": 20 + len(entries),
        }
        (folder / "tekken.json").write_text(json.dumps({"config": config, "vocab": entries}))
    elif kind == "out_of_order":
        out_of_order().save(folder)
    else:
        about = json.loads((home / "tokenizer/tokenizer.json").read_text())
        vocab, special = about["model"]["vocab"], {token["content"] for token in about["added_tokens"]}
        last = max(index for token, index in vocab.items() if token not in special)
        about["model"]["vocab"] = {
            token: index if token in special else last - index for token, index in vocab.items()
        }
        (folder / "tokenizer.json").write_text(json.dumps(about))


@pytest.mark.parametrize("kind", ["ranks", "tekken", "out_of_order", "own_ids"])
def test_foreign_tokenizers_give_their_ids(home: Path, kind: str) -> None:
    foreign(home, kind)
    manifest = encoded(home, tokenizer=kind)
    if (home / kind / "tokenizer.json").is_file():
        theirs = library(home, kind)
        wanted = [theirs.encode(text, add_special_tokens=False).ids for text in TEXTS]
    else:  # Tekken's ids begin after its special tokens
        wanted = [[index + 20 * (kind == "tekken") for index in ids] for ids in expected(home, TEXTS)]
    assert documents(home, manifest) == wanted
    assert run(["verify", str(home / "out")]) == 0


def test_a_normalizer_is_heeded_and_verified(home: Path) -> None:
    about = json.loads((home / "tokenizer/tokenizer.json").read_text())
    about["normalizer"] = {"type": "NFC"}
    (home / "nfc").mkdir()
    (home / "nfc/tokenizer.json").write_text(json.dumps(about))
    text = "и\u0306 е\u0308"
    write(home / "in/c.parquet", [text])
    manifest = encoded(home, tokenizer="nfc")
    theirs = library(home, "nfc")
    assert documents(home, manifest)[-1] == theirs.encode(text, add_special_tokens=False).ids
    assert run(["verify", str(home / "out")]) == 0


class TestSplits:
    def test_follow_the_host_and_lose_nothing(self, home: Path) -> None:
        hosts = [f"h{n % 40}.ru" for n in range(200)]
        write(home / "in/c.parquet", [f"Текст {n}" for n in range(200)], host=hosts)
        plain = documents(home, encoded(home, out="plain"), out="plain")
        manifest = encoded(home, "--set", "encode.validation=0.3")
        held = documents(home, manifest, "validation")
        assert sorted(documents(home, manifest) + held) == sorted(plain)
        chosen = {host for host in hosts if split_fraction(host) < 0.3}
        assert 0 < len(chosen) < 40
        texts = [f"Текст {n}" for n in range(200) if hosts[n] in chosen]
        found = [ids for ids in expected(home, texts) if ids in held]
        assert len(found) == len(texts)
        assert {s: t.documents for s, t in manifest.splits.items()} == {
            "train": len(plain) - len(held),
            "validation": len(held),
        }
        assert run(["verify", str(home / "out")]) == 0


def test_what_a_dataset_held_out_stays_held_out(home: Path) -> None:
    (home / "in/b.parquet").rename(home / "in/validation-00000-of-00001.parquet")
    manifest = encoded(home)
    assert documents(home, manifest, "validation") == expected(home, TEXTS[4:])
    assert documents(home, manifest) == expected(home, TEXTS[:4])


class TestPacked:
    """Documents in sequences of one length: by the stage, and by the packer over many windows."""

    @pytest.mark.parametrize("form", ["flat", "megatron", "parquet", "mds"])
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

    @pytest.mark.parametrize("form", ["flat", "megatron", "parquet", "mds"])
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


def test_the_manifest_counts_by_columns(home: Path) -> None:
    write(home / "in/c.parquet", ["раз", "два", "три"], lang=["ru", "ru", None], quality=[0.05, 0.99, 1.0])
    manifest = encoded(home, "--end", END)
    assert manifest.documents_by["lang"] == {"ru": 2, "unknown": 1}
    assert manifest.documents_by["quality"] == {"0.9-1.0": 2, "0.0-0.1": 1}
    assert sum(manifest.tokens_by["source"].values()) == manifest.tokens
    assert manifest.documents_by["source"]["in/c.parquet"] == 3
    assert manifest.tokenizer["digest"] == open_coder(home / "tokenizer").digest
    assert manifest.options["end"] == END


def test_documents_without_text_are_counted(home: Path) -> None:
    write(home / "in/c.parquet", ["", None, "есть"])
    manifest = encoded(home)
    assert manifest.dropped == {"empty_text": 2}
    assert manifest.documents == len(TEXTS) + 1


def test_text_that_is_no_utf8_is_counted_and_the_rest_encoded(home: Path) -> None:
    raw = pa.array([b"one", b"\xff\xfe", "два".encode(), b"\xd0"], pa.large_binary())
    texts = pa.Array.from_buffers(pa.large_string(), 4, raw.buffers())
    (home / "in/a.parquet").unlink()
    (home / "in/b.parquet").unlink()
    pq.write_table(pa.table({"text": texts}), home / "in/bad.parquet")
    manifest = encoded(home)
    assert documents(home, manifest) == expected(home, ["one", "два"])
    assert manifest.dropped == {"malformed_row": 2}
    assert run(["verify", str(home / "out")]) == 0


def test_nothing_is_done_twice_and_an_earlier_cut_goes(home: Path) -> None:
    longest = max(map(len, expected(home, TEXTS)))
    encoded(home, "--set", f"encode.shard_tokens={longest}")
    manifest = encoded(home, "--redo")
    assert len(manifest.shards) == 2
    assert run(["verify", str(home / "out")]) == 0
    encoded(home, out="fresh")
    assert contents(home / "out") == contents(home / "fresh")
    before = {p: p.stat().st_mtime_ns for p in (home / "out/train").iterdir()}
    encoded(home)
    assert before == {p: p.stat().st_mtime_ns for p in (home / "out/train").iterdir()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--end", "<|нет|>"), "no special token '<|нет|>'; it has <|begin_of_text|>"),
        (("--format", "webdataset"), "encode.format is flat or megatron or parquet or mds"),
        (("--format", "parquet", "--set", "encode.dtype=uint16"), "parquet has ids of uint32"),
        (("--set", "encode.shard_tokens=3000000000"), "which readers count to"),
        (("--set", "encode.validation=1"), "below 1"),
        (("--tokenizer", "nowhere"), "nowhere"),
        (("--set", "encode.sequence=8"), "encode.sequence needs encode.end"),
        (("--end", END, "--set", "encode.packing=some"), "encode.packing is cut or whole"),
        (("--end", END, "--set", "encode.pad=<|p|>"), "encode.pad: the tokenizer has no special token"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(
    home: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert encode(home, *arguments) == 2
    assert message in capsys.readouterr().err
    assert not (home / "out").exists()


def test_a_document_longer_than_a_file_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert encode(home, "--set", "encode.shard_tokens=100") == 1
    assert re.search(
        r"document [0-9a-f]{32} has \d+ tokens, a file of flat 100 at most: cut the document, or raise",
        capsys.readouterr().err,
    )
    assert not (home / "out/manifest.json").exists()


def test_another_tokenizer_is_named_and_not_its_digests(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoded(home)
    assert encode(home, "--tokenizer", "ru-32k") == 2
    message = capsys.readouterr().err
    assert re.search(r"made with other parameters \(tokenizer .*tokenizer.json.* -> .*; choose", message)
    assert not re.search("[0-9a-f]{32}", message)


def test_types_hold_every_id() -> None:
    assert type_of("flat", 65_536) == "uint16"
    assert type_of("flat", 65_537) == "uint32"
    assert type_of("megatron", 65_499) == "uint16"
    assert type_of("megatron", 65_500) == "int32"
    assert type_of("megatron", 65_536, "uint16") == "uint16"
    for form, size, wanted, advice in [
        ("flat", 65_537, "uint16", "leave it empty or take uint32"),
        ("megatron", 2**31 + 1, "", "take another tokenizer"),
        ("flat", 2**32 + 1, "", "take another tokenizer"),
    ]:
        with pytest.raises(ValueError, match=f"do not fit .*: {advice}"):
            type_of(form, size, wanted)


def test_an_added_token_of_ordinary_text_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    about = json.loads((home / "tokenizer/tokenizer.json").read_text())
    added = dict(about["added_tokens"][0]) | {"id": 5000, "content": "    ", "special": False}
    about["added_tokens"].append(added)
    (home / "spaces").mkdir()
    (home / "spaces/tokenizer.json").write_text(json.dumps(about))
    assert encode(home, tokenizer="spaces") == 2
    assert "is ordinary text" in capsys.readouterr().err


def test_the_training_loop_of_the_guide_learns(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs/encode.md").read_text("utf-8")
    loop = re.search(r"```python\n(.*?)```", page, re.S)
    assert loop
    assert len(loop[1].splitlines()) <= 36
    encoded(home, "--end", END, "--set", "encode.sequence=32", out="out/demo/tokens")
    monkeypatch.chdir(home)
    capsys.readouterr()
    exec(compile(loop[1], "docs/encode.md", "exec"), {})  # noqa: S102 - the guide's own program
    first, last = re.findall(r"\d+\.\d+", capsys.readouterr().out)
    assert float(last) < float(first) - 1


def test_a_run_encodes_by_the_tokenizer_that_it_trains(home: Path) -> None:
    recipe = home / "recipe.toml"
    recipe.write_text(
        f"""name = "tokens"
[input]
paths = ["{home / "in"}"]
[run]
stages = ["clean", "train", "encode"]
executor = "inline"
[train]
vocab_size = 290
held_out = 0
[encode]
end = "<|end_of_text|>"
""",
        "utf-8",
    )
    assert run(["run", str(recipe), "--out", str(home / "run"), "--quiet"]) == 0
    manifest = read_manifest(str(home / "run/tokens"))
    assert manifest.tokenizer["digest"] == open_coder(home / "run/tokenizer").digest
    assert manifest.documents > 0
    assert run(["verify", str(home / "run/tokens")]) == 0


def test_the_row_of_the_registry() -> None:
    row = registry.row_of("encode")
    assert row.load() is Encode
    assert not row.default
    assert row.takes == {"tokenizer": "train"}


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

    @pytest.mark.parametrize("form", ["flat", "megatron", "parquet", "mds"])
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
