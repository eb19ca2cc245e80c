import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import type { JobOut } from "~/api/generated";
import { jobQuery } from "~/features/job/queries";
import { pin, useBaseline } from "~/ui/baseline";

const NOT_FOUND = 404;
const FRESH_MS = 60_000;

/** The job that is pinned; the pin of one that is gone, or somebody else's, falls out. */
export function useBaselineJob(): JobOut | null {
  const id = useBaseline();
  const job = useQuery({ ...jobQuery(id ?? ""), enabled: id !== null, staleTime: FRESH_MS });
  const isGone = id !== null && job.error?.status === NOT_FOUND;
  useEffect(() => {
    if (isGone) pin(null);
  }, [isGone]);
  return id === null ? null : (job.data ?? null);
}
