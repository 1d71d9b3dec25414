"""How often a model is right under attack, and whether that can be believed."""
