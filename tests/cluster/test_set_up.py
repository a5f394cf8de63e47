"""What a start and a check refuse of a cluster's settings, and that the password is never said."""

from pathlib import Path

import pytest

from cluster.conftest import OPEN, StartRedis
from server.conftest import Run, StartDaemon

PASSWORD = "a-pass-word"


def test_a_store_does_not_go_with_a_cluster(run: Run) -> None:
    refused = run("--check", "--set", "cluster.url=redis://h", "--set", "store.path=x.db")
    assert refused.returncode == 2
    assert "store.path: it does not go with cluster.url" in refused.stderr


@pytest.mark.parametrize("name", ["", "a b", "a{b}", "x" * 65])
def test_a_name_that_is_none_is_refused(run: Run, name: str) -> None:
    assert run("--check", "--set", f"cluster.name={name}").returncode == 2


def test_the_longest_name_is_taken(run: Run) -> None:
    assert run("--check", "--set", f"cluster.name={'x' * 64}").returncode == 0


def test_a_url_that_is_none_is_refused_and_not_repeated(run: Run) -> None:
    refused = run("--check", "--set", f"cluster.url=http://u:{PASSWORD}@h")
    assert refused.returncode == 2
    assert "cluster.url: it does not begin with redis://" in refused.stderr
    assert PASSWORD not in refused.stderr


def test_an_engine_that_evicts_is_refused_at_the_start(run: Run, start_redis: StartRedis) -> None:
    redis = start_redis("--maxmemory-policy", "allkeys-lru")
    refused = run("--listen", "127.0.0.1:0", "--set", f"cluster.url={redis.url}")
    assert refused.returncode == 2
    assert "maxmemory-policy allkeys-lru); set it to noeviction" in refused.stderr


def test_a_wrong_password_is_refused_and_no_password_is_said(
    run: Run, start_redis: StartRedis, start_daemon: StartDaemon
) -> None:
    redis = start_redis("--requirepass", PASSWORD)
    wrong = redis.url.replace("//", "//:wrong-word@")
    refused = run("--listen", "127.0.0.1:0", "--set", f"cluster.url={wrong}")
    assert refused.returncode == 2
    assert "refuses its user or password" in refused.stderr
    assert "wrong-word" not in refused.stderr
    node = start_daemon(*OPEN, "--set", f"cluster.url={redis.url.replace('//', f'//:{PASSWORD}@')}")
    assert node.admin("/health").json["cluster"]["engine"] == redis.url
    assert PASSWORD not in node.admin("/health").body.decode()
    assert node.stop() == 0
    assert PASSWORD not in node.log()


def test_the_url_may_stand_in_a_file(
    start_redis: StartRedis, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    file = tmp_path / "url"
    file.write_text(start_redis().url + "\n")
    file.chmod(0o600)
    node = start_daemon(*OPEN, "--set", f"cluster.url_file={file}")
    assert node.http("/health").json["cluster"]["state"] == "following"
