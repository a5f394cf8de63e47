"""RabbitMQ, in both directions: messages of a topic exchange as updates, and updates as messages.

    [plugins.rabbitmq]
    url = "amqp://tickwire@mq.example/"       # or amqps://
    password_file = "mq.password"             # in place of one in the URL
    exchange = "tickwire"                     # a topic exchange, made if it is not there
    plant = "london"                          # this plant's own name; by default the host's
    take = ["chat.>"]                         # what to publish here
    send = ["chat.>", "ticker.*"]             # what to send to others
    queue_messages = 100000                   # what waits for this plant; the oldest go first

A message's routing key is its topic. A pattern's ``*`` is the same there, and ``>`` is ``#``. The
headers ``tickwire-plant``, ``-epoch`` and ``-seq`` say which update it is. So each is published
once, and what was lost is noticed. A plant does not take what it sent, nor sends what it took, so
plants may take and send the same topics. `_rabbitmq_take.py` and `_rabbitmq_send.py` have the two
directions. A message without these headers, from any other program, is an update as it is.

It needs aio-pika: ``pip install 'tickwire[rabbitmq]'``.
"""

import asyncio
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from tickwire import feed
from tickwire.errors import ConfigError, PluginError
from tickwire.pub import Pub

from ._again import keep
from ._settings import count_of, patterns_of, secret_in, text_of

try:
    import aio_pika
    from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue
    from aiormq.exceptions import AMQPError, ChannelInvalidStateError
except ImportError as e:
    raise PluginError(f"rabbitmq needs aio-pika: pip install 'tickwire[rabbitmq]' ({e})") from e

from ._rabbitmq_send import MessageSender
from ._rabbitmq_take import BEAT, HELLO, MessageTaker, Origins, Taken

CONNECT_S = 10.0
HEARTBEAT_S = 10
PREFETCH = 1000
QUEUE_MAX = 100_000_000


@feed(">")
async def rabbitmq(pub: Pub) -> None:
    await keep(
        pub, "rabbitmq", Bus(pub).run, (AMQPError, ChannelInvalidStateError, OSError, TimeoutError)
    )


class Bus:
    """One plant's place at the exchange, over one connection after the other."""

    def __init__(self, pub: Pub) -> None:
        config = pub.config
        self._pub = pub
        self._url = address(config)
        self._exchange = text_of(config, "plugins.rabbitmq.exchange", "tickwire")
        self._plant = text_of(config, "plugins.rabbitmq.plant", socket.gethostname())
        self._takes = patterns_of(config, "plugins.rabbitmq.take", [])
        self._sends = patterns_of(config, "plugins.rabbitmq.send", [])
        self._messages = count_of(config, "plugins.rabbitmq.queue_messages", 100_000, QUEUE_MAX)
        if not self._takes and not self._sends:
            raise ConfigError("plugins.rabbitmq: neither take nor send is set")
        taken = Taken(self._sends)
        self._taker = MessageTaker(pub, self._plant, self._takes, taken, Origins())
        self._sender = MessageSender(pub, self._plant, self._sends, taken)
        self._taker.on_hello = self._sender.refresh

    async def run(self) -> None:
        """Takes and sends until the connection is lost, which raises."""
        connection = await aio_pika.connect(self._url, timeout=CONNECT_S, heartbeat=HEARTBEAT_S)
        async with connection:
            channel = await connection.channel(publisher_confirms=True)
            await channel.set_qos(prefetch_count=PREFETCH)
            exchange = await channel.declare_exchange(
                self._exchange, aio_pika.ExchangeType.TOPIC, durable=True
            )
            queue = await self._queue(channel, exchange)
            async with asyncio.TaskGroup() as group:
                await queue.consume(self._taker.take, exclusive=True)
                self._pub.log.info("at the exchange %s as %s", self._exchange, self._plant)
                group.create_task(_until_closed(channel))
                if self._takes:
                    await self._sender.hello(exchange)
                    group.create_task(self._taker.watch())
                if self._sends:
                    group.create_task(self._sender.run(exchange))
                    group.create_task(self._sender.beat(exchange))

    async def _queue(self, channel: AbstractChannel, exchange: AbstractExchange) -> AbstractQueue:
        """This plant's own queue. It is durable: what is sent meanwhile waits for the plant."""
        queue = await channel.declare_queue(
            f"tickwire.{self._plant}",
            durable=True,
            arguments={"x-max-length": self._messages, "x-overflow": "drop-head"},
        )
        keys = [BEAT, *(routing_key(pattern) for pattern in self._takes)] if self._takes else []
        for key in [*keys, *([HELLO] if self._sends else [])]:
            await queue.bind(exchange, key)
        return queue


async def _until_closed(channel: AbstractChannel) -> None:
    await channel.closed()
    raise ConnectionError("the connection was closed")


def routing_key(pattern: str) -> str:
    """A pattern as RabbitMQ spells it. ``#`` matches no word at all, too; such a topic is left out
    when it comes."""
    return pattern[:-1] + "#" if pattern == ">" or pattern.endswith(".>") else pattern


def address(config: Mapping[str, Any]) -> str:
    """The URL with its password. `ConfigError`, `OSError`."""
    url = text_of(config, "plugins.rabbitmq.url", "amqp://guest:guest@127.0.0.1/")
    file = text_of(config, "plugins.rabbitmq.password_file")
    parts = urlsplit(url)
    if parts.scheme not in ("amqp", "amqps"):
        raise ConfigError("plugins.rabbitmq.url: must begin with amqp:// or amqps://")
    if not file:
        return url
    host = parts.netloc.rpartition("@")[2]
    password = quote(secret_in(file), safe="")
    return urlunsplit(parts._replace(netloc=f"{parts.username or 'guest'}:{password}@{host}"))
