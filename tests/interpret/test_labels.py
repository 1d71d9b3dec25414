"""Class names: what a person types, and the classes it should mean."""

import subprocess
import sys

import pytest

from interpret.errors import InterpretError, UnknownNameError
from interpret.labels.label_files import read_labels
from interpret.labels.names import Labels, imagenet
from tests.command import REPOSITORY

ONE_CLASS = [  # query, kind, index
    (281, "index", 281),
    ("281", "index", 281),
    (" 0 ", "index", 0),
    ("n02123045", "wnid", 281),
    ("N02123045", "wnid", 281),
    ("Cardigan", "name", 264),  # the dog
    ("cardigan", "name", 474),  # the garment
    ("crane", "name", 517),
    ("maillot", "name", 638),
    ("tabby", "name", 281),
    ("goldfish", "name", 1),
    ("LION", "name", 291),
    ("lions", "name", 291),
    ("tigers", "name", 292),
    ("drum", "name", 541),
    ("mouse", "name", 673),
    ("mice", "name", 673),
    ("plane", "name", 726),
    ("mushroom", "name", 947),
    ("great_white_shark", "name", 2),
    ("jack o lantern", "name", 607),
    ("yellow ladys slipper", "name", 986),
    ("Pékinese", "name", 154),
    ("golden retrievers", "name", 207),
    ("polar bear", "synonym", 296),
    ("Polar-Bear", "synonym", 296),
    ("hot dog", "synonym", 934),
    ("pig", "synonym", 341),
    ("hippo", "synonym", 344),
    ("husky", "synonym", 248),
    ("trumpet", "synonym", 513),
    ("bell", "synonym", 494),
    ("airplane", "group", 404),
    ("horse", "group", 339),
    ("cows", "group", 345),
    ("glasses", "group", 837),
    ("bank", "group", 719),
    ("tree", "word", 31),
    ("shepherd", "word", 235),
]

GROUPS = [  # query, label, how many classes, one of them
    ("cat", "cat", 7, "tabby"),
    ("cats", "cat", 7, "Persian cat"),
    ("big cat", "big cat", 6, "lion"),
    ("domestic cat", "domestic cat", 5, "Siamese cat"),
    ("n02121620", "cat", 7, "lynx"),
    ("dog", "dog", 118, "beagle"),
    ("Dogs", "dog", 118, "pug"),
    ("bird", "bird", 59, "robin"),
    ("fish", "fish", 16, "eel"),
    ("snake", "snake", 17, "sea snake"),
    ("spider", "spider", 6, "tarantula"),
    ("insect", "insect", 27, "ant"),
    ("butterflies", "butterfly", 6, "monarch"),
    ("beetle", "beetle", 8, "weevil"),
    ("crab", "crab", 4, "king crab"),
    ("bear", "bear", 4, "ice bear"),
    ("wolves", "wolf", 4, "timber wolf"),
    ("foxes", "fox", 4, "red fox"),
    ("monkey", "monkey", 13, "baboon"),
    ("turtle", "turtle", 5, "mud turtle"),
    ("shark", "shark", 3, "hammerhead"),
    ("frog", "frog", 3, "bullfrog"),
    ("whale", "whale", 2, "grey whale"),
    ("fungi", "fungus", 7, "agaric"),
    ("flower", "flower", 2, "daisy"),
    ("fruit", "fruit", 16, "banana"),
    ("vegetable", "vegetable", 13, "broccoli"),
    ("food", "food", 48, "pizza"),
    ("people", "person", 3, "groom"),
    ("car", "car", 10, "sports car"),
    ("automobiles", "car", 10, "cab"),
    ("truck", "truck", 8, "garbage truck"),
    ("bus", "bus", 3, "school bus"),
    ("buses", "bus", 3, "minibus"),
    ("bike", "bicycle", 2, "mountain bike"),
    ("boat", "boat", 6, "canoe"),
    ("ship", "ship", 6, "liner"),
    ("vessel", "vessel", 15, "canoe"),
    ("aircraft", "aircraft", 4, "airliner"),
    ("bottle", "bottle", 7, "wine bottle"),
    ("glass", "glass", 2, "goblet"),
    ("dish", "dish", 3, "soup bowl"),
    ("knives", "knife", 2, "cleaver"),
    ("ball", "ball", 10, "golf ball"),
    ("toy", "plaything", 2, "teddy"),
    ("instrument", "musical instrument", 26, "violin"),
    ("guitar", "guitar", 2, "electric guitar"),
    ("computer", "computer", 6, "laptop"),
    ("phone", "telephone", 3, "cellular telephone"),
    ("bag", "bag", 5, "backpack"),
    ("hat", "hat", 4, "sombrero"),
    ("shoes", "shoe", 3, "Loafer"),
    ("helmet", "helmet", 3, "crash helmet"),
    ("house", "house", 2, "palace"),
    ("building", "building", 14, "church"),
    ("chair", "chair", 4, "throne"),
    ("table", "table", 3, "dining table"),
    ("lamp", "lamp", 4, "table lamp"),
    ("panda", "panda", 2, "giant panda"),  # a synonym of two classes
    ("CARDIGAN", "cardigan", 2, "Cardigan"),
    ("mountain dog", "mountain dog", 2, "Bernese mountain dog"),  # words of two names
]

