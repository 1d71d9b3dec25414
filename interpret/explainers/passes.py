"""Many passes through a network, a few at a time: memory stays flat, and the result does not depend on how many."""

import gc
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..errors import InterpretError, is_out_of_memory
from ..progress import progress_bar


def passes(
    run: Callable[[Tensor, Tensor], Tensor], images: int, count: int, *, max_batch: int, what: str, device: torch.device
) -> Iterator[tuple[int, int, Tensor]]:
    """Run ``count`` passes for each image, at most ``max_batch`` at once, and yield the results one by one.

    ``run`` takes the numbers of images (M,) and of passes (M,), and returns results (M, ...); what it draws at random
    must depend on these numbers alone. The results come with the number of the image and of the pass, image by image
    and pass by pass. Passes that do not fit into memory together are halved and tried again, down to single ones.
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
                if len(numbers) == 1 or not is_out_of_memory(error):
                    raise
            if results is None:
                # Here, outside of `except`, the error no longer holds what the failed passes had made.
                max_batch = (len(numbers) + 1) // 2
                _release()
                continue
            yield from zip(rows.tolist(), steps.tolist(), results, strict=True)
            done += len(numbers)
            bar.update(len(numbers))


def _release() -> None:
    """Give back the memory of failed passes."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def noise(shape: torch.Size, seed: int, step: int, like: Tensor) -> Tensor:
    """Standard normal noise of one pass: the same for every image, batch size, device and dtype."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    return torch.randn(shape, generator=generator).to(like)
