// The files that go with a configuration, and the request that both make. Pure.
import type { NewRun, RunCheck } from "../api/plan_types";

/** The daemon takes no longer request. */
export const kMostBytes = 256 * 1024;

export interface Chosen {
  /** As the file is called on the reader's disk; no folder. */
  name: string;
  text: string;
}

const base_name = (name: string): string => name.split("/").at(-1) ?? name;

/** Content by the name that the configuration uses; one that it has never named stays under its own. */
export function files_of(chosen: readonly Chosen[], check: RunCheck | null): Record<string, string> {
  const named = check?.files.map((file) => file.name) ?? [];
  const files: Record<string, string> = {};
  for (const { name, text } of chosen) {
    const wanted = named.filter((one) => one === name || base_name(one) === name);
    for (const one of wanted.length > 0 ? wanted : [name]) files[one] = text;
  }
  return files;
}

/** Whether files are at hand that the check did not see, because it was made before their names were known. */
export function has_more(files: Record<string, string>, check: RunCheck): boolean {
  return check.files.some((file) => !file.given && file.name in files);
}

/** Names of the configuration that nothing was chosen for. */
export function missing(check: RunCheck, chosen: readonly Chosen[]): string[] {
  const files = files_of(chosen, check);
  return [...new Set(check.files.map((file) => file.name).filter((name) => !(name in files)))];
}

/** Why a request would be refused unread; null: it is short enough. */
export function too_long(run: NewRun): string | null {
  const bytes = new TextEncoder().encode(JSON.stringify(run)).length;
  if (bytes <= kMostBytes) return null;
  return (
    `The configuration and its files have ${Math.ceil(bytes / 1024)} KiB together; the page can send ` +
    `${kMostBytes / 1024}. Start it on the daemon's machine: cutd run start --config ${run.origin}`
  );
}
