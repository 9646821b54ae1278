"""Subjects whose surprisals and next words are known exactly."""

import numpy as np

from corteval.model import LayerCommitment
from corteval.reading import passages
from corteval.surprisal import NextWordReadout, SurprisalReadout, SurprisalSpec

SPEC = SurprisalSpec(bos=True, first_word="scored", unit="word")


class Reader:
    """Extractor: surprisal of a line is `bits(words, ends)`; the next word is always `word`."""

    def __init__(self, bits, lacks_first=False, reads_ends=True, word="the"):
        self.bits, self.lacks_first, self.reads_ends = bits, lacks_first, reads_ends

    def units(self, layer):
        return {"neuroid_id": np.array([layer])}

    def __call__(self, stimuli, wanted):
        row = {i: n for n, i in enumerate(stimuli.stimulus_ids)}
        values = np.zeros((len(stimuli), 1))
        if "surprisal" in wanted:
            for passage in passages(stimuli):
                begun = not self.lacks_first
                for stimulus, (start, end) in zip(passage.stimulus_ids, passage.spans, strict=True):
                    text = passage.text[start:end]
                    ends = text.count("\n") * self.reads_ends
                    value = self.bits(text.split(), ends)
                    tokens = len(text.split()) + ends
                    values[row[stimulus]] = value if begun or not tokens else np.nan
                    begun |= tokens > 0
        yield {layer: values[:, units] for layer, units in wanted.items()}


def reader(bits, spec=SPEC, word="the", **options):
    return LayerCommitment(
        identifier="reader",
        extractor=Reader(bits, **options),
        layers={},
        modalities=frozenset({"text"}),
        readouts=(SurprisalReadout(spec=spec), NextWordReadout(words=[word])),
    )


def uniform(vocabulary, **options):
    """Every word and every end of line is one of so many."""
    bits = np.log2(vocabulary)
    return reader(lambda words, ends: (len(words) + ends) * bits, **options)
