"""Stage filter: thresholds on signals."""

from __future__ import annotations

import pyarrow as pa
import pytest

from corpus.quality.verdicts import PRESETS, RULES, Filter

PROSE = """Вечером они долго сидели у окна и молчали, потому что говорить было уже не о чем.
За окном шёл дождь, и по стеклу медленно сползали крупные капли, похожие на слёзы.
Наконец старик поднялся, взял со стола лампу и пошёл наверх, ни с кем не попрощавшись.
Дети ещё немного подождали, не вернётся ли он, а потом тоже разошлись по своим комнатам.
В доме стало тихо, только на кухне капала вода и где-то под полом возились мыши.
"""


def run(*texts: str | None, **parameters: object) -> list[dict[str, object]]:
    batch = pa.table({"text": pa.array(texts, pa.large_string())})
    rows: list[dict[str, object]] = Filter(**parameters).open()(batch).to_pylist()  # type: ignore[arg-type]
    return rows


def test_prose_is_kept_with_its_signals() -> None:
    (row,) = run(PROSE)
    assert row["drop"] is None
    assert row["words"] == 75
    assert row["line_punct_ratio"] == 1.0


def test_a_short_text_goes_for_its_words_and_all_rules_are_named() -> None:
    (row,) = run("Купить слона недорого")
    assert row["drop"] == "too_few_words"
    details = str(row["drop_detail"]).split("; ")
    assert details[0] == "words=3 < 50"
    assert details[-2:] == ["line_punct_ratio=0 < 0.231", "stop_words=0 < 2"]


def test_repetition_goes() -> None:
    (row,) = run(PROSE * 4)
    assert row["drop"] == "duplicate_lines"
    assert "dup_10_gram_frac" in str(row["drop_detail"])


def test_conversation_has_enough_stop_words() -> None:
    """The list is not Wikipedia's: talk passes with its own function words."""
    talk = "Ты же это всё уже знаешь? Я тебе вот что скажу, мы ещё там были! Ну да, если бы ты только мог.\n"
    (row,) = run(talk * 3, max_dup_line_frac=1, max_dup_5_gram_frac=1, max_char_dup_ratio=1)
    assert "stop_words" not in str(row["drop_detail"])


def test_a_threshold_of_ones_own_replaces_the_presets() -> None:
    assert run(PROSE, min_words=100)[0]["drop"] == "too_few_words"
    assert run(PROSE, min_mean_word_length=8)[0]["drop"] == "words_too_short"
    assert run(PROSE * 2)[0]["drop"] is not None
    assert run(PROSE * 2, preset="none", min_words=100)[0]["drop"] is None


def test_infinity_turns_a_rule_off() -> None:
    text = "заголовок без точки и конца " * 30
    assert run(text)[0]["drop"] is not None
    off = {r.parameter: 0 if r.least else float("inf") for r in RULES}
    assert run(text, **off)[0]["drop"] is None


def test_the_preset_none_judges_nothing_and_c4_rules_can_be_asked_for() -> None:
    assert run("", "{", preset="none")[1]["drop"] is None
    assert run("{ код }", preset="none", max_curly_brackets=0)[0]["drop"] == "curly_brackets"
    assert run("Lorem ipsum", preset="none", max_lorem_ipsum=0)[0]["drop"] == "lorem_ipsum"


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_names_only_parameters_that_exist(preset: str) -> None:
    assert set(PRESETS[preset]) <= {rule.parameter for rule in RULES}


def test_every_rule_has_its_own_listed_reason() -> None:
    reasons = [rule.reason for rule in RULES]
    assert len(set(reasons)) == len(reasons)
    assert set(reasons) <= set(Filter.reasons)


def test_fineweb2_thresholds_are_the_published_ones() -> None:
    """configs/rus_Cyrl.yml of huggingface/fineweb-2, by value."""
    preset = PRESETS["fineweb2-ru"]
    grams = [preset[f"max_dup_{n}_gram_frac"] for n in range(5, 11)]
    assert grams == [0.168, 0.156, 0.145, 0.133, 0.121, 0.109]
    assert [preset[f"max_top_{n}_gram_frac"] for n in (2, 3, 4)] == [0.184, 0.164, 0.146]
    assert (preset["max_dup_line_frac"], preset["min_line_punct_ratio"]) == (0.322, 0.231)
    assert (preset["max_newline_ratio"], preset["min_alpha_word_ratio"]) == (0.139, 0.713)


def test_a_value_at_the_threshold_stays() -> None:
    words = " ".join(f"слово{i}" for i in range(50))
    assert run(words, preset="none", min_words=50, max_words=50)[0]["drop"] is None


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"preset": "fineweb"}, "fineweb2-ru"),
        ({"max_words": -1}, "max_words"),
        ({"min_words": float("nan")}, "0"),
    ],
)
def test_a_wrong_parameter_says_what_to_do(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Filter(**parameters)  # type: ignore[arg-type]
