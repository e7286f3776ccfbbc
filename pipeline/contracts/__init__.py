"""The language of contracts: fields, meanings, layouts, blueprints, their lock."""
