import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Text } from "@mantine/core";
import { type DragEvent, useRef, useState } from "react";
import type { Chosen } from "~/features/datasets/batches";
import classes from "~/features/datasets/datasets.module.css";
import { filesOf } from "~/features/datasets/dropped";

interface Props {
  label: string;
  count: number;
  isDisabled: boolean;
  onChoose: (files: Chosen[]) => void;
}

export function DropZone({ label, count, isDisabled, onChoose }: Props) {
  const { t } = useLingui();
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    if (!isDisabled) void filesOf(event.dataTransfer).then(onChoose);
  };
  const choose = (files: FileList | null) => onChoose([...(files ?? [])].map((file) => ({ path: file.name, file })));
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- the button inside does the same by keyboard
    <div
      className={classes.zone}
      data-over={isOver}
      role="group"
      aria-label={label}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept="image/*,.txt,.zip"
        aria-label={t`Pictures and captions`}
        disabled={isDisabled}
        onChange={(event) => {
          choose(event.currentTarget.files);
          event.currentTarget.value = ""; // so that the same ones may be chosen again
        }}
      />
      <Button variant="default" disabled={isDisabled} onClick={() => input.current?.click()}>
        <Trans>Choose pictures and captions</Trans>
      </Button>
      <Text size="sm" c="dimmed">
        {count > 0 ? (
          <Plural value={count} one="# file chosen" other="# files chosen" />
        ) : (
          <Trans>or drop them or their folder here: cat.png with cat.txt beside it, or one zip of them</Trans>
        )}
      </Text>
    </div>
  );
}
