"""A plant inside a FastAPI application: ``python -m examples.fastapi``."""

import socket

import uvicorn

from examples.fastapi.app import app
from examples.site import options

ports = options()
app.state.plant_listen = f"127.0.0.1:{ports.plant}"
with socket.create_server(("127.0.0.1", ports.site)) as listener:
    print(f"open http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    # One worker: each would have a plant of its own.
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
