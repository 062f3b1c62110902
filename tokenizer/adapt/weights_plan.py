"""Which tensors of a checkpoint have a row a token, and what becomes of each row.

Matrices are found by the names that transformers gives them (Llama, Mistral, Qwen, DeepSeek, Gemma, GPT-OSS,
Phi, Falcon, GPT-NeoX, GPT-2 and whatever follows them); failing that by their shape, and then the report says
so. What is not plain float32, float16 or bfloat16 is refused by its name: rows of packed numbers can't be
averaged. Tensors without a row a token are copied whatever they hold, so that a model whose layers are fp8 or
mxfp4 (DeepSeek V3, GPT-OSS) is adapted as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from tokenizer.adapt.idmap import IdMap, Ids
from tokenizer.adapt.weights_files import FLOATS, Checkpoint, Tensor
from tokenizer.adapt.weights_rows import Pieces

INPUT, OUTPUT, TIED, COPY = "input", "output", "tied", "copy"
ROLES: Final = (INPUT, OUTPUT, COPY)
#: Ends of the names of matrices that turn ids into vectors, and of those that turn vectors into logits.
INPUT_NAMES: Final = (
    "embed_tokens.weight", "wte.weight", "embed_in.weight", "tok_embeddings.weight", "word_embeddings.weight",
    "embed_tokens_per_layer.weight",
)  # fmt: skip
OUTPUT_NAMES: Final = (
    "lm_head.weight", "embed_out.weight", "shared_head.head.weight", "unembedding.weight", "lm_head.bias",
    "embed_out.bias",
)  # fmt: skip
#: Sections of config.json that describe the text model inside a multimodal one.
TEXT_SECTIONS: Final = ("text_config", "language_config", "llm_config")
_BLOCK: Final = re.compile(r"\.\d+\.")
#: What new_rows' sources hold for rows that are no old row.
NEW, PADDING = -1, -2


@dataclass(frozen=True)
class Matrix:
    """A tensor with a row a token, and its role: input, output or tied (both in one)."""

    tensor: Tensor
    role: str


@dataclass(frozen=True)
class Plan:
    """What is to be written. base_rows, rows: of the matrices before and after; source: of each new row the
    old row that is copied there, `NEW` or `PADDING`; pieces, new_ids: of the new tokens; uses: of new tokens;
    base_uses: by old id; -1 where not known. idle: rows of the base that its tokenizer does not name (holes,
    padding) and that stay where they are. untied: the name of the output matrix that is written beside a tied
    one ("": none). notes: what the report says of choices that the names did not decide."""

    matrices: tuple[Matrix, ...]
    base_rows: int
    rows: int
    source: Ids
    new_ids: Ids
    pieces: Pieces
    uses: Ids
    base_uses: Ids
    idle: int = 0
    untied: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def moved(self) -> int:
        """Kept tokens whose id changed."""
        places = np.flatnonzero(self.source >= 0)
        return int(np.count_nonzero(self.source[places] != places))


def text_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of config.json that holds vocab_size. ValueError where none does."""
    for part in (config, *(config.get(name) for name in TEXT_SECTIONS)):
        if isinstance(part, Mapping) and isinstance(part.get("vocab_size"), int):
            return part
    raise ValueError("config.json names no vocab_size; this is no language model's")


