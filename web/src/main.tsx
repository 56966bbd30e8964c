// Start of the pages: who is there, which page is asked for; each page is a file of its own, loaded when opened.
import { type ComponentType, render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { on_signed_out, problem_text } from "./api/client";
import type { Session } from "./api/types";
import { Layout } from "./components/layout";
import { Empty, Failure, Loading } from "./components/pieces";
import LoginPage from "./pages/login";
import { follow_links, go, type Page, page_of, useAddress } from "./route";
import { current_session, may_see_rounds, SessionContext } from "./session";
import { apply_theme } from "./theme";
import "./style/base.css";
import "./style/pieces.css";
import "./style/charts.css";
import "./style/adapt.css";
import "./style/login.css";

const kModules: Record<Exclude<Page["name"], "login" | "unknown">, () => Promise<unknown>> = {
  dashboard: () => import("./pages/dashboard"),
  run: () => import("./pages/run"),
  round: () => import("./pages/round"),
  responses: () => import("./pages/responses"),
  adapters: () => import("./pages/adapters"),
  review: () => import("./pages/review"),
  start: () => import("./pages/start"),
  annotate: () => import("./pages/annotate"),
};

function UnknownPage() {
  return (
    <Empty title="There is no such page">
      <p>
        Go to the <a href="/">first page</a>.
      </p>
    </Empty>
  );
}

/** The page's own code, kept once loaded. */
function PageView({ page }: { page: Page }) {
  const [loaded, set_loaded] = useState<{ name: string; Component: ComponentType<{ page: Page }> } | null>(null);
  const [problem, set_problem] = useState(false);
  useEffect(() => {
    if (page.name === "login" || page.name === "unknown") return;
    let current = true;
    kModules[page.name]().then(
      (module) => {
        const { default: Component } = module as { default: ComponentType<{ page: Page }> };
        if (current) set_loaded({ name: page.name, Component });
      },
      () => current && set_problem(true),
    );
    return () => {
      current = false;
    };
  }, [page.name]);
  if (page.name === "unknown" || page.name === "login") return <UnknownPage />;
  if (problem) return <Failure text="This page could not be loaded." again={() => location.reload()} />;
  if (loaded === null || loaded.name !== page.name) return <Loading what="the page" />;
  return <loaded.Component page={page} />;
}

/** Annotators have one page; whoever comes to another is taken there. */
function page_for(session: Session, page: Page): string | null {
  if (page.name === "login") return may_see_rounds(session) ? "/" : "/annotate";
  if (!may_see_rounds(session) && page.name !== "annotate") return "/annotate";
  return null;
}

function App() {
  const address = useAddress();
  const page = page_of(address.path, address.search);
  const [session, set_session] = useState<Session | null | undefined>(undefined);
  const [problem, set_problem] = useState<string | null>(null);
  const wanted = useRef<string | null>(null);

  useEffect(() => {
    current_session().then(set_session, (error: unknown) => set_problem(problem_text(error)));
    return on_signed_out(() => set_session(null));
  }, []);

  useEffect(() => {
    if (session === null && page.name !== "login") {
      wanted.current = address.path + address.search;
      go("/login", { replace: true });
    }
    if (session) {
      const instead = page_for(session, page);
      if (instead !== null) go(page.name === "login" ? (wanted.current ?? instead) : instead, { replace: true });
      if (page.name === "login") wanted.current = null;
    }
  }, [session, address.path]);

  useEffect(() => {
    if (document.activeElement === null || document.activeElement === document.body) return;
    scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  }, [address.path]);

  if (problem !== null) return <Failure text={problem} again={() => location.reload()} />;
  if (session === undefined) return <Loading what="cutd" />;
  if (session === null) return <LoginPage onSession={set_session} />;
  if (page_for(session, page) !== null) return null;
  return (
    <SessionContext.Provider value={session}>
      <Layout session={session} page={page} onSignedOut={() => set_session(null)}>
        <PageView page={page} />
      </Layout>
    </SessionContext.Provider>
  );
}

apply_theme();
document.addEventListener("click", follow_links);
const root = document.getElementById("app");
if (root) render(<App />, root);
