"""Finding plugins: five registries of cards, read from entry points without importing code.

    >>> from corteval import registry
    >>> sorted(registry.KINDS)
    ['benchmarks', 'data', 'metrics', 'models', 'suites']

An entry point's name is the identifier and its value a card. Look-up ignores case. When several
distributions provide one identifier, ``identifier@distribution`` picks one; without it the look-up
is an error, whatever was installed first. A plugin that cannot be loaded is listed with its error
and harms no other.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import re
import sys
import weakref
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, Literal, TypeVar, cast

from corteval import discovery, model_options, registered, settings
from corteval.cards import (
    INTERFACES,
    BenchmarkCard,
    Card,
    DataCard,
    DataFamily,
    Family,
    MetricCard,
    ModelCard,
    ModelFamily,
    SuiteCard,
    check_identifier,
)
from corteval.errors import (
    CortevalError,
    DuplicateIdentifier,
    InvalidIdentifier,
    OptionError,
    PluginError,
    UnknownIdentifier,
)

C = TypeVar("C", bound=Card)
T = TypeVar("T")

#: Distribution name shown for cards added at run time.
RUNTIME = "runtime"

#: And for data sets that were registered by path.
REGISTERED = "registered"


@dataclass(frozen=True)
class Source:
    """Where a plugin comes from: a distribution, a one-file plugin, or this process."""

    distribution: str
    version: str
    value: str


@dataclass(frozen=True)
class Plugin(Generic[C]):
    """One registered identifier: its card, or the error that stands in its way."""

    identifier: str
    kind: str
    source: Source
    card: C | None = None
    error: PluginError | None = None


@dataclass(frozen=True)
class Creation:
    """How something was created: from which card and source, with which options of the caller."""

    kind: str
    identifier: str
    version: int
    source: Source
    options: dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """Something `corteval doctor` reports: what is wrong with which plugin."""

    kind: str
    identifier: str
    source: Source
    reason: str
    error: BaseException | None = None


class Registry(Generic[C]):
    """Cards of one kind by identifier."""

    def __init__(self, kind: str, card_types: tuple[type[Card], ...]) -> None:
        self.kind = kind
        self.card_types = card_types
        self._added: dict[str, Plugin[C]] = {}
        self._groups: dict[str, list[Plugin[C]]] = {}
        self._grouped: tuple[Plugin[C], ...] = ()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({p.identifier for p in self.plugins() if p.card}, key=str.casefold))

    def __contains__(self, identifier: object) -> bool:
        try:
            self.card(str(identifier))
        except CortevalError:
            return False
        return True

    def plugins(self) -> list[Plugin[C]]:
        """Everything registered, loadable or not, in order of identifier and distribution."""
        found = [*self._installed, *self._added.values()]
        return sorted(found, key=lambda p: (p.identifier.casefold(), p.source.distribution))

    def card(self, identifier: str) -> C:
        """The card of `identifier`, a member of a family, or ``identifier@distribution``.

        Raises:
            InvalidIdentifier, UnknownIdentifier, DuplicateIdentifier, PluginError
        """
        plugin, member = self._find(identifier)
        if plugin.card is None:
            raise plugin.error or PluginError(f"{identifier} has no card.")
        if isinstance(plugin.card, Family) and member:
            return self._member(plugin, plugin.card, member)
        return plugin.card

    def source(self, identifier: str) -> Source:
        """Where `identifier` comes from."""
        return self._find(identifier)[0].source

    def member_card(self, identifier: str) -> C:
        """The card of `identifier`, which is no family.

        Raises:
            UnknownIdentifier: of a family; names some members.
        """
        card = self.card(identifier)
        if isinstance(card, Family):
            examples = ", ".join(f"{card.identifier}/{name}" for name in card.members[:3])
            raise UnknownIdentifier(
                f"{card.identifier} is a family of {self.kind}; name a member"
                + (f", such as {examples}." if examples else ".")
            )
        return card

    def create(self, identifier: str, **options: Any) -> Any:
        """Build what `identifier` names; `options` are laid over those of its card.

        Those of a model may be behind its identifier, see `corteval.model_options`.

        Raises:
            OptionError: for an option the factory does not take.
            PluginError: when the factory cannot be imported or raises.
        """
        plugin, _ = self._find(identifier)
        card = self.member_card(identifier)
        options = {**self._options(identifier), **options}
        arguments = {**card.arguments(), **options}
        factory = self._checked_factory(card, plugin, arguments)
        self._check_written(card, factory, identifier)
        try:
            created = factory(**arguments)
        except CortevalError:
            raise
        except (Exception, SystemExit) as error:
            raise _plugin_error(self.kind, card.identifier, plugin.source, error) from error
        how = Creation(self.kind, card.identifier, card.version, plugin.source, options)
        _remember(created, how)
        return created

    def check_options(self, identifier: str) -> None:
        """Whether what `identifier` names takes the options behind it; builds nothing.

        Raises:
            OptionError: if not, or a value is of a type it cannot take; names those it takes.
            PluginError: when the factory cannot be imported.
        """
        card = self.member_card(identifier)
        arguments = {**card.arguments(), **self._options(identifier)}
        factory = self._checked_factory(card, self._find(identifier)[0], arguments)
        self._check_written(card, factory, identifier)

    def _checked_factory(self, card: C, plugin: Plugin[C], arguments: dict[str, Any]) -> Any:
        factory = _import_factory(card, plugin)
        _check_options(card, factory, arguments)
        return factory

    def _check_written(self, card: C, factory: Any, identifier: str) -> None:
        for name, value in self._options(identifier).items():
            taken = model_options.taken_by(factory, name)
            if taken and not model_options.fits(value, taken):
                raise OptionError(
                    f"{card.identifier}: the option {name} takes {model_options.in_words(taken)}, "
                    f"not {value!r}.{model_options.quoting(name, value, taken)}"
                )

    def _options(self, identifier: str) -> dict[str, Any]:
        """Options behind an identifier."""
        return model_options.parse(identifier)[1] if self.kind == "models" else {}

    def where(self, **fields: Any) -> list[C]:
        """Cards whose fields equal the given values; of a collection, those that hold the value."""
        cards = (p.card for p in self.plugins() if p.card is not None)
        return [c for c in cards if all(_matches(c, name, v) for name, v in fields.items())]

    def add(self, card: C, *, replace: bool = False) -> None:
        """Register `card` for this process, for instance from a notebook.

        Args:
            card: its factory may name ``"__main__:build"``.
            replace: overwrite what was added before under this identifier.
        """
        self._check_card(card, card.identifier)
        key = card.identifier.casefold()
        taken = [p for p in self._installed if p.identifier.casefold() == key]
        if taken:
            raise DuplicateIdentifier(
                f"{card.identifier} is already provided by {taken[0].source.distribution}; "
                "choose another identifier."
            )
        if key in self._added and not replace:
            raise DuplicateIdentifier(
                f"{card.identifier} was already added; pass replace=True to overwrite it."
            )
        self._added[key] = Plugin(
            card.identifier, self.kind, Source(RUNTIME, "", card.factory), card=card
        )
        self._groups = {}

    @contextlib.contextmanager
    def temporary(self, *cards: C) -> Iterator[None]:
        """Register `cards` for the duration of the block."""
        before = dict(self._added)
        try:
            for card in cards:
                self.add(card)
            yield
        finally:
            self._added, self._groups = before, {}

    def problems(self) -> list[Problem]:
        """Broken plugins, then identifiers that several distributions provide."""
        found = [
            Problem(self.kind, p.identifier, p.source, str(p.error), p.error)
            for p in self.plugins()
            if p.error
        ]
        for same in self._by_key().values():
            for plugin in same if len(same) > 1 else ():
                others = ", ".join(_describe(p.source) for p in same if p is not plugin)
                reason = f"also provided by {others}; ask for {_qualified(plugin)}"
                found.append(Problem(self.kind, plugin.identifier, plugin.source, reason))
        return found

    def unusable(self) -> list[Problem]:
        """Plugins with a sound card whose code cannot be imported; imports all of it."""
        found = []
        for plugin in self.plugins():
            if plugin.card is not None:
                try:
                    _import_factory(plugin.card, plugin)
                except PluginError as error:
                    where = (self.kind, plugin.identifier, plugin.source)
                    found.append(Problem(*where, str(error), error))
        return found

    def reload(self) -> None:
        """Forget what was read; the next look-up discovers plugins anew."""
        self.__dict__.pop("_installed", None)
        self._groups = {}

    @cached_property
    def _installed(self) -> tuple[Plugin[C], ...]:
        return (*self._from_entry_points(), *self._from_files(), *self._from_registrations())

    def _from_entry_points(self) -> Iterator[Plugin[C]]:
        named: dict[int, tuple[str, str]] = {}  # each look at a distribution parses its metadata
        for entry_point in discovery.entry_points(f"corteval.{self.kind}"):
            dist = entry_point.dist
            if id(dist) not in named:
                named[id(dist)] = (dist.name, dist.version) if dist else ("unknown", "")
            source = Source(*named[id(dist)], entry_point.value)
            try:
                check_identifier(entry_point.name)
                with contextlib.redirect_stdout(sys.stderr):
                    card = self._check_card(entry_point.load(), entry_point.name)
                yield Plugin(entry_point.name, self.kind, source, card=card)
            except (Exception, SystemExit) as error:
                problem = _plugin_error(self.kind, entry_point.name, source, error)
                yield Plugin(entry_point.name, self.kind, source, error=problem)

    def _from_files(self) -> Iterator[Plugin[C]]:
        for path in _plugin_files():
            source = Source(path.name, "", str(path))
            module = _load_file(path)
            if isinstance(module, BaseException):
                if self.kind == "models":  # a file that cannot be read has no kind: name it once
                    problem = _plugin_error("file", path.stem, source, module)
                    yield Plugin(path.stem, self.kind, source, error=problem)
                continue
            for card in vars(module).values():
                if isinstance(card, self.card_types):
                    try:
                        self._check_card(card, card.identifier)
                        yield Plugin(card.identifier, self.kind, source, card=cast("C", card))
                    except CortevalError as error:
                        problem = _plugin_error(self.kind, card.identifier, source, error)
                        yield Plugin(card.identifier, self.kind, source, error=problem)

    def _from_registrations(self) -> Iterator[Plugin[C]]:
        """Data sets registered by path, and the benchmarks that come with them."""
        if self.kind not in {"data", "benchmarks"}:
            return
        for file in registered.files():
            source = Source(REGISTERED, "", str(file))
            try:
                registration = registered.read(file)
                cards: list[Any] = [registered.data_card(registration)]
                if self.kind == "benchmarks":
                    cards = [*registered.benchmark_cards(registration, _metric_cards(), REGISTERED)]
                for card in cards:
                    yield Plugin(card.identifier, self.kind, source, card=card)
            except Exception as error:
                if self.kind == "data":  # one that cannot be read is named once
                    problem = _plugin_error(self.kind, file.stem, source, error)
                    yield Plugin(file.stem, self.kind, source, error=problem)

    def _check_card(self, card: Any, name: str) -> C:
        expected = " or ".join(t.__name__ for t in self.card_types)
        if not isinstance(card, self.card_types):
            raise PluginError(f"it names a {type(card).__name__}, not a {expected}")
        if card.interface not in INTERFACES:
            spoken = f"{INTERFACES.start} to {INTERFACES.stop - 1}"
            raise PluginError(
                f"it was written for interface {card.interface}; this Corteval speaks {spoken}. "
                "Install matching versions of both."
            )
        if card.identifier != name:
            raise PluginError(
                f"its card calls itself {card.identifier!r} but it is registered as {name!r}"
            )
        return cast("C", card)

    def _by_key(self) -> dict[str, list[Plugin[C]]]:
        """Plugins by identifier, grouped once until one is added."""
        if not self._groups or self._grouped is not self._installed:
            self._grouped = self._installed
            groups: dict[str, list[Plugin[C]]] = {}
            for plugin in self.plugins():
                groups.setdefault(plugin.identifier.casefold(), []).append(plugin)
            self._groups = groups
        return self._groups

    def _find(self, identifier: str) -> tuple[Plugin[C], str]:
        """The plugin behind `identifier`, and the member asked for if it is a family."""
        if self.kind == "models":
            identifier = model_options.parse(identifier)[0]
        name, _, distribution = identifier.partition("@")
        prefix, slash, member = name.partition("/")
        check_identifier(name, member=bool(slash))
        candidates = self._by_key().get(prefix.casefold(), [])
        if distribution:
            candidates = [p for p in candidates if _qualifies(p, distribution)]
        if slash:
            candidates = [p for p in candidates if isinstance(p.card, Family) or p.error]
        if not candidates:
            raise UnknownIdentifier(self._unknown(identifier))
        if len(candidates) > 1:
            listed = "; ".join(f"{_qualified(p)} ({_describe(p.source)})" for p in candidates)
            raise DuplicateIdentifier(
                f"{len(candidates)} distributions provide {self.kind} {name!r}. "
                f"Ask for one: {listed}.{_way_out(candidates, name)}"
            )
        return candidates[0], member

    def _member(self, plugin: Plugin[C], family: Family, name: str) -> C:
        try:
            with contextlib.redirect_stdout(sys.stderr):
                return cast("C", family.member(name))
        except CortevalError:
            raise
        except (Exception, SystemExit) as error:
            source = plugin.source
            raise _plugin_error(self.kind, f"{family.identifier}/{name}", source, error) from error

    def _unknown(self, identifier: str) -> str:
        import difflib

        from corteval.known_plugins import INSTALL

        singular = "data set" if self.kind == "data" else self.kind.removesuffix("s")
        message = f"No installed plugin provides the {singular} {identifier!r}."
        install = INSTALL[self.kind]
        if self.kind == "benchmarks":  # where a suite may stand, too
            install = {**install, **INSTALL["suites"]}
        here = {*self, *(suites if self.kind == "benchmarks" else ())}
        names = {n.casefold(): n for n in [*here, *install]}
        key, _, after = identifier.partition("@")
        key = key.partition("/")[0].casefold()
        if key in names and names[key] not in here:
            return f"{message} Get it with: pip install {install[names[key]]}"
        same = [p for p in self.plugins() if p.identifier.casefold() == key]
        if same and after:
            return f"{message} There is {' and '.join(map(_qualified, same))}{_editions(same)}."
        close = [names[k] for k in difflib.get_close_matches(key, names, n=3, cutoff=0.5)]
        if close:
            message += f" Did you mean {' or '.join(close)}?"
        broken = sum(plugin.error is not None for plugin in models.plugins() + self.plugins())
        if broken:
            message += f" Some plugins cannot be loaded: `corteval doctor` says why ({broken})."
        return f"{message} `corteval list {self.kind}` shows all."


models: Registry[ModelCard | ModelFamily] = Registry("models", (ModelCard, ModelFamily))
benchmarks: Registry[BenchmarkCard] = Registry("benchmarks", (BenchmarkCard,))
metrics: Registry[MetricCard] = Registry("metrics", (MetricCard,))
data: Registry[DataCard | DataFamily] = Registry("data", (DataCard, DataFamily))

suites: Registry[SuiteCard] = Registry("suites", (SuiteCard,))

KINDS: dict[str, Registry[Any]] = {r.kind: r for r in (models, benchmarks, metrics, data, suites)}


def problems() -> list[Problem]:
    """Problems of all registries."""
    return [problem for registry in KINDS.values() for problem in registry.problems()]


def data_card(identifier: str) -> DataCard:
    """The card of one data set, which may be a member of a family.

    Raises:
        InvalidIdentifier, UnknownIdentifier, DuplicateIdentifier, PluginError
    """
    return cast("DataCard", data.member_card(identifier))


def creation_of(thing: object) -> Creation | None:
    """How `thing` was created, if a registry created it."""
    known = _CREATED.get(id(thing))
    return known[1] if known and known[0]() is thing else None


def derive(changed: T, original: object, **options: Any) -> T:
    """`changed`, which was made of `original`, is known from now on as created like it.

    Scores then name it as they name what was created with `options`: modified, the options kept.
    """
    how = creation_of(original)
    if how is not None:
        _remember(changed, replace(how, options={**how.options, **options}))
    return changed


def find(identifier: str) -> list[tuple[str, Card]]:
    """(kind, card) of every registry that knows `identifier`; with options behind it, of models.

    Raises:
        UnknownIdentifier: if none does; with suggestions from all of them.
        PluginError, DuplicateIdentifier: if one does and it cannot be used.
    """
    found: list[tuple[str, Card]] = []
    unknown: list[str] = []
    of_families: list[str] = []  # who know their members best
    family, slash, _ = model_options.bare(identifier).partition("/")
    kinds = {"models": models} if ":" in identifier else KINDS
    for kind, registry in kinds.items():
        try:
            found.append((kind, registry.card(identifier)))
        except UnknownIdentifier as error:
            (of_families if slash and family in registry else unknown).append(str(error))
    if not found:
        for_sure = [t for t in unknown if "pip install" in t or "There is" in t]
        close = [text for text in unknown if "Did you mean" in text]
        close.sort(key=lambda text: -_likeness(identifier, text))
        hints = [*of_families, *for_sure, *close]
        raise UnknownIdentifier(
            hints[0]
            if hints
            else f"Nothing installed is called {identifier!r}. See `corteval list`."
        )
    return found


def _likeness(identifier: str, message: str) -> float:
    """How like `identifier` the first name is that `message` suggests; 1 is the same."""
    from difflib import SequenceMatcher

    suggested = message.partition("Did you mean ")[2].partition("?")[0].partition(" or ")[0]
    return SequenceMatcher(None, identifier.casefold(), suggested.casefold()).ratio()


def reload() -> None:
    """Discover everything anew, for instance after an installation in a running process."""
    discovery.forget()
    _FILES.clear()
    for registry in KINDS.values():
        registry.reload()


#: By `id`, since what plugins create may not be hashable; forgotten with the object.
_CREATED: dict[int, tuple[weakref.ref[Any], Creation]] = {}


def _metric_cards() -> dict[str, MetricCard]:
    return {plugin.identifier: plugin.card for plugin in metrics.plugins() if plugin.card}


def _editions(plugins: list[Plugin[Any]]) -> str:
    numbers = [e for p in plugins if isinstance(p.card, SuiteCard) for e in p.card.editions]
    return f", edition {' and '.join(numbers)}" if numbers else ""


def _way_out(candidates: list[Plugin[Any]], name: str) -> str:
    if not any(p.source.distribution == REGISTERED and p.kind == "data" for p in candidates):
        return ""
    return f" `corteval data rm {name}` forgets the registered one."


def _remember(created: object, how: Creation) -> None:
    key = id(created)
    # without a weak reference to it, a thing has no provenance beyond its own words
    with contextlib.suppress(TypeError):
        _CREATED[key] = weakref.ref(created, lambda _: _CREATED.pop(key, None)), how


def own_files(model: str) -> tuple[Path, ...]:
    """Files and folders of this machine that a model is made of.

    Those that options behind its name say, and what the family that it is a member of tells. A
    family that does not find a member's tells none: the use of the model says what is wrong.

    Raises:
        PluginError: the function that the family names cannot be used.
    """
    named = tuple(model_options.paths_in(model_options.parse(model)[1]))
    try:
        told = [Path(file).resolve() for file in _told_by_family(model, "files")]
    except PluginError:
        raise
    except CortevalError:
        return named
    known = {path.resolve() for path in named}
    return (*named, *(path for path in told if path not in known))


def wrapped_models(model: str) -> tuple[str, ...]:
    """Models that a member of a family is made of, with the options they are built with.

    Raises:
        PluginError: the function that the family names cannot be used.
        CortevalError: it says that there is no such member.
    """
    return tuple(map(str, _told_by_family(model, "wraps")))


def _told_by_family(model: str, what: Literal["files", "wraps"]) -> tuple[Any, ...]:
    """What the function says of a member that its family names in the field `what`."""
    identifier, options = model_options.parse(model)
    name, at, distribution = identifier.partition("@")
    prefix, _, member = name.partition("/")
    family = f"{prefix}{at}{distribution}"
    card = models.card(family) if member else None
    if not isinstance(card, ModelFamily) or not getattr(card, what):
        return ()
    plugin = models._find(family)[0]
    tell = _import_factory(replace(card, factory=getattr(card, what)), plugin)
    try:
        taken = inspect.signature(tell).parameters
        takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in taken.values())
        given = {n: value for n, value in options.items() if takes_all or n in taken}
        return tuple(tell(member, **given))
    except CortevalError:
        raise
    except Exception as error:
        raise _plugin_error(plugin.kind, card.identifier, plugin.source, error) from error


def _import_factory(card: Card, plugin: Plugin[Any]) -> Any:
    module_name, _, attributes = card.factory.partition(":")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            found: Any = importlib.import_module(module_name)
            for attribute in attributes.split("."):
                found = getattr(found, attribute)
    except (Exception, SystemExit) as error:
        raise _plugin_error(plugin.kind, card.identifier, plugin.source, error) from error
    if not callable(found):
        reason = PluginError(f"its factory {card.factory} is not callable")
        raise _plugin_error(plugin.kind, card.identifier, plugin.source, reason)
    return found


def _check_options(card: Card, factory: Any, arguments: dict[str, Any]) -> None:
    try:
        signature = inspect.signature(factory)
    except ValueError:  # a callable written in C tells nothing
        return
    try:
        signature.bind(**arguments)
    except TypeError as error:
        taken = [name for name in signature.parameters if name != "card"]
        hint = _close_option(arguments, taken)
        raise OptionError(
            f"{card.identifier}: {error}.{hint} Its options are {', '.join(taken) or 'none'}."
        ) from None


def _close_option(given: dict[str, Any], taken: list[str]) -> str:
    """What may have been meant by options that are not taken."""
    import difflib

    close = [
        f"{name}: did you mean {found[0]}?"
        for name in given
        if name not in taken and name != "card"
        for found in [difflib.get_close_matches(name, taken, n=1)]
        if found
    ]
    return f" {' '.join(close)}" if close else ""


def check_parts(card: BenchmarkCard) -> None:
    """Whether metric, ceiling and data of a benchmark's card are installed.

    Raises:
        CortevalError: names the first that is not, and what is like it or provides it.
    """
    for name in ("data", "controls"):
        if isinstance(getattr(card, name), str):
            value = getattr(card, name)
            raise OptionError(f"{card.identifier}: {name} is a tuple, such as ({value!r},).")
    named = [("metrics", card.metric), ("metrics", card.ceiling or "")]
    for kind, identifier in (*named, *(("data", name) for name in card.data)):
        if not identifier:
            continue
        try:
            KINDS[kind].card(identifier)
        except UnknownIdentifier as error:
            raise UnknownIdentifier(f"{card.identifier}: {error}") from error
    for role, metric in (("similarity", card.metric), ("ceiling", card.ceiling)):
        found = metrics.card(metric).role if metric else role
        if found != role:
            raise OptionError(
                f"{card.identifier}: {metric} is a {found}, and stands where a {role} belongs."
            )


def _plugin_error(kind: str, identifier: str, source: Source, error: BaseException) -> PluginError:
    if isinstance(error, (PluginError, InvalidIdentifier)):
        reason = str(error)
    elif isinstance(error, SystemExit):
        reason = f"it called sys.exit({error.code!r}) while it was loaded"
    else:
        reason = f"{type(error).__name__}: {error}"
    problem = PluginError(
        f"{kind.removesuffix('s').capitalize()} plugin {identifier!r} from {_describe(source)} "
        f"({source.value}) cannot be used: {reason}"
    )
    problem.__cause__ = error
    return problem


def _describe(source: Source) -> str:
    return f"{source.distribution} {source.version}".strip()


def _qualified(plugin: Plugin[Any]) -> str:
    return f"{plugin.identifier}@{plugin.source.distribution}"


def _qualifies(plugin: Plugin[Any], text: str) -> bool:
    """Whether `text`, after the @, names the plugin's distribution or an edition of the suite."""
    if isinstance(plugin.card, SuiteCard) and text in plugin.card.editions:
        return True
    return _normalized(plugin.source.distribution) == _normalized(text)


