"""Text of documents, file names and servers, made fit for a terminal.

A page may hold what a terminal obeys: sequences that set its title, erase what was printed before, or turn
the order of letters around. They are shown as escapes (\\x1b), as Python writes them.
"""

from __future__ import annotations

from typing import Final

#: C0 but tab and line feed, DEL, C1; and the controls that override the direction of writing.
_CONTROLS: Final = (
    *range(9),
    *range(11, 32),
    *range(127, 160),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
_SHOWN: Final = {code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in _CONTROLS}


def harmless(text: str) -> str:
    """The text with control characters as escapes; tabs and line ends stay (CR LF as LF)."""
    return text.replace("\r\n", "\n").translate(_SHOWN)
