"""Methods that need many passes: one engine that keeps memory flat and the result independent of chunks."""

import gc
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..errors import InterpretError
from ..progress import progress_bar


def passes(
    run: Callable[[Tensor, Tensor], Tensor], images: int, count: int, *, max_batch: int, what: str, device: torch.device
) -> Iterator[tuple[int, int, Tensor]]:
    """Run ``count`` passes for each image, several at a time, and hand on the results one by one.

    A chunk that does not fit into memory is halved and tried again, down to single passes.

    Args:
        run: takes (M,) numbers of images and (M,) numbers of passes, and returns (M, ...) results.
            What it draws at random must depend on these numbers alone.
        images: how many images there are.
        count: how many passes each needs.
        max_batch: how many passes to run at once, at the most.
        what: the name on the progress bar, which appears after a second where there is a terminal.
        device: where the numbers are needed.

    Yields:
        The image's number, the pass's number, and its result, image by image and pass by pass.

    Raises:
        InterpretError: no passes, or none at a time.
    """
    if count < 1 or max_batch < 1:
        raise InterpretError(f"{what} takes at least one pass, and at least one at a time, not {count} and {max_batch}")
    total, done = images * count, 0
    with progress_bar(total, what, "pass") as bar:
        while done < total:
            numbers = torch.arange(done, min(done + max_batch, total), device=device)
            rows, steps = numbers // count, numbers % count
            results = None
            try:
                results = run(rows, steps)
            except (RuntimeError, MemoryError) as error:
                if len(numbers) == 1 or not _out_of_memory(error):
                    raise
            if results is None:
                # Only out here, where the error is gone, does nothing hold what the chunk had made.
                max_batch = (len(numbers) + 1) // 2
                _release()
                continue
            yield from zip(rows.tolist(), steps.tolist(), results, strict=True)
            done += len(numbers)
            bar.update(len(numbers))


def _out_of_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "out of memory" in text or "alloc" in text


def _release() -> None:
    """Give back what the failed chunk held."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def noise(shape: torch.Size, seed: int, step: int, like: Tensor) -> Tensor:
    """Standard normal noise of one pass: the same for every image, chunk size, device and dtype."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    return torch.randn(shape, generator=generator).to(like)
