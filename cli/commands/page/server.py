"""The routes of the page: its files, the pictures, results by name, and work as a stream of events."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from interpret.errors import InterpretError

from .about import about, layers_with_maps
from .fool import fool
from .gallery import MOST_BYTES, SIDES, shown_as
from .guard import Guard
from .look import look
from .neurons import at_place, draw, unit
from .play import dream, report, style
from .studio import File, Studio
from .worker import Event, Ticket, Worker, sentence

PAGE = Path(__file__).parent / "static"
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
ENDS = ("done", "stopped", "trouble")  # of a stream
ALIVE = 0.2  # seconds between two looks at whether the page is still there
Work = Callable[[Studio, Mapping[str, str], Ticket], Iterator[Event]]
WORK: dict[str, Work] = {
    "look": look,
    "layers": layers_with_maps,
    "place": at_place,
    "unit": unit,
    "draw": draw,
    "fool": fool,
    "dream": dream,
    "style": style,
    "report": report,
}


def application(studio: Studio, worker: Worker, port: int) -> Guard:
    """The server of the page, as ASGI."""
    site = _Site(studio, worker)
    routes = [
        Route("/", site.static),
        Route("/page/{name}", site.static),
        Route("/about", site.about),
        Route("/picture/{id}/{side:int}", site.picture),
        Route("/drop", site.drop, methods=["POST"]),
        Route("/file/{name}", site.file),
        Route("/values/{name}", site.values),
        Route("/work/{kind}", site.work),
    ]

    @asynccontextmanager
    async def open_until_the_end(app: Starlette) -> AsyncIterator[None]:
        yield
        worker.close()

    return Guard(Starlette(routes=routes, lifespan=open_until_the_end), port)


@cache
def page_files() -> dict[str, tuple[bytes, str]]:
    """The files of the page by their names, with their kinds."""
    found = [file for file in sorted(PAGE.iterdir()) if file.suffix in KINDS]
    return {file.name: (file.read_bytes(), KINDS[file.suffix]) for file in found}


class _Site:
    def __init__(self, studio: Studio, worker: Worker) -> None:
        self.studio, self.worker = studio, worker

    async def static(self, request: Request) -> Response:
        content, kind = page_files().get(request.path_params.get("name", "page.html"), (None, ""))
        return _missing() if content is None else Response(content, media_type=kind)

    async def about(self, request: Request) -> Response:
        return JSONResponse(await anyio.to_thread.run_sync(about, self.studio))

    async def picture(self, request: Request) -> Response:
        side = request.path_params["side"]
        if side not in SIDES:
            return _missing()

        def make() -> bytes:
            picture = self.studio.gallery.find(request.path_params["id"])
            key = "shown", picture.id, picture.version, side
            return self.studio.files.get(key, lambda: shown_as(picture, side))

        return await _answered(make, "image/webp")

    async def drop(self, request: Request) -> Response:
        content = bytearray()
        if int(request.headers.get("content-length") or 0) > MOST_BYTES:
            return _refused(f"a picture has at most {MOST_BYTES // 2**20} MB here", 413)
        async for part in request.stream():
            content += part
            if len(content) > MOST_BYTES:
                return _refused(f"a picture has at most {MOST_BYTES // 2**20} MB here", 413)

        def take() -> bytes:
            gallery = self.studio.gallery
            picture = gallery.drop(bytes(content), unquote(request.headers.get("x-name", "")))
            return json.dumps(gallery.about(picture)).encode()

        return await _answered(take, "application/json")

    async def file(self, request: Request) -> Response:
        found: File | None = self.studio.files.find(request.path_params["name"])
        if found is None:
            return _missing()
        kind = "image/png" if found.name.endswith(".png") else "text/html" if found.name.endswith(".html") else ""
        named = {"content-disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"}
        asked = "save" in request.query_params or kind != "image/png"
        return Response(found.content, media_type=kind or "application/octet-stream", headers=named if asked else {})

    async def values(self, request: Request) -> Response:
        found: File | None = self.studio.files.find(request.path_params["name"])
        return _missing() if found is None else Response(found.values, media_type="application/octet-stream")

    async def work(self, request: Request) -> Response:
        make = WORK.get(request.path_params["kind"])
        if make is None:
            return _missing()
        loop, events = asyncio.get_running_loop(), asyncio.Queue()

        def say(name: str, data: object) -> None:
            with suppress(RuntimeError):  # the server has ended, and nobody listens
                loop.call_soon_threadsafe(events.put_nowait, (name, data))

        chosen = dict(request.query_params)
        ticket = Ticket(lambda own: make(self.studio, chosen, own), say)
        if not self.worker.enter(ticket):
            return _refused("too much work is waiting; try again in a moment", 503)
        return StreamingResponse(_stream(request, ticket, events), media_type="text/event-stream")


async def _stream(request: Request, ticket: Ticket, events: asyncio.Queue) -> AsyncIterator[str]:
    try:
        name = ""
        while name not in ENDS and not await request.is_disconnected():
            with suppress(TimeoutError):
                name, data = await asyncio.wait_for(events.get(), ALIVE)
                yield f"event: {name}\ndata: {json.dumps(data)}\n\n"
    finally:
        ticket.cancel()


async def _answered(make: Callable[[], bytes], kind: str) -> Response:
    try:
        return Response(await anyio.to_thread.run_sync(make), media_type=kind)
    except (InterpretError, RuntimeError) as error:
        return _refused(sentence(error), 404 if kind.startswith("image/") else 422)


def _refused(text: str, status: int) -> Response:
    return PlainTextResponse(text, status)


def _missing() -> Response:
    return _refused("there is nothing here", 404)
