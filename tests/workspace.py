"""What the tests across packages know of the repository."""

import ast
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Package:
    folder: Path

    @cached_property
    def project(self):
        return tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]

    @property
    def dist(self):
        return self.project["name"]

    @property
    def module(self):
        return self.dist.replace("-", "_")

    @property
    def source(self):
        return self.folder / "src" / self.module

    @property
    def declared(self):
        """Distributions it depends on."""
        return {name_of(requirement) for requirement in self.project["dependencies"]}

    @property
    def optional(self):
        """Distributions that an extra installs."""
        extras = self.project.get("optional-dependencies", {}).values()
        return {name_of(requirement) for extra in extras for requirement in extra}

    @property
    def kind(self):
        """What its folder says it provides."""
        return self.folder.parent.name

    @property
    def identifiers(self):
        """Entry points of its kind; none of a package that others build on."""
        return self.provided(self.kind)

    def provided(self, kind):
        """Entry points of one kind."""
        return list(self.project.get("entry-points", {}).get(f"corteval.{kind}", {}))

    def __str__(self):
        return self.dist


def name_of(requirement):
    return requirement.split(">")[0].split("=")[0].split("<")[0].split("[")[0].strip()


CORE = Package(ROOT / "core")
PLUGINS = [Package(path.parent) for path in sorted(ROOT.glob("plugins/*/*/pyproject.toml"))]
PACKAGES = [CORE, *PLUGINS]
WITH_CARDS = [plugin for plugin in PLUGINS if plugin.identifiers]


@cache
def imports(path, *, at_once=False):
    """Dotted names a file imports at run time; imports for type checking only do not count.

    With `at_once`, those that the import of the file itself imports.
    """
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    if at_once:
        skipped |= {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for inner in ast.walk(node)
        }
    names = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)
