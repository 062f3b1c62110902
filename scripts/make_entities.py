"""Write rust_ext/crates/html/src/names.txt: `python scripts/make_entities.py`.

The names are those of WHATWG's list (https://html.spec.whatwg.org/entities.json), which Python keeps as
`html.entities.html5`; HTML 4.01's are marked, because only they are taken for a mistake in plain text as a
matter of course. The same Python release gives the same bytes.
"""

from __future__ import annotations

import html.entities
from pathlib import Path

TARGET = Path(__file__).parents[1] / "rust_ext/crates/html/src/names.txt"
HEAD = """\
# Every name of WHATWG's list of character references (https://html.spec.whatwg.org/entities.json), sorted.
# Written by scripts/make_entities.py; do not edit. A line: the name, its one or two code points, L where HTML
# reads it without its semicolon too, 4 where HTML 4.01 has it (or it is apos).
"""


def rows() -> list[str]:
    """One row a name, sorted by bytes."""
    found = []
    for name in sorted({name.rstrip(";") for name in html.entities.html5}):
        codes = "+".join(f"{ord(char):x}" for char in html.entities.html5[f"{name};"])
        legacy = "L" if name in html.entities.html5 else ""
        html4 = "4" if name in html.entities.name2codepoint or name == "apos" else ""
        found.append(f"{name} {codes} {legacy}{html4}".rstrip() + "\n")
    return found


if __name__ == "__main__":
    TARGET.write_text(HEAD + "".join(rows()), encoding="utf-8")
