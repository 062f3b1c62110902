"""`bukvar adapt`: from texts to files, proofs and one-line errors."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipelines.stages import Say
from tests.tokenizer.adapt.bases import ENGLISH, OTHER, RUSSIAN, change, hugging_face, tekken
from tokenizer.adapt.load import load


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "ru.txt").write_text("\n".join(RUSSIAN), encoding="utf-8")
    spelt = ["What spells <|pad|> or <s> is ordinary text."]
    (tmp_path / "en.txt").write_text("\n".join(ENGLISH + OTHER + spelt), encoding="utf-8")
    (tmp_path / "ko.txt").write_text("안녕하세요 여러분, 반갑습니다.\n" * 50, encoding="utf-8")
    return tmp_path


def adapt(say: Say, base: Path, texts: Path, *more: object) -> tuple[int, str, str]:
    out = texts / "out"
    return say("adapt", base, texts / "ru.txt", "--out", out, "--executor", "inline", "--quiet", *more)


def test_a_base_is_extended_and_proved(say: Say, texts: Path) -> None:
    base = hugging_face(texts / "base")
    code, out, err = adapt(say, base, texts, "--add", 50, "--check", texts / "en.txt", "--json")
    assert code == 0, err
    report = json.loads(out)
    assert report["ok"]
    assert report["new"] == 50
    assert report["rows"] == report["base"]["rows"] + 50
    held = {one["name"]: one["holds"] for one in report["proofs"]}
    assert held["text without Cyrillic keeps its ids"]
    assert held["every new token can be reached"]
    assert held["equal ids in tokenizers"]
    assert held["equal ids in tiktoken"]
    assert (texts / "out" / "adaptation.md").read_text().startswith("# base, adapted")
    code, out, _ = say("adapt", base, "--out", texts / "out", "--check", texts / "ru.txt")
    assert code == 0
    assert "Russian takes fewer tokens" in out


def test_ids_are_freed_at_a_fixed_size(say: Say, texts: Path) -> None:
    base = tekken(texts / "base")
    more = ("--fixed-size", "--give-up", "Hangul, Thai", "--check", texts / "en.txt")
    code, _, err = adapt(say, base, texts, *more)
    assert code == 0, err
    made = load(texts / "out")
    assert made.rows == load(base).rows
    freed = len(load(base).tokens) - sum(token in made.rank_of for token in load(base).tokens)
    assert freed > 20
    code, _, err = adapt(say, base, texts, *more, "--keep", texts / "ko.txt", "--redo")
    assert code == 0, err
    korean = "안녕하세요 여러분, 반갑습니다."
    report = json.loads((texts / "out" / "adaptation.json").read_text())
    held = {one["name"]: one["holds"] for one in report["proofs"]}
    assert held["ko.txt keeps its length"]
    assert load(texts / "out").encoder.count([korean]) <= 1.1 * load(base).encoder.count([korean])


def test_little_used_tokens_are_swapped(say: Say, texts: Path) -> None:
    base = hugging_face(texts / "base")
    code, out, err = adapt(say, base, texts, "--add", 20, "--swap", "--check", texts / "en.txt", "--json")
    assert code == 0, err
    report = json.loads(out)
    assert report["rows"] == report["base"]["rows"] + 20
    assert report["new"] == 20 + report["freed"]


def test_so_many_ids_are_freed_as_are_filled(say: Say, texts: Path) -> None:
    base = tekken(texts / "base")
    code, out, err = adapt(say, base, texts, "--fixed-size", "--give-up", "Hangul", "--add", 12, "--json")
    assert code == 0, err
    report = json.loads(out)
    assert 12 == report["new"] <= report["freed"] <= 14


def test_a_changed_folder_fails_its_proofs(say: Say, texts: Path) -> None:
    base = hugging_face(texts / "base")
    assert adapt(say, base, texts, "--add", 50)[0] == 0

    def swap(data: dict) -> None:
        vocab = data["model"]["vocab"]
        vocab["Ġthe"], vocab["Ġdog"] = vocab["Ġdog"], vocab["Ġthe"]

    change(texts / "out", swap)
    code, out, _ = say("adapt", base, "--out", texts / "out", "--check", texts / "en.txt")
    assert code == 1
    assert "FAILED   text without Cyrillic keeps its ids" in out
    assert "FAILED   the id map is right" in out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--add", 100_000), "100000 are wanted"),
        (("--fixed-size", "--give-up", "Klingon"), "there is no script 'Klingon'"),
        (("--fixed-size", "--give-up", "Hangul", "--add", 9_999), "ids can be freed, 9999 are wanted"),
        ((), "adapt.add says how many"),
        (("--give-up", "Hangul", "--add", 5), "give_up frees ids for"),
    ],
)
def test_what_cannot_be_done_is_one_line(say: Say, texts: Path, more: tuple, message: str) -> None:
    code, _, err = adapt(say, hugging_face(texts / "base"), texts, *more)
    assert code in (1, 2)
    assert message in err


def test_an_input_without_cyrillic_is_one_line(say: Say, texts: Path) -> None:
    base = hugging_face(texts / "base")
    out = texts / "out"
    code, _, err = say(
        "adapt", base, texts / "en.txt", "--add", 5, "--out", out, "--executor", "inline", "--quiet"
    )
    assert code == 1
    assert "holds no Cyrillic" in err


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda data: data["model"].update(type="Unigram"), "a Unigram model, not byte-level BPE"),
        (lambda data: data["model"].update(type="WordPiece"), "a WordPiece model, not byte-level BPE"),
        (lambda data: data["model"].update(byte_fallback=True), "SentencePiece's BPE over characters"),
        (lambda data: data["model"]["merges"].reverse(), "merges out of order|not made of its tokens"),
        (lambda data: data.update(normalizer={"type": "Lowercase"}), "the normalizer Lowercase"),
        (lambda data: data["pre_tokenizer"]["pretokenizers"].insert(0, {"type": "Digits"}), "Digits+Split"),
    ],
)
def test_a_base_that_is_none_is_named(say: Say, texts: Path, edit: Callable, message: str) -> None:
    base = hugging_face(texts / "base")
    change(base, edit)
    code, _, err = adapt(say, base, texts, "--add", 5)
    assert code == 2
    assert any(one in err for one in message.split("|")), err


def test_a_sentencepiece_file_is_named(say: Say, texts: Path) -> None:
    (texts / "tokenizer.model").write_bytes(b"\n\x0e\n\x05<unk>\x15\x00\x00\x00\x00\x18\x02\n\x0c")
    code, _, err = adapt(say, texts / "tokenizer.model", texts, "--add", 5)
    assert code == 2
    assert "SentencePiece model" in err
