"""Counting and learning."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
import tokenizers

from rust_ext import MorphemeBoundaries
from tests.oracles import bpe
from tokenizer import texts, train
from tokenizer.encode import Tokenizer
from tokenizer.split import PATTERNS
from tokenizer.train import TrainParameters

#: Public domain: Pushkin, Ruslan and Ludmila; Tolstoy, Anna Karenina.
TEXTS = [
    "У лукоморья дуб зелёный; златая цепь на дубе том: и днём и ночью кот учёный всё ходит по цепи кругом;\n",
    "идёт направо — песнь заводит, налево — сказку говорит. Там чудеса: там леший бродит, русалка на ветвях",
    "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.\n\nВсё",
    "в доме Облонских. Жена узнала, что муж был в связи с бывшею в их доме француженкою, 1873 'год'",
]


def plain(size: int) -> TrainParameters:
    return TrainParameters(size, penalty=0.0)


def test_merges_equal_those_of_tokenizers() -> None:
    """The settings coincide: Llama 3's pattern, byte level, the whole alphabet, pairs seen twice."""
    peer = tokenizers.Tokenizer(tokenizers.models.BPE())
    peer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [
            tokenizers.pre_tokenizers.Split(tokenizers.Regex(PATTERNS["llama3"]), "isolated"),
            tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=343, min_frequency=2, initial_alphabet=alphabet, show_progress=False
    )
    peer.train_from_iterator(TEXTS, trainer)
    ours = train.train(TEXTS, plain(343))
    ids = peer.get_vocab()
    spelt = [tuple(pair) for pair in json.loads(peer.to_str())["model"]["merges"]]
    assert list(ours.merges) == [(ids[left], ids[right]) for left, right in spelt]


def test_all_bytes_are_tokens_whatever_the_corpus() -> None:
    assert set(train.ALPHABET) == {bytes([byte]) for byte in range(256)}
    assert train.train(["aaaa"], plain(257)).tokens[256] == b"aa"


def test_uses_are_what_encoding_the_corpus_counts() -> None:
    model = train.train(TEXTS, plain(330))
    ids = [index for text in TEXTS for index in bpe.encode(text, model.merges, "llama3")]
    assert model.uses == tuple(ids.count(index) for index in range(330))


def test_a_model_makes_a_vocabulary_that_encodes_like_the_oracle() -> None:
    vocabulary = train.train(
        TEXTS, TrainParameters(300, special_tokens=("<s>", "</s>"), penalty=0.0)
    ).vocabulary()
    assert (vocabulary.size, vocabulary.special_tokens["</s>"]) == (300, 299)
    for text in TEXTS:
        expected = bpe.encode(text, vocabulary.merges, "llama3")
        assert Tokenizer(vocabulary).encode(text) == expected


def test_arrow_arrays_count_like_strings(tmp_path: Path) -> None:
    """Slices, chunks, nulls, and every type that holds text."""
    expected = bpe.count(TEXTS, "llama3")
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        array = pa.array(["left out", None, *TEXTS, "left out"], kind)
        chunked = pa.chunked_array([array.slice(1, 3), array.slice(4, 2), array.slice(0, 0)])
        train.count_shard([chunked], "llama3", tmp_path / "counts")
        assert train.read_counts(tmp_path / "counts") == expected


def test_a_penalty_keeps_merges_off_a_boundary() -> None:
    """At a penalty of 1 that is never released, all that can be merged is each morpheme."""
    parameters = TrainParameters(262, min_pair_count=1, penalty=1.0, kappa=0.0, release=1.0)
    cut = train.train(["корка"], parameters, {"корка": [3]})
    ids = bpe.encode("корка", cut.merges, "llama3")
    assert [cut.tokens[index].decode() for index in ids] == ["кор", "ка"]


def test_a_crossing_pair_waits_until_the_release() -> None:
    """`ab` alone is in the text, and cut: nothing else can be merged, so the penalty ends at once."""
    parameters = TrainParameters(257, min_pair_count=1, penalty=1.0, kappa=0.0, release=1.0)
    assert train.train(["ab"], parameters, {"ab": [1]}).tokens[256] == b"ab"


def test_boundaries_come_as_a_file_a_mapping_or_a_function(tmp_path: Path) -> None:
    cuts = {"сказку": [4, 5], "дуб": []}
    path = tmp_path / "cuts.tsv"
    path.write_text("# own\nдуб\tдуб\nсказку\tсказ|к|у\n", encoding="utf-8")
    assert train.boundary_lines(cuts) == "дуб\tдуб\nсказку\tсказ|к|у\n"
    counts = tmp_path / "counts"
    train.count_shard(TEXTS, "llama3", counts)
    parameters = TrainParameters(400, min_pair_count=1)
    by_file = train.learn(counts, parameters, path)
    assert by_file == train.learn(counts, parameters, cuts)
    assert by_file == train.learn(counts, parameters, lambda word: cuts.get(word, []))


