"""Writes the test data of tests/text: two small tokenizers, their expected ids, and rendered chat templates.

The reference is Python: tokenizers and transformers (5.23.0, tokenizers 0.23.3, jinja2 3.1.6). Run it in this folder:
    python make_cases.py
"""
import json

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers.utils.chat_template_utils import render_jinja_template

CORPUS = [
    "The quick brown fox jumps over the lazy dog. The dog sleeps, and the fox runs on.",
    "A tokenizer turns text into numbers; numbers turn into text again. It's what it does.",
    "In 2024 there were 12 months, 366 days and 8784 hours. naïve café, 日本語 and emoji 🙂.",
    "def main():\n    return 0\n\n\nif x == 1:\n    print('one')\n",
] * 4

TEXTS = [
    "", " ", "  two  spaces  ", "The dog runs.", "It's 2024, isn't it?", "x =   5", "naïve café 日本語 🙂👩‍👩‍👧‍👦",
    "<|user|>hello<|end|> there", "tab\tand\r\nlines\n\n\n", "\u200bzero\u00a0width", "\x00\x01\x7f", "a" * 40,
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "e\u0301", "<unk>", "▁under", "<0x41>",
]


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=380, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  special_tokens=["<|endoftext|>", "<|user|>", "<|end|>"], show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False)])
    return tokenizer


def sentencepiece_like():
    """Llama's shape: spaces as U+2581, byte fallback, BOS by the post-processor."""
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=tokens, limit_alphabet=40, show_progress=False)
    # Training on whole texts would make tokens of whole sentences: split for training only.
    trained.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trained.train_from_iterator(CORPUS, trainer)
    model = json.loads(trained.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=model["vocab"], merges=merges, unk_token="<unk>", fuse_unk=True,
                                     byte_fallback=True))
    tokenizer.normalizer = trained.normalizer
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B",
                                                             special_tokens=[("<s>", 1)])
    return tokenizer


def tokenizer_cases(tokenizer):
    cases = []
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        cases.append({"text": text, "ids": ids, "with_special": tokenizer.encode(text).ids,
                      "decoded": tokenizer.decode(ids, skip_special_tokens=False),
                      "decoded_skipping_special": tokenizer.decode(ids, skip_special_tokens=True)})
    return cases


TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Ruft das Wetter ab: <b>\"heute\"</b> & 'morgen'",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "items": {"type": "array"},
                                                        "days": {"type": "integer", "default": 3, "scale": 1.0}},
                       "required": ["city"]}}}

CONVERSATIONS = {
    "plain": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "  Hi\nthere  "},
              {"role": "assistant", "content": "<think>\nhm\n</think>\n\nHello."}, {"role": "user", "content": "日本語 🙂 'q' \"d\""}],
    "tools": [{"role": "user", "content": "Weather?"},
              {"role": "assistant", "content": None, "tool_calls": [
                  {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Köln", "days": 2, "x": None, "ok": True, "f": 0.1}}}]},
              {"role": "tool", "content": "{\"t\": 3}"}],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "image"}, {"type": "text", "text": "two"}]},
              {"role": "assistant", "content": "ok", "reasoning": "because"}],
}

