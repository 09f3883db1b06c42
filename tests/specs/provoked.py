"""Which test provokes which code of the specification, and a look at what such a test asserts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from streaming.protocol import codes

ROOT = Path(__file__).parents[2]

PROBLEMS = {
    "invalid_input": "streaming/test_bad_input.py::test_a_prompt_that_is_none_is_400",
    "invalid_cursor": "streaming/test_bad_input.py"
    "::test_an_after_without_last_event_id_starts_nothing",
    "malformed": "streaming/test_bad_input.py::test_a_body_that_is_no_json_object_is_malformed",
    "not_authenticated": "streaming/access/test_rights.py::test_an_inactive_user_is_nobody",
    "forbidden_origin": "streaming/access/test_start_by_get.py::test_a_refused_get_starts_nothing",
    "forbidden": "streaming/http/test_authentication.py"
    "::test_a_token_that_may_only_read_sees_everything_and_changes_nothing",
    "csrf_failed": "streaming/access/test_rights.py::test_another_visitors_token_is_none",
    "unknown_block": "streaming/test_bad_input.py::test_an_unknown_or_disabled_block_is_404",
    "not_found": "streaming/test_bad_input.py::test_an_unknown_path_is_404_whatever_the_method",
    "method_not_allowed": "streaming/test_bad_input.py"
    "::test_a_wrong_method_is_405_and_the_right_ones_are_named",
    "transport_not_selected": "streaming/test_views.py"
    "::test_sse_is_refused_where_websocket_is_selected_without_fallback",
    "request_conflict": "streaming/test_views_start.py"
    "::test_the_same_request_id_with_other_input_is_a_conflict",
    "still_running": "streaming/test_views_cancel.py::test_a_running_stream_cannot_be_deleted",
    "prompt_too_long": "streaming/test_bad_input.py::test_a_prompt_over_the_blocks_limit_is_413",
    "unsupported_media_type": "streaming/test_bad_input.py"
    "::test_a_body_that_is_not_called_json_is_415",
    "rate_limited": "streaming/admission/test_places.py"
    "::test_a_start_too_soon_is_refused_on_every_call_with_the_time_to_wait",
    "too_many_streams": "streaming/admission/test_places.py"
    "::test_a_stream_too_many_is_refused_on_every_call_and_one_that_is_stopped_makes_room",
    "quota_exceeded": "streaming/admission/test_spending.py"
    "::test_what_running_streams_may_use_counts_until_they_end",
    "internal": "streaming/http/test_endpoint.py::test_work_that_breaks_is_a_logged_internal_error",
    "shutting_down": "streaming/test_drain.py"
    "::test_who_waits_for_an_answer_that_is_left_is_sent_to_whoever_goes_on_with_it",
    "store_unavailable": "streaming/test_views.py::test_a_start_is_503_while_the_database_is_away",
    "over_capacity": "streaming/admission/test_places.py"
    "::test_the_signed_in_get_a_place_when_anonymous_visitors_hold_all_of_theirs",
    "paused": "streaming/test_stop_everything.py"
    "::test_it_cancels_what_runs_refuses_starts_on_every_call_and_off_restores_all",
}
"""Refusals over HTTP."""

_REFUSED_STARTS = (
    "streaming/websocket/test_refused.py"
    "::test_a_start_that_cannot_be_is_refused_by_its_ref_and_starts_nothing"
)

REFUSED = {
    "invalid_input": _REFUSED_STARTS,
    "invalid_cursor": "streaming/websocket/test_resume.py::test_a_cursor_beyond_the_end_is_refused",
    "malformed": "streaming/websocket/test_bad_frames.py"
    "::test_an_unreadable_frame_is_refused_as_malformed_and_nothing_suffers",
    "not_authenticated": "streaming/access/test_ended_sessions.py"
    "::test_a_command_is_refused_before_the_sessions_are_checked",
    "forbidden": "streaming/websocket/test_token_sockets.py"
    "::test_a_token_that_may_only_read_is_refused_by_frames_and_its_socket_goes_on",
    "unknown_block": _REFUSED_STARTS,
    "not_found": "streaming/websocket/test_refused.py"
    "::test_a_stream_that_was_never_there_is_not_found",
    "transport_not_selected": "streaming/websocket/test_settings.py"
    "::test_where_sockets_are_switched_off_what_runs_goes_on_and_nothing_new_begins",
    "request_conflict": "streaming/websocket/test_commands.py"
    "::test_a_request_id_with_other_input_is_a_conflict_and_the_first_goes_on",
    "prompt_too_long": _REFUSED_STARTS,
    "rate_limited": PROBLEMS["rate_limited"],
    "too_many_streams": PROBLEMS["too_many_streams"],
    "quota_exceeded": PROBLEMS["quota_exceeded"],
    "internal": "streaming/websocket/test_refused.py"
    "::test_a_command_that_breaks_is_refused_as_internal_and_the_socket_goes_on",
    "shutting_down": "streaming/websocket/test_refused.py"
    "::test_a_start_while_the_server_drains_is_refused_and_what_runs_is_watched",
    "store_unavailable": "streaming/websocket/test_refused.py"
    "::test_commands_are_refused_while_the_database_is_unreachable_and_work_again_after",
    "over_capacity": PROBLEMS["over_capacity"],
    "paused": PROBLEMS["paused"],
}
"""Refusals over WebSocket."""

_FAILING_PROVIDERS = (
    "streaming/generating/test_generation.py"
    "::test_a_failing_provider_ends_the_stream_with_its_code_and_the_text_so_far"
)

ERRORS = {
    "provider_timeout": _FAILING_PROVIDERS,
    "provider_rate_limited": _FAILING_PROVIDERS,
    "provider_unavailable": _FAILING_PROVIDERS,
    "provider_rejected": _FAILING_PROVIDERS,
    "refused": "streaming/generating/test_generation.py"
    "::test_a_refusal_in_prose_ends_the_stream_with_the_model_s_own_words",
    "provider_malformed": _FAILING_PROVIDERS,
    "provider_interrupted": _FAILING_PROVIDERS,
    "empty_answer": _FAILING_PROVIDERS,
    "invalid_output": "streaming/generating/test_generation.py"
    "::test_an_answer_without_the_block_s_form_is_invalid_output_after_one_more_try",
    "generator_lost": "streaming/generating/test_recovery.py"
    "::test_a_block_that_wants_no_second_generator_ends_as_lost_with_its_text",
    "output_too_long": "streaming/generating/test_generation.py"
    "::test_an_answer_of_too_many_events_is_ended_within_its_numbers",
    "deadline_exceeded": "streaming/generating/test_generation.py"
    "::test_an_answer_that_takes_too_long_is_ended",
    "over_capacity": "streaming/generating/test_waiting.py::test_a_wait_has_an_end_with_a_code",
    "store_unavailable": "streaming/generating/test_generation.py"
    "::test_an_answer_whose_log_is_lost_in_this_process_ends_as_not_recorded",
    "shutting_down": "streaming/test_drain.py"
    "::test_what_may_not_be_taken_over_ends_as_shutting_down",
    "unauthorized": "streaming/generating/test_saver.py::test_a_stream_whose_row_was_deleted_ends",
    "internal": "streaming/generating/test_generation.py"
    "::test_a_fault_of_ours_is_internal_and_says_nothing_of_itself",
}
"""Codes of the `error` event."""

CLOSES = {
    1000: "streaming/websocket/test_closing.py"
    "::test_where_a_server_cannot_send_the_code_the_socket_is_closed_as_normal",
    1009: "servers/test_bad_input.py::test_a_frame_of_more_than_a_mebibyte_is_not_read",
    1011: "streaming/websocket/test_handshake.py"
    "::test_while_the_database_is_unreachable_a_socket_is_closed_so_that_the_client_comes_back",
    1012: "streaming/websocket/test_closing.py"
    "::test_an_idle_socket_is_asked_to_reconnect_when_the_server_restarts",
    1013: "streaming/websocket/test_session_clock.py"
    "::test_a_client_that_reads_nothing_for_thirty_seconds_is_closed_with_its_code",
    4400: "streaming/websocket/test_bad_frames.py"
    "::test_the_third_unreadable_frame_is_refused_and_closes_the_socket",
    4401: "streaming/access/test_ended_sessions.py::test_open_connections_end_and_say_nothing_more",
    4404: "streaming/websocket/test_handshake.py::test_an_unknown_path_is_closed_with_its_code",
    4409: "streaming/websocket/test_handshake.py"
    "::test_where_sse_is_selected_without_fallback_a_socket_is_closed_with_its_code",
    4429: "streaming/admission/test_sockets.py"
    "::test_a_socket_that_is_one_too_many_makes_no_session",
}
"""Close codes of sockets."""


def asserted_by(test: str) -> set[str | int]:
    """The texts and numbers that a test asserts, directly or by helpers of its own file.

    These are the literals in `assert`, in `….problem(…)`, and in the parameters that an assertion
    names. `CLOSE_…` counts as its number. A test that makes a `Refused` itself asserts none: it
    would show only that the code can be written.
    """
    path, _, name = test.partition("::")
    functions = _functions(ROOT / "tests" / path)
    assert name in functions, f"there is no {test}"
    function = functions[name]
    marks = [ast.unparse(decorator) for decorator in function.decorator_list]
    assert not [mark for mark in marks if "skip" in mark or "xfail" in mark], f"{test} may not run"
    found: set[str | int] = set()
    names: set[str] = set()
    called = {
        node.func.id
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    if "Refused" in called:
        return found
    for body in [function, *(functions[helper] for helper in called & set(functions))]:
        for assertion in _assertions(body):
            for node in ast.walk(assertion):
                if isinstance(node, ast.Constant) and isinstance(node.value, str | int):
                    found.add(node.value)
                elif isinstance(node, ast.Name):
                    names.add(node.id)
    found |= {getattr(codes, name) for name in names if name.startswith("CLOSE_")}
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("parametrize"):
            arguments = [node.value for node in ast.walk(decorator.args[0]) if _is_text(node)]
            parameters = {part.strip() for text in arguments for part in text.split(",")}
            if parameters & names:
                found |= {node.value for node in ast.walk(decorator.args[1]) if _is_text(node)}
    return found


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _assertions(function: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(function):
        is_problem = (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "problem"
        )
        if is_problem or isinstance(node, ast.Assert):
            yield node


@cache
def _functions(path: Path) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
