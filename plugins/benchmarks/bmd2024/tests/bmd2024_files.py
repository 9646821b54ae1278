"""Answers of people of known accuracy in the archive's form."""

import numpy as np

from corteval_bmd2024.card import CHOICES
from corteval_brainscore.imitation import picture


def write(archive, name, people=6, images=100, seed=0):
    """A set in the archive's form; answers and truth by person and image, and chances of truth."""
    generator = np.random.default_rng(seed)
    truth = {f"{name}_{n}": CHOICES[n % len(CHOICES)] for n in range(images)}
    chance = dict(zip(truth, generator.beta(4, 1, images), strict=True))
    rows = [
        {"stimulus_id": i, "filename": f"{i}.png", "condition": name, "truth": t}
        for i, t in truth.items()
    ]
    files = {r["filename"]: picture(n) for n, r in enumerate(rows)}
    member = f"BMD2024.{name}"
    archive.add_stimuli(member, rows, files, source="bmd2024")
    answers = {f"S{p:02d}": answered(truth, chance, generator) for p in range(people)}
    trials = [(p, i) for p in answers for i in truth]
    trials = [trials[n] for n in generator.permutation(len(trials))]
    given = [answers[p][i] for p, i in trials]
    archive.add_assembly(
        member,
        np.array(given, object),
        ("presentation",),
        {
            "subject": (("presentation",), [p for p, _ in trials]),
            "subject_answer": (("presentation",), given),
            "stimulus_id": (("presentation",), [i for _, i in trials]),
            "truth": (("presentation",), [truth[i] for _, i in trials]),
            "condition": (("presentation",), [name] * len(trials)),
        },
        stimulus_set=member,
        form="BehavioralAssembly",
        source="bmd2024",
    )
    return answers, truth, chance


def answered(truth, chance, generator):
    return {
        i: t if generator.random() < chance[i] else str(generator.choice(CHOICES))
        for i, t in truth.items()
    }
