"""_core.pyi says what the compiled module has: names, parameters, defaults, types, docstrings."""

import ast
import inspect
import re
from pathlib import Path
from types import GetSetDescriptorType, WrapperDescriptorType

import pytest

import tickwire
from tickwire import _core

STUB = ast.parse((Path(tickwire.__file__).parent / "_core.pyi").read_text())
STUB_CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}

# How pybind11 spells what the stub says more precisely.
SPELLINGS = [
    (r"\btyping\.SupportsInt \| typing\.SupportsIndex", "int"),
    (r"\btyping\.SupportsFloat \| typing\.SupportsIndex", "float"),
    (r"\btyping_extensions\.CapsuleType", "object"),
    (r"\b(tickwire\._core|collections\.abc|typing)\.", ""),
]


def words(text: str | None) -> str:
    return " ".join((text or "").split())


class Kind(str):
    """A type as pybind11 spells it: equal to every type of the stub that is as wide or narrower."""

    def __eq__(self, stub: object) -> bool:
        mine, precise = str.__str__(self), str.__str__(stub)  # type: ignore[arg-type]
        wider = mine + "[", *(["Literal['"] if mine == "str" else [])
        return mine in {"object", precise} or precise.startswith(wider)

    __hash__ = str.__hash__


def spelled(kind: ast.expr | None) -> str:
    assert kind is not None
    return ast.unparse(kind)


def parts(node: ast.FunctionDef) -> tuple[list[tuple[str, str, str]], str]:
    """Its arguments without self, as name, type and default, and the type that it returns."""
    arguments = [a for a in node.args.args if a.arg not in ("self", "arg0")]
    padding: list[ast.expr | None] = [None] * (len(arguments) - len(node.args.defaults))
    return [
        (argument.arg, spelled(argument.annotation), default and ast.unparse(default))
        for argument, default in zip(arguments, padding + list(node.args.defaults), strict=True)
    ], spelled(node.returns)


def stub_function(node: ast.FunctionDef) -> tuple[object, str]:
    """Its signature and its docstring."""
    return parts(node), words(ast.get_docstring(node))


def core_function(function: object) -> tuple[object, str]:
    first, _, rest = (inspect.getdoc(function) or "").partition("\n")
    for pattern, replacement in SPELLINGS:
        first = re.sub(pattern, replacement, first)
    node = ast.parse(f"def f({first.partition('(')[2]}: ...").body[0]
    assert isinstance(node, ast.FunctionDef)
    arguments, returns = parts(node)
    return ([(name, Kind(kind), value) for name, kind, value in arguments], Kind(returns)), words(
        rest
    )


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
    variables = {ast.unparse(node.target) for node in stub.body if isinstance(node, ast.AnnAssign)}
    assert public(members | dict.fromkeys(variables)) == public(vars(core))
    for member, node in members.items():
        here = vars(core).get(member, core.__init__)
        decorators = {ast.unparse(d) for d in node.decorator_list}
        if isinstance(here, GetSetDescriptorType | WrapperDescriptorType):  # without pybind11
            assert ("property" in decorators) == isinstance(here, GetSetDescriptorType), member
            continue
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
