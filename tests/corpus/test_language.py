"""Stage identify: model and letters distinguish Russian from its neighbours, in documents and their lines."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.langid import fasttext_model
from corpus.language import MODEL, Identify
from rust_ext import LanguageModel

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


def test_the_bundled_fasttext_model_is_the_published_one() -> None:
    digest = hashlib.sha256(fasttext_model.BUNDLED["lid.176"].read_bytes()).hexdigest()
    assert digest == "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"


def test_loading_and_predicting_is_quiet() -> None:
    program = (
        "import pyarrow as pa; from corpus.language import Identify; "
        "Identify().open()(pa.table({'text': ['Просто русский текст, чтобы модель что-нибудь сказала']}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


GOLDEN = [json.loads(line) for line in (Path(__file__).parent / "language.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", GOLDEN, ids=[case["name"] for case in GOLDEN])
def test_golden(case: dict[str, str]) -> None:
    (row,) = run(case["text"], keep="all")
    assert row["lang"] == case["lang"]
    assert row["orthography"] == case.get("orthography", "modern")
    (capitals,) = run(case["text"].upper(), keep="all")
    assert (capitals["lang"], capitals["lang_score"]) == (row["lang"], row["lang_score"])


UKRAINIAN = (
    "Учора ввечері ми довго сиділи на веранді й говорили про те, як швидко минуло це літо. Її немає вже."
)
LICENCE = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and "
    "associated documentation files, to deal in the software without restriction, including the rights."
)


def test_shares_are_by_line_and_add_up() -> None:
    text = "\n".join([RUSSIAN, RUSSIAN, RUSSIAN, LICENCE])
    (row,) = run(text)
    shares = {share["lang"]: share["share"] for share in row["shares"]}  # type: ignore[attr-defined]
    assert set(shares) == {"ru", "en"}
    assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
    assert row["russian_share"] == pytest.approx(shares["ru"])
    assert 0.5 < shares["ru"] < 0.6


def test_the_language_after_the_first_is_named() -> None:
    (row,) = run("Господине, дали можете да ми помогнете?", keep="all")
    assert row["lang_second"] not in (None, row["lang"])


def test_a_foreign_half_is_cut_out_above_the_stated_length() -> None:
    text = f"{RUSSIAN}\n{RUSSIAN}\n\n{UKRAINIAN}\n{UKRAINIAN}\n\n{RUSSIAN}"
    (whole,) = run(text)
    assert whole["drop"] == "not_russian"
    (row,) = run(text, trim=100)
    assert row["text"] == f"{RUSSIAN}\n{RUSSIAN}\n\n{RUSSIAN}"
    assert (row["lang"], row["drop"], row["russian_share"]) == ("ru", None, 1.0)
    assert row["trimmed_letters"] == 2 * sum(c.isalpha() for c in UKRAINIAN)
    (short,) = run(text, trim=1000)
    assert (short["text"], short["trimmed_letters"]) == (text, 0)


def test_an_english_licence_after_a_russian_text_is_cut_out() -> None:
    (row,) = run(f"{RUSSIAN}\n{RUSSIAN}\n\n{LICENCE}\n{LICENCE}", trim=100)
    assert row["text"] == f"{RUSSIAN}\n{RUSSIAN}"
    assert row["drop"] is None


def test_a_text_of_which_too_little_would_be_left_is_judged_whole() -> None:
    for text in (UKRAINIAN, f"{UKRAINIAN}\nПривет!"):
        (row,) = run(text, trim=50)
        assert (row["text"], row["drop"], row["trimmed_letters"]) == (text, "not_russian", 0)


def test_a_passage_inside_a_long_line_is_cut_at_ends_of_sentences() -> None:
    text = " ".join([RUSSIAN] * 6 + [UKRAINIAN] * 6 + [RUSSIAN] * 6)
    (row,) = run(text, trim=200)
    assert "минуло" not in str(row["text"])[: len(RUSSIAN) * 5]
    assert str(row["text"]).count(UKRAINIAN) <= 1
    assert str(row["text"]).count(RUSSIAN) >= 10


def test_a_fasttext_model_is_used_where_it_is_named() -> None:
    rows = run(RUSSIAN, NEIGHBOURS["uk"], None, model="lid.176", keep="all")
    assert [row["lang"] for row in rows] == ["ru", "uk", None]
    assert run(RUSSIAN, model=str(fasttext_model.BUNDLED["lid.176"]), keep="all")[0] == rows[0]


@pytest.mark.parametrize(
    ("label", "tag"),
    [
        ("__label__ru", "ru"),
        ("__label__rus_Cyrl", "ru"),
        ("__label__srp_Cyrl", "sr"),
        ("__label__srp_Latn", "sr-Latn"),
        ("__label__eng_Latn", "en"),
        ("__label__zho_Hans", "zh"),
        ("__label__mhr_Cyrl", "mhr"),
    ],
)
def test_labels_of_fasttext_models_become_tags(label: str, tag: str) -> None:
    assert fasttext_model.tag(label) == tag


def test_a_file_that_is_no_fasttext_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.bin is not a file"):
        Identify(model=str(tmp_path / "nowhere.bin")).open()
    other = tmp_path / "other.bin"
    other.write_bytes(b"something else" * 100)
    with pytest.raises(ValueError, match=r"other\.bin is not a model that fastText reads") as error:
        Identify(model=str(other)).open()
    assert "\n" not in str(error.value)


def test_an_own_model_that_is_damaged_or_of_another_kind_is_refused() -> None:
    data = MODEL.read_bytes()
    with pytest.raises(ValueError, match="damaged"):
        LanguageModel(data[:-100])
    with pytest.raises(ValueError, match="another kind"):
        LanguageModel(fasttext_model.BUNDLED["lid.176"].read_bytes())


def test_a_line_of_megabytes_is_read() -> None:
    (row,) = run(RUSSIAN * 20_000)
    assert (row["lang"], row["drop"]) == ("ru", None)
    (row,) = run("я" * 3_000_000, keep="all")
    assert row["cyrillic_share"] == 1


def test_text_in_a_script_of_one_language_is_that_language() -> None:
    texts = [
        "Τι κάνεις σήμερα;",
        "שלום לכולם",
        "გამარჯობა",
        "こんにちは",
        "안녕하세요",
        "你好世界",
        "مرحبا بالعالم",
    ]
    languages = [row["lang"] for row in run(*texts, keep="all")]
    assert languages == ["el", "he", "ka", "ja", "ko", "zh", "und-Arab"]


def test_a_word_in_every_row_of_a_list_does_not_decide_its_language() -> None:
    goods = [
        "Утеплитель",
        "Швеллер",
        "Саморез",
        "Труба профильная",
        "Лист оцинкованный",
        "Шпатлёвка",
        "Анкер",
    ]
    rows = [f"{goods[n % 7]} {n}х{n % 9} | шт. | {n * 31 % 977},50 | в наличии" for n in range(300)]
    text = "Прайс-лист Псков\nНаименование | Ед. | Цена, руб. | Склад\n" + "\n".join(rows)
    (found,) = run(text)
    assert found["lang"] == "ru"
    assert found["drop"] is None


def test_names_and_loans_on_lines_of_their_own_add_no_languages_to_a_russian_page() -> None:
    (row,) = run(
        "\n".join([RUSSIAN, "Вакансии", "Шарлотта", "Рост: 173", "Телефон", "Москва", "Хобби", "Римма"])
    )
    assert row["shares"] == [{"lang": "ru", "share": 1.0}]
