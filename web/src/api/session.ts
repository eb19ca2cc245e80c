/** The bearer token that this browser holds. */
const KEY = "lorry-token";

const listeners = new Set<() => void>();

export const session = {
  token: (): string | null => localStorage.getItem(KEY),

  begin: (token: string): void => {
    localStorage.setItem(KEY, token);
    announce();
  },

  end: (): void => {
    localStorage.removeItem(KEY);
    announce();
  },

  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    window.addEventListener("storage", listener); // signed out in another tab
    return () => {
      listeners.delete(listener);
      window.removeEventListener("storage", listener);
    };
  },
};

function announce(): void {
  for (const listener of listeners) listener();
}
