/** What somebody has put into the form so far; only what differs from the defaults is sent. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDebouncedValue } from "@mantine/hooks";
import { type SubmitBody, submitJob } from "~/api/generated";
import type { ApiError } from "~/api/errors";

const TYPING_PAUSE_MS = 400;

export type Draft = SubmitBody;

/** The server's plan for the draft, or every violation in it. */
export function usePlan(draft: Draft) {
  const [settled] = useDebouncedValue(draft, TYPING_PAUSE_MS);
  return useQuery({
    queryKey: ["plan", settled],
    queryFn: async ({ signal }) => {
      const answer = await submitJob({ body: settled, query: { dry_run: true }, signal });
      return "data" in answer.data ? answer.data.data : null;
    },
    enabled: settled.dataset_id !== "" && settled.base_model !== "",
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 0,
  });
}

/** Messages by field, as the client wrote the field: `config.steps`. */
export function violations(error: ApiError | null): Record<string, string> {
  return Object.fromEntries((error?.details ?? []).map((detail) => [detail.field, detail.message]));
}
