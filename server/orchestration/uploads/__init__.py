"""Files that people bring: checked before they are taken, then put where their source reads them."""
