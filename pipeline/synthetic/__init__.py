"""The simulated shop behind every connector's synthetic exports."""
