"""Files of token ids, opened by the readers of others; each is left out where it is not installed.

Readers that no package holds are looked for in clones of their repositories, in the folder that the
environment variable BUKVAR_READERS names: BUKVAR_READERS/OWNER/NAME.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import types
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.cli import run
from tests.tokenizer.samples import TEXT, small_vocabulary
from tokenizer.encode import Tokenizer

END = "<|end_of_text|>"
TEXTS = [*filter(None, TEXT.splitlines()), TEXT * 2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    small_vocabulary().save(tmp_path / "tokenizer")
    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "in.parquet")
    return tmp_path


def encoded(home: Path, form: str, *settings: str) -> dict[str, Any]:
    command = ["encode", str(home / "in.parquet"), "--tokenizer", str(home / "tokenizer"), "--end", END]
    command += ["--format", form, "--out", str(home / "out"), "--executor", "inline", "-q"]
    assert run([*command, *(part for one in settings for part in ("--set", one))]) == 0
    manifest: dict[str, Any] = json.loads((home / "out" / "manifest.json").read_text())
    return manifest


def wanted(home: Path) -> list[list[int]]:
    tokenizer = Tokenizer.from_file(home / "tokenizer")
    end = tokenizer.vocabulary.special_tokens[END]
    return [[*tokenizer.encode(text), end] for text in TEXTS]


def test_nanogpt_and_litgpt_map_flat_files(home: Path) -> None:
    """As nanoGPT's train.py does (get_batch): a memory map of uint16, a block and the block one further."""
    manifest = encoded(home, "flat")
    stream = [index for ids in wanted(home) for index in ids]
    data = np.memmap(home / "out" / f"{manifest['shards'][0]['name']}.bin", dtype=np.uint16, mode="r")
    assert data[5 : 5 + 8].astype(np.int64).tolist() == stream[5:13]
    assert data[6 : 6 + 8].astype(np.int64).tolist() == stream[6:14]
    assert len(data) == len(stream)


#: Parts of Megatron-Core that its IndexedDataset imports, which want GPUs or stores.
MEGATRON = {
    "megatron.core.datasets.object_storage_utils": {
        "ObjectStorageConfig": object,
        "cache_index_file": None,
        "dataset_exists": lambda *_: True,
        "get_index_cache_path": None,
        "get_object_storage_access": None,
        "is_object_storage_path": lambda _: False,
        "parse_s3_path": None,
        "S3Client": None,
        "S3Config": object,
        "is_s3_path": lambda _: False,
    },
    "megatron.core.msc_utils": {"MultiStorageClientFeature": SimpleNamespace(is_enabled=lambda: False)},
    "megatron.core.utils": {"log_single_rank": lambda *_, **__: None},
}
LOGGING = {"get_logger": lambda _: None, "info": lambda *_: None}
NEMO = "nemo.collections.nlp.data.language_modeling"
#: Repository -> path of its copy of Megatron's reader, and what this imports of the rest of it. Nanotron's
#: (nanotron/data/nemo_dataset) opens no file, its own neither: it reads `_doc_count`, which it never sets.
CLONES: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "EleutherAI/gpt-neox": (
        "megatron/data/indexed_dataset.py",
        {"megatron": {"print_rank_0": lambda *_: None}},
    ),
    "NVIDIA/NeMo": (
        "nemo/collections/nlp/data/language_modeling/megatron/indexed_dataset.py",
        {
            f"{NEMO}.megatron.indexed_retrieval_dataset": {
                "MMapRetrievalIndexedDataset": None,
                "MMapRetrievalIndexedDatasetBuilder": None,
            },
            f"{NEMO}.text_memmap_dataset": {"CSVMemMapDataset": None, "TextMemMapDataset": None},
            "nemo.utils": {"logging": SimpleNamespace(**LOGGING)},
        },
    ),
}


