"""Training as a stage and a command: groups, weights, parity, continuation, pruning, constraints, faults."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import UsageError
from corpus.inputs import Input
from corpus.stage import plan_tasks, run_task
from pipelines.cli import run
from pipelines.evaluate import held_out_texts
from pipelines.groups import factors, pack, parse_weights, unpack
from pipelines.inputs import ENDINGS, resolve
from pipelines.train import Train
from tests.pipelines.stages import name_of
from tests.tokenizer.samples import out_of_order
from tokenizer import train as direct
from tokenizer.counting import ShardCounter
from tokenizer.morphemes import read_lemmas
from tokenizer.train import TrainParameters, count, count_shard, merge_counts
from tokenizer.vocabulary import Vocabulary

#: Text of this project: lemmas, prose, code.
RU = " ".join(lemma.text for lemma in read_lemmas()[:700]) + "\n"
EN = (Path(__file__).parents[2] / "docs" / "design.md").read_text()[:9000]
CODE = Path(__file__).read_text()
SIZE = 400


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for name, text in {"ru": RU, "en": EN, "code": CODE}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(text)
    return tmp_path


def trained(
    corpus: Path, inputs: list[str], *settings: str, out: str = "out", size: int = SIZE
) -> Vocabulary:
    """What `bukvar train` makes of folders of the corpus."""
    assert command(corpus, inputs, *settings, out=out, size=size) == 0
    return Vocabulary.load(corpus / out)


def command(
    corpus: Path, inputs: list[str], *settings: str, out: str = "out", size: int | None = SIZE
) -> int:
    arguments = ["train", *(str(corpus / one) for one in inputs), "--out", str(corpus / out)]
    arguments += ["--executor", "inline", "--quiet", "--set", "train.held_out=0"]
    arguments += ["--vocab-size", str(size)] if size else []
    for setting in settings:
        arguments += ["--set", setting]
    return run(arguments)


def pieces(text: str) -> list[str]:
    """A plain text as the stage reads it: all of it, these are short."""
    return [text]


def test_weights_are_proportions_of_bytes(corpus: Path) -> None:
    """Three times as many bytes of Russian as of English, whatever there is of each."""
    weights = ("train.groups=folder", 'train.weights=["ru=3", "en=1"]', "train.boundaries=none")
    found = trained(corpus, ["ru", "en"], *weights)
    for name, text in {"ru": RU, "en": EN}.items():
        count_shard(pieces(text), "llama3", corpus / f"{name}.counts")
    sizes = {"ru": len(RU.encode()), "en": len(EN.encode())}
    ratio = 3 / sizes["ru"] * sizes["en"]
    assert ratio > 1
    files = [corpus / "en.counts", corpus / "ru.counts"]
    merge_counts(files, corpus / "all.counts", weights=[1.0, ratio])
    model = direct.learn(corpus / "all.counts", TrainParameters(SIZE - 16, penalty=0.0))
    assert found.tokens == model.tokens
    assert found.tokens != trained(corpus, ["ru", "en"], "train.boundaries=none", out="plain").tokens


def test_factors_multiply_nothing_down() -> None:
    times = factors({"ru": 100, "en": 400, "none": 0}, {"ru": 1.0, "en": 1.0})
    assert times == {"ru": 4.0, "en": 1.0}


@pytest.mark.parametrize("wrong", ["ru", "ru=", "ru=x", "ru=0", "ru=-1", "ru=inf", "ru=nan", "=="])
def test_weights_of_another_form_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="GROUP=NUMBER"):
        parse_weights([wrong])
    with pytest.raises(ValueError, match="each group once"):
        parse_weights(["ru=1", "ru=2"])


def test_with_parity_the_worst_compressed_group_decides(corpus: Path) -> None:
    parity = ("train.groups=folder", "train.parity=true", "train.boundaries=none")
    found = trained(corpus, ["ru", "en", "code"], *parity)
    groups = [count(pieces(text)) for text in (CODE, EN, RU)]
    model = direct.learn(groups, TrainParameters(SIZE - 16, penalty=0.0))
    assert found.tokens == model.tokens
    about = json.loads((corpus / "out" / "training.json").read_text())
    assert about["bytes"] == sum(len(text.encode()) for text in (RU, EN, CODE))


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_a_column_makes_groups_as_folders_do(corpus: Path, kind: str) -> None:
    rows = [{"id": name, "text": text, "lang": name} for name, text in {"ru": RU, "en": EN}.items()]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), corpus / "all.parquet")
    else:
        (corpus / "all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    weights = 'train.weights=["ru=1", "en=2"]'
    by_column = trained(corpus, [f"all.{kind}"], "train.groups=lang", weights)
    by_folder = trained(corpus, ["ru", "en"], "train.groups=folder", weights, out="folders")
    assert by_column.digest == by_folder.digest


def test_shards_of_a_run_are_no_groups(corpus: Path) -> None:
    stage = Train(vocab_size=SIZE, groups="folder", parity=True)
    shards = [Input(str(corpus / "ru" / "a.txt"), f"{name_of(str(n))}.parquet", "") for n in range(2)]
    with pytest.raises(UsageError, match="name a column"):
        stage.check(shards, ())


def test_of_a_small_text_as_many_tokens_are_learnt_as_it_gives(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = trained(corpus, ["ru"], size=60_000)
    assert 300 < len(found.tokens) < 60_000
    assert re.search(r"the text gives no more than [\d,]+ of 60,000 tokens", capsys.readouterr().err)


def test_groups_travel_in_one_file_with_the_same_bytes(tmp_path: Path) -> None:
    count_shard([RU], "llama3", tmp_path / "ru.counts")
    count_shard([EN], "llama3", tmp_path / "en.counts")
    parts = {"en": tmp_path / "en.counts", "r/u": tmp_path / "ru.counts"}
    pack(parts, tmp_path / "one")
    pack(parts, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    found = unpack(tmp_path / "one", tmp_path)
    assert list(found) == ["en", "r/u"]
    assert found["r/u"].read_bytes() == (tmp_path / "ru.counts").read_bytes()


def test_counting_in_steps_gives_the_file_of_counting_at_once(tmp_path: Path) -> None:
    counter = ShardCounter("llama3", tmp_path / "steps")
    for text in (RU, EN, CODE):
        counter.add([text])
    assert counter.finish() == tmp_path / "steps"
    count_shard([RU, EN, CODE], "llama3", tmp_path / "once")
    assert (tmp_path / "steps").read_bytes() == (tmp_path / "once").read_bytes()


def test_training_goes_on_from_a_vocabulary(corpus: Path) -> None:
    first = trained(corpus, ["en"], out="first", size=SIZE)
    again = f"train.continue_from={corpus / 'first'}"
    found = trained(corpus, ["ru"], again, size=SIZE + 50)
    assert found.tokens[: len(first.tokens)] == first.tokens
    assert len(found.tokens) == SIZE + 50 - 16
    # Russian lemmas use few of the English leaves; what is pruned makes room for more Russian.
    pruned = trained(corpus, ["ru"], again, "train.min_uses=1", out="pruned", size=SIZE + 50)
    gone = set(found.tokens) - set(pruned.tokens)
    assert gone
    assert sum(token.isascii() for token in gone) > len(gone) / 2
    assert len(pruned.tokens) == len(found.tokens)
    assert max(map(len, pruned.tokens[256:])) >= 4


def test_a_vocabulary_that_cannot_be_continued_is_refused_before_any_work(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out_of_order().save(corpus / "llama")
    assert command(corpus, ["ru"], f"train.continue_from={corpus / 'llama'}") == 2
    assert "not the order of its merges" in capsys.readouterr().err
    trained(corpus, ["en"], out="first", size=330)
    first = f"train.continue_from={corpus / 'first'}"
    assert command(corpus, ["ru"], first, "train.pattern=o200k", out="other") == 2
    assert "splits by llama3" in capsys.readouterr().err
    assert command(corpus, ["ru"], "train.continue_from=nowhere", out="third") == 2


def test_boundaries_are_the_built_in_ones_none_or_a_file(corpus: Path) -> None:
    own = corpus / "own.tsv"
    own.write_text("".join(f"{x.text}\t{'|'.join(x.text)}\n" for x in read_lemmas()[:300]))
    found = {
        name: trained(corpus, ["ru"], f"train.boundaries={value}", out=name, size=500).tokens
        for name, value in {"russian": "russian", "none": "none", "own": str(own)}.items()
    }
    plain = trained(corpus, ["ru"], "train.penalty=0", out="plain", size=500).tokens
    assert found["none"] == plain
    assert len({found["russian"], found["none"], found["own"]}) == 3


@pytest.mark.parametrize(
    ("setting", "broken"),
    [
        ("train.max_token_bytes=4", lambda token: len(token) > 4),
        ("train.max_punctuation=1", lambda token: sum(token.count(mark) for mark in b"()[]{}:='\"") > 1),
        ("train.bare_words=true", lambda token: token[:1] in b"'[({" and token[1:2].isalpha()),
        ("train.pattern=qwen2", lambda token: token.isdigit() and len(token) > 1),
    ],
)
def test_guards_are_settings(corpus: Path, setting: str, broken: object) -> None:
    (corpus / "code" / "a.txt").write_text(CODE + "f('a') == g['a'] == 2024 + 2024 + 2024 [ab] (ab)\n" * 30)
    free = trained(corpus, ["code"], "train.boundaries=none", out="free", size=600)
    kept = trained(corpus, ["code"], "train.boundaries=none", setting, size=600)
    assert any(map(broken, free.tokens[256:]))  # type: ignore[call-overload]
    assert not any(map(broken, kept.tokens[256:]))  # type: ignore[call-overload]


def test_merging_and_learning_tell_how_far_they_are(corpus: Path) -> None:
    reported: list[float] = []
    (source,) = resolve([str(corpus / "ru")], ENDINGS["texts"])
    stage = Train(vocab_size=SIZE, held_out=0.0)
    for _, (task,) in plan_tasks(stage, [source], str(corpus / "out")):
        reported.clear()
        run_task(task, reported.append)
        assert reported == sorted(reported)
    assert reported[-1] == 1.0


def test_the_name_of_a_text_decides_nothing(tmp_path: Path) -> None:
    """Whatever a text is called, it trains, by the same documents; an only document is never held out."""
    text = (RU + EN) * 2
    made = []
    for name in ("novel", "texts", "pushkin", *map(str, range(12))):
        (tmp_path / f"{name}.txt").write_text(text)
        arguments = ["train", str(tmp_path / f"{name}.txt"), "--out", str(tmp_path / name)]
        settings = [
            "--vocab-size",
            str(SIZE),
            "--set",
            "train.held_out=0.5",
            "--set",
            "train.boundaries=none",
        ]
        assert run([*arguments, *settings, "--executor", "inline", "--quiet"]) == 0
        made.append((tmp_path / name / "tokenizer.json").read_bytes())
    assert len(set(made)) == 1


@pytest.mark.parametrize("ending", ["txt", "jsonl"])
def test_an_only_document_is_not_held_out(tmp_path: Path, ending: str) -> None:
    text = RU[:9000]
    (tmp_path / "a.txt").write_text(text)
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text}) + "\n")
    arguments = [
        "train",
        str(tmp_path / f"a.{ending}"),
        "--out",
        str(tmp_path / "out"),
        "--vocab-size",
        "300",
    ]
    settings = ["--set", "train.held_out=0.999999", "--set", "train.boundaries=none"]
    assert run([*arguments, *settings, "--executor", "inline", "--quiet"]) == 0
    about = json.loads((tmp_path / "out" / "training.json").read_text())
    assert (about["documents"], about["kept_first"]) == (1, True)
    (source,) = resolve([str(tmp_path / f"a.{ending}")], ENDINGS["texts"])
    assert held_out_texts([source], about, 1_000_000) == {}
    assert held_out_texts([source], about | {"kept_first": False}, 1_000_000) == {"held out": [text]}


def test_every_parameter_stands_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--help"]) == 0
    shown = capsys.readouterr().out
    for field in dataclasses.fields(Train):
        assert f"train.{field.name}" in shown


@pytest.mark.parametrize(
    ("text", "settings", "code", "said"),
    [
        (b"", (), 1, "the corpus is empty"),
        (RU.encode(), ("train.vocab_size=200",), 2, "200 is too small"),
        (RU.encode(), ("train.pattern=[a",), 2, "does not compile"),
        (RU.encode(), ("train.pattern=lama3",), 2, "did you mean llama3?"),
        (EN.encode(), ('train.special_tokens=["the"]', "train.boundaries=none"), 1, "special token 'the' is"),
        (EN.encode(), ('train.special_tokens=["a"]',), 2, "special token 'a' is an ordinary token"),
        (RU.encode(), ("train.pattern=[a-z]+",), 1, "loses text"),
        (RU.encode("cp1251"), (), 1, "is not UTF-8"),
        (RU.encode(), ("train.weights=ru=1",), 2, "need train.groups"),
        (RU.encode(), ("train.groups=folder", "train.weights=en=1"), 2, "the groups of the input are"),
        (RU.encode(), ("train.groups=lang",), 1, "plain text has no column 'lang'"),
        (RU.encode(), ("train.groups=folder", "train.parity=true", "train.weights=a=1"), 2, "by itself"),
        (RU.encode(), ("train.boundaries=nowhere.tsv",), 2, "no such file"),
    ],
)
def test_bad_input_is_an_error_of_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: bytes,
    settings: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    (tmp_path / "a.txt").write_bytes(text)
    assert (
        command(tmp_path, ["a.txt"], *settings, size=None if "vocab" in "".join(settings) else SIZE) == code
    )
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("bukvar: ")
    assert said in line
    assert not (tmp_path / "out" / "tokenizer.json").exists()
