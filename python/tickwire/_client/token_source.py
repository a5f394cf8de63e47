"""Where a client's token comes from: a text, or a function that gets one for each connection."""

import inspect
from collections.abc import Awaitable, Callable

from tickwire._client.arguments import check_token
from tickwire.errors import TickwireError, UnavailableError

Token = str | Callable[[], str | Awaitable[str]]


class TokenSource:
    def __init__(self, source: Token | None) -> None:
        self.current: str | None = None
        """The last one; None: the client has none."""
        self._source: Callable[[], str | Awaitable[str]] | None = None
        if source is not None:
            self.use(source)

    def use(self, source: Token) -> None:
        """Takes a new text, or a new function."""
        if callable(source):
            self._source = source
            return
        check_token(source)
        self._source, self.current = None, source

    async def fetch(self) -> str | None:
        """Asks the function, if there is one. What it raises is an `UnavailableError`, after which
        a client that was connected tries again; errors of tickwire stay as they are."""
        if self._source is None:
            return self.current
        try:
            got = self._source()
            token = await got if inspect.isawaitable(got) else got
        except TickwireError:
            raise
        except Exception as e:
            raise UnavailableError(f"token: the function that gets it failed: {e!r}") from e
        check_token(token)
        assert isinstance(token, str)
        self.current = token
        return token
