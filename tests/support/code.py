"""The project's own source, parsed: what the test of the architecture asks its questions of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("mvote", "geo", "qr", "api", "verifier", "ops", "migrations", "tests")
ENTRIES = ("wsgi", "jobs")
OURS = frozenset((*PACKAGES, *ENTRIES))
Function = ast.FunctionDef | ast.AsyncFunctionDef
POSTGIS = re.compile(r"\bST_(?!size\b|mtime_ns\b)[A-Za-z0-9]+", re.IGNORECASE)
"""Its functions; the two others are what `os.stat` says of a file."""


@dataclass(frozen=True)
class Module:
    """One file of Python: its dotted name and its text."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def package(self) -> str:
        """The first part of its name: `mvote`, `api`, `jobs` …"""
        return self.name.partition(".")[0]

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """All its nodes of these kinds."""
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    def functions(self) -> list[Function]:
        """Its functions and methods, inner ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    def imports(self) -> set[str]:
        """The dotted names it imports, `from api import db` as `api.db`."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        return found

    def calls(self, method: str) -> list[int]:
        """The lines in which something's *method* is called."""
        called = (node.func for node in ast.walk(self.tree) if isinstance(node, ast.Call))
        return [
            func.lineno
            for func in called
            if isinstance(func, ast.Attribute) and func.attr == method
        ]

    def postgis_names(self) -> set[str]:
        """The PostGIS functions it names, in Python or in SQL; docstrings may speak of them."""
        attributes = {
            node.attr
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Attribute) and POSTGIS.fullmatch(node.attr)
        }
        texts = {
            node.value
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        in_sql = {name for text in texts - self._docstrings() for name in POSTGIS.findall(text)}
        return attributes | in_sql

    def _docstrings(self) -> set[str]:
        documented = (*self.functions(), *self.nodes(ast.ClassDef), self.tree)
        return {ast.get_docstring(node, clean=False) or "" for node in documented}  # type: ignore[arg-type]

    def queries_of_models(self) -> list[int]:
        """The lines that say `Model.query` or `session.query(…)`."""
        models = [
            node.lineno
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Attribute)
            and node.attr == "query"
            and isinstance(node.value, ast.Name)
            and node.value.id[:1].isupper()
        ]
        return models + self.calls("query")

    def swallowed(self) -> list[int]:
        """The lines that catch every exception and do not raise it again at their end."""
        handlers = (node for node in ast.walk(self.tree) if isinstance(node, ast.ExceptHandler))
        return [each.lineno for each in handlers if _is_broad(each) and not _raises_again(each)]

    def prints(self) -> list[int]:
        """The lines that print."""
        called = (node.func for node in ast.walk(self.tree) if isinstance(node, ast.Call))
        return [f.lineno for f in called if isinstance(f, ast.Name) and f.id == "print"]

    def unannotated(self) -> list[str]:
        """Its functions that do not say what they take, or what they give."""
        return [each.name for each in self.functions() if not _is_annotated(each)]

    def views(self) -> list[Function]:
        """Its functions that stand beneath a route: `@blp.get(…)` and the like."""
        return [each for each in self.functions() if _is_view(each)]


def length(function: Function) -> int:
    """Lines from `def` to the end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _is_broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    broad = ("Exception", "BaseException")
    return caught is None or any(isinstance(n, ast.Name) and n.id in broad for n in names)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_annotated(function: Function) -> bool:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    if named and named[0].arg in ("self", "cls"):
        named = named[1:]
    starred = [each for each in (given.vararg, given.kwarg) if each is not None]
    return function.returns is not None and all(
        each.annotation is not None for each in named + starred
    )


def _is_view(function: Function) -> bool:
    routes = ("get", "post", "put", "patch", "delete")
    return any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and each.func.attr in routes
        for each in function.decorator_list
    )


@cache
def modules() -> tuple[Module, ...]:
    """Every file of Python of this project."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    paths += [ROOT / f"{entry}.py" for entry in ENTRIES]
    return tuple(Module(_name(path), path.read_text(encoding="utf-8")) for path in paths)


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")
