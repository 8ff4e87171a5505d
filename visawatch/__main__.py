"""`python -m visawatch` is the `visawatch` command."""

from visawatch.cli import main

if __name__ == "__main__":
    main(prog_name="visawatch")
