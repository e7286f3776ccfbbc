"""The reader of the configuration: its layers, from the lowest to the highest, become the settings of a process.

    built-in defaults, those of the environment < gata.yaml < GATA_ variables < specs/*.yml < gata.<env>.yaml < options

The files lie beside tenants.yaml. Where there is none, nothing is loaded that reads YAML: a stdio server starts as
fast as without them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from pipeline.config.layers.layer import Layer, lay_over, layer_of, names_secret, nested, overlapping
from pipeline.environments import ENVIRONMENTS, EnvironmentDefaults
from pipeline.errors import ConfigError, shorten, suggest
from pipeline.settings import Settings, environment_values, environment_variables, setting_variable

BUILT_IN = "default"
BASE = "gata.yaml"
SPECS = "specs"
YAML_ENDINGS = (".yml", ".yaml")


@dataclass(frozen=True)
class SettingOrigin:
    """Where the value of a setting comes from."""

    where: str
    """`file:line`, a variable, an option, or a default."""
    instead_of: tuple[str, ...]
    """The places of lower layers that set it too, the nearest first."""
    is_secret: bool


@dataclass(frozen=True)
class Configuration:
    """The settings of a process, and the layers that they come from, the lowest first."""

    settings: Settings
    layers: Sequence[Layer]

    def origin(self, name: str) -> SettingOrigin:
        """Where the value of a setting comes from; of a setting with parts, all places of its parts."""
        together: Layer = {}
        for layer in self.layers:
            together = lay_over(together, layer)
        holding = overlapping(together, (name,))
        places = dict.fromkeys(value.where for value in holding)
        all_places = dict.fromkeys(v.where for layer in reversed(self.layers) for v in overlapping(layer, (name,)))
        return SettingOrigin(
            ", ".join(places) or self._default(name),
            tuple(place for place in all_places if place not in places),
            any(value.is_secret for value in holding) or is_secret_setting(name, getattr(self.settings, name)),
        )

    def _default(self, name: str) -> str:
        by_environment = {field.name for field in fields(EnvironmentDefaults)}
        return f"{BUILT_IN} of {self.settings.env}" if name in by_environment else BUILT_IN

    def overruled_variables(self) -> Iterator[tuple[str, str]]:
        """Each GATA_ variable that is set and does not hold, with the place of the value that does."""
        for name in Settings.model_fields:
            origin = self.origin(name)
            if (variable := setting_variable(name)) in origin.instead_of:
                yield variable, origin.where


def read_settings(**runtime: object) -> Settings:
    """The settings of this process.

    Args:
        runtime: Values that win over all layers.

    Raises:
        ConfigError: A file or a variable is wrong; names it, and the line.
    """
    return read_configuration(runtime).settings


def read_configuration(runtime: Mapping[str, object]) -> Configuration:
    """The settings of this process with the layers that they come from; `runtime` are the options of a command.

    Raises:
        ConfigError: A file or a variable is wrong, or an option names no setting; names it, and the line.
    """
    for name in runtime:
        if name not in Settings.model_fields:
            raise ConfigError(f"There is no setting named {shorten(name)!r}.", suggest(name, Settings.model_fields))
    variables, values = environment_variables(), environment_values()
    in_environment = layer_of(values, {name: setting_variable(name) for name in values})
    options = layer_of(runtime, {name: "--env" if name == "env" else f"--set {name}" for name in runtime})
    folder = Path(
        str(runtime.get("tenants") or values.get("tenants") or Settings.model_fields["tenants"].default)
    ).parent
    base = _base(folder, variables)
    chosen = lay_over(lay_over(base, in_environment), options).get(("env",))
    overlays = _overlays(folder, str(chosen.value) if chosen else "local", variables)
    layers = [base, in_environment, *overlays, options]
    together: Layer = {}
    for layer in layers:
        together = lay_over(together, layer)
    return Configuration(_checked(together), layers)


def environment_file(folder: Path, environment: str) -> Path:
    """The overlay of an environment."""
    return folder / f"gata.{environment}.yaml"


def spec_files(folder: Path) -> list[Path]:
    """The files of specs/, by name."""
    return sorted(path for ending in YAML_ENDINGS for path in (folder / SPECS).glob(f"*{ending}"))


def _base(folder: Path, variables: Mapping[str, str]) -> Layer:
    if not (path := folder / BASE).exists():  # a link to nothing is no file
        return {}
    from pipeline.config.layers.settings_file import SettingsFile

    return SettingsFile(path, is_base=True).read(variables)


def _overlays(folder: Path, environment: str, variables: Mapping[str, str]) -> Sequence[Layer]:
    """The layers of specs/ and of the environment's file, where there are any."""
    if environment not in ENVIRONMENTS:
        return ()  # the settings refuse it
    specs, own = spec_files(folder), environment_file(folder, environment)
    if not specs and not own.exists():
        return ()
    from pipeline.config.layers.settings_file import SettingsFile, read_specs

    return [read_specs(specs, variables), SettingsFile(own).read(variables) if own.exists() else {}]


def _checked(layer: Layer) -> Settings:
    try:
        return Settings(**nested(layer))
    except ValidationError as error:
        raise _refusal(layer, error) from None  # the error of pydantic quotes the value, which may be a secret


def _refusal(layer: Layer, error: ValidationError) -> ConfigError:
    """The error of the first value that a setting cannot have: its place, its value, and the step that works."""
    first = error.errors()[0]
    path = tuple(str(part) for part in first["loc"])
    name, message = ".".join(path), _lowered(first["msg"])
    value = next(iter(overlapping(layer, path)), None)
    if first["type"] == "extra_forbidden" and value:
        what = f"{value.where}: {'.'.join(path[:-1])} has no key named {shorten(path[-1], 80)!r}."
        return ConfigError(what, suggest(path[-1], _known(path[:-1])))
    is_hidden = (value and value.is_secret) or is_secret_setting(name, first["input"])
    given = "set to what it cannot be" if is_hidden else shorten(repr(first["input"]), 200)
    variable = setting_variable(path[0])
    if value is None or value.where == variable:
        part = f": {name}" if len(path) > 1 else ""
        return ConfigError(f"{variable}{part} is {given}: {message}.", f"Set {variable} to a valid value, or unset it.")
    return ConfigError(f"{value.where}: {name} is {given}: {message}.", "Give it a valid value, or leave it out.")


def _known(path: tuple[str, ...]) -> list[str]:
    """The names of the parts of a setting, or of a part of it."""
    found: Any = Settings  # Any: the annotation of a field
    for name in path:
        if get_origin(found) is dict:
            found = get_args(found)[1]
        else:
            found = found.model_fields[name].annotation if _is_model(found) else None
    return list(found.model_fields) if _is_model(found) else []


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _lowered(message: str) -> str:
    """A message of pydantic in lower case, as the rest of a sentence; a message of our own checks unchanged."""
    own = message.removeprefix("Value error, ")
    return message.lower() if own == message else own


def is_secret_setting(name: str, value: object) -> bool:
    """Whether the value of a setting is never shown: it is typed as a secret, or is a text with the name of one."""
    field = Settings.model_fields.get(name)
    is_typed = field is not None and SecretStr in (field.annotation, *get_args(field.annotation))
    return is_typed or (isinstance(value, str) and names_secret(name))
