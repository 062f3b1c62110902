"""Vocabularies of the package: what they hold, and that a name stands wherever a tokenizer's folder does."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from pipelines.cli import run
from tokenizer import named
from tokenizer.adapt.load import load as load_base
from tokenizer.encode import Tokenizer
from tokenizer.export import check
from tokenizer.vocabulary import Vocabulary, folder_of, load_named

SIZES = {"ru-32k": 32_000, "ru-64k": 64_000, "ru-en-code-128k": 128_000}
TEXTS = [
    "Съешь же ещё этих мягких французских булок, да выпей чаю. 12345 <|pad|>",
    "def f(x):\n    return x ** 2  # квадрат\n",
    "Ёлки-палки… naïve café 日本 🎉 \u0000\ufeff",
    "",
]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", named.NAMES)
def test_a_vocabulary_has_the_size_of_its_name_and_all_roles(name: str) -> None:
    tokenizer = Tokenizer.from_name(name)
    assert tokenizer.size == SIZES[name]
    special = tokenizer.vocabulary.special_tokens
    assert {role: special[text] for role, text in tokenizer.vocabulary.roles.items()} == {
        "bos": SIZES[name] - 16,
        "eos": SIZES[name] - 15,
        "pad": SIZES[name] - 14,
        "unk": SIZES[name] - 13,
    }
    for text in TEXTS:
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_same_ids_in_tokenizers_and_tiktoken() -> None:
    result = check(load_named("ru-32k"), TEXTS, ("tokenizers", "tiktoken"))
    assert result.ok
    assert len(result.agreed) == 2


@pytest.mark.parametrize("name", named.NAMES)
def test_what_it_was_learnt_from_is_said_with_licences(name: str) -> None:
    about = named.about(name)
    assert sum(source["share"] for source in about.values()) == pytest.approx(1, abs=0.01)
    for source in about.values():
        assert source["licence"]
        assert source["bytes"] > 0
    assert not {"news", "wikinews"} & about.keys()  # no licence is stated for them


def test_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="choose from ru-32k, ru-64k, ru-en-code-128k"):
        Tokenizer.from_name("ru-16k")


def test_a_damaged_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = json.loads(lzma.decompress((named.FOLDER / "ru-32k.json.xz").read_bytes()))
    data["left"][5] += 1
    (tmp_path / "ru-32k.json.xz").write_bytes(lzma.compress(json.dumps(data).encode()))
    monkeypatch.setattr(named, "FOLDER", tmp_path)
    load_named.cache_clear()
    with pytest.raises(ValueError, match="damaged"):
        load_named("ru-32k")
    load_named.cache_clear()


def test_a_folder_of_that_name_goes_first(tmp_path: Path) -> None:
    small = Vocabulary.from_ranks([bytes([byte]) for byte in range(256)])
    small.save(tmp_path / "ru-32k")
    assert len(Vocabulary.load("ru-32k").tokens) == 256
    assert len(Vocabulary.load("ru-64k").tokens) == 64_000 - 16


def test_files_of_a_name_are_made_once_and_whole() -> None:
    folder = folder_of("ru-32k")
    assert folder_of("ru-32k") == folder
    assert Vocabulary.load(folder).digest == load_named("ru-32k").digest
    assert [one.name for one in folder.parent.iterdir()] == ["ru-32k"]
    assert load_base("ru-32k").rows == 32_000


def test_export_evaluate_encode_and_verify_take_a_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "texts.jsonl").write_text(json.dumps({"text": TEXTS[0]}) + "\n", "utf-8")
    assert run(["export", "ru-32k", "--out", "exported"]) == 0
    assert Vocabulary.load("exported").digest == load_named("ru-32k").digest
    assert json.loads(Path("exported/special_tokens_map.json").read_text())["pad_token"] == "<|pad|>"  # noqa: S105 - a name
    assert (tmp_path / "exported" / "vocabulary.gguf").is_file()
    capsys.readouterr()
    shown = ["evaluate", "ru-32k", "ru-64k", "--text", "texts.jsonl", "--no-consistency", "--json"]
    assert run(shown) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["tokenizer"], row["ids"]) for row in rows] == [("ru-32k", 32_000), ("ru-64k", 64_000)]
    command = ["encode", "texts.jsonl", "--tokenizer", "ru-32k", "--end", "<|end_of_text|>", "--out", "ids"]
    assert run([*command, "--executor", "inline", "-q"]) == 0
    assert run(["verify", "ids"]) == 0
    manifest = json.loads((tmp_path / "ids" / "manifest.json").read_text())
    assert manifest["tokenizer"]["digest"] == load_named("ru-32k").digest
    assert manifest["tokens"] == len(Tokenizer.from_name("ru-32k").encode(TEXTS[0])) + 1


def test_transformers_pads_without_being_told_which_token() -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoTokenizer.from_pretrained(str(folder_of("ru-32k")))
    batch = theirs(["Мама мыла раму.", "Да"], padding=True)
    assert len({len(ids) for ids in batch["input_ids"]}) == 1
    assert batch["input_ids"][1][-1] == theirs.pad_token_id == 32_000 - 14
    assert (theirs.bos_token_id, theirs.eos_token_id, theirs.unk_token_id) == (31_984, 31_985, 31_987)
