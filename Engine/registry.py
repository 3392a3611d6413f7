"""Objects by name: tables name ``module:object``, and the module is imported when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

from Engine.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn


class Network(NamedTuple):
    """A row of a table of networks.

    Attributes:
        kind: its name in settings.
        place: "module:Class". The class takes one argument, ``config``, annotated with a frozen
            dataclass; weights hold the class's name (``model``) and the config in their header.
        settings: "module:Class" of what a recipe chooses of it; its config has these fields, too.
    """

    kind: str
    place: str
    settings: str


class Networks:
    """A table of networks, whose classes are imported when they are needed."""

    def __init__(self, *table: Network) -> None:
        self.table = {row.kind: row for row in table}

    @property
    def rows(self) -> dict[str, str]:
        """Where the class of each name lies."""
        return {row.place.partition(":")[2]: row.place for row in self.table.values()}

    def of_kind(self, kind: str) -> type[Any]:
        """Import the class of a kind.

        Raises:
            KeyError: there is none.
        """
        return resolve_name(self.table[kind].place)

    def __getitem__(self, name: str) -> type[nn.Module]:
        """Import a class of networks.

        Raises:
            DataError: no row has this name.
        """
        if name not in self.rows:
            raise DataError(f"network: '{name}' is unknown; known are {', '.join(self.rows)}")
        return resolve_name(self.rows[name])

    def build(self, name: str, config: Mapping[str, Any]) -> nn.Module:
        """Make a network with its initial weights.

        Raises:
            DataError: an unknown name, or a value of the config beyond its limits.
            TypeError: the config does not fit the class.
        """
        network = self[name]
        return network(config_of(network)(**as_tuples(config)))

    def load(self, path: Path) -> tuple[nn.Module, dict[str, Any]]:
        """Rebuild a network in evaluation mode, with the metadata of its file.

        Args:
            path: weights whose header names the class and the config.

        Raises:
            DataError: the file is missing or damaged, or holds another network or version of one.
        """
        from Engine.weights import load_weights

        state, metadata = load_weights(path)
        name = metadata.get("model")
        if name not in self.rows:
            known = " or ".join(self.rows)
            raise DataError(f"weights: {path} holds {name}, not {known}; give that file")
        with fits_its_header(path):
            network = self.build(name, metadata["config"])
        _same_layers(path, network, state)
        with fits_its_header(path):
            network.load_state_dict(state)
        return network.eval(), metadata


def as_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a header, their lists, which JSON makes of tuples, as tuples again."""
    return {name: _tuples(value) for name, value in values.items()}


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _same_layers(path: Path, network: nn.Module, state: Mapping[str, Any]) -> None:
    """Refuse weights that an earlier or later version of the network's class wrote.

    Raises:
        DataError: layers are missing, or unknown.
    """
    own = network.state_dict().keys()
    for names, what in ((own - state.keys(), "lacks"), (state.keys() - own, "also has")):
        if names:
            raise DataError(
                f"weights: {path} is of another version of {type(network).__name__}: it {what} "
                f"{min(names)}; train it again, or take the weights that come with this version"
            )


def config_of(network: type[nn.Module]) -> type[Any]:
    """The dataclass that describes networks of a class."""
    return get_type_hints(network.__init__)["config"]


@contextmanager
def fits_its_header(path: Path) -> Iterator[None]:
    """Turn any error of rebuilding what a header describes into one line.

    Raises:
        DataError: the block failed.
    """
    try:
        yield
    except (DataError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"weights: {path} does not fit its description; restore it") from error
