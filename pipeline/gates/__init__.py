"""Gates: what must hold before a tenant is published, with the findings that they measure."""
