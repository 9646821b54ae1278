"""Trained models on disk: a folder of three files, written whole or not at all.

``weights.safetensors``: the tensors of `corteval_recurrent.network.RecurrentLanguageModel` under
its own names: ``embedding.weight`` (vocabulary, unit); ``layers.<k>.weight_ih_l0``,
``weight_hh_l0``, ``bias_ih_l0`` and ``bias_hh_l0`` of layer k as `torch.nn.LSTM` and
`torch.nn.GRU` have them, or ``layers.<k>.weights.<n>.weight`` and ``.bias`` of the n-th ``MM`` or
``LayerNorm`` in the text of a cell; ``decoder.bias`` (vocabulary), and ``decoder.weight``
(vocabulary, unit) unless it is tied to the embedding. Layers are numbered from 0.

``vocabulary.json``: ``{"schema": "corteval.recurrent-vocabulary/1", "rule": "words-1",
"lower_case": false, "words": ["<unk>", "<eol>", "the", ...], "characters": ["a", ...]}``; a
word's place is its number; see `corteval_recurrent.words.Vocabulary` for what follows words.

``model.json``: ``{"schema": "corteval.recurrent/1", "architecture": {"cell": "lstm", "width": 200,
"layers": 2, "tied": true, "dropout": 0.3}, "sha256": {"weights.safetensors": "...",
"vocabulary.json": "..."}, "training": {...}}``. ``sha256`` and ``training`` may be left out.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from corteval import settings
from corteval.cards import check_identifier
from corteval.errors import OptionError, UnknownIdentifier, WrongContent
from corteval_pytorch import initialised, load_state
from corteval_recurrent.expressions import close
from corteval_recurrent.network import Architecture, RecurrentLanguageModel
from corteval_recurrent.words import RULE, Vocabulary

SCHEMA = "corteval.recurrent/1"
VOCABULARY_SCHEMA = "corteval.recurrent-vocabulary/1"

WEIGHTS, VOCABULARY, MODEL = "weights.safetensors", "vocabulary.json", "model.json"
_ARCHITECTURE = ("cell", "width", "layers", "tied", "dropout")


@final
@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a folder says of a model, without its weights.

    Args:
        path: of the folder.
        architecture: of the network.
        vocabulary: of its tokens.
        training: as it was recorded; empty if it was not.
        sha256: of the files, where the folder says it.
    """

    path: Path
    architecture: Architecture
    vocabulary: Vocabulary
    training: Mapping[str, Any] = field(default_factory=dict, hash=False)
    sha256: Mapping[str, str] = field(default_factory=dict, hash=False)

    def trained(self) -> RecurrentLanguageModel:
        """The network with its trained weights.

        Raises:
            OptionError: the file of weights is missing, or is of another network.
            WrongContent: it is not the file that was written.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = _checked(self.path / WEIGHTS, self.sha256)
        try:
            state = load_file(path)
        except (SafetensorError, OSError) as error:
            raise OptionError(f"{path} is no readable safetensors file: {error}") from error
        if self.architecture.tied and "embedding.weight" in state:
            state.setdefault("decoder.weight", state["embedding.weight"])
        network = self.untrained(0)
        load_state(network, state, str(path))
        return network

    def untrained(self, seed: int) -> RecurrentLanguageModel:
        """The same network with weights drawn under `seed`."""
        with initialised(seed):
            return RecurrentLanguageModel(self.architecture).eval()


def home() -> Path:
    """Folder of the models that have a name."""
    return settings.home() / "recurrent"


def names() -> list[str]:
    """Names of models below `home`, in alphabetical order."""
    found = home().glob(f"*/{MODEL}")
    return sorted(path.parent.name for path in found if not path.parent.name.startswith("."))


def find(name: str) -> Path:
    """Folder of the model `name`: below `home`, or else a path from the working directory.

    Raises:
        UnknownIdentifier: there is neither; with close names.
    """
    for path in _places(name):
        if (path / MODEL).is_file():
            return path
    raise UnknownIdentifier(
        f"There is no model {name!r} in {home()}, nor a folder of this name with a {MODEL}"
        f"{close(name, names())} `corteval recurrent train` makes one."
    )


def is_there(name: str) -> bool:
    """Whether `find` finds it."""
    return any((path / MODEL).is_file() for path in _places(name))


def save(
    path: Path,
    network: RecurrentLanguageModel,
    vocabulary: Vocabulary,
    *,
    training: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a model to the folder `path`.

    Raises:
        OptionError: the folder is there already and `overwrite` is false, or it holds other
            things, or cannot be written.
    """
    from safetensors.torch import save_file

    check_free(path, overwrite=overwrite)
    unfinished = path.parent / f".{path.name}.{uuid.uuid4().hex[:8]}"
    architecture = network.architecture
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    if architecture.tied:
        state.pop("decoder.weight")
    try:
        unfinished.mkdir(parents=True)
        save_file(state, unfinished / WEIGHTS)
        _write(
            unfinished / VOCABULARY,
            {
                "schema": VOCABULARY_SCHEMA,
                "rule": RULE,
                "lower_case": vocabulary.lower_case,
                "words": list(vocabulary.entries),
                "characters": list(vocabulary.characters),
            },
        )
        _write(
            unfinished / MODEL,
            {
                "schema": SCHEMA,
                "architecture": {name: getattr(architecture, name) for name in _ARCHITECTURE},
                "sha256": {name: _digest(unfinished / name) for name in (WEIGHTS, VOCABULARY)},
                "training": dict(training or {}),
            },
        )
        if path.is_dir():
            shutil.rmtree(path)
        unfinished.rename(path)
    except OSError as error:
        raise OptionError(
            f"The model cannot be written to {path}: {error.strerror or error}."
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def check_free(path: Path, *, overwrite: bool = False) -> None:
    """See that a model may be written to `path`, before it is trained.

    Raises:
        OptionError: see `save`.
    """
    if not path.exists():
        return
    if not path.is_dir() or (any(path.iterdir()) and not (path / MODEL).is_file()):
        raise OptionError(f"{path} is there and is no folder of a model; choose another place.")
    if not overwrite and any(path.iterdir()):
        raise OptionError(
            f"There is a model in {path} already; choose another place or replace it."
        )


def load(path: Path) -> Kept:
    """What the folder `path` says of its model.

    Raises:
        OptionError: a file is missing or says what it must not; names file and key.
        WrongContent: the vocabulary is not the one that was written.
    """
    if not path.is_dir():
        raise OptionError(
            f"There is no such folder: {path}. A model is a folder with {WEIGHTS}, {VOCABULARY} "
            f"and {MODEL}."
        )
    model = _read(path / MODEL, SCHEMA)
    sha256 = model.get("sha256", {})
    words = _read(_checked(path / VOCABULARY, sha256), VOCABULARY_SCHEMA)
    if words.get("rule") != RULE:
        raise OptionError(
            f"{path / VOCABULARY}: words are found by the rule {words.get('rule')!r}; this version "
            f"knows {RULE!r}."
        )
    described = model.get("architecture")
    entries, characters = words.get("words"), words.get("characters", [])
    if not isinstance(described, dict) or set(described) != set(_ARCHITECTURE):
        raise OptionError(
            f"{path / MODEL}: architecture has the keys {', '.join(_ARCHITECTURE)}, "
            f"not {described!r}."
        )
    for name, listed in (("words", entries), ("characters", characters)):
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise OptionError(f"{path / VOCABULARY}: {name} is a list of {name}.")
    vocabulary = Vocabulary(
        entries=tuple(entries or ()),
        characters=tuple(characters),
        lower_case=bool(words.get("lower_case", False)),
    )
    return Kept(
        path=path,
        architecture=Architecture(vocabulary=len(vocabulary), **described),
        vocabulary=vocabulary,
        training=model.get("training", {}),
        sha256=sha256,
    )


def place(folder: Path | None, name: str | None) -> Path:
    """Where a new model goes: to `folder`, or below `home` under `name`.

    Raises:
        OptionError: neither or both are given.
    """
    if (folder is None) == (name is None):
        raise OptionError("Say where the model goes: either a folder (--out) or a name (--id).")
    return folder if folder is not None else home() / check_identifier(str(name))


def _places(name: str) -> tuple[Path, Path]:
    return home() / name, Path(name)


def _checked(path: Path, sha256: Mapping[str, str]) -> Path:
    if not path.is_file():
        raise OptionError(f"There is no file {path}; a model is {WEIGHTS}, {VOCABULARY}, {MODEL}.")
    wanted = sha256.get(path.name)
    if wanted is not None and _digest(path) != wanted:
        raise WrongContent(
            f"{path} is not the file that was written with its {MODEL}; train again, or take its "
            "sha256 out if you changed it on purpose."
        )
    return path


def _read(path: Path, schema: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise OptionError(f"There is no such file: {path}; a folder of a model has it.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OptionError(f"{path} cannot be read as JSON: {reason}") from error
    if not isinstance(content, dict) or content.get("schema") != schema:
        found = content.get("schema") if isinstance(content, dict) else type(content).__name__
        raise OptionError(f"{path}: schema is {schema!r}, not {found!r}.")
    return content


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
