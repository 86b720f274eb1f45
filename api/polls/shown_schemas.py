"""What a poll asks, going out: by these shapes clients know it."""

from __future__ import annotations

from typing import get_args

import marshmallow as ma
from marshmallow.validate import OneOf

from api.fields import ShownText, Verbatim
from mvote.polls.definition import Kind


class ShownImage(ma.Schema):
    url = ma.fields.String(required=True)
    sha256 = ma.fields.String(required=True)
    alt = ShownText(required=True)


class ShownOption(ma.Schema):
    """An option; of a project ballot a project, with what it costs."""

    key = ma.fields.String(required=True)
    title = ShownText(required=True)
    description = ShownText()
    image = Verbatim(ShownImage)
    reference = ma.fields.String()
    summary = ShownText()
    amount = ma.fields.Integer()
    heading = ma.fields.String()
    kind = ma.fields.String()
    groups = ma.fields.List(ma.fields.String())
    min_useful_amount = ma.fields.Integer()


class ShownQuestion(ma.Schema):
    text = ShownText(required=True)
    kind = ma.fields.String(required=True, validate=OneOf(get_args(Kind)))
    options = ma.fields.List(Verbatim(ShownOption), required=True)
    min_selections = ma.fields.Integer(required=True)
    max_selections = ma.fields.Integer(required=True)
    method = ma.fields.String(metadata={
        "description": "How ballots are counted; of a project ballot, how they are cast."
    })  # fmt: skip
    points = ma.fields.Integer()
    max_points = ma.fields.Integer()
    options_left_out = ma.fields.Integer(metadata={
        "description": "In lists, of a long question: how many more `GET /polls/{id}` has."
    })  # fmt: skip
    headings = ma.fields.List(ma.fields.Dict(), metadata={
        "description": "Of a project ballot: what the projects lie under."
    })  # fmt: skip
    limits = ma.fields.List(ma.fields.Dict(), metadata={
        "description": "Of a project ballot: what a ballot must keep to."
    })  # fmt: skip
    wrong = ma.fields.String(metadata={
        "description": "Of a project ballot: what becomes of one that breaks a limit."
    })  # fmt: skip
    comparisons = ma.fields.List(ma.fields.String())
    few_ballots = ma.fields.String(metadata={
        "description": "Of a project ballot by equal shares: what decides if fewer than 50 ballots"
        " come, which are not shown one by one: `greedy` by votes, or `block`."
    })  # fmt: skip
