"""docs/ACCESS.md: its example runs from the first command to the last, against a real server."""

import asyncio
import os
import re
import sys
from pathlib import Path

from client.conftest import Commands, ServedAt

DOCUMENT = Path(__file__).parents[2] / "docs" / "ACCESS.md"
END = "@end of a command@"


async def run(block: str, folder: Path, env: dict[str, str]) -> None:
    """Runs the commands of a console block in one shell, and compares what each prints."""
    parts = [part.partition("\n") for part in re.split(r"^\$ ", block, flags=re.M)[1:]]
    script = "\n".join(f"{command}\necho '{END}'" for command, _, _ in parts)
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"exec 2>&1\n{script}"),
        stdout=asyncio.subprocess.PIPE,
        cwd=folder,
        env=env,
    )
    async with asyncio.timeout(120):
        out, _ = await process.communicate()
    printed = out.decode().split(f"{END}\n")
    for (command, _, expected), text in zip(parts, printed, strict=False):
        pattern = re.escape(expected).replace(re.escape("..."), ".*")
        assert re.fullmatch(pattern, text, re.S), f"$ {command}\n{text}"


async def test_the_example_runs(
    tmp_path: Path, tickwire_command: Commands, served_at: ServedAt
) -> None:
    program = tmp_path / "tickwire"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tickwire "$@"\n')
    program.chmod(0o755)
    env = {name: text for name, text in os.environ.items() if not name.startswith("TICKWIRE_")}
    env |= {"PATH": f"{tmp_path}:{env['PATH']}", "COLUMNS": "200"}
    blocks = re.findall(r"```(\w+)\n(.*?)```", DOCUMENT.read_text(), re.S)
    assert [language for language, _ in blocks].count("console") == 7
    for language, text in blocks:
        if language == "toml":
            (tmp_path / "tickwire.toml").write_text(
                text.replace("public.pem", f"{tmp_path}/public.pem")
            )
        elif language == "sh":
            config = str(tmp_path / "tickwire.toml")
            assert text == "tickwire serve --demo --config tickwire.toml\n"
            server = await tickwire_command.start(
                "serve", "--demo", "--config", config, "--listen", "127.0.0.1:0"
            )
            env["TICKWIRE_URL"] = await served_at(server)
        elif language == "console":
            await run(text, tmp_path, env)