def test_boundaries_are_found_behind_prefixes_and_capitals() -> None:
    cuts = MorphemeBoundaries(
        "сказка\tсказ|к|а\nтысячадевятьсотшестой\tтысяча|девятьсот|шестой\ncan't\tcan|'t\n"
    )
    assert cuts.starts(" Сказка".encode()) == [9, 11]
    assert cuts.starts("«СКАЗКА".encode()) == [10, 12]
    assert cuts.starts(" тысячадевятьсотшестой".encode()) == [13, 31]
    assert cuts.starts(b"x") == cuts.starts(b"") == cuts.starts("нет".encode()) == []


def test_boundaries_that_do_not_make_up_the_word_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^boundaries, line 2: not `word<TAB>morph"):
        MorphemeBoundaries("дуб\tдуб\nдуба\tдуб|ы\n")


def test_rare_pretokens_are_dropped_by_the_stated_rule(tmp_path: Path) -> None:
    """Four types; at most three may stay; those seen once share a fate."""
    train.count_shard(["a b b c c c d"], r"\s|\S", tmp_path / "counts")
    about = train.merge_counts([tmp_path / "counts"], tmp_path / "kept", max_types=4)
    assert train.read_counts(tmp_path / "kept") == {b" ": 6, b"b": 2, b"c": 3}
    assert (about["types"], about["dropped_types"], about["dropped_pretokens"]) == (3, 2, 2)
    train.merge_counts([tmp_path / "counts"], tmp_path / "kept", min_count=3)
    assert train.read_counts(tmp_path / "kept") == {b" ": 6, b"c": 3}


def test_weights_multiply_the_counts_of_a_file(tmp_path: Path) -> None:
    for name, text in (("ru", "да да"), ("en", "yes no")):
        train.count_shard([text], r"\s|\S+", tmp_path / name)
    train.merge_counts([tmp_path / "ru", tmp_path / "en"], tmp_path / "all", weights=[0.5, 3])
    assert train.read_counts(tmp_path / "all") == {b" ": 4, "да".encode(): 1, b"yes": 3, b"no": 3}
    with pytest.raises(ValueError, match="weights must be as many"):
        train.merge_counts([tmp_path / "ru", tmp_path / "en"], tmp_path / "all", weights=[1])


def test_pruning_takes_the_leaves_a_corpus_does_not_use() -> None:
    """Learnt on English and Russian, continued on Russian: English leaves go, what is left encodes itself."""
    first = train.train(["the thesis " * 9, *TEXTS], plain(310))
    counts = train.count(TEXTS)
    continued = train.learn(counts, plain(320), merges=first.merges)
    merges = train.prune(continued, 1)
    assert merges
    assert len(merges) < len(continued.merges)
    again = train.learn(counts, plain(256 + len(merges)), merges=merges)
    assert b" thesis" in continued.tokens
    assert not any(b"th" in token for token in again.tokens)
    assert train.prune(again, 1) == merges
    for index, token in enumerate(again.tokens[256:], start=256):
        if not (token[0] & 0xC0 == 0x80 or token.decode(errors="ignore").encode() != token):
            assert bpe.encode(token.decode(), merges, "llama3") == [index]


def test_plain_training_leaves_nothing_to_prune() -> None:
    model = train.train(TEXTS, plain(330))
    assert train.prune(model, 2) == list(model.merges)


def test_a_text_file_read_in_blocks_counts_as_one_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of a few bytes are cut everywhere they can be."""
    text = "".join(TEXTS) * 3 + "  \n  конец.  "
    (tmp_path / "text").write_text(text, encoding="utf-8")
    monkeypatch.setattr(texts, "BLOCK", 40)
    for pattern in ("llama3", "o200k", "gpt2"):
        blocks = list(train.read_text(tmp_path / "text", pattern))
        assert (len(blocks) > 20) == (pattern != "gpt2")
        train.count_shard(blocks, pattern, tmp_path / "counts")
        assert train.read_counts(tmp_path / "counts") == bpe.count([text], pattern)


def test_progress_is_reported_and_may_stop_learning() -> None:
    texts = [" ".join(map(chr, range(0x4E00, 0x5200))) * 4]
    calls: list[tuple[str, int, int]] = []
    size = len(texts[0].encode())
    train.train(texts, plain(600), total=size, progress=lambda *call: calls.append(call))
    assert calls[0] == ("count", size, size)
    assert calls[-1] == ("learn", 344, 344)

    def stop(stage: str, *_: int) -> None:
        if stage == "learn":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.train(texts, plain(600), progress=stop)


def test_a_signal_interrupts_learning_without_a_callback() -> None:
    """120,000 random words: more than the tenth of a second after which signals are looked at."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    draw = random.Random(0)
    counts = train.count([" ".join("".join(draw.choices("абвгдежзик", k=12)) for _ in range(120_000))])

    def learn_with_an_alarm() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        train.learn(counts, plain(20_000))

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            learn_with_an_alarm()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_ctrl_c_interrupts_the_counting_of_one_long_document() -> None:
    """120 MB through a slow pattern, on two threads: half a minute to the end of the document. It takes less
    than half of the processor time that the whole document would, by that of a twentieth of it."""
    program = """if True:
        import signal, time
        from tokenizer import train

        signal.signal(signal.SIGINT, signal.default_int_handler)
        text = b"a " * 60_000_000

        def count(text):
            train.count([text, b"a"], r"(?:(?=(?=.)\\S)(?!z{3})\\S)|\\s", threads=2)

        began = time.process_time()
        count(text[: len(text) // 20])
        of_a_part = time.process_time() - began
        began = time.process_time()
        print("counting", flush=True)
        try:
            count(text)
        except KeyboardInterrupt:
            print("interrupted", time.process_time() - began < 10 * of_a_part)
    """
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "counting\n"
            time.sleep(0.3)
            child.send_signal(signal.SIGINT)
            assert child.communicate(timeout=240)[0] == "interrupted True\n"
        finally:
            child.kill()


def test_arrow_arrays_are_counted_in_bounded_batches() -> None:
    calls: list[int] = []
    text = "слово " * (texts.BATCH // 40)
    array = pa.array([text] * 10, pa.large_string())
    train.count([array], progress=lambda *call: calls.append(call[1]))
    sizes = [int(ends[-1] - ends[0]) for _, ends in texts.buffers([array])]
    assert len(sizes) == 4
    assert max(sizes) <= texts.BATCH
    assert sum(sizes) == calls[-1] == 10 * len(text.encode())


@pytest.mark.parametrize("texts", [[], [""], [pa.array([], pa.string())]])
def test_an_empty_corpus_is_refused(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="the corpus is empty"):
        train.train(texts, plain(300))


def test_a_corpus_too_small_says_how_many_merges_were_possible() -> None:
    with pytest.raises(ValueError, match=r"1 merges were possible, 44 are needed; .* at most 257"):
        train.train(["ab ab"], plain(300))


def test_bytes_that_are_no_utf8_are_refused() -> None:
    with pytest.raises(ValueError, match="not UTF-8 from its byte 2 on"):
        train.count([b"ok", b"ab\xff"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vocab_size": 255}, "vocab_size 255 is too small"),
        ({"vocab_size": 256, "special_tokens": ("<s>",)}, "1 special tokens are always"),
        ({"pattern": "("}, "does not compile"),
        ({"penalty": -1.0}, "penalty must not be negative"),
        ({"special_tokens": ("<a>", "<a>")}, "must differ"),
        ({"special_tokens": ("pad=<a>", "pad=<b>")}, "can't both be pad"),
        ({"special_tokens": ("a",)}, "is an ordinary token already"),
        ({"pattern": "lama3"}, "did you mean llama3"),
        ({"gamma": 0.0}, "gamma must lie"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainParameters(**settings)  # type: ignore[arg-type]


def test_counts_of_another_pattern_are_refused(tmp_path: Path) -> None:
    train.count_shard(TEXTS, "o200k", tmp_path / "a")
    train.count_shard(TEXTS, "llama3", tmp_path / "b")
    with pytest.raises(ValueError, match="counted with the pattern o200k"):
        train.learn(tmp_path / "a", plain(300))
    with pytest.raises(ValueError, match="another split pattern"):
        train.merge_counts([tmp_path / "a", tmp_path / "b"], tmp_path / "c")


def test_a_damaged_counts_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "counts"
    train.count_shard(TEXTS, "llama3", path)
    whole = path.read_bytes()
    for damaged in (whole[:40], whole[:-9], b"x" + whole[1:], whole[:600] + b"\x7f" * 64 + whole[664:]):
        path.write_bytes(damaged)
        with pytest.raises(OSError, match=r"counts: (is|no)"):
            train.learn(path, plain(260))


def test_encoded_data_is_left_out_and_reported() -> None:
    model = train.train(["слово " * 50 + "x" * 300], plain(262))
    assert model.left_out == 1
    assert b"xx" not in model.tokens
