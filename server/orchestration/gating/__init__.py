"""Gates within a build: where its steps are judged."""
