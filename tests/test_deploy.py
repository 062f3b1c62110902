"""deploy/: the manifest by KubeRay's schema, the script on a Slurm of our own, the image by its steps."""

import gzip
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from pipelines import cli, metrics, recipe
from tests.pipelines.net import free_port
from tests.pipelines.stages import write_texts

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
SCRIPTS = [DEPLOY / "slurm/bukvar.sbatch", DEPLOY / "docker/check"]


def pages() -> list[Path]:
    return sorted(DEPLOY.rglob("*.md"))


def bukvar_commands(text: str) -> Iterator[list[str]]:
    """Arguments of each `bukvar` command that stands at the start of a line of a sh block, or behind `--`."""
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            for start, word in enumerate(words):
                if word == "bukvar" and (
                    start == 0 or words[start - 1] in ("--", "registry.example/bukvar:0.1.0")
                ):
                    yield words[start + 1 :]
                if word.endswith("bukvar.sbatch"):
                    yield words[start + 1 :]


def check_command(arguments: list[str]) -> None:
    """Raise where bukvar has no such command, option or parameter."""
    command = cli.bukvar.get_command(click.Context(cli.bukvar), arguments[0])
    assert command is not None, arguments
    context = command.make_context(arguments[0], list(arguments[1:]))
    if arguments[0] == "run":
        recipe.load(context.params["recipe"], context.params["settings"])


def test_pages_are_short_and_their_commands_are_ones_that_there_are() -> None:
    found = 0
    for page in pages():
        text = page.read_text("utf-8")
        assert len(text.encode()) <= 6_000, page
        for arguments in bukvar_commands(text):
            check_command(arguments)
            found += 1
    assert found >= 5


def test_the_pages_on_clusters_name_tests_and_metrics_that_there_are() -> None:
    page = (ROOT / "docs/cluster.md").read_text("utf-8")
    faults = (ROOT / "docs/faults-cluster.md").read_text("utf-8")
    lines = [line for line in faults.splitlines() if line.startswith("| ")]
    assert len(lines) >= 25
    for line in lines[1:]:
        named = re.findall(r"`((?:tests/\w+/)?)(test_\w+\.py)::(test_\w+)`", line)
        assert named, line
        for folder, file, test in named:
            assert f"def {test}(" in (ROOT / (folder or "tests/pipelines") / file).read_text("utf-8"), test
    rows = re.findall(r"^\| (`bukvar_.*?) \|", page, re.MULTILINE)
    shown: list[str] = []
    for row in rows:
        for name in re.findall(r"`(\w+)`", row):
            shown.append(name if name.startswith("bukvar") else f"{stem(shown[-1])}{name}")
    assert sorted(shown) == sorted(metrics._METRICS)


def stem(name: str) -> str:
    """`bukvar_tasks` of `bukvar_tasks_done_total`."""
    found = re.match(r"bukvar_(?:documents|bytes|tasks)", name)
    assert found, name
    return found[0]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_parse(script: Path) -> None:
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", str(script)], check=True)


