"""A small GPT-2 that learns from WikiText-2 reads better, and as people do."""

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from corteval import benchmarks, registry
from corteval import models as subjects
from corteval.reading import passages
from corteval_transformers.library import transformers

END = "<|endoftext|>"
STEPS, BATCH, LENGTH = 800, 8, 64

pytestmark = pytest.mark.slow


def _tokenizer(texts):
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=3000,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token=END, eos_token=END, unk_token=END
    )


def _learn(network, stream, steps):
    """Adam under a rate that rises for 20 steps and falls to 0."""
    generator = torch.Generator().manual_seed(0)
    optimiser = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / 20, 1) * (1 - step / steps)
    )
    network.train()
    for _ in range(steps):
        starts = torch.randint(len(stream) - LENGTH, (BATCH,), generator=generator)
        ids = torch.stack([stream[start : start + LENGTH] for start in starts])
        ids[starts % 8 == 0, 0] = network.config.bos_token_id  # it learns what begins a text
        loss = network(input_ids=ids, labels=ids).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        rate.step()
    return network.eval()


@pytest.fixture(scope="module")
def learned(mirror, tmp_path_factory):
    """A folder with a GPT-2 of 2 blocks that has read the validation part for 800 steps."""
    folder = tmp_path_factory.mktemp("small-gpt2")
    texts = [p.text for p in passages(registry.data.create("Wikitext2.validation").stimuli())]
    tokenizer = _tokenizer(texts)
    tokenizer.save_pretrained(folder)
    stream = torch.tensor([i for text in texts for i in tokenizer(text)["input_ids"]])
    number = tokenizer.bos_token_id
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = transformers.GPT2LMHeadModel(
            transformers.GPT2Config(
                vocab_size=len(tokenizer),
                n_positions=256,
                n_embd=128,
                n_layer=2,
                n_head=4,
                bos_token_id=number,
                eos_token_id=number,
                resid_pdrop=0.0,
                embd_pdrop=0.0,
                attn_pdrop=0.0,
            )
        )
        _learn(network, stream, STEPS)
    network.save_pretrained(folder)
    return folder


def _subject(folder, ending=""):
    return subjects.create(f"hf/small{ending}", folder=folder)


def test_perplexity_of_articles_it_never_read_falls(learned):
    benchmark = benchmarks.create("Wikitext2.10articles-perplexity", articles=3, resamples=0)
    after, before = (-benchmark(_subject(learned, e)).value for e in ("", "-untrained"))
    # a uniform guess over 3,000 tokens costs ln 3000 each, and a word has more than one
    assert before > np.log(3000)
    assert np.exp(after) < 0.1 * np.exp(before)


def test_next_words_are_told_more_often(learned):
    benchmark = benchmarks.create("Wikitext2.10articles-accuracy", articles=3, resamples=0)
    after, before = (benchmark(_subject(learned, e)).value for e in ("", "-untrained"))
    assert before < 0.01
    assert after > 0.08  # "the" alone is right in 6 %


def test_surprisal_goes_with_reading_times(learned):
    benchmark = benchmarks.create("NaturalStories-pearsonr")
    trained, untrained = (benchmark(_subject(learned, e)) for e in ("", "-untrained"))
    assert trained.raw.value > max(0.1, untrained.raw.value)
    assert trained.interval is None or trained.interval.low > 0
