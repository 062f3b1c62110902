"""The proofs can fail: each kind of damage is found, by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.tokenizer.adapt import checkpoints as made
from tokenizer.adapt.idmap import IdMap
from tokenizer.adapt.weights import Options, adapt_weights
from tokenizer.adapt.weights_files import open_checkpoint
from tokenizer.adapt.weights_verify import verify


def flip(folder: Path, name: str, row: int, data: bytes | None = None) -> None:
    """Change the first bytes of a row."""
    tensor = open_checkpoint(folder).tensors[name]
    at = tensor.begin + row * tensor.row_size
    with tensor.path.open("r+b") as file:
        file.seek(at)
        old = file.read(2)
        file.seek(at)
        file.write(data or bytes([old[0] ^ 1, old[1]]))


def kept_row(out: Path) -> None:
    flip(out, "lm_head.weight", 17)


def moved_row(out: Path) -> None:
    new_ids, old_ids = IdMap.read(out / "id_map.parquet").kept()
    flip(out, "model.embed_tokens.weight", int(new_ids[new_ids != old_ids][0]))


def long_row(out: Path) -> None:
    flip(out, "lm_head.weight", 100, np.array([50.0], "<f4").view("<u2")[1:].tobytes())


def not_finite(out: Path) -> None:
    flip(out, "lm_head.weight", 100, b"\xc0\x7f")


def padding_row(out: Path) -> None:
    flip(out, "model.embed_tokens.weight", 290, b"\x80\x3f")


def other_tensor(out: Path) -> None:
    flip(out, "model.layers.1.mlp.up_proj.weight", 3)


def norm_vector(out: Path) -> None:
    flip(out, "model.norm.weight", 0)


def vocab_size(out: Path) -> None:
    change(out / "config.json", "vocab_size", 270)


def eos(out: Path) -> None:
    change(out / "config.json", "eos_token_id", 3)


def total(out: Path) -> None:
    change(out / "model.safetensors.index.json", "metadata", {"total_size": 5})


def change(path: Path, key: str, value: object) -> None:
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {key: value}))


@pytest.mark.parametrize(
    ("damage", "failing"),
    [
        (kept_row, "kept rows"),
        (moved_row, "kept rows"),
        (long_row, "norms of new rows"),
        (not_finite, "norms of new rows"),
        (padding_row, "padding rows"),
        (other_tensor, "other tensors"),
        (norm_vector, "other tensors"),
        (vocab_size, "config.json"),
        (eos, "config.json"),
        (total, "model.safetensors.index.json"),
    ],
)
def test_damage_is_found(tmp_path: Path, damage: Callable[[Path], None], failing: str) -> None:
    model = made.write_model(tmp_path / "model")
    adapt_weights(model, made.replaced(), tmp_path / "out", Options(pad_to=100))
    assert all(proof.ok for proof in verify(model, tmp_path / "out"))
    damage(tmp_path / "out")
    failed = [proof.name for proof in verify(model, tmp_path / "out") if not proof.ok]
    assert len(failed) == 1
    assert failed[0].startswith(failing)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model")
    with pytest.raises(ValueError, match=r"holds no _weights\.json"):
        verify(model, model)
