"""Text models as subjects: a passage is tokenised once and read once, whatever is asked of it."""

from corteval_pytorch.text.commit import NextTokens, text_commit, with_conventions
from corteval_pytorch.text.network import TextNetwork
from corteval_pytorch.text.plan import Manner, Pooling, Sees
from corteval_pytorch.text.reading import NEXT_WORD, SURPRISAL
from corteval_pytorch.text.tokens import Encoding, MarksWords, Tokenizer

__all__ = [
    "text_commit",
    "TextNetwork",
    "Tokenizer",
    "MarksWords",
    "Encoding",
    "Manner",
    "Pooling",
    "Sees",
    "NextTokens",
    "with_conventions",
    "SURPRISAL",
    "NEXT_WORD",
]
