# SPDX-License-Identifier: Apache-2.0
"""``@wire``: a class whose annotations are its format, compiled once to an encoder and a decoder.

The class becomes a frozen, slotted dataclass. Its fields stand on the wire in their order, big-endian, or with
``@little`` little-endian:

- ``U8 U16 U32 U64``: numbers. ``Annotated[Kind, U8]`` with an enum takes known numbers only, ``Annotated[Kind | int,
  U8]`` keeps unknown ones as numbers, and a ``Flag`` keeps unknown bits;
- ``Annotated[bytes, Fixed(8)]``: so many octets;
- ``Annotated[bytes, Counted(U16)]``: octets behind their own count;
- ``Rest``: all octets to the end; ``Annotated[bytes, Rest, Between(8, 256)]`` bounds how many they may be;
- ``Annotated[tuple[Item, ...], Many(64)]``: ``@wire`` items to the end, so many at most;
- ``Annotated[tuple[Item, ...], Times(U32)]``: ``@wire`` items behind their number, ``Times(3)``: exactly three;
- another ``@wire`` class: a value of it;
- ``Pad(2)`` behind any of them: reserved octets, sent as zero and ignored coming in.

Neighbouring fields of fixed size share one ``struct`` call. The source of both functions is written here and compiled
as the standard library's dataclasses do it; no other module generates code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, Flag
from struct import Struct, error
from types import UnionType
from typing import Annotated, ClassVar, Self, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints

from ringfence.wire.reader import DecodeError, Reader

W = TypeVar("W", bound="Wire")


@dataclass(frozen=True, slots=True)
class Number:
    """An unsigned number; the letter is that of ``struct``."""

    letter: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """So many octets."""

    octets: int


@dataclass(frozen=True, slots=True)
class Pad:
    """Reserved octets behind a field."""

    octets: int


@dataclass(frozen=True, slots=True)
class Between:
    """How many octets a ``Rest`` may have."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class ToTheEnd:
    """What ``Rest`` means."""


U8 = Annotated[int, Number("B")]
U16 = Annotated[int, Number("H")]
U32 = Annotated[int, Number("I")]
U64 = Annotated[int, Number("Q")]
Rest = Annotated[bytes, ToTheEnd()]


class Counted:
    """Octets behind their count, a number of the given kind."""

    def __init__(self, number: object) -> None:
        (self.number,) = (mark for mark in _flat(number) if isinstance(mark, Number))


@dataclass(frozen=True, slots=True)
class Many:
    """Items to the end, so many at most."""

    most: int


class Times:
    """Items behind their number, or exactly so many."""

    def __init__(self, number: object) -> None:
        self.number = number if isinstance(number, int) else Counted(number).number


