"""Modules of a Rust crate form no circle: whoever changes one knows which others can notice.

A module uses another where a path in it (`use`, or a qualified name) leads there. Declaring a module
(`mod x;`) is no use of it, and what stands under `#[cfg(test)]` may use anything.
"""

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CRATES = sorted(path.parent for path in (Path(__file__).parents[1] / "rust_ext/crates").glob("*/Cargo.toml"))

Module = tuple[str, ...]

USE = re.compile(r"^(?P<indent>[ \t]*)(?:pub(?:\([^)]*\))? )?use (?P<tree>[^;]+);", re.M)
QUALIFIED = re.compile(r"(?<![\w:])(?:crate|super|self|[a-z]\w*)(?:::\w+)+")
TESTS = re.compile(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*mod \w+ \{.*", re.S)


def module_of(path: Path, source: Path) -> Module:
    parts = path.relative_to(source).with_suffix("").parts
    return parts[:-1] if parts[-1] in ("lib", "mod") else parts


def leaves(tree: str) -> Iterator[str]:
    """The paths of a use declaration: `a::{b, c::{d, e}}` is a::b, a::c::d, a::c::e."""
    before, brace, inner = tree.strip().partition("{")
    if not brace:
        yield before.split(" as ")[0].strip()
        return
    depth, start, inner = 0, 0, inner.rpartition("}")[0] + ","
    for at, character in enumerate(inner):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            if inner[start:at].strip():
                yield from (before + leaf for leaf in leaves(inner[start:at]))
            start = at + 1


def paths(text: str) -> Iterator[list[str]]:
    """All paths of a module, but those of its unit tests. In an inline module, `super` is the file itself."""
    text = TESTS.sub("", re.sub(r"//[^\n]*", "", text))
    for found in USE.finditer(text):
        for leaf in leaves(found["tree"]):
            inline = found["indent"] and leaf.startswith("super::")
            yield (f"self::{leaf[len('super::') :]}" if inline else leaf).split("::")
    for found in QUALIFIED.finditer(USE.sub("", text)):
        yield found[0].split("::")


def target(path: list[str], here: Module, known: Mapping[Module, Path]) -> Module | None:
    """The module that a path leads to; None for one that leads out of the crate."""
    first, rest = path[0], path[1:]
    if first == "crate":
        at: Module = ()
    elif first == "self":
        at = here
    elif first == "super":
        at = here[:-1]
        while rest and rest[0] == "super":
            at, rest = at[:-1], rest[1:]
    elif (*here, first) in known:
        at, rest = here, path
    else:
        return None
    while rest and (*at, rest[0]) in known:
        at, rest = (*at, rest[0]), rest[1:]
    return at


def uses(source: Path) -> dict[Module, set[Module]]:
    known = {module_of(path, source): path for path in source.rglob("*.rs")}
    graph = {}
    for module, path in known.items():
        if not any("test" in part or part == "fuzz" for part in module):
            found = {target(one, module, known) for one in paths(path.read_text("utf-8"))}
            graph[module] = {one for one in found if one is not None and one != module}
    return graph


@pytest.mark.parametrize("crate", CRATES, ids=lambda path: path.name)
def test_modules_form_no_circle(crate: Path) -> None:
    graph = uses(crate / "src")
    assert graph
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join("::".join(module) or "lib" for module in error.args[1]))


def test_a_circle_is_found(tmp_path: Path) -> None:
    """By nested use declarations and by qualified names, across folders."""
    (tmp_path / "a").mkdir()
    (tmp_path / "lib.rs").write_text("mod a;\nmod b;\nuse a::{inner::{Thing, Other}};\n")
    (tmp_path / "a/mod.rs").write_text("mod inner;\n")
    (tmp_path / "a/inner.rs").write_text("fn f() { crate::b::g(); }\n")
    (tmp_path / "b.rs").write_text(
        "// crate::a\n#[cfg(test)]\nmod tests {\n    use super::super::a::inner;\n}\n"
    )
    graph = uses(tmp_path)
    assert graph == {(): {("a", "inner")}, ("a",): set(), ("a", "inner"): {("b",)}, ("b",): set()}
    (tmp_path / "b.rs").write_text("use super::a::{self, inner::Other as Same};\n")
    assert uses(tmp_path)[("b",)] == {("a",), ("a", "inner")}
    with pytest.raises(CycleError):
        TopologicalSorter(uses(tmp_path)).prepare()
