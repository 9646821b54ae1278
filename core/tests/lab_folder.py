"""A lab's folder in which nothing is wrong, and ways to change it."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from corteval.local.description import Description, Responses

STIMULI, NEUROIDS, TRIALS = 24, 5, 4


def png(seed=0):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def trials(seed=0):
    """(neuroid, presentation, repetition)"""
    generator = np.random.default_rng(seed)
    signal = generator.normal(size=(NEUROIDS, STIMULI, 1))
    return signal + 0.5 * generator.normal(size=(NEUROIDS, STIMULI, TRIALS))


@pytest.fixture
def sound(tmp_path, monkeypatch):
    """A folder in which nothing is wrong, and a home of its own."""
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    folder = tmp_path / "MyLab"
    (folder / "images").mkdir(parents=True)
    names = [f"img{n:02d}" for n in range(STIMULI)]
    for n, name in enumerate(names):
        (folder / "images" / f"{name}.png").write_bytes(png(n))
    pd.DataFrame(
        {
            "stimulus_id": names,
            "path": [f"images/{name}.png" for name in names],
            "object": ["dog", "cat"] * (STIMULI // 2),
        }
    ).to_csv(folder / "stimuli.csv", index=False)
    np.save(folder / "responses.npy", trials())
    pd.DataFrame({"neuroid_id": [f"n{n}" for n in range(NEUROIDS)], "region": "V4"}).to_csv(
        folder / "neuroids.csv", index=False
    )
    return Description(
        folder=folder,
        id="MyLab2026",
        modality="image",
        stimuli="stimuli.csv",
        visual_degrees=8.0,
        responses=Responses(
            file="responses.npy",
            dims=("neuroid", "presentation", "repetition"),
            neuroids="neuroids.csv",
            target="V4",
            time_bin_ms=((0.0, 100.0),),
        ),
    )


def responding(description, **changes):
    return replace(description, responses=replace(description.responses, **changes))


def edit(path, old, new, count=1):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), "utf-8")


def long_table(folder, **columns):
    """The responses as a long table, with columns added or replaced."""
    values = trials()
    rows = [
        (f"img{p:02d}", f"n{n}", k, values[n, p, k])
        for p in range(STIMULI)
        for n in range(NEUROIDS)
        for k in range(TRIALS)
    ]
    table = pd.DataFrame(rows, columns=["stimulus_id", "neuroid_id", "repetition", "value"])
    table = table.assign(**columns)
    table.to_csv(folder / "responses.csv", index=False)
    return table


def behaviour(folder, **columns):
    names = [f"img{n:02d}" for n in range(STIMULI)] * 2
    table = pd.DataFrame(
        {
            "stimulus_id": names,
            "subject": ["s1"] * STIMULI + ["s2"] * STIMULI,
            "choice": ["dog", "cat", "cat"] * (2 * STIMULI // 3),
        }
    ).assign(**columns)
    table.to_csv(folder / "behaviour.csv", index=False)
    return table


def behavioural(description, file="behaviour.csv", **changes):
    return replace(description, responses=Responses(file=file, **changes))


def only(report, severity, text):
    """The one problem of that severity whose words contain `text`."""
    found = [p for p in report.problems if p.severity == severity and text in str(p)]
    assert len(found) == 1, [str(p) for p in report.problems]
    return found[0]


def defects():
    """An empty list of defects, and a decorator that lists a function that makes one.

    The function takes a sound folder, breaks it, and returns its description if that changed. The
    decorator is told the problem that examination finds: its severity, where it is, words of it,
    and whether the responses load all the same, as where only values or pixels tell.
    """
    listed = []

    def defect(severity, where, words, *, loads=False):
        def listing(break_it):
            values = (break_it, severity, where, words, loads or severity == "warning")
            listed.append(pytest.param(*values, id=break_it.__name__))
            return break_it

        return listing

    return listed, defect