def make_plan(
    checkpoint: Checkpoint, id_map: IdMap, *, pad_to: int, untie: bool, roles: Mapping[str, str]
) -> Plan:
    """Checks that map and checkpoint fit each other and lays out the new rows. ValueError, in one line, where
    they do not."""
    if pad_to < 1:
        raise ValueError(f"--pad-to must be at least 1, not {pad_to}")
    matrices, notes = find_matrices(checkpoint, roles)
    base_rows = matrices[0].tensor.rows
    if base_rows < id_map.base_rows:
        raise ValueError(
            f"{checkpoint.folder}: {matrices[0].tensor.name} has {base_rows:,} rows, fewer than the "
            f"{id_map.base_rows:,} ids of the tokenizer; this model has another vocabulary, or lacks rows of "
            "its special tokens"
        )
    rows = -(-max(id_map.rows, base_rows) // pad_to) * pad_to
    untied = ""
    if untie:
        tied = [one for one in matrices if one.role == TIED]
        if not tied:
            raise ValueError(
                "--untie is for a model whose output matrix is its embedding; this one has its own"
            )
        untied = "lm_head.weight"
        matrices = tuple(Matrix(one.tensor, INPUT) if one.role == TIED else one for one in matrices)
    source, idle = _sources(id_map, base_rows, rows)
    new_ids, pieces = id_map.new()
    uses, base_uses = _uses(id_map)
    return Plan(
        matrices,
        base_rows,
        rows,
        source,
        new_ids,
        Pieces.of(pieces),
        uses,
        base_uses,
        idle,
        untied,
        tuple(notes),
    )


def _sources(id_map: IdMap, base_rows: int, rows: int) -> tuple[Ids, int]:
    """Of each new row its old one, and how many rows the base's tokenizer does not name: those belong to
    nobody and stay where they are, unless a token takes the place."""
    source = np.full(rows, PADDING, np.int64)
    new_ids, old_ids = id_map.kept()
    idle = np.setdiff1d(np.arange(base_rows), np.concatenate([old_ids, id_map.freed()]))
    source[idle] = idle
    source[new_ids] = old_ids
    source[id_map.new()[0]] = NEW
    return source, int(np.count_nonzero(source[idle] == idle))


def _uses(id_map: IdMap) -> tuple[Ids, Ids]:
    """(uses of the new tokens, by new id; uses of the base's tokens, by old id); -1: not known."""
    old = id_map.table.column("old_id").to_numpy(zero_copy_only=False)
    new = np.isnan(old.astype(np.float64))
    base_uses = np.full(id_map.base_rows, -1, np.int64)
    counts = id_map.table.column("base_uses").fill_null(-1).to_numpy()
    base_uses[old[~new].astype(np.int64)] = counts[~new]
    uses = id_map.table.column("uses").fill_null(-1).to_numpy()
    return uses[new].astype(np.int64), base_uses


def find_matrices(checkpoint: Checkpoint, roles: Mapping[str, str]) -> tuple[tuple[Matrix, ...], list[str]]:
    """The tensors with a row a token, by name, by what `roles` says (tensor -> input, output or copy), or by
    shape; and notes. ValueError where that is not certain, or where a matrix is quantised."""
    tensors, config = checkpoint.tensors, text_config(checkpoint.config)
    _check_roles(roles, tensors)
    rows = int(config["vocab_size"])
    found, notes = _by_name(tensors, roles, rows)
    if INPUT not in found.values():
        _check_sizes(checkpoint, rows)
        found |= _by_shape(checkpoint, rows, int(config.get("hidden_size") or 0))
        notes += [f"{name} is taken as {role} matrix by its shape" for name, role in found.items()]
    _check_rest(checkpoint, found, roles, rows)
    matrices = [Matrix(tensors[name], role) for name, role in found.items()]
    for one in matrices:
        _check_plain(checkpoint, one.tensor)
    return _tied(checkpoint, matrices), notes


def _check_roles(roles: Mapping[str, str], tensors: Mapping[str, Tensor]) -> None:
    for name, role in roles.items():
        if name not in tensors:
            raise ValueError(f"--matrix {name}: the checkpoint has no such tensor")
        if role not in ROLES:
            raise ValueError(f"--matrix {name}={role}: the role must be one of {', '.join(ROLES)}")


def _ends(name: str, ends: tuple[str, ...]) -> bool:
    return any(name == end or name.endswith(f".{end}") for end in ends) or (
        name == "output.weight" and ends is OUTPUT_NAMES
    )


def _by_name(
    tensors: Mapping[str, Tensor], roles: Mapping[str, str], rows: int
) -> tuple[dict[str, str], list[str]]:
    found, notes = {}, []
    for name, tensor in tensors.items():
        role = roles.get(name) or (
            INPUT if _ends(name, INPUT_NAMES) else OUTPUT if _ends(name, OUTPUT_NAMES) else COPY
        )
        if role != COPY and tensor.rows == rows:
            found[name] = role
        elif role != COPY and INPUT not in roles.values():
            notes.append(f"{name} has {tensor.rows:,} rows, not {rows:,}: copied as it is")
    return found, notes


def _check_sizes(checkpoint: Checkpoint, rows: int) -> None:
    """An embedding by name whose rows are not config.json's vocab_size would not open in transformers."""
    for name, tensor in checkpoint.tensors.items():
        if _ends(name, INPUT_NAMES) and not _BLOCK.search(name):
            _check_plain(checkpoint, tensor)
            raise ValueError(
                f"{checkpoint.folder}: {name} has {tensor.rows:,} rows, but config.json's "
                f"vocab_size is {rows:,}: they must agree"
            )
    for name in checkpoint.tensors:
        module = re.sub(r"\.[^.]+$", ".weight", name)
        if _ends(module, INPUT_NAMES) and not _BLOCK.search(name):
            raise ValueError(_quantised(checkpoint, name, checkpoint.tensors[name].dtype))


def _by_shape(checkpoint: Checkpoint, rows: int, hidden: int) -> dict[str, str]:
    names = [
        name
        for name, tensor in checkpoint.tensors.items()
        if len(tensor.shape) == 2 and tensor.rows == rows and hidden in (0, tensor.shape[1])
    ]
    heads = [name for name in names if re.search("head|out|logit", name)]
    others = [name for name in names if name not in heads]
    if len(others) == 1 and len(heads) <= 1:
        return {others[0]: INPUT} | dict.fromkeys(heads, OUTPUT)
    listed = ", ".join(names) or "none"
    raise ValueError(
        f"{checkpoint.folder}: no embedding of a known name; tensors of {rows:,} rows: {listed}; say "
        "which by --matrix NAME=input and NAME=output"
    )


def _check_rest(
    checkpoint: Checkpoint, found: Mapping[str, str], roles: Mapping[str, str], rows: int
) -> None:
    """Refuse what might have a row a token and is not known."""
    modules = tuple(name.rpartition(".")[0] + "." for name in found)
    for name, tensor in checkpoint.tensors.items():
        if name in found or roles.get(name) == COPY:
            continue
        if name.startswith(modules):
            raise ValueError(_quantised(checkpoint, name, tensor.dtype))
        if rows in tensor.shape[:2] and not _BLOCK.search(name):
            raise ValueError(
                f"{checkpoint.folder}: {name} is {list(tensor.shape)}, and the vocabulary has {rows:,} ids; "
                f"say whether it has a row a token by --matrix {name}=input, output or copy"
            )


def _quantised(checkpoint: Checkpoint, name: str, dtype: str) -> str:
    about = checkpoint.config.get("quantization_config")
    method = f" by {about['quant_method']}" if isinstance(about, dict) and about.get("quant_method") else ""
    return (
        f"{checkpoint.folder}: the matrix of {name} ({dtype}) is quantised{method} or wrapped by an adapter; "
        "take the model in float32, float16 or bfloat16"
    )


def _check_plain(checkpoint: Checkpoint, tensor: Tensor) -> None:
    if tensor.dtype not in FLOATS:
        raise ValueError(_quantised(checkpoint, tensor.name, tensor.dtype))
    if len(tensor.shape) not in (1, 2) or not tensor.columns:
        raise ValueError(f"{checkpoint.folder}: {tensor.name} is {list(tensor.shape)}, not a matrix")


def _tied(checkpoint: Checkpoint, matrices: list[Matrix]) -> tuple[Matrix, ...]:
    """Roles settled: an embedding is tied where no output matrix is stored and config.json does not deny
    it."""
    inputs = [one for one in matrices if one.role == INPUT]
    outputs = [one for one in matrices if one.role == OUTPUT and len(one.tensor.shape) == 2]
    says = text_config(checkpoint.config).get(
        "tie_word_embeddings", checkpoint.config.get("tie_word_embeddings")
    )
    if outputs and says is True:
        raise ValueError(
            f"{checkpoint.folder}: config.json says tie_word_embeddings, and {outputs[0].tensor.name} is "
            "stored too; set it to false, or save the model without that tensor"
        )
    named = [str(one) for one in checkpoint.config.get("architectures") or ()]
    writes = any("CausalLM" in one or "ConditionalGeneration" in one for one in named)
    if not outputs and says is False and writes:
        raise ValueError(
            f"{checkpoint.folder}: no output matrix is stored, and config.json says that it is not tied; "
            "a shard is missing from the index, or its name is not known: --matrix NAME=output"
        )
    if not outputs and says is not False:
        main = inputs[0]
        inputs = [Matrix(one.tensor, TIED) if one is main else one for one in inputs]
    return (*inputs, *(one for one in matrices if one.role == OUTPUT))
