"""`bukvar filter fit`: labels in, a preset of one's own out; `bukvar filter --preset` takes it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.quality import model, refit
from corpus.quality.labels import Label, append, digest
from corpus.quality.rules import MARGIN, Rule, read_preset
from corpus.quality.signals import SIGNALS
from corpus.quality.verdicts import Filter, preset_rules
from pipelines.cli import run

pytest.importorskip("lightgbm")

SAYINGS = [
    "Вечером они долго сидели у окна и молчали, потому что говорить было уже не о чем.",
    "За окном шёл дождь, и по стеклу медленно сползали крупные капли.",
    "Старик поднялся, взял со стола лампу и пошёл наверх, ни с кем не попрощавшись.",
    "Дети ещё немного подождали, а потом тоже разошлись по своим комнатам.",
    "В доме стало тихо, только на кухне капала вода.",
    "Утром она нашла под дверью письмо, в котором не было ни слова о вчерашнем.",
    "Он обещал вернуться к осени, но никто ему не поверил.",
]
OFFERS = ["Выезд мастера бесплатно", "Гарантия на работы", "Работаем без выходных", "Звоните прямо сейчас"]


def story(rng: random.Random) -> str:
    return "\n".join(rng.choices(SAYINGS, k=6))


def advertisement(rng: random.Random) -> str:
    """What the bundled filter lets pass about half of: the same story, offers after each line."""
    return "\n".join(f"{line} {rng.choice(OFFERS)}! {rng.choice(OFFERS)}!" for line in story(rng).split("\n"))


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with documents of twenty hosts and the labels of one reader."""
    folder, rng = tmp_path_factory.mktemp("team"), random.Random(5)
    texts = [(story if n % 2 else advertisement)(rng) for n in range(160)]
    hosts = [f"host{n % 20}.example" for n in range(160)]
    pq.write_table(pa.table({"text": texts, "host": hosts}), folder / "documents.parquet")
    for n, text in enumerate(texts):
        kind = "story" if n % 2 else "offers"
        append(folder / "labels.jsonl", Label(digest(text), kind, kind == "story", "anna"))
    return folder


def fit(team: Path, out: Path, *more: str) -> list[str]:
    documents, labels = str(team / "documents.parquet"), str(team / "labels.jsonl")
    return ["filter", "fit", documents, "--labels", labels, "--out", str(out), *more]


def test_a_fit_drops_what_the_team_calls_junk_and_the_filter_takes_it(
    team: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = tmp_path / "team.preset"
    assert run(fit(team, preset, "--json")) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["documents"], report["hosts"]) == (160, 20)
    assert report["dropped_before"] < 0.6
    assert report["dropped_after"] > 0.9
    assert report["kept_after"] > 0.95
    documents, out = str(team / "documents.parquet"), tmp_path / "out"
    command = ["filter", documents, "--preset", str(preset), "--out", str(out), "--executor", "inline", "-q"]
    assert run(command) == 0
    kept = pq.read_table(out, columns=["text"]).column("text").to_pylist()
    assert sum("Звоните" in text or "Гарантия" in text for text in kept) <= 4
    assert len(kept) >= 76
    dropped = pq.read_table(out / "_dropped", columns=["drop_detail"]).column("drop_detail").to_pylist()
    assert "junk_margin" in dropped[0]


def test_the_same_labels_give_the_same_file(team: Path, tmp_path: Path) -> None:
    for name in "ab":
        assert run(fit(team, tmp_path / name)) == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_fit_can_begin_with_a_fit(team: Path, tmp_path: Path) -> None:
    assert run(fit(team, tmp_path / "first")) == 0
    assert run(fit(team, tmp_path / "second", "--from", str(tmp_path / "first"), "--keep", "0.9")) == 0
    assert read_preset(tmp_path / "second")[-1].signal == MARGIN


