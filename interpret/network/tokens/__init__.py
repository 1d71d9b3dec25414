"""Tokens: which of them are places of the picture, which of these count, and how they attend to each other."""
