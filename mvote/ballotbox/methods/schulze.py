"""The Schulze method (M. Schulze, "A new monotonic, clone-independent … election method", 2011).

The strength of a defeat is the number of ballots for it ("winning votes"); a path is as strong as
its weakest defeat; an option wins whose path to each other one is at least as strong as the path
back.
"""

from __future__ import annotations

from mvote.ballotbox.methods.pairwise import Matrix


def strongest_paths(matrix: Matrix) -> Matrix:
    """The strength of the strongest path from each option to each other one; 0 without a path."""
    places = range(len(matrix))
    paths = [[matrix[x][y] if matrix[x][y] > matrix[y][x] else 0 for y in places] for x in places]
    for via in places:
        onward = paths[via]
        for x in places:
            row, so_far = paths[x], paths[x][via]
            if x != via and so_far:
                paths[x] = [max(now, min(so_far, on)) for now, on in zip(row, onward, strict=True)]
                paths[x][x] = 0
    return paths


def schulze_winners(paths: Matrix) -> list[int]:
    """Whom nobody beats by a stronger path. Several if they are tied; never none."""
    places = range(len(paths))
    return [x for x in places if all(paths[x][y] >= paths[y][x] for y in places)]
