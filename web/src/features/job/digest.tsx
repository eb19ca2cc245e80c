import { Copyable } from "~/ui/copyable";

const SHOWN = 12;

/** A checksum or revision. */
export function Digest({ value }: { value: string }) {
  return <Copyable value={value} shown={value.replace(/^sha256:/, "").slice(0, SHOWN)} />;
}
