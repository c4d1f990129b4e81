"""Runnable scripts; `python -m experiments` lists them."""

# The scripts of each family, in the order of the list.
FAMILIES = {
    "words": (
        "word2vec",
        "subwords",
        "glove",
        "lsa",
        "window_validity",
        "one_hot",
        "paragraph_vectors",
        "compare_words",
        "relations",
    ),
    "shared spaces": (
        "align",
        "join",
        "bilingual",
        "sentences",
        "compare_pairs",
        "image_words",
        "contrastive_images",
        "zero_shot",
        "items",
    ),
    "maps": (
        "tsne",
        "tsne_effectively",
        "parametric_tsne",
        "distances",
        "pca",
        "autoencoder",
        "compare_projections",
    ),
    "matching": (
        "matching",
        "mnist_matching",
        "omniglot",
        "faces",
        "similar_images",
        "same_object",
        "classifier_or_embedding",
    ),
}
