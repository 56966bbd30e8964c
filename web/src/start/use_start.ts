// A run that is being put together: its configuration, its files, what the daemon says of both, and its start.
import { useEffect, useRef, useState } from "preact/hooks";
import { new_key, problem_text, send } from "../api/client";
import type { NewRun, RunCheck } from "../api/plan_types";
import { type Chosen, files_of, has_more, too_long } from "./files";

export interface Draft {
  origin: string;
  text: string;
  chosen: Chosen[];
}

export interface Start {
  draft: Draft;
  check: RunCheck | null;
  problem: string | null;
  busy: "checking" | "starting" | null;
  edit: (change: Partial<Draft>) => void;
  ask: () => void;
  start: () => void;
}

const kEmpty: Draft = { origin: "run.yaml", text: "", chosen: [] };

function request_of({ origin, text, chosen }: Draft, check: RunCheck | null): NewRun {
  return { text, origin, files: files_of(chosen, check) };
}

async function plan(run: NewRun): Promise<RunCheck> {
  const problem = run.text.trim() === "" ? "Choose a configuration, or write one." : too_long(run);
  if (problem !== null) throw new Refused(problem);
  return send<RunCheck>("/api/v1/runs/plan", { body: run });
}

/** Refused by the page itself. */
class Refused extends Error {}

const said = (error: unknown): string => (error instanceof Refused ? error.message : problem_text(error));

export function useStart(onStarted: (run: number) => void): Start {
  const [draft, set_draft] = useState<Draft>(kEmpty);
  const [check, set_check] = useState<RunCheck | null>(null);
  const [problem, set_problem] = useState<string | null>(null);
  const [busy, set_busy] = useState<Start["busy"]>(null);
  const turn = useRef(0); // an answer to what was there before an edit is no answer any more
  // A repeat of the same start, after a lost answer, is the same intention.
  const started = useRef({ of: "", key: "" });
  useEffect(() => () => void ++turn.current, []);

  const edit = (change: Partial<Draft>) => {
    ++turn.current;
    set_draft((old) => ({ ...old, ...change }));
    set_busy(null);
    set_problem(null);
    // New files leave the list of names; a new text may name others.
    set_check((old) => (change.text === undefined && old !== null ? { ...old, plan: null } : null));
  };
  const work = async (kind: "checking" | "starting", action: () => Promise<() => void>) => {
    const mine = ++turn.current;
    set_busy(kind);
    set_problem(null);
    try {
      const then = await action();
      if (mine === turn.current) then();
    } catch (error) {
      if (mine === turn.current) set_problem(said(error));
    }
    if (mine === turn.current) set_busy(null);
  };
  const ask = () =>
    void work("checking", async () => {
      let found = await plan(request_of(draft, check));
      const again = request_of(draft, found);
      if (has_more(again.files, found)) found = await plan(again);
      return () => set_check(found);
    });
  const start = () =>
    void work("starting", async () => {
      const body = request_of(draft, check);
      const of = JSON.stringify(body);
      if (started.current.of !== of) started.current = { of, key: new_key() };
      const { id } = await send<{ id: number }>("/api/v1/runs", { body, key: started.current.key });
      return () => onStarted(id);
    });
  return { draft, check, problem, busy, edit, ask, start };
}
