"""Vocabularies check themselves and survive every file format."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tokenizer.samples import out_of_order, small_vocabulary
from tokenizer import files
from tokenizer.vocabulary import NO_MERGE, SPECIAL_TOKENS, Vocabulary


@pytest.mark.parametrize("pattern", ["llama3", "o200k", r"\w+|\W"])
def test_a_saved_vocabulary_loads_as_itself(tmp_path: Path, pattern: str) -> None:
    vocabulary = small_vocabulary(pattern)
    vocabulary.save(tmp_path / "new" / "folder")
    assert Vocabulary.load(tmp_path / "new" / "folder") == vocabulary


def test_saving_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        small_vocabulary().save(tmp_path / name)
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_ranks_alone_give_the_same_merges(tmp_path: Path) -> None:
    vocabulary = small_vocabulary()
    vocabulary.save(tmp_path)
    assert Vocabulary.load(tmp_path / "ranks.tiktoken") == vocabulary
    assert Vocabulary.from_ranks(vocabulary.tokens) == replace(vocabulary, special_tokens={})


def test_a_rank_file_without_a_pattern_asks_for_one(tmp_path: Path) -> None:
    path = tmp_path / "some.tiktoken"
    path.write_bytes(files.ranks_bytes(small_vocabulary().tokens))
    with pytest.raises(ValueError, match="carries no split pattern"):
        Vocabulary.load(path)
    assert Vocabulary.load(path, "o200k").pattern == "o200k"


def test_a_vocabulary_out_of_merge_order_is_loaded_as_such(tmp_path: Path) -> None:
    vocabulary = out_of_order()
    assert not vocabulary.ordered
    assert NO_MERGE in vocabulary.merges
    vocabulary.save(tmp_path)
    assert Vocabulary.load(tmp_path) == vocabulary
    assert json.loads((tmp_path / "tokenizer.json").read_text())["model"]["ignore_merges"] is True


def test_special_tokens_follow_the_last_rank() -> None:
    vocabulary = small_vocabulary()
    assert list(vocabulary.special_tokens) == list(SPECIAL_TOKENS)
    assert min(vocabulary.special_tokens.values()) == len(vocabulary.tokens)
    assert vocabulary.size == len(vocabulary.tokens) + len(SPECIAL_TOKENS)


def test_tekken_ids_begin_after_its_special_tokens(tmp_path: Path) -> None:
    tokens = small_vocabulary("tekken").tokens
    import base64

    entries = [
        {"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
        for rank, token in enumerate(tokens)
    ]
    config = {"pattern": files.pattern_regex("tekken"), "default_vocab_size": len(tokens) + 7 - 3}
    config["default_num_special_tokens"] = 7
    specials = [{"rank": 0, "token_str": "<unk>", "is_control": True}]
    tekken = {"config": config, "vocab": entries, "special_tokens": specials}
    (tmp_path / "tekken.json").write_text(json.dumps(tekken))
    vocabulary = Vocabulary.load(tmp_path)
    assert vocabulary.tokens == tokens[:-3]
    assert (vocabulary.first_id, vocabulary.pattern, vocabulary.special_tokens) == (7, "tekken", {"<unk>": 0})


def test_the_table_has_a_line_for_each_id(tmp_path: Path) -> None:
    vocabulary = small_vocabulary()
    vocabulary.save(tmp_path)
    lines = (tmp_path / "vocab.tsv").read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[0] for line in lines[1:]] == [str(index) for index in range(vocabulary.size)]


TOKENS = small_vocabulary().tokens
MERGES = small_vocabulary().merges


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokens": TOKENS[:255], "merges": ()}, "all 256 bytes"),
        ({"tokens": (b"\xd0\xb0", *TOKENS[1:])}, "first 256 tokens must be the 256 bytes"),
        ({"tokens": (*TOKENS[:-1], TOKENS[300])}, "occurs twice"),
        ({"merges": MERGES[:-1]}, "merges, not"),
        ({"merges": (*MERGES[:-1], (0, 0))}, "does not make token"),
        ({"merges": (*MERGES[:-1], (0, 10_000))}, "does not make token"),
        ({"special_tokens": {"<a>": 5}}, "ids of their own"),
        ({"special_tokens": {"<a>": 900, "<b>": 900}}, "ids of their own"),
        ({"special_tokens": {"": 900}}, "not empty"),
        ({"normalization": "NFX"}, "NFX"),
        ({"pattern": "(unclosed"}, "does not compile"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")) as caught:
        replace(small_vocabulary(), **change)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_token_merged_otherwise_than_by_rank_is_refused() -> None:
    """Pruning in the middle leaves such tokens: tiktoken and tokenizers would then disagree."""
    tokens = (*TOKENS[:256], b"bc", b"ab", b"abc")
    with pytest.raises(ValueError, match="merging by rank"):
        Vocabulary(tokens, ((98, 99), (97, 98), (257, 99)))
    assert Vocabulary(tokens, ((98, 99), (97, 98), (97, 256))).ordered


def _json(**change: object) -> dict[str, object]:
    data: dict[str, object] = json.loads(files.tokenizer_json(small_vocabulary()))
    data.update(change)
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_json(model={"type": "Unigram"}), "byte-level BPE"),
        (_json(model={"type": "BPE", "vocab": {"a": 0}, "merges": []}), "256"),
        (_json(pre_tokenizer=None), "one Split and ByteLevel"),
        (_json(normalizer={"type": "Lowercase"}), "Lowercase"),
        (_json(model={"type": "BPE", "merges": []}), "not a tokenizer.json"),
        ([1], "not an object"),
    ],
)
def test_a_tokenizer_json_of_another_make_is_refused_by_name(
    tmp_path: Path, data: object, message: str
) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match=message):
        Vocabulary.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer.json", b"{", "not JSON"),
        ("tokenizer.json", b"\xff\xfe", "not JSON"),
        ("x.tiktoken", b"YQ== 0\nnonsense\n", "x.tiktoken:2"),
        ("x.tiktoken", b"YQ== 0\nYg== 7\n", "ranks are not"),
        ("tekken.json", b"{}", "not a tekken.json"),
        ("notes.txt", b"", "expected a folder"),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Vocabulary.load(tmp_path / name, "llama3" if name == "x.tiktoken" else None)


def test_an_empty_folder_is_no_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no tokenizer\.json"):
        Vocabulary.load(tmp_path)
    with pytest.raises(ValueError, match="no such file or folder; the ready vocabularies are ru-32k"):
        Vocabulary.load(tmp_path / "nowhere")


def test_the_digest_distinguishes_vocabularies() -> None:
    vocabulary = small_vocabulary()
    assert vocabulary.digest == replace(vocabulary).digest
    others = [small_vocabulary("o200k"), replace(vocabulary, special_tokens={}), out_of_order()]
    assert len({vocabulary.digest, *(other.digest for other in others)}) == 4


def roles_of(folder: Path) -> dict[str, str]:
    """What both of transformers' files say, which is the same."""
    given = json.loads((folder / "special_tokens_map.json").read_text())
    config = json.loads((folder / "tokenizer_config.json").read_text())
    assert {role: config.get(role) for role in given} == given
    assert config["model_input_names"] == ["input_ids", "attention_mask"]
    return {role.removesuffix("_token"): name for role, name in given.items()}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (SPECIAL_TOKENS, {"bos": "<|begin_of_text|>", "eos": "<|end_of_text|>", "pad": "<|pad|>"}),
        (("<s>", "</s>", "<pad>", "<unk>"), {"bos": "<s>", "eos": "</s>", "pad": "<pad>", "unk": "<unk>"}),
        (
            ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
            {k: f"[{k.upper()}]" for k in ("pad", "unk", "cls", "sep", "mask")},
        ),
        (("pad=<ничего>", "eos=<конец>"), {"pad": "<ничего>", "eos": "<конец>"}),
        (
            ("bos=eos=<|endoftext|>", "<pad>"),
            {"bos": "<|endoftext|>", "eos": "<|endoftext|>", "pad": "<pad>"},
        ),
        (("pad=</s>",), {"pad": "</s>", "eos": "</s>"}),
        (("<user>", "<a=b>"), {}),
    ],
)
def test_special_tokens_have_their_roles(
    tmp_path: Path, names: tuple[str, ...], expected: dict[str, str]
) -> None:
    vocabulary = small_vocabulary().with_special_tokens(names)
    vocabulary.save(tmp_path / "a")
    assert roles_of(tmp_path / "a") == expected
    again = Vocabulary.load(tmp_path / "a")
    again.save(tmp_path / "b")
    assert again == vocabulary
    assert roles_of(tmp_path / "b") == expected


