"""`cti`, and `python -m cti`."""

from cti.cli.main import cti


def main() -> None:
    """Run the command line."""
    cti(prog_name="cti")


if __name__ == "__main__":
    main()
