/** Where the Supabase client keeps its session; a page that finds one loads that client before its first request. */
export const STORED_SESSION = "lorry-supabase";

export async function resumeStoredSession(): Promise<void> {
  if (localStorage.getItem(STORED_SESSION) === null) return;
  const { resume } = await import("~/api/supabase");
  // Where the project cannot be asked now, the token that is still there may do.
  await resume().catch(() => undefined);
}
