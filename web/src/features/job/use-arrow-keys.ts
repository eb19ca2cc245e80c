import { useEffect, useEffectEvent } from "react";

// What has arrow keys of its own keeps them: fields, sliders, tabs, and whatever scrolls sideways.
const TAKEN = "input, textarea, select, [contenteditable], [role=slider], [role=tab], [role=radio], [role=region], [role=log], [role=dialog]";

/** Left and right, wherever on the page they are not needed otherwise; time runs from left to right in every language. */
export function useArrowKeys(onStep: (by: 1 | -1) => void) {
  const step = useEffectEvent(onStep);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (event.target instanceof Element && event.target.closest(TAKEN) !== null) return;
      if (event.key === "ArrowRight") step(1);
      if (event.key === "ArrowLeft") step(-1);
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}
