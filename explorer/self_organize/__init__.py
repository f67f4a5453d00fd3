"""Self-organising maps (Kohonen 1982, 2013), a room that others may use as they use `neighbors`.

The clusterer `som` and the projector `som_grid` share one declaration of the training and one
training: with the same parameters both find the same grid.
"""
