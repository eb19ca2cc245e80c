import { Plural, Trans } from "@lingui/react/macro";
import { Code, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { JobOut, LineageOut } from "~/api/generated";
import { Digest } from "~/features/job/digest";
import jobClasses from "~/features/job/job.module.css";
import classes from "~/features/job/lineage.module.css";
import { lineageQuery } from "~/features/job/queries";
import { Copyable } from "~/ui/copyable";
import { Failure } from "~/ui/failure";
import { JobId } from "~/ui/job-id";
import { PageLink } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { shortId } from "~/ui/names";
import { number } from "~/ui/quantities";

/** What the adapter was made from, as the server and the file's metadata tell it. */
export function JobLineage({ job }: { job: JobOut }) {
  const lineage = useQuery(lineageQuery(job.id));
  if (lineage.error && lineage.data === undefined) return <Failure error={lineage.error} />;
  if (lineage.data === undefined) return <Loading height={260} />;
  return <Tree lineage={lineage.data} />;
}

function Tree({ lineage }: { lineage: LineageOut }) {
  const { adapter, base_model: model, rerun_of: first, continues } = lineage;
  const named = (
    <>
      <bdi>{adapter.name}</bdi> <bdi dir="ltr">v{adapter.version}</bdi>
    </>
  );
  return (
    <ul className={classes.tree}>
      <Node name={<Trans>Adapter</Trans>} value={named} digest={adapter.sha256}>
        <DatasetNode lineage={lineage} />
        <Node name={<Trans>Base model</Trans>} value={model.id} digest={model.revision} />
        <Node name={<Trans>Training image</Trans>} digest={lineage.image_digest} />
        <Node name={<Trans>Settings</Trans>} digest={lineage.config_sha256}>
          <Folded title={<Trans>Every option</Trans>}>
            <Code block className={jobClasses.code} dir="ltr">
              {JSON.stringify(lineage.config, null, 2)}
            </Code>
          </Folded>
        </Node>
        <AttemptsNode lineage={lineage} />
        {continues && (
          <Node
            name={<Trans>Goes on from</Trans>}
            value={
              <>
                <PageLink to="/jobs/$id" params={{ id: continues.job_id }}>
                  <bdi dir="ltr">{shortId(continues.job_id)}</bdi>
                </PageLink>{" "}
                <bdi dir="ltr">{continues.checkpoint}</bdi>
              </>
            }
          />
        )}
        {first !== null && (
          <Node name={<Trans>Repeats</Trans>} value={<JobId id={first} />} />
        )}
      </Node>
    </ul>
  );
}

function DatasetNode({ lineage: { dataset, caption_template: template } }: { lineage: LineageOut }) {
  const link = (
    <PageLink to="/datasets/$id" params={{ id: dataset.id }}>
      <bdi dir="ltr">{shortId(dataset.id)}</bdi>
    </PageLink>
  );
  return (
    <Node name={<Trans>Dataset</Trans>} value={link} digest={dataset.sha256}>
      <Node name={<Trans>Prompts</Trans>} value={<bdi>{template}</bdi>} />
      <Folded title={<Plural value={dataset.item_count} one="# item" other="# items" />}>
        <ul className={classes.items}>
          {dataset.items.map((item) => (
            <li key={item.id}>
              <Copyable value={item.id} shown={shortId(item.id)} /> <Digest value={item.sha256} />
            </li>
          ))}
        </ul>
      </Folded>
    </Node>
  );
}

function AttemptsNode({ lineage: { attempts } }: { lineage: LineageOut }) {
  return (
    <Node name={<Trans>Attempts</Trans>} value={number(attempts.length)}>
      {attempts.map((attempt) => (
        <Node
          key={attempt.number}
          name={<Trans>attempt {number(attempt.number)}</Trans>}
          value={<bdi dir="ltr">{[attempt.end_reason, attempt.resume_from].filter((each) => each !== null).join(", ")}</bdi>}
          digest={attempt.image_digest}
        />
      ))}
    </Node>
  );
}

interface NodeProps {
  name: ReactNode;
  value?: ReactNode;
  digest?: string | null;
  children?: ReactNode;
}

function Node({ name, value, digest, children }: NodeProps) {
  return (
    <li>
      <Text span fw={600} size="sm">
        {name}
      </Text>{" "}
      <Text span size="sm">
        {value}
      </Text>{" "}
      {digest != null && <Digest value={digest} />}
      {children !== undefined && <ul>{children}</ul>}
    </li>
  );
}

function Folded({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <li>
      <details>
        <summary>{title}</summary>
        {children}
      </details>
    </li>
  );
}
