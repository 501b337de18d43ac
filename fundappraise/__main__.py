"""``python -m fundappraise``."""

from fundappraise.cli import main

if __name__ == "__main__":
    main()
