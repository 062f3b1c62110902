"""Documents as token ids: exact ids, formats as their readers read them, bounds, splits, manifest, verify."""

from __future__ import annotations

import base64
import json
import re
import struct
from collections import Counter
from itertools import chain
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import documents as documents_module
from pipelines import registry
from pipelines.cli import run
from pipelines.encode import Encode, Figures, count
from pipelines.publish import split_fraction
from pipelines.tokens.coder import open_coder
from pipelines.tokens.formats import type_of
from pipelines.tokens.manifest import read_manifest
from tests.pipelines.stages import contents
from tests.pipelines.token_files import (
    END,
    FORMS,
    START,
    TEXTS,
    documents,
    encode,
    encoded,
    expected,
    home_in,
    library,
    read_litdata,
    write,
)
from tests.tokenizer.samples import out_of_order, small_vocabulary
from tokenizer.split import pattern_regex


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return home_in(tmp_path)


@pytest.mark.parametrize("form", FORMS)
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
        assert "decoded: as the manifest says" in capsys.readouterr().out
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


@pytest.mark.parametrize("kind", ["uint16", "int32"])
def test_chunks_of_litdata_hold_all_ids_and_are_listed(home: Path, kind: str) -> None:
    longest = max(map(len, expected(home, TEXTS)))
    settings = (f"encode.dtype={kind}", f"encode.shard_tokens={longest}")
    manifest = encoded(home, "--format", "litdata", *(part for one in settings for part in ("--set", one)))
    chunks = [read_litdata(home / "out" / entry.name, kind) for entry in manifest.shards]
    assert list(chain(*chunks)) == list(chain(*expected(home, TEXTS)))
    index = json.loads((home / "out/train/index.json").read_text())
    assert [one["dim"] for one in index["chunks"]] == list(map(len, chunks))
    for one in index["chunks"]:
        assert (home / "out/train" / one["filename"]).stat().st_size == one["chunk_bytes"]
    assert len(manifest.shards) > 2
    assert run(["verify", str(home / "out")]) == 0


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


def test_the_manifest_counts_by_columns(home: Path) -> None:
    write(home / "in/c.parquet", ["раз", "два", "три"], lang=["ru", "ru", None], quality=[0.05, 0.99, 1.0])
    manifest = encoded(home, "--end", END)
    assert manifest.documents_by["lang"] == {"ru": 2, "unknown": 1}
    assert manifest.documents_by["quality"] == {"0.9-1.0": 2, "0.0-0.1": 1}
    assert sum(manifest.tokens_by["source"].values()) == manifest.tokens
    assert manifest.documents_by["source"]["in/c.parquet"] == 3
    assert manifest.tokenizer["digest"] == open_coder(home / "tokenizer").digest
    assert manifest.options["end"] == END


def test_odd_values_are_counted_and_fail_nothing(home: Path) -> None:
    nan = float("nan")
    write(
        home / "in/c.parquet",
        ["раз", "два", "три", "четыре", "пять"],
        lang=[["ru"], ["ru"], None, [], ["ru", "be"]],
        quality=pa.array([nan, float("inf"), -1.0, None, 0.3]),
    )
    manifest = encoded(home)
    assert manifest.documents_by["quality"] == {"unknown": 2, "0.0-0.1": 1, "0.3-0.4": 1, "0.9-1.0": 1}
    assert manifest.documents_by["lang"] == {"['ru']": 2, "['ru', 'be']": 1, "[]": 1, "unknown": 1}


@given(
    qualities=st.lists(
        st.none() | st.floats(width=32) | st.floats(-0.5, 1.5, width=32) | st.just(1e308),
        min_size=1,
        max_size=40,
    ),
    kind=st.sampled_from([pa.float32(), pa.float64()]),
)
def test_counts_are_those_of_one_document_after_the_other(
    qualities: list[float | None], kind: pa.DataType
) -> None:
    batch = pa.record_batch({"quality": pa.array(qualities, kind)})
    figures = Figures({}, {}, {})
    lengths = np.arange(len(qualities))
    half = len(qualities) // 2
    count(figures, batch.slice(0, half), lengths[:half], "a")
    count(figures, batch.slice(half), lengths[half:], "a")
    tokens, documents = Counter[str](), Counter[str]()
    for value, length in zip(batch["quality"].to_pylist(), lengths.tolist(), strict=True):
        low = 0 if value is None or isnan(value) else int(min(max(value * 10, 0), 9))
        key = "unknown" if value is None or isnan(value) else f"{low / 10:.1f}-{(low + 1) / 10:.1f}"
        tokens[key] += length
        documents[key] += 1
    assert figures.documents["quality"] == documents
    assert figures.tokens["quality"] == tokens
    assert figures.documents["source"] == {"a": len(qualities)}


