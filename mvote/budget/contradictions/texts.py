"""What can contradict itself in a definition, in Korean and English."""

from __future__ import annotations

TEXTS = {
    # money
    "key-repeated": ("‘{key}’ 키가 앞에서 이미 쓰였습니다.", "The key {key} is used before."),
    "unknown-heading": ("‘{key}’ 분야가 없습니다.", "There is no heading {key}."),
    "unknown-kind": ("‘{key}’ 유형이 없습니다.", "There is no kind {key}."),
    "unknown-parent": (
        "상위 분야 ‘{key}’이(가) 없습니다.",
        "There is no heading {key} to be under.",
    ),
    "headings-in-a-circle": (
        "‘{key}’ 분야의 상위를 따라가면 다시 자기 자신으로 돌아옵니다.",
        "The line of parents of {key} comes back to itself.",
    ),
    "headings-too-deep": (
        "분야는 {deepest}단계까지만 둘 수 있습니다.",
        "Headings lie {deepest} levels deep at most.",
    ),
    "limit-above-parent": (
        "한도가 상위 한도 {above}보다 큽니다.",
        "This limit is higher than {above}, the one above it.",
    ),
    "heading-without-money": (
        "‘{key}’ 분야에 쓸 수 있는 돈이 없습니다.",
        "There is no money for the heading {key}.",
    ),
    "heading-without-limit": (
        "다른 분야에는 한도가 있는데 ‘{key}’ 분야에는 위아래 어디에도 한도가 없습니다.",
        "Other headings have limits, but none is on {key} or above it.",
    ),
    "leftover-without-parent": (
        "남은 돈을 넘겨받을 상위 한도가 없습니다.",
        "There is no limit above that could take what is left.",
    ),
    "cap-repeated": (
        "같은 분야와 유형의 사업비 상한이 이미 있습니다.",
        "There is a cap for the same heading and kind before.",
    ),
    "cap-of-nothing": (
        "상한이 0이면 어떤 사업도 낼 수 없습니다.",
        "With a cap of nothing no project could be proposed.",
    ),
    "cap-above-limit": (
        "사업비 상한이 한도 {above}보다 커서, 선정될 수 없는 사업을 낼 수 있게 됩니다.",
        "The cap is higher than the limit {above}: it lets in what can never be funded.",
    ),
    "cap-above-wider-cap": (
        "더 넓은 범위의 상한 {above}보다 커서 의미가 없습니다.",
        "A wider cap of {above} binds first, so this one says something else.",
    ),
    # phases
    "phase-repeated": ("같은 단계가 두 번 있습니다.", "This phase is there twice."),
    "phase-ends-before-it-begins": (
        "끝나는 시각이 시작하는 시각보다 늦지 않습니다.",
        "It must end later than it begins.",
    ),
    "phases-overlap": (
        "‘{other}’ 단계와 기간이 겹칩니다.",
        "It overlaps with the phase {other}.",
    ),
    "phases-out-of-order": (
        "‘{other}’ 단계보다 뒤에 와야 합니다.",
        "It must come after the phase {other}.",
    ),
    "no-phase-for-it": (
        "‘{phase}’ 단계가 없습니다.",
        "There is no phase {phase} for it.",
    ),
    "phase-without-use": (
        "이 단계에서 할 일이 정해져 있지 않습니다.",
        "Nothing is defined that this phase could be for.",
    ),
    # review
    "fraction-never-exceeded": (
        "{share}을(를) 넘는 것은 불가능합니다.",
        "Nothing can be more than {share} of all.",
    ),
    "same-body": (
        "‘{body}’은(는) 이미 심사를 맡은 기구입니다. 다른 사람들이 판단해야 합니다.",
        "{body} judges already; this must be other people.",
    ),
    "list-without-a-shortlist": (
        "목록으로 심사할 때만 최대 사업 수를 정할 수 있습니다.",
        "Only a shortlist has a number of projects.",
    ),
    "nothing-weighs": ("모든 가중치가 0입니다.", "All weights are zero."),
    # contests
    "heading-decided-elsewhere": (
        "‘{key}’ 분야는 다른 곳에서 결정합니다.",
        "The heading {key} is decided elsewhere.",
    ),
    "heading-in-two-contests": (
        "‘{key}’ 분야는 앞에서 이미 결정 대상이 되었습니다.",
        "The heading {key} is decided on before, here or in another contest.",
    ),
    "heading-in-no-contest": (
        "‘{key}’ 분야를 결정하는 투표 단위가 없습니다.",
        "No contest decides on the heading {key}.",
    ),
    "contests-overspend": (
        "투표 단위들의 한도 합계 {sum}이(가) 함께 쓰는 한도 {above}보다 큽니다.",
        "Together the contests may spend {sum}, more than the {above} they share.",
    ),
    "contest-without-limit": (
        "여러 투표 단위가 한 한도를 나누어 쓰는데 ‘{key}’ 분야의 몫이 정해지지 않았습니다.",
        "Several contests share one limit, but the part of the heading {key} is not said.",
    ),
    "contest-without-a-poll": (
        "투표로 정하는 투표 주체가 하나도 없습니다.",
        "No source of this contest is a poll.",
    ),
    "source-outside-balloting": (
        "투표 단계({opens_at} ~ {closes_at}) 밖입니다.",
        "It lies outside the phase of balloting ({opens_at} to {closes_at}).",
    ),
    "source-ends-before-it-begins": (
        "끝나는 시각이 시작하는 시각보다 늦지 않습니다.",
        "It must end later than it begins.",
    ),
    "statement-is-no-poll": (
        "조사 결과(statement)에는 ‘{member}’을(를) 둘 수 없습니다.",
        "A statement has no {member}.",
    ),
    "poll-is-no-statement": (
        "투표(poll)에는 ‘{member}’을(를) 둘 수 없습니다.",
        "A poll has no {member}.",
    ),
    "ages-exclude-everyone": (
        "min_age가 max_age보다 커서 아무도 투표할 수 없습니다.",
        "min_age is higher than max_age: nobody could vote.",
    ),
    "full-records-of-a-roll": (
        "명부로 하는 투표는 합계만 남깁니다.",
        "Of those on a roll only totals are kept.",
    ),
    "full-records-without-need": (
        "이 배분 규칙에는 합계만 필요하므로 개별 투표 기록을 남기지 않습니다.",
        "The rule needs totals only, so no more is kept.",
    ),
    # ballots
    "limit-without-bounds": ("정해진 한도가 없습니다.", "Nothing is limited here."),
    "min-above-max": ("min {min}이(가) max {max}보다 큽니다.", "min {min} is above max {max}."),
    "share-above-one": ("몫이 1보다 큽니다.", "A share is one at most."),
    "share-beside-numbers": (
        "몫(share)과 min, max를 함께 쓸 수 없습니다.",
        "A share stands alone, without min and max.",
    ),
    "share-counts-only": (
        "몫(share)은 사업 수(count)에만, each:heading이 아닌 범위에만 쓸 수 있습니다.",
        "A share is one of a count, and not over each:heading.",
    ),
    "unknown-group": ("‘{key}’ 묶음이 없습니다.", "There is no group {key}."),
    "heading-outside-contest": (
        "‘{key}’ 분야는 이 투표 단위에 없습니다.",
        "The heading {key} is not in this contest.",
    ),
    "never-satisfied": (
        "어떤 투표지도 지킬 수 없습니다. 적어도 {least}, 많아야 {most}이어야 합니다({measure}).",
        "No ballot can keep to it: at least {least} and at most {most} ({measure}).",
    ),
    "measure-of-another-method": (
        "‘{method}’ 방식의 투표지에는 ‘{measure}’ 한도를 쓸 수 없습니다.",
        "A ballot of the method {method} has no limit on {measure}.",
    ),
    "measure-missing": (
        "‘{method}’ 방식에는 전체 ‘{measure}’의 최댓값이 필요합니다.",
        "The method {method} needs a most for {measure} over all.",
    ),
    # outcome
    "no-scale": (
        "of_scale에는 한 사업의 최고점(scale)이 필요합니다.",
        "of_scale needs the scale: most points for one project.",
    ),
    "scale-without-use": (
        "scale은 of_scale에만 쓰입니다.",
        "Only of_scale has a scale.",
    ),
    "scores-without-points": (
        "of_scale은 점수 방식(points)의 투표지에만 쓸 수 있습니다.",
        "Only ballots with points can be scored of_scale.",
    ),
    "equal-shares-need-approval": (
        "동등 몫 규칙에는 찬성 방식(approve)의 투표지가 필요합니다.",
        "Equal shares need approval ballots.",
    ),
    "equal-shares-need-one-pot": (
        "동등 몫 규칙은 하나의 한도를 가진 한 주머니의 돈만 나눌 수 있습니다.",
        "Equal shares divide one pot of money: one limit, none beneath it.",
    ),
    "equal-shares-need-one-poll": (
        "동등 몫 규칙에는 투표 하나만 있어야 합니다.",
        "Equal shares need exactly one source, a poll.",
    ),
    "equal-shares-need-full-records": (
        "동등 몫 규칙에는 개별 투표 기록 전체가 필요합니다.",
        "Equal shares need full records.",
    ),
    "part-funding-needs-greedy": (
        "일부 지원은 greedy 규칙에서만 됩니다.",
        "Only the greedy rule funds a part.",
    ),
    "only-of-equal-shares": (
        "‘{member}’은(는) 동등 몫 규칙에서만 쓰입니다.",
        "Only equal shares have {member}.",
    ),
    "step-of-nothing": ("0보다 커야 합니다.", "It must be more than nothing."),
    "unknown-tie": (
        "‘{key}’은(는) 이 투표 단위의 투표 주체도, lower_cost나 lot도 아닙니다.",
        "{key} is no source of this contest, nor lower_cost or lot.",
    ),
    "tie-repeated": ("‘{key}’이(가) 앞에 이미 있습니다.", "{key} is there before."),
    "unknown-comparison": (
        "‘{key}’이라는 비교 규칙이 없습니다.",
        "There is no rule {key} to compare with.",
    ),
    "exclusive-set-of-one": (
        "서로 배타적인 묶음에는 둘 이상의 사업이 필요합니다.",
        "A set that excludes needs two projects, or a group.",
    ),
    "exclusive-set-never-funded": (
        "한도 안에서 지원할 수 있는 사업이 하나도 없는 묶음입니다.",
        "No project of this set can ever be funded within the limits.",
    ),
}
"""Code → Korean, English; with what is spoken of in braces."""
