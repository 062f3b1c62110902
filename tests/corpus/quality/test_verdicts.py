"""Stage filter: thresholds on signals."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.errors import ShardError
from corpus.quality.model import to_bytes
from corpus.quality.rules import Rule, parse, read_preset
from corpus.quality.verdicts import FINEWEB2_RU, PARAMETERS, PRESETS, Filter, preset_rules
from corpus.trees import TreeFile

PROSE = """Вечером они долго сидели у окна и молчали, потому что говорить было уже не о чем.
За окном шёл дождь, и по стеклу медленно сползали крупные капли, похожие на слёзы.
Наконец старик поднялся, взял со стола лампу и пошёл наверх, ни с кем не попрощавшись.
Дети ещё немного подождали, не вернётся ли он, а потом тоже разошлись по своим комнатам.
В доме стало тихо, только на кухне капала вода и где-то под полом возились мыши.
"""


def run(*texts: str | None, **parameters: object) -> list[dict[str, object]]:
    """Rows of the filter, by the thresholds of fineweb2-ru unless another preset is named."""
    batch = pa.table({"text": pa.array(texts, pa.large_string())})
    parameters = {"preset": "fineweb2-ru"} | parameters
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
    off = {name: 0 if least else float("inf") for name, (_, least) in PARAMETERS.items()}
    assert run(text, **off)[0]["drop"] is None


def test_the_preset_none_judges_nothing_and_c4_rules_can_be_asked_for() -> None:
    assert run("", "{", preset="none")[1]["drop"] is None
    assert run("{ код }", preset="none", max_curly_brackets=0)[0]["drop"] == "curly_brackets"
    assert run("Lorem ipsum", preset="none", max_lorem_ipsum=0)[0]["drop"] == "lorem_ipsum"


@pytest.mark.parametrize("preset", PRESETS)
def test_each_rule_of_a_preset_has_its_own_listed_reason(preset: str) -> None:
    reasons = [rule.reason for rule in preset_rules(preset)]
    assert len(set(reasons)) == len(reasons)
    assert set(reasons) <= set(Filter.reasons)


def test_fineweb2_thresholds_are_the_published_ones() -> None:
    """configs/rus_Cyrl.yml of huggingface/fineweb-2, by value."""
    preset = FINEWEB2_RU
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


def test_the_default_keeps_prose_dialogue_and_verse_and_names_a_register() -> None:
    talk = "\n".join(f"— {line.strip()}" for line in PROSE.splitlines())
    verse = (
        "Мороз и солнце; день чудесный!\nЕщё ты дремлешь, друг прелестный —\nПора, красавица, проснись:\n"
        "Открой сомкнуты негой взоры\nНавстречу северной Авроры,\nЗвездою севера явись!"
    )
    rows = run(PROSE, talk, verse, preset="ru-web")
    assert [row["drop"] for row in rows] == [None, None, None]
    assert (rows[0]["register"], rows[2]["register"]) == ("fiction", "verse")
    assert all(0 < float(str(row["register_probability"])) <= 1 for row in rows)


def test_verse_that_lost_its_line_ends_is_verse() -> None:
    verse = (
        "Мороз и солнце; день чудесный! Ещё ты дремлешь, друг прелестный — Пора, красавица, проснись: Открой "
        "сомкнуты негой взоры Навстречу северной Авроры, Звездою севера явись! Вечор, ты помнишь, вьюга "
        "злилась, На мутном небе мгла носилась; Луна, как бледное пятно, Сквозь тучи мрачные желтела, И ты "
        "печальная сидела — А нынче... погляди в окно:"
    )
    glued, prose = run(verse, PROSE, preset="ru-web")
    assert (glued["register"], glued["drop"], prose["register"]) == ("verse", None, "fiction")


def test_a_report_of_a_court_is_news_and_a_clause_of_a_code_is_law() -> None:
    report = (
        "Прокуратура Пермского края сообщила в среду, что дело о порядке выплат передано в суд. По словам "
        "представителя ведомства, ответственность несут руководители двух организаций. Губернатор заявил, "
        "что выплаты начнутся в марте. Об этом передаёт корреспондент агентства."
    )
    clause = (
        "1. Лицо, осуществляющее деятельность на основании настоящего Федерального закона, несёт "
        "ответственность в порядке, установленном законодательством Российской Федерации.\n"
        "2. Порядок и срок рассмотрения заявления определяются правилами, указанными в части 1 настоящей "
        "статьи, если иное не предусмотрено договором сторон."
    )
    rows = run(report, clause, preset="ru-web")
    assert [row["register"] for row in rows] == ["news", "law"]


def test_short_help_pages_stay_and_notices_of_cookies_go() -> None:
    help_page = (
        "Переименовать страницу\nОткройте меню и выберите «Переименовать». Введите новое имя страницы и "
        "нажмите «ОК». Страница останется в разделе, а ссылки на страницу обновятся. Чтобы вернуть прежнее "
        "имя страницы, переименуйте страницу ещё раз."
    )
    notice = (
        "Этот сайт использует cookie. Продолжая использовать сайт, вы даёте согласие на обработку файлов "
        "cookie и персональных данных в соответствии с политикой конфиденциальности. Настройки cookie можно "
        "изменить в браузере. Принять. Отклонить."
    )
    rows = run(help_page, notice, preset="ru-web")
    assert [row["drop"] for row in rows] == [None, "high_service_kinds"]
    assert float(str(rows[0]["topic_service"])) > 0.15


def test_the_default_drops_word_salad_and_says_in_words_why() -> None:
    words = sorted(PROSE.lower().replace(".", "").replace(",", "").split(), key=lambda word: word[::-1])
    (row,) = run(" ".join(words) * 3, preset="ru-web")
    assert row["drop"] is not None
    (row,) = run(" ".join(words), preset="none", max_junk=0)
    assert row["drop"] == "looks_like_junk"
    assert str(row["drop_detail"]).count("(") == 3
    assert str(row["drop_detail"]).startswith("junk_margin=")


def test_casinos_go_and_an_article_about_them_stays() -> None:
    spam = "Лучшее онлайн казино: бонус за регистрацию, фриспины без отыгрыша, рабочее зеркало казино. "
    news = (
        "Суд в Перми приговорил организатора подпольного казино к двум годам условно. По данным следствия, "
        "он снял помещение в центре города и поставил там двенадцать автоматов. Полиция закрыла клуб весной, "
        "когда жильцы дома пожаловались на шум. Прокурор сообщил, что приговор обжалован не будет."
    )
    rows = run(spam * 4, news, preset="ru-web")
    assert rows[0]["drop"] is not None
    assert rows[1]["drop"] is None


def test_words_with_other_meanings_alone_are_no_topic() -> None:
    volcano = (
        "Вулкан Толбачик стоит на востоке Камчатки. Вулкан состоит из двух вулканов, и каждый вулкан в этой "
        "паре живёт по-своему. Когда вулкан проснулся, над вулканом поднялся столб пепла, и вулкану дали имя."
    )
    spin = (
        "Электрон имеет спин, и спин этот равен половине. Спины соседних атомов складываются со спином ядра."
    )
    rows = run(volcano, spin, preset="ru-web")
    assert [row["topic_casino"] for row in rows] == [0, 0]
    assert [row["drop"] for row in rows] == [None, None]


def test_judging_anew_reads_columns_alone() -> None:
    batch = pa.table({"text": pa.array([PROSE, "Купить слона"], pa.large_string())})
    measured = Filter(preset="none").open()(batch)
    blank = measured.set_column(
        measured.column_names.index("text"), "text", pa.array(["", ""], pa.large_string())
    ).drop_columns(["drop", "drop_detail"])
    again = Filter(measure=False).open()(blank)
    fresh = Filter().open()(batch)
    assert again.column("drop").to_pylist() == fresh.column("drop").to_pylist() == [None, "too_few_words"]
    assert again.column("drop_detail") == fresh.column("drop_detail")
    with pytest.raises(ShardError, match=r"filter\.measure"):
        Filter(measure=False).open()(batch)


def test_a_rule_on_any_signal_replaces_the_presets(tmp_path: Path) -> None:
    assert run(PROSE, rules=("prose_ratio > 0.5",))[0]["drop"] == "high_prose_ratio"
    assert run(PROSE, rules=("words < 100",))[0]["drop"] == "too_few_words"
    path = tmp_path / "mine.rules"
    path.write_text("# mine\nwords < 100  # few\n\nprose_ratio > 0.5\n", "utf-8")
    assert read_preset(path) == (Rule("words", 100, least=True), Rule("prose_ratio", 0.5))
    (row,) = run(PROSE, preset=str(path))
    assert (row["drop"], row["drop_detail"]) == ("too_few_words", "words=75 < 100; prose_ratio=1 > 0.5")


def test_a_rule_is_read_as_it_is_written() -> None:
    for rule in preset_rules("ru-web"):
        assert parse(str(rule)) == rule


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("words", "SIGNAL > NUMBER"),
        ("wrods < 3", 'did you mean "words"'),
        ("words < few", '"few" is no number'),
        ("words < nan", "not a number"),
    ],
)
def test_a_rule_that_does_not_exist_says_what_to_do(rule: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        Filter(rules=(rule,))
    path = tmp_path / "wrong.rules"
    path.write_text(f"words < 10\n{rule}\n", "utf-8")
    with pytest.raises(ValueError, match=f"line 2.*{message}"):
        Filter(preset=str(path))


def test_odd_documents_are_judged() -> None:
    rows = run("🙂" * 500, "слово", "", None, "\t1\t2\t3\n" * 50, "слово " * 100_000, preset="ru-web")
    assert all(row["drop"] is not None for row in rows)


@pytest.mark.parametrize("preset", ["ru-web", "fineweb2-ru", "gopher"])
@pytest.mark.parametrize(
    "text",
    [
        "🙂",
        "🙂" * 500,
        "🙂 🙃 😉 " * 80,
        "👨‍👩‍👧‍👦🏳️‍🌈🇷🇺❤️ " * 60,
        "🔥🔥🔥\n" * 60,
    ],
)
def test_emoji_alone_have_no_words(text: str, preset: str) -> None:
    (row,) = run(text, preset=preset)
    assert (row["words"], row["drop"]) == (0, "too_few_words")
    assert str(row["drop_detail"]).startswith("words=0 < ")
    assert all(isfinite(value) for value in row.values() if isinstance(value, float))


@pytest.mark.parametrize("preset", ["ru-web", "fineweb2-ru", "gopher"])
@pytest.mark.parametrize(
    "text",
    [
        "\t1\t2\t3\n" * 50,
        "| 1 | 2,5 | 3 % |\n|---|---|---|\n" * 40,
        "| | | |\n|---|---|---|\n" * 40,
        "─┼─│═╬═\n" * 50,
        "\n".join(f"{n};{n * 7};{n * n};{n / 3:.2f}" for n in range(80)),
        "\n".join(f"{n % 28 + 1:02}.03.2024 | {n * 31} | {n * 17}" for n in range(60)),
    ],
    ids=["repeated", "markdown", "empty cells", "drawn", "csv", "dates"],
)
def test_a_table_without_text_goes_with_a_reason(text: str, preset: str) -> None:
    (row,) = run(text, preset=preset)
    assert row["drop"] in Filter.reasons
    assert any(name in str(row["drop_detail"]) for name in ("words=0 < ", "alpha_word_ratio=0 < "))


def test_a_table_with_text_in_it_is_not_dropped_for_its_numbers() -> None:
    rows = (
        "Река | Длина, км | Куда впадает\nЛена | 4294 | море Лаптевых\nОбь | 3650 | Карское море\n"
        "Волга | 3530 | Каспийское море\nАмур | 2824 | Охотское море\nУрал | 2428 | Каспийское море\n"
    )
    (row,) = run(PROSE + rows, preset="ru-web")
    assert row["drop"] is None
    assert "alpha_word_ratio" not in str(run(rows, preset="ru-web")[0]["drop_detail"])


def test_a_model_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.model"
    path.write_bytes(to_bytes(TreeFile({}, {}), ["another signal"]))
    with pytest.raises(ValueError, match=r"other features: fit it again with `bukvar filter fit`"):
        run(PROSE, model=str(path))
    path.write_bytes(b"words")
    with pytest.raises(ValueError, match="cut short"):
        run(PROSE, model=str(path))