class Wire:
    """Base of all ``@wire`` classes: what the decorator adds."""

    __slots__ = ()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The value of exactly these octets; raises DecodeError."""
        reader = Reader(data)
        value = cls.read(reader)
        reader.done()
        return value

    @classmethod
    def read(cls, _reader: Reader) -> Self:
        """Take one value from a reader; raises DecodeError."""
        raise NotImplementedError(f"{cls.__name__} has no @wire")

    def encode(self) -> bytes:
        """The octets of this value; raises ValueError where a field does not fit its format."""
        raise NotImplementedError(f"{type(self).__name__} has no @wire")


@dataclass_transform(frozen_default=True)
def wire(cls: type[W]) -> type[W]:
    """Make a frozen, slotted dataclass of ``cls`` and compile its codec."""
    return _made(cls, ">")


@dataclass_transform(frozen_default=True)
def little(cls: type[W]) -> type[W]:
    """As ``wire``, for formats whose numbers are little-endian."""
    return _made(cls, "<")


def _made(cls: type[W], order: str) -> type[W]:
    made = dataclass(frozen=True, slots=True)(cls)
    writer = _Writer(order)
    for name, annotation in get_type_hints(made, include_extras=True).items():
        if get_origin(annotation) is not ClassVar:
            writer.field(name, annotation)
    namespace = writer.compiled(made.__name__)
    made.read = classmethod(namespace["read"])  # type: ignore[assignment]
    made.encode = namespace["encode"]  # type: ignore[method-assign,assignment]
    return made


def _flat(annotation: object) -> list[object]:
    """The type and the marks of an annotation, those of an alias among its marks included."""
    kind, *marks = get_args(annotation) if hasattr(annotation, "__metadata__") else (annotation,)
    found = [kind]
    for mark in marks:
        found += _flat(mark)[1:] if hasattr(mark, "__metadata__") else [mark]
    return found


class _Writer:
    """Writes the source of one class's codec, field by field."""

    def __init__(self, order: str) -> None:
        self._order = order
        self._names: dict[str, object] = {"DecodeError": DecodeError, "error": error}
        self._read: list[str] = []
        self._values: list[str] = []
        self._checks: list[str] = []
        self._parts: list[str] = []
        self._letters, self._targets, self._sources = "", list[str](), list[str]()
        self._after: list[str] = []
        self._open = True

    def field(self, name: str, annotation: object) -> None:
        """Add a field; raises TypeError for an annotation that says no format."""
        kind, *marks = _flat(annotation)
        if not self._open:
            raise TypeError(f"{name} stands behind a field that goes to the end")
        self._values.append(name)
        if isinstance(kind, type) and issubclass(kind, Wire):
            self._inner(name, kind)
        elif not marks:
            raise TypeError(f"{name} says no format")
        bounds = next((mark for mark in marks if isinstance(mark, Between)), None)
        for mark in marks:
            self._mark(name, kind, mark, bounds)

    def _mark(self, name: str, kind: object, mark: object, bounds: Between | None) -> None:
        match mark:
            case Number():
                self._number(name, kind, mark.letter)
            case Fixed():
                self._fixed(name, mark.octets)
            case Counted():
                self._counted(name, mark.number.letter)
            case ToTheEnd():
                self._rest(name, bounds)
            case Many():
                self._many(name, kind, mark.most)
            case Times():
                self._times(name, kind, mark.number)
            case Pad():
                self._letters += f"{mark.octets}x"
            case Between():
                pass
            case _:
                raise TypeError(f"{name}: {mark} is no mark of a format")

    def _name(self, value: object) -> str:
        name = f"_{len(self._names)}"
        self._names[name] = value
        return name

    def _number(self, name: str, kind: object, letter: str) -> None:
        self._letters += letter
        self._targets.append(name)
        enums = [part for part in (get_args(kind) or (kind,)) if isinstance(part, type) and issubclass(part, Enum)]
        if not enums:
            self._sources.append(f"self.{name}")
            return
        (enum,) = enums
        if issubclass(enum, Flag):
            self._after.append(f"{name} = {self._name(enum)}({name})")
        elif isinstance(kind, UnionType):
            self._after.append(f"{name} = {self._name(_numbers(enum))}.get({name}, {name})")
        else:
            self._after += [
                f"if {name} not in {(table := self._name(_numbers(enum)))}:",
                f"    raise DecodeError(at, f'{{{name}}} is no {name}')",
                f"{name} = {table}[{name}]",
            ]
        self._sources.append(f"getattr(self.{name}, 'value', self.{name})")

    def _fixed(self, name: str, octets: int) -> None:
        self._letters += f"{octets}s"
        self._targets.append(name)
        self._sources.append(f"self.{name}")
        self._checks += [
            f"if len(self.{name}) != {octets}:",
            f"    raise ValueError('{name} has {octets} octets')",
        ]

    def _counted(self, name: str, letter: str) -> None:
        self._letters += letter
        self._targets.append(name)
        self._sources.append(f"len(self.{name})")
        self._flush()
        self._read.append(f"{name} = reader.take({name})")
        self._parts.append(f"self.{name}")

    def _rest(self, name: str, bounds: Between | None) -> None:
        self._flush()
        self._open = False
        self._read.append(f"{name} = reader.rest()")
        self._parts.append(f"self.{name}")
        if bounds is not None:
            wrong = f"not {bounds.least} <= len({{}}{name}) <= {bounds.most}"
            says = f"{name} has {bounds.least} to {bounds.most} octets"
            self._read += [f"if {wrong.format('')}:", f"    raise DecodeError(reader.offset, '{says}')"]
            self._checks += [f"if {wrong.format('self.')}:", f"    raise ValueError('{says}')"]

    def _many(self, name: str, kind: object, most: int) -> None:
        self._flush()
        self._open = False
        item = self._name(get_args(kind)[0])
        self._read += [
            f"{name} = []",
            "while reader.left:",
            f"    if len({name}) == {most}:",
            f"        raise DecodeError(reader.offset, 'more than {most} {name}')",
            f"    {name}.append({item}.read(reader))",
            f"{name} = tuple({name})",
        ]
        self._parts.append(f"b''.join([item.encode() for item in self.{name}])")

    def _times(self, name: str, kind: object, number: Number | int) -> None:
        item = self._name(get_args(kind)[0])
        if isinstance(number, Number):
            self._letters += number.letter
            self._targets.append(name)
            self._sources.append(f"len(self.{name})")
            times = name
        else:
            times = str(number)
            self._checks += [
                f"if len(self.{name}) != {number}:",
                f"    raise ValueError('there are {number} of {name}')",
            ]
        self._flush()
        self._read.append(f"{name} = tuple([{item}.read(reader) for _ in range({times})])")
        self._parts.append(f"b''.join([item.encode() for item in self.{name}])")

    def _inner(self, name: str, kind: type[Wire]) -> None:
        self._flush()
        self._read.append(f"{name} = {self._name(kind)}.read(reader)")
        self._parts.append(f"self.{name}.encode()")

    def _flush(self) -> None:
        """End a run of fields of fixed size: one ``struct`` for all of them."""
        if self._letters:
            struct = Struct(self._order + self._letters)
            name = self._name(struct)
            self._read.append(f"at = reader.offset; data = reader.take({struct.size})")
            if self._targets:
                self._read.append(f"{', '.join(self._targets)}, = {name}.unpack(data)")
            self._parts.append(f"{name}.pack({', '.join(self._sources)})")
        self._read += self._after
        self._letters, self._targets, self._sources, self._after = "", [], [], []

    def compiled(self, class_name: str) -> dict[str, Callable[..., object]]:
        """The functions ``read`` and ``encode``."""
        self._flush()
        indent = "\n    "
        source = (
            f"def read(cls, reader):{indent}{indent.join(self._read)}{indent}return cls({', '.join(self._values)})\n"
            f"def encode(self):{indent}{indent.join([*self._checks, 'try:'])}"
            f"{indent}    return {' + '.join(self._parts) or repr(b'')}"
            f"{indent}except error as wrong:{indent}    raise ValueError(str(wrong)) from wrong\n"
        )
        made: dict[str, Callable[..., object]] = {}
        exec(compile(source, f"<codec of {class_name}>", "exec"), self._names, made)  # noqa: S102 - the one place
        return made


def _numbers(enum: type[Enum]) -> dict[int, Enum]:
    return {int(member.value): member for member in enum}
