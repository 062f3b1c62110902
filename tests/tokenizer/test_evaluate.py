"""Figures of tokenizers, counted by hand on texts small enough for it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import tokenizers

from tests.tokenizer.samples import TEXT, out_of_order, small_vocabulary
from tokenizer import plots
from tokenizer.baselines import Baseline, from_vocabulary, open_baseline
from tokenizer.encode import Ids, Offsets
from tokenizer.evaluate import (
    Evaluation,
    boundary_figures,
    consistency_figures,
    evaluate,
    lost_scalars,
    renyi_efficiency,
    word_counts,
)
from tokenizer.inflection import inflected_forms
from tokenizer.vocabulary import Vocabulary

PIECES = [" под", "вод", "н", "ый", "ая", " вод", "а", "ы", " ", "-", "."]


def _toy() -> Baseline:
    """Takes the longest piece at each place."""

    def one(text: str) -> list[int]:
        ids, at = [], 0
        while at < len(text):
            best = max((piece for piece in PIECES if text.startswith(piece, at)), key=len)
            ids.append(PIECES.index(best))
            at += len(best)
        return ids

    def encode(texts: Sequence[str]) -> tuple[Ids, Offsets]:
        lists = [one(text) for text in texts]
        flat = np.array([index for ids in lists for index in ids], dtype=np.uint32)
        return flat, np.cumsum([0, *map(len, lists)])

    pieces = tuple(piece.encode() for piece in PIECES)
    return Baseline("toy", encode, lambda ids: "".join(PIECES[index] for index in ids), pieces)


def test_fertility_is_counted_over_words_and_whole_texts() -> None:
    evaluation = evaluate([_toy()], {"a": [" вода вода-вода.", " вода"], "b": [" подводный"]})
    (figures,) = evaluation.tokenizers
    first, second = figures.domains
    assert (first.words, first.tokens) == (3, 10)
    assert first.tokens_per_word == pytest.approx(10 / 3)
    assert first.chars_per_token == pytest.approx(21 / 10)
    assert first.bytes_per_token == pytest.approx(37 / 10)
    assert (first.one_token, first.two_tokens) == (0, pytest.approx(2 / 3))
    assert (second.words, second.tokens) == (1, 4)
    assert figures.tokens_per_word == pytest.approx((10 / 3 + 4) / 2)
    assert figures.unused == 3
    assert figures.seldom == 8


def test_boundaries_are_precision_and_recall_of_cuts_inside_lemmas() -> None:
    """под|вод|н|ый cuts at 3, 6, 7; вод|а cuts at 3."""
    figures = boundary_figures(_toy(), {"подводный": [3, 7], "вода": [3], "воды": []})
    assert (figures.lemmas, figures.tokens_per_lemma) == (3, pytest.approx(8 / 3))
    assert figures.precision == pytest.approx(3 / 5)
    assert figures.recall == 1
    assert figures.f1 == pytest.approx(0.75)


def test_a_cut_inside_a_character_is_wrong() -> None:
    baseline = from_vocabulary(small_vocabulary(), "small")
    figures = boundary_figures(baseline, {"щэ": [1]})
    assert figures.precision < 1


def test_forms_of_a_lemma_share_the_tokens_of_their_stem() -> None:
    forms = [("вода", 3, ["вода", "воды"]), ("подводный", 7, ["подводный", "подводная", "подвода"])]
    figures = consistency_figures(_toy(), forms)
    assert figures.pairs == 4
    assert figures.exact == pytest.approx(2 / 4)
    assert figures.shared == pytest.approx((1 + 1 + 6 / 7 + 6 / 7) / 4)
    assert (figures.split_pairs, figures.split_exact) == (4, figures.exact)


def test_a_form_of_one_token_has_no_stem_to_share() -> None:
    forms = [("вод", 3, ["вод", "вода", "воды"])]
    figures = consistency_figures(_toy(), forms)
    assert (figures.pairs, figures.exact) == (3, 1)
    assert (figures.split_pairs, figures.split_exact, figures.split_shared) == (1, 1, 1)


def test_forms_of_lemmas_are_found_in_texts() -> None:
    """Grouped by lemma and paradigm; no names, no words of other parts of speech, no lemma with two forms."""
    text = "книга книги книгу книгами Книге стол стола читал читала читают писал писали а и быстро Мамой"
    forms = inflected_forms(word_counts([text]))
    assert forms == [
        ("книга", 4, ("книга", "книгами", "книги", "книгу")),
        ("читать", 4, ("читал", "читала", "читают")),
    ]
    assert inflected_forms(word_counts([text]), most_lemmas=1) in ([forms[0]], [forms[1]])
    assert inflected_forms(word_counts([text]), most_words=2) == []


def test_renyi_efficiency_is_one_where_all_tokens_come_alike() -> None:
    assert renyi_efficiency(np.full(16, 5), 16) == pytest.approx(1)
    assert renyi_efficiency(np.array([9, 0, 0, 0]), 4) == pytest.approx(0)
    assert renyi_efficiency(np.array([8, 1, 1, 0]), 4) < renyi_efficiency(np.array([4, 3, 3, 0]), 4)
    assert math.isnan(renyi_efficiency(np.zeros(4, dtype=np.int64), 4))


def test_our_tokenizers_lose_no_scalar() -> None:
    assert lost_scalars(from_vocabulary(small_vocabulary(), "small")) == 0


def test_a_lossy_tokenizer_is_found_out(tmp_path: Path) -> None:
    model = tokenizers.models.WordLevel({"мама": 0, "<unk>": 1}, unk_token="<unk>")  # noqa: S106 - a token, no password
    lossy = tokenizers.Tokenizer(model)
    lossy.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    lossy.save(str(tmp_path / "tokenizer.json"))
    baseline = open_baseline(tmp_path)
    assert baseline.name == tmp_path.name
    assert lost_scalars(baseline, range(0x400, 0x480)) == 0x80


def test_baselines_open_by_folder_and_by_file(tmp_path: Path) -> None:
    vocabulary = small_vocabulary()
    vocabulary.save(tmp_path / "mine")
    expected, _ = from_vocabulary(vocabulary, "x").encode([TEXT])
    for path in ("mine", "mine/tokenizer.json", "mine/ranks.tiktoken"):
        baseline = open_baseline(tmp_path / path)
        assert baseline.name == "mine"
        assert baseline.encode([TEXT])[0].tolist() == expected.tolist()
        assert baseline.vocabulary_size == vocabulary.size
    with pytest.raises(ValueError, match="holds no tokenizer"):
        open_baseline(tmp_path)


def test_a_tokenizer_json_that_is_not_ours_runs_on_the_tokenizers_library(tmp_path: Path) -> None:
    small_vocabulary().save(tmp_path)
    path = tmp_path / "tokenizer.json"
    data = json.loads(path.read_text())
    data["normalizer"] = {"type": "Lowercase"}
    path.write_text(json.dumps(data))
    baseline = open_baseline(tmp_path)
    assert baseline.unreachable is None
    assert baseline.decode(baseline.encode(["МАМА"])[0].tolist()) == "мама"
    assert baseline.pieces[: len(small_vocabulary().tokens)] == small_vocabulary().tokens


def _like_llama(folder: Path) -> None:
    """As Llama 2's and Mistral's: a space is put before the text, spaces are marks, bytes stand in."""
    alphabet = [f"<0x{byte:02X}>" for byte in range(256)]
    library = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="<unk>", byte_fallback=True))  # noqa: S106 - a token, no password
    library.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.Prepend("\u2581"), tokenizers.normalizers.Replace(" ", "\u2581")]
    )
    library.decoder = tokenizers.decoders.Sequence(
        [
            tokenizers.decoders.Replace("\u2581", " "),
            tokenizers.decoders.ByteFallback(),
            tokenizers.decoders.Fuse(),
            tokenizers.decoders.Strip(" ", 1, 0),
        ]
    )
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=500, special_tokens=["<unk>", *alphabet], show_progress=False
    )
    library.train_from_iterator(TEXT.split(), trainer)
    library.save(str(folder / "tokenizer.json"))


def _like_yandexgpt(folder: Path) -> None:
    """A sentencepiece model in a Hugging Face folder."""
    sentencepiece = pytest.importorskip("sentencepiece")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT.splitlines()),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=420,
        model_type="bpe",
        byte_fallback=True,
        character_coverage=1.0,
        minloglevel=2,
    )
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "LlamaTokenizer"}')


@pytest.mark.parametrize("make", [_like_llama, _like_yandexgpt])
def test_hugging_face_folders_of_other_kinds_open_by_path(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path)
    baseline = open_baseline(tmp_path)
    assert baseline.word_prefix == ""
    ids, _ = baseline.encode(["мыла мыла"])
    first, second = baseline.encode(["мыла"])[0].tolist(), ids.tolist()
    assert second == first * 2
    assert b"".join(baseline.pieces[index] for index in second) == " мыла мыла".encode()
    assert baseline.decode(second) == "мыла мыла"
    figures = boundary_figures(baseline, {"мыла": [2, 3]})
    assert figures.tokens_per_lemma == len(first)


def test_tokens_out_of_reach_are_counted() -> None:
    assert (from_vocabulary(out_of_order(), "x").unreachable or 0) > 0
    assert from_vocabulary(small_vocabulary(), "x").unreachable == 0


def test_no_text_is_an_error_said_in_words() -> None:
    with pytest.raises(ValueError, match="no text"):
        evaluate([_toy()], {"a": []})


def _evaluation() -> Evaluation:
    baselines = [from_vocabulary(small_vocabulary(pattern), pattern) for pattern in ("llama3", "o200k")]
    return evaluate(baselines, {"page": [TEXT], "empty": [""]}, boundaries={"мама": [3]}, scalars=False)


def test_an_evaluation_is_a_table_json_and_pictures() -> None:
    evaluation = _evaluation()
    assert evaluation.table().splitlines()[0].startswith("| tokenizer | ids | t/w page | t/w empty |")
    assert len(evaluation.table().splitlines()) == 4
    data = json.loads(evaluation.to_json())
    assert [one["name"] for one in data["tokenizers"]] == ["llama3", "o200k"]
    assert data["tokenizers"][0]["domains"][1]["tokens_per_word"] is None
    drawn = plots.draw(evaluation)
    assert list(drawn) == ["fertility.svg", "boundaries.svg"]
    assert all(plot.startswith("<?xml") for plot in drawn.values())
    assert drawn == plots.draw(_evaluation())


#: Spells added tokens in and beside words, behind spaces, and a special token.
SPELLED = "Мама  мыла   раму<think>мылом   <think> и раму, рамой.\n    мыла<|pad|>"


def _added(content: str, **flags: bool) -> dict[str, object]:
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    return {"id": small_vocabulary().size, "content": content, **plain, **flags}


@pytest.mark.parametrize(
    "added",
    [
        _added("<think>"),
        _added("<think>", lstrip=True),
        _added("<think>", rstrip=True),
        _added("   "),
        _added("раму"),
        _added("раму", single_word=True),
    ],
)
def test_added_tokens_that_text_makes_are_made(tmp_path: Path, added: dict[str, object]) -> None:
    """Ids are those of the tokenizers library, but that a special token spelled in the text is text."""
    small_vocabulary().save(tmp_path)
    path = tmp_path / "tokenizer.json"
    data = json.loads(path.read_text())
    data["added_tokens"].append(added)
    path.write_text(json.dumps(data))
    baseline = open_baseline(tmp_path)
    library = tokenizers.Tokenizer.from_file(str(path))
    before, _, _ = SPELLED.partition("<|pad|>")
    ids, _ = baseline.encode([before])
    assert ids.tolist() == library.encode(before).ids
    assert added["id"] in ids
    assert baseline.pieces[small_vocabulary().size] == str(added["content"]).encode()
    assert small_vocabulary().special_tokens["<|pad|>"] not in baseline.encode([SPELLED])[0]
    with pytest.raises(ValueError, match="is not special"):
        Vocabulary.load(tmp_path)


@pytest.mark.parametrize("behavior", ["Isolated", "MergedWithPrevious"])
def test_truncation_and_padding_of_a_file_change_no_figure(tmp_path: Path, behavior: str) -> None:
    """On our encoder, and on the library, which cuts and pads unless it is asked not to."""
    figures = []
    set_to = {
        "plain": (None, None),
        "cut": ({"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0}, None),
        "padded": (
            None,
            {
                "strategy": {"Fixed": 100},
                "direction": "Right",
                "pad_to_multiple_of": None,
                "pad_id": 0,
                "pad_type_id": 0,
                "pad_token": "<|pad|>",
            },
        ),
    }
    for name, (truncation, padding) in set_to.items():
        small_vocabulary().save(tmp_path / name)
        path = tmp_path / name / "tokenizer.json"
        data = json.loads(path.read_text()) | {"truncation": truncation, "padding": padding}
        data["pre_tokenizer"]["pretokenizers"][0]["behavior"] = behavior
        path.write_text(json.dumps(data))
        (one,) = evaluate([open_baseline(path, "same")], {"a": [TEXT, "мир"]}).tokenizers
        figures.append(one.domains)
    assert figures[0] == figures[1] == figures[2]
    assert figures[0][0].tokens_per_word > 1
