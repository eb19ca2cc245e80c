import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { session } from "~/api/session";

const route = getRouteApi("/signin");

/** Signed in with a token, on to the page that was asked for. */
export function useArrive() {
  const navigate = useNavigate();
  const { to } = route.useSearch();
  return (token: string) => {
    session.begin(token);
    // Only ever a path of this app: the address bar is not to send anybody elsewhere.
    void navigate({ href: to?.startsWith("/") && !to.startsWith("//") ? to : "/jobs", replace: true });
  };
}
