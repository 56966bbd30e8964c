// Light or dark: the system's choice until the reader makes one.
export type Theme = "system" | "light" | "dark";

const kKey = "cutd.theme";

export function chosen_theme(): Theme {
  const kept = localStorage.getItem(kKey);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function choose_theme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(kKey);
  else localStorage.setItem(kKey, theme);
  apply_theme();
}

export function apply_theme(): void {
  const theme = chosen_theme();
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
