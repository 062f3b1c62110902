"""The executors by name: `ray`, and `inline` without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from corpus.errors import UsageError
from pipelines.cluster import RayExecutor
from pipelines.execute import Executor, run_inline


@contextmanager
def open_executor(
    name: str, address: str | None, workers: int | None, say: Callable[[str], None] | None = None
) -> Iterator[Executor]:
    """The executor of that name ("ray" or "inline"); `say` gets a line when Ray starts. Raises UsageError for
    another."""
    if name == "inline":
        yield run_inline
    elif name == "ray":
        with RayExecutor(address, workers, say) as executor:
            yield executor
    else:
        raise UsageError(f"--executor {name}: choose from `ray` and `inline`")
