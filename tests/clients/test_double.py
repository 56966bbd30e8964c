"""The real openai and anthropic packages against our double of their APIs (tests/support/fake_llm): they check each reply
against their own schema and turn each refusal into their own exception, so what cutd is tested with is what it meets."""

import json
import urllib.request

import anthropic
import openai
import pytest

KEY = "canary-4711-key"
ASK = [{"role": "user", "content": "What is wrong with \"An apple is a river.\"?"}]
SCHEMA = {"type": "object", "additionalProperties": False, "required": ["item", "perfect", "critique"],
          "properties": {"item": {"type": "string", "const": "1f0c22ab"}, "perfect": {"type": "boolean"},
                         "critique": {"type": "string"}}}
BOUNDED = {"type": "object", "properties": {"rating": {"type": "integer", "minimum": 1}}}


@pytest.fixture
def openai_client(double):
    def make(script=None, key=KEY):
        return openai.OpenAI(api_key=key, base_url=double(script or {}) + "/v1", max_retries=0, timeout=30,
                             _strict_response_validation=True)

    return make


@pytest.fixture
def anthropic_client(double):
    def make(script=None, key=KEY):
        return anthropic.Anthropic(api_key=key, base_url=double(script or {}), max_retries=0, timeout=30,
                                   _strict_response_validation=True)

    return make


def fault(status, **more):
    return {"faults": [{"status": status, **more}]}


def counts(client):
    url = str(client.base_url).removesuffix("/").removesuffix("/v1")
    return json.load(urllib.request.urlopen(url + "/_double", timeout=10))


def strictly(model):
    """A line of results, which the package itself takes unseen, by its schema."""
    return type(model).model_validate(model.to_dict(), strict=False)


# --- OpenAI: chat ---------------------------------------------------------------------------------------


def test_openai_reads_a_chat_completion(openai_client):
    done = openai_client({"text": "It names no fruit."}).chat.completions.create(model="judge-1", messages=ASK, max_tokens=99)
    assert done.object == "chat.completion" and done.model == "judge-1" and done.id.startswith("chatcmpl-")
    choice = done.choices[0]
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "stop", "assistant")
    assert choice.message.content == "It names no fruit." and choice.message.refusal is None
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens > 0
    assert done._request_id.startswith("req_")


@pytest.mark.parametrize("reason", ["length", "content_filter", "tool_calls"])
def test_openai_reads_every_finish_reason(openai_client, reason):
    done = openai_client({"faults": [{"finish": reason}]}).chat.completions.create(model="judge-1", messages=ASK)
    assert done.choices[0].finish_reason == reason


def test_openai_reads_a_null_content(openai_client):
    done = openai_client({"text": None}).chat.completions.create(model="judge-1", messages=ASK)
    assert done.choices[0].message.content is None


def test_openai_gets_json_by_its_schema(openai_client):
    done = openai_client().chat.completions.create(
        model="judge-1", messages=ASK,
        response_format={"type": "json_schema", "json_schema": {"name": "judgment", "strict": True, "schema": SCHEMA}})
    judgment = json.loads(done.choices[0].message.content)
    assert set(judgment) == set(SCHEMA["required"]) and judgment["item"] == "1f0c22ab"
    assert isinstance(judgment["perfect"], bool)


def test_openai_gets_log_probabilities_where_it_asks_for_them(openai_client):
    client = openai_client({"text": "m", "logprobs": {"m": -0.25, "M": -1.5}})
    first = client.chat.completions.create(model="judge-1", messages=ASK, max_tokens=1, logprobs=True,
                                           top_logprobs=2).choices[0].logprobs.content[0]
    assert {one.token: one.logprob for one in first.top_logprobs} == {"m": -0.25, "M": -1.5}
    assert client.chat.completions.create(model="judge-1", messages=ASK).choices[0].logprobs is None


@pytest.mark.parametrize("gzip, chunked", [(True, False), (False, True), (True, True)])
def test_openai_unpacks_what_the_double_packs(openai_client, gzip, chunked):
    client = openai_client({"text": "It is short. " * 500, "faults": [{"gzip": gzip, "chunked": chunked}]})
    assert len(client.chat.completions.create(model="judge-1", messages=ASK).choices[0].message.content) == 6500


