"""Training beside gigabpe and tokenizers on 156 MB of Russian: wall time, CPU time and peak memory, each run
in a process of its own.

    BUKVAR_DATA=... python tests/bench/bench_train.py [--baselines gigabpe,tokenizers] [--rounds 3]

The text is every document of text_ru, shuffled with seed 0, cut off at 156 MB and written to one file with a
line end after each document. gigabpe knows GPT-2's pattern only.
"""

import argparse
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZE = 156_000_000


def write_text(path: Path) -> None:
    """Writes the text, the same on every machine."""
    import pyarrow.parquet as pq

    texts: list[str] = []
    for file in sorted((Path(os.environ["BUKVAR_DATA"]) / "text_ru").glob("*.parquet")):
        texts += pq.read_table(file, columns=["text"])["text"].to_pylist()
    # Books are cut into pieces of some kilobytes at line ends, so that shuffling mixes.
    pieces = [piece for text in texts for piece in _pieces(text)]
    random.Random(0).shuffle(pieces)
    size = 0
    with path.open("wb") as out:
        for piece in pieces:
            data = piece.encode() + b"\n"
            if size + len(data) > SIZE:
                break
            size += out.write(data)


def _pieces(text: str, size: int = 4000) -> list[str]:
    pieces, at = [], 0
    while at < len(text):
        end = text.find("\n", at + size)
        end = len(text) if end < 0 else end
        pieces.append(text[at:end])
        at = end + 1
    return pieces


def ours(path: str, size: int, threads: int, pattern: str, cuts: str) -> object:
    from rust_ext import MorphemeBoundaries
    from tokenizer import train

    start = time.perf_counter()
    counts = train.count(train.read_text(path, pattern), pattern, threads=threads)
    counted = time.perf_counter()
    boundaries = MorphemeBoundaries.read(cuts, threads) if cuts else None
    read = time.perf_counter()
    parameters = train.TrainParameters(size, pattern=pattern, max_pretoken_bytes=0xFFFF)
    model = train.learn(counts, parameters, boundaries, consume=True, threads=threads)
    done = time.perf_counter()
    return {"count": counted - start, "cuts": read - counted, "learn": done - read, "last": model.counts[-1]}


def gigabpe(path: str, size: int, threads: int) -> object:
    import gigabpe

    return len(gigabpe.train_bpe([path], size, special_tokens=[], threads=threads)[1])


def tokenizers(path: str, size: int, threads: int, pattern: str) -> object:
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    from tokenizer.split import PATTERNS
    from tokenizer.train import read_text

    baseline = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(PATTERNS[pattern]), "isolated")
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    baseline.pre_tokenizer = pre_tokenizers.Sequence([split, level])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    baseline.train_from_iterator((block.decode() for block in read_text(path, pattern)), trainer)
    return baseline.to_str()


def run(name: str, call: str) -> dict[str, object]:
    """Runs a function of this file in a process of its own."""
    code = (
        "import sys, json, time, resource; sys.path[:0] = sys.argv[1:]; import bench_train as b;"
        f" start = time.perf_counter(); result = b.{call}; wall = time.perf_counter() - start;"
        " use = resource.getrusage(resource.RUSAGE_SELF);"
        " print(json.dumps([wall, use.ru_utime + use.ru_stime, use.ru_maxrss / 1024, str(result)[:150]]))"
    )
    here = Path(__file__).resolve().parent
    done = subprocess.run(
        [sys.executable, "-c", code, str(here), str(here.parents[1])],
        capture_output=True,
        text=True,
        check=True,
    )
    wall, cpu, memory, about = json.loads(done.stdout)
    print(f"{name:28} wall {wall:7.2f} s  CPU {cpu:7.2f} s  peak {memory:6.0f} MiB  {about}", flush=True)
    return {"wall": wall, "cpu": cpu, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baselines", default="gigabpe,tokenizers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sizes", default="32000,64000,128000")
    parser.add_argument("--cuts", default="", help="a boundaries file, to measure the penalty too")
    parser.add_argument("--text", default="", help="a text file to take instead")
    options = parser.parse_args()
    if not options.text and "BUKVAR_DATA" not in os.environ:
        sys.exit("set BUKVAR_DATA to the folder of the measuring data, or give --text")
    with tempfile.TemporaryDirectory() as folder:
        path = options.text
        if not path:
            path = f"{folder}/text"
            # A process of its own: what this one holds would count as the peak of those that it starts.
            writer = multiprocessing.get_context("spawn").Process(target=write_text, args=(Path(path),))
            writer.start()
            writer.join()
            if writer.exitcode:
                sys.exit("the text could not be written")
        threads = options.threads
        for _ in range(options.rounds):
            for size in map(int, options.sizes.split(",")):
                run(f"ours {size} llama3", f"ours({path!r}, {size}, {threads}, 'llama3', '')")
                if options.cuts:
                    run(
                        f"ours {size} penalty",
                        f"ours({path!r}, {size}, {threads}, 'llama3', {options.cuts!r})",
                    )
            if "gigabpe" in options.baselines:
                run("gigabpe 32000 gpt2", f"gigabpe({path!r}, 32000, {threads})")
        if "tokenizers" in options.baselines:
            run("tokenizers 32000 llama3", f"tokenizers({path!r}, 32000, {threads}, 'llama3')")


if __name__ == "__main__":
    main()
