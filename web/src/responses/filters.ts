// The browser's filters as an address and as a request. Pure.

export const kFilterNames = ["run", "round", "split", "annotator", "state", "label", "search"] as const;
export type FilterName = (typeof kFilterNames)[number];
export type Filters = Partial<Record<FilterName, string>>;

export function filters_of(query: URLSearchParams): Filters {
  const filters: Filters = {};
  for (const name of kFilterNames) {
    const value = query.get(name);
    if (value !== null && value !== "") filters[name] = value;
  }
  return filters;
}

/** `name` "" or unknown values are the server's to refuse; an empty value removes the filter. */
export function changed(filters: Filters, name: FilterName, value: string): Filters {
  const next = { ...filters, [name]: value };
  if (value === "") delete next[name];
  if (name === "run") delete next.round; // rounds are of a run
  return next;
}
