"""The 15 corruptions of ImageNet-C, five severities each (Hendrycks and Dietterich 2019, https://arxiv.org/abs/1903.12261).

>>> from interpret import corrupt
>>> foggy = corrupt(images, "fog", severity=3)
"""

# Name to the file in which its function is, by the paper's four groups and in its order.
CORRUPTIONS = {
    "gaussian_noise": "noise",
    "shot_noise": "noise",
    "impulse_noise": "noise",
    "defocus_blur": "blur",
    "glass_blur": "blur",
    "motion_blur": "blur",
    "zoom_blur": "blur",
    "snow": "weather",
    "frost": "weather",
    "fog": "weather",
    "brightness": "weather",
    "contrast": "digital",
    "elastic_transform": "digital",
    "pixelate": "digital",
    "jpeg_compression": "digital",
}
SEVERITIES = (1, 2, 3, 4, 5)
