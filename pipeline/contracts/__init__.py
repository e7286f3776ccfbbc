"""The language of contracts: fields, meanings, layouts, blueprints and their lock."""
