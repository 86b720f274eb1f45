"""The shape of what a citizen takes away: all that is kept of them."""

from __future__ import annotations

import marshmallow as ma

from api.fields import Instant, ShownText
from api.people.schemas import AccountSchema


class SignInSchema(ma.Schema):
    started_at = Instant(required=True)
    last_used_at = Instant(required=True)
    expires_at = Instant(required=True)
    how = ma.fields.String(required=True)
    device = ma.fields.String(required=True, allow_none=True)


class JournalEntrySchema(ma.Schema):
    at = Instant(required=True)
    kind = ma.fields.String(required=True)
    facts = ma.fields.Dict(required=True)


class AuthorshipSchema(ma.Schema):
    proposal_id = ma.fields.UUID(required=True)
    invited_at = Instant(required=True)
    accepted_at = Instant(required=True, allow_none=True)
    contact = ma.fields.String(required=True, allow_none=True)


class SupportedSchema(ma.Schema):
    proposal_id = ma.fields.UUID(required=True)
    at = Instant(required=True)


class AppliedSchema(ma.Schema):
    committee_id = ma.fields.UUID(required=True)
    pseudonym = ma.fields.String(required=True)
    categories = ma.fields.Dict(required=True)
    verified = ma.fields.List(ma.fields.String(), required=True)
    interests = ma.fields.Dict(required=True)
    preferences = ma.fields.List(ma.fields.String(), required=True)
    applied_at = Instant(required=True)
    withdrawn_at = Instant(required=True, allow_none=True)


class SatSchema(ma.Schema):
    committee_id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True)
    filled_at = Instant(required=True)
    vacated_at = Instant(required=True, allow_none=True)


class DeclaredInterestsSchema(ma.Schema):
    seat_id = ma.fields.UUID(required=True)
    interests = ma.fields.Dict(required=True)
    set_at = Instant(required=True)


class RecusedSchema(ma.Schema):
    proposal_id = ma.fields.UUID(required=True)
    ground = ma.fields.String(required=True)
    how = ma.fields.String(required=True)
    at = Instant(required=True)


class OwnOpinionSchema(ma.Schema):
    proposal_id = ma.fields.UUID(required=True)
    committee_id = ma.fields.UUID(required=True)
    round = ma.fields.Integer(required=True)
    scores = ma.fields.List(ma.fields.Dict(), required=True)
    comment = ShownText(required=True, allow_none=True)
    at = Instant(required=True)


class MotionVoteSchema(ma.Schema):
    motion_id = ma.fields.UUID(required=True)
    vote = ma.fields.String(required=True)
    at = Instant(required=True)


class PreferredSchema(ma.Schema):
    committee_id = ma.fields.UUID(required=True)
    subcommittees = ma.fields.List(ma.fields.UUID(), required=True)
    stated_at = Instant(required=True)


class OwnJudgmentVoteSchema(ma.Schema):
    proposal_id = ma.fields.UUID(required=True)
    vote = ma.fields.String(required=True)
    reason = ShownText(required=True, allow_none=True)
    at = Instant(required=True)


class OwnShortlistVoteSchema(ma.Schema):
    shortlist_id = ma.fields.UUID(required=True)
    vote = ma.fields.String(required=True)
    reason = ShownText(required=True, allow_none=True)
    at = Instant(required=True)


class ToldSchema(ma.Schema):
    kind = ma.fields.String(required=True)
    cycle_id = ma.fields.UUID(required=True, allow_none=True)
    poll_id = ma.fields.UUID(required=True, allow_none=True)
    proposal_id = ma.fields.UUID(required=True, allow_none=True)
    at = Instant(required=True)
    read_at = Instant(required=True, allow_none=True)


class OwnReportSchema(ma.Schema):
    poll_id = ma.fields.UUID(required=True)
    ground = ma.fields.String(required=True)
    text = ma.fields.String(required=True, allow_none=True)


class FollowedSchema(ma.Schema):
    cycle_id = ma.fields.UUID(required=True)


class OwnPollSchema(ma.Schema):
    poll_id = ma.fields.UUID(required=True)
    state = ma.fields.String(required=True)
    created_at = Instant(required=True)


class OwnFileSchema(ma.Schema):
    sha256 = ma.fields.String(required=True)
    media_type = ma.fields.String(required=True)
    kept_at = Instant(required=True)


class AgreedSchema(ma.Schema):
    proposal_id = ma.fields.UUID(required=True)
    act = ma.fields.String(required=True)
    at = Instant(required=True)


class AnchorSchema(ma.Schema):
    since = Instant(required=True)


class TookPartSchema(ma.Schema):
    poll_id = ma.fields.UUID(required=True)


class OwnDeviceSchema(ma.Schema):
    platform = ma.fields.String(required=True)
    registered_on = ma.fields.Date(required=True)
    last_used_on = ma.fields.Date(required=True)


class ExportSchema(ma.Schema):
    """All that is kept of a citizen; the number in full."""

    account = ma.fields.Nested(AccountSchema, required=True)
    sign_ins = ma.fields.List(ma.fields.Nested(SignInSchema), required=True)
    proposals = ma.fields.List(ma.fields.Nested(AuthorshipSchema), required=True)
    supports = ma.fields.List(ma.fields.Nested(SupportedSchema), required=True)
    applications = ma.fields.List(ma.fields.Nested(AppliedSchema), required=True)
    seats = ma.fields.List(ma.fields.Nested(SatSchema), required=True)
    interests = ma.fields.List(ma.fields.Nested(DeclaredInterestsSchema), required=True)
    recusals = ma.fields.List(ma.fields.Nested(RecusedSchema), required=True)
    opinions = ma.fields.List(ma.fields.Nested(OwnOpinionSchema), required=True)
    preferences = ma.fields.List(ma.fields.Nested(PreferredSchema), required=True)
    judgment_votes = ma.fields.List(ma.fields.Nested(OwnJudgmentVoteSchema), required=True)
    shortlist_votes = ma.fields.List(ma.fields.Nested(OwnShortlistVoteSchema), required=True)
    motion_votes = ma.fields.List(ma.fields.Nested(MotionVoteSchema), required=True)
    inbox = ma.fields.List(ma.fields.Nested(ToldSchema), required=True)
    follows = ma.fields.List(ma.fields.Nested(FollowedSchema), required=True)
    journal = ma.fields.List(ma.fields.Nested(JournalEntrySchema), required=True)
    acts = ma.fields.List(ma.fields.Nested(JournalEntrySchema), required=True)
    polls = ma.fields.List(ma.fields.Nested(OwnPollSchema), required=True)
    reports = ma.fields.List(ma.fields.Nested(OwnReportSchema), required=True)
    files = ma.fields.List(ma.fields.Nested(OwnFileSchema), required=True)
    agreed = ma.fields.List(ma.fields.Nested(AgreedSchema), required=True)
    anchors = ma.fields.List(ma.fields.Nested(AnchorSchema), required=True)
    participations = ma.fields.List(ma.fields.Nested(TookPartSchema), required=True)
    devices = ma.fields.List(ma.fields.Nested(OwnDeviceSchema), required=True)
