// The annotator's page: one item after another, the keyboard for everything, nothing written is lost.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useResource } from "../api/resource";
import type { GuidelineText, OwnProgress } from "../api/types";
import { DeskView } from "../annotate/desk_view";
import { GuidelinesPanel } from "../annotate/guidelines";
import { Help } from "../annotate/help";
import { type Action, action_of, set_single_keys, single_keys_on, takes_text } from "../annotate/keys";
import { OwnItems } from "../annotate/own_items";
import { SkipDialog } from "../annotate/skip_dialog";
import { useDesk } from "../annotate/use_work";
import { Bar } from "../components/pieces";
import { count } from "../format";
import { go, kQueueViews, type Page, type QueueView } from "../route";
import "../style/annotate.css";

const kSaidMs = 4000;
const kGuidelinesShut = "cutd.guidelines_shut";

function Tabs({ view, progress }: { view: QueueView; progress: OwnProgress | null }) {
  return (
    <nav class="views" aria-label="Views">
      {kQueueViews.map((name) => {
        const amount = name === "pending" ? progress?.available : progress?.[name];
        return (
          <a
            key={name}
            href={name === "pending" ? "/annotate" : `/annotate/${name}`}
            aria-current={name === view ? "page" : undefined}
          >
            {name}
            {amount !== undefined && <span class="amount">{count(amount)}</span>}
          </a>
        );
      })}
    </nav>
  );
}

function Progress({ progress }: { progress: OwnProgress | null }) {
  if (progress === null) return null;
  const share = progress.total > 0 ? progress.done / progress.total : 0;
  return (
    <div class="own-progress">
      <span>
        You: <b>{count(progress.submitted)}</b> submitted
      </span>
      <span class="soft">
        Everyone: {count(progress.done)} of {count(progress.total)}
      </span>
      <Bar share={share} label="Judgments of everyone in the open rounds" tone={share >= 1 ? "good" : ""} />
    </div>
  );
}

export default function AnnotatePage({ page }: { page: Extract<Page, { name: "annotate" }> }) {
  const progress = useResource<OwnProgress>("/api/v1/queue/progress", 20_000);
  const guidelines = useResource<{ guidelines: GuidelineText[] }>("/api/v1/queue/guidelines");
  const [said, set_said] = useState("");
  const [dialog, set_dialog] = useState<"none" | "help" | "skip">("none");
  const [single_keys, set_keys] = useState(single_keys_on());
  const [guidelines_open, open_guidelines] = useState(localStorage.getItem(kGuidelinesShut) === null);
  const text = useRef<HTMLTextAreaElement>(null);
  const had_item = useRef(false);
  const said_timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const say = useCallback((message: string) => {
    set_said(message);
    clearTimeout(said_timer.current);
    said_timer.current = setTimeout(() => set_said(""), kSaidMs);
  }, []);
  const desk = useDesk({ wanted: page.view === "pending", say, onSettled: progress.reload });
  const working = desk.state.kind === "working" ? desk.state.work : null;
  const item = working?.task.item ?? null;

  useEffect(() => {
    document.title = "Annotate · cutd";
  }, []);
  useEffect(() => {
    if (item === null) return;
    scrollTo({ top: 0 });
    // Who settled an item goes on at the top of the next, also with a screen reader.
    if (had_item.current) document.getElementById("instruction-title")?.focus({ preventScroll: true });
    had_item.current = true;
  }, [item]);

  const toggle_guidelines = () => {
    if (guidelines_open) localStorage.setItem(kGuidelinesShut, "1");
    else localStorage.removeItem(kGuidelinesShut);
    open_guidelines(!guidelines_open);
  };
  const to_view = (step: number) => {
    const next = kQueueViews[kQueueViews.indexOf(page.view) + step];
    if (next !== undefined) go(next === "pending" ? "/annotate" : `/annotate/${next}`);
  };
  const perform = (action: Action) => {
    const at_desk = page.view === "pending" && working !== null && !working.submitting;
    if (action === "help") set_dialog("help");
    else if (action === "guidelines") toggle_guidelines();
    else if (action === "view_before") to_view(-1);
    else if (action === "view_after") to_view(1);
    else if (action === "item_before") dispatchEvent(new CustomEvent("cutd:move", { detail: -1 }));
    else if (action === "item_after") dispatchEvent(new CustomEvent("cutd:move", { detail: 1 }));
    else if (!at_desk) return;
    else if (action === "perfect") desk.write({ label: "positive" });
    else if (action === "criticise") {
      desk.write({ label: "negative" });
      text.current?.focus();
    } else if (action === "write") text.current?.focus();
    else if (action === "leave") text.current?.blur();
    else if (action === "submit") void desk.submit();
    else if (action === "skip") set_dialog("skip");
    else if (action === "another") void desk.another();
    else if (action === "release" && working.written.text === "") void desk.release();
  };
  const latest = useRef(perform);
  latest.current = perform;
  const dialog_open = dialog !== "none";
  useEffect(() => {
    if (dialog_open) return; // a dialog has its own keys
    const pressed = (event: KeyboardEvent) => {
      if (event.repeat) return;
      const key = { key: event.key, ctrl: event.ctrlKey, meta: event.metaKey, alt: event.altKey };
      const action = action_of(key, takes_text(event.target), single_keys);
      if (action === null) return;
      event.preventDefault();
      latest.current(action);
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [dialog_open, single_keys]);

  const guideline =
    guidelines.data?.guidelines.find((one) => one.hash === working?.task.guideline) ?? guidelines.data?.guidelines[0];
  return (
    <>
      <div class="title annotate-title">
        <h1>Annotate</h1>
        <Progress progress={progress.data} />
        <button class="small" onClick={() => set_dialog("help")}>
          Keyboard <kbd>?</kbd>
        </button>
      </div>
      <Tabs view={page.view} progress={progress.data} />
      <p class={said === "" ? "toast" : "toast shown"} role="status">
        {said}
      </p>
      <div class="with-guidelines">
        <div class="work">
          {page.view === "pending" ? (
            <DeskView desk={desk} text={text} onSkip={() => set_dialog("skip")} />
          ) : (
            <OwnItems
              view={page.view}
              onResume={(draft) => {
                void desk.claim(draft);
                go("/annotate");
              }}
            />
          )}
        </div>
        <GuidelinesPanel guideline={guideline} open={guidelines_open} onToggle={toggle_guidelines} />
      </div>
      {dialog === "help" && (
        <Help
          singleKeys={single_keys}
          onSingleKeys={(on) => {
            set_single_keys(on);
            set_keys(on);
          }}
          onClose={() => set_dialog("none")}
        />
      )}
      {dialog === "skip" && working && (
        <SkipDialog
          onSkip={(reason) => {
            set_dialog("none");
            void desk.skip(reason);
          }}
          onClose={() => set_dialog("none")}
        />
      )}
    </>
  );
}
