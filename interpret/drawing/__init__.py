"""Pictures made by optimisation: what a class, a channel or a whole layer wants to see."""
