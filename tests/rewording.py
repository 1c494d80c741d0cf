"""Every sentence of the product in other words, and in other words again whenever it is said.

With `REWORD=1` in the environment, the modules of the product are compiled with each literal that looks like a message replaced
by a call that rewords it: a text that is stored, compared or searched for is then never the text that is said a moment
later, as after an upgrade that words it anew. Whatever decides by a message fails. Names, numbers and codes that a message
quotes are not touched, nor are docstrings, and what is no message: see `is_message`.

This module knows no list of messages: a new one is reworded without anybody's doing.
"""

from __future__ import annotations

import ast
import itertools
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

PRODUCT = ("access", "api", "conversion", "integrations", "mailboxes", "notifications", "operations", "sync", "web")
CONTENT = (
    "conversion.cleaning",
    "conversion.mime",
    "conversion.transform",
    "integrations.network.remote_words",
    "integrations.reinfer.remote_words",
)
"""What is sent to Re:infer, looked for in emails, or said by others: part of a contract and no message to anybody here."""
MIGRATIONS = ".migrations."

_WORD = re.compile(r"[a-z][a-z'’-]+[.,;:!?]*")
_SIGNS = re.compile(r"[\\^$|<>=\[\]*+]|\(\?|\b(eq|ge|gt|le|lt|asc|desc)\b")
"""Of a pattern, of markup, of SQL, of OData."""
_ROTATED = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_numbers = itertools.count(1)


def is_message(text: str) -> bool:
    """Whether it has at least two words of a sentence, and none of the signs of something that a machine reads."""
    return not _SIGNS.search(text) and sum(bool(_WORD.fullmatch(word)) for word in text.split()) >= 2


def reworded(text: str) -> str:
    """Other words of the same length, and a number that never comes again. What is to be filled in stays."""
    words = [word.translate(_ROTATED) if _WORD.fullmatch(word) else word for word in text.split(" ")]
    return f"~{next(_numbers)} {' '.join(words)}"


class Said(str):
    """A message that is kept, in a constant or in an attribute of a class: each sentence made of it has other words."""

    __slots__ = ("original",)
    original: str

    def __new__(cls, original: str) -> Said:
        said = super().__new__(cls, reworded(original))
        said.original = original
        return said

    def __str__(self) -> str:
        return reworded(self.original)

    def __format__(self, spec: str) -> str:
        return format(reworded(self.original), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Said, (self.original,))


class _Messages(ast.NodeTransformer):
    """Puts a call around each literal that is a message."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        whole = "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
        self.generic_visit(node)
        if not is_message(whole):
            return node
        # One call before the rest: what is quoted in it stays as it is.
        first = ast.FormattedValue(_call("__reworded__", ast.Constant("it is said")), conversion=-1)
        return ast.copy_location(ast.JoinedStr([first, ast.Constant(" "), *map(_rotated, node.values)]), node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and is_message(node.value):
            return ast.copy_location(_call("__said__", node), node)
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        node.value = self.visit(node.value)
        return node  # its format is no message

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Constant):
            return node  # a docstring
        self.generic_visit(node)
        return node

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.AST:
        return node  # no call may stand in a pattern


def _rotated(part: ast.expr) -> ast.expr:
    if not (isinstance(part, ast.Constant) and isinstance(part.value, str)):
        return part
    words = [word.translate(_ROTATED) if _WORD.fullmatch(word) else word for word in part.value.split(" ")]
    return ast.copy_location(ast.Constant(" ".join(words)), part)


def _call(name: str, argument: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), [argument], [])


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> Any:
        # Never from a cache: what others compiled has the usual words.
        path = self.get_filename(fullname)
        tree = ast.parse(self.get_data(path), path)
        tree = _Messages().visit(tree)
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(__said__=Said, __reworded__=reworded)
        super().exec_module(module)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not is_reworded(fullname):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def is_reworded(module: str) -> bool:
    of_product = module.partition(".")[0] in PRODUCT
    is_content = any(module == name or module.startswith(f"{name}.") for name in CONTENT)
    return of_product and not is_content and MIGRATIONS not in module


def install() -> None:
    """Before anything of the product is imported."""
    early = sorted(name for name in sys.modules if is_reworded(name))
    if early:
        raise RuntimeError(f"imported too early to be reworded: {', '.join(early)}")
    sys.meta_path.insert(0, _Finder())
