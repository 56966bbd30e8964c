// The annotator's page: one item after another, the keyboard for everything, nothing written is lost.
import { useEffect, useRef, useState } from "preact/hooks";
import { DeskView } from "../annotate/desk_view";
import { GuidelinesPanel } from "../annotate/guidelines";
import { Help } from "../annotate/help";
import { type Action, set_single_keys, single_keys_on } from "../annotate/keys";
import { OwnItems } from "../annotate/own_items";
import { SkipDialog } from "../annotate/skip_dialog";
import { type DeskInUse, useDesk } from "../annotate/use_desk";
import { useKeys } from "../annotate/use_keys";
import { ProgressLine, view_address, Views } from "../annotate/views";
import { useResource } from "../api/resource";
import type { GuidelineText, OwnProgress } from "../api/types";
import { go, kQueueViews, type Page, type QueueView } from "../route";
import "../style/annotate.css";

const kSaidMs = 4000;
const kGuidelinesShut = "cutd.guidelines_shut";

type OpenDialog = "none" | "help" | "skip";

/** A sentence that is shown for a while. */
function useSaid(): [string, (text: string) => void] {
  const [said, set_said] = useState("");
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const say = (text: string) => {
    set_said(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => set_said(""), kSaidMs);
  };
  return [said, say];
}

function useGuidelinesOpen(): [boolean, () => void] {
  const [open, set_open] = useState(localStorage.getItem(kGuidelinesShut) === null);
  const toggle = () => {
    if (open) localStorage.setItem(kGuidelinesShut, "1");
    else localStorage.removeItem(kGuidelinesShut);
    set_open(!open);
  };
  return [open, toggle];
}

/** Who settled an item goes on at the top of the next, also with a screen reader. */
function useNextItemInView(item: string | null): void {
  const had_item = useRef(false);
  useEffect(() => {
    if (item === null) return;
    scrollTo({ top: 0 });
    if (had_item.current) document.getElementById("instruction-title")?.focus({ preventScroll: true });
    had_item.current = true;
  }, [item]);
}

function to_view(from: QueueView, step: number): void {
  const next = kQueueViews[kQueueViews.indexOf(from) + step];
  if (next !== undefined) go(view_address(next));
}

function move_in_list(step: number): void {
  dispatchEvent(new CustomEvent("cutd:move", { detail: step }));
}

/** Actions on the item; null where there is none to act on. */
function item_actions(
  { desk, state }: DeskInUse,
  text: HTMLTextAreaElement | null,
  skip: () => void,
): Partial<Record<Action, () => void>> {
  if (state.kind !== "working" || state.work.submitting) return {};
  return {
    perfect: () => desk.write({ label: "positive" }),
    criticise: () => {
      desk.write({ label: "negative" });
      text?.focus();
    },
    write: () => text?.focus(),
    leave: () => text?.blur(),
    submit: () => void desk.submit(),
    ...(state.work.lost ? {} : { skip }),
    another: () => void desk.another(),
    ...(state.work.written.text === "" && !state.work.lost ? { release: () => void desk.release() } : {}),
  };
}

export default function AnnotatePage({ page }: { page: Extract<Page, { name: "annotate" }> }) {
  const progress = useResource<OwnProgress>("/api/v1/queue/progress", 20_000);
  const guidelines = useResource<{ guidelines: GuidelineText[] }>("/api/v1/queue/guidelines");
  const [said, say] = useSaid();
  const [dialog, set_dialog] = useState<OpenDialog>("none");
  const [single_keys, set_keys] = useState(single_keys_on());
  const [guidelines_open, toggle_guidelines] = useGuidelinesOpen();
  const text = useRef<HTMLTextAreaElement>(null);
  const pending = page.view === "pending";
  const in_use = useDesk(pending, { say, onSettled: progress.reload });
  const working = in_use.state.kind === "working" ? in_use.state.work : null;
  useNextItemInView(working?.task.item ?? null);
  useEffect(() => {
    document.title = "Annotate · cutd";
  }, []);
  useKeys(dialog === "none", single_keys, (action) => {
    const actions: Partial<Record<Action, () => void>> = {
      ...(pending ? item_actions(in_use, text.current, () => set_dialog("skip")) : {}),
      help: () => set_dialog("help"),
      guidelines: toggle_guidelines,
      view_before: () => to_view(page.view, -1),
      view_after: () => to_view(page.view, 1),
      item_before: () => move_in_list(-1),
      item_after: () => move_in_list(1),
    };
    actions[action]?.();
  });
  const all = guidelines.data?.guidelines;
  const guideline = all?.find((one) => one.hash === working?.task.guideline) ?? all?.[0];
  const close = () => set_dialog("none");
  const resume = (draft: string) => {
    void in_use.desk.claim(draft);
    go("/annotate");
  };
  return (
    <>
      <div class="title annotate-title">
        <h1>Annotate</h1>
        <ProgressLine progress={progress.data} />
        <button class="small" onClick={() => set_dialog("help")}>
          Keyboard <kbd>?</kbd>
        </button>
      </div>
      <Views view={page.view} progress={progress.data} />
      <p class={said === "" ? "toast" : "toast shown"} role="status">
        {said}
      </p>
      <div class="with-guidelines">
        <div class="work">
          {pending ? (
            <DeskView inUse={in_use} text={text} onSkip={() => set_dialog("skip")} />
          ) : (
            <OwnItems view={page.view} onResume={resume} />
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
          onClose={close}
        />
      )}
      {dialog === "skip" && working && (
        <SkipDialog
          onSkip={(reason) => {
            close();
            void in_use.desk.skip(reason);
          }}
          onClose={close}
        />
      )}
    </>
  );
}
