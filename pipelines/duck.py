"""What DuckDB says of the files that Arrow reads for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from corpus import storage
from corpus.errors import ShardError, one_line

T = TypeVar("T")

#: How DuckDB's messages name errors of Arrow's: they come as text.
_OF_ARROW: Final = "arrow_scan: get_next failed"


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Raise what a store said in the middle of a query as the OSError that it was, and ShardError where the
    files of `name` are damaged. What is wrong with the query itself is raised as it came."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if _OF_ARROW not in str(error):
            raise
        said = OSError(str(error))
        if storage.is_system_error(said):
            raise said from error
        raise ShardError(f"{name}: not readable as Parquet ({one_line(error)})") from error


def patiently(folder: str, query: Callable[[], T]) -> T:
    """Do a query over a folder's files, all of it again where a store does not answer in the middle."""

    def once() -> T:
        with reading(folder):
            return query()

    with storage.translated(folder):
        return storage.patiently(folder, once, plain=True)