def test_openai_lists_the_models(openai_client):
    assert [one.id for one in openai_client({"models": ["judge-1", "judge-2"]}).models.list()] == ["judge-1", "judge-2"]
    assert [one.id for one in openai_client({"model": "judge-1"}).models.list()] == ["judge-1"]


# --- OpenAI: refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status, exception", [
    (400, openai.BadRequestError), (401, openai.AuthenticationError), (403, openai.PermissionDeniedError),
    (404, openai.NotFoundError), (409, openai.ConflictError), (422, openai.UnprocessableEntityError),
    (429, openai.RateLimitError), (500, openai.InternalServerError), (503, openai.InternalServerError)])
def test_openai_raises_its_exception_for_each_status(openai_client, status, exception):
    with pytest.raises(exception) as raised:
        openai_client(fault(status)).chat.completions.create(model="judge-1", messages=ASK)
    assert raised.value.status_code == status and raised.value.request_id.startswith("req_")
    assert raised.value.message.endswith("the double was told to say no")
    assert set(raised.value.body) == {"message", "type", "param", "code"}
    assert raised.value.type in ("invalid_request_error", "requests", "server_error")


def test_openai_is_told_that_its_key_is_wrong(openai_client):
    with pytest.raises(openai.AuthenticationError) as raised:
        openai_client({"api_key": "another"}).chat.completions.create(model="judge-1", messages=ASK)
    assert (raised.value.code, raised.value.type) == ("invalid_api_key", "invalid_request_error")
    assert openai_client({"api_key": KEY}).chat.completions.create(model="judge-1", messages=ASK).choices


def test_openai_is_told_that_there_is_no_such_model(openai_client):
    with pytest.raises(openai.NotFoundError) as raised:
        openai_client({"model": "judge-2"}).chat.completions.create(model="judge-1", messages=ASK)
    assert raised.value.code == "model_not_found"


def test_openai_is_told_when_to_come_back(openai_client):
    client = openai_client(fault(429, headers={"Retry-After": "7"}))
    with pytest.raises(openai.RateLimitError) as raised:
        client.chat.completions.create(model="judge-1", messages=ASK)
    assert raised.value.response.headers["retry-after"] == "7" and raised.value.code == "rate_limit_exceeded"
    assert client._parse_retry_after_header(raised.value.response.headers) == 7


def test_openai_itself_waits_and_asks_again(openai_client):
    client = openai_client(fault(429, tries=1, headers={"retry-after-ms": "20"})).with_options(max_retries=1)
    assert client.chat.completions.create(model="judge-1", messages=ASK).choices
    assert counts(client)["hits"] == 2


def test_openai_knows_used_up_credit_from_haste(openai_client):
    with pytest.raises(openai.RateLimitError) as raised:
        openai_client(fault(429, error={"type": "insufficient_quota", "code": "insufficient_quota",
                                        "message": "You exceeded your current quota"})
                      ).chat.completions.create(model="judge-1", messages=ASK)
    assert (raised.value.code, raised.value.type) == ("insufficient_quota", "insufficient_quota")


@pytest.mark.parametrize("script, exception", [
    ({"drop": True}, openai.APIConnectionError), ({"cut": 0.5}, openai.APIConnectionError)])
def test_openai_notices_a_reply_that_does_not_come(openai_client, script, exception):
    with pytest.raises(exception):
        openai_client({"faults": [script]}).chat.completions.create(model="judge-1", messages=ASK)


def test_openai_refuses_a_page_in_place_of_a_reply(openai_client):
    with pytest.raises(openai.APIResponseValidationError):
        openai_client({"faults": [{"html": True}]}).chat.completions.create(model="judge-1", messages=ASK)


# --- OpenAI: batches ------------------------------------------------------------------------------------


def batch_lines(count):
    return "".join(json.dumps({"custom_id": f"item-{i}", "method": "POST", "url": "/v1/chat/completions",
                               "body": {"model": "judge-1", "max_tokens": 9, "messages": [
                                   {"role": "user", "content": f"Judge {i}."}]}}) + "\n" for i in range(count))


