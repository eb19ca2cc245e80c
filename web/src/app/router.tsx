/** Every page, and what of its state stands in the address. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import type { JobOrder, JobStatus, Problem } from "~/api/generated";
import { session } from "~/api/session";
import { Lost } from "~/app/lost";
import { Shell } from "~/app/shell";
import { ADMIN_TABS } from "~/features/admin/tabs";
import { PROBLEMS } from "~/features/datasets/problems";
import { JOB_TABS, SAMPLE_VIEWS, type SampleChoice } from "~/features/job/tabs";
import { JobsPage } from "~/features/jobs/jobs-page";
import { type ChartSearch, chartSearch } from "~/ui/chart-view";
import { NEWEST, ORDERS } from "~/ui/sort-select";
import { STATUSES } from "~/ui/status-badge";

function tabAmong<Name extends string>(names: readonly Name[]) {
  return (search: Record<string, unknown>): { tab?: Name } => {
    const tab = names.find((each) => each === search["tab"]);
    return tab === undefined ? {} : { tab };
  };
}

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
  tag?: string;
  sort?: JobOrder;
  page?: number;
}

const jobs = createRoute({
  getParentRoute: () => signedIn,
  path: "/jobs",
  validateSearch: (search: Record<string, unknown>): JobsSearch => {
    const chosen = STATUSES.filter((status) => Array.isArray(search["status"]) && search["status"].includes(status));
    const sort = ORDERS.find((order) => order === search["sort"] && order !== NEWEST);
    return {
      ...(chosen.length > 0 && { status: chosen }),
      ...(typeof search["q"] === "string" && search["q"] !== "" && { q: search["q"] }),
      ...(typeof search["tag"] === "string" && search["tag"] !== "" && { tag: search["tag"] }),
      ...(sort !== undefined && { sort }),
      ...(typeof search["page"] === "number" && search["page"] > 1 && { page: search["page"] }),
    };
  },
  component: JobsPage,
});

const newJob = createRoute({
  getParentRoute: () => signedIn,
  path: "/jobs/new",
  validateSearch: (search: Record<string, unknown>): { dataset?: string; from?: string } => ({
    ...(typeof search["dataset"] === "string" && { dataset: search["dataset"] }),
    ...(typeof search["from"] === "string" && { from: search["from"] }), // the job that the form starts from
  }),
  component: lazyRouteComponent(() => import("~/features/new-job/new-job-page"), "NewJobPage"),
});

type JobSearch = { tab?: (typeof JOB_TABS)[number]; metric?: string | undefined; line?: number | undefined } & SampleChoice & ChartSearch;

function validJobSearch(search: Record<string, unknown>): JobSearch {
  const view = SAMPLE_VIEWS.find((each) => each === search["view"]);
  return {
    ...tabAmong(JOB_TABS)(search),
    ...chartSearch(search),
    ...(typeof search["metric"] === "string" && search["metric"] !== "" && { metric: search["metric"] }),
    ...(typeof search["line"] === "number" && search["line"] >= 1 && { line: search["line"] }), // of the log
    ...(view !== undefined && { view }),
    ...(typeof search["step"] === "number" && { step: search["step"] }),
    ...(typeof search["earlier"] === "number" && { earlier: search["earlier"] }),
  };
}

const job = createRoute({
  getParentRoute: () => signedIn,
  path: "/jobs/$id",
  validateSearch: validJobSearch,
  component: lazyRouteComponent(() => import("~/features/job/job-page"), "JobPage"),
});

const datasets = createRoute({
  getParentRoute: () => signedIn,
  path: "/datasets",
  component: lazyRouteComponent(() => import("~/features/datasets/datasets-page"), "DatasetsPage"),
});

const dataset = createRoute({
  getParentRoute: () => signedIn,
  path: "/datasets/$id",
  validateSearch: (search: Record<string, unknown>): { page?: number; problem?: Problem } => {
    const problem = PROBLEMS.find((each) => each === search["problem"]);
    return {
      ...(typeof search["page"] === "number" && search["page"] > 1 && { page: search["page"] }),
      ...(problem !== undefined && { problem }),
    };
  },
  component: lazyRouteComponent(() => import("~/features/datasets/dataset-page"), "DatasetPage"),
});

const models = createRoute({
  getParentRoute: () => signedIn,
  path: "/models",
  component: lazyRouteComponent(() => import("~/features/models/models-page"), "ModelsPage"),
});

const analytics = createRoute({
  getParentRoute: () => signedIn,
  path: "/analytics",
  component: lazyRouteComponent(() => import("~/features/analytics/analytics-page"), "AnalyticsPage"),
});

const compare = createRoute({
  getParentRoute: () => signedIn,
  path: "/compare",
  validateSearch: (search: Record<string, unknown>): { ids: string[]; baseline?: string | undefined } & ChartSearch => ({
    ids: Array.isArray(search["ids"]) ? search["ids"].filter((id) => typeof id === "string") : [],
    ...(typeof search["baseline"] === "string" && { baseline: search["baseline"] }),
    ...chartSearch(search),
  }),
  component: lazyRouteComponent(() => import("~/features/compare/compare-page"), "ComparePage"),
});

const admin = createRoute({
  getParentRoute: () => signedIn,
  path: "/admin",
  validateSearch: tabAmong(ADMIN_TABS),
  component: lazyRouteComponent(() => import("~/features/admin/admin-page"), "AdminPage"),
});

const adminContainer = createRoute({
  getParentRoute: () => signedIn,
  path: "/admin/containers/$id",
  component: lazyRouteComponent(() => import("~/features/admin/container-page"), "ContainerPage"),
});

const pages = [jobs, newJob, job, datasets, dataset, models, analytics, compare, admin, adminContainer] as const;

export const router = createRouter({
  routeTree: root.addChildren([home, signIn, signedIn.addChildren(pages)]),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
