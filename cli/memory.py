"""The C library's memory, for a process that needs the same again for every picture."""

import ctypes

# What glibc's mallopt(3) calls M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD: how much free memory is kept, how
# much is asked for at once, and from which size on it is borrowed for one use alone, in bytes; and M_ARENA_MAX, since
# otherwise no other thread gets the memory that one has freed, such as that of a decoded photo.
SETTINGS = {-1: 2**29, -2: 2**26, -3: 2**28, -8: 1}


def keep_freed_memory() -> None:
    """Keep what is freed for the next picture.

    By default glibc gives the buffers of every layer back to the system, which then clears new pages for the
    next one: a sixth of the time of a folder run. Other C libraries are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    for setting, value in SETTINGS.items():
        mallopt(setting, value)
