"""The distribution: our names are ours, versions agree, the stub fits the extension, the wheel works."""

import importlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rust_ext
from pipelines import cli
from pipelines.names import OURS, check_names, foreign_owners, shadows

ROOT = Path(__file__).parent.parent


def plant(folder: Path, distribution: str, *files: str) -> None:
    """An installed distribution with these files, as pip leaves it."""
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "RECORD").write_text("".join(f"{name},sha256=x,1\n" for name in files))


class TestNames:
    def test_says_what_importlib_says_of_this_installation(self) -> None:
        owners = importlib.metadata.packages_distributions()
        others = {n: sorted({d for d in owners.get(n, []) if d.lower() != "bukvar"}) for n in OURS}
        assert sorted(foreign_owners()) == sorted(n for n, found in others.items() if found)

    @pytest.mark.parametrize(
        ("file", "name"),
        [
            ("corpus/__init__.py", "corpus"),
            ("corpus/data/words.txt", "corpus"),
            ("tokenizer.py", "tokenizer"),
            ("pipelines/__init__.py", "pipelines"),
            ("rust_ext/x.so", "rust_ext"),
        ],
    )
    def test_finds_a_planted_distribution(self, tmp_path: Path, file: str, name: str) -> None:
        plant(tmp_path, "somebody", "somebody/__init__.py", file)
        assert foreign_owners([str(tmp_path)]) == {name: "somebody"}

    @pytest.mark.parametrize(
        "file", ["mycorpus/a.py", "corpus_tools/a.py", "a/corpus/b.py", "tokenizers/a.py"]
    )
    def test_leaves_names_alone_that_only_look_like_ours(self, tmp_path: Path, file: str) -> None:
        plant(tmp_path, "somebody", file)
        assert foreign_owners([str(tmp_path)]) == {}

    def test_our_own_distribution_is_not_foreign(self, tmp_path: Path) -> None:
        plant(tmp_path, "bukvar", "corpus/__init__.py")
        assert foreign_owners([str(tmp_path)]) == {}

    def test_passes_over_what_is_no_folder(self, tmp_path: Path) -> None:
        assert foreign_owners([str(tmp_path / "missing"), "", str(ROOT / "pyproject.toml")]) == {}

    def test_command_says_what_to_uninstall(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        plant(tmp_path, "corpus", "corpus/__init__.py")
        monkeypatch.syspath_prepend(str(tmp_path))
        assert cli.run(["--help"]) == 2
        said = capsys.readouterr().err
        assert "pip uninstall corpus" in said
        assert said.count("\n") == 1

    def test_this_installation_passes(self) -> None:
        assert foreign_owners() == {}
        check_names()


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python started in a folder, whose files it then imports first."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


class TestShadows:
    """A file of the reader's that has one of our names and is found before ours."""

    @pytest.mark.parametrize("file", ["tokenizer.py", "corpus.py", "corpus/__init__.py", "rust_ext.py"])
    def test_importing_pipelines_names_the_file(self, tmp_path: Path, file: str) -> None:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("ours = False\n")
        ended = python(tmp_path, "-c", "import pipelines")
        assert ended.returncode == 1
        last = ended.stderr.splitlines()[-1]
        shown = tmp_path / file.removesuffix("/__init__.py")
        package = file.removesuffix(".py").removesuffix("/__init__")
        assert last.startswith(f"ImportError: {shown} hides bukvar's package '{package}': rename it")

    def test_the_command_says_it_in_one_line(self, tmp_path: Path) -> None:
        (tmp_path / "tokenizer.py").write_text("")
        ended = python(tmp_path, "-m", "pipelines.cli", "--help")
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.startswith(
            f"bukvar: {tmp_path / 'tokenizer.py'} hides bukvar's package 'tokenizer'"
        )
        assert ended.stderr.count("\n") == 1

    def test_a_folder_that_is_no_package_hides_nothing(self, tmp_path: Path) -> None:
        """One keeps a crawl in `corpus/`; Python takes the package further on."""
        (tmp_path / "corpus").mkdir()
        ended = python(tmp_path, "-c", "import pipelines, corpus; print(corpus.__version__)")
        assert (ended.returncode, ended.stdout.strip()) == (0, rust_ext.__version__)

    def test_this_installation_has_none(self) -> None:
        assert shadows() == {}


class TestFaces:
    @pytest.mark.parametrize("package", ["corpus", "tokenizer"])
    def test_a_package_shows_what_it_offers(self, package: str) -> None:
        module = importlib.import_module(package)
        assert module.__version__ == rust_ext.__version__
        assert sorted(module.__all__) == dir(module)
        assert all(getattr(module, name) is not None for name in module.__all__)

    @pytest.mark.parametrize("package", ["corpus", "tokenizer"])
    def test_another_name_is_an_error_that_lists_them(self, package: str) -> None:
        with pytest.raises(AttributeError, match=r"it offers .*__version__"):
            getattr(importlib.import_module(package), "Nothing")  # noqa: B009 - mypy would refuse the name

    def test_importing_a_package_loads_nothing_heavy(self) -> None:
        script = "import corpus, tokenizer, sys; print({'numpy', 'pyarrow', 'rust_ext'} & set(sys.modules))"
        assert python(ROOT, "-c", script).stdout.strip() == "set()"


class TestDependencies:
    """Exactly one binding named `fasttext`: two would overwrite each other's files."""

    def test_project_names_one_fasttext_binding(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        extras = [d for group in project["optional-dependencies"].values() for d in group]
        named = [d for d in project["dependencies"] + extras if "fasttext" in d.lower()]
        assert [re.split(r"[<>=~]", d)[0] for d in named] == ["fasttext-community"]

    def test_lock_holds_one_fasttext_binding(self) -> None:
        assert [n for n in locked() if "fasttext" in n] == ["fasttext-community"]

    def test_one_installed_distribution_owns_fasttext(self) -> None:
        assert importlib.metadata.packages_distributions()["fasttext"] == ["fasttext-community"]

    def test_lock_names_no_index_and_no_address(self) -> None:
        lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
        assert not [n for n in lines if n.startswith(("-i", "--index", "--extra-index", "--find"))]
        assert not [n for n in lines if "://" in n]

    def test_lock_pins_a_version_and_hashes_for_every_package(self) -> None:
        text = (ROOT / "requirements.lock").read_text("utf-8")
        blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
        wrong = [b.splitlines()[0] for b in blocks if "==" not in b or "--hash=sha256:" not in b]
        assert not wrong

    def test_lock_holds_every_dependency_of_the_project(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        wanted = project["dependencies"] + [
            one
            for extra in ("dev", "s3", "fit", "morphology", "plots")
            for one in project["optional-dependencies"][extra]
        ]
        names = {canonical(re.split(r"[\s<>=~\[;]", d)[0]) for d in wanted}
        assert not names - set(locked())


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> list[str]:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    return [canonical(n.split("==")[0]) for n in lines if re.match(r"[A-Za-z0-9]", n)]


class TestExtension:
    def test_says_the_version_of_the_crate(self) -> None:
        workspace = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["workspace"]
        assert rust_ext.__version__ == workspace["package"]["version"]

    def test_re_exports_every_name_and_says_so(self) -> None:
        native = importlib.import_module("rust_ext._native")
        public = {n for n in vars(native) if not n.startswith("_")} | {"__version__"}
        assert public - {"__version__"} == set(rust_ext.__all__) - {"__version__"}
        assert not [n for n in rust_ext.__all__ if not hasattr(rust_ext, n)]

    def test_stub_agrees_with_the_compiled_module(self, tmp_path: Path) -> None:
        """Names, parameters and defaults, by mypy's stubtest.

        Disjoint bases (PEP 800) are left out, typing knows their mark from Python 3.15 on; so is `__all__`,
        which PyO3 adds and a stub that exports everything does not need.
        """
        allowed = tmp_path / "allowed"
        allowed.write_text("rust_ext\\._native\\.__all__\n")
        options = ["--ignore-disjoint-bases", "--concise", "--allowlist", str(allowed)]
        command = [sys.executable, "-m", "mypy.stubtest", *options, "rust_ext._native"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr


def clean_environment() -> dict[str, str]:
    """This process's environment without Python's own and without cargo on the path."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "CARGO", "RUST"))
    }
    folders = [f for f in kept.get("PATH", "").split(os.pathsep) if not shutil.which("cargo", path=f)]
    return kept | {"PATH": os.pathsep.join(folders)}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment into which the built wheel was installed, with its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    maturin = shutil.which(
        "maturin", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    if maturin is None or shutil.which("cargo") is None:
        pytest.skip("building the wheel needs maturin and cargo")
    build = [maturin, "build", "--release", "--locked", "--quiet", "--out", str(folder), "-i", sys.executable]
    subprocess.run(build, cwd=ROOT, check=True)
    environment = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    (wheel,) = folder.glob("bukvar-*.whl")
    # Run-time packages in the locked versions: what a user gets today is what is tested today.
    pins = folder / "pins.txt"
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pins.write_text("\n".join(n.rstrip(" \\") for n in lines if re.match(r"[A-Za-z0-9]", n)) + "\n")
    install = [
        str(environment / "bin/python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    subprocess.run([*install, "-c", str(pins), str(wheel)], check=True, cwd=folder, env=clean_environment())
    return environment / "bin"


@pytest.mark.slow
@pytest.mark.timeout(1200)
class TestWheel:
    def test_command_starts_without_cargo(self, installed: Path, tmp_path: Path) -> None:
        environment = clean_environment()
        assert shutil.which("cargo", path=environment["PATH"]) is None
        said = subprocess.run(
            [str(installed / "bukvar"), "--version"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert said.stdout.startswith("bukvar ")

    def test_bundled_recipe_runs_from_another_folder(self, installed: Path, tmp_path: Path) -> None:
        """The demo's recipe, found in the wheel, over two files of the bundled crawl."""
        crawl = ROOT / "tests/data/crawl"
        paths = json.dumps([str(crawl / "crawl-00003.warc.gz"), str(crawl / "broken-truncated.warc.gz")])
        command = [str(installed / "bukvar"), "run", "demo", "--executor", "inline", "--out", "out", "--json"]
        planned = subprocess.run(
            [*command, "--dry-run"],
            cwd=tmp_path,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert json.loads(planned)[0]["inputs"] == len(list(crawl.glob("*arc*")))
        command += ["--set", "train.vocab_size=1000", "--set", f"input.paths={paths}"]
        done = subprocess.run(
            command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert (tmp_path / result["tokenizer"] / "tokenizer.json").is_file()
        assert (tmp_path / result["report"]).is_file()
        assert list((tmp_path / result["dataset"] / "data").glob("*.parquet"))
        # Plots are an extra, and this environment lacks it.
        assert not list((tmp_path / result["evaluation"]).glob("*.svg"))
        assert "pip install 'bukvar[plots]'" in done.stderr

    def test_wheel_holds_no_rust_sources_and_every_asset(self, installed: Path) -> None:
        script = "import importlib.metadata as m; print('\\n'.join(str(f) for f in m.files('bukvar')))"
        listed = subprocess.run(
            [str(installed / "python"), "-c", script], capture_output=True, text=True, check=True
        ).stdout.split()
        assert not [n for n in listed if n.startswith("tests/")]
        ours = {n for n in listed if n.startswith("rust_ext/") and "__pycache__" not in n}
        assert ours == {
            f"rust_ext/{n}" for n in ("__init__.py", "_native.abi3.so", "arrow.py", "_native.pyi", "py.typed")
        }
        for name in ("corpus/assets/lid.176.ftz", "pipelines/recipes/demo.toml", "pipelines/assets/card.md"):
            assert name in listed
