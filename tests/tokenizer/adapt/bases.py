"""Small made-up bases in every form, written on the spot."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tokenizer.split import PATTERNS
from tokenizer.train import TrainParameters, train
from tokenizer.vocabulary import Vocabulary

ENGLISH = [
    "The quick brown fox jumps over the lazy dog, and the dog sleeps on. It's 2024, isn't it?",
    "def add(left, right):\n    return left + right  # the sum\n\n\nfor i in range(100):\n    print(i)\n",
    "Der schnelle braune Fuchs springt über den faulen Hund. Où est la bibliothèque? 我们去图书馆。",
    "안녕하세요 여러분, 반갑습니다. 我们在图书馆学习中文。 สวัสดีครับ ขอบคุณครับ",
] * 30
RUSSIAN = [
    "Мама мыла раму, а Павел читал букварь. Правительство рассмотрело законопроект о библиотеках.",
    "Правительственный законопроект был рассмотрен библиотекарями; читатели читали и перечитывали буквари.",
    "— Здравствуйте, товарищи читатели! — сказал библиотекарь (и закрыл «Букварь»). Рама вымыта в 2024 году.",
    "Переписать, перечитать, пересчитать: переписчики переписывают, читатели перечитывают, счетоводы.",
] * 30
#: Neither of the two: other English, code, Chinese.
OTHER = [
    "A completely different sentence, with numbers 12345 and marks -- (really)!\r\n\tTabs too.",
    "class Reader:\n    def __init__(self, path: str) -> None:\n        self.path = path\n",
    "图书馆里有很多书。 한국어 문장입니다. ภาษาไทย über straße café \u200b\x00 end  ",
]
SPECIALS = ("<|begin_of_text|>", "<|end_of_text|>", "<|pad|>")


def vocabulary(pattern: str = "llama3", size: int = 600) -> Vocabulary:
    """A base that knows English well and Russian badly."""
    parameters = TrainParameters(size, pattern=pattern, penalty=0, min_pair_count=1)
    return train(ENGLISH * 3 + RUSSIAN[:6], parameters).vocabulary().with_special_tokens(SPECIALS)


def hugging_face(folder: Path, pattern: str = "qwen2", *, normalizer: str = "") -> Path:
    """A folder as of a model: tokenizer.json, tokenizer_config.json with a chat template, a licence."""
    made = vocabulary(pattern)
    made.save(folder)
    for name in ("ranks.tiktoken", "tiktoken.json", "vocab.tsv"):
        (folder / name).unlink()
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["chat_template"] = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "LICENSE").write_text("terms of the base\n")
    if normalizer:
        change(folder, lambda data: data.update(normalizer={"type": normalizer}))
    return folder


def change(folder: Path, edit: Any) -> None:
    """Edit the tokenizer.json of a folder."""
    path = folder / "tokenizer.json"
    data = json.loads(path.read_text())
    edit(data)
    path.write_text(json.dumps(data))


def tiktoken(folder: Path, pattern: str = "llama3", *, shuffled: bool = False) -> Path:
    """A rank file with its pattern beside it. With `shuffled`, some ranks are out of merge order, as Llama
    3's are, so that some tokens are merge-dead."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = list(vocabulary(pattern).tokens)
    if shuffled:
        long = [place for place in range(320, 590) if len(tokens[place]) > 4]
        for place in long[::4]:
            tokens[place], tokens[place - 40] = tokens[place - 40], tokens[place]
    lines = [b"%s %d" % (base64.b64encode(token), rank) for rank, token in enumerate(tokens)]
    (folder / "ranks.tiktoken").write_bytes(b"\n".join(lines) + b"\n")
    special = {name: len(tokens) + place for place, name in enumerate(SPECIALS)}
    about = {"pattern": PATTERNS[pattern], "special_tokens": special}
    (folder / "tiktoken.json").write_text(json.dumps(about))
    return folder


def tekken(folder: Path) -> Path:
    """A tekken.json of version v3 with spare ranks behind those in use, as Mistral's file has them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = vocabulary("tekken").tokens
    tokens = [*sorted(made[:256]), *made[256:]]  # mistral-common wants the bytes in order
    vocab = [
        {"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
        for rank, token in enumerate(tokens)
    ]
    config = {
        "pattern": PATTERNS["tekken"],
        "num_vocab_tokens": len(tokens),
        "default_vocab_size": len(tokens) - 10 + 30,
        "default_num_special_tokens": 30,
        "version": "v3",
    }
    (folder / "tekken.json").write_text(json.dumps({"config": config, "vocab": vocab}))
    return folder


FORMS = {
    "hf": hugging_face,
    "hf-deepseek": lambda folder: hugging_face(folder, "deepseek3"),
    "hf-nfc": lambda folder: hugging_face(folder, "qwen35", normalizer="NFC"),
    "tiktoken": tiktoken,
    "tiktoken-cl100k": lambda folder: tiktoken(folder, "cl100k"),
    "tiktoken-shuffled": lambda folder: tiktoken(folder, shuffled=True),
    "tekken": tekken,
}
