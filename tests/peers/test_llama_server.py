"""cutd's judges against real servers of another project. A model of 135 million parameters judges badly: what is held is
that cutd reads each reply for what it is, counts its tokens, and says what to do about the rest."""

import json
from collections import Counter

import pytest
from servers import CONTEXT, NAME, free_port

WHOLE = {"stop", "end_turn"}
CUT = {"length", "max_tokens"}


def finish_of(reply):
    return reply["stop_reason"] if "stop_reason" in reply else reply["choices"][0]["finish_reason"]


def text_of(reply):
    if "choices" in reply:
        return reply["choices"][0]["message"]["content"]
    return "".join(block["text"] for block in reply["content"] if block["type"] == "text")


def tokens_of(reply):
    usage = reply["usage"]
    if "prompt_tokens" in usage:
        return usage["prompt_tokens"], usage["completion_tokens"]
    cached = usage.get("cache_read_input_tokens", 0) + usage.get("cache_creation_input_tokens", 0)
    return usage["input_tokens"] + cached, usage["output_tokens"]


def exchange_of(item, exchanges):
    """The one request that was made about this item."""
    def asks_about(exchange):
        question = exchange.request["messages"][-1]["content"]
        return item["instruction"] in question and question.rstrip().endswith(item["response"])

    (found,) = [exchange for exchange in exchanges if asks_about(exchange)]
    return found


def assert_read_as_answered(item, reply):
    """A whole answer is a verdict in its own words, or is refused for what it says; a cut one is never a verdict."""
    assert (item["input_tokens"], item["output_tokens"]) == tokens_of(reply)
    assert item["cost"] == item["input_tokens"] * 1 + item["output_tokens"] * 4
    finish = finish_of(reply)
    assert finish in WHOLE | CUT
    if finish in CUT:
        assert (item["verdict"], item["text"]) == ("unusable", f"the judge's answer is truncated ({finish})")
        return
    assert item["verdict"] in ("perfect", "criticised", "unusable")
    if item["verdict"] == "criticised" and len(item["text"].split()) > 2:  # small models answer instead of judging
        assert item["text"] not in item["response"]
    assert "truncated" not in item["text"] or item["verdict"] != "unusable"


def assert_trial_is_right(trial, exchanges):
    assert len(trial.items) == len(exchanges) >= 10
    for exchange in exchanges:
        assert (exchange.status, exchange.reply["model"]) == (200, NAME)
    for item in trial.items:
        assert item["requests"] == 1
        assert_read_as_answered(item, exchange_of(item, exchanges).reply)
    assert trial.cost == sum(item["cost"] for item in trial.items) > 0
    assert Counter(line["state"] for line in trial.spent) == {"intent": len(exchanges), "received": len(exchanges)}
    judged = all(item["verdict"] in ("perfect", "criticised") for item in trial.items)
    assert trial.code == (0 if judged else 4)
    assert judged or "items got no verdict" in trial.advice


def counts(trial, exchanges):
    verdicts = Counter(item["verdict"] for item in trial.items)
    reasons = Counter(item["text"] for item in trial.items if item["verdict"] == "unusable")
    tokens = [sum(item[key] for item in trial.items) for key in ("input_tokens", "output_tokens")]
    finishes = dict(Counter(finish_of(exchange.reply) for exchange in exchanges))
    return f"{dict(verdicts)} {finishes} {tokens[0]} tokens in, {tokens[1]} out; {dict(reasons) or 'none refused'}"


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_free_text_is_read_as_it_was_answered(server, tee, judge_test, note, api):
    if api == "anthropic" and not server.is_llama_cpps_own:
        pytest.skip("llama-cpp-python's server speaks OpenAI's format only")
    trial = judge_test(tee.url, api=api)
    exchanges = tee.exchanges()
    note(counts(trial, exchanges))
    assert_trial_is_right(trial, exchanges)
    assert any(finish_of(exchange.reply) in WHOLE for exchange in exchanges)
    for item in trial.items:
        text = text_of(exchange_of(item, exchanges).reply).strip()
        if item["verdict"] == "criticised":
            assert item["text"] == text
        if item["verdict"] == "perfect":
            assert text.lower().startswith("perfect")


