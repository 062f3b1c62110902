"""fastText's models of language identification, by path: lid.176, GlotLID, OpenLID and others like them.

The model is shown a bounded sample of a text in one line, only words that hold a Cyrillic letter where the
text has any to speak of, so that code, links and names in Latin script do not vote; old spelling is respelled
first, since these models take ъ at the end of words for Bulgarian.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.langid.tags import tag
from rust_ext import text_samples
from rust_ext.arrow import Buffers

#: The bundled one, by the name that `identify.model` gives it.
BUNDLED = {"lid.176": Path(__file__).parent.parent / "assets" / "lid.176.ftz"}

#: Places of a text from which the model reads, and characters at each. On text_ru recall does not change
#: between 3 x 200 and 3 x 800 characters; the model's time does, fourfold (docs/measured/language.md).
WINDOWS = 3
WINDOW_CHARS = 300

#: Labels asked of the model: enough to find Russian's probability where it is not the first.
LABELS = 5

#: From this share of Cyrillic among the letters, only words with a Cyrillic letter are shown to the model.
CYRILLIC_PAGE = 0.1

FINAL_HARD_SIGN = re.compile(r"[ъЪ]\b")
OLD_LETTERS = str.maketrans("ѣѢіІѳѲѵѴ", "еЕиИфФиИ")


@functools.cache
def load(path: str) -> Any:
    """The model of a file, once a process. Raises ValueError that names a file which is no such model."""
    import fasttext  # imported when needed: it takes a tenth of a second

    location = BUNDLED.get(path, Path(path))
    if not location.is_file():
        raise ValueError(
            f"identify.model: {path} is not a file; name a fastText model (.bin, .ftz) or lid.176"
        )
    try:
        model = fasttext.load_model(str(location))
        labelled = bool(model.get_labels()) and model.get_labels()[0].startswith("__label__")
    except (ValueError, RuntimeError, MemoryError) as error:
        raise ValueError(f"identify.model: {path} is not a model that fastText reads ({error})") from error
    if not labelled:
        raise ValueError(f"identify.model: {path} is a fastText model, but not one that gives labels")
    return model


def predict(
    path: str,
    texts: Buffers,
    cyrillic_share: NDArray[np.float64],
    prereform: NDArray[np.bool_],
) -> list[list[tuple[str, float]]]:
    """For each text the likeliest languages with their probabilities; none where there is nothing to read."""
    samples = text_samples(texts, cyrillic_share >= CYRILLIC_PAGE, WINDOWS, WINDOW_CHARS)
    samples = [
        FINAL_HARD_SIGN.sub("", sample).translate(OLD_LETTERS) if old else sample
        for sample, old in zip(samples, prereform, strict=True)
    ]
    if not samples:
        return []
    labels, chances = load(path).predict([sample or " " for sample in samples], k=LABELS)
    # lid.176's probabilities can pass 1 by a rounding error.
    return [
        [(tag(n), min(float(v), 1.0)) for n, v in zip(names, values, strict=True)] if sample else []
        for sample, names, values in zip(samples, labels, chances, strict=True)
    ]
