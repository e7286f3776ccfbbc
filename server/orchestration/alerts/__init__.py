"""Alerts by webhook: what needs an operator, said when it begins, then when it is over."""
