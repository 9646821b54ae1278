"""Triplets in the archive's form, of people who agree as often as is known."""

import numpy as np

from corteval_brainscore.imitation import picture

AGREEMENT = 0.6767


def odd_of(rows, triplets):
    """The one that the pair of the largest dot product leaves over."""
    a, b, c = (rows[triplets[:, n]] for n in range(3))
    pairs = np.stack([(b * c).sum(1), (a * c).sum(1), (a * b).sum(1)], axis=1)
    return triplets[np.arange(len(triplets)), pairs.argmax(axis=1)]


def written(archive, *, things=60, triplets=3000, seed=0):
    """Trials as the archive has them: whole numbers as ids, the third chosen as odd.

    People choose what the embedding says as often as the published ceiling says that they agree,
    else one of the others. Triplets are drawn one by one, so that some are in several trials, whose
    answers may differ. Gives the embedding, the ids of the pairs, and those of the odd ones.
    """
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((things, 8))
    table = [
        {"stimulus_id": n, "filename": f"thing_{n}.png", "unique_id": f"thing-{n}"}
        for n in range(things)
    ]
    archive.add_stimuli("Hebart2023", table, {f"thing_{n}.png": picture(n) for n in range(things)})
    shown = generator.integers(things, size=(triplets, 3))
    while (twice := (np.diff(np.sort(shown)) == 0).any(axis=1)).any():
        shown[twice] = generator.integers(things, size=(int(twice.sum()), 3))
    modal = odd_of(rows, shown)
    others = shown[shown != modal[:, None]].reshape(-1, 2)
    other = others[np.arange(triplets), generator.integers(2, size=triplets)]
    odd = np.where(generator.random(triplets) < AGREEMENT, modal, other)
    rest = shown[shown != odd[:, None]].reshape(-1, 2)
    along = ("presentation",)
    archive.add_assembly(
        "Hebart2023",
        odd,
        along,
        {
            "stimulus_id": (along, odd),
            "triplet_id": (along, [f"triplet_{n}" for n in range(triplets)]),
            "image_1": (along, rest[:, 0]),
            "image_2": (along, rest[:, 1]),
            "image_3": (along, odd),
        },
        stimulus_set="Hebart2023",
    )
    return rows, rest, odd
