"""GET /metrics of a real server, read by the parser of Prometheus' own client."""

import re
import subprocess
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import Eventually
from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess

LABELS = {"channel", "feed", "reason", "le"}
PLUGIN = """
import asyncio

from tickwire import Deny, authorizer, feed


@feed("ticker.*")
async def prices(pub):
    pub.publish("ticker.BTC-USD", {"last": "1"})
    await asyncio.Event().wait()


@authorizer("premium.>")
def premium(client, topic):
    return Deny("no")
"""

Samples = dict[tuple[str, str], float]


def read(text: str) -> tuple[dict[str, str], Samples]:
    """Each family's type; each sample's value by its name and the value of its label."""
    types: dict[str, str] = {}
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.name not in types, "a family stands once"
        assert family.documentation
        types[family.name] = family.type
        for sample in family.samples:
            assert set(sample.labels) <= LABELS, sample
            assert len(sample.labels) <= 1, sample
            key = (sample.name, next(iter(sample.labels.values()), ""))
            assert key not in samples, "a sample stands once"
            samples[key] = sample.value
    return types, samples


def metrics(daemon: DaemonProcess) -> Samples:
    answer = daemon.admin("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "Access-Control-Allow-Origin" not in answer.headers
    return read(answer.body.decode())[1]


def test_prometheus_reads_every_family_and_histograms_add_up(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "store.path=ticks.db")
    types, samples = read(daemon.admin("/metrics").body.decode())
    assert len(types) > 25
    assert {"counter", "gauge", "histogram"} == set(types.values())
    for name in (name for name, kind in types.items() if kind == "histogram"):
        buckets = [value for (sample, _), value in samples.items() if sample == f"{name}_bucket"]
        assert len(buckets) >= 10
        assert buckets == sorted(buckets)
        assert samples[f"{name}_bucket", "+Inf"] == buckets[-1] == samples[f"{name}_count", ""]


def test_what_a_client_does_is_counted(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "auth.publish=open", "--set", "store.path=ticks.db")
    with daemon.connect() as client:
        client.ask({"type": "subscribe", "topics": ["chat.lobby", "bad topic"]})
        assert client.publish("chat.lobby", {"text": "secret-text"}) == 1
        update = client.receive()
        assert update["type"] == "update"
        client.ask({"type": "dance"})
        text = daemon.admin("/metrics").body.decode()
    found = read(text)[1]
    assert found["tickwire_sessions", ""] == 1
    assert found["tickwire_subscriptions", ""] == 1
    assert found["tickwire_sessions_opened_total", ""] == 1
    assert found["tickwire_errors_total", "bad_topic"] == 1
    assert found["tickwire_errors_total", "unknown_command"] == 1
    assert found["tickwire_topics", "chat"] == found["tickwire_published_total", "chat"] == 1
    assert found["tickwire_messages_total", ""] >= 1
    assert found["tickwire_turn_seconds_count", ""] >= 1
    assert found["tickwire_age_at_write_seconds_count", ""] >= 1
    assert found["tickwire_messages_per_write_count", ""] >= 1
    assert "lobby" not in text
    assert "secret-text" not in text


def test_health_sessions_and_metrics_tell_the_same_numbers(
    start_daemon: StartDaemon, eventually: Eventually
) -> None:
    daemon = start_daemon("--set", "auth.publish=open", "--set", "store.path=ticks.db")
    with daemon.connect() as client:
        assert client.publish("chat.lobby", {"text": "x"}) == 1
        eventually(lambda: metrics(daemon)["tickwire_store_rows_total", ""] == 1)
        health, told = daemon.admin("/health").json, daemon.admin("/v1/sessions").json
        found = metrics(daemon)
    for name, value in told["counters"].items():
        assert found[f"tickwire_{name}_total", ""] == value, name
    for name, value in health["store_stats"].items():
        assert found[f"tickwire_store_{name}_total", ""] == value, name
    assert found["tickwire_sessions", ""] == health["sessions"] == 1
    assert found["tickwire_topics", "chat"] == health["topics"] == 1
    assert found["tickwire_overruns_total", ""] == health["overruns"]
    assert found["tickwire_store_flush_seconds_count", ""] == health["store_stats"]["flushes"]


@pytest.mark.usefixtures("embeds_python")
def test_plugins_and_their_calls_are_counted(
    start_daemon: StartDaemon, tmp_path: Path, eventually: Eventually
) -> None:
    (tmp_path / "market.py").write_text(PLUGIN)
    daemon = start_daemon("market.py")
    eventually(lambda: metrics(daemon).get(("tickwire_topics", "ticker")) == 1)
    with daemon.connect() as client:
        client.ask({"type": "subscribe", "topics": ["premium.BTC-USD"]})
        found = metrics(daemon)
    assert found["tickwire_plugin_running", "market"] == 1
    assert found["tickwire_plugin_errors_total", "market"] == 0
    assert found["tickwire_answers_total", "deny"] == 1
    assert found["tickwire_errors_total", "denied"] == 1
    assert found["tickwire_plugin_call_seconds_count", ""] == 1


def test_only_the_admin_is_told(start_daemon: StartDaemon) -> None:
    options = ("--set", "admin.listen=127.0.0.1:0", "--set", "auth.admin_token=s3cret")
    daemon = start_daemon(*options)
    found = re.search(r"admin listener: (\S+)", daemon.log())
    assert found

    def status(**headers: str) -> int:
        request = Request(f"http://{found[1]}/metrics", headers=headers)
        with urlopen(request, timeout=60) as answer:
            return int(answer.status)

    public = daemon.http("/metrics", headers={"Authorization": "Bearer s3cret"})
    assert public.status == 403
    assert "admin.listen" in public.json["error"]["message"]
    assert status(Authorization="Bearer s3cret") == 200
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer s3cret", "Origin": "https://a.example"},
        {"Authorization": "Bearer s3cret", "Host": "a.example"},
    ):
        with pytest.raises(OSError, match="403"):
            status(**headers)


def test_the_command_prints_what_the_listener_tells(
    start_daemon: StartDaemon, programs: Path, clean_environment: dict[str, str]
) -> None:
    daemon = start_daemon("--set", "admin.listen=./admin.sock")
    auto = start_daemon()
    for place in (("--admin", daemon.admin_socket), ("--url", auto.address)):
        run = subprocess.run(
            [programs / "tickwire", "metrics", *place],
            capture_output=True,
            text=True,
            timeout=60,
            env=clean_environment,
        )
        assert run.returncode == 0, run.stderr
        assert read(run.stdout)[1]["tickwire_sessions", ""] == 0
    refused = subprocess.run(
        [programs / "tickwire", "metrics", "--url", daemon.address],
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment,
    )
    assert refused.returncode == 3
    assert "--admin" in refused.stderr