def _normalized(distribution: str) -> str:
    return distribution.casefold().replace("_", "-").replace(".", "-")


def _matches(card: Card, name: str, wanted: Any) -> bool:
    value = getattr(card, name, None)
    if isinstance(value, (tuple, frozenset)):
        return wanted in value or value == wanted
    return bool(value == wanted)


_FILES: dict[Path, ModuleType | BaseException] = {}


def _plugin_files() -> list[Path]:
    folders = settings.plugin_path()
    found = [p for folder in folders for p in sorted(folder.glob("*.py")) if p.name[0] != "_"]
    return list(dict.fromkeys(path.resolve() for path in found))


def _load_file(path: Path) -> ModuleType | BaseException:
    """The module of a one-file plugin, loaded once; or the error it raised."""
    path = path.resolve()
    if path not in _FILES:
        from importlib.util import module_from_spec, spec_from_file_location

        # Folders may hold files of one name; the checksum keeps their modules apart.
        name = re.sub(r"\W", "_", f"corteval_file_{path.stem}_{zlib.crc32(str(path).encode()):x}")
        spec = spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise PluginError(f"{path} cannot be loaded as a Python file.")
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            with contextlib.redirect_stdout(sys.stderr):
                spec.loader.exec_module(module)
            _FILES[path] = module
        except (Exception, SystemExit) as error:
            del sys.modules[name]
            _FILES[path] = error
    return _FILES[path]
