import { Trans } from "@lingui/react/macro";
import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { client } from "~/api/generated/client.gen";
import classes from "~/ui/picture.module.css";
import { useSeen } from "~/ui/seen";

/** A picture behind the token: fetched once it is about to be seen, and shown from memory for as long as it is on the page. */
export function Picture({ url, alt, size }: { url: string; alt: string; size?: number }) {
  const { isSeen, place } = useSeen();
  const blob = useQuery({
    queryKey: ["picture", url],
    queryFn: async ({ signal }) => {
      const security = [{ scheme: "bearer", type: "http" }] as const;
      return (await client.get<Blob, unknown, true>({ url, security, parseAs: "blob", signal })).data;
    },
    enabled: isSeen,
    staleTime: Infinity,
    gcTime: 60_000,
  });
  const source = useObjectUrl(blob.data);
  const style = size === undefined ? undefined : { width: size, height: size };
  if (source !== null) return <img src={source} alt={alt} className={classes.picture} style={style} />;
  if (!blob.error) return <Skeleton ref={place} className={classes.picture} style={style} />;
  return (
    <div className={classes.failed} style={style} title={alt}>
      <Trans>The picture did not arrive.</Trans>
    </div>
  );
}

function useObjectUrl(blob: Blob | undefined): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (blob === undefined) return undefined;
    const made = URL.createObjectURL(blob);
    setUrl(made); // eslint-disable-line react-hooks/set-state-in-effect -- a resource that must be given back
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url;
}
