"""config.json, generation_config.json and the other small files of a model, brought to the new ids."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tokenizer.adapt.idmap import IdMap
from tokenizer.adapt.weights_files import CONFIG, INDEX
from tokenizer.adapt.weights_plan import TEXT_SECTIONS, Plan
from tokenizer.files import from_chars, read_json

GENERATION: Final = "generation_config.json"
#: Keys whose values are ids: bos_token_id, image_token_index, forced_bos_token_id, suppress_tokens ...
_ID_KEY: Final = re.compile(
    r"_token_ids?$|_token_index$|_token_indices$|^(begin_)?suppress_tokens$|^bad_words_ids$"
    r"|^forced_decoder_ids$|^sequence_bias_ids$"
)
#: forced_decoder_ids holds pairs of a place and an id.
_PAIRS: Final = "forced_decoder_ids"
#: Files that make a tokenizer; those of the adapted one take their place.
TOKENIZER_FILES: Final = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt", "tokenizer.model", "tekken.json", "tiktoken.json", "meta.json",
)  # fmt: skip
#: Chat templates: the adapted folder's where it has one, else the base's.
_TEMPLATES: Final = re.compile(r"^chat_template\.|^processor_config\.json$|^preprocessor_config\.json$")
#: Weights in other formats and what training leaves behind: not copied, and the report says so.
_LEFT: Final = re.compile(
    r"\.(safetensors|bin|gguf|pt|pth|h5|msgpack|onnx|ot|distcp|partial|npy)$|\.index\.json$|^id_map\.parquet$"
)


@dataclass(frozen=True)
class NewIds:
    """Old id -> new id for what configuration files name. ids: of the map; kept_rows: rows of the base that
    its tokenizer does not name and that stay where they are; freed: ids that are gone."""

    ids: Mapping[int, int]
    freed: frozenset[int]
    taken: frozenset[int]

    @classmethod
    def of(cls, id_map: IdMap) -> NewIds:
        """The new ids that an id map states."""
        new_ids, old_ids = id_map.kept()
        taken = frozenset(id_map.new()[0].tolist())
        return cls(dict(zip(old_ids.tolist(), new_ids.tolist(), strict=True)), _ints(id_map.freed()), taken)

    def __call__(self, value: int, where: str) -> int:
        if value in self.ids:
            return self.ids[value]
        if value in self.freed:
            raise ValueError(
                f"{where} is {value}, which the id map frees; keep that token, or change the file"
            )
        if value in self.taken:
            raise ValueError(
                f"{where} is {value}, no id of the base's tokenizer, and a new token has that id now; change "
                "the file"
            )
        return value


def _ints(array: Any) -> frozenset[int]:
    return frozenset(array.tolist())


def _translated(value: Any, ids: NewIds, where: str) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return ids(value, where)
    if isinstance(value, list):
        return [_translated(one, ids, where) for one in value]
    return value


def translated(data: Mapping[str, Any], ids: NewIds, where: str) -> dict[str, Any]:
    """A configuration with each id that it names translated, in its sections too; the order of keys stays.

    ValueError where it names a token that is gone.
    """
    out: dict[str, Any] = {}
    for key, value in data.items():
        if key == _PAIRS and isinstance(value, list):
            out[key] = [[place, _translated(one, ids, f"{where}: {key}")] for place, one in value]
        elif _ID_KEY.search(key):
            out[key] = _translated(value, ids, f"{where}: {key}")
        elif isinstance(value, dict):
            out[key] = translated(value, ids, f"{where}: {key}") if key in TEXT_SECTIONS else deepcopy(value)
        else:
            out[key] = deepcopy(value)
    return out


def new_config(config: Mapping[str, Any], ids: NewIds, plan: Plan) -> dict[str, Any]:
    """config.json for the new rows: vocab_size, ids, and whether the matrices are tied."""
    out = translated(config, ids, CONFIG)
    for part in (out, *(out.get(name) for name in TEXT_SECTIONS)):
        if not isinstance(part, dict):
            continue
        for key in ("vocab_size", "vocab_size_per_layer_input"):
            if part.get(key) == plan.base_rows:
                part[key] = plan.rows
        if plan.untied and ("tie_word_embeddings" in part or part is out):
            part["tie_word_embeddings"] = False
    return out


def json_bytes(data: Mapping[str, Any]) -> bytes:
    """JSON as transformers writes it."""
    return (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode()


def check_tokenizer(folder: Path, id_map: IdMap) -> str:
    """Compares the map's base with the tokenizer.json beside the weights; returns what the report says.

    ValueError where a token that both name is another: the map was made for another model.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        return "the model's folder holds no tokenizer.json: not checked that the id map is made for it"
    data = read_json(path)
    vocab = (data.get("model") or {}).get("vocab")
    if not isinstance(vocab, dict):
        return "the model's tokenizer.json is not byte-level BPE: not checked that the id map is made for it"
    spelled = {int(index): text for text, index in vocab.items()}
    special = {int(one["id"]): str(one["content"]) for one in data.get("added_tokens") or ()}
    rows = id_map.table.select(["old_id", "bytes", "special"]).to_pydict()
    for old, token, is_special in zip(rows["old_id"], rows["bytes"], rows["special"], strict=True):
        if old is None or (old not in spelled and old not in special):
            continue
        text = special.get(old, spelled.get(old, ""))
        theirs = text.encode() if old in special or is_special else from_chars(text)
        if theirs != token:
            raise ValueError(
                f"the id map was made for another base: its id {old} is {token!r}, in {path} it is {text!r}"
            )
    return f"{len(spelled):,} tokens of the model's tokenizer.json are the id map's base"


def other_files(model: Path, adapted: Path | None) -> tuple[dict[str, Path], list[str]]:
    """Small files to copy (name -> from where), and names of what is left out, sorted."""
    copied: dict[str, Path] = {}
    left = []
    for path in sorted(model.iterdir()):
        name = path.name
        if name in (CONFIG, GENERATION, INDEX) or name.startswith("."):
            continue
        if path.is_dir():
            left.append(f"{name}/")
        elif _LEFT.search(name):
            if path.suffix != ".safetensors":
                left.append(name)
        elif name in TOKENIZER_FILES or name.endswith(".tiktoken"):
            if adapted is None:
                left.append(name)
        else:
            copied[name] = path
    for path in sorted(adapted.iterdir()) if adapted else ():
        if path.name in TOKENIZER_FILES or path.suffix == ".tiktoken" or _TEMPLATES.search(path.name):
            copied[path.name] = path
    return copied, left
