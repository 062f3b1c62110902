"""A checkpoint of 8 billion parameters in new ids: seconds and peak memory of writing and of proving.

    python -m tests.bench.bench_adapt_weights --work DIR [--layers 32] [--real] [--keep]

Makes a Llama 3.1 8B in bfloat16 (its shapes, four shards; the two matrices hold random numbers) and an id
map with 32,000 new tokens of two to five pieces, then runs adapt_weights and verify, each in a process of its
own. Layers are holes of a sparse file unless --real: reading a hole costs no disk, writing it does, so the
output is 17 GB either way. With the package safetensors there, its reading of the embedding is measured
beside ours.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from tokenizer.adapt.idmap import IdMap, Row
from tokenizer.adapt.weights import Options, adapt_weights
from tokenizer.adapt.weights_files import from_floats, header_bytes, open_checkpoint, row_blocks
from tokenizer.adapt.weights_matrix import RowReader
from tokenizer.adapt.weights_verify import verify

ROWS, WIDTH, INNER, ADDED = 128_256, 4_096, 14_336, 32_000
#: Ordinary tokens of Llama 3; special ones follow.
ORDINARY = 128_000
SHARDS = 4


def shapes(layers: int) -> dict[str, tuple[int, ...]]:
    out: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (ROWS, WIDTH)}
    for layer in range(layers):
        at = f"model.layers.{layer}"
        out |= {
            f"{at}.self_attn.{part}_proj.weight": (WIDTH if part in "qo" else 1024, WIDTH) for part in "qkvo"
        }
        out |= {f"{at}.mlp.{part}_proj.weight": (INNER, WIDTH) for part in ("gate", "up")}
        out |= {f"{at}.mlp.down_proj.weight": (WIDTH, INNER)}
        out |= {f"{at}.{part}_layernorm.weight": (WIDTH,) for part in ("input", "post_attention")}
    return out | {"model.norm.weight": (WIDTH,), "lm_head.weight": (ROWS, WIDTH)}


def make_model(folder: Path, layers: int, real: bool) -> None:
    folder.mkdir(parents=True)
    names = shapes(layers)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": ROWS}
    config |= {"hidden_size": WIDTH, "intermediate_size": INNER, "num_hidden_layers": layers}
    config |= {"tie_word_embeddings": False, "bos_token_id": 128_000, "eos_token_id": 128_001}
    (folder / "config.json").write_text(json.dumps(config))
    draw = np.random.default_rng(0)
    weight_map, listed = {}, list(names)
    for number in range(SHARDS):
        file = f"model-{number + 1:05}-of-{SHARDS:05}.safetensors"
        part = listed[number * len(listed) // SHARDS : (number + 1) * len(listed) // SHARDS]
        weight_map |= dict.fromkeys(part, file)
        sizes = [(name, "BF16", names[name], 2 * int(np.prod(names[name]))) for name in part]
        with (folder / file).open("wb") as out:
            out.write(header_bytes(sizes, {"format": "pt"}))
            for _, _, shape, size in sizes:
                if shape[0] == ROWS:
                    for first, end in row_blocks(ROWS, 2 * WIDTH, 16 << 20):
                        rows = draw.standard_normal((end - first, WIDTH), np.float32) * np.float32(0.02)
                        out.write(from_floats(rows, "BF16").data)
                elif real:
                    block = draw.bytes(1 << 20)
                    for begin in range(0, size, len(block)):
                        out.write(block[: size - begin])
                else:
                    out.seek(size, 1)
            out.truncate()
    total = sum(2 * int(np.prod(shape)) for shape in names.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def make_map(path: Path) -> None:
    draw = np.random.default_rng(1)
    rows = [
        Row(i, i, i.to_bytes(3, "big"), special=i >= ORDINARY, uses=50, base_uses=max(1, 10**7 // (i + 10)))
        for i in range(ROWS)
    ]
    for new in range(ADDED):
        pieces = draw.integers(256, ORDINARY, draw.integers(2, 6)).tolist()
        rows.append(Row(ROWS + new, None, b"+" + new.to_bytes(3, "big"), pieces, uses=10 + new % 400))
    IdMap.of(rows, "made up").write(path)


def child(work: Path, what: str, link: bool) -> None:
    """One job, its seconds and peak memory on stdout."""
    began = time.perf_counter()
    if what == "adapt":
        adapt_weights(work / "model", work / "id_map.parquet", work / "out", Options(link=link))
    elif what == "verify":
        proofs = verify(work / "model", work / "out")
        print("\n".join(map(str, proofs)))
        assert all(proof.ok for proof in proofs)
    elif what == "ours":
        tensor = open_checkpoint(work / "model").tensors["model.embed_tokens.weight"]
        with RowReader(tensor) as reader:
            print(sum(int(reader.block(a, b).sum()) for a, b in row_blocks(ROWS, tensor.row_size, 32 << 20)))
    else:
        from safetensors import safe_open

        file = open_checkpoint(work / "model").tensors["model.embed_tokens.weight"].path
        with safe_open(file, "pt") as shard:
            rows = shard.get_slice("model.embed_tokens.weight")
            import torch

            blocks = row_blocks(ROWS, 2 * WIDTH, 32 << 20)
            print(sum(int(rows[a:b].view(torch.uint8).sum()) for a, b in blocks))
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    print(
        f"{what}: {time.perf_counter() - began:.1f} s, {cpu:.1f} CPU s, peak {used.ru_maxrss / 1024:.0f} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--real", action="store_true", help="random bytes in the layers, no holes")
    parser.add_argument("--link", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.work, options.child, options.link)
        return
    began = time.perf_counter()
    make_model(options.work / "model", options.layers, options.real)
    make_map(options.work / "id_map.parquet")
    size = sum(path.stat().st_size for path in (options.work / "model").glob("*.safetensors"))
    print(f"made {size / 1e9:.2f} GB in {time.perf_counter() - began:.0f} s", flush=True)
    try:
        for what in ("ours", "safetensors", "adapt", "verify"):
            command = [sys.executable, "-m", "tests.bench.bench_adapt_weights", "--work", str(options.work)]
            command += ["--child", what, *(["--link"] if options.link else [])]
            subprocess.run(command, check=what != "safetensors")
    finally:
        if not options.keep:
            shutil.rmtree(options.work)


if __name__ == "__main__":
    main()
