// Replies as the daemon shapes them.
export interface Reply {
  status: number;
  type: string;
  body: string;
}

export const json = (value: unknown, status = 200): Reply => ({
  status,
  type: "application/json",
  body: JSON.stringify(value),
});
export const problem = (status: number, detail: string, code = "not_found"): Reply => ({
  status,
  type: "application/problem+json",
  body: JSON.stringify({ title: "Problem", status, detail, code }),
});
