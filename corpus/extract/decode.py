"""Bytes of a page to text.

A declared charset is evidence, not an order: byte order mark, HTTP header, XML and meta declarations are all
read and checked against the bytes, which decide (`rust_ext/crates/decode/src`, docs/measured/extract.md,
"Charset").
"""

from __future__ import annotations

from dataclasses import dataclass

from rust_ext import decode_bytes


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page's text and how it was read."""

    text: str
    """Without byte order mark."""
    declared: str | None
    """The first charset declared (byte order mark, HTTP, XML, meta, in that order), used or not; None if none
    is. A label that nobody knows stands as it was written, in lower case."""
    charset: str
    """The charset used: utf-8, windows-1251, koi8-r, koi8-u, cp866, iso-8859-5, mac-cyrillic, utf-16le,
    utf-16be, utf-32le, utf-32be, or, for pages that are not Cyrillic, WHATWG's name in lower case."""
    replaced: int
    """U+FFFD put in place of bytes that mean nothing in that charset."""


def decode(body: bytes, http_charset: str | None = None) -> Decoded:
    """Decode a page. Never fails: what can't be decoded is replaced and counted.

    `http_charset` is the charset parameter of the HTTP Content-Type, as it stands there.
    """
    return Decoded(*decode_bytes(body, http_charset))
