import { useEffect, useEffectEvent } from "react";
import { neighbour, tableKey } from "~/features/jobs/table-keys";

const TYPED_INTO = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";
const DIALOG = "[role=dialog]";
const CONTROL = "button, input, [role=slider], [role=tab]";

interface TableKeys {
  ids: readonly string[];
  onSelect: (id: string) => void;
  onPin: (id: string) => void;
  onFilter: () => void;
  onHelp: () => void;
}

/** The list's keys, from anywhere on the page. Which job is meant is where the browser's own focus is: no second cursor. */
export function useTableKeys({ ids, onSelect, onPin, onFilter, onHelp }: TableKeys): void {
  const take = useEffectEvent((event: KeyboardEvent) => {
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.defaultPrevented || target.closest(DIALOG)) return;
    const here = target.closest<HTMLElement>("[data-job]")?.dataset["job"] ?? null;
    const wanted = tableKey(event, {
      isTyping: target.closest(TYPED_INTO) !== null,
      isOnJob: here !== null,
      isOnControl: target.closest(CONTROL) !== null,
    });
    if (wanted === null) return;
    event.preventDefault();
    if (wanted === "next" || wanted === "previous") focusOn(neighbour(ids, here, wanted === "next" ? 1 : -1));
    else if (wanted === "filter") onFilter();
    else if (wanted === "help") onHelp();
    else if (here !== null) (wanted === "select" ? onSelect : onPin)(here);
  });

  useEffect(() => {
    const listen = (event: KeyboardEvent) => take(event);
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}

/** Its link, which Enter opens. */
function focusOn(id: string | undefined): void {
  if (id !== undefined) document.querySelector<HTMLElement>(`[data-job="${CSS.escape(id)}"] a`)?.focus();
}
