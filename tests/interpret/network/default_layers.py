"""The layer that `default_layer` has to find in torchvision's classifiers.

`DEFAULT_LAYERS` maps a torchvision model's name to the layer Grad-CAM looks at
by default and the (C, H, W), or (tokens, C), of that layer's output for a
224x224 input in evaluation mode.

The layers were chosen by reading torchvision 0.29's source
(`torchvision/models/*.py`), not by running any finder, so that the table is
evidence independent of the code under test. The rule read off the source is:
the last call of a submodule, after its activation and before any pooling,
whose output is a map (N, C, H, W) larger than 1x1. Not counted are pooled maps,
maps of class scores and tensors inside attention. Of several calls that give
the same values (a `Sequential` and its last member, a block and its last ReLU,
a dropout that is the identity in evaluation mode) the innermost, that is the
one that computes them, is named. `NAME#k` is the k-th call, from 1, of a module
called several times in one forward pass. Of functional calls only activations have a
name, `MODULE.F.relu`, and only where no module gives the same values; the module
around any other (`torch.cat`, `+=`) is the innermost one.

Values are those at the time of the call. Several networks write over an output
later: a ResNet block's last norm is written over by `out += identity` and the
in-place ReLU, ConvNeXt's `stochastic_depth` returns its input itself, which
`result += input` then changes, and DenseNet's in-place `F.relu` changes the
output of `features.norm5`.

Models with many parameters: regnet_y_128gf (645 M), vgg* (133 to 144 M),
convnext_large (198 M), regnet_y_32gf (145 M), wide_resnet101_2 (127 M),
efficientnet_v2_l (119 M), regnet_x_32gf (108 M).
"""