TEMPLATES = {
    "chatml": "{%- for message in messages %}\n{{- '<|im_start|>' ~ message.role ~ '\\n' ~ message['content'] ~ '<|im_end|>\\n' }}\n{%- endfor %}\n"
              "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}\n",
    "trims blocks": "  {% for m in messages %}\n  {{ m.role }}:\n    {% if m.content is string %}\n  text\n    {% endif %}\n  {# note #}\n{% endfor %}\n\n",
    "tojson": "{{ tools | tojson }}|{{ messages | tojson(indent=2) }}|{{ tools | tojson(sort_keys=True, separators=(',', ':')) }}|"
              "{{ 'ü\\u2028' | tojson(ensure_ascii=True) }}|{{ [1.0, 1e20, 1e-7, 0.1, -0.0, 12345678901234567890] | tojson }}|{{ {} | tojson(indent=4) }}|{{ [[], {}] | tojson(indent=1) }}",
    "python values": "{{ [1, 2.5, 'a', \"it's\", none, true, {'k': [1e16, 'x\\n\"']}] }} {{ true }} {{ none }} {{ 1.0 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 / 2 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 1e16 }} {{ [1] + [2] }} {{ 'ab' * 3 }} {{ messages[0] }}",
    "string of values": "{{ [1, 'a'] | string }}{{ none | string }}{{ 3.0 | string }}",
    "string methods": "{% set s = '  Hello, World  ' %}[{{ s.strip() }}][{{ s.lstrip() }}][{{ s.rstrip() }}][{{ s.upper() }}][{{ s.lower().title() }}]"
                      "{{ 'a,b,,c'.split(',') }}{{ 'a b  c'.split() }}{{ 'a,b,c'.split(',', 1) }}{{ 'a,b,c'.rsplit(',', 1) }}{{ ' a  b c '.rsplit(none, 1) }}"
                      "{{ 'xxabxx'.strip('x') }}{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith(('x', 'c')) }}{{ 'abcabc'.find('c') }}{{ 'abcabc'.rfind('c') }}"
                      "{{ 'abcabc'.count('bc') }}{{ 'a-b'.partition('-') | list }}{{ 'a-b-c'.rpartition('-') | list }}{{ 'abc'.removeprefix('a').removesuffix('c') }}"
                      "{{ 'x'.join(['1', '2']) }}{{ 'abc'.replace('b', 'BB') }}{{ 'é'.ljust(3) }}|{{ 'é'.rjust(3, '.') }}|{{ 'ab'.center(5, '*') }}|{{ '-7'.zfill(4) }}"
                      "{{ 'one two'.capitalize() }}{{ 'ONE'.casefold() }}{{ 'aB'.swapcase() }}{{ 'a\\nb\\r\\nc'.splitlines() }}{{ '12'.isdigit() }}{{ 'a1'.isalnum() }}{{ 'abc'.index('c') }}{{ '{} and {}'.format('a', 1) }}",
    "slices": "{{ 'abcdef'[1:-1] }}{{ 'abcdef'[::-1] }}{{ [1,2,3,4][-2:] }}{{ messages[1:] | length }}{{ messages[-1].role }}{{ 'abc'[-1] }}{{ messages[::-1][0].role }}",
    "namespace": "{% set ns = namespace(seen=false, n=0, last='') %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% if m.role == 'assistant' %}{% set ns.seen = true %}{% endif %}{% set ns.last = m.role %}{% endfor %}{{ ns.seen }} {{ ns.n }} {{ ns.last }}",
    "loop controls": "{% for m in messages %}{% if m.role == 'system' %}{% continue %}{% endif %}{{ m.role }}{% if m.role == 'assistant' %}{% break %}{% endif %},{% endfor %}",
    "loop variables": "{% for m in messages %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem.role if loop.previtem is defined else '-' }}{{ loop.nextitem.role if not loop.last else '.' }}{{ loop.cycle('a', 'b') }};{% else %}none{% endfor %}",
    "macros": "{% macro show(x, depth=1, prefix='>') %}{{ prefix * depth }}{{ x }}{% if depth < 3 %}{{ show(x, depth + 1) }}{% endif %}{% endmacro %}{{ show('m') }}{{ show('k', prefix='-', depth=2) }}",
    "generation": "{% for m in messages %}\n{%- if m.role == 'assistant' %}\n{% generation %}\n{{ m.content }}<|end|>\n{%- endgeneration -%}\n{% else %}{{ m.role }}: {{ '{% generation %}' }}\n{% endif %}\n{% endfor %}{% raw %}{% generation %}{% endraw %}{# {% endgeneration %} #}!",
    "generation scope": "{% set x = 1 %}{% generation %}{% set x = 2 %}{{ x }}{% endgeneration %}{{ x }}",
    "tests": "{% set values = [none, 1, 1.5, 'a', [], {}, true, missing] %}{% for v in values %}{{ v is string }}{{ v is mapping }}{{ v is iterable }}{{ v is sequence }}{{ v is number }}{{ v is integer }}{{ v is float }}{{ v is boolean }}{{ v is none }}{{ v is defined }}{{ v is true }}\n{% endfor %}",
    "undefined": "[{{ missing }}][{{ missing or 'd' }}][{{ missing | default('e') }}][{{ messages[0].nothing }}][{% if missing %}x{% endif %}][{{ messages[0].get('nothing') }}][{{ messages[0].get('nothing', 7) }}][{% for x in missing %}y{% endfor %}][{{ tools is none }}][{{ documents is defined }}]",
    "undefined member": "{{ missing.member }}",
    "undefined sum": "{{ 'a' + missing }}",
    "string plus none": "{{ 'a' + none }}",
    "raises": "{% for m in messages %}{% if m.role not in ['user', 'assistant'] %}{{ raise_exception('Role ' ~ m.role ~ ' is not supported!') }}{% endif %}{{ m.role }}{% endfor %}",
    "filters": "{{ messages | map(attribute='role') | join(', ') }}|{{ messages | selectattr('role', 'equalto', 'user') | list | length }}|{{ messages | rejectattr('role', 'eq', 'user') | map(attribute='role') | list }}|{{ [3,1,2] | sort | reverse | list }}|{{ [1,2,3] | sum }}|{{ ['b','a','b'] | unique | list }}|{{ ' x ' | trim }}|{{ 'abc' | first }}{{ 'abc' | last }}|{{ [1,2] | first }}|{{ 'a\\nb' | indent(2) }}|{{ 'a\\nb' | indent(4, true) }}|{{ {'b': 1, 'a': 2} | dictsort }}|{{ {'b': 1}.items() | list }}|{{ 'x' | upper }}|{{ '3' | int + 1 }}|{{ 3.7 | int }}|{{ 3.14159 | round(2) }}|{{ 2.0 | round }}|{{ -3 | abs }}|{{ [1,2,3] | max }}|{{ '<b>' | e }}|{{ '<b>' | safe }}|{{ 'a b' | replace(' ', '_') }}|{{ [[1,2],[3]] | sum(start=[]) }}|{{ none | trim }}|{{ 5 | string | length }}",
    "map items": "{% for tool in tools or [] %}{% for name, spec in tool.function.parameters.properties.items() %}{{ name }}={{ spec.type }}{% if not loop.last %};{% endif %}{% endfor %}{{ tool.function.parameters.properties | length }}{% for k in tool.function %}{{ k }}{% endfor %}{% endfor %}",
    "tool calls": "{% for m in messages %}{% if m.tool_calls is defined and m.tool_calls %}{% for call in m.tool_calls %}{{ '<tool_call>\\n' }}{{ {'name': call.function.name, 'arguments': call.function.arguments} | tojson }}{{ '\\n</tool_call>' }}{% endfor %}{% elif m.content is string %}{{ m.content }}{% else %}{% for part in m.content %}{{ part.text if part.type == 'text' else '<image>' }}{% endfor %}{% endif %}{% endfor %}",
    "thinking": "{% for m in messages %}{% set content = m.content if m.content is string else '' %}{% if '</think>' in content %}{{ content.split('</think>')[-1].lstrip('\\n') }}{% else %}{{ content }}{% endif %}{{ m.reasoning_content or '' }}{{ m.thinking or '' }}|{% endfor %}",
    "whitespace control": "a  {%- if true -%}  b  {%+ if true %} c {% endif -%} d {% endif %}\n\n   {%- set x = 1 %}\n e {{- 'f' -}} g",
    "inline if and logic": "{{ 'a' if messages | length > 2 and not false else 'b' }}{{ 1 in [1,2] }}{{ 'x' not in 'abc' }}{{ 'a' in {'a': 1} }}{{ 1 == 1.0 }}{{ 'a' < 'b' }}{{ (1, 2) == (1, 2) }}{{ [] or 'empty' }}{{ 0 or none }}",
    "set block": "{% set text %}\n  {% for m in messages %}{{ m.role }} {% endfor %}\n{% endset %}[{{ text | trim }}]",
    "call and filter blocks": "{% macro box(t) %}<{{ t }}>{{ caller() }}</{{ t }}>{% endmacro %}{% call box('b') %}in{% endcall %}{% filter upper %}up{% endfilter %}",
    "bos and variables": "{{ bos_token }}{{ eos_token }}{{ enable_thinking | default(true) }}{{ custom.key }}{{ pad_token }}",
    "range and dict": "{% for i in range(0, 6, 2) %}{{ i }}{% endfor %}{{ range(3) | list }}{{ dict(a=1, b='x') | tojson }}{% set d = {'a': 1} %}{% set d = dict(d, b=2) %}{{ d | tojson }}",
    "date": "{{ strftime_now('%d %b %Y, %A %H:%M:%S %j %-d %y %%') }}",
    "string concat numbers": "{{ 'n=' ~ 3 ~ 1.5 ~ none ~ true ~ [1] }}",
    "nested quotes": "{{ \"double 'single'\" }}{{ 'single \"double\"' }}{{ 'tab\\tnew\\\\n' }}{{ '\\u00e9' }}",
    "line statements": "# not a comment\n## neither\n{{ 1 }}\n",
    "unknown filter": "{{ 1 | nothing }}",
    "bad syntax": "{% if %}{{ }}",
}