NOTES = [  # query, what the note must say
    ("plane", ["carpenter", "'airplane' (n02691156", "'airliner' (404)"]),
    ("crane", ["machine", "'crane bird' (134)"]),
    ("maillot", ["'maillot tank suit' (639)"]),
    ("nail", ["metal"]),
    ("mouse", ["computer"]),
    ("kite", ["bird"]),
    ("monitor", ["Komodo dragon"]),
    ("tank", ["n04388743", "water tower"]),
    ("light", ["traffic light"]),
    ("car", ["n02959942", "freight car"]),
    ("panda", ["387", "388", "index"]),
    ("horse", ["only class", "'sorrel' (339)"]),
    ("chicken", ["no class", "prairie chicken"]),
]


@pytest.mark.parametrize(("query", "kind", "index"), ONE_CLASS)
def test_a_query_for_one_class(query, kind, index):
    match = imagenet().find(query)
    assert (match.kind, match.indices) == (kind, (index,))


@pytest.mark.parametrize(("query", "label", "size", "member"), GROUPS)
def test_a_query_for_a_group(query, label, size, member):
    match = imagenet().find(query)
    assert (match.label, len(match.indices)) == (label, size)
    assert imagenet().index(member) in match.indices
    assert list(match.indices) == sorted(set(match.indices))


@pytest.mark.parametrize(("query", "parts"), NOTES)
def test_what_surprises_is_noted(query, parts):
    note = imagenet().find(query).note
    assert all(part in note for part in parts), note


@pytest.mark.parametrize("query", ["cat", "dog", "bird", "tabby", "polar bear", "squirrel", 726, "n03954731"])
def test_what_is_plain_has_no_note(query):
    assert imagenet().find(query).note is None


def test_every_display_name_and_wnid_finds_its_class():
    names = imagenet()
    assert [names.find(name).indices for name in names] == [(index,) for index in range(1000)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (1000, "0 to 999"),
        ("-1", "0 to 999"),
        ("tigr", "'tiger'"),
        ("labradour", "'Labrador'"),
        ("qqqq", "interp classes"),
        ("catam", "no class"),
        ("n99999999", "no class"),
        ("", "no class"),
        ("?!", "no class"),
    ],
)
def test_an_unknown_name_says_what_to_do(query, message):
    with pytest.raises(UnknownNameError, match=message):
        imagenet().find(query)


def test_a_word_is_never_a_part_of_a_word():
    assert imagenet().index("catamaran") not in imagenet().find("cat").indices
    with pytest.raises(UnknownNameError):
        Labels(["catamaran", "dog"]).find("cat")


def test_search_lists_by_name_synonym_and_group():
    names = imagenet()
    assert set(names.find("dog").indices) < set(names.search("dogs"))
    assert names.search("polar bear") == [296]
    assert names.search("bottle water") == [898]
    assert names.search("qqqq") == []
    assert names.search("") == list(range(1000))


def test_synonyms_and_groups():
    assert "polar bear" in imagenet().synonyms(296)
    assert imagenet().groups(281)[:2] == ("domestic cat", "cat")
    assert (Labels(["cat"]).synonyms(0), Labels(["cat"]).groups(0)) == ((), ())


