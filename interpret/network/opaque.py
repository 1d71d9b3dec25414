"""Networks that run, forwards and backwards, but show none of their layers: TorchScript and exported programs."""

import torch
from torch import Tensor, nn

from ..errors import NetworkError


class Exported(nn.Module):
    """A program of ``torch.export`` as a network.

    Args:
        program: its module, as ``ExportedProgram.module()`` gives it; exported for a fixed number of pictures or not.
    """

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program
        self.one_by_one = False

    def forward(self, images: Tensor) -> object:
        """What the program gives; pictures run one by one where it was exported for one at a time."""
        if self.one_by_one and len(images) > 1:
            return torch.cat([self.program(image[None]) for image in images])
        return self.program(images)

    def train(self, mode: bool = True) -> "Exported":
        """Exported programs have one mode; what they were exported in stays."""
        self.training = mode
        return self


def check_layers_show(network: nn.Module) -> None:
    """Refuse a network whose layers no hook sees, with a NetworkError that names its kind."""
    for module in network.modules():
        kind = "TorchScript" if isinstance(module, torch.jit.ScriptModule) else None
        kind = "a torch.export program" if isinstance(module, Exported) else kind
        if kind is not None:
            raise NetworkError(
                f"{kind} shows none of its layers, so maps of a layer need the network in Python; methods that "
                "differentiate by the picture or only run the network take it as it is"
            )
