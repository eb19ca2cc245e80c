/** Signing in at a Supabase project; loaded only where the server has one. Its client renews tokens by itself. */
import { type SupabaseClient, createClient } from "@supabase/supabase-js";
import { ApiError } from "~/api/errors";
import { getSignInOptions } from "~/api/generated";
import { session } from "~/api/session";
import { STORED_SESSION } from "~/api/stored-session";

let opened: Promise<SupabaseClient> | null = null;

export async function signInWithPassword(email: string, password: string): Promise<string> {
  const project = await openProject();
  const { data, error } = await project.auth.signInWithPassword({ email, password });
  if (error) throw new ApiError(error.status ?? 0, error.code ?? "SIGN_IN_REFUSED", error.message);
  renewFrom(project);
  return data.session.access_token;
}

/** Go on with the session that this browser has kept. */
export async function resume(): Promise<void> {
  const project = await openProject();
  renewFrom(project);
  const token = await session.fresh();
  if (token === null) session.end();
  else session.begin(token);
}

function renewFrom(project: SupabaseClient): void {
  session.renewFrom({
    token: async () => (await project.auth.getSession()).data.session?.access_token ?? null,
    signOut: () => project.auth.signOut({ scope: "local" }),
  });
}

function openProject(): Promise<SupabaseClient> {
  opened ??= open().catch((failure: unknown) => {
    opened = null;
    throw failure;
  });
  return opened;
}

async function open(): Promise<SupabaseClient> {
  const { supabase_url: url, supabase_publishable_key: key } = (await getSignInOptions()).data.data;
  if (url === null || key === null) throw new ApiError(0, "NOT_SUPABASE", "This server has no Supabase project.");
  const project = createClient(url, key, { auth: { storageKey: STORED_SESSION, detectSessionInUrl: false } });
  project.auth.onAuthStateChange((event, renewed) => {
    if (event === "TOKEN_REFRESHED" && renewed) session.begin(renewed.access_token);
    if (event === "SIGNED_OUT" && session.token() !== null) session.end();
  });
  return project;
}
