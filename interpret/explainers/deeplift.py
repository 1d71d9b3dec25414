"""DeepLIFT (Shrikumar et al. 2017, https://arxiv.org/abs/1704.02685), by captum."""

from torch import Tensor, nn

from ..geometry import Geometry
from ..images.baselines import baseline_for
from ..scores import Target
from .contract import explainer
from .from_captum import check_activations, check_joins, class_index, copied, refused_in_one_line


@explainer(Geometry.spread)
def deeplift(
    classifier: nn.Module, images: Tensor, target: Target, *, baseline: str | float | Tensor = "black"
) -> Tensor:
    """How much each pixel adds to the score compared with a baseline, by the rescale rule.

    Differences from the baseline are shared out through every activation in proportion (section
    3.5.1). captum needs a module of its own for every activation, of a kind it knows: it explains
    VGG, AlexNet and SqueezeNet, but not ResNet (reused ReLUs) or MobileNet (ReLU6); those are refused.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image.
        baseline: black, white, grey, mean, blur, uniform or a number; in Python also a tensor.

    Returns:
        (N, 3, H, W) attribution, signed, in units of the logit.

    Raises:
        NetworkError: captum cannot explain this network; the message says what stands in the way.
    """
    from captum.attr import DeepLift

    known = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Softplus)
    check_activations(classifier, images, known, "DeepLIFT")
    check_joins(classifier, images, ("Mul", "Div"), "DeepLIFT")
    with refused_in_one_line("DeepLIFT"):
        method = DeepLift(copied(classifier))
        baselines = baseline_for(baseline, classifier, images)
        return method.attribute(images, baselines, target=class_index(classifier, images, target, "DeepLIFT"))
