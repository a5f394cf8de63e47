"""The C++ core of tickwire. What it is for a user stands in the package around it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, final

_Data = Mapping[str, Any] | bytes | bytearray | memoryview | str

version: str

def overlap(one: str, other: str) -> bool:
    """Some topic matches both patterns. Raises TopicError."""

def json_text(data: _Data) -> str:
    """What is published for `data`, as JSON text. Raises DataError with the field's name."""

@final
class ConfigEntry:
    """One key of a configuration, as `config show` prints it."""

    @property
    def key(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def allowed(self) -> str: ...
    @property
    def help(self) -> str: ...

@final
class Config:
    """The settings of a server, checked."""

    @staticmethod
    def load(
        file: str | None = None,
        overrides: dict[str, Any] = {},
        environment: Mapping[str, str] = {},
        sets: Sequence[str] = [],
    ) -> Config:
        """Reads a TOML file; then the TICKWIRE_* of the environment, overrides (shaped like the
        file) and "key=value" sets each go on top. Raises ConfigError."""
    def entries(self) -> list[ConfigEntry]:
        """Every key with its value and where that came from."""
    def plugin_config(self, name: str) -> str:
        """plugins.<name>.* as a JSON object."""
    @property
    def file(self) -> str:
        """The TOML file that was read, or empty."""
    @property
    def listen(self) -> str: ...
    @property
    def store_path(self) -> str: ...
    @property
    def warnings(self) -> list[str]: ...
    @property
    def drain_s(self) -> int: ...
    @property
    def auth_deadline_ms(self) -> int: ...
    @property
    def plugin_files(self) -> list[str]: ...
    @property
    def plugin_python_path(self) -> str: ...
    @property
    def log_level(self) -> str: ...

@final
class DemandChange:
    """The first subscriber of a topic came, or its last one went."""

    @property
    def feed(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def wanted(self) -> bool: ...

@final
class AccessQuestion:
    """May this client do that? To be answered with Engine.answer."""

    @property
    def id(self) -> int: ...
    @property
    def action(self) -> Literal["subscribe", "publish", "authenticate"]: ...
    @property
    def topic(self) -> str: ...
    @property
    def session(self) -> str: ...
    @property
    def remote(self) -> str: ...
    @property
    def address(self) -> int:
        """A number for limits by address; 0: this machine's own, which has none."""
    @property
    def token(self) -> str: ...
    @property
    def claims(self) -> str:
        """A JSON object, or empty."""

@final
class LocalSession:
    """An in-process client that speaks the protocol of docs/PROTOCOL.md."""

    def send(self, text: str) -> None: ...
    def read(self, timeout_s: float | None = None) -> str | None:
        """The next message, or None after timeout_s seconds (None: waits). Raises ServerError
        when closed."""
    def notify_fd(self) -> int:
        """Readable while read() would return at once."""
    def close(self) -> None: ...

@final
class Engine:
    """One whole server; tickwire.Server is its friendly face."""

    def __init__(self, config: Config) -> None: ...
    def start(self) -> None:
        """Opens the store and the listener. Raises StoreError, ListenError."""
    def stop(self) -> None:
        """Drains, flushes and joins every thread. Idempotent."""
    def reload(self, config: Config) -> None:
        """Takes over what can change while it runs, log.level and topics.*; logs what cannot."""
    @property
    def config(self) -> Config: ...
    @property
    def address(self) -> str:
        """ "127.0.0.1:8080", with the real port."""
    @property
    def admin_address(self) -> str:
        """The admin listener's socket, or "host:port"; "": there is none."""
    @property
    def epoch(self) -> str: ...
    def health(self) -> str:
        """What GET /health of the admin listener answers, as JSON."""
    def local_session(self) -> LocalSession:
        """A new in-process client."""
    def publish(self, topic: str, data: _Data, feed: int = 0) -> int:
        """Publishes a mapping or a JSON object's text; the seq it got. Raises TopicError,
        DataError."""
    def publish_many(self, pairs: Iterable[tuple[str, _Data]], feed: int = 0) -> int:
        """Publishes (topic, data) pairs; how many. A faulty one loses no other."""
    def publish_table(
        self,
        topics: Iterable[str],
        columns: Mapping[str, Any],
        nan: str = "error",
        feed: int = 0,
    ) -> int:
        """Publishes a row to each topic from columns (NumPy, Arrow, any buffer, lists),
        without the GIL; how many. All of them or none, unless an image would grow past its
        limit."""
    def set_status(self, topic: str, status: str, feed: int = 0) -> None:
        """live, stale, halted or closed. Raises UnknownTopicError."""
    def snapshot(self, topic: str) -> str | None:
        """The topic's snapshot message, or None when nothing was published to it."""
    def topics(self, pattern: str = ">", after: str = "", limit: int = 10000) -> list[str]:
        """Names of the topics that match, in order, after `after`."""
    def notify_fd(self) -> int:
        """Readable while take_events() would return something."""
    def take_events(self) -> list[DemandChange | AccessQuestion]:
        """What happened since the last call."""
    def answer(
        self,
        id: int,
        ruling: str,
        ttl_ms: int = 0,
        text: str = "",
    ) -> None:
        """Answers a question with allow, deny or unavailable; text: the claims of an
        authentication, or the reason."""
    def add_feed(
        self,
        name: str,
        pattern: str,
        topics: Sequence[str] | None = None,
        delivery: str | None = None,
    ) -> int:
        """Registers a feed for demand; its number."""
    def set_feed_topics(self, feed: int, topics: Sequence[str]) -> None: ...
    def declare(self, feed: int, topic: str, delivery: str) -> None:
        """What one of the feed's topics is, value or event, where the configuration leaves that
        open."""
    def follow_demand(self, feed: int) -> None:
        """The feed looks at what is wanted, and produces only that from now on."""
    def feed_down(self, feed: int) -> None:
        """Makes the topics that it published last stale."""
    def remove_feed(self, feed: int) -> None: ...
    def add_authorizer(self, pattern: str, action: str) -> None: ...
    def set_authenticator(self, present: bool) -> None: ...
    def plugin_state(self, name: str, state: str, restarts: int, errors: int) -> None:
        """How a plugin fares, for /health."""

def backup_store(path: str, target: str) -> None:
    """Copies the store at `path`, also while a server runs on it, to a new file. StoreError."""

def restore_store(backup: str, path: str) -> str:
    """Puts a copy in the store's place. The new name of what was there, or "". StoreError."""
