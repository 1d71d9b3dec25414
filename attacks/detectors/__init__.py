"""Attacks on what finds objects in pictures, with their boxes."""
