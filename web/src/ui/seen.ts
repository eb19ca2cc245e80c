import { useCallback, useState } from "react";

export type Place = (element: Element | null) => (() => void) | undefined;

/** Whether what stands at `place` was ever on screen, or nearly: what costs something is made then and not before. */
export function useSeen(): { isSeen: boolean; place: Place } {
  const [isSeen, setSeen] = useState(false);
  const place = useCallback((element: Element | null) => {
    if (element === null) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setSeen(true);
      },
      { rootMargin: "25%" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { isSeen, place };
}
