"""A text model recorded by the engine, beside forward passes over the same tokens.

    python bench/extraction/text.py [--threads 1] [--repeats 3] [--every 10]

(1) 627 sentences in 168 passages through a GPT-2 small of random weights, all layers: the engine,
with tokenisation, store and all, beside one forward pass of the same tokens that records nothing.
Counts calls of the tokenizer. (2) A story of 300 words, every prefix: the engine beside word by
word, where each word is read anew with all before it, and surprisal beside the same; word by word
is timed on every tenth word. Prints seconds of the processor, which other work on the machine
disturbs least, and ratios.
"""

import argparse
import tempfile
import time

import numpy as np
import pandas as pd
import torch

from corteval import store
from corteval.requests import ReadingTime, Recording
from corteval.stimuli import StimulusSet
from corteval.surprisal import SurprisalSpec
from corteval_pytorch import initialised
from corteval_pytorch.text import Encoding, text_commit
from corteval_transformers.library import transformers

PASSAGES, SENTENCES = 168, 627
TARGET = Recording("language_system")


class Syllables:
    """Words of a made-up language, a token for each two letters, with the space before a word."""

    bos_id = 50256

    def __init__(self):
        self.calls = 0

    def encode(self, text):
        self.calls += 1
        ids, offsets, place = [], [], 0
        for word in text.split(" "):
            for start in range(0, len(word), 4):
                piece = word[start : start + 4]
                begin = place + start - (start == 0 and place > 0)
                ids.append(sum((k + 1) * ord(c) for k, c in enumerate(piece)) % 50000)
                offsets.append((begin, place + start + len(piece)))
            place += len(word) + 1
        return Encoding(ids, offsets)

    def decode(self, ids):
        return " ".join(map(str, ids))

    def identity(self):
        return {"kind": "syllables"}


def words(generator, count):
    """Words of 2 to 9 letters."""
    letters = np.array([*"abcdefghijklmnopqrstuvwxyz"])
    lengths = generator.integers(2, 10, count)
    return ["".join(generator.choice(letters, n)) for n in lengths]


def passages(seed=0):
    """As many sentences and passages as in Pereira et al. (2018), of 7 to 17 words."""
    generator = np.random.default_rng(seed)
    sizes = np.full(PASSAGES, SENTENCES // PASSAGES)
    sizes[: SENTENCES - sizes.sum()] += 1
    rows = [
        (f"{c}-{p}", " ".join(words(generator, generator.integers(7, 18))) + ".", f"c{c}", p)
        for c, size in enumerate(sizes)
        for p in range(size)
    ]
    return _stimuli("passages", rows)


def story(count=300, seed=1):
    """One context of single words."""
    made = words(np.random.default_rng(seed), count)
    return _stimuli("story", [(str(p), word, "story", p) for p, word in enumerate(made)])


def _stimuli(name, rows):
    table = pd.DataFrame(rows, columns=["stimulus_id", "text", "context_id", "position"])
    return StimulusSet(identifier=name, modality="text", table=table.set_index("stimulus_id"))


def subject(module, tokenizer, layers):
    """With surprisal, and all layers committed."""
    return text_commit(
        module,
        tokenizer,
        {"language_system": layers},
        identifier="gpt2-random",
        window=1024,
        surprisal=SurprisalSpec(bos=True, first_word="scored"),
    )


def bare(module, sequences, most=2048):
    """One forward pass over the same tokens in the same batches, keeping nothing."""
    batch = []
    with torch.inference_mode():
        for sequence in [*sequences, None]:
            if sequence is None or (batch and (len(batch) + 1) * len(sequence) > most):
                ids = np.zeros((2, len(batch), max(map(len, batch))), np.int64)
                for row, own in enumerate(batch):
                    ids[0, row, : len(own)] = own
                    ids[1, row, : len(own)] = 1
                module(input_ids=torch.from_numpy(ids[0]), attention_mask=torch.from_numpy(ids[1]))
                batch = []
            batch.append(sequence)


def timed(run, repeats):
    """Fewest seconds of the processor of several runs."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)


def recorded(made, stimuli, request=TARGET):
    """Into a new store each time."""

    def run():
        with tempfile.TemporaryDirectory() as folder, store.using(store.Store(folder)):
            made.respond(stimuli, [request])

    return run


def main():
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--words", type=int, default=300)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with initialised(0):
        module = transformers.GPT2LMHeadModel(transformers.GPT2Config(use_cache=False)).eval()
    layers = ("transformer.drop", *(f"transformer.h.{n}" for n in range(12)))
    tokenizer = Syllables()
    made = subject(module, tokenizer, layers)
    made.extractor.layer_names()

    stimuli = passages()
    sequences = made.extractor.planned(stimuli).sequences
    before = tokenizer.calls
    recorded(made, stimuli)()
    calls = tokenizer.calls - before
    ours = timed(recorded(made, stimuli), given.repeats)
    one = timed(lambda: bare(module.transformer, sequences), given.repeats)
    tokens = sum(map(len, sequences))
    print(f"{SENTENCES} sentences, {PASSAGES} passages, {tokens} tokens, 13 layers")
    print(f"  engine {ours:.2f} s, one forward pass {one:.2f} s: {ours / one:.2f} times (goal 1.3)")
    print(f"  calls of the tokenizer: {calls} (passages {PASSAGES})")

    reading = story(given.words)
    prefixes = made.extractor.planned(reading).sequences[0]
    ours = timed(recorded(made, reading), given.repeats)
    both = timed(recorded(made, reading, ReadingTime()), given.repeats)
    ends = made.extractor.planned(reading).entries["next"].position + 1

    def word_by_word(network):
        with torch.inference_mode():
            for end in sorted(ends.tolist())[given.every // 2 :: given.every]:
                network(input_ids=torch.tensor([prefixes[:end]]))

    one_by_one = given.every * timed(lambda: word_by_word(module.transformer), 1)
    predicted = given.every * timed(lambda: word_by_word(module), 1)
    print(f"a story of {given.words} words, {len(prefixes)} tokens, every prefix")
    print(f"  13 layers: {ours:.2f} s, word by word {one_by_one:.1f} s: {one_by_one / ours:.0f} x")
    print(f"  surprisal: {both:.2f} s, word by word {predicted:.1f} s: {predicted / both:.0f} x")


if __name__ == "__main__":
    main()
