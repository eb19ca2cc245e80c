import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import {
  getContainer,
  getMaintenance,
  getWholeQueue,
  listAuditEntries,
  listContainers,
  listDevices,
  listLimits,
  readContainerLog,
} from "~/api/generated";

const POLL_MS = 3_000;
const LOG_LINES = 2_000;
export const AUDIT_PAGE_SIZE = 50;

export const containersQuery = queryOptions({
  queryKey: ["admin", "containers"],
  queryFn: async ({ signal }) => (await listContainers({ signal })).data.data,
  refetchInterval: POLL_MS,
});

export function containerQuery(id: string) {
  return queryOptions({
    queryKey: ["admin", "containers", id],
    queryFn: async ({ signal }) => (await getContainer({ path: { container_id: id }, signal })).data.data,
    // One that is gone stays gone.
    refetchInterval: ({ state }) => (state.error ? false : POLL_MS),
  });
}

export function containerLogQuery(id: string) {
  return queryOptions({
    queryKey: ["admin", "containers", id, "log"],
    queryFn: async ({ signal }) =>
      (await readContainerLog({ path: { container_id: id }, query: { tail: LOG_LINES }, signal })).data.data,
    refetchInterval: ({ state }) => (state.error ? false : POLL_MS),
  });
}

export const devicesQuery = queryOptions({
  queryKey: ["admin", "devices"],
  queryFn: async ({ signal }) => (await listDevices({ signal })).data.data,
  refetchInterval: POLL_MS,
});

export const wholeQueueQuery = queryOptions({
  queryKey: ["admin", "queue"],
  queryFn: async ({ signal }) => (await getWholeQueue({ signal })).data.data,
  refetchInterval: POLL_MS,
});

export const limitsQuery = queryOptions({
  queryKey: ["admin", "limits"],
  queryFn: async ({ signal }) => (await listLimits({ signal })).data.data,
});

export function auditQuery(page: number) {
  return queryOptions({
    queryKey: ["admin", "audit", page],
    queryFn: async ({ signal }) => (await listAuditEntries({ query: { page, page_size: AUDIT_PAGE_SIZE }, signal })).data,
    placeholderData: keepPreviousData,
  });
}

export const maintenanceQuery = queryOptions({
  queryKey: ["admin", "maintenance"],
  queryFn: async ({ signal }) => (await getMaintenance({ signal })).data.data,
  refetchInterval: POLL_MS,
});
