"""The channels block: a tenant's own channels of visits, before those of GA4's default channel group."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from pipeline.config.entry import Entry

PARTS = ("source", "medium", "campaign")


class ChannelRule(BaseModel):
    """The visits of a channel: every part that it names is one of the texts, with * for anything, case ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: str
    source: tuple[str, ...] = ()
    medium: tuple[str, ...] = ()
    campaign: tuple[str, ...] = ()


def read_channels(entry: Entry) -> tuple[ChannelRule, ...]:
    """The rules in their order: the first that fits a visit decides."""
    rules: list[ChannelRule] = []
    for item in entry.items():
        fields = item.fields(("channel", *PARTS))
        texts = {part: _texts(fields[part]) for part in PARTS if part in fields}
        rule = ChannelRule(channel=" ".join(item.required("channel").text(60).split()), **texts)
        if not texts:
            raise item.wrong(
                f"The channel {rule.channel} says nothing of its visits.", f"Give it one of {', '.join(PARTS)}."
            )
        if any(other.model_copy(update={"channel": rule.channel}) == rule for other in rules):
            raise item.wrong(f"Two rules of channels are about the same visits as {rule.channel}.", "Keep one of them.")
        rules.append(rule)
    return tuple(rules)


def _texts(entry: Entry) -> tuple[str, ...]:
    return tuple(" ".join(item.text().lower().split()) for item in entry.one_or_many())
