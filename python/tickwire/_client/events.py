"""What goes out of the client's protocol: commands for the wire, events for whoever drives it."""

from dataclasses import dataclass, field

from tickwire._client.ask import Ask
from tickwire.errors import TickwireError
from tickwire.update import Update


@dataclass(frozen=True, slots=True)
class Command:
    """A command to send. Its answer carries the same id."""

    id: int
    kind: str
    text: str
    topics: tuple[str, ...] = ()
    ask: Ask | None = field(default=None, repr=False, compare=False)
    """What a subscribe asked for. By the time of its answer something else may be wanted."""
    beside: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    """The other names that the server had been asked for when a pattern's subscribe was sent."""


@dataclass(frozen=True, slots=True)
class Welcome:
    session: str
    epoch: str
    heartbeat_s: float
    server: str


@dataclass(frozen=True, slots=True)
class Resumption:
    """How a topic or pattern continued after a lost connection."""

    recovered: bool
    missed: int | None
    """The number of missed updates; None if nobody knows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An ack or a pong, or the error that refused the whole command."""

    command: Command
    error: TickwireError | None = None
    seqs: dict[str, int] = field(default_factory=dict)
    """The seq of each accepted topic; 0 if the server did not say it."""
    resumed: dict[str, Resumption] = field(default_factory=dict)
    """Topics that continued after the last seq that this client, or its predecessor, had."""
    partial: set[str] = field(default_factory=set)
    """Accepted patterns of which the client may see only a part."""
    refused: dict[str, TickwireError] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    """The topics of an answer to `list`. `next`, also of `get`, is where the next page begins."""
    states: list[Update] = field(default_factory=list)
    """The topics of an answer to `get`, as snapshots."""
    next: str | None = None
    judged: bool = True
    """False if the server has no authenticator, so nobody judged the token."""

    @property
    def retry_after_ms(self) -> int:
        """After how long the server takes what it refused now; 0 if it did not say."""
        errors = [*self.refused.values(), *([] if self.error is None else [self.error])]
        return max((error.retry_after_ms for error in errors), default=0)


@dataclass(frozen=True, slots=True)
class Data:
    """A message about a topic, already applied. `news`: it says something new."""

    update: Update
    news: bool
    begins: bool = False
    """A reader may begin with this message: somebody asked for the last messages, or for what comes
    from now on."""
    seq_before: int = 0
    """Where the topic stood before the message."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A subscription ended by the server, or an error that answers nothing."""

    error: TickwireError


@dataclass(frozen=True, slots=True)
class Doubted:
    """The server cannot say at present whether these topics may continue. It will ask again."""

    topics: list[str]
    error: TickwireError


@dataclass(frozen=True, slots=True)
class Drain:
    reconnect_after_ms: int


@dataclass(frozen=True, slots=True)
class Live:
    """On this connection, the server has answered for everything that is wanted."""


Event = Welcome | Answer | Data | Ended | Doubted | Drain | Live
