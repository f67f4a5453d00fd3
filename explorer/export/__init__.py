"""Chosen rows -> files people take away, each with its manifest. Runs in a worker, block by block.
"""
