"""Landing twice is landing once, whatever happens in between."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from pipeline.contracts.fields import Text
from pipeline.contracts.shopify import Order
from pipeline.errors import LandError
from pipeline.exports import exported_at
from pipeline.registry import schema_hash

from conftest import BLUEPRINTS, Yard, table_of