def openai_batch(client, count):
    lines = batch_lines(count).encode()
    file = client.files.create(file=("in.jsonl", lines), purpose="batch")
    assert (file.object, file.purpose, file.filename, file.bytes) == ("file", "batch", "in.jsonl", len(lines))
    assert client.files.retrieve(file.id).id == file.id and client.files.content(file.id).content == lines
    return client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h",
                                 metadata={"cutd_batch": "cutd-1"})


def test_openai_sends_a_batch_and_reads_its_results(openai_client):
    client = openai_client({"batch_polls": 2})
    made = openai_batch(client, 3)
    assert made.status == "in_progress" and made.metadata == {"cutd_batch": "cutd-1"} and made.expires_at > made.created_at
    assert client.batches.retrieve(made.id).output_file_id is None
    ended = client.batches.retrieve(made.id)
    assert ended.status == "completed" and ended.completed_at >= ended.created_at and ended.error_file_id is None
    assert (ended.request_counts.total, ended.request_counts.completed, ended.request_counts.failed) == (3, 3, 0)
    rows = [json.loads(line) for line in client.files.content(ended.output_file_id).text.splitlines()]
    assert sorted(row["custom_id"] for row in rows) == ["item-0", "item-1", "item-2"]
    for row in rows:
        assert row["response"]["status_code"] == 200 and row["error"] is None
        chat = openai.types.chat.ChatCompletion.model_validate(row["response"]["body"])
        assert chat.choices[0].message.content and chat.usage.total_tokens > 0
    assert [one.id for one in client.batches.list()] == [made.id]
    assert counts(client)["charged"] == 3


def test_openai_finds_what_a_batch_did_not_run_in_its_error_file(openai_client):
    client = openai_client({"batch_expire_every": 2})
    ended = client.batches.retrieve(openai_batch(client, 3).id)
    assert ended.status == "expired" and ended.expired_at and ended.request_counts.failed == 1
    lost = [json.loads(line) for line in client.files.content(ended.error_file_id).text.splitlines()]
    assert [(one["custom_id"], one["response"], one["error"]["code"]) for one in lost] == [("item-1", None, "batch_expired")]
    done = client.files.content(ended.output_file_id).text.splitlines()
    assert {json.loads(line)["custom_id"] for line in done} == {"item-0", "item-2"}


def test_openai_is_told_of_batches_and_files_that_there_are_not(openai_client):
    client = openai_client()
    for act in (lambda: client.batches.retrieve("batch_9"), lambda: client.files.content("file-9"),
                lambda: client.batches.create(input_file_id="file-9", endpoint="/v1/chat/completions",
                                              completion_window="24h")):
        with pytest.raises(openai.NotFoundError) as raised:
            act()
        assert raised.value.type == "invalid_request_error"
    with pytest.raises(openai.BadRequestError):
        client.files.create(file=("in.jsonl", b"{}\n"), purpose="fine-tune")


# --- Anthropic: messages --------------------------------------------------------------------------------


def ask_anthropic(client, **more):
    return client.messages.create(model="judge-1", max_tokens=99, messages=ASK, **more)


def test_anthropic_reads_a_message(anthropic_client):
    done = ask_anthropic(anthropic_client({"text": "It names no fruit."}), system="You judge.")
    assert (done.type, done.role, done.model, done.stop_reason) == ("message", "assistant", "judge-1", "end_turn")
    assert [(block.type, block.text) for block in done.content] == [("text", "It names no fruit.")]
    assert done.usage.input_tokens > 0 and done.usage.output_tokens > 0 and done.stop_sequence is None
    assert done._request_id.startswith("req_")


@pytest.mark.parametrize("reason", ["max_tokens", "refusal", "tool_use", "pause_turn"])
def test_anthropic_reads_every_stop_reason(anthropic_client, reason):
    assert ask_anthropic(anthropic_client({"faults": [{"finish": reason}]})).stop_reason == reason


def test_anthropic_gets_json_by_its_schema(anthropic_client):
    done = ask_anthropic(anthropic_client(), output_config={"format": {"type": "json_schema", "schema": SCHEMA}})
    judgment = json.loads(done.content[0].text)
    assert set(judgment) == set(SCHEMA["required"]) and judgment["item"] == "1f0c22ab"


