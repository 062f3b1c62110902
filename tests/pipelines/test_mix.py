"""Mixes: exact quotas, repeats only after a whole pass, upsampling, phases, order by a seed, resume."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import table
from corpus.errors import UsageError
from pipelines.cli import run
from pipelines.mix import quotas
from pipelines.mix import recipe as recipes
from pipelines.mix.planning import phases_of
from pipelines.mix.presets import PRESETS
from pipelines.mix.quotas import Cut, Items, parted
from tests.pipelines.stages import contents
from tests.tokenizer.samples import small_vocabulary
from tokenizer.encode import Tokenizer

DOCUMENTS = 'unit = "documents"\n'


def write(path: Path, count: int, **more: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = pa.array([table.doc_id(f"{path}:{n}") for n in range(count)], pa.binary(16))
    texts = [f"{path.stem} {n} " + "слово " * (n % 7) for n in range(count)]
    pq.write_table(pa.table({"doc_id": ids, "text": texts, **more}), path)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two sources: web in three files (300 documents), books in one (40)."""
    for name in ("a", "b", "c"):
        sizes = [1, 2, 3, 4, 5, 99, 100, 999, 1000, 2] * 10
        write(tmp_path / f"web/{name}.parquet", 100, cluster_size=pa.array(sizes, pa.int32()))
    write(tmp_path / "books/x.parquet", 40)
    small_vocabulary().save(tmp_path / "tokenizer")
    return tmp_path


def mix(home: Path, text: str, *arguments: str, out: str = "out") -> int:
    (home / "mix.toml").write_text(text, "utf-8")
    command = ["mix", str(home / "mix.toml"), "--out", str(home / out), "--executor", "inline", "--quiet"]
    return run([*command, *arguments])


def sources(web: str = "", books: str = "") -> str:
    return f'[sources.web]\ninputs = ["web"]\n{web}\n[sources.books]\ninputs = ["books"]\n{books}\n'


def phase(name: str, weights: str, budget: int = 0) -> str:
    return f'[[phases]]\nname = "{name}"\nbudget = {budget}\nweights = {{ {weights} }}\n'


