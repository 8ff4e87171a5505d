"""schemathesis over the API: whatever is asked, nothing breaks, and answers are as described."""

from __future__ import annotations

import schemathesis
from hypothesis import settings
from schemathesis import checks
from serving import Served

from web.api.description import document

schema = schemathesis.openapi.from_dict(document(""))

# A cursor is a text of ours, and others that look like one are refused: no schema can say that.
_LEFT_OUT = [checks.positive_data_acceptance]


@schema.parametrize()
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
def test_the_api_keeps_its_contract(case: schemathesis.Case, public: Served) -> None:
    case.call_and_validate(base_url=public.origin, excluded_checks=_LEFT_OUT)
