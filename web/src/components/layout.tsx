// The frame of every page: what there is, who is signed in, light or dark.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { problem_text } from "../api/client";
import type { Session } from "../api/types";
import { forget_all } from "../annotate/kept";
import type { Page } from "../route";
import { may_see_rounds, sign_out } from "../session";
import { AccountDialog } from "./account_dialog";
import { InertText } from "./inert_text";
import { chosen_theme, choose_theme, type Theme } from "../theme";

export function Brand() {
  return (
    <a class="brand" href="/">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="7" fill="#2f62d0" />
        <path d="M7 11h18M7 21h7M20 21h5" stroke="#fff" stroke-width="3" stroke-linecap="round" />
        <path d="M15 25l4-8" stroke="#ffd166" stroke-width="3" stroke-linecap="round" />
      </svg>
      cutd
    </a>
  );
}

export function ThemeButton() {
  const [theme, set] = useState<Theme>(chosen_theme());
  const next: Theme = theme === "system" ? "light" : theme === "light" ? "dark" : "system";
  const names: Record<Theme, string> = { system: "Auto", light: "Light", dark: "Dark" };
  const change = () => {
    choose_theme(next);
    set(next);
  };
  return (
    <button class="plain" onClick={change} title={`Colours: ${names[theme]}; next: ${names[next]}`}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" stroke-width="1.6" />
        <path d="M8 1.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" />
      </svg>
      <span class="hidden-visually">Colours: </span>
      {names[theme]}
    </button>
  );
}

interface Props {
  session: Session;
  page: Page;
  onSignedOut: () => void;
  children: ComponentChildren;
}

interface Entry {
  href: string;
  text: string;
  pages: Page["name"][];
}

function entries_for(session: Session): Entry[] {
  const queue: Entry = { href: "/annotate", text: "Annotate", pages: ["annotate"] };
  if (!may_see_rounds(session)) return [queue];
  const list: Entry[] = [
    { href: "/", text: "Dashboard", pages: ["dashboard", "run", "round", "review", "start"] },
    { href: "/responses", text: "Responses", pages: ["responses"] },
    { href: "/adapters", text: "Adapters", pages: ["adapters"] },
  ];
  return session.role === "operator" ? [...list, queue] : list;
}

export function Layout({ session, page, onSignedOut, children }: Props) {
  const [problem, set_problem] = useState<string | null>(null);
  const [account, set_account] = useState(false);
  const entries = entries_for(session);
  const leave = () => {
    forget_all();
    sign_out().then(onSignedOut, (error: unknown) => set_problem(problem_text(error)));
  };
  return (
    <>
      <a class="skip-link" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <div class="inner">
          <Brand />
          {entries.length > 1 && (
            <nav aria-label="Pages">
              {entries.map((entry) => (
                <a
                  key={entry.href}
                  href={entry.href}
                  aria-current={entry.pages.includes(page.name) ? "page" : undefined}
                >
                  {entry.text}
                </a>
              ))}
            </nav>
          )}
          <div class="who">
            <ThemeButton />
            <button class="plain" onClick={() => set_account(true)} title="Your account">
              <InertText text={session.name} />
            </button>
            <button class="plain" onClick={leave}>
              Sign out
            </button>
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {problem !== null && (
          <div class="notice bad" role="alert">
            {problem}
          </div>
        )}
        {children}
      </main>
      {account && <AccountDialog session={session} onClose={() => set_account(false)} />}
    </>
  );
}