def test_the_preset_holds_rules_and_the_trees_that_were_measured(team: Path, tmp_path: Path) -> None:
    preset = tmp_path / "team.preset"
    assert run(fit(team, preset)) == 0
    table = pq.read_table(team / "documents.parquet")
    judged = Filter(preset=str(preset)).open()(table)
    assert set(preset_rules(str(preset))) == set(Filter(preset=str(preset)).in_force())
    base = Filter().open()(table)
    assert judged.column("register").equals(base.column("register"))
    assert not judged.column(MARGIN).equals(base.column(MARGIN))


def test_labels_of_another_corpus_are_named(
    team: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"text": ["Совсем другой текст."]}), other)
    command = fit(team, tmp_path / "x")
    command[2] = str(other)
    assert run(command) == 2
    assert "none of the 160 labelled documents is among the inputs" in capsys.readouterr().err


def test_too_few_labels_are_named(team: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fit(team, tmp_path / "x", "--keep", "0.999")) == 2
    assert "at least 999 and 20 are needed; label more" in capsys.readouterr().err


def test_disputed_labels_are_left_out(team: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second = tmp_path / "boris.jsonl"
    texts = pq.read_table(team / "documents.parquet").column("text").to_pylist()
    append(second, Label(digest(texts[1]), "offers", False, "boris"))
    assert run(fit(team, tmp_path / "x", "--labels", str(second))) == 0
    assert "1 documents left out" in capsys.readouterr().err


def test_a_preset_with_an_unknown_rule_is_named_with_the_nearest(
    team: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "mine.rules"
    rules.write_text("topic_cassino > 0.1\n", "utf-8")
    assert run(fit(team, tmp_path / "x", "--from", str(rules))) == 2
    assert 'did you mean "topic_casino"?' in capsys.readouterr().err


def test_a_model_of_another_version_is_named(
    team: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old.preset"
    names = [*SIGNALS.names[:-1], "another"]
    data = model.to_bytes(refit.trees.TreeFile({model.RULES: ["words < 10"]}, {}), names)
    old.write_bytes(data)
    assert run(fit(team, tmp_path / "x", "--from", str(old))) == 2
    assert "old.preset: the model was fitted to other features" in capsys.readouterr().err
    documents = str(team / "documents.parquet")
    assert run(["filter", documents, "--preset", str(old), "--out", str(tmp_path / "o")]) == 2
    assert "fit it again" in capsys.readouterr().err


def test_a_model_without_rules_is_no_preset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["filter", "x.parquet", "--preset", str(model.BUNDLED), "--out", str(tmp_path / "o")]) == 2
    assert "a model without rules" in capsys.readouterr().err


def labelled(margins: list[float], good: list[bool]) -> tuple[refit.Labelled, refit.Floats]:
    rows = np.zeros((len(good), len(SIGNALS.names)), np.float32)
    names = np.array([f"h{n}" for n in range(len(good))])
    kinds = np.where(good, "good", "junk")
    return refit.Labelled(rows, np.array(good), kinds, names), np.array(margins)


def test_the_margins_threshold_keeps_the_share_of_good_text_that_was_asked_for() -> None:
    documents, margins = labelled([*np.linspace(-5, 5, 200), 9.0], [True] * 200 + [False])
    (rule,) = refit.thresholds(documents, margins, (), 0.9)
    assert rule.signal == MARGIN
    kept = (margins[:200] <= rule.limit).mean()
    assert 0.9 <= kept <= 0.92


def test_a_rule_that_drops_good_text_is_loosened() -> None:
    documents, margins = labelled([0.0] * 120, [True] * 100 + [False] * 20)
    documents.rows[:50, SIGNALS.names.index("phone_ratio")] = np.linspace(0.1, 0.2, 50)
    rule, _ = refit.thresholds(documents, margins, [Rule("phone_ratio", 0.06)], 0.98)
    assert rule.limit >= 0.2
    assert not rule.fails(documents.rows[:, SIGNALS.names.index("phone_ratio")]).any()


def test_documents_of_a_host_stay_in_one_fold() -> None:
    hosts = np.array(["a"] * 50 + ["b"] * 5 + ["c"] * 5 + ["d"] * 3)
    folds = refit.folds_of(hosts, 3)
    assert all(len(set(folds[hosts == host])) == 1 for host in "abcd")
    assert len(set(folds)) == 3
