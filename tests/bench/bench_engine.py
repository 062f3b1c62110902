"""What the engine costs: many small inputs, one large one, workers, peers, status, a slow store.

    python -m tests.bench.bench_engine inputs 1000 4000 16000   fresh, nothing to do, planning; memory
    python -m tests.bench.bench_engine large 1 4        one JSONL file of so many GB, on Ray
    python -m tests.bench.bench_engine workers 1 2      a crawl of 340 MB to a dataset, by Ray's workers
    python -m tests.bench.bench_engine peers 250        a trivial filter: bukvar, datatrove, Ray Data
    python -m tests.bench.bench_engine status 100000    `bukvar status` of so many shards
    python -m tests.bench.bench_engine latency 20       a run to a store that answers so many ms late

Inputs of `inputs` and `peers` are Parquet files of two documents; the stage is the tests': the figures are of
the engine. `large` repeats the fiction of `$BUKVAR_DATA/text_ru/ruslit.parquet`, `workers` the real pages of
five of its folders (`$BUKVAR_COPIES` times, 12). `$BUKVAR_PEERS` is a Python that has datatrove. Processor
seconds of `workers` and `peers` are of all processes, Ray's own too (`processors.py`); what a shared machine
does beside it enters the clock.
"""

import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import receipts
from corpus.dedup.near import Dedup
from corpus.inputs import Input
from corpus.receipts import OutputFile, Receipt
from corpus.stage import plan_tasks
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.executors import open_executor
from pipelines.inputs import resolve
from pipelines.progress import Silent
from tests.bench.processors import measure
from tests.pipelines.proxy import before
from tests.pipelines.stages import Shorten
from tests.pipelines.weed import KEY, SECRET, Weed

ROOT = Path(__file__).parents[2]
STAGES = '["extract", "identify", "clean", "filter", "dedup", "publish"]'


def measured(work: Callable[[], object]) -> str:
    wall, processor = time.monotonic(), time.process_time()
    work()
    return f"{time.monotonic() - wall:.2f} ({time.process_time() - processor:.2f})"


