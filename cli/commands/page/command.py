"""The command `interp app`: its options, and the server that it starts."""

import errno
import socket
import webbrowser
from typing import TYPE_CHECKING

import click

from interpret.bundled import samples
from interpret.errors import InterpretError

from ...job.sources import Source, find_pictures
from ...options.messages import Messages, tell
from ...options.network import ModelOptions
from ...options.numbers import Number
from ...options.pictures import OptionalPictures
from ...options.record import command, option
from ..report.shell_lines import model_words

if TYPE_CHECKING:
    from uvicorn import Server

    from .studio import Studio

FIRST = "sample:cat-and-dog"  # of the bundled photos
PORT, TRIED = 8642, 20  # the first port that is tried, and how many after it


@command(short_help="Open a page to look around in: maps, units, attacks and dreams of pictures.")
def app(
    *,
    pictures: OptionalPictures,
    port: int | None = option(
        "The port of the page; by default the first free one from 8642 on.", type=Number(1024, 65535)
    ),
    open_page: bool = option("Open the page in a browser.", "--open/--no-open", default=True),
    model: ModelOptions,
    messages: Messages,
) -> None:
    """Open a page to look around in, served by this machine to itself alone; Ctrl-C ends it.

    \b
    interp app                                  the bundled photos
    interp app failures/ -m resnet18 --weights mine.pth --labels names.txt

    Look compares maps of several methods, with the values under the pointer and a verdict on each. Units leads
    from a place to the units that fire there, and from a unit to what excites it. Fool attacks by a slider. Play
    dreams and paints. Every state is an address, every picture the one that the command beside it writes.
    Pictures may be dropped on the page too; they stay in memory. Nothing is read but the PICTUREs, and nothing is
    sent anywhere; the index of what excites units is written to interp-out/, as `interp top-activations` does.
    """
    _check_installed()
    sources = find_pictures(pictures.pictures or [FIRST, *(f"sample:{name}" for name in samples())], pictures.recursive)
    if any(source.path is None for source in sources):
        raise InterpretError("standard input is no picture that a page can come back to; name a file")
    listening = _socket(port)
    studio = _studio(sources, pictures, model)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    tell(address)
    messages.note(f"{model.model}, {len(sources)} pictures; Ctrl-C ends it")
    if open_page:
        webbrowser.open(address)
    _serve(studio, listening)


def _check_installed() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise InterpretError(f"the page needs {' and '.join(missing)}: pip install 'interp[app]'")


def _socket(port: int | None) -> socket.socket:
    """A socket that this machine alone can reach, at the port or at the first free one."""
    for number in [port] if port else range(PORT, PORT + TRIED):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", number))
            listening.listen(128)
            return listening
        except OSError as error:
            listening.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    taken = f"port {port} is" if port else f"ports {PORT} to {PORT + TRIED - 1} are"
    raise InterpretError(f"{taken} taken; name another with --port")


def _studio(sources: list[Source], pictures: OptionalPictures, model: ModelOptions) -> "Studio":
    from .gallery import Gallery
    from .studio import Studio

    words, parent = model_words(model), click.get_current_context().parent
    data = {"data": pictures.pictures, "recursive": pictures.recursive}
    styles = find_pictures([f"sample:{name}" for name in samples() if name.startswith("painting")], False)
    return Studio(model.open(), model, words, parent, Gallery(sources, styles), **data)


def _serve(studio: "Studio", listening: socket.socket) -> None:
    """Serve the page until Ctrl-C."""
    try:
        server_of(studio, listening).run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # which is how it ends


def server_of(studio: "Studio", listening: socket.socket) -> "Server":
    """The server of the page, which begins with ``run``."""
    import uvicorn

    from .server import application
    from .worker import Worker

    site = application(studio, Worker(), listening.getsockname()[1])
    quiet = {"log_level": "error", "access_log": False, "server_header": False, "timeout_graceful_shutdown": 1}
    return uvicorn.Server(uvicorn.Config(site, **quiet))
