// A Desk as a component's state, with the page's clock and the reader's movements.
import { useEffect, useRef, useState } from "preact/hooks";
import { Desk, type DeskListener } from "./desk";
import { item_on_desk } from "./kept";
import type { State } from "./work";

const kTickMs = 1000;
const kMovements = ["pointerdown", "keydown", "scroll", "pointermove"] as const;

export interface DeskInUse {
  desk: Desk;
  state: State;
  /** The monotonic time of the last tick, for countdowns. */
  now: number;
}

/** `wanted`: an item is to lie on the desk; looking through one's own items reserves none. */
export function useDesk(wanted: boolean, listener: Omit<DeskListener, "onState">): DeskInUse {
  const [state, set_state] = useState<State>({ kind: "claiming" });
  const [now, set_now] = useState(() => performance.now());
  const kept_desk = useRef<Desk | null>(null);
  const desk = (kept_desk.current ??= new Desk({ ...listener, onState: set_state }));
  useEffect(() => {
    if (wanted) void desk.open(item_on_desk());
  }, [wanted, desk]);
  useEffect(() => {
    const timer = setInterval(() => {
      set_now(performance.now());
      desk.tick(kTickMs, document.visibilityState === "visible");
    }, kTickMs);
    const moved = () => desk.moved();
    const leaving = () => {
      if (document.visibilityState === "hidden") void desk.save(true);
    };
    for (const name of kMovements) addEventListener(name, moved, { passive: true });
    document.addEventListener("visibilitychange", leaving);
    return () => {
      clearInterval(timer);
      void desk.save(true);
      for (const name of kMovements) removeEventListener(name, moved);
      document.removeEventListener("visibilitychange", leaving);
    };
  }, [desk]);
  return { desk, state, now };
}