def rows(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def plan(folder: Path) -> Any:
    return json.loads((folder / "_mix.json").read_text())


def test_budgets_in_documents_are_met_to_the_document(home: Path) -> None:
    text = DOCUMENTS + sources(books="epochs = 3") + phase("main", "web = 3, books = 1", 200)
    assert mix(home, text) == 0
    found = rows(home / "out")
    assert Counter(row["mix_source"] for row in found) == {"web": 150, "books": 50}
    books = Counter(row["doc_id"] for row in found if row["mix_source"] == "books")
    assert sorted(books.values()) == [1] * 30 + [2] * 10  # a second pass begins when the first is done
    assert {row["mix_epoch"] for row in found} == {0, 1}
    taken = plan(home / "out")["phases"]["main"]
    assert (taken["web"]["documents"], taken["books"]["epochs"]) == (150, 1.25)
    assert plan(home / "out")["sources"]["web"]["unused_documents"] == 150


def test_budgets_in_tokens_are_met_within_one_document(home: Path) -> None:
    text = 'tokenizer = "tokenizer"\n' + sources(books="epochs = 9")
    assert mix(home, text + phase("main", "web = 0.5, books = 0.5", 3000)) == 0
    tokenizer = Tokenizer.from_file(home / "tokenizer")
    for name in ("web", "books"):
        counts = [tokenizer.count(row["text"]) for row in rows(home / "out") if row["mix_source"] == name]
        assert 1500 <= sum(counts) < 1500 + max(counts)
        assert sum(counts) == plan(home / "out")["phases"]["main"][name]["amount"]


def test_phases_follow_one_another_without_repeating(home: Path) -> None:
    text = DOCUMENTS + sources() + phase("long", "web = 1", 200) + phase("end", "web = 1, books = 1", 60)
    assert mix(home, text) == 0
    names = sorted(path.name.split("-")[1] for path in (home / "out").glob("*.parquet"))
    assert names == ["end", "long"]
    found = rows(home / "out")  # in the order of the names: long, then end
    assert [row["mix_source"] for row in found[:200]] == ["web"] * 200
    assert Counter(row["mix_source"] for row in found[200:]) == {"web": 30, "books": 30}
    assert len({row["doc_id"] for row in found}) == 260


def test_fineweb2s_weights_by_the_size_of_clusters(home: Path) -> None:
    assert mix(home, DOCUMENTS + sources(web='cluster_size = "fineweb2"')) == 0
    found = Counter(
        (row["doc_id"], row["cluster_size"]) for row in rows(home / "out") if row["mix_source"] == "web"
    )
    by_size = {size: {n for (_, other), n in found.items() if other == size} for _, size in found}
    assert by_size == {1: {1}, 2: {2}, 3: {3}, 4: {3}, 5: {5}, 99: {5}, 100: {8}, 999: {8}, 1000: {1}}


@pytest.mark.parametrize("name", PRESETS)
def test_presets_rise_from_one_and_end_with_one(home: Path, name: str) -> None:
    """As FineWeb-2's authors say of them: the smallest clusters and the largest are not repeated."""
    values, times = recipes.Upsampling("cluster_size", {str(k): v for k, v in PRESETS[name].items()}).steps()
    assert (values[0], times[0], times[-1]) == (1, 1, 1)
    most = name.rpartition("-")[2]
    assert max(times) == (int(most) if most.isdecimal() else 8)
    assert mix(home, DOCUMENTS + sources(web=f'cluster_size = "{name}"'), "--dry-run") == 0


def test_a_source_without_documents_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(pa.table({"text": pa.array(["", None], pa.string())}), home / "books/x.parquet")
    assert mix(home, DOCUMENTS + sources() + phase("main", "web = 3, books = 1")) == 1
    assert "phase main: source books has nothing to give: leave it out" in capsys.readouterr().err


def test_a_budget_that_can_t_be_met_is_one_line_with_numbers_that_work(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def recipe(budget: int, books: str = "") -> str:
        text = DOCUMENTS + sources(books=books)
        return text + phase("first", "books = 1", 10) + phase("main", "web = 3, books = 1", budget)

    assert mix(home, recipe(200)) == 1
    said = capsys.readouterr().err.strip()
    assert said == (
        "bukvar: mix: phase main: the budget of 200 takes 50 documents of books, and 30 are left of 1 x 40; "
        "set the budget to 120 or less, lower the weight of books, raise sources.books.epochs to 1.5, "
        'or set short = "take"'
    )
    assert mix(home, recipe(124), "--redo") == 1
    assert mix(home, recipe(120), "--redo") == 0
    assert mix(home, recipe(200, "epochs = 1.49"), out="more") == 1
    assert mix(home, recipe(200, "epochs = 1.5"), "--redo", out="more") == 0


def test_a_budget_that_no_number_of_epochs_meets(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mix(home, DOCUMENTS + sources() + phase("main", "books = 1", 10**6)) == 1
    said = capsys.readouterr().err
    assert "set the budget to 40 or less" in said
    assert "epochs" not in said


def test_a_tokenizer_that_is_not_there_names_the_ready_ones(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mix(home, 'tokenizer = "ru-23k"\n' + sources()) == 2
    said = capsys.readouterr().err
    assert "mix.tokenizer" in said
    assert "no such file or folder; the ready vocabularies are ru-32k, ru-64k" in said


def test_weights_by_any_column_drop_and_repeat(home: Path) -> None:
    quality = [None, 0.1, 0.5, 0.9] * 10
    write(home / "books/x.parquet", 40, quality=pa.array(quality))
    by = '[[sources.books.by]]\ncolumn = "quality"\nweights = { "0.3" = 1, "0.8" = 2.5 }\n'
    assert mix(home, DOCUMENTS + sources() + by) == 0
    found = Counter(row["quality"] for row in rows(home / "out") if row["mix_source"] == "books")
    assert (found[None], found[0.1], found[0.5]) == (10, 0, 10)
    assert 20 <= found[0.9] <= 30
    assert plan(home / "out")["sources"]["books"]["never"] == 10


def test_a_budget_left_out_is_the_most_that_weights_allow(home: Path) -> None:
    assert mix(home, DOCUMENTS + sources() + phase("main", "web = 3, books = 1")) == 0
    assert Counter(row["mix_source"] for row in rows(home / "out")) == {"web": 120, "books": 40}


def test_a_budget_that_cannot_be_met_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = DOCUMENTS + sources() + phase("main", "web = 1, books = 1", 200)
    assert mix(home, text) == 1
    said = capsys.readouterr().err
    assert "phase main: the budget of 200 takes 100 documents of books, and 40 are left of 1 x 40" in said
    assert ".parquet" not in said  # no one input is to blame
    assert "raise sources.books.epochs" in said
    assert not list((home / "out").glob("*.parquet"))
    assert mix(home, 'short = "take"\n' + text, out="other") == 0
    assert Counter(row["mix_source"] for row in rows(home / "other")) == {"web": 100, "books": 40}
    assert "60 fewer are taken" in plan(home / "other")["remarks"][0]


def test_a_dry_run_gives_the_plan_and_writes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = DOCUMENTS + sources() + phase("main", "web = 3, books = 1", 40)
    assert mix(home, text, "--dry-run", "--json") == 0
    given = json.loads(capsys.readouterr().out)
    assert not (home / "out").exists()
    assert mix(home, text) == 0
    assert plan(home / "out") == given
    before = contents(home / "out")
    assert mix(home, text, "--dry-run") == 0
    assert contents(home / "out") == before


def test_the_same_seed_gives_the_same_bytes_whatever_the_shards(home: Path) -> None:
    text = DOCUMENTS + sources(web='cluster_size = "fineweb2"') + phase("main", "web = 3, books = 1", 100)
    assert mix(home, text) == 0
    whole = pa.concat_tables(pq.read_table(path) for path in sorted((home / "web").glob("*.parquet")))
    for path in (home / "web").glob("*.parquet"):
        path.unlink()
    pq.write_table(whole.slice(0, 37), home / "web/one.parquet")
    pq.write_table(whole.slice(37), home / "web/two.parquet")
    assert mix(home, text, out="again") == 0
    order = [(row["doc_id"], row["mix_epoch"]) for row in rows(home / "out")]
    assert [(row["doc_id"], row["mix_epoch"]) for row in rows(home / "again")] == order
    assert mix(home, "seed = 2\n" + text, out="other") == 0
    assert [(row["doc_id"], row["mix_epoch"]) for row in rows(home / "other")] != order


#: Dies, as by SIGKILL, in the so-manieth task of a phase.
KILLED = """
import os, signal, sys
from pipelines.cli import run
from pipelines.mix import planning, shuffling

module = {"measure": planning, "plan": planning}.get(sys.argv[1], shuffling)
whole, begun = getattr(module, sys.argv[1]), []

def killed(*arguments):
    begun.append(1)
    if len(begun) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    whole(*arguments)

setattr(module, sys.argv[1], killed)
sys.exit(run(sys.argv[3:]))
"""


@pytest.mark.parametrize(("name", "task"), [("measure", 3), ("plan", 1), ("scatter", 2), ("gather", 1)])
def test_a_killed_mix_goes_on_and_ends_with_the_same_bytes(home: Path, name: str, task: int) -> None:
    text = DOCUMENTS + sources(web='cluster_size = "fineweb2"') + phase("main", "web = 3, books = 1", 100)
    assert mix(home, text, out="straight") == 0
    command = ["mix", str(home / "mix.toml"), "--out", str(home / "out"), "--executor", "inline", "--quiet"]
    killed = subprocess.run([sys.executable, "-c", KILLED, name, str(task), *command], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not list((home / "out").glob("*.parquet"))
    assert (home / "out/_mix.json").exists() == (name in ("scatter", "gather"))  # the plan comes first
    assert mix(home, text) == 0
    assert contents(home / "out") == contents(home / "straight")


def test_two_processes_give_the_same_bytes_as_one(home: Path) -> None:
    text = DOCUMENTS + sources(web='cluster_size = "fineweb2"', books="epochs = 3")
    text += phase("main", "web = 3, books = 1", 200) + phase("end", "web = 1, books = 1", 60)
    assert mix(home, text) == 0
    command = ["mix", str(home / "mix.toml"), "--out", str(home / "two"), "--quiet"]
    assert run([*command, "--executor", "ray", "--workers", "2"]) == 0
    assert contents(home / "two") == contents(home / "out")


def test_a_range_that_is_too_large_for_memory_is_read_in_parts(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies multiply what a range holds; sizes of files do not tell it."""
    from pipelines.mix import shuffling

    text = DOCUMENTS + sources(web='cluster_size = { "1" = 40 }')
    assert mix(home, text) == 0
    held = []
    whole = shuffling._ordered

    def counted(*arguments: Any) -> Any:
        found = whole(*arguments)
        held.append(found[0].nbytes)
        return found

    monkeypatch.setattr(shuffling, "_ordered", counted)
    monkeypatch.setattr(shuffling, "HELD_BYTES", 100_000)
    monkeypatch.setattr(shuffling, "SPOOL_BYTES", 20_000)
    assert mix(home, text, out="parts") == 0
    assert rows(home / "parts") == rows(home / "out")
    assert len(rows(home / "out")) == 300 * 40 + 40
    assert len(held) > 5
    assert max(held) < 200_000


def test_encode_reads_a_mix_in_its_order(home: Path) -> None:
    text = DOCUMENTS + sources() + phase("first", "web = 1", 30) + phase("second", "books = 1", 20)
    assert mix(home, text) == 0
    command = ["encode", str(home / "out"), "--tokenizer", str(home / "tokenizer"), "--out"]
    assert run([*command, str(home / "ids"), "--executor", "inline", "--quiet"]) == 0
    tokenizer = Tokenizer.from_file(home / "tokenizer")
    ids = np.concatenate(
        [np.fromfile(path, np.uint16) for path in sorted((home / "ids/train").glob("*.bin"))]
    )
    wanted = [index for row in rows(home / "out") for index in tokenizer.encode(row["text"])]
    assert ids.tolist() == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (sources(), "budgets in tokens need a tokenizer"),
        (DOCUMENTS + sources(web="epoch = 2"), "no key sources.web.epoch"),
        (DOCUMENTS + sources(web="epochs = 0"), "epochs lies above 0"),
        (DOCUMENTS + sources(web='cluster_size = "fineweb3"'), "or a table of weights"),
        (DOCUMENTS + sources(web="by = 3"), "Expected `array`, got `int`"),
        (DOCUMENTS + sources(web='cluster_size = {"1" = nan}'), "weights by cluster_size lie in 0..100"),
        (DOCUMENTS + sources(web="cluster_size = {nan = 1}"), "weights by cluster_size need values"),
        (DOCUMENTS + sources() + phase("a", "web = nan", 5), "a share above 0"),
        (DOCUMENTS + sources() + phase("a", "web = inf", 5), "a share above 0"),
        (DOCUMENTS + sources() + phase("main", "wab = 1", 5), "no source 'wab'"),
        (DOCUMENTS + sources() + phase("a", "web = 1") + phase("b", "web = 1", 5), "each needs a budget"),
        (DOCUMENTS + sources() + phase("a", "web = 1", 5) * 2, "names of their own"),
        (DOCUMENTS, "name at least one source"),
        ("unit = 'words'\n" + sources(), "unit is tokens or documents"),
    ],
)
def test_a_wrong_recipe_is_one_line_before_any_work(
    home: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    assert mix(home, text) == 2
    assert said in capsys.readouterr().err
    assert not (home / "out").exists()


def test_a_column_that_is_not_there_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mix(home, DOCUMENTS + sources(books='cluster_size = "fineweb2"')) == 2
    assert "no column 'cluster_size'" in capsys.readouterr().err


@given(
    st.integers(0, 10**12),
    st.dictionaries(st.text("abc", min_size=1, max_size=3), st.floats(0.001, 1e6), min_size=1, max_size=8),
)
def test_parts_sum_up_and_are_off_by_less_than_one(total: int, weights: dict[str, float]) -> None:
    found = parted(total, weights)
    assert sum(found.values()) == total
    whole = sum(weights.values())
    for name, share in found.items():
        assert abs(share - total * weights[name] / whole) < 1 + 1e-9 * total


@given(st.data())
def test_cuts_agree_with_reading_all_items_in_order(data: st.DataObject) -> None:
    """The oracle: every item of every pass in one list, and phases as slices of it."""
    inputs = []
    for _ in range(data.draw(st.integers(1, 3))):
        count = data.draw(st.integers(1, 8))
        keys = data.draw(
            st.lists(st.sampled_from([0, 1, 2**48, 2**63, 2**64 - 1]), min_size=count, max_size=count)
        )
        sizes = data.draw(st.lists(st.integers(1, 9), min_size=count, max_size=count))
        inputs.append(
            Items(np.array(keys, np.uint64), np.arange(count), np.zeros(count, np.int64), np.array(sizes))
        )
    ordered = sorted(
        (int(key), number, int(row), int(size))
        for number, one in enumerate(inputs)
        for key, row, size in zip(one.keys, one.rows, one.sizes, strict=True)
    )
    total = sum(size for *_, size in ordered)
    sums = sorted(data.draw(st.lists(st.integers(0, 3 * total), min_size=1, max_size=4)))
    hist = sum(quotas.histogram(one) for one in inputs)
    cuts = []
    for epoch, bucket, rest in quotas.places(sums, np.asarray(hist)):
        if bucket < 0:
            cuts.append(Cut(epoch))
            continue
        parts = [(number, quotas.inside(one, bucket)) for number, one in enumerate(inputs)]
        cuts.append(quotas.cut_of(epoch, rest, parts))
    seen = 0
    for epoch in range(4):
        for _, number, row, size in ordered:
            wanted = sum(seen >= one for one in sums)
            item = quotas.taken(inputs[number], [row])
            assert phases_of(item, number, epoch, cuts).tolist() == [wanted]
            seen += size


def test_a_recipe_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mix.toml").write_text("seed = ", "utf-8")
    with pytest.raises(UsageError, match=r"mix\.toml"):
        recipes.read(str(tmp_path / "mix.toml"))


def test_the_recipe_of_the_guide_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs/mix.md").read_text("utf-8")
    given = recipes.of(tomllib.loads(page.partition("```toml\n")[2].partition("```")[0]))
    assert [one.name for one in given.phases] == ["main", "anneal"]
    assert given.sources["web"].upsampling()[0].steps() == ([1, 2, 3, 5, 100, 1000], [1, 2, 3, 5, 8, 1])


def test_metrics_count_its_tasks(home: Path) -> None:
    file = home / "mix.prom"
    assert mix(home, DOCUMENTS + sources(), "--metrics", str(file)) == 0
    text = file.read_text("utf-8")
    assert 'bukvar_tasks_done_total{phase="plan",stage="mix"} 1' in text or (
        'bukvar_tasks_done_total{stage="mix",phase="plan"} 1' in text
    )
    assert "bukvar_run_ended 1" in text
