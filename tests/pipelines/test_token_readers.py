"""Files of token ids, opened by the readers of others; each is left out where it is not installed."""

from __future__ import annotations

import importlib.util
import json
import sys
import types
from pathlib import Path
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


def megatron_module() -> Any:
    """megatron.core.datasets.indexed_dataset without the rest of Megatron, which wants GPUs."""
    found = importlib.util.find_spec("megatron")
    places = list(found.submodule_search_locations or ()) if found else []
    path = next(
        (p for place in places if (p := Path(place) / "core/datasets/indexed_dataset.py").exists()), None
    )
    if path is None:
        pytest.skip("megatron-core is not installed")
    pytest.importorskip("torch")
    names = ["megatron", "megatron.core", "megatron.core.datasets", "megatron.core.msc_utils"]
    names += ["megatron.core.datasets.object_storage_utils", "megatron.core.utils"]
    for name in names:
        sys.modules.setdefault(name, types.ModuleType(name))
    storage, msc = sys.modules[names[4]], sys.modules[names[3]]
    storage.__dict__.update(
        ObjectStorageConfig=object,
        cache_index_file=None,
        dataset_exists=lambda *_: True,
        get_index_cache_path=None,
        get_object_storage_access=None,
        is_object_storage_path=lambda _: False,
        parse_s3_path=None,
        S3Client=None,
        S3Config=object,
        is_s3_path=lambda _: False,
    )
    msc.__dict__.update(MultiStorageClientFeature=types.SimpleNamespace(is_enabled=lambda: False))
    sys.modules[names[5]].__dict__.update(log_single_rank=lambda *_, **__: None)
    spec = importlib.util.spec_from_file_location("megatron_indexed_dataset", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore")
def test_megatron_core_reads_indexed_datasets(home: Path) -> None:
    before = dict(sys.modules)
    try:
        module = megatron_module()
        manifest = encoded(home, "megatron")
        data = module.IndexedDataset(str(home / "out" / manifest["shards"][0]["name"]))
        assert [one.tolist() for one in data[0 : len(data)]] == wanted(home)
        assert data.document_indices.tolist() == list(range(len(TEXTS) + 1))
        assert data.get(1, offset=2, length=3).tolist() == wanted(home)[1][2:5]
    finally:
        for name in set(sys.modules) - set(before):
            if name.startswith("megatron"):
                del sys.modules[name]


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
