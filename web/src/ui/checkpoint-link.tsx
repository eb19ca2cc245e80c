import { PageLink } from "~/ui/links";

/** A checkpoint by its name, leading to its job's files. */
export function CheckpointLink({ jobId, name }: { jobId: string; name: string }) {
  return (
    <PageLink to="/jobs/$id" params={{ id: jobId }} search={{ tab: "files" }}>
      <bdi dir="ltr">{name}</bdi>
    </PageLink>
  );
}