def memory() -> str:
    """The most resident memory of this process so far."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"


def write_small(folder: Path, count: int) -> None:
    folder.mkdir()
    rows = pa.table({"text": ["слово раз", "слово два"]})
    for number in range(count):
        pq.write_table(rows, folder / f"{number:06d}.parquet")


def bench_inputs(count: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_small(root / "in", int(count))
        inputs = tuple(resolve([str(root / "in")], (".parquet",)))
        job = Job(Shorten(), inputs, str(root / "out"))
        fresh = measured(lambda: run_stage(job, run_inline, Silent()))
        nothing = measured(lambda: run_stage(job, run_inline, Silent()))
        plan = measured(lambda: plan_tasks(Dedup(), inputs, str(root / "dedup")))
        print(f"{int(count):>7,} inputs: fresh {fresh}, nothing to do {nothing},", end=" ")
        print(f"dedup planned {plan}, {memory()}", flush=True)


def write_large(path: Path, size: int) -> None:
    """A JSONL file of about so many bytes: fiction, again and again, each line with its number."""
    source = Path(os.environ["BUKVAR_DATA"]) / "text_ru/ruslit.parquet"
    texts = [
        t
        for batch in pq.ParquetFile(source).iter_batches(columns=["text"])
        for t in batch["text"].to_pylist()
    ]
    pieces = [text[start : start + 4000] for text in texts for start in range(0, len(text), 4000)]
    encoded = [json.dumps(piece, ensure_ascii=False) for piece in pieces]
    with path.open("w", encoding="utf-8") as stream:
        number = 0
        while number % 1000 or stream.tell() < size:
            stream.write(f'{{"id": {number}, "text": {encoded[number % len(encoded)]}}}\n')
            number += 1


def bench_large(gigabytes: str) -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("BUKVAR_SCRATCH")) as folder:
        root = Path(folder)
        (root / "in").mkdir()
        with multiprocessing.get_context("spawn").Pool(1) as pool:  # its texts are not the driver's
            pool.apply(write_large, (root / "in/large.jsonl", int(float(gigabytes) * 1e9)))
        began = time.monotonic()
        inputs = tuple(resolve([str(root / "in")], (".jsonl",)))
        with open_executor("ray", None, 2) as executor:
            result = run_stage(Job(Shorten(), inputs, str(root / "out")), executor, Silent())
        wall = time.monotonic() - began
        done = list(receipts.read_receipts(str(root / "out")))
        cpu, peak = sum(r.cpu_seconds for r in done), max(r.peak_memory_mb for r in done)
        print(
            f"{gigabytes:>6} GB: {result.tasks} tasks, {result.rows_in:,} documents, {wall:.0f} s,", end=" "
        )
        print(f"{cpu:.0f} s of tasks' processors, a task {peak} MB, the driver {memory()}", flush=True)


#: Folders of `$BUKVAR_DATA` with a `pages.warc.gz`: news, two kinds of manuals, laws, foreign pages.
CRAWLS = ("gold_pages_ru", "far_cp1251", "manuals", "laws", "other_language_pages")


def write_crawl(folder: Path) -> int:
    """Crawl files of 29 MB, each all real pages; bytes of all. Copies are duplicates to dedup, and work to
    all stages before it."""
    folder.mkdir()
    size = 0
    for copy in range(int(os.environ.get("BUKVAR_COPIES", "12"))):
        with (folder / f"{copy:02d}.warc.gz").open("wb") as stream:
            for name in CRAWLS:
                size += stream.write((Path(os.environ["BUKVAR_DATA"]) / name / "pages.warc.gz").read_bytes())
    return size


def bench_workers(workers: str) -> None:
    """One number of workers, 0: in the process itself, without Ray."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BUKVAR_SCRATCH")) as folder:
        size = write_crawl(Path(folder) / "in")
        how = ["--workers", workers] if int(workers) else ["--executor", "inline"]
        command = [*_RUN, "--out", f"{folder}/run", *how, "--set", f"input.paths={folder}/in"]
        found = measure([*command, "--set", f"run.stages={STAGES}"], ROOT)
        if not found.out:
            sys.exit(found.err)
        done = json.loads(found.out)
        print(f"{workers} workers, {size / 1e6:.0f} MB: {found}; {done['utilisation']}", flush=True)
        for stage in done["stages"]:
            print(f"    {stage['stage']:<10}{stage['tasks']:>5} tasks {stage['seconds']:8.1f} s", flush=True)


_RUN = (sys.executable, "-m", "pipelines.cli", "run", "ru-web", "-q", "--json")


def run_crawl(out: str, *more: str) -> dict[str, Any]:
    """Runs the bundled crawl to a dataset by the command; what it says with --json."""
    command = [*_RUN, "--out", out, *more]
    command += ["--set", f"input.paths={ROOT / 'tests/data/crawl'}", "--set", f"run.stages={STAGES}"]
    environment = os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if not done.stdout:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _bukvar(root: Path, executor: str) -> None:
    inputs = tuple(resolve([str(root / "in")], (".parquet",)))
    with open_executor(executor, None, 2) as run:
        run_stage(Job(Shorten(), inputs, str(root / "out")), run, Silent())


#: Run by the Python of `$BUKVAR_PEERS`: datatrove and bukvar need other versions of the same packages.
_DATATROVE = """
import sys
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter

root, count = sys.argv[1], int(sys.argv[2])
if __name__ == "__main__":
    steps = [
        ParquetReader(root + "/in", glob_pattern="*.parquet"),
        LambdaFilter(lambda document: len(document.text) >= 3),
        ParquetWriter(root + "/out"),
    ]
    LocalPipelineExecutor(pipeline=steps, tasks=count, workers=2, logging_dir=root + "/log").run()
"""


def _datatrove(root: Path, count: int) -> None:
    script = root / "datatrove_job.py"
    script.write_text(_DATATROVE)
    command = [os.environ["BUKVAR_PEERS"], str(script), str(root), str(count)]
    subprocess.run(command, stdout=sys.stderr, check=True)


def _ray_data(root: Path) -> None:
    import ray

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    documents = ray.data.read_parquet(
        str(root / "in"), override_num_blocks=len(list((root / "in").iterdir()))
    )
    documents.map_batches(_long_enough, batch_format="pyarrow").write_parquet(str(root / "out"))
    ray.shutdown()


