"""Scenarios of the conformance suite that do not apply to gata, and why: each needs what the server does not declare.

`bench/conformance.py` fails when any other scenario fails, and when one of these passes;
`tests/server/test_conformance.py` sees that what is named here is indeed not declared.
"""

from __future__ import annotations

from collections.abc import Mapping

LOGGING = "logging"
SUBSCRIBE = "resources.subscribe"
TASKS = "extensions.io.modelcontextprotocol/tasks"

UNDECLARED: Mapping[str, str] = {
    LOGGING: (
        "protocol logging is deprecated since 2026-07-28: the server logs to stderr and traces with OpenTelemetry;"
        " what a caller must know stands in the notes of an answer"
    ),
    SUBSCRIBE: "a published run never changes, and a metric's definition only with the next run",
    TASKS: (
        "an extension that the Python SDK does not implement; no answer takes longer than its deadline (30 seconds),"
        " and what is long, a build, has progress over REST"
    ),
}
"""Capabilities that the server does not declare, as paths, and why it has none."""

NOT_APPLICABLE: Mapping[str, Mapping[str, str]] = {
    "2025-11-25": {
        "logging-set-level": LOGGING,
        "tools-call-with-logging": LOGGING,
        "resources-subscribe": SUBSCRIBE,
        "resources-unsubscribe": SUBSCRIBE,
    },
    "2026-07-28": {
        f"tasks-{name}": TASKS
        for name in (
            "lifecycle",
            "capability-negotiation",
            "wire-fields",
            "request-state-removal",
            "mrtr-input",
            "request-headers",
            "dispatch-and-envelope",
            "required-task-error",
            "mrtr-composition",
        )
    },
}
"""By revision: scenario -> the capability that it needs. The suite scores none of the tasks."""
