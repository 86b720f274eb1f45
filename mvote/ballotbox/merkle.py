"""Hash trees over a log's entries, and the two proofs they give (RFC 6962 and RFC 9162, 2.1).

Pure functions. A leaf is SHA-256(0x00 ‖ entry), a node SHA-256(0x01 ‖ left ‖ right); every hash
here is 32 bytes. Where the hashes come from is the caller's: a `Hashes` gives the root of the n-th
perfect subtree of 2**level leaves, and is asked for O(log n) of them.

A proof alone does not bind the size of a tree: it is the signed checkpoint, which names size and
root together, that does. Verify against sizes and roots out of checkpoints only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Hashes = Callable[[int, int], bytes]
"""(level, n) → root of the n-th perfect subtree over 2**level leaves; level 0 are the leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """The leaf of one entry: SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The node above two others: SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def hashes_of(leaves: Sequence[bytes]) -> Hashes:
    """A reader over *leaves* (leaf hashes) held in memory."""
    levels = [list(leaves)]
    while len(below := levels[-1]) > 1:
        pairs = zip(below[::2], below[1::2], strict=False)  # an odd one out has no node yet
        levels.append([node_hash(left, right) for left, right in pairs])
    return lambda level, n: levels[level][n]


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over *leaves* (leaf hashes, not entries); EMPTY_ROOT for none."""
    return root_at(len(leaves), hashes_of(leaves))


def root_at(size: int, hashes: Hashes) -> bytes:
    """The root of the tree's first *size* leaves."""
    return _root_between(0, size, hashes)


def inclusion_proof(index: int, size: int, hashes: Hashes) -> list[bytes]:
    """What leads from the leaf at *index* to the root at *size*, lowest first (RFC 9162, 2.1.3.1).

    ValueError unless 0 ≤ index < size.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    start, end, path = 0, size, list[bytes]()
    while end - start > 1:
        middle = start + _largest_power_below(end - start)
        if index < middle:
            path.append(_root_between(middle, end, hashes))
            end = middle
        else:
            path.append(_root_between(start, middle, hashes))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, hashes: Hashes) -> list[bytes]:
    """That the tree of *new* leaves begins with that of *old* ones (RFC 9162, 2.1.4.1).

    Empty for old = 0 and for old = new; ValueError unless 0 ≤ old ≤ new.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not extend one of {old}")
    if old == 0:
        return []
    start, end, path = 0, new, list[bytes]()
    while end != old:
        middle = start + _largest_power_below(end - start)
        if old <= middle:
            path.append(_root_between(middle, end, hashes))
            end = middle
        else:
            path.append(_root_between(start, middle, hashes))
            start = middle
    if start:  # the old tree's last part is no root the verifier has
        path.append(_root_between(start, end, hashes))
    return path[::-1]


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether *leaf* (a leaf hash) stands at *index* under *root* of *size* (RFC 9162, 2.1.3.2)."""
    if not (0 <= index < size and _are_hashes(leaf, root, *proof)):
        return False
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether *new_root* at *new* extends *old_root* at *old* (RFC 9162, 2.1.4.2)."""
    if not (0 <= old <= new and _are_hashes(old_root, new_root, *proof)):
        return False
    if old == 0:
        return old_root == EMPTY_ROOT and not proof
    if old == new:
        return old_root == new_root and not proof
    steps = iter(proof if old & (old - 1) else (old_root, *proof))
    return _both_roots(old - 1, new - 1, steps) == (old_root, new_root)


def _both_roots(place: int, last: int, steps: Iterator[bytes]) -> tuple[bytes, bytes] | None:
    """The roots of the old and the new tree that *steps* give; None: too few or too many steps."""
    while place & 1:
        place, last = place >> 1, last >> 1
    if (first := next(steps, None)) is None:
        return None
    was = now = first
    for step in steps:
        if last == 0:
            return None
        if place & 1 or place == last:
            was, now = node_hash(step, was), node_hash(step, now)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            now = node_hash(now, step)
        place, last = place >> 1, last >> 1
    return (was, now) if last == 0 else None


def _root_between(start: int, end: int, hashes: Hashes) -> bytes:
    """The root over leaves start … end - 1, *start* a multiple of a power of two ≥ end - start."""
    if start == end:
        return EMPTY_ROOT
    parts = list(_perfect_parts(start, end))
    found = hashes(*parts[-1])
    for level, n in reversed(parts[:-1]):
        found = node_hash(hashes(level, n), found)
    return found


def _perfect_parts(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees, largest first, that make up leaves start … end - 1."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _largest_power_below(n: int) -> int:
    return 1 << ((n - 1).bit_length() - 1)


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
