"""The files of an adapted tokenizer: a folder that AutoTokenizer opens, the base's own format, GGUF, the id
map.

What the base's folder holds beside its tokenizer (chat template, configuration, licence) is copied as it is.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tokenizer import files
from tokenizer.adapt import idmap
from tokenizer.adapt.base import HF, TEKKEN, TIKTOKEN, Base, every_split
from tokenizer.adapt.gguf import gguf_bytes
from tokenizer.adapt.learn import Adapted
from tokenizer.adapt.load import file_of, merge_parts
from tokenizer.roles import transformers_roles
from tokenizer.split import pattern_regex
from tokenizer.vocabulary import NO_MERGE

GGUF: Final = "vocabulary.gguf"
#: Copied from the base's folder where they are there, and LICENSE*, NOTICE*, USE_POLICY*.
COPIED: Final = (
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
    "chat_template.json", "generation_config.json",
)  # fmt: skip
_TERMS: Final = ("LICENSE*", "NOTICE*", "USE_POLICY*")


def write(adapted: Adapted, folder: str | Path) -> list[str]:
    """Write all files into `folder` (made when missing); returns their names. GGUF is left out where
    llama.cpp has no pre-tokenizer of the base's pattern."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made, base = adapted.tokenizer, adapted.base
    source = base.source if base.source.is_dir() else base.source.parent
    written = _copied(source, folder) if base.source.is_dir() else []
    contents = {"tokenizer.json": json_bytes(tokenizer_json(made, template(source)))}
    if "tokenizer_config.json" not in written:
        config, roles = _configs(made)
        contents |= {"tokenizer_config.json": config, "special_tokens_map.json": roles}
    own = file_of(base.source)
    if made.form == TEKKEN:
        contents["tekken.json"] = json_bytes(tekken_json(made, files.read_json(own)))
    elif made.form == TIKTOKEN:
        contents[own.name] = ranks_bytes(made)
        contents["tiktoken.json"] = json_bytes(_about(made))
    if (source / "vocab.json").is_file() and (source / "merges.txt").is_file():
        contents |= _gpt2_files(contents["tokenizer.json"])
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    written += list(contents)
    gguf = gguf_bytes(made, folder)
    if gguf is not None:
        (folder / GGUF).write_bytes(gguf)
        written.append(GGUF)
    id_map(adapted).write(folder / idmap.FILE)
    return sorted({*written, idmap.FILE})


def json_bytes(data: object) -> bytes:
    """JSON as these files have it."""
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def template(source: Path) -> dict[str, Any] | None:
    """The tokenizer.json in the base's folder, if it has one."""
    path = source / "tokenizer.json"
    return files.read_json(path) if path.is_file() else None


def _copied(source: Path, folder: Path) -> list[str]:
    found = [source / name for name in COPIED if (source / name).is_file()]
    for pattern in _TERMS:
        found += [path for path in sorted(source.glob(pattern)) if path.is_file()]
    for path in found:
        if path.resolve() != (folder / path.name).resolve():
            shutil.copyfile(path, folder / path.name)
    return [path.name for path in found]


# --- tokenizer.json -----


def tokenizer_json(made: Base, own: Mapping[str, Any] | None) -> dict[str, Any]:
    """The tokenizer.json of an adapted tokenizer: the base's with other tokens and merges, or a new one.

    Special tokens stand in the model's vocabulary as well: tokenizers renumbers them otherwise when later ids
    follow.
    """
    if own is None:
        own = files.empty_tokenizer_json(made.pattern, made.normalization, made.special_tokens)
    data = dict(own)
    model = dict(data["model"])
    spelled = bool(model.get("merges")) and isinstance(model["merges"][0], str)
    vocab = {files.to_chars(token): index for token, index in zip(made.tokens, made.ids, strict=True)}
    vocab |= dict(made.special_tokens)
    model["vocab"] = dict(sorted(vocab.items(), key=lambda item: item[1]))
    pairs = [[files.to_chars(left), files.to_chars(right)] for left, right in merges_of(made, model)]
    model["merges"] = [" ".join(pair) for pair in pairs] if spelled else pairs
    model["ignore_merges"] = bool(model.get("ignore_merges")) or (made.ignore_merges and not made.ordered)
    data["model"] = model
    return data


