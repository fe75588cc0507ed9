"""`python -m fwsm`: the command line."""

from fwsm.cli import main

if __name__ == "__main__":
    main()