def test_roles_of_others_files_are_kept(tmp_path: Path) -> None:
    small_vocabulary().with_special_tokens(["<x>", "<y>"]).save(tmp_path)
    given = {"pad_token": {"content": "<y>", "lstrip": False}, "eos_token": "<x>", "unk_token": None}
    (tmp_path / "special_tokens_map.json").write_text(json.dumps(given))
    (tmp_path / "tokenizer_config.json").unlink()
    Vocabulary.load(tmp_path).save(tmp_path / "again")
    assert roles_of(tmp_path / "again") == {"pad": "<y>", "eos": "<x>"}


@pytest.mark.parametrize("token", [b"the", b" the", "мама".encode()])
@pytest.mark.parametrize("spelling", [bytes.decode, files.to_chars])
def test_a_special_token_spelled_as_an_ordinary_one_is_refused(
    token: bytes, spelling: Callable[[bytes], str]
) -> None:
    vocabulary = Vocabulary.from_ranks([*(bytes([n]) for n in range(256)), *beginnings(token)])
    with pytest.raises(ValueError, match="is an ordinary token already"):
        vocabulary.with_special_tokens(["<s>", spelling(token)])


def beginnings(token: bytes) -> list[bytes]:
    """Tokens of which each is one byte longer than the one before."""
    return [token[:end] for end in range(2, len(token) + 1)]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("pad=<a>", "pad=<b>"), "can't both be pad"),
        (("pad=",), "none may be empty"),
        (("pad=<a>", "<a>"), "must differ"),
    ],
)
def test_roles_that_contradict_are_refused(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_vocabulary().with_special_tokens(names)
