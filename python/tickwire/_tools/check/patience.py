"""How long to wait for what has not arrived. Pure."""


class Patience:
    """Ends after `looks` looks in a row in which nothing arrived.

    Looks are counted, not seconds: on a busy machine, slow is not missing.
    """

    def __init__(self, looks: int) -> None:
        self._looks = looks
        self._in_vain = 0
        self._least: int | None = None

    def waits(self, missing: int) -> bool:
        """Whether to look once more, where so much is missing by now."""
        if self._least is None or missing < self._least:
            self._least, self._in_vain = missing, 0
        else:
            self._in_vain += 1
        return missing > 0 and self._in_vain < self._looks
