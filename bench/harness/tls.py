"""What TLS costs beside plain connections, and beside HAProxy that speaks it for a plant."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.fanout import dicts, us
from harness.haproxy import haproxy, haproxy_path
from harness.measure import Shape, Times, Window, faults_of, measure_plant, median_of, ratios
from harness.memory import each, settled
from harness.programs import Programs
from harness.rows import CaseResult, Question, Row

# Ten topics are updated together, once in each millisecond.
TEN = Shape(connections=20, topics=10, each=10, rate=10_000)
ONE = Shape(connections=1_000, topics=1, each=1, rate=40)
LOADS = {"one message a write": (ONE, 1.6), "ten messages a write": (TEN, 1.2)}
FEW, MANY = 500, 4_500
CONNECTION_BYTES_MAX = 24 << 10


class Certificate:
    """A pair for 127.0.0.1, which the clients do not look at: the common kind, ECDSA with P-256."""

    def __init__(self, folder: Path) -> None:
        certificate, key, self.pair = folder / "cert.pem", folder / "key.pem", folder / "both.pem"
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
        files = ["-subj", "/CN=localhost", "-out", certificate, "-keyout", key]
        subprocess.run([*shlex.split(command), *files], check=True, capture_output=True)
        self.pair.write_text(certificate.read_text() + key.read_text())
        self.settings = (
            "server.listen=https://127.0.0.1:0",
            f"tls.certificate={certificate}",
            f"tls.key={key}",
        )


@contextmanager
def certificate() -> Iterator[Certificate]:
    with tempfile.TemporaryDirectory() as folder:
        yield Certificate(Path(folder))


def tls(programs: Programs, times: Times) -> CaseResult:
    times = times.fewer(3)
    rows: list[Row] = []
    data: dict[str, object] = {}
    with certificate() as made:
        for name, (shape, goal) in LOADS.items():
            plain, ours, front = measure(programs, shape, times, made)
            data[name] = {"plain": dicts(plain), "tls": dicts(ours), "haproxy": dicts(front)}
            rows += cost_rows(name, goal, plain, ours, front)
        rows.append(memory_row(programs, times, made, data))
    return CaseResult(rows, data)


def measure(
    programs: Programs, shape: Shape, times: Times, made: Certificate
) -> tuple[list[Window], list[Window], list[Window]]:
    """Plain, TLS, and HAProxy in front, which stays empty where it is not installed."""
    plain: list[Window] = []
    ours: list[Window] = []
    front: list[Window] = []
    over_tls = (*shape.load_args(), "--tls")
    for _ in range(times.rounds):
        with (
            programs.plant(shape.topics) as plant,
            programs.load(plant, *shape.load_args()) as load,
        ):
            plain.append(measure_plant(plant, load, shape, times))
        with (
            programs.plant(shape.topics, *made.settings) as plant,
            programs.load(plant, *over_tls) as load,
        ):
            ours.append(measure_plant(plant, load, shape, times))
        if haproxy_path() is None:
            continue
        with (
            programs.plant(shape.topics) as plant,
            haproxy(plant, made.pair) as fronted,
            programs.load(fronted, *over_tls) as load,
        ):
            front.append(measure_plant(fronted, load, shape, times))
    return plain, ours, front


def cost_rows(
    name: str, goal: float, plain: list[Window], ours: list[Window], front: list[Window]
) -> list[Row]:
    writes = median_of(ours, "messages") / median_of(ours, "writes")
    missing = "" if front else "HAProxy is not installed"
    return [
        Row(
            f"TLS, {name}, to plain",
            us(ours),
            us(plain),
            ratios(ours, plain, "us_per_message"),
            at_most=goal,
            note=faults_of(ours, plain),
        ),
        Row(
            "  to HAProxy in front",
            us(ours),
            us(front) if front else "-",
            ratios(ours, front, "us_per_message") if front else [],
            note=faults_of(ours, front) or missing,
        ),
        Row(
            "  messages a write",
            f"{writes:.1f}",
            f"{median_of(plain, 'messages') / median_of(plain, 'writes'):.1f}",
            [writes],
            unit="a write",
        ),
    ]


def memory_row(programs: Programs, times: Times, made: Certificate, data: dict[str, object]) -> Row:
    few, many = (50, 150) if times.quick else (FEW, MANY)

    def connection(*args: str, settings: tuple[str, ...] = ()) -> float:
        def clients(count: int) -> dict[str, object]:
            wanted = (f"--connections={count}", "--topics=10", "--each=10", *args)
            return settled(programs, TEN.topics, *wanted, settings=settings)

        return each(clients(many), clients(few), many - few)

    plain = connection()
    ours = connection("--tls", settings=made.settings)
    data["bytes a connection"] = {"plain": plain, "tls": ours}
    return Row(
        "idle TLS connection, 10 subscriptions",
        f"{ours:.0f} B",
        f"{plain:.0f} B",
        [ours],
        unit="B",
        question=Question.MEMORY,
        at_most=None if times.quick else CONNECTION_BYTES_MAX,
    )
