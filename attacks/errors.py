"""What can go wrong in an attack, said in words that name the remedy."""


class AttackError(ValueError):
    """An attack cannot be run with these arguments, or the network's outputs or gradients mislead it."""


class GradientWarning(UserWarning):
    """Gradients vanished: where an attack failed, the network may only seem robust."""


class BudgetWarning(UserWarning):
    """A targeted attack has reached its target for no sample; the message says what would."""
