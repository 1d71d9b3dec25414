"""Textured solids, drawn from random sides by a small renderer that is linear in the texture, and attacked in it."""
