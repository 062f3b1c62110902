"""Runs a slow stage, for tests to kill: python -m tests.pipelines.driver IN OUT PAUSE EXECUTOR [ADDRESS]"""

import sys
from pathlib import Path

from corpus.errors import BukvarError
from pipelines.engine import Job, run_stage
from pipelines.executors import open_executor
from pipelines.progress import Silent
from tests.pipelines.stages import Shorten, inputs_of

if __name__ == "__main__":
    source, out, pause, executor = sys.argv[1:5]
    address = sys.argv[5] if len(sys.argv) > 5 else None
    job = Job(Shorten(pause=float(pause)), inputs_of(Path(source).glob("*")), out)
    try:
        with open_executor(executor, address, None if address else 2) as run:
            result = run_stage(job, run, Silent())
    except BukvarError as error:
        sys.exit(str(error))
    print(result.worked)
