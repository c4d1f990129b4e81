import math

import jax
import numpy as np

from jaxemb.models import descriptors

# Operation by operation, each would be compiled.
color_cells, edge_cells = map(jax.jit, (descriptors.color_cells, descriptors.edge_cells))
IMAGES = np.random.default_rng(0).uniform(size=(3, 8, 12, 3))


def by_definition(image):
    """Colors and edges of 4 x 4 cells, pixel by pixel."""
    height, width, _ = image.shape
    gray = image.mean(axis=2)
    colors, edges = np.zeros((16, 3)), np.zeros((16, 8))
    pixels = height * width / 16
    for row in range(height):
        for column in range(width):
            cell = 4 * (row * 4 // height) + column * 4 // width
            red, green, blue = image[row, column]
            opponent = [(red + green + blue) / 3, (red - green) / 2, (2 * blue - red - green) / 4]
            colors[cell] += np.array(opponent) / pixels
            below, above = min(row + 1, height - 1), max(row - 1, 0)
            after, before = min(column + 1, width - 1), max(column - 1, 0)
            down = gray[below, column] - gray[above, column]
            right = gray[row, after] - gray[row, before]
            place = math.atan2(down, right) / math.pi * 8 % 8
            low = int(place)
            length = math.hypot(down, right)
            edges[cell, low % 8] += length * (1 - (place - low))
            edges[cell, (low + 1) % 8] += length * (place - low)
    return colors.ravel(), np.sqrt(edges / edges.sum()).ravel()


def test_colors_and_edges_of_cells():
    colors, edges = zip(*map(by_definition, IMAGES), strict=True)
    images = np.float32(IMAGES)
    np.testing.assert_allclose(color_cells(images), colors, atol=1e-6)
    np.testing.assert_allclose(edge_cells(images), edges, atol=1e-5)


def test_an_edge_has_its_direction_whichever_side_is_light():
    image = np.zeros((1, 8, 8, 3), np.float32)
    image[:, :, 4:] = 1
    upright = np.array(edge_cells(image)).reshape(16, 8)
    assert (upright[:, 1:] == 0).all()
    np.testing.assert_allclose(np.square(upright).sum(), 1, rtol=1e-6)
    np.testing.assert_array_equal(edge_cells(1 - image).reshape(16, 8), upright)


def test_a_picture_without_edges():
    gray = np.full((1, 8, 8, 3), 0.5, np.float32)
    np.testing.assert_array_equal(edge_cells(gray), 0)
