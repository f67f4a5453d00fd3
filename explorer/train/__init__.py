"""Training of small networks on the rows of one dataset: networks, objectives, one loop for all.

Knows arrays, not datasets: encoders declare what is trained, and bring the rows.
"""
