"""Prints the published client's API, one call or type a line, as tests/parity/published.txt has it.

Usage: signatures.py

What its users can call: the functions, the methods of the classes that those make, the fields of its types, and
what is handed to a consumer's function and out of `with_reader`. Annotations are left out.
"""

import asyncio
import inspect

import hstreamdb
from hstreamdb import BufferedProducer, Consumer, HStreamDBClient, ShardOffset, SpecialOffset

# Made by calls; what they take themselves is nothing for users.
CLASSES = [HStreamDBClient, BufferedProducer, BufferedProducer.AppendCallback, Consumer]


def signature(name, function):
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self"
    ]
    return name + str(inspect.Signature(parameters))


def methods(of):
    short = of.__qualname__.removeprefix("BufferedProducer.")
    for name, method in vars(of).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            yield signature(f"{short}.{name}", method)
    if hasattr(of, "__aexit__"):
        yield f"async with {short}()"


def types():
    for name in hstreamdb.__all__:
        value = getattr(hstreamdb, name)
        if isinstance(value, type) and issubclass(value, tuple):
            yield signature(name, value)
    yield f"ShardOffset({', '.join(field.name for field in ShardOffset.DESCRIPTOR.fields)})"
    yield f"SpecialOffset({', '.join(SpecialOffset.keys())})"


def reader_of_with_reader():
    """The object that `with_reader` hands out has no class to ask."""

    class Client:
        async def create_reader(self, *_, **__):
            pass

        async def delete_reader(self, *_):
            pass

    async def enter():
        async with HStreamDBClient.with_reader(Client(), "stream", "reader", None, 0) as reader:
            return [signature(f"with_reader.{name}", function) for name, function in vars(reader).items()]

    return asyncio.run(enter())


def known_names():
    """Every published name is a function, one of the classes, or a type."""
    for name in hstreamdb.__all__:
        value = getattr(hstreamdb, name)
        if inspect.isfunction(value):
            yield signature(name, value)
        elif value not in CLASSES and value not in (ShardOffset, SpecialOffset) and not issubclass(value, tuple):
            raise SystemExit(f"{name} is none of the kinds that are known here")


def main():
    lines = [*known_names(), *types(), *reader_of_with_reader()]
    for of in CLASSES:
        lines += methods(of)
    lines += [signature("ack_fun", Consumer._ack), signature("stop_fun", Consumer._stop)]
    print("\n".join(sorted(lines)))


if __name__ == "__main__":
    main()
