"""Cards of data sets that a lab registered by path, and of the benchmarks that come with them.

A registration is a small JSON file below ``CORTEVAL_HOME``, or in the folder ``.corteval`` of a
project; the data stay where they lie. `corteval.local.registration` writes it. Here it is only
read, without a numerical library, so that listing stays quick.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corteval import settings
from corteval.cards import (
    RECORDING_CONTROLS,
    BenchmarkCard,
    DataCard,
    MetricCard,
    check_identifier,
)
from corteval.errors import CortevalError, PluginError

SCHEMA = "corteval.registered/1"
FOLDER = "registered"
_PROJECT = ".corteval"
#: By modality of the stimuli.
CONTROLS = {
    "image": ("pixels", "gabor-colour", "random-cnn", "{model}-untrained"),
    "text": (
        *RECORDING_CONTROLS["text"],
        *(f"{{model}}-untrained-seed{seed}" for seed in range(1, 5)),
    ),
}
#: Subjects beyond which the variance explained is told, by modality, unless a registration says it.
NUISANCES = {"text": ("sentence-features",)}
#: Ends the names of benchmarks whose folds divide groups.
LEAKY = "-shuffle"

#: Fields of the `DataCard` that a registration holds.
CARD_FIELDS = ("modality", "access", "species", "licence", "bibtex", "summary")
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")

#: Of a registered set's cross-validation, unless its stimuli have groups: scikit-learn's
#: ``ShuffleSplit(10, train_size=.9, random_state=1)`` over stimuli in table order.
SPLITS = {
    "folds": "shuffle",
    "count": 10,
    "train_size": 0.9,
    "seed": 1,
    "group_by": None,
    "order": "rows",
}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What decides which benchmarks a data set allows.

    Args:
        form: ``"neural"``, ``"answers"`` (right or wrong), ``"choices"`` or ``"times"``.
        targets: name in identifiers -> conditions on neuroids, empty for all of them.
        coordinates: of the assembly.
        neuroids: how many; 0 for behaviour.
        subjects: how many.
        trials: fewest and most of a stimulus.
        time_bins: how many.
        group: presentation coordinate whose values are not divided; "" for none.
        folds: how many there are; 0 leaves it to whether stimuli have groups.
        part_by: column of stimuli whose values have benchmarks of their own; "" for none.
        parts: those values.
        nuisances: subjects beyond which the variance explained is told; None is the default.
    """

    form: str
    targets: Mapping[str, Mapping[str, str]]
    coordinates: tuple[str, ...]
    neuroids: int
    subjects: int
    trials: tuple[int, int]
    time_bins: int
    group: str
    folds: int = 0
    part_by: str = ""
    parts: tuple[str, ...] = ()
    nuisances: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A registered data set.

    Args:
        file: the registration.
        identifier: of the data set.
        folder: where its files lie.
        description: of the folder, as ``dataset.toml`` has it.
        digests: file, relative to the folder -> its SHA-256 when it was registered.
        states: file -> its size and time of modification then, which spare reading it again.
        digest: SHA-256 over all of them.
        registered: date, ISO 8601.
        card: `CARD_FIELDS` and notes.
        facts: see there.
    """

    file: Path
    identifier: str
    folder: Path
    description: Mapping[str, Any]
    digests: Mapping[str, str]
    states: Mapping[str, tuple[int, int]]
    digest: str
    registered: str
    card: Mapping[str, Any]
    facts: Facts


def shelves() -> list[Path]:
    """Folders with registrations, the project's before the user's."""
    found = [settings.home() / FOLDER]
    project = project_folder()
    if project is not None:
        found.insert(0, project / _PROJECT / FOLDER)
    return found


def project_folder() -> Path | None:
    """Nearest folder, from the working one upwards, with ``.corteval`` or ``corteval.toml``."""
    try:
        here = Path.cwd()
    except OSError:  # the folder is gone
        return None
    marks = (f"{_PROJECT}/{FOLDER}", "corteval.toml")
    return next((f for f in (here, *here.parents) if any((f / m).exists() for m in marks)), None)


def project_shelf() -> Path:
    """Where ``--project`` registers: in the project, or else in the working folder."""
    return (project_folder() or Path.cwd()) / _PROJECT / FOLDER


def files() -> list[Path]:
    """Registrations in force; what a project registers goes before what the user did."""
    found: dict[str, Path] = {}
    for shelf in shelves():
        for file in sorted(shelf.glob("*.json")):
            found.setdefault(file.name.casefold(), file)
    return list(found.values())


def read(file: Path) -> Registration:
    """The registration in `file`.

    Raises:
        PluginError: if it is none.
    """
    try:
        content = json.loads(file.read_text("utf-8"))
        if content["schema"] != SCHEMA:
            raise PluginError(f"{file} is of schema {content['schema']!r}, not {SCHEMA!r}")
        facts = content["facts"]
        return Registration(
            file=file,
            identifier=check_identifier(content["identifier"]),
            # a project is moved or shared as a whole, so its registrations are relative to it
            folder=(file.parents[2] / content["folder"]).absolute(),
            description=dict(content["description"]),
            digests=dict(content["digests"]),
            states={name: (size, time) for name, (size, time) in content["states"].items()},
            digest=str(content["digest"]),
            registered=str(content["registered"]),
            card=dict(content["card"]),
            facts=Facts(
                **{
                    **facts,
                    "coordinates": tuple(facts["coordinates"]),
                    "trials": (facts["trials"][0], facts["trials"][1]),
                    "parts": tuple(facts.get("parts", ())),
                    "nuisances": None if (n := facts.get("nuisances")) is None else tuple(n),
                }
            ),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise PluginError(
            f"{file} is no registration of a data set ({type(error).__name__}: {error}); register "
            "its folder again, or delete it"
        ) from error


def data_card(registration: Registration) -> DataCard:
    """Card of a registered data set."""
    return DataCard(
        identifier=registration.identifier,
        factory="corteval.local.registration:Registered",
        options={"file": str(registration.file)},
        notes=tuple(registration.card["notes"]),
        **{name: registration.card[name] for name in CARD_FIELDS},
    )


def benchmark_cards(
    registration: Registration, metrics: Mapping[str, MetricCard], distribution: str
) -> Iterator[BenchmarkCard]:
    """A benchmark for each part, each target and each metric that fits.

    Where stimuli have groups, metrics that divide stimuli make two: one whose folds keep groups
    whole, and one ending in `LEAKY` whose ten folds do not, to show what a model gains by that.

    Args:
        registration: of the data.
        metrics: installed ones by identifier, ceilings among them.
        distribution: that provides the data; benchmarks take those of no other, should a set be
            both registered and installed.
    """
    facts = registration.facts
    fitting = [metric for metric in metrics.values() if fits(metric, facts)]
    for part in facts.parts or ("",):
        for target in facts.targets:
            for metric in fitting:
                ceiling = _ceiling(metric, facts, metrics)
                yield from _cards_of(registration, part, target, metric, ceiling, distribution)


def _cards_of(
    registration: Registration,
    part: str,
    target: str,
    metric: MetricCard,
    ceiling: str | None,
    distribution: str,
) -> Iterator[BenchmarkCard]:
    """The benchmark of one metric and, if it divides grouped stimuli, its leaky variant."""
    facts, modality = registration.facts, registration.card["modality"]
    neural = facts.form == "neural"
    place = "neural" if neural else "behavioural"
    parts = [registration.identifier, *([part] if part else []), target]
    named = ".".join(_UNFIT.sub("_", name) for name in parts)
    for leaky in (False, True) if neural and facts.group and _divides(metric) else (False,):
        name = f"{named}-{metric.identifier}{LEAKY * leaky}"
        try:
            check_identifier(name)
        except CortevalError:
            continue
        of_part = f" of {part}" * bool(part)
        words = f"; legacy: its folds divide a {facts.group}" * leaky
        yield BenchmarkCard(
            identifier=name,
            factory=_FACTORIES[place],
            summary=f"{registration.identifier}{of_part}, {target}: {metric.summary}{words}",
            licence=registration.card["licence"],
            bibtex=registration.card["bibtex"],
            data=(f"{registration.identifier}@{distribution}",),
            metric=metric.identifier,
            ceiling=ceiling,
            target=target,
            species=registration.card["species"],
            controls=CONTROLS.get(modality, ()),
            options=_neural_options(metric, facts, target, part, modality, leaky=leaky)
            if neural
            else {"task": "reading_time" if facts.form == "times" else "label"},
        )


_FACTORIES = {
    "neural": "corteval.benchmark:NeuralBenchmark",
    "behavioural": "corteval.behavioural_benchmark:BehaviouralBenchmark",
}


def fits(metric: MetricCard, facts: Facts) -> bool:
    """Whether `metric` can compare a model with such data."""
    if metric.role != "similarity" or "legacy" in metric.identifier:
        return False
    if not set(metric.needs) <= set(facts.coordinates):
        return False
    if metric.takes == "neural":
        # symmetric comparisons are of patterns over neuroids, and two have none
        patterns = facts.neuroids > 2 or not metric.symmetric
        return facts.form == "neural" and facts.time_bins <= 1 and patterns
    if metric.takes == "answers":
        return facts.form in {"answers", "choices"} and "truth" in facts.coordinates
    return metric.takes == facts.form


def lacking(metric: MetricCard, facts: Facts) -> tuple[str, ...]:
    """Coordinates without which `metric` does not fit data that are otherwise of its form."""
    missing = tuple(name for name in metric.needs if name not in facts.coordinates)
    with_them = replace(facts, coordinates=(*facts.coordinates, *missing))
    return missing if missing and fits(metric, with_them) else ()


def _ceiling(metric: MetricCard, facts: Facts, metrics: Mapping[str, MetricCard]) -> str | None:
    """The first ceiling of `metric` that such data allow."""
    fewest, most = facts.trials
    for name in metric.ceilings:
        card = metrics.get(name)
        if card is None or not set(card.needs) <= set(facts.coordinates):
            continue
        if card.takes == "trials" and (fewest < 2 or (name == _RECTANGULAR and fewest < most)):
            continue
        if "subject" in card.needs and facts.subjects < 2:
            continue
        return name
    return None


#: Halves of the same trials of every stimulus; for unequal numbers there are others.
_RECTANGULAR = "internal_consistency"


def _neural_options(
    metric: MetricCard, facts: Facts, target: str, part: str, modality: str, *, leaky: bool
) -> dict[str, Any]:
    conditions = facts.targets[target]
    options: dict[str, Any] = {"neuroids": dict(conditions)} if conditions else {}
    if part:
        options["where"] = {facts.part_by: part}
    if _divides(metric):
        division: dict[str, Any] = {**SPLITS}
        if facts.group:
            division |= {"folds": "kfold", "group_by": facts.group}
            division |= {"allow_leaky": True} if leaky else {"shuffle": False}
        if facts.folds and not leaky:
            division |= {"folds": "kfold", "count": facts.folds}
        options["metric_options"] = {"cross_validation": division}
    elif facts.group:
        options["drawn_together"] = facts.group
    if metric.options.get("standardise"):  # as the fits are by which unique variance is told
        nuisances = NUISANCES.get(modality, ()) if facts.nuisances is None else facts.nuisances
        options |= {"nuisances": nuisances} if nuisances else {}
    return options


def _divides(metric: MetricCard) -> bool:
    """Whether `metric` is fitted on some stimuli and tested on others, as it is told."""
    return metric.cross_validated and not metric.symmetric and "split" not in metric.needs