def merges_of(made: Base, model: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """Merges in order. Of a base that lists one a token: its own without those of freed tokens, then the new
    ones. Else every split of every token by rank, since a new token may complete one that merging did not
    reach before."""
    if not made.ordered or (made.form == HF and made.every_split):
        return list(every_split(made.tokens))
    if made.form != HF:
        return [
            (made.tokens[left], made.tokens[right])
            for left, right in made.merges
            if (left, right) != NO_MERGE
        ]
    known = made.rank_of
    old = [merge_parts(merge) for merge in model["merges"]]
    kept = [pair for pair in old if {pair[0], pair[1], pair[0] + pair[1]} <= known.keys()]
    there = {left + right for left, right in kept}
    new = [
        (made.tokens[left], made.tokens[right])
        for rank, (left, right) in enumerate(made.merges, start=256)
        if (left, right) != NO_MERGE and made.tokens[rank] not in there
    ]
    return kept + new


def _configs(made: Base) -> tuple[bytes, bytes]:
    roles = transformers_roles(made.special_tokens)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 1_000_000_000_000_000_019_884_624_838_656,  # transformers' "no limit"
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
        **roles,
    }
    return json_bytes(config), json_bytes(roles)


def _gpt2_files(tokenizer: bytes) -> dict[str, bytes]:
    """vocab.json and merges.txt, which transformers' older classes read."""
    model = json.loads(tokenizer)["model"]
    lines = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    return {
        "vocab.json": json.dumps(model["vocab"], ensure_ascii=False).encode("utf-8"),
        "merges.txt": ("#version: 0.2\n" + "\n".join(lines) + "\n").encode("utf-8"),
    }


# --- tekken.json, tiktoken -----


def tekken_json(made: Base, own: Mapping[str, Any]) -> dict[str, Any]:
    """The tekken.json with other tokens; mistral-common drops ids from `default_vocab_size` on without a
    word, so that is raised."""
    first = int(own["config"]["default_num_special_tokens"])
    listed = {base64.b64decode(entry["token_bytes"]): entry for entry in own["vocab"]}
    entries = []
    for token, index in sorted(zip(made.tokens, made.ids, strict=True), key=lambda one: one[1]):
        entry = dict(listed.get(token) or {"token_bytes": base64.b64encode(token).decode()})
        try:
            entry["token_str"] = token.decode()
        except UnicodeDecodeError:
            entry["token_str"] = None
        entries.append({**entry, "rank": index - first})
    config = {**own["config"], "default_vocab_size": made.rows, "num_vocab_tokens": len(entries)}
    return {**own, "config": config, "vocab": entries}


def ranks_bytes(made: Base) -> bytes:
    """A tiktoken rank file; a rank is the id, and those of special tokens are passed over."""
    by_id = sorted(zip(made.ids, made.tokens, strict=True))
    return b"".join(b"%s %d\n" % (base64.b64encode(token), index) for index, token in by_id)


def _about(made: Base) -> dict[str, Any]:
    about: dict[str, Any] = {
        "pattern": pattern_regex(made.pattern),
        "special_tokens": dict(made.special_tokens),
        "rows": made.rows,
    }
    if made.normalization:
        about["norm"] = made.normalization
    return about


# --- the id map -----


def id_map(adapted: Adapted) -> idmap.IdMap:
    """Which id of the base became which, and what new ids are made of."""
    base, made = adapted.base, adapted.tokenizer
    old = dict(zip(base.tokens, base.ids, strict=True))
    new = [token for token in made.tokens if token not in old]
    pieces = dict(zip(new, base.encoder.pieces(new), strict=True))
    uses, before = adapted.uses or {}, adapted.base_uses or {}
    rows = [
        idmap.Row(
            index,
            old.get(token),
            token,
            pieces.get(token, ()),
            uses=uses.get(token) if uses else None,
            base_uses=before.get(token) if before and token in old else None,
        )
        for token, index in zip(made.tokens, made.ids, strict=True)
    ]
    kept = set(made.tokens)
    rows += [
        idmap.Row(None, index, token, base_uses=before.get(token) if before else None)
        for token, index in old.items()
        if token not in kept
    ]
    rows += [
        idmap.Row(index, index, name.encode(), special=True) for name, index in made.special_tokens.items()
    ]
    return idmap.IdMap.of(rows, base.digest, base.rows, made.rows)
