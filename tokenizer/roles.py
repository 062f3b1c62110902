"""The roles of special tokens: which one begins, ends, pads, or stands for the unknown.

Text never makes a special token; a role says what a library may use it for. A role is given with the token
(`pad=<nothing>`, `bos=eos=<|endoftext|>`), stands in the files beside a tokenizer.json, or follows from a
name that is used for it by custom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from tokenizer.files import Content, json_bytes, read_json

#: Role -> names that have it by custom, in the order in which they are looked for (the files of Llama 2 and
#: 3, GPT-2, Gemma, Qwen, BERT and RoBERTa, and ours).
KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "bos": ("<|begin_of_text|>", "<s>", "<bos>", "<|bos|>", "<|startoftext|>", "[BOS]"),
    "eos": ("<|end_of_text|>", "</s>", "<eos>", "<|eos|>", "<|endoftext|>", "<|eot_id|>", "[EOS]"),
    "unk": ("<unk>", "<|unk|>", "[UNK]"),
    "pad": ("<pad>", "<|pad|>", "<|finetune_right_pad_id|>", "[PAD]"),
    "sep": ("[SEP]", "<sep>"),
    "cls": ("[CLS]", "<cls>"),
    "mask": ("[MASK]", "<mask>"),
}
_GIVEN: Final = re.compile(f"((?:(?:{'|'.join(KNOWN)})=)+)(.*)", re.DOTALL)


def parted(tokens: Iterable[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The names of special tokens, and the roles that `ROLE=NAME` gives: role -> name. ValueError where a
    name is empty or stands twice, or two have one role."""
    names: list[str] = []
    roles: dict[str, str] = {}
    for token in tokens:
        given = _GIVEN.fullmatch(token)
        name = given[2] if given else token
        for role in given[1].split("=")[:-1] if given else ():
            if roles.setdefault(role, name) != name:
                raise ValueError(f"special_tokens: {roles[role]!r} and {name!r} can't both be {role}")
        names.append(name)
    if len(set(names)) != len(names) or "" in names:
        raise ValueError("special_tokens must differ from each other, and none may be empty")
    return tuple(names), roles


def in_force(special_tokens: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """Role -> special token: as given, otherwise by its name; roles of tokens that are not there are left
    out."""
    there = set(special_tokens)
    found = {role: next((name for name in names if name in there), "") for role, names in KNOWN.items()}
    found |= {role: name for role, name in given.items() if name in there}
    return {role: name for role, name in found.items() if name}


def transformers_roles(
    special_tokens: Iterable[str], given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """`in_force`, as transformers names them: bos_token, eos_token, ..."""
    return {f"{role}_token": name for role, name in in_force(special_tokens, given or {}).items()}


def read_roles(data: Mapping[str, Any]) -> dict[str, str]:
    """Role -> token in a special_tokens_map.json or tokenizer_config.json (strings or objects there)."""
    found = {}
    for role in KNOWN:
        token = data.get(f"{role}_token")
        name = token.get("content") if isinstance(token, dict) else token
        if isinstance(name, str) and name:
            found[role] = name
    return found


def roles_beside(path: Path) -> dict[str, str]:
    """The roles that tokenizer_config.json and special_tokens_map.json beside a file give special tokens."""
    found: dict[str, str] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if path.with_name(name).is_file():
            found |= read_roles(read_json(path.with_name(name)))
    return found


def transformers_json(vocabulary: Content) -> tuple[bytes, bytes]:
    """tokenizer_config.json and special_tokens_map.json, by which transformers' AutoTokenizer opens the
    folder."""
    roles = transformers_roles(vocabulary.special_tokens, vocabulary.roles)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 1_000_000_000_000_000_019_884_624_838_656,  # transformers' "no limit"
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
        "add_bos_token": False,
        "add_eos_token": False,
        **roles,
    }
    return json_bytes(config), json_bytes(roles)
