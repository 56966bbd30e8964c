// What a run is started with and what it will ask for (POST runs, runs/plan).

/** `text`: the YAML file; `origin`: what problems call it; `files`: content by the name that the file uses. */
export interface NewRun {
  text: string;
  origin: string;
  files: Record<string, string>;
}

export interface RunPlan {
  rounds: number;
  responses: { train: number; gate: number; report: number; all: number };
  judge_calls: number;
  cost: { paid: boolean; likely_usd: number; most_usd: number; cap_usd: number };
  memory: { parameters: number; weight_bytes: number; cache_bytes: number; training_bytes: number };
  seconds: { generation: number; judging: number; training: number };
  assumed: {
    response_tokens: number;
    judgment_tokens: number;
    judge_seconds: number;
    gpu: boolean;
    generation_tokens_per_second: number;
    training_tokens_per_second: number;
  };
}

export interface RunCheck {
  name: string;
  files: { key: string; name: string; given: boolean }[];
  plan: RunPlan | null;
}