def strict(schema: Any) -> Any:
    """An OpenAPI schema of Kubernetes as JSON Schema: what is not named is an error, as `kubectl` with strict
    validation has it; a quantity is a number or text."""
    if isinstance(schema, list):
        return [strict(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    if made.pop("x-kubernetes-int-or-string", False):
        made.pop("type", None)
        made["type"] = ["integer", "string"]
    if "properties" in made and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    return made


class TestKubeRay:
    @pytest.fixture
    def schema(self) -> Any:
        plain = json.loads(gzip.decompress((ROOT / "tests/data/kuberay/rayjob.json.gz").read_bytes()))
        plain["properties"]["metadata"] = {"type": "object"}
        return strict(plain)

    @pytest.fixture
    def manifest(self) -> Any:
        return yaml.safe_load((DEPLOY / "kuberay/rayjob.yaml").read_text("utf-8"))

    def test_the_manifest_is_one_by_the_schema(self, schema: Any, manifest: Any) -> None:
        jsonschema.Draft202012Validator(schema).validate(manifest)
        assert (manifest["apiVersion"], manifest["kind"]) == ("ray.io/v1", "RayJob")

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("spec.entryPoint", "x"),
            ("spec.backoffLimit", "five"),
            ("spec.rayClusterSpec.authOptions.mode", "none"),
            ("spec.rayClusterSpec.headGroupSpec.template.spec.containers", [{"image": "no name"}]),
            ("spec.rayClusterSpec.headGroupSpec.rayStartParams.num-cpus", 0),
        ],
    )
    def test_the_schema_refuses_what_is_wrong(
        self, schema: Any, manifest: Any, path: str, value: Any
    ) -> None:
        *parents, last = path.split(".")
        place = manifest
        for part in parents:
            place = place[part]
        place[last] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate(manifest)

    def test_the_entrypoint_is_a_command_of_ours(self, manifest: Any) -> None:
        name, *arguments = shlex.split(manifest["spec"]["entrypoint"])
        assert name == "bukvar"
        check_command(arguments)
        assert "auto" in arguments

    def test_the_versions_are_the_locked_ones(self, manifest: Any) -> None:
        lock = (ROOT / "requirements.lock").read_text("utf-8")
        assert f"\nray=={manifest['spec']['rayClusterSpec']['rayVersion']} " in lock
        version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
        assert f"bukvar:{version}\n" in (DEPLOY / "kuberay/rayjob.yaml").read_text("utf-8")


#: A Slurm of one machine: `srun` starts what it is given, as often as `--ntasks` says.
SRUN = """#!/usr/bin/env bash
echo "srun $*" >>"$CALLS"
count=1
while [[ $1 == --* ]]; do [[ $1 == --ntasks=* ]] && count=${1#--ntasks=}; shift; done
for ((n = 0; n < count; n++)); do "$@" & done
trap 'kill $(jobs -p) 2>/dev/null' TERM
wait; wait
"""
SCONTROL = """#!/usr/bin/env bash
echo "scontrol $*" >>"$CALLS"
[[ $1 != show ]] || printf '127.0.0.1\\nother\\n'
"""
#: A Ray that only listens, where the script waits for it.
RAY = """#!/usr/bin/env python3
import os, signal, socket, sys
with open(os.environ["CALLS"], "a") as calls:
    calls.write(f"ray {' '.join(sys.argv[1:])} token={os.environ['RAY_AUTH_TOKEN']}\\n")
port = [a.split("=")[1] for a in sys.argv if a.startswith("--port=")]
listening = [socket.create_server(("127.0.0.1", int(p))) for p in port]
signal.pause()
"""
BUKVAR = """#!/usr/bin/env python3
import os, signal, sys
def stop(*_):
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
with open(os.environ["CALLS"], "a") as calls:
    calls.write(f"bukvar {' '.join(sys.argv[1:])} token={os.environ['RAY_AUTH_TOKEN']}\\n")
if sys.argv[1] == "wait":
    signal.pause()
sys.exit(int(sys.argv[2]))
"""


