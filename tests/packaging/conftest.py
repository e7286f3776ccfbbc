"""A state folder with a published tenant, for what is installed to work on."""

from __future__ import annotations

import pytest

from tests.server.published_fixture import PublishedHome, new_published_home

TENANTS = """\
tenants:
  - slug: alpha
    business_name: Alpha
    currency: EUR
    sources: {facebook_ads: {enabled: true}, shopify: {enabled: true}, google_analytics: {enabled: true}}
"""


@pytest.fixture(scope="session")
def published_home(tmp_path_factory: pytest.TempPathFactory) -> PublishedHome:
    """Alpha is published twice, and could be built. Read only, but for the run that is its newest."""
    published_home = new_published_home(tmp_path_factory.mktemp("home"), "alpha", "alpha")
    published_home.settings.tenants.write_text(TENANTS, encoding="utf-8")
    return published_home