NOW = 1719410645  # strftime_now is compared in UTC
VARIABLES = {"bos_token": "<s>", "eos_token": "</s>", "custom": {"key": "v"}}


def render(template, name, prompt):
    import datetime
    from transformers.utils import chat_template_utils

    class Frozen(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)

    chat_template_utils.datetime = Frozen
    try:
        rendered, _ = render_jinja_template([CONVERSATIONS[name]], tools=[TOOL] if name == "tools" else None,
                                            chat_template=template, add_generation_prompt=prompt, **VARIABLES)
        return {"rendered": rendered[0]}
    except Exception as error:
        return {"error": str(error)}


def chat_cases():
    templates = {}
    for title, template in TEMPLATES.items():
        templates[title] = {"template": template, "cases": {
            f"{name}/{'prompt' if prompt else 'plain'}": render(template, name, prompt)
            for name in CONVERSATIONS for prompt in ([False, True] if title == "chatml" else [False])}}
    return {"now": NOW, "variables": VARIABLES, "tools": [TOOL], "conversations": CONVERSATIONS, "templates": templates}


def write(path, value, indent=1):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=indent)
        file.write("\n")


for name, tokenizer in [("byte_level", byte_level()), ("sentencepiece", sentencepiece_like())]:
    write(f"{name}.tokenizer.json", json.loads(tokenizer.to_str()), indent=None)
    write(f"{name}.cases.json", tokenizer_cases(tokenizer))
write("chat_cases.json", chat_cases())
