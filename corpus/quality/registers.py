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


def register_columns(rows: npt.NDArray[np.float32], model: QualityModel) -> dict[str, pa.Array]:
    """The columns of `REGISTER` of rows of signals."""
    numbers, probabilities = model.registers(rows)
    known = np.array([*model.register_names, ""], dtype=object)
    names = known[numbers]
    for register, topic, least, right in reversed(BY_TOPIC):
        values = rows[:, SIGNALS.names.index(topic)]
        chosen = (values > least) & ((names != register) | (probabilities < right))
        names[chosen] = register
        probabilities[chosen] = right
    return {
        "register": pa.array(names.tolist(), pa.string()),
        "register_probability": pa.array(probabilities, pa.float32()),
    }
