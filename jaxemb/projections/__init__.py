"""The pieces of maps: neighbors, affinities, repulsion, grids, steps."""