def _long_enough(batch: pa.Table) -> pa.Table:
    import pyarrow.compute as pc

    return batch.filter(pc.greater_equal(pc.utf8_length(batch["text"]), 3))


def bench_peers(count: str) -> None:
    """Each in a process of its own, with all that it starts; last, what starting Ray alone takes."""
    for name in ("inline", "ray", "datatrove", "ray-data", "ray-alone"):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_small(root / "in", int(count))
            script = f"from tests.bench.bench_engine import peer; peer({name!r}, {folder!r}, {int(count)})"
            found = measure([sys.executable, "-c", script], ROOT)
            files = len(list((root / "out").rglob("*.parquet")))
            said = found.err.strip()[-300:] if found.code else f"{files} files written"
            print(f"{name:<10}{found}, {said}", flush=True)


def peer(name: str, folder: str, count: int) -> None:
    """What one of them does with the documents in a folder."""
    root = Path(folder)
    work: dict[str, Callable[[], None]] = {
        "inline": lambda: _bukvar(root, "inline"),
        "ray": lambda: _bukvar(root, "ray"),
        "datatrove": lambda: _datatrove(root, count),
        "ray-data": lambda: _ray_data(root),
        "ray-alone": _ray_alone,
    }
    work[name]()


def _ray_alone() -> None:
    import ray

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.get([ray.remote(_nothing).remote() for _ in range(2)])
    ray.shutdown()


def _nothing() -> None: ...


def bench_status(count: str) -> None:
    """A folder as `clean` leaves it, made by hand; with its sums, as a run leaves it, and without."""
    from pipelines.commands.status import read_status
    from pipelines.sums import Tally

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / receipts.RECEIPTS).mkdir()
        tally = Tally("clean", folder)
        for number in range(int(count)):
            receipt = _receipt(f"crawl-{number:06d}-0123456789")
            (root / receipts.RECEIPTS / f"{receipt.name}.json").write_bytes(msgspec.json.encode(receipt))
            tally.receipts[receipt.name] = receipt
            (root / f"{receipt.name}.parquet").write_bytes(b"x")
        plan = {"stage": "clean", "version": 1, "parameters": {}, "inputs": []}
        (root / receipts.PLAN).write_bytes(msgspec.json.encode(plan))
        receipts_alone = measured(lambda: read_status(folder))
        receipts.write_index(receipts.read_folder(folder))
        index = measured(lambda: read_status(folder))
        tally.write(ended=True)
        sums = measured(lambda: read_status(folder))
        print(f"{int(count):,} shards: sums {sums}, index {index}, receipts alone {receipts_alone}")


def _receipt(name: str) -> Receipt:
    output = OutputFile(f"{name}.parquet", "2" * 64, 1, 10)
    source = Input("", f"{name}.parquet", "1" * 64, 1)
    return Receipt(
        "clean", 1, "map", name, "0" * 64, {"a": 1}, (source,), (output,),
        rows_in=12, rows_out=10, dropped={"short": 2}, versions=receipts.versions(),
    )  # fmt: skip


def bench_latency(milliseconds: str) -> None:
    """Where the time of a run from and to a store goes, one worker: requests by stage, and what they wait."""
    with tempfile.TemporaryDirectory() as folder:
        weed = Weed(Path(folder) / "weed")
        weed.start()
        try:
            weed.wait()
            with before(weed.address) as (proxy, address):
                proxy.delay = int(milliseconds) / 1000
                for out in (f"{folder}/run", f"s3://corpora/run?endpoint_override={address}&scheme=http"):
                    done = run_crawl(out, "--executor", "inline")
                    print(out.partition(":")[0], done["utilisation"], dict(proxy.requests))
                    for stage in done["stages"]:
                        print(f"    {stage['stage']:<10}{stage['tasks']:>5} tasks {stage['seconds']:8.1f} s")
        finally:
            weed.kill()


BENCHES = {
    "inputs": bench_inputs,
    "large": bench_large,
    "workers": bench_workers,
    "peers": bench_peers,
    "status": bench_status,
    "latency": bench_latency,
}

if __name__ == "__main__":
    print("seconds by the clock (of the processor)")
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    if chosen not in BENCHES or len(sys.argv) < 3:
        sys.exit(str(__doc__))
    for argument in sys.argv[2:]:
        BENCHES[chosen](argument)
