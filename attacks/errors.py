"""What can go wrong in an attack, said in words that name the remedy."""


class AttackError(ValueError):
    """An attack cannot be run as asked, or the network misled it."""


class GradientWarning(UserWarning):
    """Gradients vanished: where an attack failed, the network may only seem robust."""
