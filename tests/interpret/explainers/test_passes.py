"""The engine of the methods that need many passes, alone and under smoothgrad, IG, occlusion and RISE."""

import gc
import weakref

import pytest
import torch
from torch import nn

from interpret import InterpretError, integrated_gradients, occlusion, rise, saliency, smoothgrad
from interpret.explainers.passes import noise, passes
from interpret.images.baselines import baseline_for
from tests.tiny import SmallCNN

METHODS = {
    "smoothgrad": (smoothgrad, {"samples": 7}),
    "smoothgrad, variance": (smoothgrad, {"samples": 7, "average": "variance"}),
    "integrated_gradients": (integrated_gradients, {"steps": 7}),
    "occlusion": (occlusion, {"window": 4}),
    "rise": (rise, {"masks": 9}),
}
methods = pytest.mark.parametrize(("explain", "options"), METHODS.values(), ids=METHODS)
CPU = torch.device("cpu")


def network():
    torch.manual_seed(1)
    return SmallCNN().eval()


def pictures(count=2):
    return torch.rand(count, 3, 12, 10, generator=torch.Generator().manual_seed(2))


def drain(run, *, images=2, count=5, max_batch=4):
    return list(passes(run, images, count, max_batch=max_batch, what="test", device=CPU))


@pytest.mark.parametrize("max_batch", [1, 3, 4, 64])
def test_every_pass_once_and_in_order(max_batch):
    sizes = []

    def run(rows, steps):
        sizes.append(len(rows))
        return rows * 10 + steps

    found = [(image, step, int(result)) for image, step, result in drain(run, max_batch=max_batch)]
    assert found == [(image, step, image * 10 + step) for image in range(2) for step in range(5)]
    assert max(sizes) == min(max_batch, 10) and sum(sizes) == 10


@pytest.mark.parametrize("wrong", [{"count": 0}, {"max_batch": 0}])
def test_no_passes_are_refused(wrong):
    with pytest.raises(InterpretError, match="at least one"):
        drain(lambda rows, steps: steps, **wrong)


def test_noise_is_the_same_for_every_dtype_and_another_for_every_pass():
    shape = torch.Size([3, 4])
    first = noise(shape, 0, 0, torch.zeros(1))
    assert torch.equal(first, noise(shape, 0, 0, torch.zeros(1, dtype=torch.float64)).float())
    for seed, step in ((0, 1), (1, 0)):
        assert not torch.equal(first, noise(shape, seed, step, torch.zeros(1)))


class Limited(nn.Module):
    """A network that runs out of memory above some number of pictures."""

    def __init__(self, most, error):
        super().__init__()
        self.network, self.most, self.error, self.sizes = network(), most, error, []

    def forward(self, images):
        self.sizes.append(len(images))
        if len(images) > self.most:
            raise self.error
        return self.network(images)


OUT_OF_MEMORY = {
    "CUDA": RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "torch": torch.OutOfMemoryError("out"),
    "MPS": RuntimeError("MPS backend out of memory"),
    "CPU": RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"),
    "cuBLAS": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    "Python": MemoryError(),
}
out_of_memory = pytest.mark.parametrize("error", OUT_OF_MEMORY.values(), ids=OUT_OF_MEMORY)


@methods
def test_too_large_chunks_are_halved(explain, options):
    limited, images = Limited(4, OUT_OF_MEMORY["CUDA"]).double(), pictures().double()
    found = explain(limited, images, 1, max_batch=9, **options)
    expected = explain(limited.network, images, 1, max_batch=64, **options)
    assert (found - expected).abs().max() <= 1e-11 * expected.abs().max()
    assert [size for size in limited.sizes if size > 2][:3] == [9, 5, 3], "halved until it fits, and then kept"


@out_of_memory
def test_ways_to_run_out_of_memory(error):
    limited = Limited(1, error)
    smoothgrad(limited, pictures(1), 1, samples=4, max_batch=4)
    assert limited.sizes == [4, 2, 1, 1, 1, 1]


@out_of_memory
def test_a_single_pass_that_does_not_fit_is_raised(error):
    limited = Limited(0, error)
    with pytest.raises(type(error)):
        smoothgrad(limited, pictures(1), 1, samples=4, max_batch=4)
    assert limited.sizes == [4, 2, 1]


