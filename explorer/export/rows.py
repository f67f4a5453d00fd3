"""The export room's door: what is taken away, and the writers of every format."""

from __future__ import annotations

from explorer.export.table import Export
from explorer.export.write_images import write_images_zip
from explorer.export.write_table import Written, bundle, write_csv, write_jsonl, write_parquet

__all__ = ["Export", "Written", "bundle", "write_csv", "write_images_zip", "write_jsonl",
           "write_parquet"]
