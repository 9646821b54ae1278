"""Verniers and thresholds of people in the archive's form."""

import numpy as np

from corteval_brainscore.imitation import picture
from corteval_malania2007.card import BASELINE, CONDITIONS

ELEVATIONS = {f"Malania2007.{c}-threshold_elevation": c for c in CONDITIONS}

#: Thresholds of people in seconds of arc, alone and among flankers; one did not see the latter.
ALONE = {"A": 18.0, "B": 20.0, "C": 22.0, "D": 24.0, "E": 19.0, "F": 21.0}
FLANKED = {"A": 40.0, "B": 38.0, "C": 46.0, "D": 45.0, "E": np.nan, "F": 41.0}
LEVELS = np.arange(5.0, 105.0, 5.0)
REPEATS = 12


def table(count=REPEATS):
    """Verniers of each offset to both sides."""
    made = []
    for level in LEVELS:
        for n in range(count):
            side = "left" if n % 2 else "right"
            made.append(
                {
                    "stimulus_id": f"{len(made)}",
                    "filename": f"{len(made)}.png",
                    "image_size_degrees": 2.986667,
                    "vernier_offset_arcsec": level if side == "right" else -level,
                    "image_label": side,
                    "num_flankers": 2,
                }
            )
    return made


def write(archive, *identifiers, count=REPEATS):
    """What these benchmarks are made of, each set once."""
    conditions = [ELEVATIONS[i] for i in identifiers if i in ELEVATIONS]
    fits = conditions if len(conditions) == len(identifiers) else CONDITIONS
    for name in (BASELINE, *conditions, *(f"{c}_fit" for c in fits)):
        rows = table(2 if name.endswith("_fit") else count)
        files = {r["filename"]: picture(n + 7 * len(name)) for n, r in enumerate(rows)}
        archive.add_stimuli(f"Malania2007.{name}", rows, files, source="malania2007")
    for name, thresholds in ((BASELINE, ALONE), *((c, FLANKED) for c in conditions)):
        archive.add_assembly(
            f"Malania2007.{name}",
            list(thresholds.values()),
            ("subject",),
            {"subject": (("subject",), list(thresholds))},
            form="PropertyAssembly",
            source="malania2007",
        )
