"""Calls written out in simpler ones, for which there are rules: norms, attention."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def _standardised(values: Tensor, dims: Sequence[int], eps: float) -> Tensor:
    centred = values - values.mean(dims, keepdim=True)
    return centred / (centred.square().mean(dims, keepdim=True) + eps).sqrt()


def _scaled(values: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Times a weight and plus a bias for each channel, the second dimension."""
    shape = (1, -1, *[1] * (values.dim() - 2))
    values = values if weight is None else values * weight.view(shape)
    return values if bias is None else values + bias.view(shape)


def layer_norm(
    values: Tensor,
    shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    *_,
) -> Tensor:
    """`torch.layer_norm`."""
    values = _standardised(values, tuple(range(-len(shape), 0)), eps)
    values = values if weight is None else values * weight
    return values if bias is None else values + bias


def rms_norm(values: Tensor, shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """`torch.rms_norm`."""
    eps = torch.finfo(values.dtype).eps if eps is None else eps
    values = values / (values.square().mean(tuple(range(-len(shape), 0)), keepdim=True) + eps).sqrt()
    return values if weight is None else values * weight


def group_norm(
    values: Tensor, groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5, *_
) -> Tensor:
    """`torch.group_norm`."""
    parted = values.reshape(len(values), groups, -1)
    return _scaled(_standardised(parted, (2,), eps).reshape(values.shape), weight, bias)


def batch_norm(values: Tensor, weight, bias, mean, variance, training, momentum, eps, *_) -> Tensor:  # noqa: ANN001
    """`torch.batch_norm`, by the batch's own statistics where it has no others."""
    if training or mean is None:
        dims = tuple(dim for dim in range(values.dim()) if dim != 1)
        return _scaled(_standardised(values, dims, eps), weight, bias)
    scale = (variance + eps).rsqrt()
    return _scaled(_scaled(values, scale, -mean * scale), weight, bias)


def instance_norm(values: Tensor, weight, bias, mean, variance, own, momentum, eps, *_) -> Tensor:  # noqa: ANN001
    """`torch.instance_norm`."""
    if not own and mean is not None:
        return batch_norm(values, weight, bias, mean, variance, False, momentum, eps)
    return _scaled(_standardised(values, tuple(range(2, values.dim())), eps), weight, bias)


def variance(
    values: Tensor, dim: object = None, unbiased: bool | None = None, keepdim: bool = False, **options
) -> Tensor:
    """`torch.var`, whose second argument may also be ``unbiased``."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    correction = options.get("correction", 1) if unbiased is None else int(unbiased)
    dims = tuple(range(values.dim())) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    squares = (values - values.mean(dims, keepdim=True)).square().mean(dims, keepdim=keepdim)
    count = values[0].numel() * len(values) if dim is None else torch.Size(values.shape[d] for d in dims).numel()
    return squares * (count / (count - (1 if correction is None else correction)))


def deviation(*args, **kwargs) -> Tensor:  # noqa: ANN002, ANN003
    """`torch.std`."""
    return variance(*args, **kwargs).sqrt()


def vector_norm(values: Tensor, ord: float = 2, dim: object = None, keepdim: bool = False, **_: object) -> Tensor:
    """`torch.linalg.vector_norm`."""
    dims = tuple(range(values.dim())) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if ord == 2:
        return values.square().sum(dims, keepdim=keepdim).sqrt()
    if ord == float("inf"):
        return values.abs().amax(dims, keepdim=keepdim)
    total = values.abs() if ord == 1 else values.abs().pow(ord)
    return total.sum(dims, keepdim=keepdim).pow(1 / ord)


def attention_weights(
    query: Tensor, key: Tensor, attn_mask: Tensor | None = None, is_causal: bool = False, scale: float | None = None
) -> Tensor:
    """The probabilities (..., T, S) by which attention weighs the values."""
    scores = (query @ key.transpose(-2, -1)) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        # Not minus infinity, whose difference from itself is no number.
        scores = scores.masked_fill(~attn_mask, torch.finfo(scores.dtype).min / 4)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return scores.softmax(-1)


def for_each_query(query: Tensor, key: Tensor, value: Tensor, enable_gqa: bool) -> tuple[Tensor, Tensor]:
    """Keys and values for every head of queries, where several heads share one."""
    times = query.shape[-3] // key.shape[-3] if enable_gqa else 1
    return (key, value) if times == 1 else (key.repeat_interleave(times, -3), value.repeat_interleave(times, -3))


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """`torch.nn.functional.scaled_dot_product_attention`."""
    key, value = for_each_query(query, key, value, enable_gqa)
    return attention_weights(query, key, attn_mask, is_causal, scale) @ value


def addmm(added: Tensor, first: Tensor, second: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """`torch.addmm` and `torch.baddbmm`."""
    return beta * added + alpha * (first @ second)


def addcmul(added: Tensor, first: Tensor, second: Tensor, *, value: float = 1) -> Tensor:
    """`torch.addcmul`."""
    return added + value * (first * second)


def addcdiv(added: Tensor, first: Tensor, second: Tensor, *, value: float = 1) -> Tensor:
    """`torch.addcdiv`."""
    return added + value * (first / second)


def glu(values: Tensor, dim: int = -1) -> Tensor:
    """`torch.nn.functional.glu`."""
    signal, gate = values.chunk(2, dim)
    return signal * gate.sigmoid()


COMPOUNDS: dict[str, Callable[..., Tensor]] = {
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "group_norm": group_norm,
    "batch_norm": batch_norm,
    "instance_norm": instance_norm,
    "var": variance,
    "std": deviation,
    "linalg_vector_norm": vector_norm,
    "scaled_dot_product_attention": attention,
    "addmm": addmm,
    "baddbmm": addmm,
    "addcmul": addcmul,
    "addcdiv": addcdiv,
    "glu": glu,
}
