"""Pictures with their classes: data sets by name, folders of pictures, and batches of them."""

# The data sets that have a name; any other is a folder or an .npz file.
DATASETS = ("digits", "mnist", "fashion-mnist", "cifar10", "cifar100")
