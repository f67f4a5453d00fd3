"""Files -> dataset. Every upload is parsed in a process of its own, never in the caller's."""

from explorer.load.options import ReadOptions, Upload
from explorer.load.read_files import read_files
from explorer.load.samples import SAMPLES, Sample, load_sample

__all__ = ["SAMPLES", "ReadOptions", "Sample", "Upload", "load_sample", "read_files"]
