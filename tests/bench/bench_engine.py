"""What the engine costs: many small inputs, done fresh, with nothing to do, and dedup's planning.

    python -m tests.bench.bench_engine 1000 4000 16000

Each input is a Parquet file of two documents; the stage is the tests': the figures are of the engine.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.dedup.near import Dedup
from corpus.stage import plan_tasks
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.inputs import resolve
from pipelines.progress import Silent
from tests.pipelines.stages import Shorten


def measured(work: Callable[[], object]) -> str:
    wall, processor = time.monotonic(), time.process_time()
    work()
    return f"{time.monotonic() - wall:.2f} ({time.process_time() - processor:.2f})"


def measure(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "in").mkdir()
        rows = pa.table({"text": ["слово раз", "слово два"]})
        for number in range(count):
            pq.write_table(rows, root / f"in/{number:06d}.parquet")
        inputs = tuple(resolve([str(root / "in")], (".parquet",)))
        job = Job(Shorten(), inputs, str(root / "out"))
        fresh = measured(lambda: run_stage(job, run_inline, Silent()))
        nothing = measured(lambda: run_stage(job, run_inline, Silent()))
        plan = measured(lambda: plan_tasks(Dedup(), inputs, str(root / "dedup")))
        print(f"{count:>7,} inputs: fresh {fresh}, nothing to do {nothing}, dedup planned {plan}", flush=True)


if __name__ == "__main__":
    print("seconds by the clock (of the processor)")
    for argument in sys.argv[1:] or ["1000", "4000"]:
        measure(int(argument))