def test_labels_are_a_sequence():
    names = Labels(["cat", "dog"])
    assert (len(names), names[1], list(names)) == (2, "dog", ["cat", "dog"])
    assert names == ["cat", "dog"] and names == Labels(("cat", "dog")) and names != ["dog", "cat"]


def test_imagenets_own_names_bring_wordnet():
    assert len(Labels(list(imagenet())).find("cat").indices) == 7


def test_other_labels_take_the_steps_that_apply():
    names = Labels(["plane", "Tabby_cat", "Siamese cat", "hot-dog", "hot dog", "hot dog", "tench, Tinca tinca"])
    assert names.find("plane").note is None  # it is the carpenter's only in ImageNet
    assert names.find("tabby cat").indices == (1,)
    assert (names.find("cats").kind, names.find("cats").indices) == ("word", (1, 2))
    assert (names.find("hot dog").kind, names.find("hot dog").indices) == ("group", (4, 5))
    assert names.find("hot-dog").indices == (3,)
    assert names.find("HOT DOG").indices == (3, 4, 5)
    assert names.find("tench").indices == (6,)


def test_names_that_are_numbers():
    names = Labels(["3", "1", "7"])
    assert names.find("7").indices == (2,)  # too large to be an index
    assert names.find(1).indices == (1,) and names.find(1).note is None
    assert Labels(["1", "0"]).find("0").indices == (0,)
    assert "'0' (1)" in Labels(["1", "0"]).find("0").note


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plain.txt", "cat\nhot dog\nfox\n\n\n"),
        ("windows.txt", "\ufeffcat\r\nhot dog\r\nfox\r\n"),
        ("numbered.txt", "0 cat\n2 fox\n1 hot dog\n"),
        ("colons.txt", "0: cat\n1: hot dog\n2: fox"),
        ("wnids.txt", "n02121620 cat\nn07697537 hot dog\nn02118333 fox"),
        ("list.json", '["cat", "hot dog", "fox"]'),
        ("indices.json", '{"0": "cat", "2": "fox", "1": "hot dog"}'),
        ("keras.json", '{"0": ["n1", "cat"], "1": ["n2", "hot dog"], "2": ["n3", "fox"]}'),
        ("class_to_idx.json", '{"fox": 2, "cat": 0, "hot dog": 1}'),
    ],
)
def test_files_of_labels(tmp_path, name, text):
    (tmp_path / name).write_bytes(text.encode())
    assert read_labels(tmp_path / name) == ["cat", "hot dog", "fox"]


def test_a_prefix_counts_only_where_every_line_has_one(tmp_path):
    (tmp_path / "labels.txt").write_text("2 door\n4 door\nvan\n")
    assert read_labels(str(tmp_path / "labels.txt")) == ["2 door", "4 door", "van"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("latin.txt", "café".encode("latin-1"), "UTF-8"),
        ("empty.txt", b"\n\n", "empty"),
        ("gap.txt", b"cat\n\ndog", "line 2"),
        ("twice.txt", b"0 cat\n0 dog", "0 is there 2 times"),
        ("from_one.txt", b"1 cat\n2 dog", "0 is missing"),
        ("empty.json", b"", "empty"),
        ("none.json", b"{}", "empty"),
        ("broken.json", b'["cat",', "JSON"),
        ("number.json", b"3", "list of names"),
        ("null.json", b'["cat", null]', "None"),
        ("twice.json", b'{"0": "cat", "0": "dog"}', "0 is there 2 times"),
        ("missing.json", b'{"cat": 0, "dog": 2}', "1 is missing"),
        ("settings.json", b'{"labels": "cat"}', "0 is missing"),
    ],
)
def test_a_bad_file_says_what_is_wrong(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InterpretError, match=message) as error:
        read_labels(tmp_path / name)
    assert name in str(error.value)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(InterpretError, match="no file"):
        read_labels(tmp_path / "absent.txt")
    with pytest.raises(InterpretError, match="cannot be read"):
        read_labels(tmp_path)


def test_import_is_cheap():
    script = "import sys, interpret.labels; print({'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
