"""What a run has done so far, as a file in Prometheus's text format that any collector reads, or served.

Counters are of this command: a command that goes on where another was begins at zero, and says how many tasks
were done before. `bukvar status` gives the sums of a folder. The file is replaced whole, so no reader sees a
part of it.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

from corpus import storage
from corpus.errors import BukvarError, UsageError
from corpus.receipts import RUNNING, Receipt
from pipelines.engine import Reporter
from pipelines.execute import Failure
from pipelines.progress import duration

#: Seconds between two states of the file.
WRITE_EVERY: Final = 5.0

#: Name -> type and help, in the order of the file.
_METRICS: Final = {
    "bukvar_documents_in_total": (
        "counter",
        "Documents that done tasks have read (records, of crawl files).",
    ),
    "bukvar_documents_out_total": ("counter", "Documents that done tasks have kept."),
    "bukvar_documents_dropped_total": ("counter", "Documents that done tasks have dropped, by reason."),
    "bukvar_bytes_in_total": ("counter", "Bytes of text read (of the file, where the input is a crawl)."),
    "bukvar_bytes_out_total": ("counter", "Bytes of text kept."),
    "bukvar_tasks_planned": ("gauge", "Tasks of a phase."),
    "bukvar_tasks_done_before": ("gauge", "Tasks of a phase that were done when this command began."),
    "bukvar_tasks_done_total": ("counter", "Tasks that this command has done."),
    "bukvar_tasks_failed_total": ("counter", "Tasks that have failed for good."),
    "bukvar_tasks_running": (
        "gauge",
        "Tasks of the current phase with a heartbeat (they take more than 5 s).",
    ),
    "bukvar_task_seconds_total": ("counter", "Seconds that done tasks have taken."),
    "bukvar_task_cpu_seconds_total": ("counter", "Processor seconds that done tasks have taken."),
    "bukvar_task_peak_memory_bytes": ("gauge", "Largest resident memory of a process that has done a task."),
    "bukvar_worker_seconds_total": ("counter", "Seconds since the first phase began, times processors."),
    "bukvar_workers": ("gauge", "Processors that tasks can use now."),
    "bukvar_run_ended": ("gauge", "Whether this command has ended, well or not."),
    "bukvar_updated_timestamp_seconds": ("gauge", "When this file was written."),
}

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Utilisation:
    """What the processors of a run did: seconds of all tasks, and how many a processor could have given."""

    wall_seconds: float
    worker_seconds: float
    task_seconds: float
    cpu_seconds: float

    def line(self) -> str:
        """One line for a person: shares of the time of all processors."""
        all_of_it = max(self.worker_seconds, 1e-9)
        busy = min(1.0, self.cpu_seconds / all_of_it)
        waiting = min(1.0 - busy, max(0.0, (self.task_seconds - self.cpu_seconds) / all_of_it))
        processors = f"{self.worker_seconds / max(self.wall_seconds, 1e-9):.3g}"
        return (
            f"{duration(self.wall_seconds)} on {processors} processor{'s' if processors != '1' else ''}: "
            f"{busy:.0%} computing, "
            f"{waiting:.0%} waiting, {1 - busy - waiting:.0%} idle"
        )


class Metered:
    """Passes everything on to another reporter and counts it. `workers` says how many processors there are
    now; `location` is where the file goes, or http://HOST:PORT, where it is served; empty for neither."""

    def __init__(self, reporter: Reporter, workers: Callable[[], int], location: str = "") -> None:
        self._reporter, self._workers, self._location = reporter, workers, location
        self._values: defaultdict[tuple[str, Labels], float] = defaultdict(float)
        self._lock = threading.Lock()
        self._stage, self._phase, self._folder = "", "", ""
        self._began: float | None = None
        self._last = 0.0
        self._worker_seconds = 0.0

    def begin(self, stage: str, phase: str, total: int, done: int, folder: str) -> None:
        with self._lock:
            self._pass_time()
            self._stage, self._phase, self._folder = stage, phase, folder
            place = (("stage", stage), ("phase", phase))
            self._values["bukvar_tasks_planned", place] = total
            self._values["bukvar_tasks_done_before", place] = done
            self._values["bukvar_tasks_done_total", place] += 0
            self._values["bukvar_tasks_failed_total", place] += 0
        self._reporter.begin(stage, phase, total, done, folder)

    def advance(self, receipt: Receipt) -> None:
        with self._lock:
            self._pass_time()
            self._count(receipt)
        self._reporter.advance(receipt)

    def fail(self, failure: Failure) -> None:
        with self._lock:
            self._pass_time()
            self._values["bukvar_tasks_failed_total", (("stage", self._stage), ("phase", self._phase))] += 1
        self._reporter.fail(failure)

    def note(self, text: str) -> None:
        self._reporter.note(text)

    def end(self) -> None:
        with self._lock:
            self._pass_time()
            self._folder = ""
        self._reporter.end()

    def _count(self, receipt: Receipt) -> None:
        stage = (("stage", receipt.stage),)
        place = (*stage, ("phase", receipt.phase))
        add: dict[tuple[str, Labels], float] = {
            ("bukvar_tasks_done_total", place): 1,
            ("bukvar_task_seconds_total", place): receipt.seconds,
            ("bukvar_task_cpu_seconds_total", place): receipt.cpu_seconds,
        }
        if receipt.documents:
            add |= {
                ("bukvar_documents_in_total", stage): receipt.rows_in,
                ("bukvar_documents_out_total", stage): receipt.rows_out,
                ("bukvar_bytes_in_total", stage): receipt.bytes_in,
                ("bukvar_bytes_out_total", stage): receipt.bytes_out,
            }
            for reason, count in receipt.dropped.items():
                add["bukvar_documents_dropped_total", (*stage, ("reason", reason))] = count
        for key, value in add.items():
            self._values[key] += value
        peak = ("bukvar_task_peak_memory_bytes", stage)
        self._values[peak] = max(self._values[peak], receipt.peak_memory_mb << 20)

    def _pass_time(self) -> None:
        """Count the processors' time since the last event: a cluster may grow and shrink."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
        else:
            self._worker_seconds += (now - self._last) * self._workers()
        self._last = now

    def utilisation(self) -> Utilisation:
        """Of the run up to its last event."""
        with self._lock:
            sums: defaultdict[str, float] = defaultdict(float)
            for (name, _), value in self._values.items():
                sums[name] += value
            return Utilisation(
                wall_seconds=round(self._last - self._began, 3) if self._began is not None else 0.0,
                worker_seconds=round(self._worker_seconds, 3),
                task_seconds=round(sums["bukvar_task_seconds_total"], 3),
                cpu_seconds=round(sums["bukvar_task_cpu_seconds_total"], 3),
            )

    def text(self, *, ended: bool = False) -> str:
        """The state in the text format: names in a fixed order, labels sorted."""
        with self._lock:
            values = dict(self._values)
            stage, phase, folder = self._stage, self._phase, self._folder
            worker_seconds = self._worker_seconds
        if stage:
            running = _running(folder) if folder else 0
            values["bukvar_tasks_running", (("stage", stage), ("phase", phase))] = running
        values |= {
            ("bukvar_worker_seconds_total", ()): worker_seconds,
            ("bukvar_workers", ()): self._workers(),
            ("bukvar_run_ended", ()): int(ended),
            ("bukvar_updated_timestamp_seconds", ()): round(time.time(), 3),
        }
        return render(values)

    @contextmanager
    def written(self) -> Iterator[None]:
        """Write the file while the block runs, and once more behind it; or serve it while the block runs.
        Raises UsageError before any work where that can't be; a file that can't be written later stops
        nothing."""
        if not self._location:
            yield
            return
        if self._location.startswith("http://"):
            with served(self._location, self.text) as address:
                self._reporter.note(f"metrics at {address}")
                yield
            return
        try:
            self._write()
        except BukvarError as error:
            raise UsageError(f"--metrics {self._location}: {error}") from error
        ended = threading.Event()
        writer = threading.Thread(target=self._keep_writing, args=(ended,), daemon=True)
        writer.start()
        try:
            yield
        finally:
            ended.set()
            writer.join()
            with suppress(BukvarError):
                self._write(ended=True)

    def _keep_writing(self, ended: threading.Event) -> None:
        while not ended.wait(WRITE_EVERY):
            with suppress(BukvarError):
                self._write()

    def _write(self, *, ended: bool = False) -> None:
        storage.write_bytes(self._location, self.text(ended=ended).encode())


@contextmanager
def served(location: str, text: Callable[[], str]) -> Iterator[str]:
    """Answer GET /metrics at http://HOST:PORT while the block runs; the address, with the port that was free
    where PORT is 0. Raises UsageError where nothing can listen there."""
    parts = urlsplit(location)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port is None or parts.path.strip("/") not in ("", "metrics"):
        raise UsageError(
            f"--metrics {location}: write it as http://HOST:PORT, for example http://localhost:9400"
        )
    try:
        server = ThreadingHTTPServer((host, port), _handler(text))
    except OSError as error:
        raise UsageError(f"--metrics {location}: {error.strerror or error}") from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(text: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.partition("?")[0].rstrip("/") in ("", "/metrics")
            body = text().encode() if found else b"metrics are at /metrics\n"
            with suppress(OSError):  # a reader that has gone
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Requests are no news of a run."""

    return Handler


def render(values: dict[tuple[str, Labels], float]) -> str:
    """Samples in Prometheus's text exposition format 0.0.4."""
    lines = []
    for name, (kind, text) in _METRICS.items():
        samples = sorted((labels, value) for (metric, labels), value in values.items() if metric == name)
        if not samples:
            continue
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        for labels, value in samples:
            shown = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels)
            braces = f"{{{shown}}}" if shown else ""
            lines.append(f"{name}{braces} {int(value) if float(value).is_integer() else repr(value)}")
    return "\n".join(lines) + "\n"


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _running(folder: str) -> int:
    with suppress(BukvarError):
        return len(storage.list_files(storage.join(folder, RUNNING)))
    return 0
