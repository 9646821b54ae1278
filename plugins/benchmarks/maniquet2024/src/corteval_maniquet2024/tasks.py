"""Which images of the model's belong to a task of people's."""

from __future__ import annotations

from collections.abc import Mapping

from corteval.errors import AssemblyError

#: What a task's name says, and what the images are called.
_MANIPULATIONS = {
    "clutter": "clutter",
    "occlusion": "occluder",
    "scrambling": "phasescrambling",
}
_STRENGTHS = ("heavy", "light", "highpass", "lowpass")
_SHARES = {("few", "large"): "fewlarge", ("many", "small"): "manysmall"}


def images_of(task: str, named: Mapping[str, tuple[str, str]] | None = None) -> tuple[str, str]:
    """Manipulation, and its details, of the images that stand for a task of people.

    >>> images_of("occlusion_few_large_blobs_high")
    ('occluder', 'fewlarge-high')

    Blobs, deletion and partial viewing are one to the published benchmark, so they are here.

    Args:
        task: name of a task, words joined by underscores.
        named: tasks whose names do not say it.

    Raises:
        AssemblyError: if the name is of no known form.
    """
    if named and task in named:
        manipulation, details = named[task]
        return manipulation, details
    words = task.split("_")
    if "control" in words:
        return "control", "control"
    manipulation = next((m for word, m in _MANIPULATIONS.items() if word in words), "")
    details = next((s for s in _STRENGTHS if s in words), "")
    share = next((s for pair, s in _SHARES.items() if set(pair) <= set(words)), "")
    level = next((w for w in ("high", "low") if w in words), "")
    if share and level:
        details = f"{share}-{level}"
    if not manipulation or not details:
        raise AssemblyError(
            f"What images belong to the task {task!r} does not follow from its name. Say it by the "
            'option images={"' + task + '": ("<manipulation>", "<manipulation_details>")}.'
        )
    return manipulation, details
