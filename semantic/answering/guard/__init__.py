"""Key figures of a run before it is published, judged by their usual values."""