@pytest.mark.parametrize("error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("memory")])
def test_other_errors_are_raised_at_once(error):
    limited = Limited(0, error)
    with pytest.raises(type(error), match="m"):
        smoothgrad(limited, pictures(1), 1, samples=4, max_batch=4)
    assert limited.sizes == [4]


def test_a_failed_chunk_is_let_go_before_the_next_try():
    alive = []

    def run(rows, steps):
        held = torch.zeros(len(rows))
        assert not any(reference() is not None for reference in alive)
        alive.append(weakref.ref(held))
        if len(rows) > 1:
            raise RuntimeError("out of memory")
        return steps

    gc.disable()  # references alone have to do it: a network's memory cannot wait for the collector
    try:
        for _ in passes(run, 1, 4, max_batch=4, what="test", device=CPU):
            pass
    finally:
        gc.enable()


class Counting(nn.Module):
    """A network that counts the numbers held by all tensors that are alive when it is called."""

    def __init__(self):
        super().__init__()
        self.network, self.most = network(), 0

    def forward(self, images):
        alive = (thing for thing in gc.get_objects() if issubclass(type(thing), torch.Tensor))
        self.most = max(self.most, sum(tensor.numel() for tensor in alive))
        return self.network(images)


@pytest.mark.parametrize(
    ("explain", "few", "many"),
    [
        (smoothgrad, {"samples": 8}, {"samples": 32}),
        (integrated_gradients, {"steps": 8}, {"steps": 32}),
        (rise, {"masks": 8}, {"masks": 32}),
        (occlusion, {"window": 5, "stride": 4}, {"window": 3, "stride": 2}),
    ],
)
def test_memory_is_flat_in_the_number_of_passes(explain, few, many):
    most = []
    gc.freeze()  # what is there already need not be looked through at every call
    try:
        for options in (few, many):
            counting = Counting()
            explain(counting, pictures(), 1, max_batch=4, **options)
            most.append(counting.most)
    finally:
        gc.unfreeze()
    # The few numbers are the places and shares of the quadrature.
    assert most[1] <= most[0] + 100


def gradients_of(images, samples, share, seed):
    """The gradients that SmoothGrad averages, one by one: (samples, N, C, H, W)."""
    spread = (images.flatten(1).amax(1) - images.flatten(1).amin(1)).view(-1, 1, 1, 1) * share
    noisy = [images + spread * noise(images.shape[1:], seed, step, images) for step in range(samples)]
    return torch.stack([saliency(network().double(), image, torch.tensor([1, 2])) for image in noisy])


@pytest.mark.parametrize("samples", [1, 2, 9])
def test_smoothgrad_is_what_it_says(samples):
    images = pictures().double()
    gradients = gradients_of(images, samples, 0.2, 3)
    expected = {
        "plain": gradients.mean(0),
        "squared": gradients.square().mean(0),
        "variance": gradients.var(0, correction=0),
    }
    for average, wanted in expected.items():
        found = smoothgrad(
            network().double(), images, torch.tensor([1, 2]), samples=samples, noise=0.2, seed=3, average=average
        )
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-14)


def test_variance_is_never_negative():
    """Without noise all gradients are the same; the mean of squares less the square of the mean would round below 0."""
    for images in (pictures(), 1e4 * pictures()):
        assert smoothgrad(network(), images, 1, samples=20, noise=0.0, average="variance").min() >= 0
        assert smoothgrad(network(), images, 1, samples=20, noise=1e-7, average="variance").min() >= 0


@pytest.mark.parametrize("baseline", ["black", "white", "blur", 0.3])
def test_integrated_gradients_are_complete(baseline):
    """On a smooth network the attribution adds up to the rise of the score."""
    torch.manual_seed(3)
    smooth = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Softplus(), nn.Flatten(), nn.Linear(320, 6), nn.Tanh(), nn.Linear(6, 4)
    )
    smooth, images, target = smooth.double(), pictures().double(), torch.tensor([1, 2])
    start = baseline_for(baseline, smooth, images)
    rise_of_score = (smooth(images) - smooth(start)).gather(1, target[:, None])[:, 0].detach()
    found = integrated_gradients(smooth, images, target, baseline=baseline, steps=32).sum((1, 2, 3))
    torch.testing.assert_close(found, rise_of_score, rtol=1e-8, atol=1e-10)
