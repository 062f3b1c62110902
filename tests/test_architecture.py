"""The shape of docs/design.md, held: who imports whom, what each layer may know, what no file may contain."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from graphlib import CycleError
from pathlib import Path

import pytest

from scripts.draw_imports import graph, layers

ROOT = Path(__file__).parent.parent
PACKAGES = ("rust_ext", "corpus", "tokenizer", "pipelines")
#: What each package may import of the four: imports run one way.
ALLOWED = {
    "rust_ext": {"rust_ext"},
    "corpus": {"rust_ext", "corpus"},
    "tokenizer": {"rust_ext", "tokenizer"},
    "pipelines": {"rust_ext", "corpus", "tokenizer", "pipelines"},
}
#: Modules that open connections; data come and go through pyarrow.fs alone.
NETWORK = {
    "aiohttp", "ftplib", "http", "httpx", "requests", "smtplib", "socket", "ssl", "urllib.request", "urllib3",
}  # fmt: skip
#: What knows of command lines and recipes.
COMMAND_LINE = {"argparse", "click", "optparse", "rich", "tomllib", "typer"}
#: Programs of their own: the extraction child, whose command line is how its parent speaks to it, and the one
#: that fits the filter.
PROGRAMS = {"corpus/extract/child.py", "corpus/quality/fit.py"}
#: The habit is 400 lines; it may be passed a little, and in Rust by tests or tables in the same file.
PYTHON_LINES, RUST_LINES = 450, 700


def tracked(*patterns: str) -> list[Path]:
    """Files of the project that match, by git where it is there (a source archive has none)."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
        found = [ROOT / name for name in listed.split("\0") if name]
    else:
        found = [path for pattern in patterns for path in ROOT.rglob(pattern) if "target" not in path.parts]
    return sorted(path for path in set(found) if path.is_file())


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py")) + sorted((ROOT / package).rglob("*.pyi"))


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a module imports anywhere, inside functions and under TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def all_modules() -> list[str]:
    return [str(path.relative_to(ROOT)) for package in PACKAGES for path in modules(package)]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imports(path)
        if name.partition(".")[0] in PACKAGES and name.partition(".")[0] not in ALLOWED[package]
    ]
    assert not wrong


def test_imports_make_no_circle() -> None:
    """docs/measured/imports.svg is the drawing. Imports inside of functions count."""
    assert sum(map(len, layers(graph()))) == len(
        {path for p in PACKAGES for path in (ROOT / p).rglob("*.py")}
    )


def test_a_circle_of_imports_is_found() -> None:
    with pytest.raises(CycleError):
        layers({"corpus.a": {"corpus.b"}, "corpus.b": {"corpus.a"}})


def test_the_import_rules_can_fail(tmp_path: Path) -> None:
    """An import inside a function or under TYPE_CHECKING counts too."""
    path = tmp_path / "odd.py"
    path.write_text("def f():\n    import pipelines.engine\n    from corpus import table\n")
    assert list(imports(path)) == ["pipelines.engine", "corpus.table"]


