import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { getDataset, getReport, listDatasets, listItems } from "~/api/generated";

export const PAGE_SIZE = 24;
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

export function itemsQuery(id: string, page: number, pageSize = PAGE_SIZE) {
  return queryOptions({
    queryKey: ["datasets", id, "items", page, pageSize],
    queryFn: async ({ signal }) =>
      (await listItems({ path: { dataset_id: id }, query: { page, page_size: pageSize }, signal })).data,
    placeholderData: keepPreviousData,
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
