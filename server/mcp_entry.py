"""The file for `mcp dev server/mcp_entry.py` and `mcp run server/mcp_entry.py`: the tenant comes from GATA_TENANT."""

from __future__ import annotations

import sys

from server.process import keep_pandas_out

keep_pandas_out()

from pipeline.errors import GataError  # noqa: E402  # after pandas is kept out
from pipeline.settings import read_settings  # noqa: E402
from server.stdio import stdio_app  # noqa: E402

try:
    settings = read_settings()
    mcp = stdio_app(settings, settings.tenant)
except GataError as error:
    sys.stderr.write(f"{error}\n")
    raise SystemExit(2) from None

if __name__ == "__main__":
    mcp.run("stdio")
