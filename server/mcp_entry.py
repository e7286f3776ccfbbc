"""The file for `mcp dev server/mcp_entry.py` and `mcp run server/mcp_entry.py`: the tenant comes from GATA_TENANT."""

from __future__ import annotations

import gc
import sys

from server.serving.process.setup import keep_pandas_out, settle_memory

keep_pandas_out()
gc.disable()  # until all is loaded: loading makes hardly any garbage, and looking for it takes a tenth of the start

from pipeline.config.layers.configuration import read_settings  # noqa: E402
from pipeline.errors import GataError  # noqa: E402  # after the two lines above
from server.stdio import stdio_app  # noqa: E402

try:
    settings = read_settings()
    mcp = stdio_app(settings, settings.tenant)
except GataError as error:
    sys.stderr.write(f"{error}\n")
    raise SystemExit(2) from None
settle_memory()

if __name__ == "__main__":
    mcp.run("stdio")
