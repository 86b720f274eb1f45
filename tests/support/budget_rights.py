"""What the web's login may do with proposals, committees and imported elections.

The other logins may do nothing with them, but for the counter, which compares.
"""

from __future__ import annotations

BUDGET_RIGHTS = {
    "proposal": "SELECT INSERT UPDATE(reference) UPDATE(number) UPDATE(state)"
    " UPDATE(revision) UPDATE(department_id) UPDATE(due_at) UPDATE(version)"
    " UPDATE(submitted_at) UPDATE(state_since) UPDATE(appealed_at) UPDATE(merged_into)",
    "proposal_revision": "SELECT INSERT UPDATE(content) UPDATE(heading) UPDATE(kind)"
    " UPDATE(amount) UPDATE(area_codes) UPDATE(bigrams) UPDATE(submitted_at)",
    "proposal_author": "SELECT INSERT DELETE UPDATE(accepted_at)",
    "proposal_support": "SELECT INSERT DELETE",
    "proposal_contact": "SELECT INSERT DELETE UPDATE(contact)",
    "authors_consent": "SELECT INSERT DELETE",
    "proposal_place": "SELECT INSERT DELETE",
    "assessment": "SELECT INSERT UPDATE",
    "proposal_return": "SELECT INSERT",
    "proposal_appeal": "SELECT INSERT",
    "proposal_strike": "SELECT",
    "stored_file": "SELECT INSERT UPDATE(sent_at)",
    "file_use": "SELECT INSERT",
    "paper_entry": "SELECT INSERT UPDATE(person) UPDATE(contact) UPDATE(forgotten_at)",
    "project_update": "SELECT INSERT",
    "bulletin": "SELECT INSERT UPDATE(told_at)",
    "inbox_item": "SELECT INSERT DELETE UPDATE(read_at)",
    "cycle_follower": "SELECT INSERT DELETE",
    "committee": "SELECT INSERT",
    "committee_targets": "SELECT INSERT",
    "application": "SELECT INSERT UPDATE(categories) UPDATE(verified) UPDATE(interests)"
    " UPDATE(preferences) UPDATE(withdrawn_at)",
    "committee_draw": "SELECT INSERT",
    "committee_draw_file": "SELECT INSERT",
    "seat": "SELECT INSERT UPDATE(is_chair) UPDATE(state) UPDATE(vacated_at)",
    "committee_reserve": "SELECT INSERT UPDATE(state)",
    "seat_interests": "SELECT INSERT UPDATE(interests) UPDATE(set_at)",
    "recusal": "SELECT INSERT",
    "review": "SELECT INSERT UPDATE(discussed_at) UPDATE(judged_at)",
    "review_assignment": "SELECT INSERT DELETE",
    "opinion": "INSERT SELECT(review_id) SELECT(seat_id) SELECT(round) SELECT(at)"
    " UPDATE(scores) UPDATE(comment)",
    "meeting": "SELECT INSERT UPDATE(called_off_at) UPDATE(why_called_off)",
    "meeting_agenda": "SELECT INSERT",
    "meeting_attendance": "SELECT INSERT DELETE",
    "meeting_minutes": "SELECT INSERT",
    "shortlist": "SELECT INSERT UPDATE(state) UPDATE(carried) UPDATE(closed_at) UPDATE(closed_by)"
    " UPDATE(roll) UPDATE(yes) UPDATE(no) UPDATE(abstain)",
    "shortlist_pulled_out": "SELECT INSERT",
    "shortlist_vote": "SELECT INSERT UPDATE(vote) UPDATE(reason) UPDATE(at)",
    "judgment": "SELECT INSERT UPDATE(meeting_id) UPDATE(state) UPDATE(roll) UPDATE(yes)"
    " UPDATE(no) UPDATE(abstain) UPDATE(carried) UPDATE(closed_at) UPDATE(closed_by)",
    "judgment_vote": "SELECT INSERT UPDATE(vote) UPDATE(reason) UPDATE(at)",
    "sworn_in": "SELECT INSERT",
    "judgment_recount": "SELECT INSERT",
    "subcommittee_preference": "SELECT INSERT UPDATE(committees) UPDATE(stated_at)",
    "division": "SELECT INSERT",
    "motion": "SELECT INSERT UPDATE(state) UPDATE(judged_by) UPDATE(judged_at) UPDATE(entitled)"
    " UPDATE(yes) UPDATE(no) UPDATE(abstain)",
    "motion_vote": "SELECT INSERT UPDATE(vote) UPDATE(at)",
    "project_decision": "SELECT INSERT",
    "enactment": "SELECT",
    "reserve_move": "SELECT INSERT",
    "cycle_lot": "SELECT(cycle_id) SELECT(contest) SELECT(commitment)",
    "counted_comparison": "SELECT",
    "source_statement": "SELECT(cycle_id) SELECT(contest) SELECT(source) SELECT(n) SELECT(sha256)"
    " SELECT(sealed_at)",
    **dict.fromkeys(
        (
            "imported_election",
            "imported_project",
            "imported_ballots",
            "cycle_allocation",
            "contest_poll",
            "roll_entry",
            "roll",
        ),
        "SELECT INSERT",
    ),
    "position_nonce": "SELECT INSERT DELETE UPDATE(used_for)",
    "flag": "SELECT INSERT DELETE UPDATE(times) UPDATE(finding) UPDATE(note) UPDATE(found_by)"
    " UPDATE(found_at)",
    "place_seen": "SELECT INSERT DELETE",
    "last_fix": "SELECT INSERT DELETE UPDATE(sealed) UPDATE(expires_at)",
    "invitation": "SELECT INSERT UPDATE(sealed) UPDATE(state) UPDATE(tries) UPDATE(claimed_at)",
    "invitation_run": "SELECT INSERT UPDATE(state) UPDATE(not_before) UPDATE(finished_at)",
}
BUDGET_TABLES = tuple(BUDGET_RIGHTS)
RIGHTS_OF_THE_COUNTER = {
    "counted_comparison": "SELECT UPDATE(document) UPDATE(at)",
    "cycle": "SELECT(id) SELECT(definition)",
    "cycle_allocation": "SELECT(cycle_id) SELECT(contest) SELECT(document) SELECT(n)",
}
