"""The names of a network's classes."""
