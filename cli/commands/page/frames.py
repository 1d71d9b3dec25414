"""Live frames of what is drawn by optimisation."""

import base64
import time
from typing import TYPE_CHECKING

from .worker import Ticket

if TYPE_CHECKING:
    from PIL.Image import Image

    from interpret.drawing.ascend import Step

PACE = 0.2  # seconds between two frames
SIDE = 448  # pixels of the longer side


def inline(picture: "Image", quality: int = 80) -> str:
    """A small picture as an address that holds it."""
    from interpret.images.files import encode

    return f"data:image/webp;base64,{base64.b64encode(encode(picture, '.webp', quality=quality)).decode()}"


class Frames:
    """Shows the page every step, not too often; ends the work if nobody wants it any more."""

    def __init__(self, ticket: Ticket) -> None:
        self.ticket, self.shown = ticket, 0.0

    def __call__(self, step: "Step") -> None:
        """Take one step of the optimisation."""
        from interpret.images.files import in_colour, to_pil

        self.ticket.check()
        now = time.monotonic()
        if now - self.shown > PACE:
            self.shown = now
            frame = to_pil(in_colour(step.image[:1]).clamp(0, 1).cpu())
            frame.thumbnail((SIDE, SIDE))
            self.ticket.say("frame", {"step": step.number, "score": float(step.scores.mean()), "src": inline(frame)})
