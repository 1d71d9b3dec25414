"""One command for every explainer, made from its signature and docstring."""
