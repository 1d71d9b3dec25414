"""Looking into a network while it runs: hooks, layers, gradients, and backward rules for activations.

What comes of networks that are not built as torchvision's are, with the test of each (in tests/interpret):

======================================  ========================================================  =====================
kind                                    what comes                                                test
======================================  ========================================================  =====================
maps (N, H, W, K), as in Swin           the map in them, also as the default                      network/test_layouts
tokens (N, T, K) or (T, N, K)           the map of places, without class and register tokens;     network/test_layouts
                                        a channel is a feature of the tokens
tokens that mix the places of all maps  the last of which the places count, as the default        network/
                                                                                                  test_transformers
tokens of merged patches, or of such    rows and columns half as many, or as the picture has them network/
cut without a convolution                                                                         test_transformers
score read off the class token alone    refused for that layer; an earlier one is named           network/test_layouts
attention weights, (N, C, D, H, W)      refused; a layer that holds a map is named                network/test_layouts
reference kept in the network           the call on the picture; the other is refused             network/test_layouts
pictures regrouped into others inside   refused                                                   network/test_layouts
activation called as a function         the layer ``module.F.relu``, also as the default          network/test_layouts
no_grad, detach, NumPy, argmax,         refused where a gradient is needed; it says where the     network/
quantised head, re-entrant checkpoint   path is cut                                               test_gradient_path
two threads, one network                they take turns; what each gets is exact                  network/
                                                                                                  test_concurrent_threads
BatchNorm without running statistics    each picture by itself, and it is said                    network/test_state
input changed in place                  a copy is changed                                         network/test_state
``x.view`` behind a convolution         runs; channels-last weights only where a pass works       models/test_formats
prefix, or ``Sequential`` as a head,    found where all then fits; else the line to write         models/test_matched
in a checkpoint
TorchScript, torch.export               gradients and forward passes; maps of layers are refused  models/test_formats
ONNX, Hugging Face folders              as networks in Python                                     models/test_formats
======================================  ========================================================  =====================
"""
