"""Draw which module imports which, in layers: `python scripts/draw_imports.py docs/measured/imports.svg`.

A module stands above everything that imports it: each line of the drawing is a layer, and its modules import
from the layers above alone. Imports inside of functions count, those under TYPE_CHECKING do not. Exits with
1, naming the modules, where they run in a circle; a test asks the same.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from html import escape
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PACKAGES: Final = ("rust_ext", "corpus", "tokenizer", "pipelines")
_COLOURS: Final = {"rust_ext": "#f2c9a1", "corpus": "#cfe3c4", "tokenizer": "#c4d7ee", "pipelines": "#e6d3ec"}
_WIDE, _HIGH, _ROW, _LINE = 168, 20, 8, 34


def graph(root: Path = ROOT) -> dict[str, set[str]]:
    """Module -> modules of ours that it imports."""
    files = {name_of(path, root): path for package in PACKAGES for path in (root / package).rglob("*.py")}
    return {
        name: {found for found in _imports(ast.parse(path.read_text("utf-8")), files) if found != name}
        for name, path in files.items()
    }


def name_of(path: Path, root: Path = ROOT) -> str:
    """The dotted name of a module's file."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _imports(tree: ast.AST, known: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                if inside in known or node.module in known:
                    yield inside if inside in known else node.module
        else:
            yield from _imports(node, known)


def layers(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """Modules by layer, sorted. Raises graphlib.CycleError where imports run in a circle."""
    depth: dict[str, int] = {}
    for name in TopologicalSorter(imports).static_order():
        depth[name] = max((depth[one] + 1 for one in imports[name]), default=0)
    found: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in sorted(depth):
        found[depth[name]].append(name)
    return found


def draw(imports: Mapping[str, set[str]]) -> str:
    """The drawing as SVG."""
    places: dict[str, tuple[int, int]] = {}
    y = 10
    for layer in layers(imports):
        for start in range(0, len(layer), _ROW):
            for number, name in enumerate(layer[start : start + _ROW]):
                places[name] = (10 + number * _WIDE, y)
            y += _LINE
        y += _LINE
    lines = [
        f'<path d="M{places[a][0] + 76} {places[a][1]}L{places[b][0] + 76} {places[b][1] + _HIGH}"/>'
        for a, those in sorted(imports.items())
        for b in sorted(those)
    ]
    boxes = [
        f'<rect x="{x}" y="{top}" width="{_WIDE - 16}" height="{_HIGH}" '
        f'fill="{_COLOURS[name.split(".")[0]]}"/>'
        f'<text x="{x + 4}" y="{top + 14}">{escape(name)}</text>'
        for name, (x, top) in sorted(places.items())
    ]
    size = f'width="{10 + _ROW * _WIDE}" height="{y}"'
    style = "path{stroke:#0003;fill:none}text{font:10px sans-serif}"
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{style}</style>', *lines, *boxes, "</svg>\n"]
    )


def main() -> int:
    """Write the drawing to the file that is named."""
    try:
        drawing = draw(graph())
    except CycleError as error:
        print("imports run in a circle: " + " <- ".join(error.args[1]), file=sys.stderr)
        return 1
    Path(sys.argv[1]).write_text(drawing, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
