"""Parts of paths that Starlette has no word for."""

from starlette.convertors import Convertor, register_url_convertor


class BeforeVerb(Convertor[str]):
    """A part that ends where a verb begins: in `/v1/bundles/0123:verify` it is 0123."""

    regex = "[^/:]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("before_verb", BeforeVerb())  # before any route names it: routes are compiled when declared
