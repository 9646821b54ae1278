"""Light descriptions of plugins: what a plugin is, under which licence, and where its code lies.

A card is all that listing needs, so this module, and every module that defines a card, imports
the standard library and ``corteval.cards`` only. ``Card.factory`` names the code; the registry
imports it when something is created.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from typing import Any, ClassVar, Literal

from corteval.errors import InvalidIdentifier, OptionError
from corteval.notebook import Tabular

#: Interface numbers this core understands; a card outside it is refused when it is loaded.
INTERFACES = range(1, 2)

Modality = Literal["image", "text", "video"]
Access = Literal["public", "on request", "private"]

#: Simple subjects that a benchmark on recordings names as its controls, by modality of stimuli.
RECORDING_CONTROLS: Mapping[Modality, tuple[str, ...]] = {
    "image": (
        "pixels",
        "gabor-colour",
        "random-cnn",
        "random-projection/{features}",
        "{model}-untrained",
    ),
    "text": (
        "sentence-length",
        "word-position",
        "word-rate",
        "word-frequency",
        "sentence-features",
        "oasm",
        "randomembedding-100",
        "{model}-untrained",
    ),
}

_MAX_LENGTH = 200
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_IDENTIFIER = re.compile(_NAME)
_MEMBER = re.compile(rf"{_NAME}(?:/{_NAME})*")
_FACTORY = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_DIGESTS = {"sha256": re.compile(r"[0-9a-f]{64}"), "sha1": re.compile(r"[0-9a-f]{40}")}


def check_identifier(text: str, *, member: bool = False) -> str:
    """Return `text` if it can name a plugin, or a member of a family when `member` is true.

    Identifiers become folder names, table cells and web addresses, so nothing but letters,
    digits, ``_``, ``.`` and ``-`` is let in.

    Raises:
        InvalidIdentifier: with the offending text, shortened and escaped.
    """
    shown = ascii(text if len(text) <= 60 else text[:57] + "...")
    what = "name" if member else "identifier"
    if not text:
        raise InvalidIdentifier(f"The {what} is empty. `corteval list` shows what can be named.")
    if len(text) > _MAX_LENGTH:
        raise InvalidIdentifier(
            f"The {what} {shown} has {len(text)} characters; at most {_MAX_LENGTH} are allowed."
        )
    if not (_MEMBER if member else _IDENTIFIER).fullmatch(text) or ".." in text:
        raise InvalidIdentifier(
            f"The {what} {shown} is not valid: it starts with a letter or digit and goes on with "
            "letters, digits, '_', '-' and single '.'."
        )
    return text


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A file to download, pinned by its content.

    Args:
        url: https address of the original; mirrors hold it under the same host and path.
        sha256: lower-case hexadecimal digest of the bytes.
        sha1: the same, where it is all that the publisher gives.
        size: length in bytes; None if the publisher does not tell.
        licence: SPDX identifier where there is one, else the publisher's words.
        hint: told when the file cannot be had: who may have it, where else it is.
    """

    url: str
    sha256: str = ""
    sha1: str = ""
    size: int | None = None
    licence: str
    hint: str = ""

    def __post_init__(self) -> None:
        if not self.sha256 and not self.sha1:
            raise OptionError(f"{self.url} is not pinned: give its sha256, or its sha1.")
        for name, pattern in _DIGESTS.items():
            digest = getattr(self, name)
            if digest and not pattern.fullmatch(digest):
                length = {"sha256": 64, "sha1": 40}[name]
                raise OptionError(
                    f"{self.url}: {name} {digest!r} is not {length} hexadecimal digits."
                )
        if self.size is not None and self.size < 0:
            raise OptionError(f"{self.url}: size {self.size} is negative.")
        if not self.url.startswith(("https://", "http://")):
            raise OptionError(f"The address {self.url!r} is neither https:// nor http://.")

    @property
    def filename(self) -> str:
        """Last part of the address, without its query."""
        return self.url.partition("?")[0].rstrip("/").rpartition("/")[2]

    @property
    def algorithm(self) -> str:
        """Name of the digest that pins the file, as `hashlib` knows it."""
        return "sha256" if self.sha256 else "sha1"

    @property
    def digest(self) -> str:
        """The digest of that algorithm."""
        return self.sha256 or self.sha1


