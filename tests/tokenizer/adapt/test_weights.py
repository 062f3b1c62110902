"""A checkpoint in new ids: what is kept, moved and new; files, configuration."""

from __future__ import annotations

import errno
import json
import os
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tokenizer.adapt import checkpoints as made
from tokenizer.adapt import weights_matrix
from tokenizer.adapt.idmap import IdMap, Row
from tokenizer.adapt.weights import Options, Report, adapt_weights
from tokenizer.adapt.weights_files import open_checkpoint, read_shard, to_floats
from tokenizer.adapt.weights_rows import METHODS
from tokenizer.adapt.weights_verify import verify


def matrix(folder: Path, name: str) -> np.ndarray:
    """A matrix as float32."""
    tensor = open_checkpoint(folder).tensors[name]
    raw = np.frombuffer(tensor.path.read_bytes()[tensor.begin : tensor.end], np.uint8)
    return to_floats(raw, tensor.dtype, tensor.columns)


@pytest.mark.parametrize("kind", made.KINDS, ids=lambda kind: kind.model_type)
@pytest.mark.parametrize("dtype", ["BF16", "F16", "F32"])
@pytest.mark.parametrize("shards", [1, 3])
def test_all_proofs_hold(tmp_path: Path, kind: made.Kind, dtype: str, shards: int) -> None:
    model = made.write_model(tmp_path / "model", kind, dtype=dtype, shards=shards)
    for number, id_map in enumerate((made.extended(), made.replaced())):
        for method in METHODS:
            out = tmp_path / f"out-{number}-{method}"
            adapt_weights(model, id_map, out, Options(method=method, pad_to=32))
            failed = [str(proof) for proof in verify(model, out) if not proof.ok]
            assert not failed


def test_rows_are_where_the_map_says(tmp_path: Path) -> None:
    """Seen without the verifier: kept and moved rows, padding, the other tensors."""
    model = made.write_model(tmp_path / "model", dtype="F32")
    id_map = made.replaced()
    report = adapt_weights(model, id_map, tmp_path / "out", Options(pad_to=100, padding="zero"))
    before, after = (matrix(folder, "lm_head.weight") for folder in (model, tmp_path / "out"))
    new_ids, old_ids = id_map.kept()
    assert np.array_equal(after[new_ids], before[old_ids])
    assert (new_ids != old_ids).any()
    assert after.shape == (300, made.WIDTH)
    assert not after[270:].any()
    # Rows that the base's tokenizer does not name (the hole 259, padding 263 to 269) stay.
    assert np.array_equal(after[259], before[259])
    assert np.array_equal(after[263:270], before[263:])
    assert (report.kept, report.new, report.padding) == (252, 10, 38)
    assert report.moved == np.count_nonzero(new_ids != old_ids)
    others = open_checkpoint(tmp_path / "out").tensors
    for name, tensor in open_checkpoint(model).tensors.items():
        if name not in ("lm_head.weight", "model.embed_tokens.weight"):
            old = tensor.path.read_bytes()[tensor.begin : tensor.end]
            assert others[name].path.read_bytes()[others[name].begin : others[name].end] == old


