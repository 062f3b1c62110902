"""Other runtimes get the same ids, and a difference is found and named."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tokenizer.samples import TEXT, out_of_order, small_vocabulary
from tokenizer import export
from tokenizer.vocabulary import Vocabulary

TEXTS = [TEXT, "", "日本 мир 🙂", *TEXT.split("\n")]
INSTALLED = ("tokenizers", "tiktoken")


@pytest.mark.parametrize("pattern", ["llama3", "o200k", "qwen2", "gpt2"])
def test_installed_runtimes_give_the_same_ids(pattern: str) -> None:
    result = export.check(small_vocabulary(pattern), iter(TEXTS), INSTALLED)
    assert result.ok, str(result)
    assert [name for name, _ in result.agreed] == list(INSTALLED)
    assert (result.texts, result.lost) == (len(TEXTS), 0)
    assert result.bytes == sum(len(text.encode()) for text in TEXTS)


@pytest.mark.parametrize("name", ["<|end_of_text|>", "<|pad|>", "<|reserved_12|>"])
def test_texts_that_spell_special_tokens_are_text_everywhere(name: str) -> None:
    texts = [name, f"мама{name}мыла  {name}\nраму", f"{name * 3} Ġ Ċ âĢ {name[:-1]}", f"  {name}  {TEXT}"]
    result = export.check(small_vocabulary(), texts)
    assert result.ok, str(result)
    assert {"tokenizers", "tiktoken"} <= {name for name, _ in result.agreed}


def test_ids_that_begin_above_zero_agree_too() -> None:
    vocabulary = replace(small_vocabulary(), first_id=7, special_tokens={"<s>": 0})
    assert export.check(vocabulary, TEXTS, INSTALLED).ok


def test_a_vocabulary_out_of_order_agrees_with_tiktoken() -> None:
    result = export.check(out_of_order(), TEXTS, ("tiktoken", "gigatoken"))
    assert [name for name, _ in result.agreed] == ["tiktoken"]
    assert dict(result.skipped).keys() == {"gigatoken"}


def test_a_difference_is_named_with_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(vocabulary: Vocabulary, folder: Path) -> export.Encode:
        right = export._tiktoken(vocabulary, folder)

        def encode(texts: list[str]) -> list[list[int]]:
            pairs = zip(texts, right(texts), strict=True)
            return [[*ids[:-1], 0] if "мир" in text else ids for text, ids in pairs]

        return encode

    monkeypatch.setitem(export.PEERS, "tiktoken", wrong)
    result = export.check(small_vocabulary(), TEXTS, INSTALLED)
    assert not result.ok
    assert [name for name, _ in result.agreed] == ["tokenizers"]
    (difference,) = result.differing
    assert (difference.peer, difference.text) == ("tiktoken", 2)
    assert "other ids: tiktoken, text 2" in str(result)


def test_nothing_compared_is_not_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> export.Encode:
        raise ImportError

    monkeypatch.setitem(export.PEERS, "tiktoken", missing)
    result = export.check(small_vocabulary(), TEXTS, ["tiktoken"])
    assert not result.ok
    assert result.skipped == (("tiktoken", "not installed"),)
    with pytest.raises(ValueError, match="no runtime 'nobody'"):
        export.check(small_vocabulary(), TEXTS, ["nobody"])


class Reader:
    """Reads GGUF 3 by its specification, as little as the tests need."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> int:
        (value,) = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return int(value)

    def value(self, kind: int) -> object:
        if kind == 8:
            size = self.take("Q")
            self.at += size
            return self.data[self.at - size : self.at].decode()
        if kind == 9:
            inner, count = self.take("I"), self.take("Q")
            return [self.value(inner) for _ in range(count)]
        return self.take({4: "I", 5: "i", 7: "B"}[kind])


def _read(path: Path) -> dict[str, object]:
    reader = Reader(path.read_bytes())
    assert reader.data[:4] == b"GGUF"
    reader.at = 4
    assert (reader.take("I"), reader.take("Q")) == (3, 0)
    entries = {}
    for _ in range(reader.take("Q")):
        key = str(reader.value(8))
        entries[key] = reader.value(reader.take("I"))
    assert reader.at == len(reader.data)
    return entries


def test_gguf_holds_tokens_merges_and_the_name_of_the_pattern(tmp_path: Path) -> None:
    vocabulary = replace(small_vocabulary(), special_tokens={"<|end_of_text|>": 422, "<|x|>": 424})
    export.write_gguf(vocabulary, tmp_path / "v.gguf")
    entries = _read(tmp_path / "v.gguf")
    tokens, kinds, merges = (entries[f"tokenizer.ggml.{key}"] for key in ("tokens", "token_type", "merges"))
    assert entries["tokenizer.ggml.pre"] == "llama-bpe"
    assert entries["tokenizer.ggml.eos_token_id"] == 422
    assert isinstance(tokens, list)
    assert tokens[422] == "<|end_of_text|>"
    assert kinds == [1] * 420 + [5, 5, 3, 5, 3]
    assert isinstance(merges, list)
    for index, merge in enumerate(merges):
        left, right = merge.split(" ")
        assert left + right == tokens[256 + index]


def test_gguf_refuses_what_llama_cpp_cannot_do() -> None:
    with pytest.raises(ValueError, match="no split pattern"):
        export.gguf_bytes(small_vocabulary(r"\w+|\W"))
    with pytest.raises(ValueError, match="does not normalize"):
        export.gguf_bytes(replace(small_vocabulary(), normalization="NFC"))


def test_llama_cpp_opens_the_gguf_and_gives_the_same_ids() -> None:
    pytest.importorskip("llama_cpp")
    assert export.check(small_vocabulary(), TEXTS, ["llama-cpp-python"]).ok


def test_transformers_opens_a_saved_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFORMERS_VERBOSITY", "error")
    transformers = pytest.importorskip("transformers")
    vocabulary = small_vocabulary()
    vocabulary.save(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert len(theirs) == vocabulary.size
    assert theirs.eos_token_id == vocabulary.special_tokens["<|end_of_text|>"]
    assert theirs(TEXT).input_ids == export.Tokenizer(vocabulary).encode(TEXT)
    assert theirs.decode(theirs(TEXT).input_ids) == TEXT
    padded = theirs([TEXT, "мир"], padding=True)
    assert set(padded) == {"input_ids", "attention_mask"}
    assert padded.input_ids[1][-1] == theirs.pad_token_id == vocabulary.special_tokens["<|pad|>"]
