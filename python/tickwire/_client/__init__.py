"""The client's private parts: `client.py` and `subscription.py` are what programs see of them.

`link` keeps the connection, `protocol` says what messages mean, `wants` what is wanted of the
server and what it was asked for, `topics` what is known of each topic, `reader` what one
subscription has not read yet.
"""
