"""Every module with tables, imported so that `Base.metadata` knows them all."""

import mvote.answers
import mvote.approvals
import mvote.ballotbox.bundle_tables
import mvote.ballotbox.figures
import mvote.ballotbox.log_tables
import mvote.ballotbox.tables
import mvote.ballotbox.trustees
import mvote.budget.allocations
import mvote.budget.assessment
import mvote.budget.balloting.contest_poll
import mvote.budget.committee
import mvote.budget.cycle
import mvote.budget.deciding.cycle_lot
import mvote.budget.deciding.enactment
import mvote.budget.deciding.motion
import mvote.budget.deciding.statement
import mvote.budget.deliberation.meeting
import mvote.budget.files
import mvote.budget.imported
import mvote.budget.proposal
import mvote.budget.proposal_people
import mvote.budget.reviewing.recusal
import mvote.budget.reviewing.review
import mvote.budget.revision
import mvote.budget.seat
import mvote.budget.subcommittees.division
import mvote.journal
import mvote.people.attributes
import mvote.people.challenges
import mvote.people.citizens
import mvote.people.limits
import mvote.people.sessions
import mvote.polls.notices
import mvote.polls.poll
import mvote.polls.roll
import mvote.polls.site_codes  # noqa: F401
