"""The ORL faces: ten shots of each of forty people."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxemb.data.archives import read_members
from jaxemb.data.images import Choose, LabeledImages, expect, read_arrays, read_labels, read_picture
from jaxemb.data.prepare import Download, NamedSet
from jaxemb.errors import InputError

FILE = "orl_faces.npz"
_SIZE = (112, 92)
_SOURCES = re.compile(r"(?:^|/)s(\d{1,2})/(\d{1,2})\.pgm$", re.IGNORECASE)


def read(data_dir: Path, choose: Choose = np.arange) -> LabeledImages:
    """Reads the photographs, person by person.

    Args:
      data_dir: folder of the data sets.
      choose: which of the 400.

    Returns:
      [N, 112, 92] images; a class is a person, numbered from 1.

    Raises:
      InputError: if the file is missing, damaged or of another layout.
    """
    path = data_dir / FILE
    layout = "images [400, 112, 92] uint8 and subject [400], numbered 1 to 40"
    images, subjects = read_arrays(path, ("images", "subject"), layout, data_set="faces")
    expect(path, layout, images.dtype == np.uint8 and images.shape[1:] == _SIZE)
    labels = read_labels(path, layout, [subjects.astype(np.int32) - 1], classes=40)
    expect(path, layout, len(images) == len(labels))
    rows = choose(len(labels))
    return LabeledImages(images[rows], labels[rows], tuple(str(i) for i in range(1, 41)), (path,))


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Writes the archive that `read` reads, from the photographs s1/1.pgm to s40/10.pgm.

    Args:
      paths: what was fetched.
      folder: where the archive goes.

    Raises:
      InputError: if a photograph is missing or damaged.
    """
    found = {
        (int(member.found[1]), int(member.found[2])): read_picture(member, _SIZE)
        for member in read_members(paths, _SOURCES, most=1 << 20)
    }
    wanted = [(subject, shot) for subject in range(1, 41) for shot in range(1, 11)]
    if absent := [one for one in wanted if one not in found]:
        given, (subject, shot) = ", ".join(map(str, paths)), absent[0]
        raise InputError(
            f"{given}: {len(absent)} of 400 photographs are missing, first s{subject}/{shot}.pgm"
        )
    subjects, shots = np.array(wanted, np.uint8).T
    images = np.stack([found[one] for one in wanted])
    np.savez_compressed(folder / FILE, images=images, subject=subjects, shot=shots)


SOURCE = NamedSet(
    name="faces",
    what="ORL faces: ten photographs of each of forty people",
    license="free with credit to Olivetti Research Laboratory",
    source="https://www.cl.cam.ac.uk/research/dtg/attarchive/pub/data/att_faces.zip",
    megabytes=4,
    files=(FILE,),
    convert=convert,
    check=read,
    # As in bob.bio.face.
    downloads=(
        Download(
            "http://www.idiap.ch/software/bob/data/bob/att_faces.zip",
            "md5:6efb25cb0d40755e9492b9c012e3348d",
        ),
    ),
)
