"""Pictures as files, as tensors, as 8-bit levels and in pieces."""
