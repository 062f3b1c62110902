"""A checkpoint whose writing was stopped, killed or begun twice; other options, another model."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.tokenizer.adapt import checkpoints as made
from tokenizer.adapt import weights_matrix
from tokenizer.adapt.weights import Options, adapt_weights
from tokenizer.adapt.weights_verify import verify

ROOT = Path(__file__).parents[3]


def digests(folder: Path) -> dict[str, str]:
    """Of all that a run leaves but its journal, which holds times."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if not path.name.startswith("_")
    }


class StoppedError(Exception):
    pass


def stopping(after: int) -> Any:
    """A progress callback that raises at the call of that number."""
    calls = 0

    def progress(_what: str, _done: int, _total: int) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise StoppedError

    return progress


def test_stopped_anywhere_and_called_again_it_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights_matrix, "BLOCK", 2048)
    model = made.write_model(tmp_path / "model", shards=3)
    calls: list[int] = []
    adapt_weights(
        model, made.extended(), tmp_path / "whole", progress=lambda _w, done, _t: calls.append(done)
    )
    wanted = digests(tmp_path / "whole")
    assert calls == sorted(calls)
    for after in range(0, len(calls), 5):
        out = tmp_path / f"out-{after}"
        with pytest.raises(StoppedError):
            adapt_weights(model, made.extended(), out, progress=stopping(after))
        assert not (out / "config.json").exists()
        with pytest.raises(ValueError, match="not finished"):
            verify(model, out)
        report = adapt_weights(model, made.extended(), out)
        assert digests(out) == wanted
        assert report.resumed + report.written >= calls[-1] > 0


def test_a_finished_run_called_again_writes_no_weights(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model")
    first = adapt_weights(model, made.extended(), tmp_path / "out")
    again = adapt_weights(model, made.extended(), tmp_path / "out")
    assert (again.written, again.linked) == (0, 0)
    assert again.resumed > first.written > 0
    assert again.matrices == first.matrices


def test_killed_in_the_middle_of_a_shard_it_goes_on(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model", shards=3)
    program = (
        "import sys, time\n"
        "from tests.tokenizer.adapt import checkpoints as made\n"
        "from tokenizer.adapt.weights import adapt_weights\n"
        "def progress(what, done, total):\n"
        "    print(what, flush=True)\n"
        "    if what.startswith('lm_head'):\n"
        "        time.sleep(60)\n"
        "adapt_weights(sys.argv[1], made.extended(), sys.argv[2], progress=progress)\n"
    )
    command = [sys.executable, "-c", program, str(model), str(tmp_path / "out")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith("lm_head"):
                break
        child.send_signal(signal.SIGKILL)
    assert list((tmp_path / "out").glob("*.partial"))
    assert not (tmp_path / "out/config.json").exists()
    report = adapt_weights(model, made.extended(), tmp_path / "out")
    assert report.resumed > 0
    adapt_weights(model, made.extended(), tmp_path / "whole")
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_other_options_need_redo(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model")
    adapt_weights(model, made.extended(), tmp_path / "out", Options(method="mean"))
    with pytest.raises(ValueError, match="--redo"):
        adapt_weights(model, made.extended(), tmp_path / "out", Options(method="weighted"))
    adapt_weights(model, made.extended(), tmp_path / "out", Options(method="weighted"), redo=True)
    adapt_weights(model, made.extended(), tmp_path / "fresh", Options(method="weighted"))
    assert digests(tmp_path / "out") == digests(tmp_path / "fresh")


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "model")
    refused: list[str] = []

    def progress(_what: str, _done: int, _total: int) -> None:
        if not refused:
            with pytest.raises(ValueError, match="another process") as error:
                adapt_weights(model, made.extended(), tmp_path / "out")
            refused.append(str(error.value))

    adapt_weights(model, made.extended(), tmp_path / "out", progress=progress)
    assert refused


def test_a_changed_model_is_seen(tmp_path: Path) -> None:
    """The same call on weights that changed meanwhile does not take old shards for done."""
    model = made.write_model(tmp_path / "model", seed=0)
    adapt_weights(model, made.extended(), tmp_path / "out")
    made.write_model(model, seed=1)
    later = time.time() + 5
    for path in model.glob("*.safetensors"):
        os.utime(path, (later, later))
    with pytest.raises(ValueError, match="made of another model"):
        adapt_weights(model, made.extended(), tmp_path / "out")
