"""`make attack N=100000`: that many malformed sessions, and every flood, against one server.

Prints how the canaries fare beside how they fare in peace; ends with 1 if the server ended, a
canary missed something, or the memory does not come back. --seed gives the same sessions again.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from attack import floods, sessions
from attack.canary import Canaries, Report
from attack.target import GROWTH_MAX, SLACK_BYTES, Target, server

ROUND = 5_000  # sessions between two looks at the canaries
CALM_S = 3.0


class Attack:
    def __init__(self, target: Target, seed: int) -> None:
        self.target = target
        self.seed = seed
        self.canaries = Canaries(*target.address)
        self.failures: list[str] = []

    def calm(self, seconds: float) -> Report:
        time.sleep(seconds)
        return self.look("calm")

    def look(self, phase: str, note: str = "") -> Report:
        seen = self.canaries.report()
        memory = self.target.memory_bytes() / 2**20
        line = f"{phase:16} p50 {seen.p50_ms:6.2f} ms  p99 {seen.p99_ms:7.2f} ms  "
        print(
            f"{line}{seen.received:6} received  {seen.gaps} gaps  {memory:6.1f} MB  {note}",
            flush=True,
        )
        self.failures += [f"{phase}: {fault}" for fault in seen.faults]
        self.failures += [f"{phase}: {said}" for said in self.target.complaints()]
        if not self.failures and seen.received == 0:
            self.failures.append(f"{phase}: the canaries heard nothing")
        return seen

    def sessions(self, count: int) -> None:
        for begin in range(0, count, ROUND):
            some = min(ROUND, count - begin)
            started = time.monotonic()
            seen = asyncio.run(sessions.run(self.target.address, self.seed + begin, some))
            rate = some / (time.monotonic() - started)
            self.look("sessions", f"{begin + some} sessions, {rate:.0f}/s, {seen}")
            if self.failures:
                return

    def floods(self, seconds: float) -> None:
        for name, step in floods.FLOODS.items():
            done = asyncio.run(floods.repeat(self.target.address, self.seed, seconds, step))
            self.look(name, f"{done} times")
            if not asyncio.run(floods.answers(self.target.address)):
                self.failures.append(f"{name}: /health is not ok afterwards")

    def memory_returns(self, level: int) -> None:
        most = level * GROWTH_MAX + SLACK_BYTES
        now = self.target.settled_bytes(most, 60)
        print(f"memory: {level / 2**20:.1f} MB before, {now / 2**20:.1f} MB after")
        if now > most:
            self.failures.append(f"memory: {level} bytes before, {now} after")


def run(target: Target, seed: int, count: int, flood_s: float, calm_s: float) -> list[str]:
    """What must not happen and did."""
    attack = Attack(target, seed)
    try:
        attack.calm(calm_s)
        # A level that is fair: the server has met each kind of client once.
        attack.sessions(min(count, 500))
        attack.floods(min(flood_s, 0.3))
        attack.calm(calm_s)
        level = target.memory_bytes()
        attack.sessions(count)
        attack.floods(flood_s)
        attack.calm(calm_s)
        attack.memory_returns(level)
    finally:
        attack.canaries.end()
    return attack.failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--flood-s", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--tickwired", type=Path, default=Path(sys.executable).parent / "tickwired")
    args = parser.parse_args()
    print(f"seed {args.seed}")
    with (
        tempfile.TemporaryDirectory(prefix="tickwire-attack-") as folder,
        server(args.tickwired.resolve(), Path(folder)) as target,
    ):
        failures = run(target, args.seed, args.sessions, args.flood_s, CALM_S)
    if failures:
        sys.exit("\n".join(failures[:20]))
    print("0 restarts, 0 canary gaps, memory back")


if __name__ == "__main__":
    main()
