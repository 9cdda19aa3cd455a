"""Policies for readers: what each refuses, changes and answers, in sentences."""

from collections.abc import Iterator

from declarative.describe.words import by_function, count, joined
from declarative.describe.writer import Writer, heading
from swarm.catalog import SWARMS
from swarm.policy import POLICIES, PolicySpec

__all__ = ["policy_section", "policy_sentences"]

_REDACTED = {
    "card": "payment card numbers",
    "email": "e-mail addresses",
    "iban": "bank account numbers",
    "secret": "keys and passwords",
}


def policy_section(writer: Writer) -> Iterator[str]:
    """Yield the blocks about all policies."""
    policies = list(writer.catalog.registry(POLICIES))
    if not policies:
        return
    yield heading(writer.level, "Policies")
    inner = writer.below()
    for spec in policies:
        yield inner.title("Policy", spec.policy_name)
        if spec.doc_description:
            yield inner.text(spec.doc_description)
        yield "\n".join(f"- {sentence}" for sentence in policy_sentences(inner, spec))
        swarms = [s.swarm_name for s in writer.catalog.swarms if spec.policy_name in s.policies]
        yield f"Used by {inner.links(SWARMS, swarms)}." if swarms else "No swarm uses it."


def policy_sentences(writer: Writer, spec: PolicySpec) -> list[str]:
    """Return what a policy does, in the order in which it does it."""
    return [*_refuses(writer, spec), *_changes(writer, spec), *_answers(writer, spec)]


def _refuses(writer: Writer, spec: PolicySpec) -> Iterator[str]:
    if spec.max_length is not None:
        yield f"Refuses messages of more than {count(spec.max_length, 'character')}."
    if spec.deny:
        yield f"Refuses messages and answers with {writer.codes(spec.deny)}."
    if spec.validate_input is not None:
        yield f"Checks each message by {by_function(writer, spec.validate_input)}"
    if spec.validate_output is not None:
        yield f"Checks each answer by {by_function(writer, spec.validate_output)}"


def _changes(writer: Writer, spec: PolicySpec) -> Iterator[str]:
    if spec.redact:
        things = joined([_REDACTED[name] for name in spec.redact])
        signs = ", ".join(writer.code(f"[{name}]") for name in spec.redact)
        yield f"Replaces {things} in messages and answers by {signs}."
    if spec.rewrite_input is not None:
        yield f"Changes each message by {by_function(writer, spec.rewrite_input)}"
    if spec.rewrite_output is not None:
        yield f"Changes each answer by {by_function(writer, spec.rewrite_output)}"


def _answers(writer: Writer, spec: PolicySpec) -> Iterator[str]:
    has_own_list = spec.get_banned_clients is not None
    judges: object = spec.max_length or spec.deny or spec.validate_input or spec.validate_output
    if judges or has_own_list:
        if spec.get_ban_message is not None:
            yield f"What is refused is answered by {by_function(writer, spec.get_ban_message)}"
        else:
            yield f"What is refused is answered with {writer.quote(spec.ban_message)}."
    if not judges and not has_own_list:
        yield f"Whoever the program bans is answered with {writer.quote(spec.ban_message)} only."
    if spec.auto_ban:
        yield "Whoever is refused once is banned: nothing they say is answered any more."
    if has_own_list:
        yield "Who is banned stands in a list of the program's own."
    elif spec.auto_ban and not spec.persist:
        yield "Bans end when the program does."
