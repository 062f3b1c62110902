"""Which texts are counted for what the package ships: one rule for its vocabularies and its ready tokens.

A text is counted where the repository that gives it states a licence under which anybody may use it for any
purpose: public domain, official documents, permissive licences, attribution, share-alike. What ships is a
list of byte strings with ranks, made of counts of words: no sentence of a text, so no adaptation of it; each
file still names its sources with their licences. Not counted are texts without a stated licence, and those
under licences that restrict use (NonCommercial) or that are made for programs (GPL).
"""

from __future__ import annotations

from typing import Final

_FREE: Final = (
    "public domain",
    "public domain or CC0-1.0",
    "CC0-1.0",
    "Unlicense",
    "regions' programmes: official documents",
    "protocols of a ministry: official documents",
    "MIT",
    "MIT or Apache-2.0",
    "Apache-2.0",
    "BSD-3-Clause",
)
_ATTRIBUTION: Final = (
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC BY 4.0",
    "that of db.chgk.info: free, with attribution",
)
SHARE_ALIKE: Final = (
    "CC BY-SA 3.0",
    "CC BY-SA 4.0",
    "OpenCorpora's text: CC BY-SA 3.0",
    "Wikipedia's text: CC BY-SA",
)
#: Licences as the sources state them (column `license` of text_ru and of what tests/bench/russian_texts.py
#: writes).
COUNTED: Final = (*_FREE, *_ATTRIBUTION, *SHARE_ALIKE)