def test_anthropic_takes_no_bounds_in_a_schema_as_its_package_knows(anthropic_client):
    client = anthropic_client()
    with pytest.raises(anthropic.BadRequestError):
        ask_anthropic(client, output_config={"format": {"type": "json_schema", "schema": BOUNDED}})
    taken = {"type": "json_schema", "schema": anthropic.transform_schema(BOUNDED)}
    assert "rating" in json.loads(ask_anthropic(client, output_config={"format": taken}).content[0].text)


def test_anthropic_lists_the_models(anthropic_client):
    assert [one.id for one in anthropic_client({"models": ["judge-1", "judge-2"]}).models.list()] == ["judge-1", "judge-2"]


@pytest.mark.parametrize("status, exception, kind", [
    (400, anthropic.BadRequestError, "invalid_request_error"), (401, anthropic.AuthenticationError, "authentication_error"),
    (403, anthropic.PermissionDeniedError, "permission_error"), (404, anthropic.NotFoundError, "not_found_error"),
    (429, anthropic.RateLimitError, "rate_limit_error"), (500, anthropic.InternalServerError, "api_error"),
    (529, anthropic.APIStatusError, "overloaded_error")])
def test_anthropic_raises_its_exception_for_each_status(anthropic_client, status, exception, kind):
    with pytest.raises(exception) as raised:
        ask_anthropic(anthropic_client(fault(status, headers={"Retry-After": "7"})))
    error = raised.value
    assert (error.status_code, error.type, error.api_message) == (status, kind, "the double was told to say no")
    assert error.body["type"] == "error" and error.body["request_id"] == error.request_id
    assert error.response.headers["retry-after"] == "7"


def test_anthropic_is_told_that_its_key_or_model_is_wrong(anthropic_client):
    with pytest.raises(anthropic.AuthenticationError):
        ask_anthropic(anthropic_client({"api_key": "another"}))
    with pytest.raises(anthropic.NotFoundError):
        ask_anthropic(anthropic_client({"model": "judge-2"}))
    assert ask_anthropic(anthropic_client({"api_key": KEY, "model": "judge-1"})).content


def test_anthropic_knows_a_spending_limit_from_haste(anthropic_client):
    with pytest.raises(anthropic.RateLimitError) as raised:
        ask_anthropic(anthropic_client(fault(429, error={
            "type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}})))
    assert raised.value.error_code == "enforced_spend_limit_reached"


# --- Anthropic: batches ---------------------------------------------------------------------------------


def anthropic_batch(client, count):
    return client.messages.batches.create(requests=[
        {"custom_id": f"item-{i}", "params": {"model": "judge-1", "max_tokens": 9, "messages": [
            {"role": "user", "content": f"Judge {i}."}]}} for i in range(count)])


def test_anthropic_sends_a_batch_and_reads_its_results(anthropic_client):
    client = anthropic_client({"batch_polls": 2, "batch_expire_every": 3})
    made = anthropic_batch(client, 3)
    assert made.processing_status == "in_progress" and made.request_counts.processing == 3 and made.results_url is None
    assert client.messages.batches.retrieve(made.id).ended_at is None
    ended = client.messages.batches.retrieve(made.id)
    assert ended.processing_status == "ended" and ended.expires_at > ended.created_at
    assert (ended.request_counts.processing, ended.request_counts.succeeded, ended.request_counts.expired) == (0, 2, 1)
    results = {one.custom_id: strictly(one).result for one in client.messages.batches.results(made.id)}
    assert results.pop("item-2").type == "expired"
    assert set(results) == {"item-0", "item-1"}
    for result in results.values():
        assert result.type == "succeeded" and result.message.stop_reason == "end_turn" and result.message.content[0].text
    assert [one.id for one in client.messages.batches.list()] == [made.id]
    assert counts(client)["charged"] == 2


def test_anthropic_is_told_of_a_batch_that_there_is_not(anthropic_client):
    with pytest.raises(anthropic.NotFoundError) as raised:
        anthropic_client().messages.batches.retrieve("msgbatch_9")
    assert raised.value.type == "not_found_error"