def total_size(resources: Iterable[Resource]) -> int | None:
    """Bytes of all `resources`; None if one of them has no known size."""
    total = 0
    for resource in resources:
        if resource.size is None:
            return None
        total += resource.size
    return total


def human_size(count: int | None) -> str:
    """Bytes in units of 1000.

    >>> human_size(2_560_128), human_size(17)
    ('2.6 MB', '17 bytes')
    """
    if count is None:
        return "size unknown"
    if count < 1000:
        return f"{count} bytes"
    power = min((len(str(count)) - 1) // 3, 4)
    return f"{count / 1000**power:.1f} {'kMGT'[power - 1]}B"


@dataclass(frozen=True, kw_only=True)
class Card(Tabular):
    """What every plugin says of itself. Abstract: use one of its final subclasses.

    Args:
        identifier: the entry point's name, as the field prints it.
        factory: ``"package.module:callable"``, imported on `Registry.create` and not before.
        summary: one line for tables.
        licence: SPDX expression of what the card describes (weights, data, code).
        bibtex: entries to cite, printed by ``corteval cite``.
        version: raised only when scores change.
        interface: number of the core interface the plugin was written for.
        options: keyword arguments for the factory; those of the caller are laid over them.
        resources: files the plugin downloads.
        maintainers: whom to ask.
        superseded_by: identifier of the plugin to use instead.
    """

    identifier: str
    factory: str
    summary: str
    licence: str
    bibtex: str = ""
    version: int = 1
    interface: int = 1
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    resources: tuple[Resource, ...] = ()
    maintainers: tuple[str, ...] = ()
    superseded_by: str | None = None

    words: ClassVar = {"superseded_by": "nothing", "ceiling": "none", "training_data": "not known"}

    def row(self) -> dict[str, Any]:
        """Kind, fields, and what it downloads and is to be cited by."""
        hidden = {"factory", "interface", "options", "resources", "bibtex", "editions", "example"}
        shown = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in hidden}
        size = human_size(total_size(self.resources)) if self.resources else ""
        cite = tuple(re.findall(r"@\w+\s*\{\s*([^,\s}]+)", self.bibtex))
        return {"kind": type(self).__name__, **shown, "downloads": size, "cite": cite}

    def __post_init__(self) -> None:
        check_identifier(self.identifier, member=True)
        if not _FACTORY.fullmatch(self.factory):
            raise OptionError(
                f"{self.identifier}: factory {self.factory!r} is not 'package.module:callable'."
            )

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments the registry hands to the factory."""
        return dict(self.options)


@dataclass(frozen=True, kw_only=True)
class ModelCard(Card):
    """A subject: a model that answers requests about stimuli.

    Args:
        modalities: kinds of stimuli it takes.
        parameters: number of trained or drawn weights, if known.
        training_data: names of the data it was trained on; overlap with a benchmark is shown.
        isolated: whether a run asks it in a process of its own, under opaque stimulus ids. False
            for subjects that are data, such as recorded answers of people.
        weights_to_get: whether nobody may pass its weights on, so that whoever wants its scores
            gets the file and names it (option ``weights``, or a mirror).
    """

    modalities: frozenset[Modality] = frozenset({"image"})
    parameters: int | None = None
    training_data: frozenset[str] = frozenset()
    isolated: bool = True
    weights_to_get: bool = False


@dataclass(frozen=True, kw_only=True)
class ModelFamily(Card):
    """Many models behind one prefix: ``<identifier>/<member>``.

    The factory is called with ``member=<name>``, and says itself which members exist.

    Args:
        modalities: kinds of stimuli its members take.
        members: well-known members, for listings and suggestions.
        isolated: as of `ModelCard`.
        files: ``"package.module:callable"``, called with a member's name, and with those of its
            options that it takes; gives the files and folders of this machine that its answers
            follow from, such as a recording. A score is computed anew when their bytes have
            changed. Empty if there are none.
        wraps: called alike; gives the identifiers of the models that a member is made of. A score
            is computed anew when the code, the version or a file of theirs has changed.
    """

    modalities: frozenset[Modality] = frozenset({"image"})
    members: tuple[str, ...] = ()
    isolated: bool = True
    files: str = ""
    wraps: str = ""

    def member(self, name: str) -> ModelCard:
        """Card of one member."""
        check_identifier(name, member=True)
        return ModelCard(
            identifier=f"{self.identifier}/{name}",
            factory=self.factory,
            summary=self.summary,
            licence=self.licence,
            bibtex=self.bibtex,
            version=self.version,
            interface=self.interface,
            options={**self.options, "member": name},
            resources=self.resources,
            maintainers=self.maintainers,
            superseded_by=self.superseded_by,
            modalities=self.modalities,
            isolated=self.isolated,
        )


@dataclass(frozen=True, kw_only=True)
class BenchmarkCard(Card):
    """A benchmark. Its factory is called with ``card=`` so that one factory serves many cards.

    Args:
        data: identifiers of the data sets it needs.
        metric: identifier of the metric that compares model and data.
        ceiling: identifier of the estimator of the data's reliability; None if the data do not
            allow any, and then scores are not normalised.
        target: recording target or task, e.g. ``"V4"``.
        species: species of the subjects, e.g. ``"macaque"``.
        parent: name of the group in which suites average it.
        controls: identifiers of simple subjects to compare with; ``{model}`` stands for the model,
            as in ``"{model}-untrained"``.
        chance: normalised score that a subject without knowledge of the stimuli may reach.
    """

    data: tuple[str, ...] = ()
    metric: str = ""
    ceiling: str | None = None
    target: str = ""
    species: str = ""
    parent: str | None = None
    controls: tuple[str, ...] = ()
    chance: float = 0.0

    def arguments(self) -> dict[str, Any]:
        """Options, and the card itself."""
        return {**self.options, "card": self}

    def form(
        self, name: str, words: str, *, options: Mapping[str, Any] | None = None, **changed: Any
    ) -> BenchmarkCard:
        """Card of one benchmark of those that share what this card says.

        Args:
            name: comes after this card's identifier and a hyphen.
            words: come after this card's summary and a colon.
            options: laid over this card's; ``notes`` come after its notes.
            changed: other fields.
        """
        given = dict(options or {})
        notes = (*self.options.get("notes", ()), *given.get("notes", ()))
        own = {"notes": notes} if notes else {}
        return replace(
            self,
            identifier=f"{self.identifier}-{name}",
            summary=f"{self.summary}: {words}",
            options={**self.options, **given, **own},
            **changed,
        )


@dataclass(frozen=True)
class Part:
    """A part of a suite: a benchmark, or a group of parts.

    Args:
        name: identifier of the benchmark, or name of the group.
        weight: of the part in the mean over its siblings.
        parts: of the group; none of a benchmark.
    """

    name: str
    weight: float = 1.0
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        check_identifier(self.name, member=True)
        if not 0 < self.weight < float("inf"):
            raise OptionError(f"{self.name}: a weight is a number above 0, not {self.weight}.")


@dataclass(frozen=True, kw_only=True)
class Competition:
    """Dates and rules of an edition of a suite that models compete on.

    What comes after it has closed is marked in reports, never left out.

    Args:
        opens: first day, as ``YYYY-MM-DD``; empty if it has always been open.
        closes: last day on which a score counts, in UTC; empty if it stays open.
        rules: for people, in sentences.
    """

    opens: str = ""
    closes: str = ""
    rules: str = ""

    def __post_init__(self) -> None:
        for name, day in (("opens", self.opens), ("closes", self.closes)):
            if day and not _is_day(day):
                raise OptionError(
                    f"A competition {name} on {day!r}, which is no day; write YYYY-MM-DD, such as "
                    "2027-05-01."
                )
        if self.opens and self.closes and self.closes < self.opens:
            raise OptionError(
                f"A competition closes on {self.closes}, before it opens on {self.opens}."
            )


def _is_day(text: str) -> bool:
    from datetime import date  # not for the many cards without

    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


@dataclass(frozen=True, kw_only=True)
class SuiteCard(Card):
    """A list of benchmarks that never changes: another list is another edition.

    ``<identifier>@<edition>`` names one edition, the identifier alone the last.

    Args:
        editions: parts by number of the edition, such as ``"1.0"``, in the order they came.
        competitions: by number of the edition, for those that are held as one.
    """

    factory: str = "corteval.suites:Suite"
    editions: Mapping[str, tuple[Part, ...]] = field(default_factory=dict, hash=False)
    competitions: Mapping[str, Competition] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.editions or not all(self.editions.values()):
            raise OptionError(f"{self.identifier}: a suite has an edition, and each of them parts.")
        for edition in self.editions:
            check_identifier(edition)
        for edition in self.competitions:
            if edition not in self.editions:
                raise OptionError(
                    f"{self.identifier}: there is a competition of edition {edition!r}, which is "
                    f"none of its editions ({', '.join(self.editions)})."
                )

    def arguments(self) -> dict[str, Any]:
        """Options, and the card itself."""
        return {**self.options, "card": self}


@dataclass(frozen=True, kw_only=True)
class MetricCard(Card):
    """A metric: it compares two assemblies, or estimates the ceiling of one.

    Args:
        role: ``"similarity"`` (two assemblies) or ``"ceiling"`` (one).
        bounds: smallest and largest raw value.
        symmetric: whether source and target may be swapped.
        missing: NaN in the source is ``"refused"``, or stands for a unit without a value and is
            ``"omitted"``.
        takes: form of the target: ``"neural"`` (means over trials), ``"trials"`` (neural, trial by
            trial), ``"answers"`` (right or wrong), ``"choices"`` (which one), ``"times"`` (reading
            times) or ``"other"`` (see its documentation).
        needs: coordinates of the target beyond the ids of stimuli and neuroids.
        ceilings: identifiers of ceilings that fit, the preferred one first.
        cross_validated: whether its options say, or its factory by default, how stimuli are divided
            (``cross_validation``).
        example: ``"module:callable"`` that makes inputs for the conformance kit, if the metric does
            not take presentation x neuroid. It returns, for a similarity, a source as good as one
            can be, its target, and a source that knows nothing of it; for a ceiling, a reliable
            assembly, an unreliable one, and one with a single trial.
    """

    role: Literal["similarity", "ceiling"] = "similarity"
    bounds: tuple[float, float] = (-1.0, 1.0)
    symmetric: bool = False
    missing: Literal["refused", "omitted"] = "refused"
    takes: Literal["neural", "trials", "answers", "choices", "times", "other"] = "neural"
    needs: tuple[str, ...] = ()
    ceilings: tuple[str, ...] = ()
    cross_validated: bool = False
    example: str | None = None


@dataclass(frozen=True, kw_only=True)
class DataCard(Card):
    """A data set: a stimulus set and an assembly.

    Args:
        modality: kind of stimuli.
        access: who may have it.
        species: species of the subjects.
        notes: known restrictions and errata, shown before anything is downloaded.
    """

    modality: Modality = "image"
    access: Access = "public"
    species: str = ""
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int | None:
        """Bytes to download; None if the publisher does not tell."""
        return total_size(self.resources)


@dataclass(frozen=True, kw_only=True)
class DataFamily(Card):
    """Many data sets behind one prefix: ``<identifier>/<member>``.

    Args:
        catalogue: ``"package.module:callable"`` that makes the card of a member from its name. It
            raises `UnknownIdentifier`, with close names, for one that does not exist. Its module
            imports no more than those of cards do.
        members: well-known members, for listings and suggestions.
        access: who may have its members; the card of each says it exactly.
    """

    catalogue: str
    members: tuple[str, ...] = ()
    access: Access = "public"

    def member(self, name: str) -> DataCard:
        """Card of one member.

        Raises:
            UnknownIdentifier: if there is none of this name.
        """
        check_identifier(name, member=True)
        module, _, attribute = self.catalogue.partition(":")
        made: Callable[[str], DataCard] = getattr(import_module(module), attribute)
        return made(name)


#: Cards that stand for many others.
Family = ModelFamily | DataFamily
