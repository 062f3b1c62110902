"""What can't be adapted is refused in one line, before anything is written."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tokenizer.adapt import checkpoints as made
from tokenizer.adapt import weights_write
from tokenizer.adapt.idmap import IdMap, Row
from tokenizer.adapt.weights import Options, adapt_weights
from tokenizer.adapt.weights_files import read_shard


def refused(tmp_path: Path, message: str, id_map: IdMap | None = None, **settings: Any) -> None:
    """The call raises one line that holds `message`, and the folder has no weights."""
    with pytest.raises(ValueError, match=message) as error:
        adapt_weights(tmp_path / "model", id_map or made.extended(), tmp_path / "out", Options(**settings))
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "out").glob("*.safetensors")) + list((tmp_path / "out").glob("config.json"))


def with_tensor(
    folder: Path,
    name: str,
    dtype: str,
    shape: tuple[int, ...],
    drop: tuple[str, ...] = (),
    data: bytes | None = None,
) -> None:
    """Add a tensor (of zeros unless `data` is given) to model.safetensors, without those of `drop`."""
    shard = read_shard(folder / "model.safetensors")
    whole = shard.path.read_bytes()
    tensors = {
        one.name: (one.dtype, one.shape, whole[one.begin : one.end])
        for one in shard.tensors
        if one.name not in drop
    }
    width = {"F32": 4, "BF16": 2}.get(dtype, 1)
    tensors[name] = (dtype, shape, data or bytes(int(np.prod(shape)) * width))
    made.write_shard(folder / "model.safetensors", tensors)


def edit(folder: Path, name: str, **changes: Any) -> None:
    path = folder / name
    data = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in (data | changes).items() if value is not ...}))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("adapter_model.safetensors", "PEFT adapter.*merge"),
        ("model-q4.gguf", "a GGUF file"),
        ("pytorch_model-00001-of-00002.bin", r"PyTorch \.bin checkpoint.*save_pretrained"),
        ("consolidated.safetensors", "Mistral's own format"),
        ("consolidated.00.pth", "Meta's own format"),
        ("__0_0.distcp", "distributed PyTorch"),
        ("tf_model.h5", "TensorFlow"),
        ("flax_model.msgpack", "Flax"),
        ("model-00001-of-00002.safetensors", "bring the index"),
        ("README.md", "holds no model.safetensors"),
    ],
)
def test_other_formats_are_refused_by_name(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / name).write_bytes(b"x" * 100)
    refused(tmp_path, message)


def test_an_adapter_beside_a_model_is_refused(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model")
    (tmp_path / "model/adapter_config.json").write_text("{}")
    refused(tmp_path, "PEFT adapter")


def test_no_folder_and_no_config(tmp_path: Path) -> None:
    refused(tmp_path, "not a folder")
    made.write_model(tmp_path / "model")
    (tmp_path / "model/config.json").unlink()
    refused(tmp_path, r"holds no config\.json")


def test_missing_shards_are_named(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model", shards=3)
    (tmp_path / "model/model-00002-of-00003.safetensors").unlink()
    refused(tmp_path, "1 of 3 shards are missing: model-00002-of-00003.safetensors")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def grown(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def pointer(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 10\n")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(5000))


def broken_header(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:8] + b"[" + data[9:])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "is cut short"),
        (grown, "bytes that no tensor owns"),
        (pointer, "git-lfs pointer"),
        (empty, "damaged or cut short"),
        (garbage, "damaged or cut short"),
        (broken_header, "header is damaged"),
    ],
)
def test_damaged_shards(tmp_path: Path, damage: Callable[[Path], None], message: str) -> None:
    made.write_model(tmp_path / "model", shards=2)
    damage(tmp_path / "model/model-00002-of-00002.safetensors")
    refused(tmp_path, message)


def test_overlapping_tensors(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model", shards=1)
    path = tmp_path / "model/model.safetensors"
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["model.norm.weight"]["data_offsets"] = [0, 32]
    raw = json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data[8 + length :])
    refused(tmp_path, "does not begin where")


def test_an_index_that_disagrees_with_its_shards(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model")
    index = tmp_path / "model/model.safetensors.index.json"
    good = json.loads(index.read_text())
    first = "model-00001-of-00002.safetensors"
    index.write_text(json.dumps({"weight_map": good["weight_map"] | {"extra.weight": first}}))
    refused(tmp_path, "names extra.weight")
    less = {key: value for key, value in good["weight_map"].items() if key != "model.norm.weight"}
    index.write_text(json.dumps({"weight_map": less}))
    refused(tmp_path, "holds model.norm.weight, which")
    index.write_text(
        json.dumps({"weight_map": good["weight_map"] | {"model.norm.weight": "../x.safetensors"}})
    )
    refused(tmp_path, "not a file of this folder")


def test_fewer_rows_than_the_vocabulary(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model", rows=260)
    refused(tmp_path, "has 260 rows, fewer than the 263 ids")


def test_rows_that_are_not_the_vocab_size(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model")
    edit(tmp_path / "model", "config.json", vocab_size=280)
    refused(tmp_path, "has 270 rows, but config.json's vocab_size is 280")
    edit(tmp_path / "model", "config.json", vocab_size=...)
    refused(tmp_path, "names no vocab_size")


@pytest.mark.parametrize("dtype", ["F8_E4M3", "I8"])
def test_quantised_matrices(tmp_path: Path, dtype: str) -> None:
    made.write_model(tmp_path / "model", shards=1)
    name = "model.embed_tokens.weight"
    with_tensor(tmp_path / "model", name, dtype, (270, made.WIDTH), drop=(name,))
    refused(tmp_path, f"model.embed_tokens.weight .{dtype}. is quantised")


def test_packed_matrices_are_named_with_their_method(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model", shards=1)
    edit(tmp_path / "model", "config.json", quantization_config={"quant_method": "gptq"})
    name = "model.embed_tokens.weight"
    with_tensor(tmp_path / "model", "model.embed_tokens.qweight", "U8", (40, made.WIDTH), drop=(name,))
    refused(tmp_path, "model.embed_tokens.qweight .U8. is quantised by gptq")


def test_scales_beside_a_matrix(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model", shards=1)
    with_tensor(tmp_path / "model", "lm_head.weight_scale", "F32", (270, 1))
    refused(tmp_path, "lm_head.weight_scale .F32. is quantised")


def test_quantised_layers_are_copied(tmp_path: Path) -> None:
    """fp8 experts do not matter as long as the matrices are plain."""
    made.write_model(tmp_path / "model", shards=1)
    with_tensor(tmp_path / "model", "model.layers.0.mlp.experts.w", "F8_E4M3", (8, 8), data=bytes(range(64)))
    adapt_weights(tmp_path / "model", made.extended(), tmp_path / "out")
    shard = read_shard(tmp_path / "out" / "model.safetensors")
    [copied] = [one for one in shard.tensors if one.name == "model.layers.0.mlp.experts.w"]
    assert (copied.dtype, copied.shape) == ("F8_E4M3", (8, 8))
    assert shard.path.read_bytes()[copied.begin : copied.end] == bytes(range(64))


def test_tied_and_stored(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model")
    edit(tmp_path / "model", "config.json", tie_word_embeddings=True)
    refused(tmp_path, "tie_word_embeddings, and lm_head.weight is stored too")


def test_neither_tied_nor_stored(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model", made.QWEN)
    edit(tmp_path / "model", "config.json", tie_word_embeddings=False)
    refused(tmp_path, "no output matrix is stored")
    edit(tmp_path / "model", "config.json", tie_word_embeddings=...)
    adapt_weights(tmp_path / "model", made.extended(), tmp_path / "out")


def test_untie_wants_a_tied_model(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model")
    refused(tmp_path, "--untie is for a model", untie=True)


def test_a_matrix_of_unknown_use_is_asked_about(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model", shards=1)
    with_tensor(tmp_path / "model", "medusa.proj.weight", "BF16", (270, made.WIDTH))
    refused(tmp_path, "--matrix medusa.proj.weight=input, output or copy")
    for role in ("output", "copy"):
        options = Options(roles={"medusa.proj.weight": role})
        report = adapt_weights(tmp_path / "model", made.extended(), tmp_path / role, options)
        assert ("medusa.proj.weight" in {one["name"] for one in report.matrices}) == (role == "output")
    refused(tmp_path, "no such tensor", roles={"medusa": "copy"})
    refused(tmp_path, "the role must be one of", roles={"medusa.proj.weight": "both"})


def renamed(folder: Path, names: dict[str, str]) -> None:
    shard = read_shard(folder / "model.safetensors")
    data = shard.path.read_bytes()
    made.write_shard(
        shard.path,
        {
            names.get(one.name, one.name): (one.dtype, one.shape, data[one.begin : one.end])
            for one in shard.tensors
        },
    )


def test_unknown_names_are_found_by_shape_and_the_report_says_so(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model", shards=1)
    renamed(tmp_path / "model", {"model.embed_tokens.weight": "net.table", "lm_head.weight": "net.head"})
    report = adapt_weights(tmp_path / "model", made.extended(), tmp_path / "out")
    assert {(one["name"], one["role"]) for one in report.matrices} == {
        ("net.table", "input"),
        ("net.head", "output"),
    }
    assert "net.table is taken as input matrix by its shape" in report.notes


def test_ambiguous_shapes_are_asked_about(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model", shards=1)
    renamed(tmp_path / "model", {"model.embed_tokens.weight": "net.a", "lm_head.weight": "net.b"})
    refused(tmp_path, "tensors of 270 rows: net.a, net.b; say which")
    options = Options(roles={"net.a": "input", "net.b": "output"})
    adapt_weights(tmp_path / "model", made.extended(), tmp_path / "out", options)


def test_a_map_of_another_base(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model")
    vocab = {"Ā": 0, "ā": 1, "x": 2}
    data = {"model": {"vocab": vocab}, "added_tokens": [{"id": 260, "content": "<s>"}]}
    (tmp_path / "model/tokenizer.json").write_text(json.dumps(data))
    refused(tmp_path, r"another base: its id 2 is b'\\x02', in .* it is 'x'")
    vocab["Ă"] = vocab.pop("x")
    (tmp_path / "model/tokenizer.json").write_text(json.dumps(data))
    report = adapt_weights(tmp_path / "model", made.extended(), tmp_path / "out")
    assert "3 tokens of the model's tokenizer.json are the id map's base" in report.notes


def test_a_special_token_of_another_name(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model")
    data = {"model": {"vocab": {}}, "added_tokens": [{"id": 261, "content": "<|end|>"}]}
    (tmp_path / "model/tokenizer.json").write_text(json.dumps(data))
    refused(tmp_path, "its id 261 is b'</s>'")


def test_a_configured_id_that_is_freed_or_taken(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model")
    edit(tmp_path / "model", "config.json", pad_token_id=105)
    refused(tmp_path, "config.json: pad_token_id is 105, which the id map frees", made.replaced())
    edit(tmp_path / "model", "config.json", pad_token_id=264)
    refused(tmp_path, "pad_token_id is 264, no id of the base's tokenizer")
    edit(tmp_path / "model", "config.json", pad_token_id=-1)
    edit(tmp_path / "model", "generation_config.json", bad_words_ids=[[1], [2, 101]])
    refused(tmp_path, "generation_config.json: bad_words_ids is 101", made.replaced())


def test_rows_that_are_not_finite(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model", shards=1)
    tensor = next(one for one in read_shard(tmp_path / "model/model.safetensors").tensors)
    data = bytearray(tensor.path.read_bytes())
    data[tensor.begin + 200 * tensor.row_size :][:2] = b"\xc0\x7f"
    at = tensor.begin + 200 * tensor.row_size
    data[at : at + 2] = b"\xc0\x7f"
    tensor.path.write_bytes(data)
    refused(tmp_path, f"row 200 of {tensor.name} is not finite")


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made.write_model(tmp_path / "model")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(weights_write.shutil, "disk_usage", lambda _path: usage(1, 1, 1000))
    refused(tmp_path, "GB are needed, 0.0 GB are free")


def test_folders_that_must_not_be_written(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model")
    with pytest.raises(ValueError, match="the model's own folder"):
        adapt_weights(model, made.extended(), model)
    shutil.copytree(model, tmp_path / "other")
    with pytest.raises(ValueError, match="holds another model"):
        adapt_weights(model, made.extended(), tmp_path / "other")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is a file"):
        adapt_weights(model, made.extended(), tmp_path / "file")


def test_wrong_options(tmp_path: Path) -> None:
    made.write_model(tmp_path / "model")
    refused(tmp_path, "--pad-to must be at least 1", pad_to=0)
    np.save(tmp_path / "hidden.npy", np.ones(3))
    refused(tmp_path, "16 finite numbers", hidden=str(tmp_path / "hidden.npy"))
    refused(tmp_path, r"no \.npy file", hidden=str(tmp_path / "missing.npy"))
    with pytest.raises(ValueError, match="no method 'random'; choose from mean"):
        Options(method="random")
    with pytest.raises(ValueError, match="padding is mean or zero"):
        Options(padding="random")
    with pytest.raises(ValueError, match="there is no id map"):
        adapt_weights(tmp_path / "model", tmp_path, tmp_path / "out")


def test_a_map_without_new_tokens(tmp_path: Path) -> None:
    """Nothing to make: rows are only copied."""
    made.write_model(tmp_path / "model")
    rows = [Row(i, i, token) for i, token in enumerate(made.tokens())]
    report = adapt_weights(tmp_path / "model", IdMap.of(rows, "made up"), tmp_path / "out", Options(pad_to=1))
    assert (report.new, report.rows, report.padding) == (0, 270, 11)
