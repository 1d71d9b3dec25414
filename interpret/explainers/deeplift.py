"""DeepLIFT (Shrikumar et al. 2017, https://arxiv.org/abs/1704.02685), by captum."""

from torch import Tensor, nn

from ..geometry import Geometry
from ..images.baselines import baseline_for
from ..scores import Target
from .contract import explainer
from .from_captum import check_activations, check_joins, copied, refused_in_one_line, target_classes


@explainer(Geometry.spread)
def deeplift(
    classifier: nn.Module, images: Tensor, target: Target, *, baseline: str | float | Tensor = "black"
) -> Tensor:
    """How much each pixel adds to the score compared with a baseline, by the rescale rule.

    Every activation distributes its difference from the baseline in proportion to the differences of
    its inputs (section 3.5.1). captum needs a module for every activation, of a kind it knows: it explains
    VGG, AlexNet and SqueezeNet; ResNet (reused ReLUs) and MobileNet (ReLU6) are refused.

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
        return method.attribute(images, baselines, target=target_classes(classifier, images, target, "DeepLIFT"))
