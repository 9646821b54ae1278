"""Small models and tokenizers of every kind, saved and read back as real ones are."""

import pandas as pd
import pytest
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from corteval import store
from corteval.stimuli import StimulusSet
from corteval_pytorch import initialised
from corteval_transformers.library import transformers

CORPUS = [
    "The quick brown fox jumps over the lazy dog, and the dog doesn't mind; it sleeps.",
    "A naïve café owner said: 'Zürich is far!' and drank 12.5 cups of coffee (twice).",
    "the the the same word again and again, the same words again",
    "漢字とかな are not Latin letters, nor is Ελληνικά",
] * 3


def byte_level():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.ByteLevel(trim_offsets=True)
    made.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=["<|endoftext|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return made, {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}


def word_piece():
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made.train_from_iterator(
        CORPUS,
        trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False),
    )
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[(t, made.token_to_id(t)) for t in ("[CLS]", "[SEP]")],
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}
    return made, {**names, "sep_token": "[SEP]", "mask_token": "[MASK]"}


def unigram(*, bos):
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    special = ["<unk>", "<s>", "</s>"]
    made.train_from_iterator(
        CORPUS,
        trainers.UnigramTrainer(
            vocab_size=150, special_tokens=special, unk_token="<unk>", show_progress=False
        ),
    )
    single = "<s> $A" if bos else "$A </s>"
    made.post_processor = processors.TemplateProcessing(
        single=single,
        pair=f"{single} {single.replace('A', 'B')}",
        special_tokens=[(t, made.token_to_id(t)) for t in ("<s>", "</s>")],
    )
    return made, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


KINDS = {
    "byte-level": byte_level,
    "wordpiece": word_piece,
    "sentencepiece-bos": lambda: unigram(bos=True),
    "sentencepiece-eos": lambda: unigram(bos=False),
}

_MADE = {}


def wrapped(kind):
    """A tokenizer as transformers wraps it; each kind is trained once."""
    if kind not in _MADE:
        made, names = KINDS[kind]()
        _MADE[kind] = made.to_str(), names
    text, names = _MADE[kind]
    return transformers.PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(text), **names)


def gpt2(vocabulary, positions):
    return transformers.GPT2LMHeadModel, transformers.GPT2Config(
        vocab_size=vocabulary,
        n_positions=positions,
        n_embd=16,
        n_layer=2,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=0.3,
    )


def llama(vocabulary, positions):
    return transformers.LlamaForCausalLM, transformers.LlamaConfig(
        vocab_size=vocabulary,
        max_position_embeddings=positions,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=1,
        eos_token_id=2,
        initializer_range=0.3,
    )


def bert(vocabulary, positions):
    return transformers.BertForMaskedLM, transformers.BertConfig(
        vocab_size=vocabulary,
        max_position_embeddings=positions,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        initializer_range=0.3,
    )


def t5(vocabulary, positions):
    del positions
    return transformers.T5ForConditionalGeneration, transformers.T5Config(
        vocab_size=vocabulary,
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_heads=2,
        decoder_start_token_id=0,
    )


ARCHITECTURES = {"gpt2": gpt2, "llama": llama, "bert": bert, "t5": t5}
TOKENIZER_OF = {
    "gpt2": "byte-level",
    "llama": "sentencepiece-bos",
    "bert": "wordpiece",
    "t5": "sentencepiece-eos",
}


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """`saved("gpt2")`: a folder with a small random model and its tokenizer."""
    known = {}

    def made(architecture, kind=None, positions=128):
        key = (architecture, kind, positions)
        if key not in known:
            tokenizer = wrapped(kind or TOKENIZER_OF[architecture])
            model, config = ARCHITECTURES[architecture](len(tokenizer), positions)
            with initialised(0):
                module = model(config)
            folder = tmp_path_factory.mktemp(architecture)
            module.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            known[key] = folder
        return known[key]

    return made


@pytest.fixture(scope="session")
def tokenizer_of():
    """`tokenizer_of("byte-level")`, as transformers wraps it."""
    return wrapped


@pytest.fixture(autouse=True)
def _unshelved():
    with store.using(None):
        yield


@pytest.fixture(scope="session")
def texts():
    """`texts(("the dog", "ran"), ("a car",))`: contexts of parts, in reading order."""

    def made(*contexts):
        rows = [
            (f"{c}-{p}", part, f"c{c}", p)
            for c, parts in enumerate(contexts)
            for p, part in enumerate(parts)
        ]
        table = pd.DataFrame(rows, columns=["stimulus_id", "text", "context_id", "position"])
        return StimulusSet(
            identifier="texts", modality="text", table=table.set_index("stimulus_id")
        )

    return made
