"""`python -m cli` is the command `interp`."""

from .own_code import not_from_here

not_from_here()

from .app import main  # noqa: E402  (what it imports is looked for in the right places alone)

if __name__ == "__main__":
    raise SystemExit(main())
