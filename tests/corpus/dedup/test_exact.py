import pyarrow as pa

from corpus.dedup import exact


def test_hashes_of_a_column_are_those_of_its_texts_and_null_for_null() -> None:
    found = exact.exact_hashes(pa.array(["а", None, "А "], pa.large_string()))
    assert found.type == pa.binary(16)
    assert found.to_pylist() == [exact.exact_hash("а"), None, exact.exact_hash("а")]


def test_a_hash_stays_what_it_was() -> None:
    """Pinned: sign files of different versions of bukvar meet on shared disks."""
    assert exact.exact_hash("Мама мыла раму.").hex() == "dc704f31bd87d34efe0ead31f84cf035"
