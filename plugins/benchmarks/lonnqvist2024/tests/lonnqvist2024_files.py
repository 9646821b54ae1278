"""Curves and answers in the archive's form, of people whose accuracy is known."""

import numpy as np

from corteval_brainscore.imitation import png

DEGREES = 17.70753
GROUPS = {
    "Lonnqvist2024.inlab_instructions-accuracy_distance": ("inlab-instructions", 10, 0.77),
    "Lonnqvist2024.inlab_no_instructions-accuracy_distance": ("inlab-no-instructions", 10, 0.72),
    "Lonnqvist2024.online_no_instructions-accuracy_distance": ("online-no-instructions", 92, 0.6),
}
ENGINEERING = "Lonnqvist2024.engineering-accuracy"
WORDS = np.array(["diff", "same"])


def image(label, number, seed):
    """A picture whose upper half is bright if the curve is the same."""
    pixels = np.full((8, 8, 3), 60 + number % 40, np.uint8)
    pixels[:4] += np.uint8(100 * (label == "same"))
    pixels[-1, -1] = seed  # no two sets share an image
    return png(pixels)


def images(archive, member, count, seed):
    """A set of images with numbers as ids, which those of the other set have too."""
    labels = WORDS[np.random.default_rng(seed).permutation(count) % 2]
    rows = [
        {
            "stimulus_id": n,
            "filename": f"{seed}_{n}.png",
            "curve_length": 20 + 10 * (n % 19),
            "n_cross": 1 + n % 7,
            "image_path": f"images/{seed}_{n}.png",
            "truth": label,
            "image_label": label,
        }
        for n, label in enumerate(labels)
    ]
    files = {row["filename"]: image(row["truth"], n, seed) for n, row in enumerate(rows)}
    archive.add_stimuli(f"Lonnqvist2024_{member}", rows, files)
    return rows


def written(archive, identifier, *, count=100, people=None, seed=0):
    """Images and, of a group, trials."""
    images(archive, "train", 40, seed=1)
    rows = images(archive, "test", count, seed=2)
    if identifier != ENGINEERING:
        member, size, accuracy = GROUPS[identifier]
        answers(archive, member, rows, people=people or size, accuracy=accuracy, seed=seed)


def answers(archive, member, rows, *, people, accuracy, seed=0):
    """Trials of a group as the archive has them: each image once a person, in no order."""
    generator = np.random.default_rng(seed)
    spread = np.clip(accuracy + 0.05 * generator.standard_normal(people), 0.5, 0.95)
    trials = []
    for person, chance in enumerate(spread):
        for row in rows:
            right = generator.random() < chance
            answer = row["truth"] if right else str(WORDS[row["truth"] != WORDS][0])
            trials.append((person, row, answer))
    trials = [trials[n] for n in generator.permutation(len(trials))]
    along = ("presentation",)
    chosen = [answer for *_, answer in trials]
    columns = {
        name: (along, [row[name] for _, row, _ in trials])
        for name in ("curve_length", "n_cross", "image_path", "stimulus_id", "truth", "image_label")
    }
    archive.add_assembly(
        f"Lonnqvist2024_{member}",
        chosen,
        along,
        {
            "subject": (along, [person for person, *_ in trials]),
            "visual_degrees": (along, np.full(len(trials), DEGREES)),
            "image_duration": (along, np.full(len(trials), 100)),
            "is_correct": (along, [a == row["truth"] for _, row, a in trials]),
            "subject_answer": (along, chosen),
            **columns,
        },
        stimulus_set="Lonnqvist2024_test",
        form="BehavioralAssembly",
    )
