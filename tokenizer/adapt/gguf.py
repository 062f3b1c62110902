"""An adapted tokenizer as GGUF metadata: what llama.cpp opens vocabulary-only, and converters copy."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from tokenizer import files, gguf
from tokenizer.adapt.base import Base
from tokenizer.export import GGUF_PRE


def gguf_bytes(made: Base, folder: Path, title: str = "adapted") -> bytes | None:
    """The file; roles, chat template and merges from the tokenizer.json and tokenizer_config.json in
    `folder`. `tokenizer.ggml.pre` is set, so that no converter has to guess it from a hash. None where
    llama.cpp has no pre-tokenizer of the pattern. llama.cpp normalizes nothing: texts come in the form that
    the base wants."""
    pre = GGUF_PRE.get(made.pattern)
    if pre is None:
        return None
    written = files.read_json(folder / "tokenizer.json")
    config = _config(folder)
    tokens = [f"[UNUSED_{index}]" for index in range(made.rows)]
    kinds = [gguf.UNUSED] * made.rows
    for token, index in zip(made.tokens, made.ids, strict=True):
        tokens[index], kinds[index] = files.to_chars(token), gguf.NORMAL
    special = {str(one["content"]): bool(one.get("special", True)) for one in written["added_tokens"]}
    for text, index in made.special_tokens.items():
        tokens[index] = text
        kinds[index] = gguf.CONTROL if special.get(text, True) else gguf.USER_DEFINED
    merges = [one if isinstance(one, str) else " ".join(one) for one in written["model"]["merges"]]
    entries = [
        gguf.entry("general.architecture", gguf.STRING, gguf.string("llama")),
        gguf.entry("general.name", gguf.STRING, gguf.string(title)),
        gguf.entry("llama.vocab_size", gguf.UINT32, struct.pack("<I", made.rows)),
        gguf.entry("tokenizer.ggml.model", gguf.STRING, gguf.string("gpt2")),
        gguf.entry("tokenizer.ggml.pre", gguf.STRING, gguf.string(pre)),
        gguf.strings("tokenizer.ggml.tokens", tokens),
        gguf.array("tokenizer.ggml.token_type", gguf.INT32, [struct.pack("<i", kind) for kind in kinds]),
        gguf.strings("tokenizer.ggml.merges", merges),
        gguf.entry("tokenizer.ggml.add_bos_token", gguf.BOOL, _flag(config.get("add_bos_token"))),
        gguf.entry("tokenizer.ggml.add_eos_token", gguf.BOOL, _flag(config.get("add_eos_token"))),
    ]
    for role, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown")):
        named = config.get(f"{role}_token")
        name = named.get("content") if isinstance(named, dict) else named
        if isinstance(name, str) and name in made.special_tokens:
            value = struct.pack("<I", made.special_tokens[name])
            entries.append(gguf.entry(f"tokenizer.ggml.{key}_token_id", gguf.UINT32, value))
    template = _chat_template(folder, config)
    if template:
        entries.append(gguf.entry("tokenizer.chat_template", gguf.STRING, gguf.string(template)))
    return gguf.file_bytes(entries)


def _flag(value: object) -> bytes:
    return b"\1" if value else b"\0"


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "tokenizer_config.json"
    return files.read_json(path) if path.is_file() else {}


def _chat_template(folder: Path, config: dict[str, Any]) -> str:
    path = folder / "chat_template.jinja"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    listed = config.get("chat_template")
    if (folder / "chat_template.json").is_file():
        listed = json.loads((folder / "chat_template.json").read_text(encoding="utf-8")).get("chat_template")
    if isinstance(listed, list):
        listed = next((one["template"] for one in listed if one.get("name") == "default"), None)
    return listed if isinstance(listed, str) else ""
