"""C++, JavaScript, Python and the document say the same about codes."""

import re
from pathlib import Path

from tickwire import exit_codes
from tickwire.codes import CLOSE_CODES, ERROR_CODES

ROOT = Path(__file__).parents[2]


def read(place: str) -> str:
    return (ROOT / place).read_text()


def table(text: str, heading: str) -> dict[str, str]:
    """First and second column of the Markdown table with that heading."""
    rows = text.split(heading, 1)[1].lstrip("\n").split("\n\n", 1)[0].splitlines()[1:]
    cells = [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]
    return {first: second for first, second, *_ in cells}


def cpp_error_codes() -> dict[str, bool]:
    rows = re.findall(
        r'CodeRow\{ErrorCode::\w+, "(\w+)", (true|false)\}', read("core/protocol/codes.h")
    )
    return {name: retryable == "true" for name, retryable in rows}


def javascript(name: str) -> dict[str, bool]:
    body = re.search(rf"export const {name} = \{{(.*?)\}};", read("web/codes.js"), re.S)
    assert body
    return {key: value == "true" for key, value in re.findall(r"(\w+): (true|false),", body[1])}


def documented(heading: str) -> dict[str, bool]:
    return {key: value == "yes" for key, value in table(read("docs/PROTOCOL.md"), heading).items()}


def test_error_codes() -> None:
    assert len(ERROR_CODES) == 12
    assert cpp_error_codes() == ERROR_CODES
    assert javascript("CODES") == ERROR_CODES
    assert documented("| code | retryable | meaning |") == ERROR_CODES


def test_every_error_that_a_client_can_see_has_a_row() -> None:
    enumerators = re.search(r"enum class ErrorCode[^{]*\{(.*?)\};", read("core/base/error.h"), re.S)
    assert enumerators
    names = re.findall(r"^\s*k(\w+),", enumerators[1], re.M)
    wire = names[: names.index("BadConfig")]
    snake = [re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in wire]
    assert snake == list(ERROR_CODES)


def test_close_codes() -> None:
    text = {str(code): reconnect for code, reconnect in CLOSE_CODES.items()}
    assert documented("| close | reconnect | meaning |") == text
    assert javascript("CLOSE_CODES") == text
    body = re.search(r"enum class CloseCode[^{]*\{(.*?)\};", read("core/protocol/codes.h"), re.S)
    assert body
    assert re.findall(r"k\w+ = (\d+)", body[1]) == list(text)


def test_the_ranges_hold_for_our_own_codes() -> None:
    own = {code: reconnect for code, reconnect in CLOSE_CODES.items() if code >= 4000}
    assert own
    assert all(reconnect == (code < 4500) for code, reconnect in own.items())


def test_exit_codes() -> None:
    pairs = re.findall(r"kExit(\w+) = (\d+)", read("core/engine/exit_codes.h"))
    cpp = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper(): int(code) for name, code in pairs}
    python = {
        name: value
        for name, value in vars(exit_codes).items()
        if name.isupper() and isinstance(value, int)
    }
    assert python == cpp
