import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { useState } from "react";
import type { SampleOut } from "~/api/generated";
import type { SampleSeries } from "~/features/job/sample-grid";
import classes from "~/features/job/samples.module.css";
import { Picture } from "~/ui/picture";
import { number } from "~/ui/quantities";

interface Props {
  series: SampleSeries;
  sample: SampleOut | undefined;
  /** Laid over the left of it. */
  earlier: SampleOut | undefined;
}

export function SampleFigure({ series, sample, earlier }: Props) {
  const { t } = useLingui();
  const alt = (shown: SampleOut) => t`Sample of step ${number(shown.step ?? 0)}: ${series.prompt ?? shown.name}`;
  return (
    <figure className={classes.figure}>
      <div className={classes.frame} dir="ltr">
        {sample ? (
          <Picture url={sample.image_url} alt={alt(sample)} />
        ) : (
          <div className={classes.missing}>
            <Trans>None was drawn at this step.</Trans>
          </div>
        )}
        {sample && earlier && <Overlay url={earlier.image_url} alt={alt(earlier)} />}
      </div>
      <Text component="figcaption" size="sm">
        <bdi>{series.prompt ?? sample?.name}</bdi>
        {series.seed !== null && (
          <Text span size="xs" c="dimmed">
            {" "}
            <Trans>
              seed <bdi dir="ltr">{series.seed}</bdi>
            </Trans>
          </Text>
        )}
      </Text>
    </figure>
  );
}

/** The other picture up to an edge that is moved by pointer or arrow keys. */
function Overlay({ url, alt }: { url: string; alt: string }) {
  const { t } = useLingui();
  const [percent, setPercent] = useState(50);
  return (
    <>
      <div className={classes.overlay} style={{ clipPath: `inset(0 ${100 - percent}% 0 0)` }}>
        <Picture url={url} alt={alt} />
      </div>
      <div className={classes.edge} style={{ left: `${percent}%` }} />
      <input
        type="range"
        className={classes.wipe}
        aria-label={t`Where the left picture ends`}
        min={0}
        max={100}
        value={percent}
        onChange={(event) => setPercent(event.currentTarget.valueAsNumber)}
      />
    </>
  );
}
