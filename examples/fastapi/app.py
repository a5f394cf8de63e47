"""An application that has a plant within: its lifespan, its login, and a port for each.

The application (port 8000) serves pages and knows who its members are. The plant (port 8080) serves
prices to the browsers of members. Both are in one process, so the application publishes and reads
topics without a network.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Cookie, FastAPI, HTTPException, Response
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse
from pydantic import BaseModel, Field

import tickwire
from examples.fastapi import desk

FOLDER = Path(__file__).parent
PLANT_LISTEN = "127.0.0.1:8080"
SESSIONS_MAX = 1_000
MEMBERS = {"ann": "lemon", "bob": "orange"}
"""Made-up members with their passwords. An application keeps hashes of them in its database."""

sessions: dict[str, str] = {}
"""The application's session cookie to the member's name."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The plant starts before the first request, and stops after the last one."""
    listen = getattr(app.state, "plant_listen", PLANT_LISTEN)
    with tickwire.Server(listen=listen, plugins=[desk]) as app.state.plant:
        yield


app = FastAPI(lifespan=lifespan, title="tickwire in FastAPI")
Session = Annotated[str, Cookie()]


class Login(BaseModel):
    name: str = Field(max_length=40)
    password: str = Field(max_length=200)


def member(session: str) -> str:
    if session not in sessions:
        raise HTTPException(401, "log in first")
    return sessions[session]


@app.post("/login")
def login(given: Login, response: Response) -> dict[str, str]:
    known = MEMBERS.get(given.name, "")
    if not secrets.compare_digest(known.encode(), given.password.encode()) or not known:
        raise HTTPException(401, "the name or the password is wrong")
    if len(sessions) >= SESSIONS_MAX:
        raise HTTPException(503, "too many sessions")
    session = secrets.token_urlsafe(24)
    sessions[session] = given.name
    response.set_cookie("session", session, httponly=True, samesite="strict")
    return {"name": given.name}


@app.post("/logout")
def logout(response: Response, session: Session = "") -> dict[str, bool]:
    sessions.pop(session, None)
    response.delete_cookie("session")
    return {"done": True}


@app.get("/token", response_class=PlainTextResponse)
def token(session: Session = "") -> str:
    """What the page shows the plant before each connection: good for a minute, and once."""
    return desk.make_token(member(session))


@app.get("/me")
def me(session: Session = "") -> dict[str, str]:
    return {"name": member(session)}


@app.get("/price/{symbol}")
def price(symbol: str, session: Session = "") -> dict[str, str]:
    """The application reads the plant's topics as they are in memory."""
    member(session)
    try:
        quote = app.state.plant.snapshot(f"desk.{symbol}")
    except tickwire.TickwireError:
        quote = None
    if not quote:
        raise HTTPException(404, "no such symbol")
    return {"last": quote.data["last"]}


@app.get("/", response_class=HTMLResponse)
def page() -> str:
    text = (FOLDER / "index.html").read_text()
    return text.replace("http://localhost:8080", f"http://{app.state.plant.address}")


@app.get("/look.css")
def look() -> FileResponse:
    return FileResponse(FOLDER.parent / "look.css")
