import { Text } from "@mantine/core";
import classes from "~/features/job/lineage.module.css";

const SHOWN = 12;

/** A checksum or revision, as much of it as people compare; all of it on hover. */
export function Digest({ value }: { value: string }) {
  return (
    <Text component="bdi" dir="ltr" size="xs" c="dimmed" title={value} className={classes.digest}>
      {value.replace(/^sha256:/, "").slice(0, SHOWN)}
    </Text>
  );
}