def test_nothing_is_imported_relatively() -> None:
    """Absolute imports everywhere, so that the rules above see them all."""
    relative = [
        name
        for name in all_modules()
        for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


def test_ray_is_imported_in_one_module() -> None:
    users = [
        name for name in all_modules() if any(i.partition(".")[0] == "ray" for i in imports(ROOT / name))
    ]
    assert users == ["pipelines/cluster.py"]


def test_the_native_module_is_imported_in_one_module() -> None:
    users = [name for name in all_modules() if any("_native" in i for i in imports(ROOT / name))]
    assert users == ["rust_ext/__init__.py"]


@pytest.mark.parametrize("package", ["corpus", "tokenizer", "rust_ext"])
def test_data_plane_knows_neither_network_nor_command_line(package: str) -> None:
    wrong = []
    for path in modules(package):
        name = str(path.relative_to(ROOT))
        barred = NETWORK if name in PROGRAMS else NETWORK | COMMAND_LINE
        wrong += [
            f"{name} imports {i}"
            for i in imports(path)
            if any(i == b or i.startswith(f"{b}.") for b in barred)
        ]
        if name not in PROGRAMS and "sys.argv" in path.read_text("utf-8"):
            wrong.append(f"{name} reads sys.argv")
    assert not wrong


def test_every_noqa_names_its_rule_and_its_reason() -> None:
    pattern = re.compile(r"#\s*(?:ruff:\s*)?noqa\b(?!: [A-Z]+\d+(, ?[A-Z]+\d+)* - \S)")
    assert not list(matching(pattern, tracked("*.py", "*.pyi")))


def test_every_type_ignore_names_its_rule_and_in_the_packages_its_reason() -> None:
    rule = re.compile(r"#\s*type:\s*ignore(?!\[[a-z-]+(, ?[a-z-]+)*\])")
    reason = re.compile(r"#\s*type:\s*ignore\[[^]]*\](?!\s+# \S)")
    files = tracked("*.py", "*.pyi")
    assert not list(matching(rule, files))
    assert not list(matching(reason, [f for f in files if f.relative_to(ROOT).parts[0] in PACKAGES]))


def test_every_allow_in_rust_carries_its_reason() -> None:
    """`unwrap` in a module of tests needs none: a test may panic."""
    pattern = re.compile(r"#!?\[allow\((?!.*\breason\b)[^]]*\](?!\s*// \S)")
    tests = re.compile(r"(#\[cfg\(test\)\]\n)#\[allow\(clippy::unwrap_used\)\](?=\nmod tests)")
    wrong = [path for path in tracked("*.rs") if pattern.search(tests.sub("", path.read_text("utf-8")))]
    assert not [str(path.relative_to(ROOT)) for path in wrong]


def test_every_ignore_in_the_configuration_carries_its_reason() -> None:
    """In pyproject.toml, each rule that is switched off has a comment on its line."""
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    rules = [line for line in lines if re.match(r'\s+"[A-Z]+\d+",', line)]
    assert rules
    assert not [line for line in rules if not re.search(r"# \S", line)]


def matching(pattern: re.Pattern[str], files: list[Path]) -> Iterator[str]:
    for path in files:
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if pattern.search(line):
                yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


TEXT_ENDINGS = ("*.py", "*.pyi", "*.rs", "*.toml", "*.md", "*.lock", "*.txt", "*.html", "Makefile", "NOTICE")


def test_no_file_names_a_place_of_one_machine_or_a_registry_host() -> None:
    """A home folder, a work folder or an index's address would tie the project to where it was written.

    Cargo.lock's `registry+https://github.com/rust-lang/crates.io-index` is Cargo's name of its default
    registry, on every machine.
    """
    pattern = re.compile(
        r"(?<![\w.~-])/(?:work|home|root|Users|mnt)/\w"
        r"|pypi\.org|pythonhosted\.org|static\.crates\.io|index\.crates\.io|--(?:extra-)?index-url|--find-links"
    )
    assert not list(matching(pattern, tracked(*TEXT_ENDINGS)))


def test_modules_stay_short() -> None:
    limits = {".py": PYTHON_LINES, ".rs": RUST_LINES}
    sources = [f for f in tracked("*.py", "*.rs") if f.relative_to(ROOT).parts[0] in PACKAGES]
    lengths = {str(f.relative_to(ROOT)): (len(f.read_text("utf-8").splitlines()), f.suffix) for f in sources}
    assert not {name: count for name, (count, ending) in lengths.items() if count > limits[ending]}


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["workspace"]
    assert project == workspace["package"]["version"]
    for manifest in (ROOT / "rust_ext").rglob("Cargo.toml"):
        package = tomllib.loads(manifest.read_text("utf-8"))["package"]
        assert package["version"] == {"workspace": True}, manifest


def test_kernels_know_nothing_of_python() -> None:
    """A kernel is a crate of its own that any Rust program can use; bindings lie in rust_ext/src/py alone."""
    manifests = sorted((ROOT / "rust_ext/crates").glob("*/Cargo.toml"))
    assert manifests
    for manifest in manifests:
        read = tomllib.loads(manifest.read_text("utf-8"))
        assert read["package"]["name"] == f"bukvar-{manifest.parent.name}"
        assert read["lints"] == {"workspace": True}, manifest
        assert not {"pyo3", "numpy", "bukvar-native"} & set(read.get("dependencies", {})), manifest
    assert sorted(path.name for path in (ROOT / "rust_ext/src").iterdir()) == ["lib.rs", "py"]
