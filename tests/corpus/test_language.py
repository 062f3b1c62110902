"""Stage identify: Russian is told from its neighbours by model and letters."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pyarrow as pa
import pytest

from corpus.language import MODEL, Identify

RUSSIAN = "Вчера вечером мы долго сидели на веранде и говорили о том, как быстро прошло это лето."
NEIGHBOURS = {
    "uk": "Учора ввечері ми довго сиділи на веранді й говорили про те, як швидко минуло це літо. Її немає.",
    "be": "Учора ўвечары мы доўга сядзелі на верандзе і гаварылі пра тое, як хутка прайшло гэтае лета.",
    "bg": "Снощи дълго седяхме на верандата и говорихме за това колко бързо мина това лято в града ни.",
    "sr": "Синоћ смо дуго седели на веранди и разговарали о томе како је брзо прошло ово лето у граду.",
    "kk": "Кеше кешке біз верандада ұзақ отырып, биылғы жаздың қалай тез өткені туралы әңгімелестік.",
}


def run(*texts: str | None, **parameters: object) -> list[dict[str, object]]:
    batch = pa.table({"text": pa.array(texts, pa.large_string())})
    result: list[dict[str, object]] = Identify(**parameters).open()(batch).to_pylist()  # type: ignore[arg-type]
    return result


def test_russian_is_kept_with_its_score() -> None:
    (row,) = run(RUSSIAN)
    assert row["lang"] == "ru"
    assert row["drop"] is None
    assert float(str(row["russian_score"])) > 0.9
    assert row["orthography"] == "modern"


@pytest.mark.parametrize("language", NEIGHBOURS)
def test_a_neighbour_is_dropped_as_not_russian(language: str) -> None:
    (row,) = run(NEIGHBOURS[language])
    assert row["lang"] == language
    assert row["drop"] == "not_russian"


def test_letters_overrule_the_model() -> None:
    """A page half in Russian, half in Ukrainian is not Russian, however sure the model is."""
    (row,) = run(RUSSIAN * 3 + NEIGHBOURS["uk"])
    assert row["drop"] == "not_russian"
    assert "foreign_letter_share" in str(row["drop_detail"])
    assert row["lang"] != "ru"


def test_old_spelling_is_russian_and_is_marked() -> None:
    old = "Онъ пошелъ въ лѣсъ и увидѣлъ тамъ бѣлаго волка, который ѣлъ хлѣбъ и не боялся людей."
    (row,) = run(old)
    assert (row["lang"], row["drop"], row["orthography"]) == ("ru", None, "prereform")


def test_code_in_latin_letters_does_not_outvote_russian_prose() -> None:
    code = "\nfor (int i = 0; i < values.length; i++) { total += values[i]; }"
    (row,) = run(RUSSIAN + code * 2)
    assert row["drop"] is None


def test_a_page_mostly_in_another_script_is_not_russian() -> None:
    (row,) = run("The quick brown fox jumps over the lazy dog near the river bank. " * 5 + "Привет, мир")
    assert (row["lang"], row["drop"]) == ("en", "not_russian")


@pytest.mark.parametrize("text", [None, "", " \n", "Привет", "12345 67890"])
def test_a_few_letters_tell_no_language(text: str | None) -> None:
    (row,) = run(text)
    assert row["drop"] == "too_short_for_language"


def test_keep_all_adds_the_columns_and_drops_nothing() -> None:
    rows = run(RUSSIAN, NEIGHBOURS["uk"], None, keep="all")
    assert [row["drop"] for row in rows] == [None, None, None]
    assert [row["lang"] for row in rows] == ["ru", "uk", None]


def test_rows_keep_their_order_and_other_columns() -> None:
    batch = pa.table({"text": [RUSSIAN, NEIGHBOURS["bg"]], "url": ["a", "b"], "lang": ["x", "y"]})
    result = Identify().open()(batch)
    assert result["url"].to_pylist() == ["a", "b"]
    assert result["text"].equals(batch["text"])
    assert result.column_names.count("lang") == 1


def test_the_added_columns_are_the_declared_ones() -> None:
    result = Identify().open()(pa.table({"text": [RUSSIAN]}))
    for field in Identify.adds:
        assert result.schema.field(field.name).type == field.type
    assert {"not_russian", "language_uncertain", "too_short_for_language"} <= set(Identify.reasons)


def test_a_verdict_does_not_depend_on_the_other_rows() -> None:
    texts = [RUSSIAN, *NEIGHBOURS.values(), None]
    alone = [run(text)[0] for text in texts]
    assert run(*texts) == alone


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"keep": "english"}, "russian"),
        ({"min_score": 1.5}, "min_score"),
        ({"min_letters": -1}, "min_letters"),
    ],
)
def test_a_wrong_parameter_is_one_line_that_says_what_to_do(
    parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as error:
        Identify(**parameters)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_the_model_is_the_published_one() -> None:
    digest = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert digest == "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"


def test_loading_and_predicting_is_quiet() -> None:
    program = (
        "import pyarrow as pa; from corpus.language import Identify; "
        "Identify().open()(pa.table({'text': ['Просто русский текст, чтобы модель что-нибудь сказала']}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
