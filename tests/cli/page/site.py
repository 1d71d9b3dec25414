"""The page's server in a thread of the test, and plain requests to it."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from cli.commands.page import command
from cli.commands.page.studio import Studio
from tests.command import interp


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


@dataclass
class Site:
    """A served page."""

    studio: Studio
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """One request; underscores in the names of headers are dashes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.putrequest(method, path, skip_host="Host" in named)
            if body is not None:
                named.setdefault("Content-Length", str(len(body)))
            for name, value in named.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def work(self, kind: str, **chosen: str) -> list[tuple[str, Any]]:
        """The events of some work, to its end."""
        answer = self.ask(f"/work/{kind}?{urlencode({name: value for name, value in chosen.items() if value})}")
        assert answer.status == 200, answer
        blocks = filter(None, answer.body.decode().split("\n\n"))
        pairs = (block.split("\n", 1) for block in blocks)
        return [(first.removeprefix("event: "), json.loads(second.removeprefix("data: "))) for first, second in pairs]

    def first(self, event: str, kind: str, **chosen: str) -> Any:
        """What the first event of a name says; the rest of the work is given up."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("GET", f"/work/{kind}?{urlencode(chosen)}")
            lines = iter(connection.getresponse().readline, b"")
            while (line := next(lines).decode()) != f"event: {event}\n":
                assert line not in ("event: trouble\n", "event: done\n"), next(lines)
            return json.loads(next(lines).decode().removeprefix("data: "))
        finally:
            connection.close()

    def found(self, kind: str, event: str, **chosen: str) -> list[Any]:
        """What the events of one name say; work that ends in trouble fails."""
        events = self.work(kind, **chosen)
        assert events[-1][0] == "done", events[-1]
        return [data for name, data in events if name == event]

    def id(self, name: str) -> str:
        """The id of a picture that was named to the command."""
        return next(picture.id for picture in self.studio.gallery.named() if picture.shown == name)


@contextmanager
def served(monkeypatch, *words: object) -> Iterator[Site]:
    """`interp app` for some words, listening."""
    kept = []
    monkeypatch.setattr(command, "_serve", lambda *given: kept.extend(given))
    ran = interp("app", "--no-open", *words)
    assert ran.status == 0, ran.err
    studio, listening = kept
    server = command.server_of(studio, listening)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield Site(studio, listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
