"""Numbers as `tel:` links write them (RFC 3966). Pure."""

from urllib.parse import unquote


def number_in(text: str) -> str:
    """Return the number of a `tel:` link without its parameters; any other text as it is."""
    scheme, colon, rest = text.strip().partition(":")
    if not colon or scheme.casefold() != "tel":
        return text
    return unquote(rest).removeprefix("//").partition(";")[0]
