"""The adapted checkpoint opens in transformers, scores old ids as before, and generates.

Needs torch and transformers, which the project does not ask for: `pip install torch transformers`, then
`pytest -m slow tests/tokenizer/adapt`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.tokenizer.adapt import checkpoints as made
from tokenizer.adapt.idmap import IdMap
from tokenizer.adapt.weights import Options, adapt_weights

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("kind", made.KINDS, ids=lambda kind: kind.model_type)
@pytest.mark.parametrize("dtype", ["F32", "BF16"])
@pytest.mark.parametrize("replaced", [False, True])
def test_opens_scores_and_generates(tmp_path: Path, kind: made.Kind, dtype: str, replaced: bool) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    id_map = made.replaced() if replaced else made.extended()
    model = made.write_model(tmp_path / "model", kind, dtype=dtype, shards=3)
    adapt_weights(model, id_map, tmp_path / "out", Options(pad_to=64))
    before = transformers.AutoModelForCausalLM.from_pretrained(model, dtype="auto")
    after, about = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path / "out", dtype="auto", output_loading_info=True
    )
    assert not any(about[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert after.config.vocab_size == after.get_input_embeddings().weight.shape[0] == 320
    assert after.dtype == {"F32": torch.float32, "BF16": torch.bfloat16}[dtype]
    _scores_are_equal(torch, before, after, id_map)
    start = torch.tensor([[260, 270 if not replaced else 100]])
    made_ids = after.generate(start, max_new_tokens=8, do_sample=False, pad_token_id=262)
    assert made_ids.shape[1] > 2


def _scores_are_equal(torch: object, before: object, after: object, id_map: IdMap) -> None:
    """On text of kept tokens, the logits of kept tokens are those of the base, to the last bit."""
    new_ids, old_ids = id_map.kept()
    old = np.random.default_rng(3).choice(old_ids, (2, 12))
    place = dict(zip(old_ids.tolist(), new_ids.tolist(), strict=True))
    new = np.vectorize(place.get)(old)
    with torch.no_grad():  # type: ignore[attr-defined]
        ours = after(torch.from_numpy(new)).logits  # type: ignore[attr-defined, operator]
        theirs = before(torch.from_numpy(old)).logits  # type: ignore[attr-defined, operator]
    assert torch.allclose(ours[..., new_ids], theirs[..., old_ids], rtol=1e-5, atol=1e-6)  # type: ignore[attr-defined]


@pytest.mark.parametrize("untie", [False, True])
def test_a_tied_model_stays_tied_unless_untied(tmp_path: Path, untie: bool) -> None:
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = made.write_model(tmp_path / "model", made.QWEN, dtype="F32")
    adapt_weights(model, made.extended(), tmp_path / "out", Options(untie=untie, method="weighted"))
    opened = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    tied = opened.get_input_embeddings().weight is opened.get_output_embeddings().weight
    assert tied is not untie
