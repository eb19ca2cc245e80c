/** Every page, and what of its state stands in the address. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import type { JobStatus } from "~/api/generated";
import { session } from "~/api/session";
import { Lost } from "~/app/lost";
import { Shell } from "~/app/shell";
import { JobsPage } from "~/features/jobs/jobs-page";
import { STATUSES } from "~/ui/status-badge";

const root = createRootRoute({ notFoundComponent: Lost });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/signin",
  validateSearch: (search: Record<string, unknown>): { code?: string; to?: string } => ({
    ...(typeof search["code"] === "string" && { code: search["code"] }),
    ...(typeof search["to"] === "string" && { to: search["to"] }),
  }),
  component: lazyRouteComponent(() => import("~/features/sign-in/sign-in-page"), "SignInPage"),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  beforeLoad: ({ location }) => {
    if (session.token() === null) throw redirect({ to: "/signin", search: { to: location.href }, replace: true });
  },
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/jobs", replace: true });
  },
});

export interface JobsSearch {
  status?: JobStatus[];
  q?: string;
  page?: number;
}

const jobs = createRoute({
  getParentRoute: () => signedIn,
  path: "/jobs",
  validateSearch: (search: Record<string, unknown>): JobsSearch => {
    const chosen = STATUSES.filter((status) => Array.isArray(search["status"]) && search["status"].includes(status));
    return {
      ...(chosen.length > 0 && { status: chosen }),
      ...(typeof search["q"] === "string" && search["q"] !== "" && { q: search["q"] }),
      ...(typeof search["page"] === "number" && search["page"] > 1 && { page: search["page"] }),
    };
  },
  component: JobsPage,
});

export const router = createRouter({
  routeTree: root.addChildren([home, signIn, signedIn.addChildren([jobs])]),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
