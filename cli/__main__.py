"""`python -m cli` is the command `interp`."""

from .app import main

if __name__ == "__main__":
    raise SystemExit(main())