def reader_in(path: Path, rest: dict[str, dict[str, Any]], patch: pytest.MonkeyPatch) -> Any:
    """The module in a file, with names in the place of the modules that it imports."""
    pytest.importorskip("torch")
    for name, values in rest.items():
        parts = name.split(".")
        for count in range(1, len(parts)):
            parent = ".".join(parts[:count])
            patch.setitem(sys.modules, parent, sys.modules.get(parent) or types.ModuleType(parent))
        module = types.ModuleType(name)
        module.__dict__.update(values)
        patch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("reader_of_others", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    patch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def cloned(repository: str, path: str) -> Path:
    """A file of a clone."""
    clones = os.environ.get("BUKVAR_READERS")
    found = Path(clones or "") / repository / path
    if not clones or not found.exists():
        pytest.skip(f"no clone of {repository} in BUKVAR_READERS")
    return found


@pytest.mark.filterwarnings("ignore")
def test_megatron_core_reads_indexed_datasets(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.find_spec("megatron")
    places = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    found = [p for place in places if (p := place / "core/datasets/indexed_dataset.py").exists()]
    if not found:
        pytest.skip("megatron-core is not installed")
    module = reader_in(found[0], MEGATRON, monkeypatch)
    manifest = encoded(home, "megatron")
    data = module.IndexedDataset(str(home / "out" / manifest["shards"][0]["name"]))
    assert [one.tolist() for one in data[0 : len(data)]] == wanted(home)
    assert data.document_indices.tolist() == list(range(len(TEXTS) + 1))
    assert data.get(1, offset=2, length=3).tolist() == wanted(home)[1][2:5]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["uint16", "int32"])
@pytest.mark.parametrize("repository", list(CLONES))
def test_copies_of_megatrons_reader_take_them(
    home: Path, monkeypatch: pytest.MonkeyPatch, repository: str, kind: str
) -> None:
    path, rest = CLONES[repository]
    module = reader_in(cloned(repository, path), rest, monkeypatch)
    manifest = encoded(home, "megatron", f"encode.dtype={kind}")
    data = module.MMapIndexedDataset(str(home / "out" / manifest["shards"][0]["name"]))
    assert [data[number].tolist() for number in range(len(data))] == wanted(home)
    assert [one.tolist() for one in data[0 : len(data)]] == wanted(home)
    assert data.doc_idx.tolist() == list(range(len(TEXTS) + 1))
    assert data.sizes.tolist() == [len(ids) for ids in wanted(home)]
    assert data.get(1, offset=2, length=3).tolist() == wanted(home)[1][2:5]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["uint16", "uint32"])
def test_datatrove_reads_ds_files_for_nanotron(home: Path, kind: str) -> None:
    """Nanotron's Nanoset reads by this class: windows of a length and one more, and places in documents."""
    pytest.importorskip("torch")
    dataset = pytest.importorskip("datatrove.utils.dataset")
    encoded(home, "datatrove", f"encode.dtype={kind}")
    data = dataset.DatatroveFolderDataset(
        str(home / "out/train"), 7, "*.ds", token_size=np.dtype(kind).itemsize, return_positions=True
    )
    stream = [index for ids in wanted(home) for index in ids]
    places = [place for ids in wanted(home) for place in range(len(ids))]
    assert len(data) == len(stream) // 8
    for number in range(len(data)):
        window = slice(number * 8, number * 8 + 8)
        assert data[number]["input_ids"].tolist() == stream[window]
        first = places[window][0]  # places begin anew with a window
        begins = next((at for at, place in enumerate(places[window]) if not place), 8)
        expected = [place - first * (at < begins) for at, place in enumerate(places[window])]
        assert data[number]["positions"].tolist() == expected


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["uint16", "int32"])
def test_litgpt_reads_chunks_of_litdata(home: Path, kind: str) -> None:
    """As `litgpt pretrain --data LitData` opens them: its module, its loader."""
    torch = pytest.importorskip("torch")
    module = pytest.importorskip("litgpt.data.lit_data")
    manifest = encoded(home, "litdata", f"encode.dtype={kind}", "encode.shard_tokens=400")
    assert len(manifest["shards"]) > 1
    data = module.LitData(home / "out", split_names=("train", "validation"), num_workers=0)
    data.connect(batch_size=1, max_seq_length=8)
    stream, rows = iter(index for ids in wanted(home) for index in ids), []
    for one in sorted(manifest["shards"], key=lambda shard: shard["name"]):
        ids = [next(stream) for _ in range(one["tokens"])]
        rows += [ids[at : at + 9] for at in range(0, len(ids) - 8, 9)]
    found = [batch.long() for batch in data.train_dataloader()]
    assert sorted(torch.cat(found).tolist()) == sorted(rows)


@pytest.mark.filterwarnings("ignore")
def test_mosaicml_streaming_reads_mds(home: Path) -> None:
    streaming = pytest.importorskip("streaming")
    encoded(home, "mds")
    data = streaming.StreamingDataset(local=str(home / "out"), split="train", batch_size=1, shuffle=False)
    assert [data[at]["tokens"].tolist() for at in range(len(data))] == wanted(home)


def test_the_index_of_mds_names_every_shard(home: Path) -> None:
    encoded(home, "mds", "encode.shard_tokens=400")
    index = json.loads((home / "out/train/index.json").read_text())
    assert index["version"] == 2
    assert len(index["shards"]) > 1
    for shard in index["shards"]:
        file = home / "out/train" / shard["raw_data"]["basename"]
        assert file.stat().st_size == shard["raw_data"]["bytes"]


@pytest.mark.filterwarnings("ignore")
def test_datasets_read_columns_of_ids(home: Path) -> None:
    datasets = pytest.importorskip("datasets")
    manifest = encoded(home, "parquet")
    files = [str(home / "out" / f"{shard['name']}.parquet") for shard in manifest["shards"]]
    data = datasets.load_dataset("parquet", data_files=files, cache_dir=str(home / "cache"), split="train")
    assert [row["ids"] for row in data] == wanted(home)
