"""Which functions of the vote and the budget each login may call, and no others."""

from __future__ import annotations

GOLDEN_FUNCTIONS = {
    "mvote_api": {
        "begin_roll", "clear_roll", "forget_roll", "give_up_roll", "vacate_seat", "last_poll_ends",
        "cast_ballots", "cast_in_polls", "poll_is_free", "poll_lock", "poll_moves", "took_part",
        "ask_approval", "close_poll_early", "extend_poll", "void_poll", "publish_poll",
        "commit_lot", "draw_tie",
        "publish_correction", "move_cycle", "strike_proposal", "change_targets",
        "seal_statement", "may_seal", "unreleased_sources", "released_statements", "revealed_lot",
        "enact_project", "refuse_the_recused", "opinions_to_read", "own_opinions",
        "forget_orphan_files",
        "contest_lock", "contest_unfinished", "took_part_before", "has_part", "outcome_of",
        "more_than",
        "most_for",
        "was_drawn",
        "site_held_still",
    },
    "mvote_shuffler": {"close_poll", "finish_closing", "statement_hash"},
    "mvote_counter": {
        "finish_counting", "participation_count", "quarantined_count", "records_to_compare",
        "release_contests",
    },
    "mvote_auditor": set(),
}  # fmt: skip
