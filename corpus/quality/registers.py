"""The register of a document: the model's, or that of a topic whose words are too many for any other."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.quality.signals import SIGNALS
from rust_ext import QualityModel

#: Columns that say the register.
REGISTER: Final = pa.schema([("register", pa.string()), ("register_probability", pa.float32())])

#: Registers of which there is too little text that a model may be fitted to: above this share of the topic's
#: words a document is of the register, with the share of right ones among those measured so
#: (docs/measured/quality.md); .5 where none were measured.
BY_TOPIC: Final = (
    ("recipe", "topic_recipe", 0.06, 0.99),
    ("science", "topic_science", 0.07, 0.95),
    ("review", "topic_review", 0.08, 0.5),
    ("question", "topic_question", 0.06, 0.5),
    ("shop", "topic_shop", 0.12, 0.9),
)

#: Registers whose words outweigh the trees': register, its topic, above which share and above which other
#: topic, and the registers of the trees that give way. Trees learn news and encyclopedias from few sources,
#: the words hold for others too; the probability is the share of right ones among those changed.
BY_WORDS: Final = (
    ("news", "topic_news", 0.012, "topic_encyclopedia", ("encyclopedia", "fiction", "social", "play")),
    ("news", "topic_news", 0.012, "topic_law", ("law",)),
    ("encyclopedia", "topic_encyclopedia", 0.015, "topic_news", ("news", "fiction", "social", "essay")),
)
WORDS_PROBABILITY: Final = 0.7

#: Verse whose line ends were lost: function words with a capital inside a sentence, above this share of at
#: least so many function words. Of the documents of the fit that are so, 9 of 10 are verse (docs/measured/
#: quality.md); where the trees say one of these registers, verse is likelier.
GLUED: Final = 0.2
GLUED_WORDS: Final = 6
GLUED_PROBABILITY: Final = 0.9
GLUED_INSTEAD: Final = ("fiction", "essay", "encyclopedia", "science", "social", "play", "dialogue", "news")


def is_glued_verse(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Which rows of signals are of verse whose line ends were lost."""
    starts, share, words, numbers = (
        rows[:, SIGNALS.names.index(name)]
        for name in ("inner_start_ratio", "function_word_ratio", "words", "number_ratio")
    )
    found: npt.NDArray[np.bool_] = (starts > GLUED) & (share * words * (1 - numbers) >= GLUED_WORDS)
    return found


def register_columns(rows: npt.NDArray[np.float32], model: QualityModel) -> dict[str, pa.Array]:
    """The columns of `REGISTER` of rows of signals."""
    numbers, probabilities = model.registers(rows)
    known = np.array([*model.register_names, ""], dtype=object)
    names = known[numbers]
    trees = names.copy()
    for register, topic, least, other, given in BY_WORDS:
        values, others = (rows[:, SIGNALS.names.index(name)] for name in (topic, other))
        chosen = (values > least) & (values > others) & np.isin(trees, given)
        names[chosen] = register
        probabilities[chosen] = WORDS_PROBABILITY
    glued = is_glued_verse(rows) & np.isin(trees, GLUED_INSTEAD)
    names[glued] = "verse"
    probabilities[glued] = GLUED_PROBABILITY
    for register, topic, least, right in reversed(BY_TOPIC):
        values = rows[:, SIGNALS.names.index(topic)]
        chosen = (values > least) & ((names != register) | (probabilities < right))
        names[chosen] = register
        probabilities[chosen] = right
    return {
        "register": pa.array(names.tolist(), pa.string()),
        "register_probability": pa.array(probabilities, pa.float32()),
    }
