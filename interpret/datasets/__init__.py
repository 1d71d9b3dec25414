"""Pictures with their classes: by name, in folders, in batches."""

# The data sets that have a name; any other is a folder or an .npz file.
DATASETS = ("digits", "mnist", "fashion-mnist", "cifar10", "cifar100")
