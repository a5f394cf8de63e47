"""`make crash N=1000`: as many starts, most of which end with kill -9; --seed picks the moments."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from crash.harness import BrokenPromiseError, Harness


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--tickwired", type=Path, default=Path(sys.executable).parent / "tickwired")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tickwire-crash-") as folder:
        harness = Harness(args.tickwired.resolve(), Path(folder), args.seed)
        for number in range(args.rounds):
            try:
                harness.round()
            except BrokenPromiseError as broken:
                sys.exit(f"seed {args.seed}, round {number}: {broken}")
    print(f"seed {args.seed}: {harness.totals}")


if __name__ == "__main__":
    main()
