"""Tiny random checkpoints, made on the spot: Llama and Mistral with an output matrix, a tied Qwen, by the
names and shapes that transformers gives them; and an id map over a made-up vocabulary."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tokenizer.adapt.idmap import IdMap, Row
from tokenizer.adapt.weights_files import Bytes, from_floats, header_bytes

WIDTH, INNER, LAYERS = 16, 24, 2
SPECIALS = ("<s>", "</s>", "<pad>")


@dataclass(frozen=True)
class Kind:
    """An architecture: what config.json calls it, whether it is tied, whether attention has biases."""

    name: str
    model_type: str
    tied: bool = False
    biased: bool = False


LLAMA = Kind("LlamaForCausalLM", "llama")
MISTRAL = Kind("MistralForCausalLM", "mistral")
QWEN = Kind("Qwen2ForCausalLM", "qwen2", tied=True, biased=True)
KINDS = (LLAMA, MISTRAL, QWEN)


def config(kind: Kind, rows: int, dtype: str) -> dict[str, Any]:
    return {
        "architectures": [kind.name],
        "model_type": kind.model_type,
        "vocab_size": rows,
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 64,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": kind.tied,
        "bos_token_id": 260,
        "eos_token_id": [261, 262],
        "pad_token_id": None,
        "torch_dtype": {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}[dtype],
    }


def shapes(kind: Kind, rows: int) -> dict[str, tuple[int, ...]]:
    """Tensors by name, in transformers' order."""
    out: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (rows, WIDTH)}
    for layer in range(LAYERS):
        at = f"model.layers.{layer}"
        out |= {
            f"{at}.self_attn.{part}_proj.weight": (WIDTH // (2 if part in "kv" else 1), WIDTH)
            for part in "qkvo"
        }
        if kind.biased:
            out |= {
                f"{at}.self_attn.{part}_proj.bias": (WIDTH // (2 if part in "kv" else 1),) for part in "qkv"
            }
        out |= {f"{at}.mlp.gate_proj.weight": (INNER, WIDTH), f"{at}.mlp.up_proj.weight": (INNER, WIDTH)}
        out |= {f"{at}.mlp.down_proj.weight": (WIDTH, INNER)}
        out |= {f"{at}.input_layernorm.weight": (WIDTH,), f"{at}.post_attention_layernorm.weight": (WIDTH,)}
    out["model.norm.weight"] = (WIDTH,)
    if not kind.tied:
        out["lm_head.weight"] = (rows, WIDTH)
    return out


def values(kind: Kind, rows: int, dtype: str, seed: int = 0) -> dict[str, Bytes]:
    """Random tensors as bytes, [first axis, rest]."""
    draw = np.random.default_rng(seed)
    return {
        name: from_floats(
            draw.normal(1.0 if "norm" in name else 0.0, 0.1, (shape[0], int(np.prod(shape[1:])))).astype(
                np.float32
            ),
            dtype,
        )
        for name, shape in shapes(kind, rows).items()
    }


def write_shard(path: Path, tensors: Mapping[str, tuple[str, Sequence[int], bytes]]) -> None:
    """A safetensors file of (dtype, shape, bytes) by name."""
    about = [(name, dtype, tuple(shape), len(data)) for name, (dtype, shape, data) in tensors.items()]
    body = b"".join(data for *_, data in tensors.values())
    path.write_bytes(header_bytes(about, {"format": "pt"}) + body)


def write_model(
    folder: Path, kind: Kind = LLAMA, rows: int = 270, dtype: str = "BF16", shards: int = 2, seed: int = 0
) -> Path:
    """A model's folder of one file, or of shards with their index."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = shapes(kind, rows)
    tensors = {
        name: (dtype, sizes[name], data.tobytes()) for name, data in values(kind, rows, dtype, seed).items()
    }
    (folder / "config.json").write_text(json.dumps(config(kind, rows, dtype), indent=2))
    generation = {"bos_token_id": 260, "eos_token_id": [261, 262], "suppress_tokens": [5, 7], "top_p": 0.9}
    (folder / "generation_config.json").write_text(json.dumps(generation))
    (folder / "LICENSE").write_text("made up\n")
    if shards == 1:
        write_shard(folder / "model.safetensors", tensors)
        return folder
    names = list(tensors)
    weight_map = {}
    for number in range(shards):
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        part = names[number * len(names) // shards : (number + 1) * len(names) // shards]
        write_shard(folder / file, {name: tensors[name] for name in part})
        weight_map |= dict.fromkeys(part, file)
    total = sum(len(data) for *_, data in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def tokens() -> list[bytes]:
    """The made-up base: 256 bytes, three letters, a hole (id 259), special tokens from 260."""
    letters = [letter.encode() for letter in "абв"]
    return [*(bytes([byte]) for byte in range(256)), *letters]


def extended(new: int = 40, seed: int = 0) -> IdMap:
    """Every token of the base kept in its place, `new` ones after the special ones, made of 2 to 5 pieces."""
    return IdMap.of([*_base(), *_new(range(263, 263 + new), seed)], "made up")


def replaced(seed: int = 0) -> IdMap:
    """At fixed size: ten ids are freed and taken by new tokens, ten others move among themselves."""
    draw = np.random.default_rng(seed)
    freed = list(range(100, 110))
    moving = list(range(120, 130))
    places = dict(zip(moving, draw.permutation(moving).tolist(), strict=True))
    rows = [
        replace(row, new_id=None if row.old_id in freed else places.get(row.old_id or 0, row.old_id))
        for row in _base()
    ]
    return IdMap.of([*rows, *_new(freed, seed)], "made up")


def _base() -> list[Row]:
    rows = [Row(i, i, token, (), False, 50 + i, 100 + i) for i, token in enumerate(tokens())]
    return rows + [Row(260 + i, 260 + i, name.encode(), (), True) for i, name in enumerate(SPECIALS)]


def _new(ids: Sequence[int] | range, seed: int) -> list[Row]:
    draw = np.random.default_rng(seed + 1)
    out = []
    for new_id in ids:
        pieces = draw.integers(130, 259, draw.integers(2, 6)).tolist()
        token = b"".join(tokens()[piece] for piece in pieces) + new_id.to_bytes(2, "big")
        out.append(Row(new_id, None, token, pieces, False, int(draw.integers(1, 60))))
    return out
