"""The rules of gates, as data: what each looks at, when it passes, how much it weighs."""
