import { useQuery } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { getIdentity } from "~/api/generated";
import { session } from "~/api/session";

export function useToken(): string | null {
  return useSyncExternalStore(session.subscribe, session.token);
}

export function useIdentity() {
  return useQuery({
    queryKey: ["identity", useToken()],
    queryFn: async () => (await getIdentity()).data.data,
    staleTime: Infinity,
  });
}
