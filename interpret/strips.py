"""Large pictures a strip at a time, so that memory holds few copies of one."""

from collections.abc import Iterator

STRIP = 2**20  # pixels of a picture that are worked on at a time


def strips(height: int, width: int) -> Iterator[slice]:
    """The rows of a picture, as many at a time as hold ``STRIP`` pixels."""
    step = max(1, STRIP // max(width, 1))
    return (slice(top, min(top + step, height)) for top in range(0, height, step))
