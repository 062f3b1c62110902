"""The data plane: pure functions over Arrow tables. No Ray, no argv, no network.

    from corpus import Extract, Identify, Clean, Mask, Filter, Dedup   # stages: parameters and `open()`
    from corpus import decode, repair, read_documents                  # functions
    from corpus.extract.content import extract                         # main text of a page

`dir(corpus)` lists what is offered; a name is imported when it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from corpus.classify import Classify as Classify
    from corpus.clean.hostlines import HostLines as HostLines
    from corpus.clean.lines import Clean as Clean
    from corpus.clean.lines import clean_text as clean_text
    from corpus.clean.repair import repair as repair
    from corpus.decontaminate import Decontaminate as Decontaminate
    from corpus.dedup.near import Dedup as Dedup
    from corpus.documents import read_documents as read_documents
    from corpus.errors import BukvarError as BukvarError
    from corpus.extract.decode import decode as decode
    from corpus.extract.stage import Extract as Extract
    from corpus.inputs import Input as Input
    from corpus.language import Identify as Identify
    from corpus.mask import Mask as Mask
    from corpus.mask import mask_text as mask_text
    from corpus.quality.verdicts import Filter as Filter
    from corpus.quota import Quota as Quota
    from corpus.table import DOCUMENT as DOCUMENT
    from rust_ext import __version__ as __version__

#: Name -> module that holds it.
_PLACES: Final = {
    "BukvarError": "corpus.errors",
    "Classify": "corpus.classify",
    "Clean": "corpus.clean.lines",
    "DOCUMENT": "corpus.table",
    "Decontaminate": "corpus.decontaminate",
    "Dedup": "corpus.dedup.near",
    "Extract": "corpus.extract.stage",
    "Filter": "corpus.quality.verdicts",
    "HostLines": "corpus.clean.hostlines",
    "Identify": "corpus.language",
    "Input": "corpus.inputs",
    "Mask": "corpus.mask",
    "Quota": "corpus.quota",
    "__version__": "rust_ext",
    "clean_text": "corpus.clean.lines",
    "decode": "corpus.extract.decode",
    "mask_text": "corpus.mask",
    "read_documents": "corpus.documents",
    "repair": "corpus.clean.repair",
}

__all__ = [*_PLACES]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it offers {', '.join(__all__)}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
