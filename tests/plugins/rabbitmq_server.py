"""A RabbitMQ of one's own: Debian's programs, a folder and free ports of its own, no service."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

START_S = 120.0


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports: list[int] = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class RabbitServer:
    """Running once made; as the user nobody if this is root."""

    def __init__(self, folder: Path) -> None:
        found = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
        assert found, "no RabbitMQ: scripts/apt-install rabbitmq-server"
        self._folder = folder
        folder.mkdir(mode=0o755)
        self._program = found[-1]
        self._as = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        if os.getuid() == 0:
            shutil.chown(folder, 65534, 65534)
        else:
            self._as = []
        self._port, epmd, distribution = free_ports(3)
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}/"
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = 127.0.0.1:{self._port}\nlog.console = true\n"
            "log.file = false\nvm_memory_high_watermark.absolute = 256MB\n"
            "disk_free_limit.absolute = 1MB\n"
        )
        (folder / "plugins").write_text("[].\n")
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_NODENAME": f"tickwire{self._port}@localhost",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}"
            ),
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        # The node would start a port mapper that outlives it.
        self._epmd = subprocess.Popen(
            [*self._as, "epmd", "-port", str(epmd), "-address", "127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=self._environment,
        )
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._wait_for(epmd)
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as, str(self._program)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=self._environment,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            text = (self._folder / "log").read_text()
            assert self._process.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.05)

    def _wait_for(self, port: int) -> None:
        """Waits for the port mapper: a node that finds none starts its own."""
        deadline = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            except OSError:
                assert self._epmd.poll() is None, f"epmd did not start on port {port}"
                assert time.monotonic() < deadline, f"epmd does not listen on port {port}"
                time.sleep(0.02)
            else:
                return

    def _answers(self) -> bool:
        """Whether it speaks AMQP: it answers an unknown version with the one that it knows."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=5) as probe:
                probe.sendall(b"AMQP\x00\x00\x00\x00")
                return probe.recv(8) == b"AMQP\x00\x00\x09\x01"
        except OSError:
            return False

    def kill(self) -> None:
        """Ends the node and its helpers, which share its session."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, 9)
            self._process.wait(60)

    def stop(self) -> None:
        """Ends all."""
        self.kill()
        self._epmd.kill()
        self._epmd.wait(60)
