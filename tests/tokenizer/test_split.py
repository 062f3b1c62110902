"""Splitting text into pretokens."""

import pytest
from tokenizers import Regex, pre_tokenizers

from rust_ext import split_sequences
from tokenizer.split import PATTERNS, oniguruma_regex, pattern_name, pattern_regex, split

TEXTS = [
    "Привет, мир! It's 12345 слов — «и» ещё 'SWE'LL…\r\n\n  да  \t нет/ \u00a0х",
    "пРИвЕт McDonald's ПРИВЕТ'ſ й и\u0306 а\u0301б Ѡѡ ǅ ʰ ª ² Ⅷ 中文字 한국어\u2028\u0085",
    "def f(x):\n    return x//2  # комментарий\n\n\n/*x*/\n/",
    "",
    "   ",
    "\n",
    "日本語・カタカナ\u30a0ー123中45\u3040国 (hello)_foo -bar\x01\x02а\x03 1\u200b\u200bб",
    "конец строки \n  ",
]


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("text", TEXTS)
def test_a_named_pattern_splits_as_tokenizers_does(name: str, text: str) -> None:
    """The oracle is another regular-expression engine (Oniguruma)."""
    oracle = pre_tokenizers.Split(Regex(oniguruma_regex(name)), behavior="isolated")
    assert split(text, name) == [piece for piece, _ in oracle.pre_tokenize_str(text)]


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("text", TEXTS)
def test_a_pattern_by_hand_equals_its_expression_run_by_fancy_regex(name: str, text: str) -> None:
    """A group around the expression keeps it from being recognised."""
    assert split(text, name) == split(text, f"(?:{PATTERNS[name]})")


@pytest.mark.parametrize("text", TEXTS)
def test_splits_in_a_row_equal_their_one_expression(text: str) -> None:
    """DeepSeek's, run one after another by tokenizers."""
    for name, splits in split_sequences():
        steps = [pre_tokenizers.Split(Regex(regex), behavior="isolated") for regex in splits]
        oracle = pre_tokenizers.Sequence(steps)
        assert split(text, name) == [piece for piece, _ in oracle.pre_tokenize_str(text)]


def test_a_name_and_its_expression_stand_for_each_other() -> None:
    assert pattern_regex("llama3") == PATTERNS["llama3"]
    assert pattern_name(PATTERNS["o200k"]) == "o200k"
    assert pattern_name(oniguruma_regex("cl100k")) == "cl100k"
    assert pattern_name(r"\s+|\S+") == pattern_regex(r"\s+|\S+") == r"\s+|\S+"


def test_a_pattern_that_does_not_compile_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^the split pattern does not compile: [^\n]+$"):
        split("да", r"\p{L+")


def test_a_pattern_that_loses_text_is_refused() -> None:
    with pytest.raises(ValueError, match="loses text: nothing matches at byte 4"):
        split("да нет", r"\p{L}+")


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        split("a\ud800")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("lama3", "llama3"),
        ("LLaMA-3", "llama3"),
        ("o200k_base", "o200k"),
        ("cl100k_base", "cl100k"),
        ("gpt-2", "gpt2"),
        ("qwen", "qwen2"),
        ("deepseek-v3", "deepseek3"),
    ],
)
def test_a_misspelt_name_is_no_regular_expression(given: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean {meant}\\?"):
        pattern_regex(given)


def test_a_name_like_no_other_is_refused_too() -> None:
    with pytest.raises(ValueError, match="no split pattern 'xyz': There are llama3"):
        pattern_regex("xyz")


@pytest.mark.parametrize("pattern", [".", "a|.", r"\w+|\W", "[ab]+"])
def test_regular_expressions_stay_what_they_are(pattern: str) -> None:
    assert pattern_regex(pattern) == pattern
