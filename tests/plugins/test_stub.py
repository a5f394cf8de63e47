"""_core.pyi says what the compiled module has: names, parameters, defaults, types, docstrings."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import tickwire
from tickwire import _core

STUB = ast.parse((Path(tickwire.__file__).parent / "_core.pyi").read_text())
STUB_CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}

# How pybind11 spells what the stub says more precisely.
SPELLINGS = [
    (r"\btyping\.SupportsInt \| typing\.SupportsIndex", "int"),
    (r"\btyping\.SupportsFloat \| typing\.SupportsIndex", "float"),
    (r"\b(tickwire\._core|collections\.abc|typing)\.", ""),
]
MORE_PRECISE = {
    "_Data": "object",
    "Iterable[tuple[str, _Data]]": "Iterable",
    "Iterable[str]": "Iterable",
    "Mapping[str, Any]": "object",
    "dict[str, Any]": "dict",
}


def words(text: str | None) -> str:
    return " ".join((text or "").split())


def stub_function(node: ast.FunctionDef) -> tuple[str, str]:
    """Its signature as pybind11 would spell it, without self, and its docstring."""
    arguments = [a for a in node.args.args if a.arg != "self"]
    padding: list[ast.expr | None] = [None] * (len(arguments) - len(node.args.defaults))
    spelled = []
    for argument, default in zip(arguments, padding + list(node.args.defaults), strict=True):
        assert argument.annotation is not None
        kind = ast.unparse(argument.annotation)
        text = f"{argument.arg}: {MORE_PRECISE.get(kind, kind)}"
        spelled.append(text if default is None else f"{text} = {ast.unparse(default)}")
    assert node.returns is not None
    returns = ast.unparse(node.returns)
    returns = "str" if returns.startswith("Literal['") else returns
    return f"({', '.join(spelled)}) -> {returns}", words(ast.get_docstring(node))


def core_function(function: object) -> tuple[str, str]:
    first, _, rest = (inspect.getdoc(function) or "").partition("\n")
    for pattern, replacement in SPELLINGS:
        first = re.sub(pattern, replacement, first)
    signature = re.sub(
        r"\((self|arg0): \w+(, )?", "(", first.partition("(")[1] + first.partition("(")[2]
    )
    return signature, words(rest)


def public(names) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def test_the_stub_names_what_the_module_has():
    functions = {node.name for node in STUB.body if isinstance(node, ast.FunctionDef)}
    assert public(functions | STUB_CLASSES.keys() | {"version"}) == public(vars(_core))


@pytest.mark.parametrize("name", STUB_CLASSES)
def test_a_class_is_as_the_stub_says(name):
    stub, core = STUB_CLASSES[name], getattr(_core, name)
    assert words(ast.get_docstring(stub)) == words(core.__doc__)
    members = {node.name: node for node in stub.body if isinstance(node, ast.FunctionDef)}
    assert public(members) == public(vars(core))
    for member, node in members.items():
        here = vars(core)[member]
        decorators = {ast.unparse(d) for d in node.decorator_list}
        assert ("property" in decorators) == isinstance(here, property), member
        assert ("staticmethod" in decorators) == isinstance(here, staticmethod), member
        if isinstance(here, property):
            assert stub_function(node)[0] == core_function(here.fget)[0], member
        else:
            assert stub_function(node) == core_function(getattr(core, member)), member


def test_a_function_is_as_the_stub_says():
    for node in STUB.body:
        if isinstance(node, ast.FunctionDef):
            assert stub_function(node) == core_function(getattr(_core, node.name))
