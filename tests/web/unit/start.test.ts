import { describe, expect, it } from "vitest";
import type { RunCheck } from "../../../web/src/api/plan_types";
import { files_of, has_more, kMostBytes, missing, too_long } from "../../../web/src/start/files";
import { line_range, named_key, problem_line } from "../../../web/src/start/place";

const kYaml = `name: night   # train: not this one
model: smollm2
data: {train: train.jsonl, gate: gate.jsonl}
train:
  learning_rat: 1e-3
annotators:
  - name: team
    kind: human`;

const check = (...names: string[]): RunCheck => ({
  name: "night",
  files: names.map((name) => ({ key: "data.train", name, given: false })),
  plan: null,
});

describe("a problem's place in the configuration", () => {
  const line = (problem: string) => problem_line(kYaml, problem, "my.yaml");
  it("is the line of the key that it names", () => {
    expect(line('my.yaml: unknown key "train.learning_rat" (did you mean "train.learning_rate"?)')).toBe(5);
    expect(line('my.yaml: key "data.gate" takes a text')).toBe(3);
    expect(line("data.train: 3 of the 6 instructions of train.jsonl are held out")).toBe(3);
    expect(line('my.yaml: key "name" must be 1 to 32 of a-z')).toBe(1);
  });
  it("is the line that it says", () => {
    expect(line("my.yaml: mapping values are not allowed here at line 4 column 2")).toBe(4);
    expect(line("my.yaml: something at line 99")).toBeNull();
  });
  it("is the section's where the key is not there yet, and none where nothing is named", () => {
    expect(line('my.yaml: key "data.report" is missing')).toBe(3);
    expect(line("the disk is full")).toBeNull();
    expect(named_key("train.jsonl:3: it is empty", "my.yaml")).toBeNull();
  });
  it("can be selected", () => {
    expect(kYaml.slice(...line_range(kYaml, 2))).toBe("model: smollm2");
    expect(kYaml.slice(...line_range(kYaml, 8))).toBe("    kind: human");
  });
});

describe("the files of a configuration", () => {
  const chosen = [
    { name: "train.jsonl", text: "t" },
    { name: "notes.md", text: "n" },
  ];
  it("go under the name that the configuration uses, whatever folder it says", () => {
    expect(files_of(chosen, null)).toEqual({ "train.jsonl": "t", "notes.md": "n" });
    expect(files_of(chosen, check("sets/train.jsonl", "gate.jsonl"))).toEqual({
      "sets/train.jsonl": "t",
      "notes.md": "n",
    });
  });
  it("are looked at again when a check has told their names", () => {
    const found = check("sets/train.jsonl", "gate.jsonl");
    expect(has_more(files_of(chosen, found), found)).toBe(true);
    expect(missing(found, chosen)).toEqual(["gate.jsonl"]);
    expect(has_more(files_of([], found), found)).toBe(false);
  });
  it("that are too long for a request are named before it is sent", () => {
    const run = (length: number) => ({ text: "x".repeat(length), origin: "my.yaml", files: {} });
    expect(too_long(run(1000))).toBeNull();
    expect(too_long(run(kMostBytes))).toContain("cutd run start --config my.yaml");
  });
});