def test_an_answer_that_must_be_json_is_judged_or_refused(server, tee, judge_test, note):
    trial = judge_test(tee.url + "/v1", prompt="critique")
    exchanges = tee.exchanges()
    if not server.is_llama_cpps_own:  # it knows no response_format of type json_schema, and says so
        assert {exchange.status for exchange in exchanges} == {500}
        assert {item["verdict"] for item in trial.items} == {"retryable"} and trial.code == 4
        assert "Input should be 'text' or 'json_object'" in trial.advice and trial.cost == 0
        return
    note(counts(trial, exchanges))
    assert_trial_is_right(trial, exchanges)
    judged = [item for item in trial.items if item["verdict"] in ("perfect", "criticised")]
    assert judged, "no answer was read as JSON"
    for item in judged:
        exchange = exchange_of(item, exchanges)
        said = json.loads(text_of(exchange.reply))
        schema = exchange.request["response_format"]["json_schema"]["schema"]
        assert said["item"] == schema["properties"]["item"]["const"]
        assert said["item"] in exchange.request["messages"][-1]["content"]
        assert (item["verdict"] == "perfect") == (said["rating"] == 10)
        assert item["text"] == ("Perfect." if said["rating"] == 10 else said["critique"].strip())


def test_an_answer_that_is_cut_off_is_no_label(server, tee, judge_test, tmp_path):
    prompt = tmp_path / "short.yaml"
    prompt.write_text(json.dumps({"system": "Repeat what you are given, and explain it at length.",
                                  "user": "{{instruction}}\n{{response}}", "parser": "perfect_prefix", "max_tokens": 3}))
    trial = judge_test(tee.url, prompt=str(prompt))
    exchanges = tee.exchanges()
    assert_trial_is_right(trial, exchanges)
    assert {finish_of(exchange.reply) for exchange in exchanges} == {"length"}
    assert {item["verdict"] for item in trial.items} == {"unusable"}
    assert "10 of 10 items got no verdict: the judge's answer is truncated (length)" in trial.advice


def test_another_model_is_noticed_where_the_server_names_it(server, tee, judge_test):
    trial = judge_test(tee.url, "--count", "2", model="other")
    replies = {exchange.reply["model"] for exchange in tee.exchanges()}
    if not server.is_llama_cpps_own:  # it answers as whatever it was asked for, so nobody can tell
        assert replies == {"other"}
        return
    assert replies == {NAME} and trial.code == 4
    assert {item["verdict"] for item in trial.items} == {"unusable"}
    assert f'"{NAME}" answered in place of "other": add it to accepted_models if it is the same' in trial.advice
    accepted = judge_test(tee.url, "--count", "2", model="other", accepted_models=[NAME])
    assert "answered in place of" not in accepted.advice


@pytest.mark.parametrize("path,key,says", [
    ("/api", None, "the model or the path is unknown there: check model and base URL"),
    ("", "another-key", "the API does not accept the key: correct the credential"),
])
def test_a_wrong_path_or_key_stops_the_trial_and_says_what_to_do(server, tee, judge_test, path, key, says):
    trial = judge_test(tee.url + path, **({"key": key} if key else {}))
    assert trial.code == 4 and says in trial.advice
    assert {item["verdict"] for item in trial.items} == {"not asked"} and trial.cost == 0


def test_an_item_longer_than_the_context_costs_only_itself(server, tee, judge_test, tmp_path, note):
    items = tmp_path / "items.jsonl"
    rows = [{"instruction": f"Say {i}.", "response": "no " * (CONTEXT * 2 if i == 1 else 2)} for i in range(3)]
    items.write_text("".join(json.dumps(row) + "\n" for row in rows))
    trial = judge_test(tee.url, "--items", str(items))
    long = trial.items.pop(1)
    note(long["text"])
    assert (long["verdict"], long["cost"]) == ("permanent", 0) and "context" in long["text"]
    exchanges = tee.exchanges()
    for item in trial.items:
        assert_read_as_answered(item, exchange_of({**item, "response": item["response"].rstrip()}, exchanges).reply)


def test_a_server_that_is_not_there_is_named(judge_test):
    trial = judge_test(f"http://127.0.0.1:{free_port()}", "--count", "1")
    assert trial.code == 4 and "check the base URL, and that the server runs" in trial.advice
