import { useLingui } from "@lingui/react/macro";
import { Alert } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { queueQuery } from "~/features/jobs/queries";

/** What keeps every job from starting, maintenance for one, on every page. */
export function MachineProblem() {
  const { t } = useLingui();
  const { data: problem } = useQuery({ ...queueQuery, select: (queue) => queue.problem, refetchInterval: 10_000 });
  if (problem == null) return null;
  return (
    <Alert color="orange" title={t`No job starts at the moment`} mb="lg" role="status">
      {problem}
    </Alert>
  );
}
