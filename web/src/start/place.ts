// Where in a YAML text a problem lies, by what the problem names: a line, or a key. Pure.

/** The key that a problem names: `key "data.gate"`, or `data.train: …` at its beginning or after the file's name. */
export function named_key(problem: string, origin: string): string | null {
  const quoted = /\bkey "([\w.-]+)"/.exec(problem)?.[1];
  if (quoted !== undefined) return quoted;
  const rest = problem.startsWith(`${origin}: `) ? problem.slice(origin.length + 2) : problem;
  return /^([a-z_]\w*(?:\.\w+)+): /.exec(rest)?.[1] ?? null;
}

function line_of_key(lines: string[], key: string): number | null {
  let from = 0;
  let found: number | null = null;
  for (const part of key.split(".")) {
    const name = new RegExp(`(^|[\\s{,-])["']?${part.replaceAll("-", "\\-")}["']?\\s*:`);
    const at = lines.findIndex((line, i) => i >= from && name.test(line.replace(/#.*/, "")));
    if (at < 0) break;
    found = at + 1;
    from = at; // a short section is on one line with its name
  }
  return found;
}

/** The line, from 1, that the problem is about; null: it names none. */
export function problem_line(text: string, problem: string, origin: string): number | null {
  const lines = text.split("\n");
  const said = /\bline (\d+)/.exec(problem)?.[1];
  if (said !== undefined && Number(said) <= lines.length) return Number(said);
  const key = named_key(problem, origin);
  return key === null ? null : line_of_key(lines, key);
}

/** Start and end of a line in the text, for a selection. */
export function line_range(text: string, line: number): [number, number] {
  const lines = text.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return [start, start + (lines[line - 1]?.length ?? 0)];
}
