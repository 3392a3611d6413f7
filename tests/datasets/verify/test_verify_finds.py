"""What opening, crops or training refuse, ``verify`` finds: a broken copy per fault."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat, savemat

from Datasets.catalogue import open_dataset, verify_dataset
from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.layouts.mpi_inf_3dhp import CalibratedCamera
from Datasets.loaders import CropDataset
from Datasets.outlines import boxes_of, outlines_of
from Datasets.readers.images import load_mask
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.skeletons import COCO_17, INFANT, LSP_14, MPII_16
from Datasets.structures import VISIBLE, PoseSample
from Datasets.writers import mpi_inf_3dhp as mpi
from Datasets.writers.coco import CocoPerson, CocoPicture, write_coco, write_coco_image
from Datasets.writers.lsp import write_lsp, write_lsp_image
from Datasets.writers.mini_rgbd import write_frame, write_infant_joints
from Datasets.writers.mpii import write_mpii_h5, write_mpii_json
from Datasets.writers.slp import (
    write_slp_alignment,
    write_slp_depth,
    write_slp_image,
    write_slp_joints,
)
from Engine.errors import DataError

GREY = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
CAMERA = intrinsics_matrix(50, 50, 31.5, 23.5)


def joints(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform((5, 5), (60, 40), (count, 2))


def person(seed: int, skeleton, name: str = "x") -> PoseSample:
    count = len(skeleton)
    return PoseSample(
        Path(name), skeleton, joints(seed, count), np.full(count, VISIBLE, np.uint8),
        box_xyxy=np.array([2.0, 2, 62, 42]), area_px=900.0,
        head_box_xyxy=np.array([5.0, 5, 20, 20]), head_length_px=9.0,
    )  # fmt: skip


def coco(root: Path) -> None:
    people = [
        CocoPicture(f"{i}.jpg", i, (64, 48), (CocoPerson(person(i, COCO_17)),)) for i in (1, 2)
    ]
    write_coco(root, "train", people)
    for i in (1, 2):
        write_coco_image(root, "train", f"{i}.jpg", GREY)


def mpii(root: Path) -> None:
    people = [person(i, MPII_16, f"{i}.jpg") for i in (1, 2)]
    write_mpii_json(root, "train", people)
    (root / "images").mkdir()
    for i in (1, 2):
        Image.fromarray(GREY).save(root / "images" / f"{i}.jpg")


def mpii_h5(root: Path) -> None:
    mpii(root)
    (root / "annot/train.json").unlink()
    write_mpii_h5(root, "train", [person(i, MPII_16, f"{i}.jpg") for i in (1, 2)])


def lsp(root: Path) -> None:
    write_lsp(root, [person(i, LSP_14) for i in (1, 2)])
    for i in (1, 2):
        write_lsp_image(root, i, False, GREY)


def slp(root: Path) -> None:
    folder = root / "danaLab/00001"
    for modality in ("RGB", "IR"):
        picture = GREY if modality == "RGB" else GREY[..., 0]
        for i in (1, 2):
            write_slp_image(folder, modality, "uncover", i, picture)
        places = np.stack([joints(i, 14) for i in (1, 2)])
        write_slp_joints(folder, modality, places, np.full((2, 14), VISIBLE, np.uint8))
        write_slp_alignment(folder, modality, np.diag([0.5, 0.5, 1.0]))
    write_slp_alignment(folder, "depth", np.diag([0.5, 0.5, 1.0]))
    for i in (1, 2):
        write_slp_depth(folder, "uncover", i, np.full((48, 64), 900, np.uint16))
        write_slp_image(folder, "PM", "uncover", i, GREY[..., 0])


def mini_rgbd(root: Path) -> None:
    rng = np.random.default_rng(1)
    mask = np.zeros((480, 640), bool)
    mask[100:300, 200:400] = True
    for i in (0, 1):
        mm = rng.normal([0, 0, 900], 50, (25, 3))
        picture = np.resize(GREY, (480, 640, 3))
        depth = np.full((480, 640), 900, np.uint16)
        write_frame(root / "01", i, picture, depth, mask, project(mm, INTRINSICS), mm)
    mm = rng.normal([0, 0, 900], 50, (2, len(INFANT), 3))
    seen = np.full((2, len(INFANT)), VISIBLE, np.uint8)
    write_infant_joints(root / "01", np.arange(2), project(mm, INTRINSICS), mm, seen)


def mpi_train(root: Path) -> None:
    mm = np.random.default_rng(2).normal([0, 0, 4000], [300, 400, 100], (2, 2, 28, 3))
    folder = root / "S1/Seq1"
    mpi.write_train_annotations(folder, project(mm, CAMERA), mm, cameras=(0, 8))
    cameras = [CalibratedCamera(n, CAMERA, np.eye(4), (64, 48)) for n in range(14)]
    mpi.write_calibration(folder, cameras)
    for camera in (0, 8):
        for frame in (1, 2):
            mpi.write_train_image(folder, camera, frame, GREY)
            mpi.write_train_mask(folder, camera, frame, np.ones((48, 64), bool))


def mpi_test(root: Path) -> None:
    mm = np.random.default_rng(2).normal([0, 0, 4000], [300, 400, 100], (3, 17, 3))
    mpi.write_test_annotations(root / "TS1", project(mm, CAMERA), mm, activity=np.array([1, 2, 3]))
    for frame in (1, 2, 3):
        mpi.write_test_image(root / "TS1", frame, GREY)


def rows(root: Path, change: Callable, path: str) -> None:
    """Change a JSON file."""
    content = json.loads((root / path).read_text())
    change(content)
    (root / path).write_text(json.dumps(content))


def arrays(root: Path, key: str, place: tuple, value: float, path: str) -> None:
    """Change a number in a MATLAB, NumPy or HDF5 file."""
    if path.endswith(".mat"):
        content = {k: v for k, v in loadmat(root / path).items() if k[:2] != "__"}
        content[key] = content[key].astype(np.float64)
        content[key][place] = value
        savemat(root / path, content)
    elif path.endswith(".npz"):
        content = dict(np.load(root / path))
        content[key][place] = value
        np.savez(root / path, **content)
    else:
        import h5py

        with h5py.File(root / path, "a") as file:
            file[key][place] = value


def annotated(**values) -> Callable[[Path], None]:
    """Change the first annotation of COCO."""
    return lambda root: rows(
        root,
        lambda c: c["annotations"][0].update(values),
        "annotations/person_keypoints_train.json",
    )


def stated(**values) -> Callable[[Path], None]:
    """Change MPII's first person."""
    return lambda root: rows(root, lambda c: c[0].update(values), "annot/train.json")


