"""`bukvar adapt-weights`, and `bukvar adapt --weights`: from two folders to one that transformers opens."""

import json
from pathlib import Path

import pytest

from tests.pipelines.stages import Say
from tests.tokenizer.adapt import checkpoints as made
from tests.tokenizer.adapt.bases import ENGLISH, RUSSIAN, hugging_face
from tokenizer.adapt.idmap import IdMap
from tokenizer.adapt.load import load
from tokenizer.adapt.weights_files import open_checkpoint


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    made.write_model(tmp_path / "model")
    (tmp_path / "adapted").mkdir()
    made.extended().write(tmp_path / "adapted/id_map.parquet")
    (tmp_path / "adapted/tokenizer.json").write_text("{}")
    return tmp_path


def test_a_checkpoint_is_written_and_proved(say: Say, folders: Path) -> None:
    command = ("adapt-weights", folders / "model", "--map", folders / "adapted", "--out", folders / "out")
    code, out, err = say(*command)
    assert code == 0, err
    assert "270 rows become 384: 262 kept" in out
    assert out.count("\nok  ") == 8
    assert (folders / "out/tokenizer.json").read_text() == "{}"
    code, out, _ = say(*command, "--json")
    found = json.loads(out)
    assert found["ok"]
    assert found["report"]["written"] == 0
    assert {proof["ok"] for proof in found["proofs"]} == {True}


def test_options_reach_the_checkpoint(say: Say, folders: Path) -> None:
    command = ("adapt-weights", folders / "model", "--map", folders / "adapted/id_map.parquet")
    code, out, err = say(
        *command,
        "--out",
        folders / "out",
        "--method",
        "mean",
        "--pad-to",
        1,
        "--padding",
        "zero",
        "--no-check",
    )
    assert code == 0, err
    assert "ok  " not in out
    assert open_checkpoint(folders / "out").tensors["lm_head.weight"].rows == 303
    assert not (folders / "out/tokenizer.json").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--method", "magic"), "no method 'magic'; choose from mean"),
        (("--matrix", "lm_head.weight"), "write NAME=input"),
        (("--matrix", "x=output"), "the checkpoint has no such tensor"),
        (("--pad-to", 0), "--pad-to must be at least 1"),
        (("--hidden", "missing.npy"), "is no .npy file"),
        (("--untie",), "--untie is for a model"),
    ],
)
def test_a_wrong_request_is_one_line(say: Say, folders: Path, more: tuple, message: str) -> None:
    code, out, err = say(
        "adapt-weights", folders / "model", "--map", folders / "adapted", "--out", folders / "out", *more
    )
    assert (code, out) == (2, "")
    assert err.startswith("bukvar: ")
    assert message in err
    assert err.count("\n") == 1
    assert not (folders / "out").exists()


def test_missing_shards_are_one_line(say: Say, folders: Path) -> None:
    (folders / "model/model-00001-of-00002.safetensors").unlink()
    code, _, err = say(
        "adapt-weights", folders / "model", "--map", folders / "adapted", "--out", folders / "out"
    )
    assert code == 2
    assert "1 of 2 shards are missing: model-00001-of-00002.safetensors" in err


def test_adapt_takes_a_model_along(say: Say, tmp_path: Path) -> None:
    """The whole way: texts and a base in, tokenizer and checkpoint out, with one command."""
    base = hugging_face(tmp_path / "base")
    rows = load(base).rows
    model = made.write_model(tmp_path / "model", rows=rows)
    for name in ("config.json", "generation_config.json"):
        data = json.loads((model / name).read_text())
        data |= {"bos_token_id": 0, "eos_token_id": 1}
        (model / name).write_text(json.dumps(data))
    (model / "tokenizer.json").write_bytes((base / "tokenizer.json").read_bytes())
    (tmp_path / "ru.txt").write_text("\n".join(RUSSIAN), encoding="utf-8")
    (tmp_path / "en.txt").write_text("\n".join(ENGLISH), encoding="utf-8")
    out = tmp_path / "out"
    code, said, err = say(
        "adapt", base, tmp_path / "ru.txt", "--add", 50, "--check", tmp_path / "en.txt", "--weights", model,
        "--out", out, "--executor", "inline", "--quiet",
    )  # fmt: skip
    assert code == 0, err
    assert "tokens of the model's tokenizer.json are the id map's base" in said
    assert "ok   kept rows byte-equal" in said
    new = open_checkpoint(out / "model")
    assert new.config["vocab_size"] % 128 == 0
    assert new.tensors["lm_head.weight"].rows >= rows + 50
    assert (out / "model/tokenizer.json").read_bytes() == (out / "tokenizer.json").read_bytes()
    id_map = IdMap.read(out / "model/id_map.parquet")
    assert len(id_map.new()[0]) == 50
    uses = id_map.table.column("uses").to_pylist()
    assert any(uses)
