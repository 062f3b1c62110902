"""The fast learner of additions equals its oracle, and what it adds can always be reached."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rust_ext import bpe_extend, derive_merges
from tests.oracles.extend import LEADS, extend, merged
from tokenizer.train import ALPHABET, TrainParameters, count, learn
from tokenizer.vocabulary import NO_MERGE

WORDS = st.text(st.sampled_from("абвгдешь еЁabAB-.1 "), min_size=1, max_size=12)
TEXTS = st.lists(WORDS, min_size=4, max_size=40)
PLAIN = TrainParameters(penalty=0, min_pair_count=1)


def base_of(texts: list[str], size: int) -> list[bytes]:
    """A vocabulary of some of the texts, as large as they allow."""
    counts = count(texts, "llama3")
    for tokens in range(256 + size, 256, -1):
        try:
            return list(learn(counts, TrainParameters(tokens, penalty=0, min_pair_count=1)).tokens)
        except ValueError:
            continue
    return list(ALPHABET)


def added(texts: list[str], tokens: list[bytes], most: int) -> list[bytes]:
    """As many as there are, up to `most`."""
    counts = count(texts, "llama3")
    for add in range(most, 0, -1):
        try:
            merges = bpe_extend([counts], tokens, add, PLAIN, bytes(LEADS), []).merges
        except ValueError:
            continue
        made = list(tokens)
        for left, right in merges:
            made.append(made[left] + made[right])
        return made[len(tokens) :]
    return []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=TEXTS, texts=TEXTS, size=st.integers(0, 12))
def test_added_tokens_are_those_of_the_oracle(first: list[str], texts: list[str], size: int) -> None:
    tokens = base_of(first, size)
    made = added(texts, tokens, 6)
    pieces = {}
    for text in texts:
        for piece, number in _pieces(text).items():
            pieces[piece] = pieces.get(piece, 0) + number
    assert made == extend(pieces, tokens, len(made))


def _pieces(text: str) -> dict[bytes, int]:
    from collections import Counter

    from tokenizer.split import split

    return dict(Counter(piece.encode() for piece in split(text)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=TEXTS, texts=TEXTS, shuffle=st.randoms())
def test_every_added_token_is_the_bpe_of_its_own_bytes(first: list[str], texts: list[str], shuffle) -> None:
    """Also where ranks of the base are out of merge order, so that some of its tokens are merge-dead."""
    tokens = base_of(first, 30)
    rest = tokens[256:]
    shuffle.shuffle(rest)
    tokens[256:] = rest
    made = added(texts, tokens, 8)
    derived = derive_merges([*tokens, *made])
    assert all(pair != NO_MERGE for pair in derived[len(tokens) - 256 :])
    ranks = {token: rank for rank, token in enumerate([*tokens, *made])}
    assert all(merged(token, ranks) == [token] for token in made)


@settings(max_examples=40, deadline=None)
@given(first=TEXTS, texts=TEXTS, plain=st.text(st.characters(codec="utf-8"), max_size=60))
def test_text_without_cyrillic_is_encoded_as_before(first: list[str], texts: list[str], plain: str) -> None:
    tokens = base_of(first, 12)
    made = added(texts, tokens, 6)
    before = {token: rank for rank, token in enumerate(tokens)}
    after = before | {token: len(tokens) + place for place, token in enumerate(made)}
    for piece in _pieces("".join(c for c in plain if not "\u0400" <= c <= "\u04ff")):
        assert merged(piece, before) == merged(piece, after)
