"""docs/CLIENT.md and docs/CLI.md do what they say."""

import asyncio
import os
import re
import sys
import textwrap
from pathlib import Path

import tickwire
from tickwire import errors, exit_codes

DOCS = Path(__file__).parents[2] / "docs"


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / document).read_text(), re.S)


def sessions() -> list[tuple[str, str]]:
    """Each command of the console blocks with what it should print."""
    found: list[tuple[str, str]] = []
    for block in blocks("CLI.md", "console"):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


async def test_the_client_s_blocks_run(demo: str) -> None:
    found = blocks("CLIENT.md", "python")
    assert len(found) == 11
    for block in found:
        code = re.sub(r"(ws://)?127\.0\.0\.1:8080(/ws)?", demo, block)
        scope: dict[str, object] = {"tickwire": tickwire, "asyncio": asyncio}
        exec("async def example():\n" + textwrap.indent(code, "    "), scope)
        async with asyncio.timeout(60):
            await scope["example"]()  # type: ignore[operator]


async def test_the_command_s_sessions_run(demo: str, tmp_path: Path) -> None:
    program = tmp_path / "tickwire"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tickwire "$@"\n')
    program.chmod(0o755)
    env = {**os.environ, "TICKWIRE_URL": demo, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert len(sessions()) > 8
    for command, expected in sessions():
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", command),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=env,
        )
        async with asyncio.timeout(60):
            out, _ = await process.communicate()
        pattern = re.escape(expected).replace(re.escape("..."), ".*")
        assert re.fullmatch(pattern, out.decode(), re.S), f"$ {command}\n{out.decode()}"


def test_the_tree_of_errors_is_the_tree() -> None:
    drawn = re.findall(r"(\w+Error)", blocks("CLIENT.md", "text")[0])
    assert drawn == re.findall(r"^.*?(\w+Error)", (errors.__doc__ or "").split("What")[0], re.M)


def test_every_field_of_an_update_is_explained() -> None:
    table = (DOCS / "CLIENT.md").read_text().split("## Updates")[1].split("##")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in row.split(", ")}
    assert {name.strip("`") for name in named} == set(tickwire.Update.__match_args__)


def test_every_exit_code_is_in_the_table() -> None:
    rows = re.findall(r"^\| (\d+) \|", (DOCS / "CLI.md").read_text(), re.M)
    codes = [v for k, v in vars(exit_codes).items() if k.isupper() and isinstance(v, int)]
    assert [int(row) for row in rows] == sorted(codes)
