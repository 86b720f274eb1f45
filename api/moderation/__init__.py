"""Reports and what officers make of them, over HTTP."""

from api.moderation import deciding, reporting

BLUEPRINTS = [reporting.blp, deciding.blp]
