"""What the web's login may do with the tables of proposals; the other logins may do nothing."""

from __future__ import annotations

PROPOSAL_RIGHTS = {
    "proposal": "SELECT INSERT UPDATE(reference) UPDATE(number) UPDATE(state)"
    " UPDATE(revision) UPDATE(department_id) UPDATE(due_at) UPDATE(version)"
    " UPDATE(submitted_at) UPDATE(state_since) UPDATE(appealed_at) UPDATE(merged_into)",
    "proposal_revision": "SELECT INSERT UPDATE(content) UPDATE(heading) UPDATE(kind)"
    " UPDATE(amount) UPDATE(area_codes) UPDATE(bigrams) UPDATE(submitted_at)",
    "proposal_author": "SELECT INSERT DELETE UPDATE(accepted_at)",
    "proposal_support": "SELECT INSERT DELETE",
    "proposal_contact": "SELECT INSERT DELETE UPDATE(contact)",
    "authors_consent": "SELECT INSERT",
    "proposal_place": "SELECT INSERT DELETE",
    "assessment": "SELECT INSERT UPDATE",
    "proposal_return": "SELECT INSERT",
    "proposal_appeal": "SELECT INSERT",
    "proposal_strike": "SELECT",
    "stored_file": "SELECT INSERT",
}
PROPOSAL_TABLES = tuple(PROPOSAL_RIGHTS)
