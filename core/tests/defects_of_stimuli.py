"""Defects of a lab's table of stimuli, its texts and its images."""

import zipfile
from dataclasses import replace

import pandas as pd
from core.tests.lab_folder import STIMULI, defects, edit, png

DEFECTS, defect = defects()


@defect("error", "stimuli.csv, row 5, column path", "'images/img03.png' does not exist")
def missing_file(d):
    (d.folder / "images" / "img03.png").unlink()


@defect("error", "stimuli.csv, row 9, column stimulus_id", "'img03' stands in row 5")
def duplicate_id(d):
    edit(d.folder / "stimuli.csv", "img07,", "img03,")


@defect("error", "stimuli.csv, row 7, column path", "'images/img05.png' has 0 bytes")
def empty_image(d):
    (d.folder / "images" / "img05.png").write_bytes(b"")


@defect(
    "warning", "stimuli.csv, row 9, column stimulus_id", "'IMG03' differs from 'img03' in row 5"
)
def ids_differ_by_case(d):
    edit(d.folder / "stimuli.csv", "img07,", "IMG03,")


@defect("error", "", "images.zip is refused: member 'img00.png' takes it beyond")
def zip_bomb(d):
    with zipfile.ZipFile(d.folder / "images.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("img00.png", "w", force_zip64=True) as member:
            for _ in range(70):
                member.write(bytes(1 << 20))
    edit(d.folder / "stimuli.csv", "images/", "images.zip/", -1)


@defect("error", "stimuli.csv, row 4, column path", "leaves the folder by '..'")
def path_that_leaves(d):
    edit(d.folder / "stimuli.csv", "images/img02.png", "../secret.png")


@defect("error", "stimuli.csv, row 4, column path", "is an absolute path")
def absolute_path(d):
    edit(d.folder / "stimuli.csv", "images/img02.png", "C:\\\\data\\\\img02.png")


@defect("error", "stimuli.csv, row 4, column path", "is a link that leaves")
def link_that_leaves(d):
    outside = d.folder.parent / "outside.png"
    outside.write_bytes(png())
    (d.folder / "images" / "img02.png").unlink()
    (d.folder / "images" / "img02.png").symlink_to(outside)


@defect(
    "error",
    "stimuli.csv, row 2, column path",
    "'images/img00.png' does not exist: the folder 'images' is a link that leaves",
)
def folder_link_that_leaves(d):
    (d.folder / "images").rename(d.folder.parent / "elsewhere")
    (d.folder / "images").symlink_to(d.folder.parent / "elsewhere")


@defect("error", "stimuli.csv, row 6, column path", "not a readable image", loads=True)
def truncated_image(d):
    path = d.folder / "images" / "img04.png"
    path.write_bytes(path.read_bytes()[:60])


@defect("error", "stimuli.csv, row 4, column path", "does not exist; there is 'img02.png'")
def path_of_other_case(d):
    edit(d.folder / "stimuli.csv", "images/img02.png", "images/IMG02.PNG")


def texts(d, **columns):
    ids = pd.read_csv(d.folder / "stimuli.csv")["stimulus_id"]
    table = pd.DataFrame({"stimulus_id": ids, "text": [f"word {n}" for n in range(STIMULI)]})
    table.assign(**columns).to_csv(d.folder / "stimuli.csv", index=False)
    return replace(d, modality="text")


@defect("error", "stimuli.csv, row 11, column text", "The text is empty")
def empty_text(d):
    edited = texts(d)
    edit(d.folder / "stimuli.csv", "word 9", "   ")
    return edited


@defect("error", "stimuli.csv, row 25, column position", "Context 'b' has position 3 already")
def repeated_position(d):
    positions = [*range(12), *range(11), 3]
    return texts(d, context_id=["a"] * 12 + ["b"] * 12, position=positions)


@defect("warning", "stimuli.csv, row 1", "no context_id says")
def positions_without_context(d):
    return texts(d, position=[0, 1] * (STIMULI // 2))


@defect("warning", "stimuli.csv, row 11, column text", "has a lost character")
def lost_character(d):
    edited = texts(d)
    edit(d.folder / "stimuli.csv", "word 9", "caf\ufffd")
    return edited


@defect("error", "stimuli.csv, row 1", "no column 'objects' to group by (did you mean")
def no_group_column(d):
    return replace(d, group_by="objects")


@defect("error", "stimuli.csv, column object", "All stimuli are in one group, 'cat'")
def one_group(d):
    edit(d.folder / "stimuli.csv", "dog", "cat", -1)
    return replace(d, group_by="object")


@defect("error", "stimuli.csv, row 1", "'path' stands over columns 2 and 3")
def repeated_column(d):
    edit(d.folder / "stimuli.csv", "object", "path")


@defect("error", "stimuli.csv, row 8", "4 cells, the header 3 ('brown' is too many)")
def long_row(d):
    edit(d.folder / "stimuli.csv", "images/img06.png,dog", "images/img06.png,dog,brown")


@defect("error", "stimuli.csv, row 12", "b'\\xe9' is not UTF-8")
def latin_1(d):
    path = d.folder / "stimuli.csv"
    path.write_bytes(path.read_text().replace("img10,", "imgé,").encode("latin-1"))


@defect("error", "stimuli.xlsx", "Save it as CSV")
def excel(d):
    (d.folder / "stimuli.csv").rename(d.folder / "stimuli.xlsx")
    return replace(d, stimuli="stimuli.xlsx")


@defect("warning", "dataset.toml, visual_degrees", "Are they pixels?")
def pixels_for_degrees(d):
    return replace(d, visual_degrees=256.0)


@defect("warning", "stimuli.csv, row 10", "'img08' shows what 'img02' in row 4 does")
def same_image_twice(d):
    (d.folder / "images" / "img08.png").write_bytes(png(2))
