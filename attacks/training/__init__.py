"""Training that makes a network hard to fool: defenses, and the one loop that serves them all."""

# Name to whether the inner attack needs steps of its own.
DEFENSES = ("none", "fgsm", "fast", "free", "pgd", "trades", "mart")
