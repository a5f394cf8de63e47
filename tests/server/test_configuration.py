"""tickwired says what is wrong with its command line and configuration, and ends with 2."""

import os
import subprocess
from pathlib import Path

import pytest

from server.conftest import Run, StartDaemon


def test_prints_its_version(run: Run) -> None:
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("tickwired ")


def test_help_names_every_option(run: Run) -> None:
    done = run("--help")
    assert done.returncode == 0
    for option in ("--config", "--set", "--listen", "--check", "--version", "PLUGIN"):
        assert option in done.stdout


def test_an_unknown_option_ends_with_2(run: Run) -> None:
    done = run("--prot", "8080")
    assert done.returncode == 2
    assert "--prot" in done.stderr


def test_check_accepts_a_valid_file_and_serves_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('[server]\nlisten = "127.0.0.1:1"\n')
    done = run("--check", "--config", "good.toml")
    assert (done.returncode, done.stdout) == (0, "the configuration is valid\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[server]\nlisten = 127.0.0.1\n", "bad.toml:2:"),
        (
            "[server]\nlisetn = 'x:1'\n",
            "server.lisetn is not a known key; did you mean server.listen?",
        ),
        ("[server]\nshards = -1\n", "server.shards must be an integer from 0 to 32, not -1"),
        ("[server]\nlisten = '8080'\n", "server.listen must be host:port"),
        (
            "[topics.'trade.>']\ndelivery = 'both'\n",
            'topics."trade.>".delivery must be one of value, event, not "both"',
        ),
        ("[topics.'a b']\nring = 5\n", 'topics."a b" is not a topic or pattern'),
    ],
)
def test_a_mistake_in_the_file_is_named_with_the_file(
    run: Run, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "bad.toml").write_text(text)
    for check in ([], ["--check"]):
        done = run("--config", "bad.toml", *check)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("tickwired: bad.toml:")
        assert message in done.stderr
        assert done.stderr.count("\n") == 1, "one line, no traceback"


def test_a_missing_file_is_named(run: Run) -> None:
    done = run("--config", "no.toml")
    assert done.returncode == 2
    assert done.stderr == "tickwired: no.toml: the configuration file cannot be read\n"


def test_a_mistake_in_the_environment_is_named_with_its_variable(run: Run) -> None:
    done = run("--check", TICKWIRE_SERVER__SHARDS="many")
    assert done.returncode == 2
    assert done.stderr == (
        "tickwired: env TICKWIRE_SERVER__SHARDS: server.shards must be an integer from 0 to 32, "
        'not "many"\n'
    )


@pytest.mark.parametrize("program", ["tickwired", "tickwire"])
def test_bytes_that_are_no_text_are_a_mistake_for_both_programs(
    program: str, programs: Path, tmp_path: Path
) -> None:
    settings = {"TICKWIRE_STORE__PATH": "\udcff.db"}
    bad = "\udcff.db"
    check = {"tickwired": ["--check"], "tickwire": ["config", "check"]}[program]
    for arguments, env, source in [
        ([], settings, "env TICKWIRE_STORE__PATH: \\xff.db"),
        (["--set", f"store.path={bad}"], {}, "--set: store.path=\\xff.db"),
        (["--config", bad], {}, "--config: \\xff.db"),
    ]:
        done = subprocess.run(
            [programs / program, *check, *arguments],
            env={**os.environ, **env}, cwd=tmp_path, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (2, f"{program}: {source} is not UTF-8\n")
    for_others = {**os.environ, "TICKWIRE_PORT": bad}
    subprocess.run([programs / program, *check], env=for_others, cwd=tmp_path, check=True)


def test_variables_of_a_container_platform_are_no_settings(run: Run) -> None:
    """What Kubernetes puts into every pod for a service called tickwire."""
    address = "tcp://10.96.0.7:8080"
    done = run(
        "--check",
        TICKWIRE_SERVICE_HOST="10.96.0.7",
        TICKWIRE_SERVICE_PORT="8080",
        TICKWIRE_PORT=address,
        TICKWIRE_PORT_8080_TCP=address,
        TICKWIRE_PORT_8080_TCP_PROTO="tcp",
    )
    assert (done.returncode, done.stderr) == (0, "")
    unknown = run("--check", TICKWIRE_SERVR__LISTEN="127.0.0.1:1")
    assert unknown.returncode == 2
    assert "did you mean server.listen?" in unknown.stderr


def test_a_mistake_in_a_set_is_named(run: Run) -> None:
    done = run("--check", "--set", "store.flush_ms=5")
    assert done.returncode == 2
    assert "--set: store.flush_ms must be an integer from 10 to 60000, not 5" in done.stderr


def test_the_command_line_wins_over_environment_and_file(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    (tmp_path / "a.toml").write_text("[server]\nheartbeat_s = 3\n")
    by_file = start_daemon("--config", "a.toml")
    by_environment = start_daemon("--config", "a.toml", env={"TICKWIRE_SERVER__HEARTBEAT_S": "4"})
    by_set = start_daemon(
        "--config", "a.toml", "--set", "server.heartbeat_s=5",
        env={"TICKWIRE_SERVER__HEARTBEAT_S": "4"},
    )  # fmt: skip
    for daemon, heartbeat_s in ((by_file, 3), (by_environment, 4), (by_set, 5)):
        with daemon.connect() as client:
            assert client.welcome["heartbeat_s"] == heartbeat_s


def test_topic_settings_reach_the_topics(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(
        "--set", "auth.publish=open",
        "--set", "topics.trade.>.delivery=event",
        "--set", "topics.old.>.stale_after_s=0.1",
    )  # fmt: skip
    with daemon.connect() as client:
        for topic in ("trade.X", "value.X"):
            client.publish(topic, {"a": 1})
            client.publish(topic, {"b": 2})
        assert daemon.http("/v1/snapshot/trade.X").json["data"] == {"b": 2}
        assert daemon.http("/v1/snapshot/value.X").json["data"] == {"a": 1, "b": 2}
        client.publish("old.X", {"a": 1})
        client.send({"type": "subscribe", "topics": ["old.X"]})
        while (message := client.receive())["type"] != "status":
            pass
        assert (message["topic"], message["status"]) == ("old.X", "stale")
