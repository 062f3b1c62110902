"""pipelines.tokens.ahead: items made ahead by a thread are those of the iterator."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.writing import Output
from pipelines.cluster import RayExecutor
from pipelines.encode import Encode
from pipelines.execute import run_inline, threads_a_task
from pipelines.tokens.ahead import ahead
from tests.pipelines.stages import inputs_of, tasks_of
from tests.pipelines.token_files import home_in, write

sizes = st.lists(st.integers(0, 30), max_size=30)


class FailedError(Exception):
    """What an iterator raises."""


def source(items: list[int], closed: list[str], fails: bool = False) -> Generator[int, None, None]:
    try:
        yield from items
        if fails:
            raise FailedError(len(items))
    finally:
        closed.append(threading.current_thread().name)


@given(items=sizes, most=st.integers(1, 50), fails=st.booleans())
def test_gives_the_items_and_then_the_error(items: list[int], most: int, fails: bool) -> None:
    closed: list[str] = []
    found = []
    made = ahead(source(items, closed, fails), lambda item: item, most)
    if fails:
        with pytest.raises(FailedError, match=f"^{len(items)}$"):
            found.extend(made)  # keeps what came before the error
    else:
        found.extend(made)
    assert found == items
    assert len(closed) == 1
    assert closed[0] != threading.current_thread().name


@given(items=sizes, most=st.integers(1, 50), taken=st.integers(0, 30))
def test_closed_early_it_closes_the_iterator_and_ends_its_thread(
    items: list[int], most: int, taken: int
) -> None:
    closed: list[str] = []
    before = set(threading.enumerate())
    made = ahead(source(items, closed), lambda item: item, most)
    found = [item for item, _ in zip(made, range(taken), strict=False)]
    made.close()
    assert found == items[:taken]
    assert set(threading.enumerate()) <= before
    assert len(closed) == 1


@given(items=sizes, most=st.integers(1, 50))
def test_holds_less_than_the_bound_before_it_begins_another(items: list[int], most: int) -> None:
    held: list[int] = []
    wrong: list[int] = []

    def counted() -> Generator[int, None, None]:
        for item in items:
            if sum(held) >= most:
                wrong.append(item)
            held.append(item)
            yield item

    for item in ahead(counted(), lambda item: item, most):
        assert held.pop(0) == item
    assert wrong == []


def test_a_chain_of_two_is_closed_by_the_outer_one() -> None:
    closed: list[str] = []

    def doubled() -> Generator[int, None, None]:
        inner = ahead(source([1, 2, 3, 4], closed), lambda item: item, 2)
        try:
            for item in inner:
                yield 2 * item
        finally:
            inner.close()

    before = set(threading.enumerate())
    outer = ahead(doubled(), lambda item: item, 1)
    assert next(outer) == 2
    outer.close()
    assert set(threading.enumerate()) <= before
    assert len(closed) == 1


def test_tasks_get_what_processors_others_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert threads_a_task(run_inline, 5) == 8  # one at a time

    cluster = RayExecutor("there:6379")
    assert [threads_a_task(cluster, tasks) for tasks in (1, 100)] == [1, 1]  # before it is joined

    def four(tasks: object) -> None: ...

    four.processors = 4  # type: ignore[attr-defined]
    assert [threads_a_task(four, tasks) for tasks in (0, 1, 2, 3, 4, 100)] == [8, 8, 4, 2, 2, 2]  # type: ignore[arg-type]


def test_where_writing_fails_the_threads_end_before_the_task_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_in(tmp_path)
    stage = Encode(tokenizer=str(home / "tokenizer"))
    write(home / "in/a.parquet", [f"текст {n}" for n in range(5_000)])  # batches that wait
    (task,) = tasks_of(stage, inputs_of([home / "in/a.parquet"]), tmp_path / "out")
    monkeypatch.setattr("pipelines.encode.ahead", partial(ahead, most=1))
    monkeypatch.setattr("pipelines.encode.Shards.add", None)
    before = set(threading.enumerate())
    with Output(task.folder, task.name) as out, pytest.raises(TypeError) as failed:
        stage.run(replace(task, threads=3), out)
    assert failed.tb is not None  # holds whatever the task's frames held
    assert set(threading.enumerate()) <= before
