"""Byte-level BPE: split, train, encode, evaluate, export. Imports nothing of corpus.

    from tokenizer import Tokenizer, Vocabulary                        # encode, decode, read and write files
    from tokenizer.train import TrainParameters, train                 # learn a vocabulary
    from tokenizer.evaluate import evaluate                            # compare vocabularies

`dir(tokenizer)` lists what is offered; a name is imported when it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rust_ext import __version__ as __version__
    from tokenizer.baselines import open_baseline as open_baseline
    from tokenizer.encode import Tokenizer as Tokenizer
    from tokenizer.morphemes import RussianSegmenter as RussianSegmenter
    from tokenizer.train import Penalty as Penalty
    from tokenizer.train import TrainParameters as TrainParameters
    from tokenizer.vocabulary import Vocabulary as Vocabulary

#: Name -> module that holds it.
_PLACES: Final = {
    "Penalty": "tokenizer.train",
    "RussianSegmenter": "tokenizer.morphemes",
    "Tokenizer": "tokenizer.encode",
    "TrainParameters": "tokenizer.train",
    "Vocabulary": "tokenizer.vocabulary",
    "__version__": "rust_ext",
    "open_baseline": "tokenizer.baselines",
}

__all__ = [*_PLACES]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it offers {', '.join(__all__)}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
