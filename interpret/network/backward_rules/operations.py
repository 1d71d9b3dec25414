"""The table of calls: every function, method and operator that the rules know, by its plain name, and its kind."""

import types
from typing import Any, Literal

from torch.overrides import TorchFunctionMode

Kind = Literal[
    "structure", "linear", "weights", "elementwise", "selection", "product", "quotient", "softmax", "compound"
]

_NAMES: dict[Kind, str] = {
    # Each value of the output is one of the inputs, or a constant.
    "structure": """
        view reshape flatten unflatten ravel view_as reshape_as transpose swapaxes swapdims permute movedim
        moveaxis t T mT H expand expand_as broadcast_to repeat tile repeat_interleave contiguous clone alias to
        type type_as float double squeeze unsqueeze __getitem__ __setitem__ copy fill zero chunk split
        split_with_sizes tensor_split hsplit vsplit dsplit unbind select narrow roll flip fliplr flipud rot90 cat
        concat concatenate stack hstack vstack dstack gather index_select take take_along_dim pixel_shuffle
        pixel_unshuffle channel_shuffle native_channel_shuffle unfold pad constant_pad_nd diagonal diag tril triu
        dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout identity
        atleast_2d atleast_3d real column_stack requires_grad cpu cuda""",
    # Linear in all inputs that depend on the picture, up to a constant.
    "linear": """
        add sub subtract rsub __rsub__ __radd__ __iadd__ __isub__ neg negative positive mean sum nansum cumsum
        avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d interpolate
        upsample upsample_nearest upsample_bilinear upsample_nearest2d upsample_bilinear2d upsample_bicubic2d
        _upsample_bilinear2d_aa _upsample_bicubic2d_aa im2col col2im fold where masked_fill lerp""",
    "weights": """
        linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d""",
    # One value of the output depends on one of the input.
    "elementwise": """
        relu relu6 leaky_relu prelu rrelu elu selu celu silu gelu hardswish mish softplus threshold hardtanh clamp
        clip clamp_min clamp_max sigmoid tanh hardsigmoid softsign logsigmoid tanhshrink hardshrink softshrink
        log_sigmoid expit abs absolute square sqrt rsqrt reciprocal exp exp2 expm1 log log2 log10 log1p pow
        float_power __pow__ __rpow__ __ipow__ sin cos tan asin acos atan arctan sinh cosh asinh arcsinh acosh atanh
        erf erfc erfinv sinc sign sgn floor ceil round trunc frac""",
    "selection": """
        max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices
        adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d adaptive_max_pool1d_with_indices
        adaptive_max_pool2d_with_indices adaptive_max_pool3d_with_indices amax amin max min maximum minimum fmax
        fmin""",
    "product": """
        mul multiply __rmul__ __imul__ matmul __rmatmul__ mm bmm mv dot inner outer einsum bilinear""",
    "quotient": "div divide true_divide __truediv__ __itruediv__ __idiv__",
    "softmax": "softmax log_softmax logsumexp",
    # Written out in simpler calls: see `compounds`.
    "compound": """
        batch_norm instance_norm layer_norm group_norm rms_norm var std linalg_vector_norm
        scaled_dot_product_attention addmm baddbmm addcmul addcdiv glu""",
}

KINDS: dict[str, Kind] = {name: kind for kind, names in _NAMES.items() for name in names.split()}

_SUMS = "add sub subtract rsub __rsub__ __radd__ __iadd__ __isub__"
_NORMS = "batch_norm instance_norm"
# Calls that, with one picture, act on each of its values alone; and calls that may add something to it.
RESCALING = f"{_SUMS} {_NORMS} neg negative positive mul multiply __rmul__ __imul__ {_NAMES['quotient']}".split()
MASKING = "where masked_fill".split()
ADDING = (
    f"{_SUMS} {_NORMS} cat concat concatenate stack hstack vstack dstack column_stack where masked_fill pad "
    "constant_pad_nd lerp bilinear"
).split()

# Of two results that are multiplied the one that ranks higher is a gate, through which the other one passes.
GATES = {
    **dict.fromkeys("softmax sigmoid expit hardsigmoid reciprocal rsqrt".split(), 2),
    **dict.fromkeys("tanh softsign exp exp2 erf logsigmoid log_sigmoid sign sgn".split(), 1),
}


def plain_name(func: Any) -> str:
    """The name of a function, method, operator or property, without what tells its overload or that it is in place."""
    name = getattr(func, "__name__", "")
    if name == "__get__":
        return getattr(func.__self__, "__name__", name)
    name = name.partition(".")[0]
    return name if name.startswith("__") else name.rstrip("_") or name


def shown_name(func: Any) -> str:
    """How an error names a call."""
    return f"{plain_name(func)!r}"


def opened(func: Any, mode: TorchFunctionMode) -> Any:
    """A function of PyTorch that is written in Python, whose own calls ``mode`` sees; None where it is not.

    Such a function first asks whether somebody wants to replace it, and would ask for ever. In the copy nobody does.
    """
    if not isinstance(func, types.FunctionType) or not func.__module__.startswith("torch."):
        return None
    func = getattr(func, "__wrapped__", func)
    asks = [name for name in func.__code__.co_names if name.startswith("has_torch_function")]
    known = {**func.__globals__, **dict.fromkeys(asks, lambda *_: False)}
    copied = types.FunctionType(func.__code__, known, func.__name__, func.__defaults__, func.__closure__)
    copied.__kwdefaults__ = func.__kwdefaults__

    def run(*args: Any, **kwargs: Any) -> Any:
        with mode:
            return copied(*args, **kwargs)

    return run
