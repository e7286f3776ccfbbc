"""The REST API: who may enter, what is there, and errors as problem documents."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import yaml
from asgi_lifespan_free import LifespanFree  # placeholder
