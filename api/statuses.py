"""Which status stands for which broken rule: the one table, and a test that it is complete."""

from __future__ import annotations

from mvote import errors
from mvote.budget import assigning, cataloguing, judging
from mvote.budget import committee_errors as committees
from mvote.budget import errors as budget
from mvote.budget import proposal_errors as proposals
from mvote.budget.allocating import errors as allocating
from mvote.budget.deciding import errors as deciding
from mvote.budget.deliberation import errors as deliberation
from mvote.budget.drawing import errors as drawing
from mvote.budget.pabulib import errors as pabulib
from mvote.budget.reviewing import errors as reviewing
from mvote.moderation import errors as moderation
from mvote.people import errors as people
from mvote.polls import errors as polls
from mvote.polls.integrity import errors as integrity
from mvote.polls.onsite import errors as onsite
from mvote.polls.rolls import errors as rolls

STATUSES: dict[type[errors.DomainError], int] = {
    errors.TokenMissing: 401,
    errors.TokenInvalid: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.ImpossibleTransition: 409,
    errors.StaleVersion: 412,
    errors.InvalidRequest: 422,
    errors.RequestKeyReused: 422,
    errors.TooManyRequests: 429,
    errors.Overloaded: 503,
    errors.OutcomeUnknown: 503,
    people.OneTimeCodeInvalid: 401,
    people.MessageNotSent: 503,
    people.IdentityInvalid: 401,
    people.IdentityProviderAway: 503,
    people.IdentityInUse: 409,
    people.AnotherIdentity: 409,
    people.IdentityRests: 409,
    people.NumberInUse: 409,
    people.LastWayIn: 409,
    polls.NotEligible: 403,
    polls.NotConfirmed: 403,
    polls.OpenerNotConfirmed: 403,
    polls.PresenceRequired: 403,
    polls.ScanRequired: 403,
    polls.PositionRequired: 403,
    polls.OutsideArea: 403,
    polls.PositionTooCoarse: 403,
    polls.PositionAmbiguous: 403,
    polls.PositionStale: 403,
    polls.PresenceTokenInvalid: 403,
    polls.AlreadyVoted: 409,
    polls.PollNotOpen: 409,
    polls.ResultsNotAvailable: 409,
    polls.BundleNotReady: 503,
    polls.NotReadyToOpen: 409,
    polls.NoTie: 409,
    polls.InvalidSelection: 422,
    polls.IdempotencyKeyReused: 422,
    polls.QuotaReached: 429,
    polls.TooManyDrafts: 409,
    integrity.PositionNonceInvalid: 403,
    integrity.AttestationRequired: 403,
    integrity.AttestationInvalid: 403,
    integrity.AttestorAway: 503,
    moderation.AlreadyReported: 409,
    moderation.OwnPollReported: 403,
    moderation.ReporterNotConfirmed: 403,
    moderation.NotImpartial: 403,
    moderation.NeverHeldBack: 409,
    moderation.CaseChanged: 409,
    onsite.ScanValueInvalid: 403,
    onsite.ScanValueExpired: 403,
    onsite.ScanValueUsed: 409,
    onsite.SlipsGone: 409,
    onsite.TooManyOnSite: 409,
    rolls.RollUnreadable: 422,
    rolls.RollTooLarge: 422,
    drawing.QuotasImpossible: 409,
    drawing.SecretNotCommitted: 422,
    assigning.NotEnoughReviewers: 409,
    cataloguing.CatalogueNotAvailable: 409,
    judging.QuorumImpossible: 409,
    allocating.SourceMissing: 409,
    allocating.AllocationImpossible: 422,
    allocating.TooMuchWork: 409,
    pabulib.BrokenPbFile: 422,
    budget.PhaseNotOpen: 409,
    deciding.SealingOver: 409,
    deciding.AlreadyAllocated: 409,
    deciding.AllocationOutdated: 409,
    deciding.NoDecidingBody: 409,
    deciding.MotionPending: 409,
    deciding.OnlyTotalsKept: 409,
    committees.NotAnApplicant: 403,
    committees.ApplicationsClosed: 409,
    committees.DrawNotDue: 409,
    committees.AlreadyDrawn: 409,
    committees.TargetsFixed: 409,
    committees.AlreadySeated: 409,
    reviewing.Recused: 403,
    reviewing.OpinionFrozen: 409,
    reviewing.NotUnderReview: 409,
    committees.NothingToDivide: 409,
    deliberation.QuorumNotReached: 409,
    deliberation.OpinionsMissing: 409,
    deliberation.WindowNotOpen: 409,
    deliberation.WindowNotOver: 409,
    deliberation.OnShortlist: 409,
    deliberation.VotingBegan: 409,
    deliberation.ShortlistFull: 409,
    deliberation.PriceNotAllowed: 409,
    proposals.NotAProposer: 403,
    proposals.NotReadyToSubmit: 409,
    proposals.NothingRevised: 409,
    proposals.AppealOver: 409,
    proposals.CannotCarryOver: 409,
}
