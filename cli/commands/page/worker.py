"""The one thread that runs the network: work waits in a line, takes turns, and ends when nobody asks any more."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import click

from attacks.errors import AttackError
from interpret.errors import InterpretError, error_line

Event = tuple[str, Any]  # its name, and what JSON can hold
LONGEST = 64  # work that may wait; more is refused
PACE = 0.1  # seconds between two reports of progress
PATIENCE = 10  # seconds that the last step has
LATER = ("later", None)  # what work yields once the rest of it may wait for everybody else's


class Stopped(BaseException):
    """Nobody wants the work any more; no `except Exception` on the way may keep it."""


class Ticket:
    """Work in the line: an iterator of events, each of which is one turn, and where they are said."""

    def __init__(self, work: Callable[["Ticket"], Iterator[Event]], say: Callable[[str, Any], object]) -> None:
        self.say, self.cancelled, self.over, self.patient = say, False, False, False
        self._work, self._told, self._place = work(self), 0.0, -1

    def cancel(self) -> None:
        """Ask for the end of the work."""
        self.cancelled = True

    def check(self) -> None:
        """End the work here if nobody wants it any more."""
        if self.cancelled:
            raise Stopped

    def progress(self, what: str, done: int, total: int) -> None:
        """Tell how far a step has come, not too often; ends the work if nobody wants it any more."""
        self.check()
        now = time.monotonic()
        if what and now - self._told > PACE:
            self._told = now
            self.say("progress", {"what": what, "done": done, "total": total})

    def stand(self, place: int) -> None:
        """Tell how many are before it in the line, if that is news."""
        if place != self._place:
            self._place = place
            self.say("place", place)

    def turn(self) -> None:
        """Take one step."""
        from interpret.progress import watched_bars

        self._place = 0
        try:
            self.check()
            with watched_bars(self.progress):
                event = next(self._work)
            if event == LATER:
                self.patient = True
            else:
                self.say(*event)
        except StopIteration:
            self._end("done", None)
        except Stopped:
            self._end("stopped", None)
        except Exception as error:
            self._end("trouble", sentence(error))

    def _end(self, event: str, data: Any) -> None:
        self.over = True
        self._work.close()
        self.say(event, data)


class Worker:
    """The line, and the thread that works it off."""

    def __init__(self) -> None:
        self._line: list[Ticket] = []
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)
        self._thread.start()

    def enter(self, ticket: Ticket) -> bool:
        """Put work at the end of the line; False where that is too long already."""
        with self._changed:
            if len(self._line) >= LONGEST:
                return False
            self._line.append(ticket)
            self._tell_places()
            self._changed.notify()
        return True

    def close(self) -> None:
        """End all work and the thread."""
        with self._changed:
            self._closed = True
            for ticket in self._line:
                ticket.cancel()
            self._changed.notify()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._line and not self._closed:
                    self._changed.wait()
                if not self._line:
                    return
                ticket = next((one for one in self._line if one.cancelled or not one.patient), self._line[0])
            ticket.turn()  # it keeps its place meanwhile, so that the others know how many are before them
            with self._changed:
                self._line.remove(ticket)
                if not ticket.over:
                    self._line.append(ticket)
                self._tell_places()

    def _tell_places(self) -> None:
        for place, ticket in enumerate(self._line):
            if place:
                ticket.stand(place)


def sentence(error: Exception) -> str:
    """An error as the page says it."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, InterpretError | AttackError):
        return error_line(error)
    return f"{type(error).__name__}: {error_line(error)}"
