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
    times; relu alone would be the last. F.relu is one that the code calls as a function. In
    brackets: how the layer lays out a map, if it is not channels, rows, columns.
    """
    import torch

    from interpret.layer_outputs import runner
    from interpret.network.layers import layers as layers_of
    from interpret.network.survey import default_layer, survey

    classifier = model.open_to_look()
    height, width = classifier.input_size or (224, 224)
    image = torch.rand(1, len(classifier.mean), height, width, generator=torch.Generator().manual_seed(0))
    image, run = image.to(classifier.mean.device), runner(classifier.on_inputs())
    seen, shapes = survey(classifier.network, image, run), {}
    if seen.size != (height, width):  # a small picture is surveyed enlarged; shapes are told for its own size
        shapes = {layer.name: layer.shape for layer in layers_of(classifier.network, lambda: run(image))}
    try:
        default = default_layer(classifier.network, image, run)
    except NetworkError as error:
        default = ""
        note(f"no default: {error}")
    for layer in seen.layers:
        layout = layer.layout.kind if layer.layout else None
        shape = shapes.get(layer.name, layer.shape)[1:]
        row = {"name": layer.name, "kind": layer.kind, "shape": list(shape), "layout": layout}
        if as_json:
            tell(json.dumps({**row, "default": layer.name == default}))
        else:
            sides = " x ".join(map(str, shape))
            told = f" ({layout})" if layout not in (None, "map") else ""
            tell(f"{'*' if layer.name == default else ' '} {layer.name:40} {layer.kind:28} {sides}{told}")
