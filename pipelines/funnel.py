"""The funnel: what each stage took, dropped by reason and kept, as rows and as a table on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from pipelines.account import StageResult
from pipelines.progress import make_console, size

if TYPE_CHECKING:
    from rich.table import Table

#: Reasons shown per stage; the rest are summed, and all stand in the report and the JSON.
SHOWN = 8
#: Width of a terminal from which columns have two spaces between them.
WIDE = 80


def check(results: Sequence[StageResult]) -> None:
    """Every row is accounted for: in = out + dropped at each stage, and out of one is in of the next."""
    for result in results:
        gone = sum(result.dropped.values())
        if result.rows_in != result.rows_out + gone:
            raise AssertionError(
                f"{result.stage}: {result.rows_in} in, {result.rows_out} out, {gone} dropped"
            )
    for before, after in pairwise(results):
        if before.rows_out != after.rows_in:
            raise AssertionError(f"{before.stage} gave {before.rows_out}, {after.stage} took {after.rows_in}")


def print_funnel(results: Sequence[StageResult]) -> None:
    """Print the funnel to stdout."""
    console = make_console()
    console.print(_table(results, 1 if console.width < WIDE else 2))


def _table(results: Sequence[StageResult], gap: int) -> Table:
    from rich.table import Table

    grid = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False)
    grid.add_column("stage", no_wrap=True)
    for title in ("in", "dropped", "out", "text"):
        grid.add_column(title, justify="right", no_wrap=True)
    grid.add_column("")
    for result in results:
        if not result.rows_in and not result.without_records:
            continue  # training and evaluation pass no documents on
        gone = sum(result.dropped.values())
        grid.add_row(
            result.stage,
            f"{result.rows_in:,}",
            f"{gone:,}" if gone else "",
            f"{result.rows_out:,}",
            size(result.bytes_out),
            "" if result.worked else "done before",
        )
        for reason, count in _top(result.dropped):
            grid.add_row(f"  {reason}", "", f"{count:,}", "", "", "", style="dim")
    return grid


def _top(dropped: dict[str, int]) -> list[tuple[str, int]]:
    ordered = sorted(dropped.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(count for _, count in ordered[SHOWN:])
    return ordered[:SHOWN] + ([("other reasons", rest)] if rest else [])
