"""`python -m capsule_lint`, and what the console script runs."""

from __future__ import annotations

from capsule_lint.cli import main

if __name__ == "__main__":
    main()
