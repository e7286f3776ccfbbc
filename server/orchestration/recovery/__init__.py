"""Recovery of a state folder: backups, restores, the hub made again from bronze."""
