"""From a name or a file to a network: how each is built, where its weights come from, and how they are kept."""
