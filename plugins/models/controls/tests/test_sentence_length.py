import pandas as pd

from corteval.model import record
from corteval.registry import models
from corteval.stimuli import StimulusSet


def test_characters_and_words_are_counted_without_the_space_around():
    table = pd.DataFrame(
        {"text": ["The cat sat.", " on", "naïve   idea "]},
        index=pd.Index(["a", "b", "c"], name="stimulus_id"),
    )
    stimuli = StimulusSet(identifier="texts", modality="text", table=table)
    responses = record(models.create("sentence-length"), stimuli, "language_system")
    assert responses.values.tolist() == [[12, 3], [2, 1], [12, 2]]
