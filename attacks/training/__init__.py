"""Training that makes a network hard to fool: defenses, and the one loop that serves them all."""

# The names of the defenses, each a function in the file of that name.
DEFENSES = ("none", "fgsm", "fast", "free", "pgd", "trades", "mart")