def test_mean_is_the_mean_of_the_pieces(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model", dtype="F32")
    id_map = made.extended()
    adapt_weights(model, id_map, tmp_path / "out", Options(method="mean"))
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        before, after = matrix(model, name), matrix(tmp_path / "out", name)
        low, high = np.percentile(np.linalg.norm(before[_named(id_map)], axis=1), (1, 99))
        for new_id, pieces in zip(*id_map.new(), strict=True):
            row = before[pieces].mean(axis=0)
            norm = float(np.linalg.norm(row))
            row *= min(max(norm, low), high) / norm
            assert after[new_id] == pytest.approx(row, abs=1e-5)


def _named(id_map: IdMap) -> np.ndarray:
    """Old ids of which the map has rows, and that stay or are pieces."""
    pieces = [piece for some in id_map.new()[1] for piece in some]
    return np.union1d(id_map.kept()[1], np.union1d(pieces, [259, *range(263, 263)])).astype(np.int64)


def test_config_and_generation_config_name_the_new_ids(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model")
    about = json.loads((model / "config.json").read_text())
    about |= {"pad_token_id": 125, "image_token_index": 126, "num_experts_per_tok": 125}
    (model / "config.json").write_text(json.dumps(about))
    id_map = made.replaced()
    places = dict(zip(*(ids.tolist() for ids in reversed(id_map.kept())), strict=True))
    generation = {"bos_token_id": 260, "suppress_tokens": [121, 122, -1], "max_length": 121}
    generation["forced_decoder_ids"] = [[121, 121]]
    (model / "generation_config.json").write_text(json.dumps(generation))
    adapt_weights(model, id_map, tmp_path / "out", Options(pad_to=128))
    found = json.loads((tmp_path / "out/config.json").read_text())
    changed = {"vocab_size": 384, "pad_token_id": places[125], "image_token_index": places[126]}
    assert found == about | changed
    assert list(found) == list(about)
    assert json.loads((tmp_path / "out/generation_config.json").read_text()) == {
        "bos_token_id": 260,
        "suppress_tokens": [places[121], places[122], -1],
        "max_length": 121,
        "forced_decoder_ids": [[121, places[121]]],
    }


def test_a_model_of_text_and_images_has_its_section_changed(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model")
    about = json.loads((model / "config.json").read_text())
    sizes = {key: about.pop(key) for key in ("vocab_size", "hidden_size", "eos_token_id")}
    about |= {"text_config": sizes, "vision_config": {"vocab_size": 270, "hidden_size": 8}}
    (model / "config.json").write_text(json.dumps(about))
    adapt_weights(model, made.extended(), tmp_path / "out")
    found = json.loads((tmp_path / "out/config.json").read_text())
    assert found["text_config"] == sizes | {"vocab_size": 384}
    assert found["vision_config"] == about["vision_config"]
    assert "vocab_size" not in found


def test_the_index_names_every_tensor_and_the_sum(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model", made.QWEN, shards=3)
    adapt_weights(model, made.extended(), tmp_path / "out", Options(untie=True))
    index = json.loads((tmp_path / "out/model.safetensors.index.json").read_text())
    tensors = open_checkpoint(tmp_path / "out").tensors
    assert index["weight_map"] == {name: tensor.path.name for name, tensor in sorted(tensors.items())}
    assert index["metadata"]["total_size"] == sum(tensor.size for tensor in tensors.values())


def test_untied_gives_a_tied_model_an_output_matrix(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model", made.QWEN, dtype="F32")
    adapt_weights(model, made.extended(), tmp_path / "out", Options(untie=True, method="weighted"))
    assert json.loads((tmp_path / "out/config.json").read_text())["tie_word_embeddings"] is False
    embedding = matrix(tmp_path / "out", "model.embed_tokens.weight")
    head = matrix(tmp_path / "out", "lm_head.weight")
    assert np.array_equal(embedding[:263], head[:263])
    assert not np.array_equal(embedding[263:303], head[263:303])
    assert all(proof.ok for proof in verify(model, tmp_path / "out"))


def test_a_bias_of_the_output_takes_the_shift(tmp_path: Path) -> None:
    """Phi's lm_head.bias: the first piece's bias and the log of the share of its uses."""
    model = made.write_model(tmp_path / "model", dtype="F32", shards=1)
    shard = read_shard(model / "model.safetensors")
    data = shard.path.read_bytes()
    tensors = {one.name: (one.dtype, one.shape, data[one.begin : one.end]) for one in shard.tensors}
    bias = np.random.default_rng(5).normal(size=270).astype("<f4")
    tensors["lm_head.bias"] = ("F32", (270,), bias.tobytes())
    made.write_shard(model / "model.safetensors", tensors)
    id_map = made.extended()
    adapt_weights(model, id_map, tmp_path / "out", Options(method="weighted"))
    found = matrix(tmp_path / "out", "lm_head.bias")[:, 0]
    rows = {row["new_id"]: row for row in id_map.table.to_pylist() if row["old_id"] is None}
    base_uses = {row["old_id"]: row["base_uses"] for row in id_map.table.to_pylist()}
    for new_id, row in rows.items():
        first = row["pieces"][0]
        share = (row["uses"] + 0.5) / (base_uses[first] + 0.5)
        assert found[new_id] == pytest.approx(bias[first] + min(0.0, np.log(share)), abs=1e-5)
    assert np.array_equal(found[:263], bias[:263])


def test_links_cost_no_room(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model", shards=3)
    report = adapt_weights(model, made.extended(), tmp_path / "out", Options(link=True))
    middle = "model-00002-of-00003.safetensors"
    assert (tmp_path / "out" / middle).samefile(model / middle)
    assert report.linked == (model / middle).stat().st_size
    assert all(proof.ok for proof in verify(model, tmp_path / "out"))


def test_a_hub_cache_of_symbolic_links_is_a_model(tmp_path: Path) -> None:
    """A snapshot's files are links to blobs; a hard link to such a link would hang in the air."""
    blobs = made.write_model(tmp_path / "blobs", shards=3)
    model = tmp_path / "snapshots/main"
    model.mkdir(parents=True)
    for path in blobs.iterdir():
        (model / path.name).symlink_to(Path("../../blobs") / path.name)
    adapt_weights(model, made.extended(), tmp_path / "out", Options(link=True))
    middle = tmp_path / "out/model-00002-of-00003.safetensors"
    assert middle.samefile(blobs / middle.name)
    assert not middle.is_symlink()
    assert all(proof.ok for proof in verify(model, tmp_path / "out"))


def test_where_no_link_can_be_made_the_shard_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(_source: Path, _target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", other_disk)
    model = made.write_model(tmp_path / "model", shards=3)
    report = adapt_weights(model, made.extended(), tmp_path / "out", Options(link=True))
    assert report.linked == 0
    assert all(proof.ok for proof in verify(model, tmp_path / "out"))


def test_tokenizer_files_of_the_base_are_replaced(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model")
    for name in ("tokenizer.model", "vocab.json", "chat_template.jinja", "pytorch_model.bin"):
        (model / name).write_text("the base's")
    (model / "original").mkdir()
    adapted = tmp_path / "adapted"
    adapted.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "report.json"):
        (adapted / name).write_text("adapted")
    report = adapt_weights(model, made.extended(), tmp_path / "out", tokenizer=adapted)
    found = {path.name for path in (tmp_path / "out").iterdir() if path.name[0] != "_"}
    assert found == {
        "LICENSE", "chat_template.jinja", "config.json", "generation_config.json", "id_map.parquet",
        "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
        "model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    assert "left out: original/, pytorch_model.bin" in report.notes
    assert IdMap.read(tmp_path / "out/id_map.parquet").table == made.extended().table


def test_memory_does_not_grow_with_the_width(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 256 KiB: rows four times as wide take no more of them."""
    monkeypatch.setattr(weights_matrix, "BLOCK", 256 << 10)
    peaks = []
    for width in (32, 128):
        monkeypatch.setattr(made, "WIDTH", width)
        model = made.write_model(tmp_path / f"model-{width}", made.QWEN, rows=60_000, shards=1)
        tracemalloc.start()
        adapt_weights(model, made.extended(), tmp_path / f"out-{width}")
        verify(model, tmp_path / f"out-{width}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # The wider matrix is 11 MB larger, and as float32 23.
    assert peaks[1] - peaks[0] < 2_000_000


def test_method_rows_differ_and_are_finite(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model")
    found = {}
    for method in METHODS:
        adapt_weights(model, made.extended(), tmp_path / method, Options(method=method))
        found[method] = matrix(tmp_path / method, "lm_head.weight")[263:303].tobytes()
    assert len(set(found.values())) == len(METHODS)


def test_report_is_readable(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model")
    report = adapt_weights(model, made.extended(), tmp_path / "out")
    assert isinstance(report, Report)
    assert "270 rows become 384: 262 kept (0 with another id), 40 new, 82 padding" in str(report)
    assert replace(report, seconds=0.0) == replace(report, seconds=0.0)


def test_a_measured_hidden_state_is_used(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model", dtype="F32")
    state = np.random.default_rng(7).normal(size=made.WIDTH) * 5
    np.save(tmp_path / "hidden.npy", state)
    options = Options(method="weighted", hidden=str(tmp_path / "hidden.npy"))
    id_map = made.extended()
    adapt_weights(model, id_map, tmp_path / "out", options)
    before, after = matrix(model, "lm_head.weight"), matrix(tmp_path / "out", "lm_head.weight")
    rows = id_map.table.to_pylist()
    base_uses = {row["old_id"]: row["base_uses"] for row in rows}
    inside = 0
    low, high = np.percentile(np.linalg.norm(before[:263], axis=1), (1, 99))
    for row in rows:
        if row["old_id"] is not None:
            continue
        first = row["pieces"][0]
        shift = min(0.0, np.log((row["uses"] + 0.5) / (base_uses[first] + 0.5)))
        wanted = before[first] + shift * state / (state @ state)
        if low < np.linalg.norm(wanted) < high:
            inside += 1
            assert after[row["new_id"]] == pytest.approx(wanted, abs=1e-5)
    assert inside > 20


def test_without_counts_output_rows_are_means(tmp_path: Path) -> None:
    """A first piece's row without the shift would double that piece's share."""
    model = made.write_model(tmp_path / "model", dtype="F32")
    id_map = made.extended()
    rows = [
        Row(row["new_id"], row["old_id"], row["bytes"], row["pieces"], row["special"])
        for row in id_map.table.to_pylist()
    ]
    adapt_weights(model, IdMap.of(rows, "made up"), tmp_path / "out", Options(method="weighted"))
    adapt_weights(model, id_map, tmp_path / "mean", Options(method="mean"))
    for name, equal in (("lm_head.weight", True), ("model.embed_tokens.weight", False)):
        ours, means = (matrix(tmp_path / folder, name) for folder in ("out", "mean"))
        assert np.array_equal(ours, means) is equal
