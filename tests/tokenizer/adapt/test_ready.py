"""Ready additions: small files that fit one base and hold nothing of it."""

from pathlib import Path

import pytest

from tests.tokenizer.adapt.bases import FORMS, RUSSIAN, hugging_face, tiktoken
from tokenizer.adapt import ready
from tokenizer.adapt.learn import Adapted, Settings, learn
from tokenizer.adapt.load import load
from tokenizer.adapt.ready import Addition, adapted_with, addition_of, available, extended_by
from tokenizer.train import TrainParameters, count

ABOUT = {"sources": {"made up": {"licence": "CC0-1.0", "bytes": 1}}}


def learnt(folder: Path) -> Adapted:
    base = load(folder)
    how = Settings(TrainParameters(penalty=0, min_pair_count=1))
    return learn(base, [count(base.encoder.normalized(RUSSIAN), base.pattern)], set(), 40, how)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_gives_what_was_learnt(form: str, tmp_path: Path) -> None:
    adapted = learnt(FORMS[form](tmp_path / "base"))
    path = tmp_path / "ru-40@base.json.xz"
    addition_of(adapted, "ru-40", "base", ABOUT).write(path)
    read = Addition.read(path)
    assert read.about == ABOUT
    again = extended_by(adapted.base, read)
    assert again.new == adapted.new
    assert again.tokenizer == adapted.tokenizer
    few = extended_by(adapted.base, read, 10)
    assert few.new == adapted.new[:10]


def test_a_file_is_found_by_the_base_it_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "FOLDER", tmp_path)
    adapted = learnt(hugging_face(tmp_path / "base"))
    addition_of(adapted, "ru-40", "base", ABOUT).write(tmp_path / "ru-40@base.json.xz")
    assert available() == {"ru-40": ["base"]}
    assert adapted_with(adapted.base, "ru-40").new == adapted.new
    with pytest.raises(ValueError, match="there are no ready tokens 'ru-41'; there are: ru-40"):
        adapted_with(adapted.base, "ru-41")
    with pytest.raises(ValueError, match="ru-40 fit base, not this base"):
        adapted_with(load(tiktoken(tmp_path / "other", "cl100k")), "ru-40")


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ru@base.json.xz"
    path.write_bytes(b"\xfd7zXZ\x00 damaged")
    with pytest.raises(ValueError, match="is no file of ready tokens"):
        Addition.read(path)


def test_every_shipped_file_is_sound() -> None:
    for name, bases in available().items():
        for base in bases:
            addition = Addition.read(ready.FOLDER / f"{name}@{base}.json.xz")
            assert addition.name == name
            assert len(addition.digest) == 64
            assert len(addition.merges) >= 1000
            assert all(one["licence"] for one in addition.about["sources"].values())