class TestSlurm:
    def start(self, folder: Path, programs: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
        tools = folder / "bin"
        tools.mkdir()
        for name, text in programs.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        (folder / "calls").touch()
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "BUKVAR_"))}
        environment |= {
            "PATH": f"{tools}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "CALLS": str(folder / "calls"), "PYTHONPATH": str(ROOT), "BUKVAR_PORT": str(free_port()),
            "SLURM_JOB_ID": str(os.getpid()), "SLURM_JOB_NODELIST": "n[1-2]", "SLURM_JOB_NUM_NODES": "2",
            "SLURM_CPUS_PER_TASK": "1",
        }  # fmt: skip
        return subprocess.Popen(
            ["bash", str(DEPLOY / "slurm/bukvar.sbatch"), *arguments], env=environment, cwd=folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Exit code and stderr; nothing of its session is left."""
        try:
            _, complaint = process.communicate(timeout=240)
            end = time.monotonic() + 60  # Ray's own processes take a while to end where much else runs
            while self.left(process) and time.monotonic() < end:
                time.sleep(0.2)
            assert not self.left(process)
        finally:
            if self.left(process):
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, complaint

    def left(self, process: subprocess.Popen[str]) -> bytes:
        """Processes of its session that run; those that wait to be reaped do not."""
        command = ["pgrep", "-g", str(process.pid), "-r", "R,S,D"]
        return subprocess.run(command, check=False, capture_output=True).stdout

    def calls(self, folder: Path) -> list[str]:
        return (folder / "calls").read_text().splitlines()

    STUBS = {"srun": SRUN, "scontrol": SCONTROL, "ray": RAY, "bukvar": BUKVAR}  # noqa: RUF012 - never changed

    @pytest.mark.parametrize("code", [0, 1, 2])
    def test_head_then_workers_then_the_command_whose_exit_code_it_gives(
        self, tmp_path: Path, code: int
    ) -> None:
        process = self.start(tmp_path, self.STUBS, "exit", str(code), "--out", "s3://corpora/a b")
        assert self.finish(process)[0] == code
        calls = self.calls(tmp_path)
        (head,) = [n for n, call in enumerate(calls) if call.startswith("ray start --head")]
        (workers,) = [n for n, call in enumerate(calls) if "srun" in call and "--exclude=127.0.0.1" in call]
        (driver,) = [n for n, call in enumerate(calls) if call.startswith("bukvar")]
        assert head < workers
        assert head < driver
        address = re.search(r"--port=(\d+)", calls[head])
        assert address is not None
        assert f"--address 127.0.0.1:{address[1]} token=" in calls[driver]
        tokens = {call.rpartition("token=")[2] for call in calls if "token=" in call}
        assert [len(token) for token in tokens] == [64]

    @pytest.mark.parametrize(("sent", "again"), [(signal.SIGTERM, False), (signal.SIGUSR1, True)])
    def test_a_signal_ends_the_driver_cleanly_and_the_time_limit_queues_again(
        self, tmp_path: Path, sent: signal.Signals, *, again: bool
    ) -> None:
        process = self.start(tmp_path, self.STUBS, "wait")
        end = time.monotonic() + 60
        while not any(call.startswith("bukvar wait") for call in self.calls(tmp_path)):
            assert time.monotonic() < end, process.poll()
            time.sleep(0.05)
        process.send_signal(sent)
        assert self.finish(process)[0] == 143
        assert any(call.startswith("scontrol requeue") for call in self.calls(tmp_path)) is again

    def test_a_head_that_does_not_start_ends_the_job(self, tmp_path: Path) -> None:
        stubs = self.STUBS | {"ray": "#!/bin/sh\nexit 1\n"}
        code, complaint = self.finish(self.start(tmp_path, stubs, "exit", "0"))
        assert code == 1
        assert "the head of the Ray cluster ended" in complaint

    def test_no_command_is_a_usage_error(self, tmp_path: Path) -> None:
        code, complaint = self.finish(self.start(tmp_path, self.STUBS))
        assert (code, complaint.startswith("usage: sbatch")) == (2, True)

    @pytest.mark.slow
    @pytest.mark.timeout(600)
    def test_a_job_on_two_real_nodes_of_ray(self, tmp_path: Path) -> None:
        for n in range(6):
            write_texts(tmp_path / f"in/{n:02d}.parquet", ["Слово не воробей: вылетит, не поймаешь."] * 20)
        tools = {"srun": SRUN, "scontrol": SCONTROL}
        out = tmp_path / "out"
        process = self.start(tmp_path, tools, "clean", str(tmp_path / "in"), "--out", str(out))
        code, complaint = self.finish(process)
        assert code == 0, complaint
        assert len(list((out / "_receipts").glob("*.json"))) == 6


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_steps_of_the_image_work_in_a_fresh_environment(tmp_path: Path) -> None:
    maturin = Path(sys.executable).parent / "maturin"
    build = [
        str(maturin),
        "build",
        "--release",
        "--locked",
        "--quiet",
        "--out",
        str(tmp_path),
        "-i",
        sys.executable,
    ]
    subprocess.run(build, cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("bukvar-*.whl")
    done = subprocess.run(
        [str(DEPLOY / "docker/check"), str(wheel)], cwd=tmp_path, text=True, capture_output=True, check=False,
        env=os.environ | {"PYTHON": sys.executable},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all steps done\n")
    assert [line.split()[2] for line in done.stdout.splitlines() if line.startswith("not run:")] == [
        "apt-get", "useradd",
    ]  # fmt: skip
