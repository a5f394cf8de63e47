"""The Python client of an earlier tickwire, kept as a fixture, understands today's server."""

import subprocess
import sys
from pathlib import Path

from server.conftest import StartDaemon

PROGRAM = """
import asyncio
import sys

import tickwire
from tickwire.errors import TickwireError

assert "old_client" in tickwire.__file__


async def main(url):
    async with tickwire.connect(url) as writer, tickwire.connect(url) as reader:
        assert await writer.publish("ticker.BTC-USD", '{"last":"1","bid":"0.10"}') == 1
        assert await writer.publish("chat.lobby", '{"text":"one"}') == 1
        async with reader.subscribe("ticker.*", "chat.lobby") as updates:
            got = {}
            async for update in updates:
                got[update.topic, update.seq] = update.data
                if len(got) == 2:
                    break
            assert got["ticker.BTC-USD", 1]["bid"] == "0.10", got
            assert got["chat.lobby", 1]["text"] == "one", got
            await writer.publish("ticker.BTC-USD", '{"last":"2"}')
            async for update in updates:
                assert (update.topic, update.seq) == ("ticker.BTC-USD", 2), update
                assert update.data["last"] == "2"
                break
        try:
            await writer.publish("no such topic", "{}")
        except TickwireError as error:
            print("refused", type(error).__name__)
    print("done")


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 60))
"""


def test_the_old_python_client_talks_to_the_new_server(
    start_daemon: StartDaemon, checkout: Path, clean_environment: dict[str, str]
) -> None:
    daemon = start_daemon(*("--set", "auth.publish=open", "--set", "topics.chat.>.delivery=event"))
    old = checkout / "tests" / "fixtures" / "old_client" / "python"
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, f"ws://{daemon.address}/ws"],
        capture_output=True,
        text=True,
        timeout=90,
        env=clean_environment | {"PYTHONPATH": str(old), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["refused", "TopicError", "done"]
