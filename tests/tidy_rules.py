"""The house rules a program can check. Each takes a file's place and text and yields complaints."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

Rule = Callable[[Path, str], Iterator[str]]

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

PURE_LAYERS = ("model", "codec", "client", "protocol", "hub", "session", "access", "fanout")
# A pure layer knows no thread, no clock, no file and no socket. A mutex is none of these.
IMPURE = re.compile(
    r"thread|chrono|fstream|filesystem|iostream|future|condition_variable|\w+\.h|sys/.*"
)
C_HEADERS_ALLOWED = {"zlib.h"}
ONLY_IN = {
    "libwebsockets": re.compile(r"core/net/"),
    "openssl": re.compile(r"core/(access|net)/|tests/core/fakes/"),
    "sqlite3": re.compile(r"core/store/"),
    "pybind11": re.compile(r"bindings/|core/daemon/"),
    "Python": re.compile(r"bindings/|core/daemon/"),
}

# What braces inside must not be counted: raw strings, comments, strings, characters (but not the
# separator of 1'000).
CPP_OPAQUE = re.compile(
    r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'',
    re.S,
)
CPP_CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$")


def file_length(place: Path, text: str) -> Iterator[str]:
    if (lines := text.count("\n")) > FILE_LINES_MAX:
        yield f"{place}: {lines} lines, at most {FILE_LINES_MAX}"


def function_length(place: Path, text: str) -> Iterator[str]:
    spans = python_functions(text) if place.suffix == ".py" else cpp_functions(text)
    for first, last in spans:
        if (lines := last - first + 1) > FUNCTION_LINES_MAX:
            yield f"{place}:{first}: a function of {lines} lines, at most {FUNCTION_LINES_MAX}"


def python_functions(text: str) -> Iterator[tuple[int, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.end_lineno or node.lineno


def cpp_functions(text: str) -> Iterator[tuple[int, int]]:
    """Lines of the outermost braces that open after a parenthesis, outside of any other body."""
    code = CPP_OPAQUE.sub(lambda m: "\n" * m.group().count("\n"), text)
    code = re.sub(r"^#.*", "", code, flags=re.M)
    outside: list[int] = []  # the open braces of namespaces and classes
    depth, opened, chunk = 0, 0, 0
    for mark in re.finditer(r"[{};]", code):
        head = code[chunk : mark.start()]
        line = code.count("\n", 0, mark.start()) + 1
        if mark.group() == "{":
            if depth == len(outside) and CPP_CONTAINER.search(head):
                outside.append(depth)
            elif depth == len(outside):
                opened = line if "(" in head else 0
            depth += 1
        elif mark.group() == "}":
            depth -= 1
            if outside and outside[-1] == depth:
                outside.pop()
            elif depth == len(outside) and opened:
                yield opened, line
        chunk = mark.end()


def header_contract(place: Path, text: str) -> Iterator[str]:
    if place.suffix == ".h" and not text.startswith("// "):
        yield f"{place}:1: a header opens with its contract, as a comment"


def includes(place: Path, text: str) -> Iterator[str]:
    found = re.findall(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', text, re.M)
    for header in found:
        if "../" in header:
            yield f"{place}: includes {header}; name it from its layer"
        for library, home in ONLY_IN.items():
            if re.match(rf"{library}(\.h$|/)", header) and not home.match(str(place)):
                yield f"{place}: includes {header}, which only {home.pattern} may"
        if place.parts[:1] == ("core",) and place.parts[1] in PURE_LAYERS:
            own = "/" in header and header.split("/")[0] in (*PURE_LAYERS, "base")
            if not own and header not in C_HEADERS_ALLOWED and IMPURE.fullmatch(header):
                yield f"{place}: includes {header}, but {place.parts[1]} is a pure layer"


def unfinished(place: Path, text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        if re.search(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b", line):
            yield f"{place}:{number}: unfinished: {line.strip()}"


def heading_anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-") for h in headings}


def dead_links(place: Path, text: str, root: Path) -> Iterator[str]:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)
    for link in re.findall(r'\]\(([^)\s]+)\)|<img[^>]*\bsrc="([^"]+)"', prose):
        target, _, anchor = (link[0] or link[1]).partition("#")
        if re.match(r"\w+:", target):
            continue
        path = (root / place).parent / target if target else root / place
        if not path.exists():
            yield f"{place}: links to {target}, which is not there"
        elif anchor and path.suffix == ".md" and anchor not in heading_anchors(path.read_text()):
            yield f"{place}: links to #{anchor} in {path.name}, which has no such heading"