def number(path: str, key: str, place: tuple, value: float) -> Callable[[Path], None]:
    return lambda root: arrays(root, key, place, value, path)


def stacked(root: Path) -> None:
    """All joints of SLP's first frame in one place."""
    for modality in ("RGB", "IR"):
        path = root / f"danaLab/00001/joints_gt_{modality}.mat"
        content = loadmat(path)["joints_gt"].astype(np.float64)
        content[:2, :, 0] = 20
        savemat(path, {"joints_gt": content})


def text_rows(path: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    return lambda root: (root / path).write_text(change((root / path).read_text()))  # type: ignore


SETS: dict[str, tuple] = {
    "coco": ("coco", coco, ["all"], ["train/1.jpg"], ["annotations/person_keypoints_train.json"], {
        "box of no size": annotated(bbox=[5, 5, 0, 20]),
        "box far outside": annotated(bbox=[500, 500, 20, 20]),
        "no box": annotated(bbox=None),
        "no area": annotated(area=0),
        "NaN": annotated(keypoints=[float("nan")] * 51),
        "too few": annotated(keypoints=[1.0, 2.0, 2]),
        "same number": annotated(id=2),
    }),
    "syrip": ("syrip", coco, ["all"], ["train/1.jpg"], [], {"no box": annotated(bbox=7)}),
    "mpii": ("mpii", mpii, ["all"], ["images/1.jpg"], ["annot/train.json"], {
        "scale 0": stated(scale=0),
        "tiny scale": stated(scale=1e-9),
        "huge scale": stated(scale=10**400),
        "centre of text": stated(center=["a", 1]),
        "huge centre": stated(center=[10**400, 1]),
        "huge joint": stated(joints=[[10**400, 1]] * 16),
        "NaN": stated(joints=[[float("nan"), 1]] * 16),
        "outside": stated(image="../x.jpg"),
        "list": stated(image=["x"]),
    }),
    "mpii_h5": ("mpii", mpii_h5, ["all"], [], ["annot/train.h5"], {
        "scale": number("annot/train.h5", "scale", (0,), 0),
        "tiny scale": number("annot/train.h5", "scale", (0,), 1e-9),
        "joint": number("annot/train.h5", "part", (0, 0, 0), np.nan),
    }),
    "lsp": ("lsp", lsp, ["all"], ["images/im0001.jpg"], ["joints.mat"], {
        "NaN": number("joints.mat", "joints", (0, 0, 0), np.nan),
        "flag": number("joints.mat", "joints", (2, 0, 0), 7),
        "infinite": number("joints.mat", "joints", (1, 3, 1), np.inf),
    }),
    "slp": ("slp", slp, ["all", "all:IR", "all:depth", "all:PM"],
            [f"danaLab/00001/{m}/uncover/image_000001.png" for m in ("RGB", "IR", "depth", "PM")],
            ["danaLab/00001/joints_gt_RGB.mat", "danaLab/00001/align_PTr_RGB.npy",
             "danaLab/00001/align_PTr_IR.npy", "danaLab/00001/align_PTr_depth.npy"], {
        "NaN": number("danaLab/00001/joints_gt_RGB.mat", "joints_gt", (0, 0, 0), np.nan),
        "all in one place": stacked,
    }),
    "mini_rgbd": ("mini_rgbd", mini_rgbd, ["all"],
                  ["01/rgb/syn_00000.png", "01/fg_mask/mask_00000.png"],
                  ["01/joints_3D/syn_joints_3D_00000.txt", "01/infant_joints.npz",
                   "01/joints_2Ddep/syn_joints_2Ddep_00001.txt"], {
        "NaN": text_rows("01/joints_3D/syn_joints_3D_00000.txt", lambda t: "nan" + t[3:]),
        "NaN of all joints": number("01/infant_joints.npz", "joints_mm", (0, 0, 0), np.nan),
        "empty mask": lambda root: Image.new("L", (640, 480)).save(
            root / "01/fg_mask/mask_00000.png"),
        "camera": lambda root: (root / "intrinsics.json").write_text("{}"),
    }),
    "mpi_inf_3dhp": ("mpi_inf_3dhp", mpi_train, ["all"],
                     ["S1/Seq1/imageSequence/img_0_000001.jpg", "S1/Seq1/FGmasks/img_0_000002.png"],
                     ["S1/Seq1/annot.mat", "S1/Seq1/camera.calibration"], {
        "camera": text_rows("S1/Seq1/camera.calibration",
                            lambda t: t.replace("name          8", "name         80")),
    }),
    "mpi_inf_3dhp test": ("mpi_inf_3dhp", mpi_test, ["all", "test"],
                          ["TS1/imageSequence/img_000001.jpg"], ["TS1/annot_data.mat"], {}),
}  # fmt: skip


def rewritten(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


ON_FILES: dict[str, Callable[[Path], None]] = {
    "missing": Path.unlink,
    "empty": lambda path: rewritten(path, lambda content: b""),
    "text": lambda path: rewritten(path, lambda content: b"text" * 40),
    "cut": lambda path: rewritten(path, lambda content: content[: len(content) * 2 // 3]),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}
ON_PICTURES: dict[str, Callable[[Path], None]] = {
    **ON_FILES,
    "a wrong byte": lambda path: rewritten(
        path, lambda c: c[: len(c) // 2] + bytes([c[len(c) // 2] ^ 255]) + c[len(c) // 2 + 1 :]
    ),
}


def cases() -> list[tuple[str, str, Callable[[Path], None]]]:
    found = []
    for name, (_, _, _, pictures, labels, own) in SETS.items():
        for paths, faults in ((pictures, ON_PICTURES), (labels, ON_FILES)):
            for path in paths:
                for what, fault in faults.items():
                    found.append((name, f"{path} {what}", lambda r, p=path, f=fault: f(r / p)))
        found += [(name, what, fault) for what, fault in own.items()]
    return found


def refusal(name: str, root: Path, splits: list[str], cache: Path) -> str:
    """The reason why the data cannot be used; empty when every sample can. No other exception."""
    try:
        for split in splits:
            for skeleton in (None, INFANT):
                data = open_dataset(name, root, split, skeleton, cache)
            crops = CropDataset(data, boxes_of(data), 32, train=False)
            for i, sample in enumerate(data.samples):
                assert crops[i]["keypoints_px"].isfinite().all()
                outlines_of([sample])
                if sample.mask_path is not None:
                    load_mask(sample.mask_path)
        return "; ".join(data.notes) if name in ("coco", "syrip") else ""
    except DataError as error:
        return str(error)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], Path]:
    """Copies of a folder of each data set."""
    made: dict[str, Path] = {}

    def copy(name: str, to: Path) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("set") / "root"
            made[name].mkdir()
            SETS[name][1](made[name])
            (made[name] / "generator.json").write_text("{}")
        return Path(shutil.copytree(made[name], to / "root"))

    return copy


@pytest.mark.parametrize("name", SETS)
def test_whole_folders_are_read_and_found_whole(name: str, whole, tmp_path: Path) -> None:
    root = whole(name, tmp_path)
    key, _, splits, *_ = SETS[name]
    assert refusal(key, root, splits, tmp_path / "cache") == ""
    assert verify_dataset(key, root).ok, str(verify_dataset(key, root))


@pytest.mark.parametrize(
    ("name", "change"), [pytest.param(n, c, id=f"{n} {what}") for n, what, c in cases()]
)
def test_what_is_refused_is_found(name: str, change, whole, tmp_path: Path) -> None:
    root = whole(name, tmp_path)
    change(root)
    key, _, splits, *_ = SETS[name]
    reason = refusal(key, root, splits, tmp_path / "cache")
    try:
        found = verify_dataset(key, root)
    except DataError:
        return
    assert "\n" not in reason
    assert not found.ok or not reason, f"verify says OK, using it says {reason}"
