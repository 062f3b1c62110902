"""Words cut into morphemes."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.oracles.morphemes import letter_codes
from tokenizer import morphemes, train
from tokenizer.morphemes import RussianSegmenter, own_segmenter, read_lemmas, russian


def cut(word: str) -> str:
    ends = [0, *russian()(word), len(word)]
    return "|".join(word[a:b] for a, b in pairwise(ends))


def test_the_lemmas_cut_by_hand_are_whole() -> None:
    """Morphs make up the lemma, types are known, no lemma occurs twice: `read_lemmas` refuses others."""
    lemmas = read_lemmas()
    assert len(lemmas) >= 2000
    for lemma in lemmas:
        kinds = [kind for _, kind in lemma.morphs]
        assert "ROOT" in kinds, lemma.text
        assert letter_codes(lemma.text) is not None, lemma.text


@pytest.mark.parametrize("line", ["дом\tдом:ROOT|а:END", "дом\tдом:STEM", "дом\t", "дом\tдом:ROOT|:END"])
def test_a_line_that_does_not_make_up_its_lemma_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "lemmas.tsv"
    path.write_text(f"# cut by hand\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="tsv:2"):
        read_lemmas(path)


def test_a_lemma_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lemmas.tsv"
    path.write_text("дом\tдом:ROOT\nдом\tдом:ROOT\n", encoding="utf-8")
    with pytest.raises(ValueError, match=":2"):
        read_lemmas(path)


@pytest.mark.parametrize(
    "word", ["перепечатывать|пере", "настройщица|а", "заговорился|ся", "бесчеловечность|ость"]
)
def test_words_that_no_one_cut_are_cut_at_their_affixes(word: str) -> None:
    text, affix = word.split("|")
    assert affix in cut(text).split("|"), cut(text)


@pytest.mark.parametrize("word", ["не", "на", "для", "чтобы", "было", "она", "нами", "этого"])
def test_function_words_stay_whole(word: str) -> None:
    assert russian()(word) == ()


@pytest.mark.parametrize(
    "word", ["", "я", "house", "сайтom", "перепись2", "по-русски", "Дома", "ѣздить", "ка" * 40]
)
def test_what_is_no_russian_word_in_small_letters_stays_whole(word: str) -> None:
    assert russian()(word) == ()


def test_the_words_of_a_counts_file_are_cut_into_a_boundaries_file(tmp_path: Path) -> None:
    counts, out = tmp_path / "counts", tmp_path / "boundaries.tsv"
    texts = [
        "Перепечатывать не на дом, перепечатывать house",
        " переписывание" * 3,
        "бесчеловечно-бесчеловечность",
    ]
    train.count_shard(texts, "llama3", counts)
    words, cut_words = morphemes.segment_counts(counts, out)
    wanted = train.words(train.read_counts(counts))
    assert words == len(wanted)
    cuts = {word: russian()(word) for word in wanted}
    assert out.read_text(encoding="utf-8") == train.boundary_lines({w: c for w, c in cuts.items() if c})
    assert cut_words == sum(map(bool, cuts.values())) >= 3
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_boundaries_change_the_merges(tmp_path: Path) -> None:
    """The file is of the form that training takes."""
    counts, out = tmp_path / "counts", tmp_path / "boundaries.tsv"
    train.count_shard([" выбегать выходить выделять выбирать выносить вылезать" * 9], "llama3", counts)
    morphemes.segment_counts(counts, out)
    parameters = train.TrainParameters(290, release=1.0)
    assert train.learn(counts, parameters, out).merges != train.learn(counts, parameters).merges


def test_a_counts_file_that_is_missing_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="none"):
        morphemes.segment_counts(tmp_path / "none", tmp_path / "out")


def test_a_persons_own_file_comes_before_the_segmenter(tmp_path: Path) -> None:
    path = tmp_path / "own.tsv"
    path.write_text("# mine\nБотяра\tБот|яр|а\nботяра\tботяр|а\n", encoding="utf-8")
    own = own_segmenter(path, russian())
    assert own("ботяра") == (3, 5)
    assert own("переписывание") == russian()("переписывание") != ()
    assert own_segmenter(path)("переписывание") == ()


@pytest.mark.parametrize("line", ["дом", "дом\tдо", "дом\tдо||м"])
def test_a_line_of_another_form_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "own.tsv"
    path.write_text(f"вода\tвод|а\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="tsv:2"):
        own_segmenter(path)


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(morphemes.MODEL.read_bytes()[:-1])
    with pytest.raises(ValueError, match="model of morphemes"):
        RussianSegmenter(path)
