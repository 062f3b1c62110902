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
    ("encyclopedia", "topic_encyclopedia", 0.015, "topic_news", ("news", "fiction", "social", "essay")),
)
WORDS_PROBABILITY: Final = 0.7


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
    for register, topic, least, right in reversed(BY_TOPIC):
        values = rows[:, SIGNALS.names.index(topic)]
        chosen = (values > least) & ((names != register) | (probabilities < right))
        names[chosen] = register
        probabilities[chosen] = right
    return {
        "register": pa.array(names.tolist(), pa.string()),
        "register_probability": pa.array(probabilities, pa.float32()),
    }
