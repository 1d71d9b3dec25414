"""`interp layers`."""

import json

from interpret.errors import NetworkError

from ..options.messages import note, tell
from ..options.network import ModelOptions
from ..options.output import json_option
from ..options.record import command


@command(short_help="List the layers of a network.")
def layers(
    *,
    model: ModelOptions,
    as_json: bool = json_option(),
) -> None:
    """List the layers of a network with the shape of what they give; * marks the default for maps.

    A layer is a call of a module: relu#2 is the second call of the module relu, which ran several
    times; relu alone would be the last.
    """
    import torch

    from interpret.network.layers import last_feature_map
    from interpret.network.layers import layers as list_layers

    classifier = model.open_to_look()
    height, width = classifier.input_size or (224, 224)
    image = torch.rand(1, len(classifier.mean), height, width, generator=torch.Generator().manual_seed(0))
    view = classifier.on_inputs()
    seen = list_layers(classifier.network, lambda: view(image.to(classifier.mean.device)))
    try:
        default = last_feature_map(seen, width / height).name
    except NetworkError as error:
        default = ""
        note(f"no default: {error}")
    for layer in seen:
        row = {"name": layer.name, "kind": layer.kind, "shape": list(layer.shape[1:])}
        if as_json:
            tell(json.dumps({**row, "default": layer.name == default}))
        else:
            shape = " x ".join(map(str, layer.shape[1:]))
            tell(f"{'*' if layer.name == default else ' '} {layer.name:40} {layer.kind:28} {shape}")
