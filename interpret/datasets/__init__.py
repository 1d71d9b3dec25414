"""Pictures with their classes: by name, in folders, in batches."""
