"""The C++ core of tickwire. What it is for a user stands in the package around it."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
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
    def check_token(self, token: str) -> str:
        """What a server lets its bearer do now, as a JSON object: subscribe and publish (patterns),
        max_rate (0: every update), expires_in_s, claims. DeniedError, ConfigError without keys."""
    @property
    def file(self) -> str:
        """The TOML file that was read, or empty."""
    @property
    def listen(self) -> list[str]: ...
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
class AdminWish:
    """A plugin that is to begin anew, or a level to log from on."""

    @property
    def restart(self) -> str: ...
    @property
    def log_level(self) -> str: ...

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
    def headers(self) -> dict[str, str]:
        """Those of its request that auth.client_headers names, by name in lower case."""
    @property
    def cookies(self) -> dict[str, str]:
        """Those of its request that auth.client_cookies names, of a page allowed by name."""
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
        """The next message, or None after timeout_s (None: waits). ServerError when closed."""
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
    def urls(self) -> list[str]:
        """All it serves on, as in "https://127.0.0.1:8443", with the real ports."""
    @property
    def admin_address(self) -> str:
        """The admin listener's socket, or "host:port"; "": there is none."""
    @property
    def epoch(self) -> str: ...
    def health(self) -> str:
        """What GET /health of the admin listener answers, as JSON."""
    def disconnect(self, subject: str = "", session: str = "") -> str:
        """What POST /v1/disconnect answers, as JSON, when the sessions have ended."""
    def revoke(self, subject: str = "", session: str = "") -> str:
        """What POST /v1/revoke answers, as JSON, when the sessions have ended."""
    def local_session(self) -> LocalSession:
        """A new in-process client."""
    def publish(self, topic: str, data: _Data, feed: int = 0) -> int:
        """Publishes a mapping or a JSON object's text; the seq it got. Raises TopicError,
        DataError."""
    def publish_many(self, pairs: Iterable[tuple[str, _Data]], feed: int = 0) -> int:
        """Publishes (topic, data) pairs; how many. A faulty one loses no other."""
    def publish_table(
        self, topics: Iterable[str], columns: Mapping[str, Any], nan: str = "error", feed: int = 0
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
    def take_events(self) -> list[DemandChange | AccessQuestion | AdminWish]:
        """What happened since the last call."""
    def answer(
        self,
        id: int,
        ruling: str,
        ttl_ms: int = 0,
        text: str = "",
        max_rate: float = 0.0,
        guards: Sequence[tuple[str, Sequence[str] | None]] = [],
    ) -> None:
        """Answers a question with allow, deny or unavailable; text: the claims of an
        authentication, or the reason. guards: of a subscription to a pattern, the pattern of each
        authorizer and those that it lets be seen; None: all of its topics."""
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

@final
class Update:
    """One message about a topic. Its values are shared with `Client.images`: do not change them.

    `data`, `raw` and `text` are made of the server's bytes when they are asked for.
    """

    __match_args__ = (
        "kind",
        "topic",
        "seq",
        "ts",
        "status",
        "data",
        "raw",
        "missed",
        "delivery",
        "text",
        "recovered",
    )
    def __init__(
        self,
        kind: Literal["snapshot", "update", "status", "gap", "resumed"],
        topic: str,
        seq: int,
        ts: int = 0,
        status: str | None = None,
        data: dict[str, Any] = ...,
        raw: str = "",
        missed: int | None = None,
        delivery: str | None = None,
        text: str = "",
        recovered: bool | None = None,
    ) -> None: ...
    def __hash__(self) -> int: ...
    @property
    def kind(self) -> Literal["snapshot", "update", "status", "gap", "resumed"]: ...
    @property
    def topic(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def ts(self) -> int: ...
    @property
    def status(self) -> str | None: ...
    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def raw(self) -> str: ...
    @property
    def missed(self) -> int | None: ...
    @property
    def delivery(self) -> str | None: ...
    @property
    def text(self) -> str: ...
    @property
    def recovered(self) -> bool | None: ...
    @property
    def first_seq(self) -> int: ...
    @property
    def halt(self) -> tuple[str, int | None] | None: ...

def recognise(text: str, decode: Callable[[str], dict[str, Any]] | None = None) -> Update | None:
    """An Update of a message in the server's own spelling; None: any other text."""

def set_decode(decode: Callable[[str], dict[str, Any]]) -> None:
    """How an Update makes `data` of its text, where its client says nothing else."""

def number_in(value: str) -> float:
    """The number that a JSON value holds: a number, or a string that holds one; else NaN."""

def arrow_stream(names: Sequence[str], fields: Sequence[str], buffers: list[bytearray]) -> object:
    """A PyCapsule of the Arrow C stream interface: the column topic, and float64 columns."""

@final
class UpdateRing:
    """The updates that one reader of a client has not taken yet."""

    def __init__(self, limit: int) -> None: ...
    def __len__(self) -> int: ...
    @property
    def full(self) -> bool:
        """It holds its limit or more."""
    def append(self, update: Update, first_missed: int) -> None:
        """first_missed: the first seq that its reader misses if it is dropped."""
    def pop(self) -> Update:
        """The oldest. Raises IndexError when it is empty."""
    def take(self, count: int) -> list[Update]:
        """At most so many, oldest first."""
    def drop(self) -> list[tuple[Update, int]]:
        """All as (update, first_missed); it is empty then."""
    def note_full(self) -> None: ...
    def take_room(self) -> bool:
        """True once, when it is half empty after note_full."""
    def close(self) -> None:
        """Nothing more is appended."""
    def step(self, reader: object) -> Coroutine[Any, Any, Update]:
        """An awaitable of the next update; reader._wait() while there is none, reader._room()."""
    def batch(self, reader: object) -> Coroutine[Any, Any, list[Update]]:
        """As step, of all updates that are there."""

@final
class ClientTopics:
    """All topics that a client knows: seq, status and image."""

    def __init__(self) -> None: ...
    def __contains__(self, name: str) -> bool: ...
    def __len__(self) -> int: ...
    def names(self) -> list[str]: ...
    def find(self, name: str) -> tuple[int, bool, bool, str] | None:
        """(seq, synced, event, status said), or None."""
    def put(self, name: str, state: tuple[int, bool, bool, str]) -> None: ...
    def forget(self, name: str) -> bool: ...
    def note_status(self, status: str) -> int:
        """Raises ProtocolError if it is one more than a server may have."""
    def show(self, name: str, status: str | None) -> None: ...
    def shown(self, name: str) -> str | None: ...
    def names_shown(self) -> list[str]: ...
    def replace_image(self, name: str, data: str) -> bool:
        """False: nothing that the core's scanner takes; nothing changed."""
    def merge_image(self, name: str, data: str) -> bool:
        """As replace_image."""
    def move_image_out(self, name: str) -> None:
        """From here on the caller keeps it."""
    def image_version(self, name: str) -> int:
        """Changes with the image; 0: none."""
    def image(self, name: str) -> str | None:
        """None: the caller keeps it."""
    def field(self, name: str, field: str) -> str | None:
        """JSON text, or None."""
    def names_with_image(self) -> list[str]: ...
    def take_changed(self) -> list[str]:
        """Topics whose image changed since the last call."""
    def columns(
        self, fields: Sequence[str], pattern: str
    ) -> tuple[list[str], list[bytearray], list[int]]:
        """Topics that match, a bytearray of float64 a field, and rows with the caller's images."""
    def memory_bytes(self) -> int: ...
    def route(self, rings: list[UpdateRing]) -> int:
        """A number for these rings, until forget_routes."""
    def arm(self, name: str, route: int) -> None: ...
    def disarm(self, name: str) -> None: ...
    def disarm_all(self) -> None: ...
    def forget_routes(self) -> None:
        """Disarms all, too."""

@final
class ClientStream:
    """The bytes of a connection: takes what only goes on, hands out the rest."""

    def __init__(
        self,
        topics: ClientTopics,
        deflate: bool,
        window_bits: int,
        context_takeover: bool,
        message_bytes_max: int,
        decode: Callable[[str], dict[str, Any]] | None,
    ) -> None: ...
    stop_each: bool
    """next() returns after each update that it took."""
    @property
    def filled(self) -> bool:
        """The last read filled its room."""
    @property
    def updates(self) -> int:
        """The number of updates that it took."""
    def room(self) -> memoryview:
        """Where the next bytes go; void after received and next."""
    def received(self, bytes: int) -> None: ...
    def next(self) -> str | bytes | bool | None:
        """None: all was read. A str: a message to judge. bytes: for the WebSocket library. False: a
        ring is full, or stop_each. Raises ProtocolError."""
    def take_touched(self) -> list[UpdateRing]:
        """The rings that got something since the last call."""
