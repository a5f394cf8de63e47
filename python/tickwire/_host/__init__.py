"""Runs plugins beside an engine: the private parts of `tickwire.Server`, ``tickwire serve`` and
``tickwired``.

`host` is the event loop and thread that all plugins share. `loading` finds what a plugin decorates,
`plugin_files` imports its files. `feed_runner` starts a feed again after a fault, `feed_task` finds
out whose fault it was. `access` answers questions by `calls`, each with a deadline and, for a plain
``def``, in a thread of `workers`. `watchdog` notices that the loop stands still, `ending` cancels
what is left on it. `program` is the process around all that: signals, logs, the order of a stop.
"""
