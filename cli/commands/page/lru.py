"""What was made lately, by what it was made of, within a number of bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class Lru:
    """Values by their keys, each with its size; beyond so many bytes those that were not used for longest are dropped.

    Threads share it. What is larger than all of it is made, and not kept.
    """

    def __init__(self, most: int) -> None:
        self.most, self.used = most, 0
        self._held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> Any:
        """The value of a key; None where there is none."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def keep(self, key: Hashable, value: Any, size: int) -> None:
        """Keep a value of so many bytes."""
        with self._lock:
            self.used -= self._held.pop(key, (None, 0))[1]
            if size > self.most:
                return
            self._held[key] = value, size
            self.used += size
            while self.used > self.most:
                self.used -= self._held.popitem(last=False)[1][1]

    def get(self, key: Hashable, make: Callable[[], Any], size: Callable[[Any], int] = len) -> Any:
        """The value of a key, which is made and kept where there is none."""
        value = self.find(key)
        if value is None:
            value = make()
            self.keep(key, value, size(value))
        return value
