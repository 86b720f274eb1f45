"""The hash tree: as RFC 6962 has it, every proof holds, and nothing else is taken for one."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from pymerkle import InmemoryTree

from mvote.ballotbox import merkle

LARGEST = 256
HASH_BITS = 8 * merkle.HASH_BYTES

# The eight entries, roots and proofs that Certificate Transparency's implementations share.
INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")
ENTRIES = [bytes.fromhex(each) for each in (*INPUTS, "606162636465666768696a6b6c6d6e6f")]
ROOTS = [
    bytes.fromhex(each)
    for each in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
LEAF_0 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
LEAF_1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
LEAF_4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
LEAVES_0_1 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
LEAVES_2_3 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
LEAVES_4_5 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
LEAVES_6_7 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
LEAVES_0_3 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
LEAVES_4_7 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"


def made_up(size: int) -> list[bytes]:
    return [merkle.leaf_hash(b"entry %d" % place) for place in range(size)]


LEAVES = made_up(LARGEST)
HASHES = merkle.hashes_of(LEAVES)
ALL_ROOTS = [merkle.root_of(LEAVES[:size]) for size in range(LARGEST + 1)]


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_the_reference_implementation(size: int) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES]
    assert merkle.root_of(leaves[:size]) == ROOTS[size]
    assert merkle.root_at(size, merkle.hashes_of(leaves)) == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "expected"),
    [
        (0, 1, []),
        (0, 8, [LEAF_1, LEAVES_2_3, LEAVES_4_7]),
        (5, 8, [LEAF_4, LEAVES_6_7, LEAVES_0_3]),
        (2, 3, [LEAVES_0_1]),
        (1, 5, [LEAF_0, LEAVES_2_3, LEAF_4]),
    ],
)
def test_the_inclusion_proofs_are_those_of_the_reference(
    index: int, size: int, expected: list[str]
) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES]
    proof = merkle.inclusion_proof(index, size, merkle.hashes_of(leaves))
    assert [step.hex() for step in proof] == expected
    assert merkle.verify_inclusion(index, size, leaves[index], proof, ROOTS[size])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (1, 1, []),
        (1, 8, [LEAF_1, LEAVES_2_3, LEAVES_4_7]),
        (6, 8, [LEAVES_4_5, LEAVES_6_7, LEAVES_0_3]),
        (2, 5, [LEAVES_2_3, LEAF_4]),
    ],
)
def test_the_consistency_proofs_are_those_of_the_reference(
    old: int, new: int, expected: list[str]
) -> None:
    hashes = merkle.hashes_of([merkle.leaf_hash(entry) for entry in ENTRIES])
    proof = merkle.consistency_proof(old, new, hashes)
    assert [step.hex() for step in proof] == expected
    assert merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)


def test_every_leaf_of_every_size_up_to_256_is_proved_included() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, HASHES)
            assert merkle.verify_inclusion(index, size, LEAVES[index], proof, ALL_ROOTS[size])
            assert len(proof) <= (size - 1).bit_length()


def test_every_size_up_to_256_is_proved_to_extend_every_smaller_one() -> None:
    for new in range(LARGEST + 1):
        for old in range(new + 1):
            proof = merkle.consistency_proof(old, new, HASHES)
            assert merkle.verify_consistency(old, new, ALL_ROOTS[old], ALL_ROOTS[new], proof)


def test_an_independent_library_finds_the_same_roots_and_proofs() -> None:
    other, entries = InmemoryTree(algorithm="sha256"), [b"entry %d" % n for n in range(70)]
    for entry in entries:
        other.append_entry(entry)
    for size in range(1, len(entries) + 1):
        assert other.get_root(size) == ALL_ROOTS[size]
        for index in range(size):  # theirs counts from one and puts the leaf itself first
            path = other.prove_inclusion(index + 1, size).path
            assert path == [LEAVES[index], *merkle.inclusion_proof(index, size, HASHES)]


def test_10000_flipped_bits_are_all_found() -> None:
    chance = random.Random(6962)
    accepted = [flip for flip in range(5000) if _survives_in_inclusion(chance)]
    accepted += [flip for flip in range(5000) if _survives_in_consistency(chance)]
    assert accepted == []


def test_a_bit_flipped_in_the_place_is_found() -> None:
    for size in (1, 2, 3, 7, 8, 200, 256):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, HASHES)
            for bit in range(10):
                flipped = index ^ (1 << bit)
                leaf, root = LEAVES[index], ALL_ROOTS[size]
                assert not merkle.verify_inclusion(flipped, size, leaf, proof, root)


@pytest.mark.parametrize("size", [1, 2, 5, 64, 100])
def test_a_proof_with_a_step_more_or_less_is_none(size: int) -> None:
    for index in range(size):
        proof, leaf = merkle.inclusion_proof(index, size, HASHES), LEAVES[index]
        for wrong in ([*proof, LEAVES[0]], [LEAVES[0], *proof], proof[:-1] if proof else [b""]):
            assert not merkle.verify_inclusion(index, size, leaf, wrong, ALL_ROOTS[size])
    for old in range(1, size + 1):
        proof, roots = (
            merkle.consistency_proof(old, size, HASHES),
            (ALL_ROOTS[old], ALL_ROOTS[size]),
        )
        for wrong in ([*proof, LEAVES[0]], [LEAVES[0], *proof], proof[:-1] if proof else [b""]):
            assert not merkle.verify_consistency(old, size, *roots, wrong)


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (5, 4), (0, 0), (0, -1), (2**70, 4)])
def test_a_place_outside_the_tree_is_refused(index: int, size: int) -> None:
    proof = merkle.inclusion_proof(0, 4, HASHES)
    assert not merkle.verify_inclusion(index, size, LEAVES[0], proof, ALL_ROOTS[4])
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(index, size, HASHES)


@pytest.mark.parametrize(("old", "new"), [(5, 4), (-1, 4), (1, 0), (-2, -1)])
def test_a_tree_does_not_extend_a_larger_one(old: int, new: int) -> None:
    assert not merkle.verify_consistency(old, new, ALL_ROOTS[4], ALL_ROOTS[4], [])
    with pytest.raises(ValueError, match="does not extend"):
        merkle.consistency_proof(old, new, HASHES)


def test_nothing_but_the_empty_root_stands_at_size_0() -> None:
    assert not merkle.verify_consistency(0, 4, ALL_ROOTS[1], ALL_ROOTS[4], [])
    assert not merkle.verify_consistency(0, 4, merkle.EMPTY_ROOT, ALL_ROOTS[4], [LEAVES[0]])
    assert not merkle.verify_consistency(4, 4, ALL_ROOTS[4], ALL_ROOTS[3], [])


def test_a_hash_of_another_length_is_none() -> None:
    proof = merkle.inclusion_proof(1, 4, HASHES)
    joined = [proof[0] + proof[1]]  # the same bytes, cut elsewhere
    assert not merkle.verify_inclusion(1, 4, LEAVES[1], joined, ALL_ROOTS[4])
    assert not merkle.verify_inclusion(0, 1, b"short", [], b"short")
    assert not merkle.verify_consistency(4, 4, b"short", b"short", [])


def test_a_proof_asks_for_few_hashes_however_large_the_tree() -> None:
    asked: list[tuple[int, int]] = []

    def huge(level: int, n: int) -> bytes:  # a tree whose hashes name their place
        asked.append((level, n))
        return merkle.leaf_hash(b"%d/%d" % (level, n))

    size = 10**9
    merkle.inclusion_proof(123_456_789, size, huge)
    merkle.consistency_proof(size // 3, size, huge)
    assert len(asked) < 3 * 2 * size.bit_length()


def test_a_root_stands_over_its_own_entries_alone() -> None:
    assert all(a != b for a, b in pairwise(sorted(ALL_ROOTS)))
    pair = merkle.node_hash(LEAVES[0], LEAVES[1])
    assert merkle.leaf_hash(LEAVES[0] + LEAVES[1]) != pair  # a node passes for no entry


def _survives_in_inclusion(chance: random.Random) -> bool:
    size = chance.randint(1, LARGEST)
    index = chance.randrange(size)
    parts = [LEAVES[index], ALL_ROOTS[size], *merkle.inclusion_proof(index, size, HASHES)]
    leaf, root, *proof = _with_a_flipped_bit(parts, chance)
    return merkle.verify_inclusion(index, size, leaf, proof, root)


def _survives_in_consistency(chance: random.Random) -> bool:
    new = chance.randint(1, LARGEST)
    old = chance.randint(1, new)
    parts = [ALL_ROOTS[old], ALL_ROOTS[new], *merkle.consistency_proof(old, new, HASHES)]
    was, now, *proof = _with_a_flipped_bit(parts, chance)
    return merkle.verify_consistency(old, new, was, now, proof)


def _with_a_flipped_bit(parts: list[bytes], chance: random.Random) -> list[bytes]:
    place, bit = chance.randrange(len(parts)), chance.randrange(HASH_BITS)
    flipped = int.from_bytes(parts[place], "big") ^ (1 << bit)
    return [*parts[:place], flipped.to_bytes(merkle.HASH_BYTES, "big"), *parts[place + 1 :]]