def test_columns_that_nothing_needs_are_not_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[list[str]] = []
    whole = documents_module._batches_of

    def recorded(file: Any, rows: int, groups: list[int], columns: list[str]) -> Any:
        read.append(sorted(columns))
        return whole(file, rows, groups, columns)

    monkeypatch.setattr(documents_module, "_batches_of", recorded)
    more = {"url": ["https://a.ru/", "https://b.ru/"], "quality": [0.1, 0.2], "title": ["раз", "два"]}
    for path in (home / "in").iterdir():
        path.unlink()
    write(home / "in/c.parquet", ["один", "два"], **more)
    encoded(home)
    encoded(home, "--format", "parquet", out="parquet")
    encoded(home, "--set", "encode.validation=0.5", out="held")
    assert read == [
        ["quality", "text"],
        ["doc_id", "quality", "text"],
        ["doc_id", "quality", "text", "url"],
    ]


def test_documents_without_text_are_counted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(home / "in/c.parquet", ["", None, "есть"])
    manifest = encoded(home)
    assert "left out: 2 empty_text\n" in capsys.readouterr().err
    assert manifest.dropped == {"empty_text": 2}
    assert manifest.documents == len(TEXTS) + 1


def test_no_file_of_dropped_rows_is_promised(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (home / "in").iterdir():
        path.unlink()
    write(home / "in/c.parquet", ["", None])
    assert encode(home) == 0
    said = capsys.readouterr().err
    assert "none of 2 documents is left (empty_text 2)\n" in said
    assert "inspect" not in said


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


@pytest.mark.parametrize("form", ["flat", "megatron", "parquet", "mds"])
@pytest.mark.parametrize(
    "more", [(), ("--end", END, "--set", "encode.sequence=64"), ("--set", "encode.shuffle=1")]
)
def test_threads_change_no_byte(
    home: Path, form: str, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home / "in/c.parquet", ["", None, *(f"{text} {n}" for n in range(400) for text in TEXTS)])
    for threads in (1, 3):
        monkeypatch.setattr("pipelines.engine.threads_a_task", lambda *_, threads=threads: threads)
        encoded(home, "--format", form, *more, out=f"out{threads}")
    assert contents(home / "out1") == contents(home / "out3")


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
        (("--format", "webdataset"), "encode.format is flat or megatron or datatrove or"),
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
        r"the document that begins 'Мама мыла .*' has \d+ tokens, a file of flat 100 at most: cut the ",
        capsys.readouterr().err,
    )
    assert encode(home, "--format", "parquet", "--set", "encode.shard_tokens=100", out="named") == 1
    assert re.search(
        r"document [0-9a-f]{32} has \d+ tokens, a file of parquet 100 at most: cut the document, or raise",
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


@pytest.mark.parametrize("blocks", [1, 2], ids=["numpy", "torch"])
def test_the_training_loops_of_the_guide_learn(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], blocks: int
) -> None:
    if blocks == 2:
        pytest.importorskip("torch")
    page = (Path(__file__).parents[2] / "docs/encode.md").read_text("utf-8")
    loops = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(loops) == 2
    assert max(len(loop.splitlines()) for loop in loops) <= 36
    encoded(home, "--end", END, "--set", "encode.sequence=32", out="out/demo/tokens")
    monkeypatch.chdir(home)
    capsys.readouterr()
    exec(compile("".join(loops[:blocks]), "docs/encode.md", "exec"), {})  # noqa: S102 - the guide's own program
    first, last = re.findall(r"\d+\.\d+", capsys.readouterr().out)[-2:]
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
