"""The threshold of the margin: as much plain junk goes as was asked for, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from corpus.quality import choose
from corpus.quality.signals import SIGNALS


def judged(kinds: dict[str, list[float]]) -> choose.Judged:
    """Junk of kinds with these margins and 400 good documents, with signals that no rule drops."""
    names = np.array([kind for kind, margins in kinds.items() for _ in margins] + ["news"] * 400)
    margins = np.array([*(m for margins in kinds.values() for m in margins), *np.linspace(-4, 4, 400)])
    good = names == "news"
    rows = np.zeros((len(names), len(SIGNALS.names)), np.float32)
    for signal in ("words", "alpha_word_ratio", "pair_score"):
        rows[:, SIGNALS.names.index(signal)] = 100
    return choose.Judged(rows, margins, good, names, names)


def margin(documents: choose.Judged, drop: float) -> float:
    rule = choose.preset(documents, drop)[-1]
    assert rule.signal == "junk_margin"
    return rule.limit


def test_the_margin_is_the_highest_that_drops_the_share_as_a_mean_over_kinds() -> None:
    many = [n / 100 + 0.003 for n in range(1000)]  # 0 to 10
    few = [9.01, 9.02, 9.03, 1.01]
    documents = judged({"tag_cloud": many, "price_list": few})
    assert margin(documents, 0.501) == 7.45  # .255 and .75: a kind of four counts as one of a thousand
    assert margin(documents, 0.751) == 2.45
    shares = [margin(documents, drop) for drop in (0.2, 0.4, 0.6, 0.8, 0.95)]
    assert shares == sorted(shares, reverse=True)


def test_fluent_junk_and_good_text_do_not_move_the_margin() -> None:
    plain = judged({"tag_cloud": [n / 100 + 0.003 for n in range(1000)]})
    fluent = judged({"tag_cloud": [n / 100 + 0.003 for n in range(1000)], "spun": [-3.0] * 500})
    assert margin(plain, 0.901) == margin(fluent, 0.901) == pytest.approx(0.95)
