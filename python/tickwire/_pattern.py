"""Topic patterns as on the server: `*` stands for one token, a final `>` for one or more."""


def is_pattern(name: str) -> bool:
    *first, last = name.split(".")
    return last in ("*", ">") or "*" in first


def matches(pattern: str, topic: str) -> bool:
    """Both must be valid; a topic matches itself."""
    if pattern == topic:
        return True
    want, have = pattern.split("."), topic.split(".")
    if want[-1] == ">":
        want.pop()
        if len(have) <= len(want):
            return False
    elif len(have) != len(want):
        return False
    return all(token in ("*", mine) for token, mine in zip(want, have, strict=False))
