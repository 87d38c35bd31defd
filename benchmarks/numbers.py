"""Numbers of the lab's plan that the benchmarks dial. Pure."""


def busy_number(n: int) -> str:
    """Return a number that rings for one second and is busy then; `n` up to 99999 makes it another one."""
    return f"+4930{n:05d}3001"


def answering_number(n: int) -> str:
    """Return a number of our own; whoever stands in for the carrier decides what becomes of it."""
    return f"+4940{n:05d}1000"
