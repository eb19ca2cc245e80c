import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type Problem, getDataset, getReport, listDatasets, listItems, listJobs } from "~/api/generated";

export const PAGE_SIZE = 24;
/** The report is about training at it, unless a job says otherwise. */
export const RESOLUTION = 512;
const MOST = 200;

export const datasetsQuery = queryOptions({
  queryKey: ["datasets"],
  queryFn: async ({ signal }) => (await listDatasets({ query: { page_size: MOST }, signal })).data,
});

export function datasetQuery(id: string) {
  return queryOptions({
    queryKey: ["datasets", id],
    queryFn: async ({ signal }) => (await getDataset({ path: { dataset_id: id }, signal })).data.data,
  });
}

export function itemsQuery(id: string, page: number, pageSize = PAGE_SIZE, problem?: Problem) {
  return queryOptions({
    queryKey: ["datasets", id, "items", page, pageSize, problem],
    queryFn: async ({ signal }) => {
      const query = { page, page_size: pageSize, resolution: RESOLUTION, ...(problem && { problem }) };
      return (await listItems({ path: { dataset_id: id }, query, signal })).data;
    },
    placeholderData: keepPreviousData,
  });
}

export function datasetJobsQuery(id: string) {
  return queryOptions({
    queryKey: ["jobs", "of dataset", id],
    queryFn: async ({ signal }) => (await listJobs({ query: { dataset_id: id }, signal })).data,
  });
}

export function reportQuery(id: string, resolution: number) {
  return queryOptions({
    queryKey: ["datasets", id, "report", resolution],
    queryFn: async ({ signal }) => (await getReport({ path: { dataset_id: id }, query: { resolution }, signal })).data.data,
  });
}

export function itemPictureUrl(datasetId: string, itemId: string): string {
  return `/api/datasets/${datasetId}/items/${itemId}/image`;
}
