"""Published weights by the size of a cluster of near duplicates: how often a document stands, from a size on.

Source: huggingface/fineweb-2 at d0defb2, by its authors (ODC-By 1.0, code Apache-2.0). `fineweb2` stands in
the README ("re-hydration"); `fineweb2-rus-N` are the tables for Russian (rus_Cyrl), N repetitions at most, in
misc/rehydration/weights/up_to_N_reps.json: made of the rates at which clusters of each size were filtered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Name -> size of a cluster -> times.
PRESETS: Final[Mapping[str, Mapping[int, int]]] = {
    "fineweb2": {1: 1, 2: 2, 3: 3, 5: 5, 100: 8, 1000: 1},
    "fineweb2-rus-3": {1: 1, 3: 2, 13: 3, 38: 2, 90: 1},
    "fineweb2-rus-4": {1: 1, 2: 2, 7: 3, 15: 4, 34: 3, 61: 2, 110: 1},
    "fineweb2-rus-5": {1: 1, 2: 2, 5: 3, 10: 4, 16: 5, 33: 4, 47: 3, 74: 2, 124: 1},
    "fineweb2-rus-6": {1: 1, 2: 2, 4: 3, 7: 4, 12: 5, 17: 6, 32: 5, 42: 4, 61: 3, 82: 2, 133: 1},
    "fineweb2-rus-7": {1: 1, 2: 2, 3: 3, 6: 4, 9: 5, 13: 6, 17: 7, 31: 6, 38: 5, 52: 4, 69: 3, 90: 2, 136: 1},
    "fineweb2-rus-8": {
        1: 1,
        2: 3,
        5: 4,
        7: 5,
        11: 6,
        14: 7,
        17: 8,
        30: 7,
        36: 6,
        46: 5,
        61: 4,
        76: 3,
        97: 2,
        142: 1,
        147: 2,
        151: 1,
    },
    "fineweb2-rus-9": {
        1: 1,
        2: 3,
        4: 4,
        6: 5,
        9: 6,
        12: 7,
        15: 8,
        18: 9,
        30: 8,
        35: 7,
        42: 6,
        54: 5,
        67: 4,
        81: 3,
        106: 2,
        142: 1,
        146: 2,
        151: 1,
    },
    "fineweb2-rus-10": {
        1: 1,
        2: 3,
        4: 4,
        5: 5,
        7: 6,
        10: 7,
        13: 8,
        15: 9,
        18: 10,
        29: 9,
        34: 8,
        40: 7,
        49: 6,
        61: 5,
        72: 4,
        85: 3,
        110: 2,
        152: 1,
    },
}