DEFAULT_LAYERS: dict[str, tuple[str, tuple[int, ...]]] = {
    # AlexNet: `features` ends conv, ReLU (11), max-pool (12); then avgpool.
    "alexnet": ("features.11", (256, 13, 13)),
    # VGG: `features` ends conv, [norm,] ReLU, max-pool; then avgpool. The ReLU's
    # index is 2 (or 3 with norms) per convolution + 5 max-pools - 2.
    "vgg11": ("features.19", (512, 14, 14)),
    "vgg11_bn": ("features.27", (512, 14, 14)),
    "vgg13": ("features.23", (512, 14, 14)),
    "vgg13_bn": ("features.33", (512, 14, 14)),
    "vgg16": ("features.29", (512, 14, 14)),
    "vgg16_bn": ("features.42", (512, 14, 14)),
    "vgg19": ("features.35", (512, 14, 14)),
    "vgg19_bn": ("features.51", (512, 14, 14)),
    # ResNet, BasicBlock: layer4's last block ends `out += identity;
    # out = self.relu(out)`, and its one ReLU module was called once before.
    "resnet18": ("layer4.1.relu#2", (512, 7, 7)),
    "resnet34": ("layer4.2.relu#2", (512, 7, 7)),
    # ResNet, Bottleneck: the same, with the ReLU module called twice before.
    # Grouped (ResNeXt) and wide ones differ in the inner width only.
    "resnet50": ("layer4.2.relu#3", (2048, 7, 7)),
    "resnet101": ("layer4.2.relu#3", (2048, 7, 7)),
    "resnet152": ("layer4.2.relu#3", (2048, 7, 7)),
    "resnext50_32x4d": ("layer4.2.relu#3", (2048, 7, 7)),
    "resnext101_32x8d": ("layer4.2.relu#3", (2048, 7, 7)),
    "resnext101_64x4d": ("layer4.2.relu#3", (2048, 7, 7)),
    "wide_resnet50_2": ("layer4.2.relu#3", (2048, 7, 7)),
    "wide_resnet101_2": ("layer4.2.relu#3", (2048, 7, 7)),
    # SqueezeNet: the last Fire ends in a functional `torch.cat` of two ReLUs, so
    # the Fire itself is innermost. In the classifier, 0 is a dropout (the same
    # values), 1 and 2 are class-score maps, 3 is the average pooling.
    "squeezenet1_0": ("features.12", (512, 13, 13)),
    "squeezenet1_1": ("features.12", (512, 13, 13)),
    # DenseNet: `features` ends in norm5; the ReLU after it is a function in the network's own forward.
    "densenet121": ("F.relu", (1024, 7, 7)),
    "densenet161": ("F.relu", (2208, 7, 7)),
    "densenet169": ("F.relu", (1664, 7, 7)),
    "densenet201": ("F.relu", (1920, 7, 7)),
    # GoogLeNet, Inception v3: the last Inception block ends in `torch.cat` of its
    # branches (each ending in a functional ReLU); then avgpool and dropout. The
    # auxiliary heads run in training only.
    "googlenet": ("inception5b", (1024, 7, 7)),
    "inception_v3": ("Mixed_7c", (2048, 5, 5)),
    # MobileNetV2: `features` ends in a Conv2dNormActivation: conv, norm, ReLU6
    # (2), after the stem and 17 blocks; the pooling is functional.
    "mobilenet_v2": ("features.18.2", (1280, 7, 7)),
    # MobileNetV3: the same with Hardswish (2), after 15 or 11 blocks; then avgpool.
    "mobilenet_v3_large": ("features.16.2", (960, 7, 7)),
    "mobilenet_v3_small": ("features.12.2", (576, 7, 7)),
    # MNASNet: `layers` ends conv (14), norm (15), ReLU (16) after a stem of 8
    # modules and 6 stacks; the pooling is `x.mean([2, 3])`.
    "mnasnet0_5": ("layers.16", (1280, 7, 7)),
    "mnasnet0_75": ("layers.16", (1280, 7, 7)),
    "mnasnet1_0": ("layers.16", (1280, 7, 7)),
    "mnasnet1_3": ("layers.16", (1280, 7, 7)),
    # ShuffleNetV2: conv5 is conv, norm, ReLU (2); the pooling is `x.mean([2, 3])`.
    "shufflenet_v2_x0_5": ("conv5.2", (1024, 7, 7)),
    "shufflenet_v2_x1_0": ("conv5.2", (1024, 7, 7)),
    "shufflenet_v2_x1_5": ("conv5.2", (1024, 7, 7)),
    "shufflenet_v2_x2_0": ("conv5.2", (2048, 7, 7)),
    # EfficientNet: `features` is the stem, 7 stages and a Conv2dNormActivation (8):
    # conv, norm, SiLU (2), of 4 x the last stage's width; then avgpool.
    "efficientnet_b0": ("features.8.2", (1280, 7, 7)),
    "efficientnet_b1": ("features.8.2", (1280, 7, 7)),
    "efficientnet_b2": ("features.8.2", (1408, 7, 7)),
    "efficientnet_b3": ("features.8.2", (1536, 7, 7)),
    "efficientnet_b4": ("features.8.2", (1792, 7, 7)),
    "efficientnet_b5": ("features.8.2", (2048, 7, 7)),
    "efficientnet_b6": ("features.8.2", (2304, 7, 7)),
    "efficientnet_b7": ("features.8.2", (2560, 7, 7)),
    # EfficientNetV2: the same, with 6 stages in S and 7 in M and L.
    "efficientnet_v2_s": ("features.7.2", (1280, 7, 7)),
    "efficientnet_v2_m": ("features.8.2", (1280, 7, 7)),
    "efficientnet_v2_l": ("features.8.2", (1280, 7, 7)),
    # RegNet: the last block of stage 4 ends `self.activation(x + self.f(x))` (its
    # ReLU is called once); then avgpool. The block's index is the stage's depth
    # - 1, from `BlockParams.from_init_params`.
    "regnet_y_400mf": ("trunk_output.block4.block4-5.activation", (440, 7, 7)),
    "regnet_y_800mf": ("trunk_output.block4.block4-1.activation", (784, 7, 7)),
    "regnet_y_1_6gf": ("trunk_output.block4.block4-1.activation", (888, 7, 7)),
    "regnet_y_3_2gf": ("trunk_output.block4.block4-0.activation", (1512, 7, 7)),
    "regnet_y_8gf": ("trunk_output.block4.block4-0.activation", (2016, 7, 7)),
    "regnet_y_16gf": ("trunk_output.block4.block4-0.activation", (3024, 7, 7)),
    "regnet_y_32gf": ("trunk_output.block4.block4-0.activation", (3712, 7, 7)),
    "regnet_y_128gf": ("trunk_output.block4.block4-0.activation", (7392, 7, 7)),
    "regnet_x_400mf": ("trunk_output.block4.block4-11.activation", (400, 7, 7)),
    "regnet_x_800mf": ("trunk_output.block4.block4-4.activation", (672, 7, 7)),
    "regnet_x_1_6gf": ("trunk_output.block4.block4-1.activation", (912, 7, 7)),
    "regnet_x_3_2gf": ("trunk_output.block4.block4-1.activation", (1008, 7, 7)),
    "regnet_x_8gf": ("trunk_output.block4.block4-0.activation", (1920, 7, 7)),
    "regnet_x_16gf": ("trunk_output.block4.block4-0.activation", (2048, 7, 7)),
    "regnet_x_32gf": ("trunk_output.block4.block4-0.activation", (2520, 7, 7)),
    # ConvNeXt: `features` ends in stage 7, whose last CNBlock (of 3) ends in a
    # functional `result += input`, so the block itself is innermost; then avgpool.
    # The classifier's norm sees 1x1.
    "convnext_tiny": ("features.7.2", (768, 7, 7)),
    "convnext_small": ("features.7.2", (768, 7, 7)),
    "convnext_base": ("features.7.2", (1024, 7, 7)),
    "convnext_large": ("features.7.2", (1536, 7, 7)),
    # MaxViT: the last layer of the last block ends in grid attention, which ends in
    # `departition_op`, from (N, windows, positions, C) back to (N, C, H, W); the
    # classifier starts with the average pooling.
    "maxvit_t": (
        "blocks.3.layers.1.layers.grid_attention.departition_op",
        (512, 7, 7),
    ),
    # Swin: `features` and `norm` are (N, H, W, C); only `permute`, between norm and
    # avgpool, gives (N, C, H, W).
    "swin_t": ("permute", (768, 7, 7)),
    "swin_s": ("permute", (768, 7, 7)),
    "swin_b": ("permute", (1024, 7, 7)),
    "swin_v2_t": ("permute", (768, 7, 7)),
    "swin_v2_s": ("permute", (768, 7, 7)),
    "swin_v2_b": ("permute", (1024, 7, 7)),
    # ViT: the encoder works on (N, S, C) sequences and the head reads the class token alone, so the places of the last
    # block's output do not matter. The last that they do in is what its attention reads, after its first norm.
    "vit_b_16": ("encoder.layers.encoder_layer_11.ln_1", (197, 768)),
    "vit_b_32": ("encoder.layers.encoder_layer_11.ln_1", (50, 768)),
    "vit_l_16": ("encoder.layers.encoder_layer_23.ln_1", (197, 1024)),
    "vit_l_32": ("encoder.layers.encoder_layer_23.ln_1", (50, 1024)),
    "vit_h_14": ("encoder.layers.encoder_layer_31.ln_1", (257, 1280)),
}
