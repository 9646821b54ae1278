"""Answers of people of known accuracy in the archive's form."""

import numpy as np

from corteval_brainscore.imitation import picture
from corteval_scialom2024.card import CHOICES


def chosen(truth, chance, generator):
    return {
        i: t if generator.random() < chance[i] else str(generator.choice(CHOICES))
        for i, t in truth.items()
    }


def write(archive, name, people=5, images=48, seed=0):
    """A condition in the archive's form: answers by person, truths, conditions, chances."""
    generator = np.random.default_rng(seed)
    kind, _, share = name.partition("-")
    # of "-all", three of the eleven conditions, the kind of image as condition of a trial
    shown = (
        {"RGB": "RGB", "contours": "contours", "12": kind, "100": kind}
        if share == "all"
        else {share or {"rgb": "RGB"}.get(kind, kind): share or {"rgb": "RGB"}.get(kind, kind)}
    )
    truth, condition, percentage = {}, {}, {}
    for part, called in shown.items():
        for n in range(images):
            stimulus = f"{len(truth) + 1}"
            truth[stimulus] = CHOICES[n % len(CHOICES)]
            condition[stimulus], percentage[stimulus] = called, part
    hard = 0.35 if share not in ("", "100") else 0.0
    chance = {i: float(np.clip(generator.beta(3, 1) - hard * (n % 3), 0.02, 0.98))
              for n, i in enumerate(truth)}  # fmt: skip
    rows = [
        {
            "stimulus_id": i,
            "filename": f"{i}.png",
            "dataset": kind,
            "object_id": n % 4,
            "truth": truth[i],
            "percentage_elements": percentage[i],
            "condition": kind if share == "all" else percentage[i],
        }
        for n, i in enumerate(truth)
    ]
    files = {r["filename"]: picture(n) for n, r in enumerate(rows)}
    member = f"Scialom2024_{name}"
    archive.add_stimuli(member, rows, files, source="scialom2024")
    answers = {f"{p}": chosen(truth, chance, generator) for p in range(1, people + 1)}
    trials = [(p, i) for p in answers for i in truth]
    trials = [trials[n] for n in generator.permutation(len(trials))]
    given = [answers[p][i] for p, i in trials]
    columns = {
        "subject": [int(p) for p, _ in trials],
        "subject_group": [condition[i] for _, i in trials],
        "visual_degrees": [8] * len(trials),
        "is_correct": [int(answers[p][i] == truth[i]) for p, i in trials],
        "subject_answer": given,
        "condition": [condition[i] for _, i in trials],
        "percentage_elements": [percentage[i] for _, i in trials],
        "stimulus_id": [i for _, i in trials],
        "truth": [truth[i] for _, i in trials],
    }
    archive.add_assembly(
        member,
        np.array(given, object),
        ("presentation",),
        {n: (("presentation",), column) for n, column in columns.items()},
        stimulus_set=member,
        form="BehavioralAssembly",
        source="scialom2024",
    )
    return answers, truth, condition, chance
