"""From a plan to an answer: compiled, run, cached, annotated."""
