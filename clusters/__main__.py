"""`python -m clusters`."""

from clusters.cli import main

if __name__ == "__main__":
    main()
