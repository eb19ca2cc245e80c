/** Who this browser is signed in as: a bearer token, and where it is renewed if it does not last. */
const KEY = "lorry-token";

/** Gives out tokens that do not last. */
export interface TokenSource {
  token: () => Promise<string | null>;
  signOut: () => Promise<unknown>;
}

const listeners = new Set<() => void>();
let source: TokenSource | null = null;

export const session = {
  /** The last one known; `fresh` is the one to send. */
  token: (): string | null => localStorage.getItem(KEY),

  fresh: async (): Promise<string | null> => (source === null ? session.token() : source.token()),

  begin: (token: string): void => {
    localStorage.setItem(KEY, token);
    announce();
  },

  /** From now on tokens come from there. */
  renewFrom: (giver: TokenSource): void => {
    source = giver;
  },

  end: (): void => {
    const left = source;
    source = null;
    localStorage.removeItem(KEY);
    announce();
    void left?.signOut();
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
