"""``tickwire check``: is a server's stream right, message by message?

It shares nothing with the client: a fault of one cannot hide one of the other. `wire` speaks
WebSocket on raw sockets, `messages` decodes each text once, `model` is what a client may believe,
`session` is one connection, `run` all of them, `tally` what was found.
"""
