"""The real nginx and HAProxy with the files of deploy/, on loopback, as a user without rights."""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from loopback import free_port, is_open
from server.certificates import CERTIFICATE, KEY, make_certificate

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
START_S: Final = 60.0
UNPRIVILEGED: Final = 65534
"""nobody, as whom the proxies run if this is root."""

NGINX_MAIN: Final = """
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include {site};
}}
"""
"""What Debian's /etc/nginx/nginx.conf is to the file in conf.d; it needs root."""


def program(name: str) -> str:
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    assert found, f"no {name}: scripts/apt-install {name}"
    return found


def replaced(text: str, *changes: tuple[str, str]) -> str:
    """Each change must have something to change."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


class Proxy:
    """One that listens on `port` once it is started. Its certificate is `certificate`."""

    name = ""

    def __init__(self, folder: Path, plants: Sequence[int], timeout: str = "75s") -> None:
        """plants: ports; timeout: in place of those of the file."""
        self.folder = folder
        self.port = free_port()
        folder.mkdir(parents=True)
        make_certificate(folder)
        self.certificate = folder / CERTIFICATE
        self._log = folder / "log"
        arguments = self._configure(plants, timeout)
        user = UNPRIVILEGED if os.getuid() == 0 else None
        if user is not None:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, user, user)
            folder.chmod(0o755)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                arguments,
                stderr=log,
                stdout=log,
                cwd=folder,
                user=user,
                group=user,
                extra_groups=[],
            )

    def _configure(self, plants: Sequence[int], timeout: str) -> list[str]:
        """Writes its files; returns how it is started."""
        raise NotImplementedError

    def wait(self) -> None:
        """Until it listens."""
        deadline = time.monotonic() + START_S
        while not is_open(self.port):
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.01)

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Nginx(Proxy):
    name = "nginx"

    def _configure(self, plants: Sequence[int], timeout: str) -> list[str]:
        first = "    server 127.0.0.1:8080 max_fails=1 fail_timeout=5s;\n"
        second = first.replace("    ", "    # ", 1).replace("127.0.0.1", "192.0.2.11")
        text = (DEPLOY / "nginx.conf").read_text()
        letsencrypt = "/etc/letsencrypt/live/ticks.example"
        text = replaced(
            text,
            (first, "".join(first.replace("8080", str(port)) for port in plants)),
            (second.rstrip("\n"), "#"),
            ("listen 443", f"listen 127.0.0.1:{self.port}"),
            ("    listen [::]:443 ssl http2;\n", ""),
            (f"{letsencrypt}/fullchain.pem", str(self.folder / CERTIFICATE)),
            (f"{letsencrypt}/privkey.pem", str(self.folder / KEY)),
            ("75s", timeout),
        )
        (self.folder / "site.conf").write_text(text)
        (self.folder / "nginx.conf").write_text(NGINX_MAIN.format(site=self.folder / "site.conf"))
        where = ["-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr"]
        return [program("nginx"), *where]


class HAProxy(Proxy):
    name = "haproxy"

    def _configure(self, plants: Sequence[int], timeout: str) -> list[str]:
        pair = self.folder / "ticks.example.pem"
        pair.write_bytes(
            (self.folder / CERTIFICATE).read_bytes() + (self.folder / KEY).read_bytes()
        )
        servers = (f"    server plant{n} 127.0.0.1:{port}\n" for n, port in enumerate(plants, 1))
        text = replaced(
            (DEPLOY / "haproxy.cfg").read_text(),
            ("    server plant1 127.0.0.1:8081\n", "".join(servers)),
            ("bind :443", f"bind 127.0.0.1:{self.port}"),
            ("/etc/haproxy/ticks.example.pem", str(pair)),
            ("maxconn 100000", "maxconn 1000"),  # within this user's descriptors
            ("75s", timeout),
        )
        configuration = self.folder / "haproxy.cfg"
        configuration.write_text(text)
        return [program("haproxy"), "-db", "-f", str(configuration)]
