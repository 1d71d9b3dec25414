"""Training that makes a network robust: the defenses, and the one loop that serves them all."""

# The names of the defenses, each a function in the file of its name.
DEFENSES = ("none", "fgsm", "fast", "nfgsm", "free", "pgd", "trades", "mart")
