"""Plants behind the real proxies, with the configuration of deploy/."""

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deploy.real_proxies import DEPLOY, HAProxy, Nginx, Proxy
from loopback import free_port
from server.conftest import clean_environment, run  # noqa: F401 - fixtures
from server.daemon_process import DaemonProcess

PROXIES = {"nginx": Nginx, "haproxy": HAProxy}


@dataclass
class Plant:
    """A tickwired on ports that stay, with a store of its own."""

    program: Path
    folder: Path
    env: dict[str, str]
    args: tuple[str, ...] = ()
    plain: int = field(default_factory=free_port)
    proxied: int = field(default_factory=free_port)
    starts: int = 0
    daemon: DaemonProcess = field(init=False)

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        listen = f'["127.0.0.1:{self.plain}", "127.0.0.1:{self.proxied}?proxy=required"]'
        log = self.folder / f"log-{self.starts}"
        self.starts += 1
        settings = ("--config", str(DEPLOY / "tickwire.toml"), "--set", "store.path=ticks.db")
        open_to_all = ("--set", "auth.publish=open", "--set", 'topics."e.>".delivery=event')
        args = [*settings, *open_to_all, *self.args]
        self.daemon = DaemonProcess(self.program, log, args, self.env, self.folder, listen)

    def behind(self, proxy: str) -> int:
        return self.plain if proxy == "nginx" else self.proxied

    def remotes(self) -> list[str]:
        return [one["remote"] for one in self.daemon.admin("/v1/sessions").json["sessions"]]


@dataclass
class Front:
    """A proxy and what is behind it."""

    proxy: Proxy
    plants: list[Plant]

    @property
    def plant(self) -> Plant:
        return self.plants[0]

    @property
    def host(self) -> str:
        return f"localhost:{self.proxy.port}"

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.proxy.certificate)


StartFront = Callable[..., Front]


@contextmanager
def fronts(tickwired: Path) -> Iterator[StartFront]:
    """Starts proxies with plants behind them, which end with the block."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TICKWIRE_")}
    with ExitStack() as stack:
        # Not below pytest's own folders, which the user nobody cannot enter.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="tw-front-")))
        folder.chmod(0o755)

        def start(proxy: str, *args: str, plants: int = 1, timeout: str = "75s") -> Front:
            here = folder / str(len(list(folder.iterdir())))
            here.mkdir()
            behind = [Plant(tickwired, here / f"p{n}", env, args) for n in range(plants)]
            for plant in behind:
                plant.start()
                stack.callback(lambda plant=plant: plant.daemon.kill())
            ports = [plant.behind(proxy) for plant in behind]
            front = Front(PROXIES[proxy](here / proxy, ports, timeout), behind)
            stack.callback(front.proxy.stop)
            front.proxy.wait()
            return front

        yield start


@pytest.fixture(params=PROXIES)
def proxy(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def start_front(tickwired: Path) -> Iterator[StartFront]:
    """start_front("nginx", "--set", ..., plants=2, timeout="2s")"""
    with fronts(tickwired) as start:
        yield start


@pytest.fixture(scope="module", params=PROXIES)
def front(request: pytest.FixtureRequest, tickwired: Path) -> Iterator[Front]:
    """A proxy and a plant that the tests of a module share."""
    with fronts(tickwired) as start:
        yield start(request.param)
